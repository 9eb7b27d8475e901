/* SPDX-License-Identifier: MIT */
/* fake_driver.c - the guest's half of a virtqueue, honest or not; fake_driver.h says what for */
#include "fake_driver.h"

#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/injection.h"

/* what explain prints; the real ones where they are linked */
__attribute__((weak)) const char *const injection_mode_name[INJECTION_MODES];

void ram_up(struct fake_ram *ram, uint64_t size)
{
	uint8_t *p = malloc(size);

	assert_non_null(p);
	memset(p, 0xc3, size);
	gpa_map_init(&ram->map, p, size);
	ram->size = size;
	ram->used = 0;
}

void ram_down(struct fake_ram *ram)
{
	free(ram->map.ram);
}

uint64_t ram_take(struct fake_ram *ram, uint64_t len, uint64_t align)
{
	uint64_t at = ROUND_UP(ram->used, align);

	assert_true(at + len <= ram->size);
	ram->used = at + len;
	return at;
}

uint8_t *ram_at(struct fake_ram *ram, uint64_t gpa, uint64_t len)
{
	uint8_t *p = gpa_ptr(&ram->map, gpa, len);

	assert_non_null(p);
	return p;
}

void driver_up(struct fake_driver *d, struct fake_ram *ram, unsigned size, bool event_idx,
	       uint16_t base)
{
	uint64_t desc_len = size * sizeof(struct virtq_desc);
	uint64_t avail_len = 6 + 2 * size, used_len = 6 + 8 * size;

	*d = (struct fake_driver){ .ram = ram, .size = size, .event_idx = event_idx };
	d->desc_gpa = ram_take(ram, desc_len, 16);
	d->avail_gpa = ram_take(ram, avail_len, 2);
	d->used_gpa = ram_take(ram, used_len, 4);
	d->desc = memset(ram_at(ram, d->desc_gpa, desc_len), 0, desc_len);
	d->avail = memset(ram_at(ram, d->avail_gpa, avail_len), 0, avail_len);
	d->used = memset(ram_at(ram, d->used_gpa, used_len), 0, used_len);
	d->avail[VIRTQ_IDX] = d->used[VIRTQ_IDX] = d->told = d->used_seen = base;
	driver_want_signal(d, true);
}

void driver_desc(struct fake_driver *d, unsigned i, uint64_t addr, uint32_t len, unsigned flags,
		 unsigned next)
{
	d->desc[i] = (struct virtq_desc){ addr, len, flags, next };
}

void driver_expose(struct fake_driver *d, uint16_t head)
{
	uint16_t idx = d->avail[VIRTQ_IDX];

	d->avail[VIRTQ_RING + idx % d->size] = head;
	__atomic_store_n(&d->avail[VIRTQ_IDX], (uint16_t)(idx + 1), __ATOMIC_RELEASE);
}

uint16_t driver_add(struct fake_driver *d, uint64_t addr, uint32_t len, bool write)
{
	uint16_t head = d->next++ % d->size;

	driver_desc(d, head, addr, len, write ? VIRTQ_DESC_F_WRITE : 0, 0);
	driver_expose(d, head);
	return head;
}

bool driver_kicks(struct fake_driver *d)
{
	uint16_t from = d->told, to = d->avail[VIRTQ_IDX];
	uint16_t event;

	d->told = to;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!d->event_idx)
		return from != to && !(__atomic_load_n(&d->used[VIRTQ_FLAGS], __ATOMIC_RELAXED) &
				       VIRTQ_USED_F_NO_NOTIFY);
	event = __atomic_load_n(&d->used[VIRTQ_RING + 4 * d->size], __ATOMIC_RELAXED);
	return (uint16_t)(to - event - 1) < (uint16_t)(to - from);
}

bool driver_used(struct fake_driver *d, struct virtq_used_elem *e)
{
	if (__atomic_load_n(&d->used[VIRTQ_IDX], __ATOMIC_ACQUIRE) == d->used_seen)
		return false;
	memcpy(e, &d->used[VIRTQ_RING + 4 * (d->used_seen++ % d->size)], sizeof(*e));
	return true;
}

void driver_want_signal(struct fake_driver *d, bool on)
{
	if (d->event_idx)
		d->avail[VIRTQ_RING + d->size] = d->used_seen + (on ? 0 : 0x8000);
	else
		d->avail[VIRTQ_FLAGS] = on ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT;
}
