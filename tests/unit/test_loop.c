/* SPDX-License-Identifier: MIT */
/* links: kernel/loop.c kernel/control.c kernel/softirq.c kernel/qsbr.c tests/unit/host.c */
/*
 * test_loop.c - the core loop: when it sleeps, and who gets the core when packets never end
 *
 * The loop does not return, so a test leaves it by longjmp from where it has seen enough. The
 * control context runs on a stack of its own here as well.
 */
#include "tests/unit/host.h"

#include <string.h>
#include <ucontext.h>

#include "kernel/control.h"
#include "kernel/guest.h"
#include "kernel/irq.h"
#include "kernel/loop.h"
#include "kernel/mem.h"
#include "kernel/qsbr.h"
#include "kernel/softirq.h"

enum { US = HOST_TSC_KHZ / 1000, SLICE_US = 4000, MIN_SLICE_US = 200, SHARE_US = 10000 };

static jmp_buf enough;
static unsigned turns_left;
static char seen[256]; /* what happened, a letter each */

static void happens(char what)
{
	size_t n = strlen(seen);

	if (n < sizeof(seen) - 1) {
		seen[n] = what;
		seen[n + 1] = 0;
	}
}

static void run_loop(void)
{
	if (!setjmp(enough))
		core_loop();
	host_irq_hook = NULL;
}

/* --- the control context, on a stack of the host's --- */

void stack_switch(uint64_t *save, uint64_t to);

static ucontext_t loop_context, control_context;
static bool in_control;

/* control.c hands us stack pointers; there are only two stacks, so it is always the other one */
void stack_switch(uint64_t *save, uint64_t to)
{
	(void)save;
	(void)to;
	in_control = !in_control;
	if (in_control)
		swapcontext(&loop_context, &control_context);
	else
		swapcontext(&control_context, &loop_context);
}

void paging_guard(void *page)
{
	(void)page;
}

static volatile bool typed; /* a byte waits, as in the console's input ring */
static bool never_rests;

static void shell(void)
{
	for (;;) {
		happens('c');
		if (typed) {
			typed = false;
			happens('t');
		} else if (never_rests) {
			yield();
		} else {
			control_sleep();
		}
	}
}

/* control.c starts a context once and for ever: each test wakes it where the one before left it */
static void start_shell(void)
{
	static uint8_t stack[64 * 1024];
	static bool started;

	if (!started) {
		getcontext(&control_context);
		control_context.uc_stack.ss_sp = stack;
		control_context.uc_stack.ss_size = sizeof(stack);
		makecontext(&control_context, shell, 0);
		control_start(shell);
		started = true;
	}
	control_wake();
}

/* --- the rest of the machine --- */

static bool endless;

static void timer_action(void)
{
	happens('s');
	if (!endless)
		return;
	raise_softirq(SOFTIRQ_TIMER);
	host_tsc += 300 * US;
	if (!turns_left--)
		longjmp(enough, 1);
}

static void park_action(void)
{
	happens('p');
}

/* another core asks this one to stand still */
static void ask_to_park(void)
{
	atomic_fetch_or(&this_cpu()->remote_pending, BIT(SOFTIRQ_PARK));
}

static void sleeps_once(void)
{
	happens('h');
	longjmp(enough, 1);
}

static int start(void **state)
{
	(void)state;
	host_cores(1);
	softirq_init();
	open_softirq(SOFTIRQ_TIMER, timer_action);
	open_softirq(SOFTIRQ_PARK, park_action);
	guest_attach(NULL);
	host_halt_hook = sleeps_once;
	seen[0] = 0;
	endless = typed = never_rests = false;
	turns_left = 100;
	return 0;
}

/* --- sleeping --- */

static void sleeps_well(void)
{
	assert_false(host_irqs_on);
	assert_int_equal(softirq_pending(), 0);
	assert_int_equal(this_cpu()->qs & 1, 1);
	sleeps_once();
}

static void sleeps_with_interrupts_off_until_the_halt(void **state)
{
	(void)state;
	host_halt_hook = sleeps_well;
	run_loop();
	assert_string_equal(seen, "h");
}

static void runs_what_is_pending_before_it_sleeps(void **state)
{
	(void)state;
	raise_softirq(SOFTIRQ_TIMER);
	run_loop();
	assert_string_equal(seen, "sh");
}

static bool came;

static void interrupt_just_before_cli(bool on)
{
	if (on || came)
		return;
	came = true;
	raise_softirq(SOFTIRQ_TIMER);
}

static void runs_what_an_interrupt_raised_at_the_last_moment(void **state)
{
	(void)state;
	came = false;
	host_irq_hook = interrupt_just_before_cli;
	run_loop();
	assert_string_equal(seen, "sh");
}

static void remote_just_before_cli(bool on)
{
	if (on || came)
		return;
	came = true;
	atomic_fetch_or(&this_cpu()->remote_pending, BIT(SOFTIRQ_TIMER));
}

static void runs_what_another_core_raised_at_the_last_moment(void **state)
{
	(void)state;
	came = false;
	host_irq_hook = remote_just_before_cli;
	run_loop();
	assert_string_equal(seen, "sh");
}

static void woken_once(void)
{
	happens('h');
	if (strcmp(seen, "h"))
		longjmp(enough, 1);
	raise_softirq(SOFTIRQ_TIMER);
}

static void runs_what_woke_it(void **state)
{
	(void)state;
	host_halt_hook = woken_once;
	run_loop();
	assert_string_equal(seen, "hsh");
}

static void accounts_idle_and_busy_time(void **state)
{
	(void)state;
	host_tsc_step = 1;
	host_halt_hook = woken_once;
	run_loop();
	assert_true(this_cpu()->idle_tsc > 0);
}

/*
 * each turn of the loop is a quiescent state, whether it ends in sleep or is kept
 * from it at the last moment
 */
static void a_turn_counts_once_asleep_or_awake(void **state)
{
	uint64_t qs = this_cpu()->qs;

	(void)state;
	host_halt_hook = woken_once;
	run_loop();
	assert_int_equal(this_cpu()->qs - qs, 3); /* slept, woke, sleeps */
}

static void interrupt_before_every_cli(bool on)
{
	if (on)
		return;
	raise_softirq(SOFTIRQ_TIMER);
	if (!turns_left--)
		longjmp(enough, 1);
}

static void a_core_that_is_kept_from_sleep_still_turns(void **state)
{
	uint64_t qs = this_cpu()->qs;

	(void)state;
	turns_left = 2 * 10; /* a turn in full has two looks */
	host_irq_hook = interrupt_before_every_cli;
	run_loop();
	assert_int_equal(this_cpu()->qs - qs, 2 * 10);
}

static struct qsbr_head retired;

static void freed(struct qsbr_head *h)
{
	(void)h;
	happens('f');
}

static void retire(void)
{
	qsbr_retire(&retired, freed);
}

static void frees_what_was_retired_before_it_sleeps(void **state)
{
	(void)state;
	open_softirq(SOFTIRQ_TIMER, retire);
	raise_softirq(SOFTIRQ_TIMER);
	run_loop();
	assert_string_equal(seen, "fh");
}

static void parks_instead_of_sleeping(void **state)
{
	(void)state;
	ask_to_park();
	run_loop();
	assert_string_equal(seen, "ph");
}

static void park_just_before_cli(bool on)
{
	if (on || came)
		return;
	came = true;
	ask_to_park();
}

static void parks_when_asked_at_the_last_moment(void **state)
{
	(void)state;
	came = false;
	host_irq_hook = park_just_before_cli;
	run_loop();
	assert_string_equal(seen, "ph");
}

/* --- the control context --- */

static void control_runs_until_it_sleeps(void **state)
{
	(void)state;
	start_shell();
	typed = true;
	run_loop();
	assert_string_equal(seen, "ctch");
}

static void leave_after_some_turns(bool on)
{
	if (!on && !turns_left--)
		longjmp(enough, 1);
}

static void control_that_yields_keeps_the_core_awake(void **state)
{
	(void)state;
	never_rests = true;
	start_shell();
	turns_left = 2 * 5 - 1; /* a turn in full has two looks */
	host_irq_hook = leave_after_some_turns;
	run_loop();
	assert_string_equal(seen, "ccccc");
}

/* the second look of a turn, once control has had it */
static void byte_just_before_cli(bool on)
{
	if (on || came || !strchr(seen, 'c'))
		return;
	came = typed = true;
	control_wake();
}

static void control_woken_at_the_last_moment_runs_before_the_sleep(void **state)
{
	(void)state;
	start_shell();
	came = false;
	host_irq_hook = byte_just_before_cli;
	run_loop();
	assert_string_equal(seen, "cctch");
}

static void woken_the_first_time(void)
{
	happens('h');
	if (strcmp(seen, "ch"))
		longjmp(enough, 1);
	raise_softirq(SOFTIRQ_TIMER);
}

static void byte_once_it_has_slept(bool on)
{
	if (on || came || !strchr(seen, 'h'))
		return;
	came = typed = true;
	control_wake();
}

static void control_woken_as_nothing_else_is_to_do_runs_before_the_sleep(void **state)
{
	(void)state;
	start_shell();
	came = false;
	host_halt_hook = woken_the_first_time;
	host_irq_hook = byte_once_it_has_slept;
	run_loop();
	assert_string_equal(seen, "chsctch");
}

static void under_load_the_loop_still_turns(void **state)
{
	uint64_t qs = this_cpu()->qs;

	(void)state;
	endless = true;
	raise_softirq(SOFTIRQ_TIMER);
	run_loop();
	assert_true(this_cpu()->qs - qs >= 2 * (100 / 10 - 1)); /* ten rounds of softirqs a turn */
}

static void under_load_control_gets_its_share_and_no_more(void **state)
{
	unsigned control = 0, softirqs = 0;

	(void)state;
	never_rests = true;
	start_shell();
	endless = true;
	raise_softirq(SOFTIRQ_TIMER);
	run_loop();
	for (const char *s = seen; *s; s++) {
		control += *s == 'c';
		softirqs += *s == 's';
	}
	/* each softirq takes 300 us, so control comes about once in 34 of them */
	assert_in_range(control, softirqs / 40, softirqs / 25 + 1);
}

/* --- guests --- */

static uint64_t slice;
static int keep;

static struct vcpu *next_vcpu(struct cpu *c)
{
	assert_false(host_irqs_on);
	return (struct vcpu *)c; /* any pointer does */
}

static void enter_vcpu(struct vcpu *v, uint64_t ticks, int keep_on)
{
	(void)v;
	assert_false(host_irqs_on);
	happens('g');
	slice = ticks;
	keep = keep_on;
	if (!turns_left--)
		longjmp(enough, 1);
}

static const struct guest_ops guests = { .next = next_vcpu, .enter = enter_vcpu };

static void a_guest_runs_instead_of_sleep(void **state)
{
	(void)state;
	guest_attach(&guests);
	turns_left = 2;
	run_loop();
	assert_string_equal(seen, "ggg");
	assert_int_equal(slice, SLICE_US * US);
	assert_false(keep);
}

static void under_load_a_guest_still_gets_its_slice(void **state)
{
	(void)state;
	guest_attach(&guests);
	endless = true;
	raise_softirq(SOFTIRQ_TIMER);
	run_loop();
	assert_non_null(strstr(seen, "ssgssss"));
	assert_null(strstr(seen, "gg"));
	assert_int_equal(slice, MIN_SLICE_US * US);
	assert_true(keep);
}

static void what_is_pending_goes_before_a_guest(void **state)
{
	(void)state;
	guest_attach(&guests);
	came = false;
	turns_left = 0;
	host_irq_hook = interrupt_just_before_cli;
	run_loop();
	assert_string_equal(seen, "sg");
}

static unsigned kept, left;

/*
 * a packet comes whenever a guest has begun: it leaves at once, and entry and exit take their time
 */
static void enter_and_leave(struct vcpu *v, uint64_t ticks, int keep_on)
{
	(void)v;
	if (keep_on) {
		kept++;
		host_tsc += ticks;
		slice = ticks;
	} else {
		left++;
		raise_softirq(SOFTIRQ_TIMER);
	}
	host_tsc += 10 * US;
	if (!turns_left--)
		longjmp(enough, 1);
}

static const struct guest_ops interrupted = { .next = next_vcpu, .enter = enter_and_leave };

static void a_guest_that_each_packet_interrupts_gets_its_slice_too(void **state)
{
	(void)state;
	guest_attach(&interrupted);
	kept = left = 0;
	turns_left = 1005; /* five times 200 in two milliseconds, then a slice */
	host_tsc = 1;
	run_loop();
	assert_int_equal(slice, MIN_SLICE_US * US);
	assert_int_equal(kept, 5);
	assert_in_range(left, 1000, 1001);
}

/*
 * one that had all of a slice is owed nothing when the next packet comes,
 * however long the slice was
 */
static void enter_for_long(struct vcpu *v, uint64_t ticks, int keep_on)
{
	(void)v;
	kept += !!keep_on;
	host_tsc += ticks;
	raise_softirq(SOFTIRQ_TIMER);
	if (!turns_left--)
		longjmp(enough, 1);
}

static const struct guest_ops at_length = { .next = next_vcpu, .enter = enter_for_long };

static void a_guest_that_has_its_slices_is_owed_nothing(void **state)
{
	(void)state;
	guest_attach(&at_length);
	kept = 0;
	turns_left = 20;
	host_tsc = 1;
	run_loop();
	assert_int_equal(kept, 0);
}

/* nobody enters a guest while each look finds an interrupt that has just come */
static void a_guest_that_is_never_reached_gets_its_slice_too(void **state)
{
	(void)state;
	guest_attach(&guests);
	turns_left = 1000;
	host_tsc_step = 10 * US;
	host_irq_hook = interrupt_before_every_cli;
	run_loop();
	assert_non_null(strchr(seen, 'g'));
	assert_true(keep);
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sleeps_with_interrupts_off_until_the_halt),
		TEST(runs_what_is_pending_before_it_sleeps),
		TEST(runs_what_an_interrupt_raised_at_the_last_moment),
		TEST(runs_what_another_core_raised_at_the_last_moment),
		TEST(runs_what_woke_it),
		TEST(accounts_idle_and_busy_time),
		TEST(frees_what_was_retired_before_it_sleeps),
		TEST(control_woken_as_nothing_else_is_to_do_runs_before_the_sleep),
		TEST(under_load_the_loop_still_turns),
		TEST(a_turn_counts_once_asleep_or_awake),
		TEST(a_core_that_is_kept_from_sleep_still_turns),
		TEST(parks_instead_of_sleeping),
		TEST(parks_when_asked_at_the_last_moment),
		TEST(a_guest_runs_instead_of_sleep),
		TEST(under_load_a_guest_still_gets_its_slice),
		TEST(what_is_pending_goes_before_a_guest),
		TEST(a_guest_that_each_packet_interrupts_gets_its_slice_too),
		TEST(a_guest_that_has_its_slices_is_owed_nothing),
		TEST(a_guest_that_is_never_reached_gets_its_slice_too),
		/* once started, the control context is there for good: these come last */
		TEST(control_runs_until_it_sleeps),
		TEST(control_woken_at_the_last_moment_runs_before_the_sleep),
		TEST(control_that_yields_keeps_the_core_awake),
		TEST(under_load_control_gets_its_share_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
