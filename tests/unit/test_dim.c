/* SPDX-License-Identifier: MIT */
/* links: kernel/dim.c tests/unit/host.c */
/*
 * test_dim.c - the throttle that looks for its own length, on traces of what queues did
 *
 * A trace is played from a model of the traffic: which packets and interrupts come in a
 * window under each throttle.
 */
#include "tests/unit/host.h"

#include "kernel/bits.h"
#include "kernel/dim.h"

/* packets and interrupts a millisecond that a trace shows under each profile */
struct traffic {
	unsigned packets[DIM_PROFILES], irqs[DIM_PROFILES];
};

static struct dim dim;
static uint64_t ns, packets, irqs;

static int start(void **state)
{
	(void)state;
	dim_init(&dim);
	ns = 1000;
	packets = irqs = 0;
	return 0;
}

/* windows() - @n measurements; returns how often it changed its mind. */
static unsigned windows(const struct traffic *t, unsigned n)
{
	unsigned changes = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t end = irqs + 64;

		while (irqs < end) {
			ns += 1000000;
			packets += t->packets[dim.profile];
			irqs += t->irqs[dim.profile];
		}
		changes += dim_sample(&dim, ns, packets, irqs);
	}
	return changes;
}

/* as many get through whatever the throttle, and longer ones save interrupts */
static const struct traffic bulk = { { 100, 100, 100, 100, 100 }, { 90, 60, 15, 8, 4 } };
/* request and answer: who waits longer sends less */
static const struct traffic pingpong = { { 50, 40, 12, 7, 4 }, { 50, 40, 12, 7, 4 } };
/* in the middle it is best */
static const struct traffic middle = { { 60, 80, 100, 80, 60 }, { 60, 60, 15, 15, 15 } };

static void begins_where_linux_begins(void **state)
{
	(void)state;
	assert_int_equal(dim_usecs(&dim), 8);
}

static void says_nothing_before_64_interrupts(void **state)
{
	(void)state;
	assert_false(dim_sample(&dim, ns, 0, 0));
	assert_false(dim_sample(&dim, ns + 1000000, 1000, 63));
	assert_int_equal(dim.state, DIM_ON_TOP);
	dim_sample(&dim, ns + 2000000, 2000, 64);
	assert_int_not_equal(dim.state, DIM_ON_TOP); /* the first rate differs from none */
}

static void bulk_traffic_gets_the_longest_throttle(void **state)
{
	(void)state;
	windows(&bulk, 20);
	assert_int_equal(dim_usecs(&dim), 256);
	assert_int_equal(dim.state, DIM_ON_TOP);
	assert_int_equal(windows(&bulk, 100), 0); /* and there it stays */
}

static void request_and_answer_get_the_shortest(void **state)
{
	(void)state;
	windows(&pingpong, 20);
	assert_int_equal(dim_usecs(&dim), 1);
	assert_int_equal(windows(&pingpong, 100), 0);
}

static void a_top_in_the_middle_is_found(void **state)
{
	(void)state;
	windows(&middle, 30);
	assert_int_equal(dim_usecs(&dim), 64);
	assert_int_equal(dim.state, DIM_ON_TOP);
	assert_int_equal(windows(&middle, 100), 0);
}

static void other_traffic_makes_it_look_again(void **state)
{
	(void)state;
	windows(&bulk, 20);
	windows(&pingpong, 40);
	assert_int_equal(dim_usecs(&dim), 1);
	windows(&bulk, 40);
	assert_int_equal(dim_usecs(&dim), 256);
}

/* no step is ever better nor worse: ten steps to and fro, then ten measurements of rest */
static void without_any_difference_it_rests_half_of_the_time(void **state)
{
	static const struct traffic flat = { { 50, 50, 50, 50, 50 }, { 20, 20, 20, 20, 20 } };
	unsigned rested = 0, changes = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		changes += windows(&flat, 1);
		rested += dim.state == DIM_TIRED;
	}
	assert_in_range(rested, 80, 120);
	assert_in_range(changes, 80, 120);
}

/* time stands still, or counters do: it divides by nothing */
static void odd_samples_change_nothing(void **state)
{
	(void)state;
	dim_sample(&dim, ns, 0, 0);
	assert_false(dim_sample(&dim, ns, 100, 200));
	assert_false(dim_sample(&dim, ns + 5000000, 0, 0));
	assert_int_equal(dim_usecs(&dim), 8);
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_where_linux_begins),
		TEST(says_nothing_before_64_interrupts),
		TEST(bulk_traffic_gets_the_longest_throttle),
		TEST(request_and_answer_get_the_shortest),
		TEST(a_top_in_the_middle_is_found),
		TEST(other_traffic_makes_it_look_again),
		TEST(without_any_difference_it_rests_half_of_the_time),
		TEST(odd_samples_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
