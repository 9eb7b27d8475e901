/* SPDX-License-Identifier: MIT */
/* links: kernel/softirq.c kernel/loop.c kernel/qsbr.c tests/unit/wakeup_model.c tests/unit/host.c */
/*
 * test_wakeup.c - nobody sleeps on a frame, whatever comes in between
 *
 * The real softirq.c and loop.c run here with ops that take notes; the order of their steps goes
 * into the model, which walks every interleaving with device and interrupts. Orders known to lose
 * wake-ups must be found out by the model, or it proves nothing; each is printed with the
 * shortest way to the loss.
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <string.h>

#include "kernel/irq.h"
#include "kernel/loop.h"
#include "kernel/softirq.h"
#include "tests/unit/wakeup_model.h"

/* --- taking notes of the real code --- */

static struct {
	enum step *out; /* NULL: not now */
	unsigned n;
	enum napi_state state;
	bool pending, irqs_on;
	bool flags; /* note cli and sti as well: not in a hard interrupt, which has them off
		       anyhow */
} notes;

static struct napi queue;
static bool more_work; /* what work_pending() says, once */
static bool raised_in_poll;

static void note(enum step step)
{
	assert_true(notes.n < STEPS_MAX - 1);
	notes.out[notes.n++] = step;
}

static bool net_rx_raised(void)
{
	return this_cpu()->softirq_pending & BIT(SOFTIRQ_NET_RX);
}

/* what the code changed without calling us: noted at the next call that it makes */
static void note_changes(void)
{
	if (!notes.out)
		return;
	if (queue.state != notes.state)
		note(queue.state == NAPI_IDLE ? STEP_IDLE : STEP_SCHEDULED);
	if (net_rx_raised() && !notes.pending)
		note(STEP_LIST);
	notes.state = queue.state;
	notes.pending = net_rx_raised();
}

static void note_flag(bool on)
{
	note_changes();
	if (notes.out && notes.flags && on != notes.irqs_on)
		note(on ? STEP_STI : STEP_CLI);
	notes.irqs_on = on;
}

static void note_step(enum step step)
{
	note_changes();
	if (notes.out)
		note(step);
}

static void notes_start(enum step *out, bool flags)
{
	memset(out, 0, sizeof(steps));
	notes.out = out;
	notes.n = 0;
	notes.state = queue.state;
	notes.pending = net_rx_raised();
	notes.irqs_on = host_irqs_on;
	notes.flags = flags;
}

static void notes_end(void)
{
	note_changes();
	notes.out = NULL;
}

static void mask(struct napi *napi)
{
	(void)napi;
	note_step(STEP_MASK);
}

static void unmask(struct napi *napi)
{
	(void)napi;
	note_step(STEP_UNMASK);
}

static bool work_pending(struct napi *napi)
{
	bool work = more_work;

	(void)napi;
	note_step(STEP_CHECK);
	more_work = false;
	return work;
}

static enum step *note_from_poll;

/* the poll that completes: notes begin when it has returned, and end when it is called again */
static unsigned poll(struct napi *napi, unsigned budget)
{
	(void)napi;
	(void)budget;
	raised_in_poll = net_rx_raised();
	notes_end();
	if (note_from_poll)
		notes_start(note_from_poll, true);
	note_from_poll = NULL;
	return 0;
}

static const struct napi_ops ops = { mask, unmask, work_pending };

static void start(void)
{
	host_cores(1);
	softirq_init();
	memset(&queue, 0, sizeof(queue));
	queue = (struct napi){ .ops = &ops, .poll = poll, .name = "queue" };
	napi_enable(&queue);
	softirq_run(this_cpu());
	assert_int_equal(queue.state, NAPI_IDLE);
	host_irq_hook = note_flag;
}

/* one interrupt, polled; the steps behind the poll go to @out */
static void record_completion(enum step *out, bool work)
{
	start();
	napi_irq(&queue);
	more_work = work;
	note_from_poll = out;
	softirq_run(this_cpu());
	notes_end();
}

static void record_irq(enum step *out, bool scheduled)
{
	start();
	if (scheduled)
		napi_irq(&queue);
	notes_start(out, false);
	napi_irq(&queue);
	notes_end();
}

/*
 * Does scheduling look at the state with interrupts off, so that an interrupt just before cannot
 * list it twice? The interrupt comes at the last moment it can: as the flag goes off.
 */
static bool interrupt_at_cli;

static void interrupt_before_cli(bool on)
{
	if (on || !interrupt_at_cli)
		return;
	interrupt_at_cli = false;
	napi_irq(&queue);
}

static bool schedule_looks_first(void)
{
	start();
	host_irq_hook = interrupt_before_cli;
	interrupt_at_cli = true;
	napi_schedule(&queue);
	return !interrupt_at_cli && queue.next == NULL && this_cpu()->poll_head == &queue;
}

static void insert(enum step *s, unsigned at, enum step step)
{
	memmove(s + at + 1, s + at, (STEPS_MAX - at - 1) * sizeof(*s));
	s[at] = step;
}

static unsigned find(const enum step *s, enum step step)
{
	unsigned i = 0;

	while (s[i] != step && s[i] != STEP_END)
		i++;
	return i;
}

/*
 * The core loop's way to sleep. An interrupt at the last moment before cli tells whether it looks
 * for pending work after that; the flag at the halt tells whether sti and hlt are one.
 */
static jmp_buf asleep;
static bool sleeps_on_work, sleeps_deaf;

static void at_halt(void)
{
	sleeps_on_work = softirq_pending();
	sleeps_deaf = host_irqs_on; /* on before the halt: the interrupt may come too early */
	longjmp(asleep, 1);
}

static void record_sleep(enum step *out)
{
	start();
	host_irq_hook = interrupt_before_cli;
	host_halt_hook = at_halt;
	interrupt_at_cli = true;
	if (!setjmp(asleep))
		core_loop();
	host_irq_hook = NULL;
	assert_false(interrupt_at_cli);
	if (sleeps_on_work)
		memcpy(out, (steps){ STEP_LOOK, STEP_CLI, STEP_STI_HLT }, sizeof(steps));
	else if (sleeps_deaf)
		memcpy(out, (steps){ STEP_CLI, STEP_LOOK, STEP_STI, STEP_HLT }, sizeof(steps));
	else
		memcpy(out, (steps){ STEP_CLI, STEP_LOOK, STEP_STI_HLT }, sizeof(steps));
}

/*
 * the notes ran on into the next poll: what follows the queue's way to the list
 * is not of this completion
 */
static void cut_after_list(enum step *s)
{
	unsigned end = find(s, STEP_LIST);

	if (s[end] == STEP_LIST)
		end += 1 + (s[end + 1] == STEP_STI);
	s[end] = STEP_END;
}

static struct protocol real(void)
{
	struct protocol p = { 0 };
	steps quiet;
	unsigned check;

	record_completion(p.complete, true);
	cut_after_list(p.complete);
	record_completion(quiet, false);
	record_irq(p.irq_idle, false);
	record_irq(p.irq_scheduled, true);
	if (raised_in_poll)
		memcpy(p.run, (steps){ STEP_RUN, STEP_FORGET }, sizeof(steps));
	else
		memcpy(p.run, (steps){ STEP_CLEAR, STEP_RUN }, sizeof(steps));
	record_sleep(p.sleep);
	/* with nothing to do it takes the same steps up to the look and no more */
	check = find(p.complete, STEP_CHECK);
	assert_memory_equal(p.complete, quiet, check * sizeof(enum step));
	if (schedule_looks_first())
		insert(p.complete, p.complete[check + 1] == STEP_CLI ? check + 2 : check + 1,
		       STEP_IF_IDLE);
	return p;
}

static void print_steps(const char *what, const enum step *s)
{
	char text[200];

	print_message("%s: %s\n", what, steps_text(s, text, sizeof(text)));
}

/* --- what the model says --- */

static const struct protocol right = {
	.complete = { STEP_IDLE, STEP_UNMASK, STEP_CHECK, STEP_CLI, STEP_IF_IDLE, STEP_MASK,
		      STEP_SCHEDULED, STEP_LIST, STEP_STI },
	.irq_idle = { STEP_MASK, STEP_SCHEDULED, STEP_LIST },
	.irq_scheduled = { STEP_MASK },
	.run = { STEP_CLEAR, STEP_RUN },
	.sleep = { STEP_CLI, STEP_LOOK, STEP_STI_HLT },
};

/* QEMU's igb and worse; a real one whose cause nobody reads */
static const struct device devices[] = {
	{ .frames = 3, .latches = true },
	{ .frames = 3, .latches = true, .stray = true },
	{ .frames = 3, .latches = true, .stray = true, .eicr_read = true },
	{ .frames = 3, .latches = false },
	{ .frames = 3, .latches = false, .stray = true },
	{ .frames = 3, .latches = true, .posted = true },
	{ .frames = 3, .latches = true, .stray = true, .posted = true },
};

static struct verdict verdict;

static void passes_everywhere(const struct protocol *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
		model_walk(p, &devices[i], &verdict);
		if (verdict.wrong) {
			fputs(verdict.trace, stdout); /* longer than cmocka prints */
			fail_msg("device %u: %s", i, verdict.wrong);
		}
		assert_true(verdict.asleep > 0);
		print_message("device %u: %u states, nothing lost\n", i, verdict.states);
	}
}

static void must_be_found(const char *what, const struct protocol *p, const struct device *d)
{
	model_walk(p, d, &verdict);
	if (!verdict.wrong)
		fail_msg("%s: the model finds nothing wrong in %u states", what, verdict.states);
	print_message("%s: %s\n", what, verdict.wrong);
	fputs(verdict.trace, stdout); /* longer than cmocka prints */
}

static void the_right_order_loses_nothing(void **state)
{
	(void)state;
	passes_everywhere(&right);
}

static void the_order_of_the_real_code_loses_nothing(void **state)
{
	struct protocol p = real();

	(void)state;
	print_steps("complete", p.complete);
	print_steps("interrupt, idle", p.irq_idle);
	print_steps("interrupt, scheduled", p.irq_scheduled);
	print_steps("softirq", p.run);
	print_steps("core loop", p.sleep);
	assert_true(find(p.complete, STEP_UNMASK) < find(p.complete, STEP_CHECK));
	passes_everywhere(&p);
}

/* --- policies --- */

enum { ALL_MODES = BIT(MODES) - 1 };

/* kernel/netif_rx.c's handler */
static const steps direct = { STEP_TAKE, STEP_LEFT, STEP_IF_IDLE, STEP_SCHEDULED, STEP_LIST };
/* and on a device that masks itself */
static const steps direct_opening = { STEP_TAKE,    STEP_UNMASK,    STEP_LEFT,
				      STEP_IF_IDLE, STEP_SCHEDULED, STEP_LIST };

static void switching_between_policies_at_any_time_loses_nothing(void **state)
{
	static const struct device d[] = {
		{ .frames = 2, .latches = true },
		{ .frames = 2, .latches = false, .stray = true },
		{ .frames = 2, .latches = true, .eicr_read = true },
		{ .frames = 2, .latches = true, .masks_itself = true },
		{ .frames = 2, .latches = false, .masks_itself = true, .stray = true },
	};
	struct protocol p = real();

	(void)state;
	p.modes = ALL_MODES;
	for (unsigned i = 0; i < ARRAY_SIZE(d); i++) {
		memcpy(p.irq_direct, d[i].masks_itself ? direct_opening : direct, sizeof(steps));
		model_walk(&p, &d[i], &verdict);
		if (verdict.wrong) {
			fputs(verdict.trace, stdout);
			fail_msg("device %u: %s", i, verdict.wrong);
		}
		assert_true(verdict.asleep > 0);
		print_message("device %u: %u states, nothing lost\n", i, verdict.states);
	}
}

static const struct device plain = { .frames = 3, .latches = true };
static const struct device cause_read = { .frames = 3, .latches = true, .eicr_read = true };

static void finds_a_check_before_the_unmask(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.complete, (steps){ STEP_CHECK_FIRST, STEP_IDLE, STEP_UNMASK }, sizeof(steps));
	must_be_found("check before unmask", &p, &cause_read);
}

static void finds_an_unmask_without_a_check(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.complete, (steps){ STEP_IDLE, STEP_UNMASK }, sizeof(steps));
	must_be_found("no check, the cause is read", &p, &cause_read);
}

static void finds_idle_set_after_the_unmask(void **state)
{
	static const struct device d = { .frames = 3, .latches = true, .stray = true };
	struct protocol p = right;

	(void)state;
	p.complete[0] = STEP_UNMASK;
	p.complete[1] = STEP_IDLE;
	must_be_found("idle after unmask", &p, &d);
}

static void finds_a_queue_listed_twice(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.complete,
	       (steps){ STEP_IDLE, STEP_UNMASK, STEP_CHECK, STEP_MASK, STEP_SCHEDULED, STEP_LIST },
	       sizeof(steps));
	must_be_found("scheduled without looking", &p, &plain);
}

static void finds_pending_bits_cleared_after_the_run(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.run, (steps){ STEP_RUN, STEP_FORGET }, sizeof(steps));
	must_be_found("pending cleared after the run", &p, &plain);
}

static void finds_a_look_with_interrupts_on(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.sleep, (steps){ STEP_LOOK, STEP_CLI, STEP_STI_HLT }, sizeof(steps));
	must_be_found("look before cli", &p, &plain);
}

static void finds_sti_and_hlt_apart(void **state)
{
	struct protocol p = right;

	(void)state;
	memcpy(p.sleep, (steps){ STEP_CLI, STEP_LOOK, STEP_STI, STEP_HLT }, sizeof(steps));
	must_be_found("sti, then hlt", &p, &plain);
}

static void finds_a_deferral_without_a_timer(void **state)
{
	struct protocol p = right;

	(void)state;
	p.modes = ALL_MODES;
	p.no_timer = true;
	must_be_found("no timer", &p, &plain);
}

static void finds_a_loop_that_sleeps_on_a_polled_queue(void **state)
{
	struct protocol p = right;

	(void)state;
	p.modes = ALL_MODES;
	p.no_turn = true;
	must_be_found("no look at what is polled", &p, &plain);
}

static void finds_a_switch_that_does_not_poll(void **state)
{
	struct protocol p = right;

	(void)state;
	p.modes = ALL_MODES;
	p.silent_switch = true;
	must_be_found("silent switch", &p, &plain);
}

static void finds_a_timer_that_lists_what_waits_for_its_turn_as_well(void **state)
{
	struct protocol p = right;

	(void)state;
	p.modes = BIT(MODE_NAPI) | BIT(MODE_SUSPEND);
	p.keeps_turn = true;
	must_be_found("timer and turn", &p, &plain);
}

static void finds_a_suspended_queue_that_nobody_comes_back_to(void **state)
{
	struct protocol p = right;

	(void)state;
	p.modes = BIT(MODE_NAPI) | BIT(MODE_SUSPEND);
	p.no_turn = p.no_timer = true;
	must_be_found("suspended for ever", &p, &plain);
}

/* in MODE_IRQ alone but for the beginning: what the operator switches would be polled, and found */
static struct protocol received_in_its_interrupt(const steps handler)
{
	struct protocol p = right;

	p.modes = BIT(MODE_IRQ);
	memcpy(p.irq_direct, handler, sizeof(steps));
	return p;
}

static void finds_a_handler_that_leaves_frames_and_does_not_say_so(void **state)
{
	struct protocol p = received_in_its_interrupt(
		(steps){ STEP_TAKE, STEP_IF_IDLE, STEP_SCHEDULED, STEP_LIST });

	(void)state;
	must_be_found("frames left in the ring", &p, &plain);
}

static const struct device masking = { .frames = 3, .masks_itself = true };

static void finds_a_handler_that_does_not_open_what_masks_itself(void **state)
{
	struct protocol p = received_in_its_interrupt(direct);

	(void)state;
	must_be_found("masked for ever", &p, &masking);
}

static void finds_a_handler_that_looks_before_it_opens(void **state)
{
	struct protocol p = received_in_its_interrupt((steps){
		STEP_TAKE, STEP_LEFT, STEP_UNMASK, STEP_IF_IDLE, STEP_SCHEDULED, STEP_LIST });

	(void)state;
	must_be_found("looks, then opens", &p, &masking);
}

/*
 * Not an order of ours but a rule for drivers: mask register writes are posted, so the check
 * may come before the unmask arrives. Then only the device's latch helps, and nobody may read
 * the cause register away.
 */
static void finds_a_posted_unmask_with_the_cause_read(void **state)
{
	static const struct device d = {
		.frames = 3, .latches = true, .eicr_read = true, .posted = true
	};

	(void)state;
	must_be_found("posted unmask, the cause is read", &right, &d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_order_loses_nothing),
		cmocka_unit_test(the_order_of_the_real_code_loses_nothing),
		cmocka_unit_test(switching_between_policies_at_any_time_loses_nothing),
		cmocka_unit_test(finds_a_deferral_without_a_timer),
		cmocka_unit_test(finds_a_loop_that_sleeps_on_a_polled_queue),
		cmocka_unit_test(finds_a_switch_that_does_not_poll),
		cmocka_unit_test(finds_a_timer_that_lists_what_waits_for_its_turn_as_well),
		cmocka_unit_test(finds_a_suspended_queue_that_nobody_comes_back_to),
		cmocka_unit_test(finds_a_handler_that_leaves_frames_and_does_not_say_so),
		cmocka_unit_test(finds_a_handler_that_does_not_open_what_masks_itself),
		cmocka_unit_test(finds_a_handler_that_looks_before_it_opens),
		cmocka_unit_test(finds_a_check_before_the_unmask),
		cmocka_unit_test(finds_an_unmask_without_a_check),
		cmocka_unit_test(finds_idle_set_after_the_unmask),
		cmocka_unit_test(finds_a_queue_listed_twice),
		cmocka_unit_test(finds_pending_bits_cleared_after_the_run),
		cmocka_unit_test(finds_a_look_with_interrupts_on),
		cmocka_unit_test(finds_sti_and_hlt_apart),
		cmocka_unit_test(finds_a_posted_unmask_with_the_cause_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
