/* SPDX-License-Identifier: MIT */
/* links: kernel/timer.c kernel/softirq.c tests/unit/host.c */
/*
 * test_timer.c - timers run once, in order, on their core, and the hardware is
 * always set for the soonest
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/softirq.h"
#include "kernel/timer.h"

enum { US = HOST_TSC_KHZ / 1000, TIMERS = 4 };

static struct timer timer[TIMERS];
static char ran[32];
static uint64_t arm_again; /* microseconds; 0: do not */

static void fn(struct timer *t)
{
	size_t n = strlen(ran);

	assert_false(t->armed);
	assert_true(n < sizeof(ran) - 1);
	ran[n] = (char)('a' + (t - timer));
	ran[n + 1] = 0;
	if (arm_again)
		timer_arm(t, arm_again);
}

static int start(void **state)
{
	(void)state;
	host_cores(2);
	softirq_init();
	timer_init();
	memset(timer, 0, sizeof(timer));
	for (unsigned i = 0; i < TIMERS; i++)
		timer[i].fn = fn;
	ran[0] = 0;
	arm_again = 0;
	host_tsc = 1000 * US;
	return 0;
}

/* let the hardware fire at its deadline, as often as it is set for up to @us from now */
static void pass(uint64_t us)
{
	uint64_t end = host_tsc + us * US;

	for (unsigned fired = 0; host_calls.timer_hw_arm && host_calls.timer_hw_deadline <= end;) {
		assert_true(fired++ < 100);
		host_tsc = MAX(host_tsc, host_calls.timer_hw_deadline);
		host_calls.timer_hw_arm = 0; /* one shot */
		raise_softirq(SOFTIRQ_TIMER);
		softirq_run(this_cpu());
	}
	host_tsc = end;
}

static void runs_at_its_time_and_not_before(void **state)
{
	(void)state;
	timer_arm(&timer[0], 50);
	assert_true(timer[0].armed);
	assert_int_equal(timer[0].deadline, host_tsc + 50 * US);
	assert_int_equal(host_calls.timer_hw_deadline, timer[0].deadline);
	pass(49);
	assert_string_equal(ran, "");
	pass(1);
	assert_string_equal(ran, "a");
	assert_false(timer[0].armed);
	pass(1000);
	assert_string_equal(ran, "a");
}

static void run_soonest_first_whatever_the_order_they_were_armed_in(void **state)
{
	(void)state;
	timer_arm(&timer[2], 30);
	timer_arm(&timer[0], 10);
	timer_arm(&timer[3], 40);
	timer_arm(&timer[1], 20);
	assert_int_equal(host_calls.timer_hw_deadline, timer[0].deadline);
	pass(15);
	assert_string_equal(ran, "a");
	pass(100);
	assert_string_equal(ran, "abcd");
}

static void at_the_same_time_run_in_the_order_armed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TIMERS; i++)
		timer_arm(&timer[i], 10);
	pass(10);
	assert_string_equal(ran, "abcd");
}

static void runs_at_a_tsc_and_a_past_one_as_soon_as_it_can(void **state)
{
	(void)state;
	timer_arm_at(&timer[0], host_tsc + 50 * US);
	assert_int_equal(host_calls.timer_hw_deadline, host_tsc + 50 * US);
	pass(50);
	assert_string_equal(ran, "a");
	timer_arm(&timer[2], 10);
	timer_arm_at(&timer[1], host_tsc - US);
	assert_int_equal(host_calls.timer_hw_deadline, timer[1].deadline);
	pass(10);
	assert_string_equal(ran, "abc");
}

static void armed_again_moves(void **state)
{
	(void)state;
	timer_arm(&timer[0], 10);
	timer_arm(&timer[1], 20);
	timer_arm(&timer[0], 30);
	pass(25);
	assert_string_equal(ran, "b");
	pass(5);
	assert_string_equal(ran, "ba");
	pass(100);
	assert_string_equal(ran, "ba");
}

static void cancelled_does_not_run_and_the_others_do(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TIMERS; i++)
		timer_arm(&timer[i], 10 * (i + 1));
	timer_cancel(&timer[0]);
	timer_cancel(&timer[2]);
	timer_cancel(&timer[2]);
	assert_false(timer[2].armed);
	pass(100);
	assert_string_equal(ran, "bd");
}

static void may_arm_itself_again(void **state)
{
	(void)state;
	arm_again = 10;
	timer_arm(&timer[0], 10);
	pass(35);
	assert_string_equal(ran, "aaa");
	assert_true(timer[0].armed);
}

static void an_early_interrupt_sets_the_hardware_again(void **state)
{
	(void)state;
	timer_arm(&timer[0], 100);
	host_calls.timer_hw_arm = 0;
	host_tsc += 50 * US;
	raise_softirq(SOFTIRQ_TIMER);
	softirq_run(this_cpu());
	assert_string_equal(ran, "");
	assert_int_equal(host_calls.timer_hw_arm, 1);
	pass(50);
	assert_string_equal(ran, "a");
}

static void each_core_has_its_own(void **state)
{
	(void)state;
	timer_arm(&timer[0], 10);
	host_play(1);
	timer_arm(&timer[1], 10);
	host_tsc += 10 * US;
	raise_softirq(SOFTIRQ_TIMER);
	softirq_run(this_cpu());
	assert_string_equal(ran, "b");
	host_play(0);
	raise_softirq(SOFTIRQ_TIMER);
	softirq_run(this_cpu());
	assert_string_equal(ran, "ba");
}

static void a_tsc_from_before_the_look_or_from_after_it_is_apart(void **state)
{
	(void)state;
	assert_int_equal(tsc_apart(1000, 1000, 1500), 0);
	assert_int_equal(tsc_apart(1000, 1500, 1500), 0);
	assert_int_equal(tsc_apart(1000, 999, 1500), 1);
	assert_int_equal(tsc_apart(1000, 0, 1500), 1000);
	assert_int_equal(tsc_apart(1000, 1501, 1500), 1);
	assert_int_equal(tsc_apart(1000, UINT64_MAX, 1500), UINT64_MAX - 1500);
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(runs_at_its_time_and_not_before),
		TEST(run_soonest_first_whatever_the_order_they_were_armed_in),
		TEST(at_the_same_time_run_in_the_order_armed),
		TEST(runs_at_a_tsc_and_a_past_one_as_soon_as_it_can),
		TEST(armed_again_moves),
		TEST(cancelled_does_not_run_and_the_others_do),
		TEST(may_arm_itself_again),
		TEST(an_early_interrupt_sets_the_hardware_again),
		TEST(each_core_has_its_own),
		TEST(a_tsc_from_before_the_look_or_from_after_it_is_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
