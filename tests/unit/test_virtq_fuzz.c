/* SPDX-License-Identifier: MIT */
/* links: vmm/virtq.c tests/unit/fake_driver.c tests/unit/host.c */
/*
 * test_virtq_fuzz.c - random rings: whatever a driver writes, the device stays inside its RAM,
 * comes to an end, and either serves the queue or breaks it with a reason
 *
 * Words are drawn near the limits more often than not, so that every reason comes up. In the second
 * half another thread scribbles over rings and tables while they are read.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_driver.h"

enum { RAM = 16 * 1024, TABLE = 0x2000, ROUNDS = 60000, REASONS = 32 };

static struct fake_ram ram;
static uint64_t seed;

static uint32_t rnd(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed >> 33;
}

static bool one_in(unsigned n)
{
	return rnd() % n == 0;
}

/* an index for a table of @size: mostly in it */
static uint16_t rnd_index(unsigned size)
{
	if (one_in(40))
		return rnd();
	return one_in(40) ? size : rnd() % size;
}

static uint64_t rnd_addr(void)
{
	switch (rnd() % 32) {
	case 0: return RAM - rnd() % 32;
	case 1: return RAM;
	case 2: return GPA_HIGH_BEGIN + rnd() % 64 - 32;
	case 3: return ~UINT64_C(0) - rnd() % 64;
	case 4: return (uint64_t)rnd() << 32 | rnd();
	default: return rnd() % (RAM - 4096);
	}
}

static uint32_t rnd_len(void)
{
	switch (rnd() % 32) {
	case 0: return 0;
	case 1: return ~UINT32_C(0) - rnd() % 16;
	case 2: return rnd();
	default: return 1 + rnd() % 2048;
	}
}

static struct virtq_desc rnd_desc(unsigned size, unsigned goes_on)
{
	struct virtq_desc d = { rnd_addr(), rnd_len(), 0, rnd_index(size) };

	if (rnd() % 100 < goes_on)
		d.flags |= VIRTQ_DESC_F_NEXT;
	if (one_in(3))
		d.flags |= VIRTQ_DESC_F_WRITE;
	if (one_in(12)) {
		d.flags |= VIRTQ_DESC_F_INDIRECT;
		if (!one_in(8))
			d.flags &= ~VIRTQ_DESC_F_NEXT;
		d.addr = one_in(8) ? rnd_addr() : TABLE;
		d.len = one_in(8) ? rnd_len() : 16 * (1 + rnd() % (size + 1));
	}
	if (one_in(100))
		d.flags = rnd();
	return d;
}

/* every word of the rings, and an indirect table */
static void scribble(struct fake_driver *d)
{
	struct virtq_desc *table = (struct virtq_desc *)(ram.map.ram + TABLE);
	/* rings differ in how long their chains are, or all would end at once */
	unsigned goes_on = one_in(4) ? 98 : rnd() % 70;
	bool plain = one_in(2), straight = one_in(20);

	for (unsigned i = 0; i < d->size; i++) {
		d->desc[i] = rnd_desc(d->size, goes_on);
		d->avail[VIRTQ_RING + i] = rnd_index(d->size);
		table[i] = rnd_desc(d->size, goes_on);
		if (plain) { /* little is wrong with it but its shape */
			d->desc[i].addr %= RAM - 4096;
			d->desc[i].len = 1 + d->desc[i].len % 4096;
			table[i].addr %= RAM - 4096;
			table[i].len = 1 + table[i].len % 4096;
			if (goes_on == 98)
				table[i].flags = VIRTQ_DESC_F_NEXT;
		}
		if (plain && straight) {
			d->desc[i].flags = i + 1 < d->size ? VIRTQ_DESC_F_NEXT : 0;
			d->desc[i].next = i + 1;
		}
	}
}

/* --- what must hold --- */

static void inside(const struct virtq_seg *s)
{
	assert_true(s->len > 0);
	assert_true(s->p >= ram.map.ram && s->len <= RAM && s->p + s->len <= ram.map.ram + RAM);
}

static void chain_is_sound(const struct virtq *vq, const struct virtq_chain *c)
{
	uint64_t bytes[2] = { 0 };

	assert_true(c->head < vq->size);
	assert_true(c->nread + c->nwrite >= 1 && c->nread + c->nwrite <= VIRTQ_SEGS_MAX);
	for (unsigned i = 0; i < c->nread + c->nwrite; i++) {
		inside(&c->seg[i]);
		bytes[i >= c->nread] += c->seg[i].len;
	}
	assert_int_equal(bytes[0], c->read_bytes);
	assert_int_equal(bytes[1], c->write_bytes);
}

/*
 * serve() - take all there is and give it back; returns how many. No more than the queue holds, or
 * the driver has moved on.
 */
static unsigned serve(struct virtq *vq, unsigned most)
{
	struct virtq_chain c;
	unsigned n = 0;
	int got;

	while (n < most && (got = virtq_pop(vq, &c)) > 0) {
		chain_is_sound(vq, &c);
		virtq_push(vq, c.head, c.write_bytes);
		n++;
	}
	if (vq->broken)
		assert_int_equal(virtq_pop(vq, &c), -EINVAL);
	virtq_publish(vq);
	virtq_should_signal(vq);
	if (!virtq_notify_on(vq))
		virtq_notify_off(vq);
	return n;
}

static const char *reasons[REASONS];

/* note_reason() - remember each sentence once; returns how many there are. */
static unsigned note_reason(const char *why)
{
	unsigned i = 0;

	while (reasons[i] && why && strcmp(reasons[i], why))
		i++;
	if (why)
		reasons[i] = why;
	while (reasons[i])
		i++;
	return i;
}

static void random_rings_are_served_or_broken(void **state)
{
	unsigned served = 0, whole = 0, broken = 0, nreasons = 0;

	(void)state;
	seed = 42;
	ram_up(&ram, RAM);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct fake_driver d;
		struct virtq vq = { .indirect = !one_in(8), .event_idx = one_in(2) };
		unsigned size = 1U << rnd() % 8, n, offered;

		ram.used = 0;
		driver_up(&d, &ram, size, vq.event_idx, rnd());
		assert_int_equal(virtq_start(&vq, &ram.map, size, d.desc_gpa, d.avail_gpa,
					     d.used_gpa, d.used_seen),
				 0);
		scribble(&d);
		offered = one_in(20) ? rnd() % 0x10000 : rnd() % (size + 1);
		d.avail[VIRTQ_IDX] += offered;
		n = serve(&vq, 2 * size);
		assert_true(n <= size);
		served += n;
		if (vq.broken) {
			broken++;
			nreasons = note_reason(vq.broken);
		} else {
			assert_int_equal(n, offered);
			whole++;
		}
	}
	ram_down(&ram);
	print_message("%u chains served, %u rings whole, %u broken in %u ways\n", served, whole,
		      broken, nreasons);
	assert_true(served > ROUNDS / 10);
	assert_true(whole > ROUNDS / 50);
	assert_int_equal(nreasons, 14); /* all that virtq_pop() has, but for 4 GiB */
}

/* --- while they are read --- */

struct hostile {
	struct fake_driver d;
	_Atomic bool stop;
	_Atomic unsigned turns;
};

/*
 * The bytes behind descriptors and rings change all the time, and the
 * available index mostly moves on.
 */
static void *scribbler(void *arg)
{
	struct hostile *h = arg;
	volatile uint64_t *desc = (volatile uint64_t *)h->d.desc;
	volatile uint64_t *table = (volatile uint64_t *)(ram.map.ram + TABLE);
	volatile uint16_t *avail = h->d.avail;
	uint64_t s = 7;

	while (!h->stop) {
		struct virtq_desc d;
		uint64_t w[2];
		unsigned i;

		s = s * UINT64_C(6364136223846793005) + 1442695040888963407;
		i = (s >> 40) % h->d.size;
		/* good and bad take turns in the same place */
		d = (struct virtq_desc){ s >> 33 & 1 ? 0x3000 : RAM - 4, s >> 34 & 1 ? 4 : 64,
					 s >> 35 & 7, (s >> 50) % (h->d.size + 1) };
		memcpy(w, &d, sizeof(w));
		desc[2 * i] = w[0];
		desc[2 * i + 1] = w[1];
		d.flags = s >> 36 & 1 ? VIRTQ_DESC_F_NEXT : 0;
		memcpy(w, &d, sizeof(w));
		table[2 * i] = w[0];
		table[2 * i + 1] = w[1];
		avail[VIRTQ_RING + i] = (s >> 45) % (h->d.size + 1);
		avail[VIRTQ_IDX] += s >> 60 & 1;
		h->turns++;
	}
	return NULL;
}

static void rings_that_change_while_they_are_read_do_no_harm(void **state)
{
	struct hostile h = { .stop = false };
	unsigned served = 0, broken = 0;
	pthread_t thread;

	(void)state;
	ram_up(&ram, RAM);
	driver_up(&h.d, &ram, 16, true, 0);
	assert_int_equal(pthread_create(&thread, NULL, scribbler, &h), 0);
	while (h.turns < 1000) /* every word has been written */
		sched_yield();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct virtq vq = { .indirect = true, .event_idx = true };
		uint16_t base = __atomic_load_n(&h.d.avail[VIRTQ_IDX], __ATOMIC_RELAXED) - 8;

		assert_int_equal(virtq_start(&vq, &ram.map, 16, h.d.desc_gpa, h.d.avail_gpa,
					     h.d.used_gpa, base),
				 0);
		served += serve(&vq, 64);
		broken += vq.broken != NULL;
		if (round % 64 == 0) /* both have their turn where there is but one core */
			sched_yield();
	}
	h.stop = true;
	pthread_join(thread, NULL);
	ram_down(&ram);
	assert_true(served > 0 && broken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rings_are_served_or_broken),
		cmocka_unit_test(rings_that_change_while_they_are_read_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
