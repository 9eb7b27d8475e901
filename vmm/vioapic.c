/* SPDX-License-Identifier: MIT */
/*
 * vioapic.c - a guest's IOAPIC: 24 lines, each with an entry that says where its
 * interrupt goes [82093AA 3.2]
 *
 * Called with vm->lock held, which guards all of it: by exits that touch its memory, by devices
 * whose line moves, and by the local APIC at the end of a level-triggered interrupt.
 *
 * An edge is sent when the line rises, and is lost if the pin is masked then. A level is sent while
 * the line is up and remote IRR is clear; remote IRR is set by sending and cleared by EOI, so one
 * interrupt is under way at a time.
 */
#include "vioapic.h"

#include "kernel/bits.h"
#include "vlapic.h"
#include "vlapic_regs.h"
#include "vm.h"

#include <string.h>

/* memory: two registers that reach the others, and EOI */
#define IOREGSEL 0x00 /* RW: which one IOWIN is */
#define IOWIN    0x10 /* RW, 32 bits at a time */
#define IOEOI    0x40 /* WO: a vector; from version 0x20 on */

/* by IOREGSEL */
#define IOAPICID  0x00 /* RW */
#define ID_BITS   BITS(27, 24)
#define IOAPICVER 0x01 /* RO */
#define VER_NUM   BITS(7, 0)
#define VER_LAST  BITS(23, 16) /* pin */
#define IOAPICARB 0x02         /* RO: arbitration ID, of a bus that is gone; the ID */
#define IOREDTBL  0x10         /* RW: low half of pin 0, high half, pin 1 ... */

/* an entry of the redirection table */
#define RTE_VECTOR     BITS(7, 0)
#define RTE_MODE       BITS(10, 8)
#define RTE_LOGICAL    BIT(11)
#define RTE_STATUS     BIT(12) /* RO: being sent; never seen set */
#define RTE_LOW_ACTIVE BIT(13) /* kept, without effect: vioapic_set() knows what is asserted */
#define RTE_REMOTE_IRR BIT(14) /* RO */
#define RTE_LEVEL      BIT(15)
#define RTE_MASKED     BIT(16)
#define RTE_DEST       BITS(63, 56)
#define RTE_WRITABLE \
	(RTE_VECTOR | RTE_MODE | RTE_LOGICAL | RTE_LOW_ACTIVE | RTE_LEVEL | RTE_MASKED | RTE_DEST)

enum { VERSION = 0x20 };

/* --- sending --- */

/* is_level() - an NMI and its like are edges whatever the trigger says */
static bool is_level(uint64_t rte)
{
	unsigned mode = FIELD_GET(RTE_MODE, rte);

	return rte & RTE_LEVEL && (mode == DELIVER_FIXED || mode == DELIVER_LOWEST);
}

static void send(struct vioapic *io, unsigned pin)
{
	uint64_t rte = io->redirection[pin];
	bool level = is_level(rte);
	unsigned sent = vlapic_deliver(io->vm, FIELD_GET(RTE_DEST, rte), rte & RTE_LOGICAL,
				       FIELD_GET(RTE_MODE, rte), FIELD_GET(RTE_VECTOR, rte), level);

	if (!sent) /* nobody is there, or nobody has switched his APIC on */
		return;
	io->count[pin]++;
	if (level)
		io->redirection[pin] |= RTE_REMOTE_IRR;
}

/*
 * look() - a level-triggered pin: is there something to send? Whenever line, mask or
 * remote IRR have changed.
 */
static void look(struct vioapic *io, unsigned pin)
{
	uint64_t rte = io->redirection[pin];

	if (is_level(rte) && io->level & BIT(pin) && !(rte & (RTE_MASKED | RTE_REMOTE_IRR)))
		send(io, pin);
}

void vioapic_set(struct vioapic *io, unsigned pin, bool up)
{
	bool was = io->level & BIT(pin);

	if (up == was)
		return;
	io->level ^= BIT(pin);
	if (!up)
		return;
	if (is_level(io->redirection[pin]))
		look(io, pin);
	else if (!(io->redirection[pin] & RTE_MASKED))
		send(io, pin);
}

void vioapic_eoi(struct vioapic *io, uint8_t vector)
{
	for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
		uint64_t rte = io->redirection[pin];

		if (!(rte & RTE_REMOTE_IRR) || FIELD_GET(RTE_VECTOR, rte) != vector)
			continue;
		io->redirection[pin] &= ~RTE_REMOTE_IRR;
		look(io, pin);
	}
}

/* --- registers --- */

/*
 * pin_write() - one half of an entry. A pin that becomes an edge forgets remote IRR: that is
 * how a lost EOI is mended.
 */
static void pin_write(struct vioapic *io, unsigned pin, bool high, uint32_t value)
{
	uint64_t *rte = &io->redirection[pin];
	uint64_t half = high ? BITS(63, 32) : BITS(31, 0);
	uint64_t now = high ? (uint64_t)value << 32 : value;

	*rte = (*rte & ~(half & RTE_WRITABLE)) | (now & RTE_WRITABLE);
	if (!is_level(*rte))
		*rte &= ~RTE_REMOTE_IRR;
	look(io, pin);
}

static uint32_t win_read(const struct vioapic *io)
{
	unsigned entry = (io->index - IOREDTBL) / 2;

	switch (io->index) {
	case IOAPICID:
	case IOAPICARB: return io->id;
	case IOAPICVER:
		return FIELD_PREP(VER_NUM, VERSION) | FIELD_PREP(VER_LAST, VIOAPIC_PINS - 1);
	}
	if (io->index < IOREDTBL || entry >= VIOAPIC_PINS)
		return 0;
	return io->redirection[entry] >> (io->index % 2 ? 32 : 0);
}

static void win_write(struct vioapic *io, uint32_t value)
{
	unsigned entry = (io->index - IOREDTBL) / 2;

	if (io->index == IOAPICID)
		io->id = value & ID_BITS;
	else if (io->index >= IOREDTBL && entry < VIOAPIC_PINS)
		pin_write(io, entry, io->index % 2, value);
}

uint64_t vioapic_read(struct vioapic *io, uint64_t offset, unsigned size)
{
	uint32_t value = 0;

	switch (offset) {
	case IOREGSEL: value = io->index; break;
	case IOWIN: value = win_read(io); break;
	}
	return value & BITS(size * 8 - 1, 0);
}

void vioapic_write(struct vioapic *io, uint64_t offset, unsigned size, uint64_t value)
{
	switch (offset) {
	case IOREGSEL: io->index = FIELD_GET(BITS(7, 0), value); break;
	case IOWIN:
		if (size == sizeof(uint32_t))
			win_write(io, value);
		break;
	case IOEOI: vioapic_eoi(io, value); break;
	}
}

/* --- life --- */

void vioapic_reset(struct vioapic *io)
{
	io->index = io->id = 0;
	io->level = 0;
	memset(io->count, 0, sizeof(io->count));
	for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
		io->redirection[pin] = RTE_MASKED;
}

void vioapic_init(struct vioapic *io, struct vm *vm)
{
	io->vm = vm;
	vioapic_reset(io);
}
