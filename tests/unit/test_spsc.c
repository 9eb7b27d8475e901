/* SPDX-License-Identifier: MIT */
/*
 * test_spsc.c - what spsc.h promises, on the host: limits, order over the wrap, nothing
 * lost between two threads
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "kernel/spsc.h"

#define N UINT32_C(8)

static void *item(uintptr_t v)
{
	return (void *)v;
}

static void refuses_a_size_that_is_no_power_of_two(void **state)
{
	struct spsc r;
	void *slots[6];

	(void)state;
	assert_int_equal(spsc_init(&r, slots, 6), -1);
	assert_int_equal(spsc_init(&r, slots, 0), -1);
}

static void holds_all_its_slots_then_refuses_and_counts(void **state)
{
	struct spsc r;
	void *slots[N], *out[N];

	(void)state;
	assert_int_equal(spsc_init(&r, slots, N), 0);
	for (uintptr_t i = 1; i <= N; i++)
		assert_true(spsc_push(&r, item(i)));
	assert_false(spsc_push(&r, item(99)));
	assert_int_equal(r.full, 1);
	assert_int_equal(spsc_pop(&r, out, N), N);
	assert_ptr_equal(out[0], item(1));
	assert_ptr_equal(out[N - 1], item(N));
	assert_int_equal(spsc_pop(&r, out, N), 0);
}

static void keeps_order_when_the_indices_wrap_at_32_bits(void **state)
{
	struct spsc r;
	void *slots[N], *out[3];

	(void)state;
	spsc_init(&r, slots, N);
	r.head = r.tail = r.head_seen = r.tail_seen = UINT32_MAX - 1;
	for (uintptr_t i = 1; i <= 3; i++)
		assert_true(spsc_push(&r, item(i)));
	assert_int_equal(spsc_pop(&r, out, 3), 3);
	assert_ptr_equal(out[2], item(3));
}

#define STREAM 200000

static void *produce(void *arg)
{
	for (uintptr_t i = 1; i <= STREAM;)
		i += spsc_push(arg, item(i));
	return NULL;
}

static void loses_and_reorders_nothing_between_two_threads(void **state)
{
	struct spsc r;
	void *slots[N], *out[5];
	uintptr_t want = 1;
	pthread_t t;

	(void)state;
	spsc_init(&r, slots, N);
	pthread_create(&t, NULL, produce, &r);
	while (want <= STREAM)
		for (uint32_t i = 0, n = spsc_pop(&r, out, 5); i < n; i++)
			assert_ptr_equal(out[i], item(want++));
	pthread_join(t, NULL);
	assert_int_equal(spsc_count(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_size_that_is_no_power_of_two),
		cmocka_unit_test(holds_all_its_slots_then_refuses_and_counts),
		cmocka_unit_test(keeps_order_when_the_indices_wrap_at_32_bits),
		cmocka_unit_test(loses_and_reorders_nothing_between_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
