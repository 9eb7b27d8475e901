/* SPDX-License-Identifier: MIT */
/* links: kernel/idle.c kernel/softirq.c kernel/loop.c kernel/qsbr.c tests/unit/host.c */
/*
 * test_idle.c - sleeping otherwise than by HLT: nobody sleeps on work, whenever it comes, and no
 * IPI goes to one who looks
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/idle.h"
#include "kernel/irq.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "kernel/turn.h"
#include "kernel/x86.h"

static const volatile void *monitored;
static bool has_monitor;
static unsigned mwaits;
static void (*at_monitor)(void), (*at_mwait)(void);

bool cpu_has_monitor(void)
{
	return has_monitor;
}

void cpu_monitor(const volatile void *p)
{
	assert_false(host_irqs_on);
	assert_true(this_cpu()->idle_polls);
	monitored = p;
	if (at_monitor)
		at_monitor();
}

void cpu_mwait(void)
{
	mwaits++;
	irq_enable();
	if (at_mwait)
		at_mwait();
}

/* another core has something for us */
static void raised_elsewhere(void)
{
	host_play(1);
	raise_softirq_on(cpus[0], SOFTIRQ_CALL);
	host_play(0);
}

static void no_action(void)
{
}

static int start(void **state)
{
	(void)state;
	host_cores(2);
	open_softirq(SOFTIRQ_CALL, no_action);
	idle_mode = IDLE_HLT;
	has_monitor = true;
	mwaits = 0;
	at_monitor = at_mwait = NULL;
	monitored = NULL;
	return 0;
}

static void idle(enum idle_mode mode)
{
	idle_mode = mode;
	irq_disable();
	idle_otherwise(this_cpu());
	assert_true(host_irqs_on);
	assert_false(this_cpu()->idle_polls);
	assert_int_equal(this_cpu()->qs & 1, 0);
}

static void mwait_watches_what_others_write_and_needs_no_ipi(void **state)
{
	(void)state;
	at_mwait = raised_elsewhere;
	idle(IDLE_MWAIT);
	assert_int_equal(mwaits, 1);
	assert_ptr_equal(monitored, &this_cpu()->remote_pending);
	assert_int_equal(host_calls.ipi[0], 0);
	assert_true(softirq_pending());
}

static void mwait_does_not_sleep_on_what_came_before_the_monitor(void **state)
{
	(void)state;
	at_monitor = raised_elsewhere;
	idle(IDLE_MWAIT);
	assert_int_equal(mwaits, 0);
	assert_true(softirq_pending());
}

/* an interrupt comes as soon as it may, and raises something */
static void interrupt(bool on)
{
	if (on)
		raise_softirq(SOFTIRQ_TIMER);
}

static void spinning_ends_with_an_interrupt_that_raised_something(void **state)
{
	(void)state;
	host_irq_hook = interrupt;
	idle(IDLE_SPIN);
	host_irq_hook = NULL;
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_TIMER));
}

static void elsewhere(bool on)
{
	if (on)
		raised_elsewhere();
}

static void spinning_ends_with_what_others_raise_without_an_ipi(void **state)
{
	(void)state;
	host_irq_hook = elsewhere;
	idle(IDLE_SPIN);
	host_irq_hook = NULL;
	assert_int_equal(host_calls.ipi[0], 0);
}

static void who_is_awake_or_halted_gets_its_ipi(void **state)
{
	(void)state;
	raised_elsewhere();
	assert_int_equal(host_calls.ipi[0], 1);
}

static unsigned turns;

static void turn(struct turn_work *w)
{
	(void)w;
	turns++;
}

static void whoever_polls_each_turn_never_sleeps(void **state)
{
	static struct turn_work w = { .fn = turn };

	(void)state;
	for (unsigned mode = 0; mode < IDLE_MODES; mode++) {
		turns = 0;
		turn_add(this_cpu(), &w);
		idle(mode);
		assert_int_equal(turns, 1);
		assert_int_equal(mwaits, 0);
	}
	assert_int_equal(this_cpu()->idle_tsc, 0);
}

static const struct sysctl *knob(void)
{
	set_for_each(s, sysctls)
		if (strcmp(s->name, "kernel.idle") == 0)
			return s;
	fail();
	return NULL;
}

static void mwait_is_refused_without_monitor(void **state)
{
	(void)state;
	assert_null(knob()->refuse(IDLE_MWAIT));
	has_monitor = false;
	assert_non_null(knob()->refuse(IDLE_MWAIT));
	assert_null(knob()->refuse(IDLE_SPIN));
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mwait_watches_what_others_write_and_needs_no_ipi),
		TEST(mwait_does_not_sleep_on_what_came_before_the_monitor),
		TEST(spinning_ends_with_an_interrupt_that_raised_something),
		TEST(spinning_ends_with_what_others_raise_without_an_ipi),
		TEST(who_is_awake_or_halted_gets_its_ipi),
		TEST(whoever_polls_each_turn_never_sleeps),
		TEST(mwait_is_refused_without_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
