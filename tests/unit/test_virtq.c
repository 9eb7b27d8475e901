/* SPDX-License-Identifier: MIT */
/* links: vmm/virtq.c tests/unit/fake_driver.c tests/unit/host.c */
/*
 * test_virtq.c - the device's half of a virtqueue against an honest driver, and against
 * each thing that none may do
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/fake_driver.h"

enum { SIZE = 8, RAM = 64 * 1024 };

#define NEXT     VIRTQ_DESC_F_NEXT
#define WRITE    VIRTQ_DESC_F_WRITE
#define INDIRECT VIRTQ_DESC_F_INDIRECT

static struct fake_ram ram;
static struct fake_driver drv;
static struct virtq vq;
static struct virtq_chain chain;

static int start(struct virtq *q, const struct fake_driver *d, uint16_t base)
{
	q->event_idx = d->event_idx;
	return virtq_start(q, &d->ram->map, d->size, d->desc_gpa, d->avail_gpa, d->used_gpa, base);
}

static void rings_up(unsigned size, bool event_idx, uint16_t base)
{
	ram_up(&ram, RAM);
	driver_up(&drv, &ram, size, event_idx, base);
	vq = (struct virtq){ .indirect = true };
	assert_int_equal(start(&vq, &drv, base), 0);
}

static int up(void **state)
{
	(void)state;
	rings_up(SIZE, false, 0);
	return 0;
}

static int up_event_idx(void **state)
{
	(void)state;
	rings_up(SIZE, true, 0);
	return 0;
}

static int down(void **state)
{
	(void)state;
	ram_down(&ram);
	return 0;
}

static void pops(uint16_t head)
{
	assert_int_equal(virtq_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, head);
}

static void takes_buffers_in_order_and_gives_them_back(void **state)
{
	struct virtq_used_elem e;

	(void)state;
	assert_false(virtq_more(&vq));
	assert_int_equal(virtq_pop(&vq, &chain), 0);
	driver_add(&drv, 0x1000, 100, false);
	driver_add(&drv, 0x2000, 200, true);
	assert_true(virtq_more(&vq));
	pops(0);
	assert_int_equal(chain.nread, 1);
	assert_int_equal(chain.nwrite, 0);
	assert_int_equal(chain.read_bytes, 100);
	assert_int_equal(chain.write_bytes, 0);
	assert_ptr_equal(chain.seg[0].p, ram.map.ram + 0x1000);
	assert_int_equal(chain.seg[0].len, 100);
	pops(1);
	assert_int_equal(chain.nread, 0);
	assert_int_equal(chain.nwrite, 1);
	assert_int_equal(chain.write_bytes, 200);
	assert_int_equal(virtq_pop(&vq, &chain), 0);

	virtq_push(&vq, 1, 77);
	assert_false(driver_used(&drv, &e)); /* not before it is published */
	virtq_publish(&vq);
	assert_true(driver_used(&drv, &e));
	assert_int_equal(e.id, 1);
	assert_int_equal(e.len, 77);
	assert_false(driver_used(&drv, &e));
}

static void indices_wrap_at_16_bits(void **state)
{
	struct virtq_used_elem e;

	(void)state;
	ram_down(&ram);
	rings_up(SIZE, false, 65530);
	for (unsigned i = 0; i < 40; i++) {
		uint16_t head = driver_add(&drv, 0x1000 + i, 60, false);

		pops(head);
		assert_ptr_equal(chain.seg[0].p, ram.map.ram + 0x1000 + i);
		virtq_push(&vq, head, i);
		virtq_publish(&vq);
		assert_true(driver_used(&drv, &e));
		assert_int_equal(e.len, i);
	}
	assert_int_equal(drv.used[VIRTQ_IDX], (uint16_t)(65530 + 40));
}

static void takes_a_full_ring_and_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIZE; i++)
		driver_add(&drv, 0x1000, 60, false);
	for (unsigned i = 0; i < SIZE; i++)
		pops(i);
	assert_int_equal(virtq_pop(&vq, &chain), 0);
	assert_null(vq.broken);
}

static void follows_a_chain_of_pieces(void **state)
{
	(void)state;
	driver_desc(&drv, 5, 0x1000, 12, NEXT, 2);
	driver_desc(&drv, 2, 0x2000, 300, NEXT, 7);
	driver_desc(&drv, 7, 0x3000, 1, WRITE, 99); /* next means nothing without NEXT */
	driver_expose(&drv, 5);
	pops(5);
	assert_int_equal(chain.nread, 2);
	assert_int_equal(chain.nwrite, 1);
	assert_int_equal(chain.read_bytes, 312);
	assert_int_equal(chain.write_bytes, 1);
	assert_ptr_equal(chain.seg[1].p, ram.map.ram + 0x2000);
	assert_ptr_equal(chain.seg[2].p, ram.map.ram + 0x3000);
}

/* an indirect table at 0x4000 */
static struct virtq_desc *table(void)
{
	return (struct virtq_desc *)ram_at(&ram, 0x4000, 0x2000);
}

static void follows_an_indirect_table(void **state)
{
	(void)state;
	table()[0] = (struct virtq_desc){ 0x1000, 12, NEXT, 2 };
	table()[2] = (struct virtq_desc){ 0x2000, 1500, 0, 0 };
	driver_desc(&drv, 3, 0x4000, 3 * 16, INDIRECT | WRITE, 0); /* WRITE means nothing here */
	driver_expose(&drv, 3);
	pops(3);
	assert_int_equal(chain.nread, 2);
	assert_int_equal(chain.nwrite, 0);
	assert_int_equal(chain.read_bytes, 1512);
}

static void follows_pieces_that_end_in_an_indirect_table(void **state)
{
	(void)state;
	table()[0] = (struct virtq_desc){ 0x2000, 20, WRITE, 0 };
	driver_desc(&drv, 0, 0x1000, 10, NEXT, 1);
	driver_desc(&drv, 1, 0x4000, 16, INDIRECT, 0);
	driver_expose(&drv, 0);
	pops(0);
	assert_int_equal(chain.nread, 1);
	assert_int_equal(chain.nwrite, 1);
}

static void takes_memory_on_both_sides_of_the_hole(void **state)
{
	(void)state;
	/* RAM that goes on above 4 GiB: pretend that the low half ends at 32 KiB */
	ram.map.low_end = RAM / 2;
	ram.map.high_end = GPA_HIGH_BEGIN + RAM / 2;
	driver_add(&drv, GPA_HIGH_BEGIN + RAM / 2 - 8, 8, false);
	driver_add(&drv, RAM / 2 - 8, 8, false);
	driver_add(&drv, RAM / 2 - 8, 9, false);
	pops(0);
	assert_ptr_equal(chain.seg[0].p, ram.map.ram + RAM - 8);
	pops(1);
	assert_int_equal(virtq_pop(&vq, &chain), -EINVAL);
	assert_string_equal(vq.broken, "a descriptor that is not in memory");
}

static void gives_back_untouched_what_it_will_not_use(void **state)
{
	(void)state;
	driver_add(&drv, 0x1000, 60, true);
	driver_add(&drv, 0x2000, 60, true);
	pops(0);
	pops(1);
	virtq_unpop(&vq, 2);
	assert_true(virtq_more(&vq));
	pops(0);
	pops(1);
}

static void refuses_rings_that_cannot_be(void **state)
{
	struct fake_driver bad;

	(void)state;
#define REFUSES(change, sentence)                               \
	do {                                                    \
		bad = drv;                                      \
		change;                                         \
		assert_int_equal(start(&vq, &bad, 0), -EINVAL); \
		assert_string_equal(vq.broken, sentence);       \
	} while (0)
	const char *size = "a queue size that is no power of two up to 256";
	const char *rings = "rings that are misaligned or not in memory";

	REFUSES(bad.size = 0, size);
	REFUSES(bad.size = 7, size);
	REFUSES(bad.size = 512, size);
	REFUSES(bad.desc_gpa += 8, rings);
	REFUSES(bad.avail_gpa += 1, rings);
	REFUSES(bad.used_gpa += 2, rings);
	REFUSES(bad.desc_gpa = RAM - 16 * (SIZE - 1), rings);
	REFUSES(bad.avail_gpa = RAM - (6 + 2 * SIZE) + 2, rings);
	REFUSES(bad.used_gpa = RAM - (6 + 8 * SIZE) / 4 * 4, rings);
	REFUSES(bad.used_gpa = GPA_HIGH_BEGIN, rings);
	REFUSES(bad.desc_gpa = ~UINT64_C(15), rings);
#undef REFUSES
	assert_int_equal(start(&vq, &drv, 0), 0);
	assert_null(vq.broken);
}

/* --- what no driver may do --- */

static void jump(void)
{
	drv.avail[VIRTQ_IDX] = SIZE + 1;
}

static void jump_back(void)
{
	drv.avail[VIRTQ_IDX] = 65535;
}

static void head_beyond(void)
{
	driver_expose(&drv, SIZE);
}

static void next_beyond(void)
{
	driver_desc(&drv, 0, 0x1000, 8, NEXT, SIZE);
	driver_expose(&drv, 0);
}

static void next_beyond_the_table(void)
{
	table()[0] = (struct virtq_desc){ 0x1000, 12, NEXT, 2 };
	driver_desc(&drv, 0, 0x4000, 2 * 16, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void loop(void)
{
	driver_desc(&drv, 0, 0x1000, 8, NEXT, 1);
	driver_desc(&drv, 1, 0x1000, 8, NEXT, 0);
	driver_expose(&drv, 0);
}

static void self(void)
{
	driver_desc(&drv, 4, 0x1000, 8, NEXT, 4);
	driver_expose(&drv, 4);
}

static void loop_in_a_table(void)
{
	table()[0] = (struct virtq_desc){ 0x1000, 8, NEXT, 1 };
	table()[1] = (struct virtq_desc){ 0x1000, 8, NEXT, 0 };
	driver_desc(&drv, 0, 0x4000, 2 * 16, INDIRECT, 0);
	driver_expose(&drv, 0);
}

/* 65 pieces need a longer queue */
static void too_many(void)
{
	ram_down(&ram);
	rings_up(128, false, 0);
	for (unsigned i = 0; i <= VIRTQ_SEGS_MAX; i++)
		driver_desc(&drv, i, 0x1000, 8, i < VIRTQ_SEGS_MAX ? NEXT : 0, i + 1);
	driver_expose(&drv, 0);
}

static void hole(void)
{
	driver_add(&drv, RAM, 1, false);
}

static void over_the_end(void)
{
	driver_add(&drv, RAM - 10, 11, false);
}

static void wraps_64_bits(void)
{
	driver_add(&drv, ~UINT64_C(0) - 10, 100, true);
}

static void second_piece_in_a_hole(void)
{
	driver_desc(&drv, 0, 0x1000, 8, NEXT, 1);
	driver_desc(&drv, 1, GPA_LOW_MAX, 8, 0, 0);
	driver_expose(&drv, 0);
}

static void no_length(void)
{
	driver_add(&drv, 0x1000, 0, false);
}

static void read_behind_write(void)
{
	driver_desc(&drv, 0, 0x1000, 8, NEXT | WRITE, 1);
	driver_desc(&drv, 1, 0x2000, 8, 0, 0);
	driver_expose(&drv, 0);
}

static void nested(void)
{
	table()[0] = (struct virtq_desc){ 0x4000, 16, INDIRECT, 0 };
	driver_desc(&drv, 0, 0x4000, 16, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void table_that_goes_on(void)
{
	driver_desc(&drv, 0, 0x4000, 16, INDIRECT | NEXT, 1);
	driver_expose(&drv, 0);
}

static void odd_table(void)
{
	driver_desc(&drv, 0, 0x4000, 24, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void empty_table(void)
{
	driver_desc(&drv, 0, 0x4000, 0, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void long_table(void)
{
	driver_desc(&drv, 0, 0x4000, (SIZE + 1) * 16, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void table_in_a_hole(void)
{
	driver_desc(&drv, 0, RAM - 16, 32, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static void not_negotiated(void)
{
	vq.indirect = false;
	driver_desc(&drv, 0, 0x4000, 16, INDIRECT, 0);
	driver_expose(&drv, 0);
}

static const struct {
	void (*abuse)(void);
	const char *sentence;
} abuses[] = {
	{ jump, "an available index that jumps" },
	{ jump_back, "an available index that jumps" },
	{ head_beyond, "an available descriptor beyond the table" },
	{ next_beyond, "a next descriptor beyond the table" },
	{ next_beyond_the_table, "a next descriptor beyond the table" },
	{ loop, "a chain that loops" },
	{ self, "a chain that loops" },
	{ loop_in_a_table, "a chain that loops" },
	{ too_many, "a chain of more than 64 pieces" },
	{ hole, "a descriptor that is not in memory" },
	{ over_the_end, "a descriptor that is not in memory" },
	{ wraps_64_bits, "a descriptor that is not in memory" },
	{ second_piece_in_a_hole, "a descriptor that is not in memory" },
	{ no_length, "a descriptor of no length" },
	{ read_behind_write, "a buffer to read behind one to write" },
	{ nested, "an indirect table within an indirect table" },
	{ table_that_goes_on, "an indirect descriptor that goes on" },
	{ odd_table, "an indirect table whose length is no number of descriptors" },
	{ empty_table, "an indirect table whose length is no number of descriptors" },
	{ long_table, "an indirect table longer than the queue" },
	{ table_in_a_hole, "an indirect table that is not in memory" },
	{ not_negotiated, "an indirect descriptor, which was not negotiated" },
};

static void each_abuse_breaks_the_queue_and_says_why(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(abuses); i++) {
		ram_down(&ram);
		rings_up(SIZE, false, 0);
		abuses[i].abuse();
		assert_int_equal(virtq_pop(&vq, &chain), -EINVAL);
		assert_string_equal(vq.broken, abuses[i].sentence);
		/* and it stays broken, whatever the driver does then */
		drv.avail[VIRTQ_IDX] = vq.last_avail;
		driver_add(&drv, 0x1000, 8, false);
		assert_false(virtq_more(&vq));
		assert_int_equal(virtq_pop(&vq, &chain), -EINVAL);
		/* until it is started again */
		driver_up(&drv, &ram, SIZE, false, 0);
		vq.indirect = true;
		assert_int_equal(start(&vq, &drv, 0), 0);
		driver_add(&drv, 0x1000, 8, false);
		pops(0);
	}
}

static void four_gigabytes_in_a_chain_are_too_many(void **state)
{
	struct gpa_map huge;

	(void)state;
	/* RAM of 8 GiB that is never touched, the rings at its start */
	gpa_map_init(&huge, ram.map.ram, UINT64_C(8) << 30);
	vq.mem = &huge;
	driver_desc(&drv, 0, GPA_HIGH_BEGIN, 0xffffffff, WRITE | NEXT, 1);
	driver_desc(&drv, 1, GPA_HIGH_BEGIN, 1, WRITE, 0);
	driver_expose(&drv, 0);
	assert_int_equal(virtq_pop(&vq, &chain), -EINVAL);
	assert_string_equal(vq.broken, "a chain of more than 4 GiB");
}

/* --- who wants to be told --- */

static void kicks_by_flag(void **state)
{
	(void)state;
	driver_add(&drv, 0x1000, 8, false);
	assert_true(driver_kicks(&drv)); /* on from the start */
	virtq_notify_off(&vq);
	pops(0);
	driver_add(&drv, 0x1000, 8, false);
	assert_false(driver_kicks(&drv));
	pops(1);
	assert_false(virtq_notify_on(&vq));
	driver_add(&drv, 0x1000, 8, false);
	assert_true(driver_kicks(&drv));
}

static void a_buffer_that_came_before_kicks_were_on_is_reported(void **state)
{
	(void)state;
	virtq_notify_off(&vq);
	assert_int_equal(virtq_pop(&vq, &chain), 0); /* the last look */
	driver_add(&drv, 0x1000, 8, false);
	assert_false(driver_kicks(&drv));
	assert_true(virtq_notify_on(&vq));
	pops(0);
	assert_false(virtq_notify_on(&vq));
}

static void a_buffer_that_was_seen_and_given_back_is_not_reported(void **state)
{
	(void)state;
	driver_add(&drv, 0x1000, 8, true);
	pops(0);
	virtq_unpop(&vq, 1); /* a frame that needs two */
	assert_false(virtq_notify_on(&vq));
	driver_add(&drv, 0x1000, 8, true);
	assert_true(virtq_notify_on(&vq));
}

static void kicks_by_index_come_once_each_time_they_are_asked_for(void **state)
{
	(void)state;
	driver_add(&drv, 0x1000, 8, false);
	assert_true(driver_kicks(&drv));
	driver_add(&drv, 0x1000, 8, false);
	assert_false(driver_kicks(&drv)); /* it has kicked */
	pops(0);
	pops(1);
	assert_false(virtq_notify_on(&vq));
	driver_add(&drv, 0x1000, 8, false);
	driver_add(&drv, 0x1000, 8, false);
	assert_true(driver_kicks(&drv));
	pops(2);
	pops(3);
	assert_false(virtq_notify_on(&vq));
	virtq_notify_off(&vq); /* asked for, and then not */
	for (unsigned i = 0; i < 5000; i++) {
		driver_add(&drv, 0x1000, 8, false);
		assert_false(driver_kicks(&drv));
		pops((i + 4) % SIZE);
	}
}

static void a_kick_by_index_is_asked_for_behind_what_was_seen(void **state)
{
	(void)state;
	driver_add(&drv, 0x1000, 8, true);
	driver_add(&drv, 0x1000, 8, true);
	assert_true(driver_kicks(&drv));
	pops(0);
	virtq_unpop(&vq, 1);
	assert_false(virtq_notify_on(&vq));
	driver_add(&drv, 0x1000, 8, true);
	assert_true(driver_kicks(&drv));
}

static void publish(unsigned n)
{
	while (n--) {
		driver_add(&drv, 0x1000, 8, false);
		assert_int_equal(virtq_pop(&vq, &chain), 1);
		virtq_push(&vq, chain.head, 0);
	}
	virtq_publish(&vq);
}

static void signals_by_flag(void **state)
{
	(void)state;
	assert_false(virtq_should_signal(&vq)); /* nothing was published */
	publish(1);
	assert_true(virtq_should_signal(&vq));
	assert_false(virtq_should_signal(&vq));
	driver_want_signal(&drv, false);
	publish(3);
	assert_int_equal(vq.suppressed, 0);
	assert_false(virtq_should_signal(&vq));
	assert_int_equal(vq.suppressed, 1);
}

static void signals_by_index_when_it_is_crossed(void **state)
{
	(void)state;
	publish(3);
	assert_true(virtq_should_signal(&vq)); /* used_event is 0 */
	publish(2);
	assert_false(virtq_should_signal(&vq));
	drv.avail[VIRTQ_RING + SIZE] = 6; /* tell me when the seventh is used */
	publish(1);
	assert_false(virtq_should_signal(&vq));
	publish(1);
	assert_true(virtq_should_signal(&vq));
	publish(1);
	assert_false(virtq_should_signal(&vq));
	assert_int_equal(vq.suppressed, 3);
}

int main(void)
{
#define RING(test)  cmocka_unit_test_setup_teardown(test, up, down)
#define EVENT(test) cmocka_unit_test_setup_teardown(test, up_event_idx, down)
	const struct CMUnitTest tests[] = {
		RING(takes_buffers_in_order_and_gives_them_back),
		RING(indices_wrap_at_16_bits),
		RING(takes_a_full_ring_and_no_more),
		RING(follows_a_chain_of_pieces),
		RING(follows_an_indirect_table),
		RING(follows_pieces_that_end_in_an_indirect_table),
		RING(takes_memory_on_both_sides_of_the_hole),
		RING(gives_back_untouched_what_it_will_not_use),
		RING(refuses_rings_that_cannot_be),
		RING(each_abuse_breaks_the_queue_and_says_why),
		RING(four_gigabytes_in_a_chain_are_too_many),
		RING(kicks_by_flag),
		RING(a_buffer_that_came_before_kicks_were_on_is_reported),
		RING(a_buffer_that_was_seen_and_given_back_is_not_reported),
		EVENT(kicks_by_index_come_once_each_time_they_are_asked_for),
		EVENT(a_kick_by_index_is_asked_for_behind_what_was_seen),
		RING(signals_by_flag),
		EVENT(signals_by_index_when_it_is_crossed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
