/* SPDX-License-Identifier: MIT */
/* links: kernel/softirq.c tests/unit/host.c */
/*
 * test_softirq.c - softirqs and the NAPI contract: budgets, fairness, and
 * interrupts that come at any moment
 */
#include "tests/unit/host.h"

#include <sched.h>
#include <string.h>

#include "kernel/irq.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"

enum { US = HOST_TSC_KHZ / 1000 };

static int start(void **state)
{
	(void)state;
	host_cores(3);
	softirq_init();
	netdev_budget = 300;
	netdev_budget_usecs = 2000;
	dev_weight = 64;
	return 0;
}

/* --- softirqs --- */

static char ran[64];
static unsigned again; /* how often the action raises itself */
static uint64_t lasts; /* TSC ticks an action takes */

static void runs(char what)
{
	size_t n = strlen(ran);

	assert_true(n < sizeof(ran) - 1);
	ran[n] = what;
	ran[n + 1] = 0;
	host_tsc += lasts;
}

static void call_action(void)
{
	runs('C');
}

static void timer_action(void)
{
	runs('T');
	if (again) {
		again--;
		raise_softirq(SOFTIRQ_TIMER);
	}
}

static void tx_action(void)
{
	runs('X');
	if (again) {
		again--;
		raise_softirq(SOFTIRQ_CALL); /* of higher rank, and passed already in this round */
	}
}

static int start_actions(void **state)
{
	start(state);
	open_softirq(SOFTIRQ_CALL, call_action);
	open_softirq(SOFTIRQ_TIMER, timer_action);
	open_softirq(SOFTIRQ_NET_TX, tx_action);
	ran[0] = 0;
	again = 0;
	lasts = 0;
	return 0;
}

static void runs_what_is_raised_once_and_in_order(void **state)
{
	(void)state;
	assert_false(softirq_run(this_cpu()));
	raise_softirq(SOFTIRQ_NET_TX);
	raise_softirq(SOFTIRQ_CALL);
	raise_softirq(SOFTIRQ_CALL);
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_NET_TX) | BIT(SOFTIRQ_CALL));
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "CX");
	assert_int_equal(softirq_pending(), 0);
	assert_int_equal(this_cpu()->softirq_count[SOFTIRQ_CALL], 1);
	assert_int_equal(this_cpu()->softirq_count[SOFTIRQ_NET_TX], 1);
}

static void runs_what_is_raised_while_it_runs(void **state)
{
	(void)state;
	again = 1;
	raise_softirq(SOFTIRQ_NET_TX);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "XC");
}

static void leaves_off_after_ten_rounds(void **state)
{
	(void)state;
	again = 100;
	raise_softirq(SOFTIRQ_TIMER);
	assert_true(softirq_run(this_cpu()));
	assert_string_equal(ran, "TTTTTTTTTT");
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_TIMER));
	again = 0;
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "TTTTTTTTTTT");
}

static void leaves_off_after_two_milliseconds(void **state)
{
	(void)state;
	again = 100;
	lasts = 700 * US;
	raise_softirq(SOFTIRQ_TIMER);
	assert_true(softirq_run(this_cpu()));
	assert_string_equal(ran, "TTTT"); /* the first, then 2 ms of them */
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_TIMER));
}

static void wakes_another_core_once_for_all_its_softirqs(void **state)
{
	(void)state;
	raise_softirq_on(cpus[1], SOFTIRQ_CALL);
	raise_softirq_on(cpus[1], SOFTIRQ_NET_TX);
	assert_int_equal(host_calls.ipi[1], 1);
	assert_int_equal(softirq_pending(), 0);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "");
	host_play(1);
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_NET_TX) | BIT(SOFTIRQ_CALL));
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "CX");
	assert_int_equal(softirq_pending(), 0);
	host_play(0);
	raise_softirq_on(cpus[1], SOFTIRQ_CALL);
	assert_int_equal(host_calls.ipi[1], 2);
}

static void sends_itself_no_interrupt(void **state)
{
	(void)state;
	raise_softirq_on(this_cpu(), SOFTIRQ_CALL);
	assert_int_equal(host_calls.ipi[0], 0);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(ran, "C");
}

enum { HANDED = 20000 };

static _Atomic unsigned handed[3], lost;

static void take_from_1(void)
{
	handed[1] = 0;
}

static void take_from_2(void)
{
	handed[2] = 0;
}

/*
 * Cores 1 and 2 each hand one thing at a time to core 0 with a softirq of their own, and
 * wait until it is taken: if their bits get in each other's way, one waits for ever, or
 * until it has waited too long.
 */
static void hand_or_take(void *arg)
{
	static _Atomic unsigned hands;
	unsigned me = this_cpu()->id;

	(void)arg;
	if (me == 0) {
		while (hands < 2)
			sched_yield();
		while (hands)
			softirq_run(this_cpu());
		return;
	}
	hands++;
	for (unsigned i = 0, waited = 0; i < HANDED && !lost; i++, waited = 0) {
		handed[me] = 1;
		raise_softirq_on(cpus[0], me == 1 ? SOFTIRQ_CALL : SOFTIRQ_NET_TX);
		while (handed[me] && !lost)
			if (++waited % 1000 == 0) {
				sched_yield();
				lost += waited == 100000000;
			}
	}
	hands--;
}

static void loses_no_softirq_that_other_cores_raise(void **state)
{
	(void)state;
	open_softirq(SOFTIRQ_CALL, take_from_1);
	open_softirq(SOFTIRQ_NET_TX, take_from_2);
	lost = 0;
	host_run_cores(hand_or_take, NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(cpus[0]->softirq_count[SOFTIRQ_CALL], HANDED);
	assert_int_equal(cpus[0]->softirq_count[SOFTIRQ_NET_TX], HANDED);
	assert_true(host_calls.ipi[0] > 0);
}

/* --- a queue on a small device --- */

struct dev {
	struct napi napi;
	char name;
	unsigned ring;   /* frames */
	bool endless;    /* the ring never empties */
	bool open;       /* not masked */
	bool irr;        /* an interrupt waits for the flag */
	uint64_t slow;   /* TSC ticks a poll takes */
	unsigned budget; /* that the last poll was given */
	unsigned masks, unmasks;
};

static struct dev dev[3];
static char polled[128];
static void (*at_point)(void); /* called wherever the code under test lets us look */

static void point(void)
{
	if (at_point)
		at_point();
}

static struct dev *dev_of(struct napi *napi)
{
	return container_of(napi, struct dev, napi);
}

static void dev_mask(struct napi *napi)
{
	dev_of(napi)->open = false;
	dev_of(napi)->masks++;
	point();
}

static void dev_unmask(struct napi *napi)
{
	dev_of(napi)->open = true;
	dev_of(napi)->unmasks++;
	point();
}

static bool dev_work_pending(struct napi *napi)
{
	point();
	return dev_of(napi)->ring > 0;
}

static unsigned dev_poll(struct napi *napi, unsigned budget)
{
	struct dev *d = dev_of(napi);
	unsigned n = d->endless ? budget : MIN(budget, d->ring);
	size_t len = strlen(polled);

	if (len < sizeof(polled) - 1) {
		polled[len] = d->name;
		polled[len + 1] = 0;
	}
	point();
	d->budget = budget;
	if (!d->endless)
		d->ring -= n;
	host_tsc += d->slow;
	point();
	return n;
}

static const struct napi_ops dev_ops = { dev_mask, dev_unmask, dev_work_pending };

static int start_devices(void **state)
{
	start(state);
	at_point = NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
		dev[i] = (struct dev){ .name = (char)('a' + i) };
		dev[i].napi = (struct napi){ .ops = &dev_ops, .poll = dev_poll, .name = "queue" };
		napi_enable(&dev[i].napi);
	}
	assert_false(softirq_run(this_cpu()));
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
		assert_int_equal(dev[i].napi.state, NAPI_IDLE);
		assert_true(dev[i].open);
		dev[i].masks = dev[i].unmasks = 0;
		dev[i].napi = (struct napi){
			.ops = &dev_ops, .poll = dev_poll, .name = "queue", .state = NAPI_IDLE
		};
	}
	this_cpu()->processed = 0;
	polled[0] = 0;
	return 0;
}

/* the list is empty and can be appended to */
static void assert_list_empty(void)
{
	assert_null(this_cpu()->poll_head);
}

static void an_interrupt_masks_and_schedules_and_no_more(void **state)
{
	(void)state;
	dev[0].ring = 5;
	napi_irq(&dev[0].napi);
	assert_false(dev[0].open);
	assert_int_equal(dev[0].napi.state, NAPI_SCHEDULED);
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_NET_RX));
	assert_string_equal(polled, "");
	assert_int_equal(dev[0].ring, 5);
}

static void a_poll_below_its_weight_goes_back_to_interrupts(void **state)
{
	(void)state;
	dev[0].ring = 5;
	napi_irq(&dev[0].napi);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "a");
	assert_int_equal(dev[0].budget, 64);
	assert_true(dev[0].open);
	assert_int_equal(dev[0].unmasks, 1);
	assert_int_equal(dev[0].napi.state, NAPI_IDLE);
	assert_int_equal(dev[0].napi.completes, 1);
	assert_int_equal(dev[0].napi.packets, 5);
	assert_int_equal(this_cpu()->processed, 5);
	assert_int_equal(this_cpu()->time_squeeze, 0);
	assert_list_empty();
}

static void a_poll_of_its_weight_stays_masked_and_is_polled_again(void **state)
{
	(void)state;
	dev[0].ring = 64;
	napi_irq(&dev[0].napi);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "aa");
	assert_int_equal(dev[0].unmasks, 1);
	assert_int_equal(dev[0].masks, 1);
	assert_int_equal(dev[0].napi.polls_took[0], 1);
	assert_int_equal(dev[0].napi.completes, 1);
}

static void the_weight_is_a_knob(void **state)
{
	(void)state;
	dev_weight = 16;
	dev[0].ring = 20;
	napi_irq(&dev[0].napi);
	assert_false(softirq_run(this_cpu()));
	assert_int_equal(dev[0].budget, 16);
	assert_string_equal(polled, "aa");
}

static void a_round_ends_at_the_budget_and_counts_the_squeeze(void **state)
{
	(void)state;
	dev[0].endless = true;
	napi_irq(&dev[0].napi);
	assert_true(softirq_run(this_cpu())); /* ten rounds of 300, by 64: five polls each */
	assert_int_equal(napi_polls(&dev[0].napi), 50);
	assert_int_equal(this_cpu()->processed, 50 * 64);
	assert_int_equal(this_cpu()->time_squeeze, 10);
	assert_int_equal(softirq_pending(), BIT(SOFTIRQ_NET_RX));
	assert_false(dev[0].open);
	netdev_budget = 64;
	assert_true(softirq_run(this_cpu()));
	assert_int_equal(napi_polls(&dev[0].napi), 60);
}

static void a_round_ends_after_its_time(void **state)
{
	(void)state;
	dev[0].endless = true;
	dev[0].slow = 700 * US;
	napi_irq(&dev[0].napi);
	assert_true(softirq_run(this_cpu()));
	/*
	 * the clock starts behind the first: a poll and 2 ms of polls, a round and 2 ms of rounds
	 */
	assert_int_equal(napi_polls(&dev[0].napi), 2 * (1 + 3));
	assert_int_equal(this_cpu()->time_squeeze, 2);
	netdev_budget_usecs = 700;
	memset(dev[0].napi.polls_took, 0, sizeof(dev[0].napi.polls_took));
	assert_true(softirq_run(this_cpu())); /* two polls a round now, until
						 softirq_run(this_cpu())'s own 2 ms are over */
	assert_int_equal(napi_polls(&dev[0].napi), 2 * (1 + 2));
	assert_int_equal(this_cpu()->time_squeeze, 5);
}

static void no_squeeze_when_the_budget_just_sufficed(void **state)
{
	(void)state;
	netdev_budget = 10;
	dev[0].ring = 10;
	napi_irq(&dev[0].napi);
	assert_false(softirq_run(this_cpu()));
	assert_int_equal(this_cpu()->time_squeeze, 0);
	assert_int_equal(dev[0].napi.packets, 10);
}

static void busy_queues_take_turns(void **state)
{
	(void)state;
	dev[0].endless = dev[1].endless = true;
	dev[2].ring = 3;
	for (unsigned i = 0; i < 3; i++)
		napi_irq(&dev[i].napi);
	assert_true(softirq_run(this_cpu()));
	polled[12] = 0;
	assert_string_equal(polled, "abcababababa"); /* across the end of the round as well */
	assert_int_equal(dev[2].napi.state, NAPI_IDLE);
}

static void an_interrupt_while_scheduled_changes_nothing(void **state)
{
	(void)state;
	napi_irq(&dev[0].napi);
	napi_irq(&dev[0].napi);
	napi_schedule(&dev[0].napi);
	assert_int_equal(dev[0].napi.irqs, 2);
	assert_int_equal(dev[0].napi.irqs_while_scheduled, 1);
	assert_false(dev[0].open);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "a");
	assert_list_empty();
}

static void an_interrupt_while_disabled_is_masked_again(void **state)
{
	(void)state;
	napi_disable(&dev[0].napi);
	assert_false(dev[0].open);
	dev[0].open = true; /* right after a reset of the chip, say */
	napi_irq(&dev[0].napi);
	napi_schedule(&dev[0].napi);
	assert_false(dev[0].open);
	assert_int_equal(dev[0].napi.irqs_while_disabled, 1);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "");
}

static void an_interrupt_on_a_core_that_lost_the_queue_is_ignored(void **state)
{
	(void)state;
	host_play(1);
	napi_irq(&dev[0].napi);
	assert_int_equal(dev[0].napi.irqs_stray, 1);
	assert_int_equal(dev[0].napi.irqs, 0);
	assert_int_equal(softirq_pending(), 0);
	assert_true(dev[0].open);
	assert_list_empty();
}

static void scheduling_without_an_interrupt_masks_too(void **state)
{
	(void)state;
	dev[0].ring = 1;
	napi_schedule(&dev[0].napi);
	assert_false(dev[0].open);
	assert_false(softirq_run(this_cpu()));
	assert_int_equal(dev[0].ring, 0);
	assert_true(dev[0].open);
	assert_int_equal(dev[0].napi.irqs, 0);
}

/* a frame comes between the last look of the poll and the unmask; the device keeps no cause */
static void frame_before_unmask(void)
{
	if (!dev[0].unmasks || dev[0].napi.completes != 1)
		return;
	at_point = NULL;
	dev[0].ring++;
}

static void what_came_before_the_unmask_is_polled(void **state)
{
	(void)state;
	dev[0].ring = 1;
	napi_irq(&dev[0].napi);
	at_point = frame_before_unmask;
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "aa");
	assert_int_equal(dev[0].napi.rechecks, 1);
	assert_int_equal(dev[0].napi.completes, 2);
	assert_int_equal(dev[0].ring, 0);
	assert_true(dev[0].open);
}

static void disable_takes_it_off_the_list_wherever_it_stands(void **state)
{
	static const char *const want[3] = { "bca", "aca", "aba" };

	for (unsigned gone = 0; gone < 3; gone++) {
		start_devices(state);
		for (unsigned i = 0; i < 3; i++)
			napi_irq(&dev[i].napi);
		napi_disable(&dev[gone].napi);
		assert_false(dev[gone].open);
		assert_int_equal(dev[gone].napi.state, NAPI_DISABLED);
		assert_false(softirq_run(this_cpu()));
		napi_irq(&dev[gone ? 0 : 1].napi); /* the list can still be appended to */
		assert_false(softirq_run(this_cpu()));
		assert_int_equal(strlen(polled), 3);
		assert_memory_equal(polled, want[gone], 2);
		assert_null(strchr(polled, dev[gone].name));
		assert_list_empty();
	}
}

static void the_list_goes_on_behind_a_tail_that_was_disabled(void **state)
{
	(void)state;
	napi_irq(&dev[0].napi);
	napi_irq(&dev[1].napi);
	napi_disable(&dev[1].napi);
	napi_irq(&dev[2].napi);
	assert_false(softirq_run(this_cpu()));
	assert_string_equal(polled, "ac");
	assert_list_empty();
}

static void enable_polls_once_on_the_owning_core(void **state)
{
	(void)state;
	napi_disable(&dev[0].napi);
	dev[0].napi.cpu = 2;
	dev[0].ring = 4; /* came while it was off */
	napi_enable(&dev[0].napi);
	assert_int_equal(host_calls.ipi[2], 1);
	assert_false(softirq_run(this_cpu()));
	assert_int_equal(dev[0].ring, 4);
	host_play(2);
	assert_false(softirq_run(this_cpu()));
	assert_int_equal(dev[0].ring, 0);
	assert_true(dev[0].open);
	assert_int_equal(dev[0].napi.state, NAPI_IDLE);
}

static void batches_are_counted_by_size(void **state)
{
	static const unsigned size[] = { 0, 1, 2, 3, 4, 8, 31, 32, 63 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
		dev[0].ring = size[i];
		napi_irq(&dev[0].napi);
		softirq_run(this_cpu());
		assert_int_equal(dev[0].napi.polls_took[size[i]], 1);
	}
	assert_int_equal(napi_polls_between(&dev[0].napi, 2, 3), 2);
	assert_int_equal(napi_polls_between(&dev[0].napi, 32, 63), 2);
	assert_int_equal(napi_polls(&dev[0].napi), ARRAY_SIZE(size));
	dev[0].ring = 64;
	napi_irq(&dev[0].napi);
	softirq_run(this_cpu());
	assert_int_equal(dev[0].napi.polls_took[64], 1);
}

/* --- an interrupt and a frame at every point of the real code --- */

static unsigned now, frame_at, stray_at;
static bool keeps_cause, cause, irqs_were_on;

static void interrupt(void)
{
	if (!irqs_were_on) {
		dev[0].irr = true;
		return;
	}
	irqs_were_on = false;
	dev[0].irr = false;
	napi_irq(&dev[0].napi);
	irqs_were_on = true;
}

static void maybe_something(void)
{
	unsigned n = now++;

	if (n == frame_at) {
		dev[0].ring++;
		if (dev[0].open)
			interrupt();
		else
			cause = keeps_cause;
	}
	if (n == stray_at)
		interrupt();
	if (cause && dev[0].open) {
		cause = false;
		interrupt();
	}
}

static void flag_moves(bool on)
{
	if (!on) /* the last moment before it goes off */
		maybe_something();
	irqs_were_on = on;
	if (on && dev[0].irr)
		interrupt();
	if (on)
		maybe_something();
}

/* what the core loop does: run, and sleep only when nothing is pending */
static void run_until_asleep(void)
{
	for (unsigned turn = 0; softirq_run(this_cpu()) || softirq_pending(); turn++)
		assert_true(turn < 20);
}

static void an_interrupt_at_any_point_loses_nothing(void **state)
{
	enum { POINTS = 40 };
	unsigned points = 0;

	for (unsigned i = 0; i < 2 * POINTS * POINTS; i++) {
		start_devices(state);
		now = 0;
		keeps_cause = i & 1;
		frame_at = i / 2 % POINTS;
		stray_at = i / 2 / POINTS;
		cause = false;
		irqs_were_on = true;
		at_point = maybe_something;
		host_irq_hook = flag_moves;
		dev[0].ring = 1;
		interrupt();
		run_until_asleep();
		points = MAX(points, now);
		if (dev[0].ring || !dev[0].open || dev[0].napi.state != NAPI_IDLE)
			fail_msg("frame at point %u, stray interrupt at %u: %u left, %s, state %u",
				 frame_at, stray_at, dev[0].ring,
				 dev[0].open ? "unmasked" : "masked", dev[0].napi.state);
		assert_list_empty();
	}
	print_message("up to %u points a run\n", points);
	assert_in_range(points, 20, POINTS); /* all were tried, and they were not few */
}

/* --- what a person reads --- */

static void show(const char *path)
{
	struct shell sh = { 0 };

	host_text_clear();
	set_for_each(f, procfiles)
		if (strcmp(f->path, path) == 0)
			assert_int_equal(f->show(&sh, NULL), 0);
}

static unsigned waiting(unsigned cpu)
{
	return cpu ? 0x9a : 0;
}

static uint64_t found_it_full(unsigned cpu)
{
	return cpu ? 5 : 0;
}

static void softnet_stat_has_linux_columns(void **state)
{
	(void)state;
	cpus[1]->processed = 0x1234;
	cpus[1]->drop[DROP_XCORE_FULL] = 0x50;
	cpus[1]->drop[DROP_BACKLOG_FULL] = 77; /* of other cores' backlogs */
	cpus[1]->drop[DROP_IRQ_BACKLOG] = 1;
	cpus[1]->time_squeeze = 0x78;
	cpus[1]->received_rps = 0xbc;
	softnet_backlog(waiting, found_it_full);
	show("/proc/net/softnet_stat");
	assert_non_null(strstr(host_out, "\n00001234 00000056 00000078 00000000 00000000 00000000 "
					 "00000000 00000000 00000000 000000bc 00000000 0000009a "
					 "00000001\n"));
}

static void softirqs_lists_every_core(void **state)
{
	(void)state;
	cpus[0]->softirq_count[SOFTIRQ_NET_RX] = 5;
	cpus[2]->softirq_count[SOFTIRQ_NET_RX] = 77;
	show("/proc/softirqs");
	assert_non_null(strstr(host_out, "CPU2"));
	assert_non_null(strstr(host_out, "NET_RX:          5          0         77\n"));
}

#define ACTIONS(f) cmocka_unit_test_setup(f, start_actions)
#define DEVICES(f) cmocka_unit_test_setup(f, start_devices)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACTIONS(runs_what_is_raised_once_and_in_order),
		ACTIONS(runs_what_is_raised_while_it_runs),
		ACTIONS(leaves_off_after_ten_rounds),
		ACTIONS(leaves_off_after_two_milliseconds),
		ACTIONS(wakes_another_core_once_for_all_its_softirqs),
		ACTIONS(sends_itself_no_interrupt),
		ACTIONS(loses_no_softirq_that_other_cores_raise),
		DEVICES(an_interrupt_masks_and_schedules_and_no_more),
		DEVICES(a_poll_below_its_weight_goes_back_to_interrupts),
		DEVICES(a_poll_of_its_weight_stays_masked_and_is_polled_again),
		DEVICES(the_weight_is_a_knob),
		DEVICES(a_round_ends_at_the_budget_and_counts_the_squeeze),
		DEVICES(a_round_ends_after_its_time),
		DEVICES(no_squeeze_when_the_budget_just_sufficed),
		DEVICES(busy_queues_take_turns),
		DEVICES(an_interrupt_while_scheduled_changes_nothing),
		DEVICES(an_interrupt_while_disabled_is_masked_again),
		DEVICES(an_interrupt_on_a_core_that_lost_the_queue_is_ignored),
		DEVICES(scheduling_without_an_interrupt_masks_too),
		DEVICES(what_came_before_the_unmask_is_polled),
		DEVICES(disable_takes_it_off_the_list_wherever_it_stands),
		DEVICES(the_list_goes_on_behind_a_tail_that_was_disabled),
		DEVICES(enable_polls_once_on_the_owning_core),
		DEVICES(batches_are_counted_by_size),
		DEVICES(an_interrupt_at_any_point_loses_nothing),
		DEVICES(softnet_stat_has_linux_columns),
		DEVICES(softirqs_lists_every_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
