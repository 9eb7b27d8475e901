/* SPDX-License-Identifier: MIT */
/* links: kernel/napi_policy.c kernel/adaptive.c kernel/dim.c kernel/storm.c kernel/napi_measure.c kernel/policy_compare.c kernel/usage.c kernel/histogram.c kernel/loop.c kernel/qsbr.c kernel/netif_rx.c kernel/pool.c kernel/policy.c kernel/softirq.c kernel/napi_layers.c kernel/timer.c kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/host.c */
/*
 * test_napi_policy.c - each policy of a NIC's queue on a small device: when it interrupts, when it
 * is looked at, what a change in the middle of it all leaves behind
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/adaptive.h"
#include "kernel/control.h"
#include "kernel/irq.h"
#include "kernel/histogram.h"
#include "kernel/napi_measure.h"
#include "kernel/netif_rx.h"
#include "kernel/park.h"
#include "kernel/pkt.h"
#include "kernel/policy.h"
#include "kernel/policy_compare.h"
#include "kernel/softirq.h"
#include "kernel/timer.h"
#include "kernel/turn.h"

enum { US = HOST_TSC_KHZ / 1000 };

/* --- a queue, and the core loop around it --- */

static struct dev {
	struct napi napi;
	struct napi_policy policy;
	unsigned ring, polls, masks, unmasks;
	bool open;
	bool certain; /* the last poll was told that another comes before interrupts do */
} dev[2];

static struct dev *dev_of(struct napi *napi)
{
	return container_of(napi, struct dev, napi);
}

static void dev_mask(struct napi *napi)
{
	dev_of(napi)->open = false;
	dev_of(napi)->masks++;
}

static struct dev *comes_before_unmask; /* a frame, at the last moment; NULL: none does */

static void dev_unmask(struct napi *napi)
{
	if (comes_before_unmask == dev_of(napi)) {
		dev_of(napi)->ring++;
		comes_before_unmask = NULL;
	}
	dev_of(napi)->open = true;
	dev_of(napi)->unmasks++;
}

static bool dev_work_pending(struct napi *napi)
{
	return dev_of(napi)->ring > 0;
}

static unsigned dev_poll(struct napi *napi, unsigned budget)
{
	struct dev *d = dev_of(napi);
	unsigned n = MIN(budget, d->ring);

	d->polls++;
	d->ring -= n;
	d->certain = n && n < budget && napi_policy_defers(&d->policy);
	return n;
}

/* --- the same as packets, for a queue that is received in its interrupt --- */

static unsigned max_backlog;
static uint32_t numbered,
	delivered; /* frames given their numbers, and the number that has to come next */
static bool taken_with_irqs_on;

static unsigned dev_take(struct napi *napi, struct pkt **pkts, unsigned max)
{
	unsigned n = MIN(max, dev_of(napi)->ring);

	taken_with_irqs_on |= host_irqs_on;
	for (unsigned i = 0; i < n; i++) {
		pkts[i] = pkt_alloc();
		assert_non_null(pkts[i]);
		pkt_begin(pkts[i], 60);
		pkts[i]->hash = numbered++;
	}
	dev_of(napi)->ring -= n;
	return n;
}

static void dev_deliver(struct napi *napi, struct pkt **pkts, unsigned n)
{
	(void)napi;
	for (unsigned i = 0; i < n; i++) {
		assert_true(pkts[i]->hash >= delivered);
		delivered = pkts[i]->hash + 1;
		pkt_free(pkts[i]);
	}
}

static bool dev_present(const struct napi *napi)
{
	return napi->ops;
}

static const struct napi_ops dev_ops = { dev_mask, dev_unmask, dev_work_pending };

/* frames_come() - @n at once; the device interrupts if it may. */
static void frames_come(struct dev *d, unsigned n)
{
	uint64_t flags;

	d->ring += n;
	if (!d->open)
		return;
	if (d->napi.masks_itself)
		d->open = false;
	flags = irq_save();
	napi_irq(&d->napi);
	irq_restore(flags);
}

/*
 * turn() - the core loop comes round once, some guest having had the core;
 * false: it would sleep now.
 */
static bool turn(void)
{
	if (this_cpu()->turn_work)
		turn_run(this_cpu());
	softirq_run(this_cpu());
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++)
		assert_false(dev[i].certain && dev[i].napi.state == NAPI_IDLE);
	return softirq_pending() || this_cpu()->turn_work;
}

static void turns(unsigned n)
{
	while (n--)
		turn();
}

/* until_asleep() - turns until the core would sleep. Returns how many. */
static unsigned until_asleep(void)
{
	unsigned n = 0;

	while (turn())
		assert_true(++n < 100);
	return n;
}

/* time_passes() - the timer interrupts when it is due. */
static void time_passes(uint64_t ns)
{
	host_tsc += ns;
	if (this_cpu()->timers && this_cpu()->timers->deadline <= host_tsc)
		raise_softirq(SOFTIRQ_TIMER);
}

/* what happens while a command waits */
static unsigned comes_each_time, comes_so_often;
static bool ctrl_c;

static int start(void **state)
{
	(void)state;
	host_cores(1);
	host_tsc = 1000000;
	host_pools(64);
	softirq_init();
	timer_init();
	max_backlog = 1000;
	numbered = delivered = 0;
	taken_with_irqs_on = false;
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++) {
		struct dev *d = &dev[i];
		bool known = d->policy.napi; /* the list of queues lives as long as the program */

		d->napi = (struct napi){ .ops = &dev_ops, .poll = dev_poll, .name = "queue" };
		d->napi.policy = &d->policy;
		d->ring = d->polls = d->masks = d->unmasks = 0;
		d->certain = false;
		d->policy.knobs = (struct napi_knobs){ 0 };
		d->policy.deferrals = d->policy.suspends = 0;
		free(d->policy.measure);
		d->policy.measure = NULL;
		d->policy.storm = (struct storm){ .next = d->policy.storm.next };
		d->policy.rx = NULL; /* its memory went with the test before */
		if (!known) {
			snprintf(d->policy.queue.name, sizeof(d->policy.queue.name), "nic%u/0", i);
			d->policy.napi = &d->napi;
			d->policy.present = dev_present;
			d->policy.take = dev_take;
			d->policy.deliver = dev_deliver;
			d->policy.max_backlog = &max_backlog;
			napi_policy_init(&d->policy);
		}
		assert_null(policy_set(&d->policy.queue, POLICY_NAPI));
		napi_enable(&d->napi);
	}
	until_asleep();
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++)
		dev[i].polls = dev[i].masks = dev[i].unmasks = 0;
	comes_each_time = 0;
	comes_so_often = UINT_MAX;
	ctrl_c = false;
	return 0;
}

/* the control context waits, and the core loop turns */
void msleep(unsigned ms)
{
	time_passes((uint64_t)ms * 1000 * US);
	turn();
}

bool msleep_interruptible(unsigned ms)
{
	if (comes_each_time && comes_so_often && comes_so_often--)
		frames_come(&dev[0], comes_each_time);
	msleep(ms);
	return !ctrl_c;
}

static void set(struct dev *d, enum policy policy)
{
	assert_null(policy_set(&d->policy.queue, policy));
}

static void assert_at_rest(const struct dev *d)
{
	assert_int_equal(until_asleep(), 0);
	assert_int_equal(d->napi.state, NAPI_IDLE);
	assert_true(d->open);
	assert_int_equal(d->ring, 0);
}

/* --- poll --- */

static void poll_never_interrupts_and_never_sleeps(void **state)
{
	(void)state;
	set(&dev[0], POLICY_POLL);
	turns(10);
	assert_int_equal(dev[0].unmasks, 0);
	assert_in_range(dev[0].polls, 9, 11);
	frames_come(&dev[0], 5);
	turns(2);
	assert_int_equal(dev[0].ring, 0);
	assert_int_equal(dev[0].napi.irqs, 0);
	assert_true(this_cpu()->turn_work);
	assert_true(this_cpu()->turn_soon);
}

static void guests_have_their_whole_slices_again_when_nobody_polls(void **state)
{
	static const enum policy others[] = { POLICY_NAPI, POLICY_SUSPEND, POLICY_IRQ };

	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		start(state);
		set(&dev[0], POLICY_POLL);
		turns(3);
		assert_true(this_cpu()->turn_soon);
		set(&dev[0], others[i]);
		frames_come(&dev[0], 1);
		turns(3);
		assert_false(this_cpu()->turn_soon);
	}
}

static void poll_leaves_the_other_queues_their_interrupts(void **state)
{
	(void)state;
	set(&dev[0], POLICY_POLL);
	turns(3);
	dev[1].polls = 0;
	turns(10);
	assert_int_equal(dev[1].polls, 0);
	frames_come(&dev[1], 3);
	turns(2);
	assert_int_equal(dev[1].ring, 0);
	assert_int_equal(dev[1].napi.irqs, 1);
	assert_int_equal(dev[1].napi.state, NAPI_IDLE);
}

static void a_queue_that_used_its_weight_is_polled_in_the_same_round(void **state)
{
	static const enum policy all[] = { POLICY_DEFER, POLICY_SUSPEND, POLICY_POLL };

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		start(state);
		set(&dev[0], all[i]);
		turns(1);
		dev[0].polls = 0;
		dev[0].ring = 150;
		napi_irq(&dev[0].napi); /* as a timer or a turn would, where it has none */
		if (dev[0].napi.waits == NAPI_LATER)
			time_passes(10000 * US);
		turn();
		assert_int_equal(dev[0].ring, 0);
		assert_int_equal(dev[0].polls, 3);
	}
}

/* --- defer --- */

static void defer_looks_so_many_times_by_timer_before_it_unmasks(void **state)
{
	(void)state;
	dev[0].policy.knobs =
		(struct napi_knobs){ .defer_hard_irqs = 3, .gro_flush_timeout = 50000 };
	set(&dev[0], POLICY_DEFER);
	until_asleep();
	assert_true(dev[0].open); /* it found nothing, so there was nothing to defer */
	frames_come(&dev[0], 1);
	until_asleep();
	for (unsigned i = 0; i < 3; i++) {
		assert_false(dev[0].open);
		assert_int_equal(dev[0].napi.timer_polls, i);
		time_passes(49 * US);
		until_asleep();
		assert_int_equal(dev[0].napi.timer_polls, i);
		time_passes(1 * US);
		until_asleep();
	}
	assert_int_equal(dev[0].policy.deferrals, 3);
	assert_int_equal(dev[0].napi.irqs, 1);
	assert_at_rest(&dev[0]);
}

static void defer_begins_anew_with_each_poll_that_found_something(void **state)
{
	(void)state;
	dev[0].policy.knobs =
		(struct napi_knobs){ .defer_hard_irqs = 2, .gro_flush_timeout = 50000 };
	set(&dev[0], POLICY_DEFER);
	until_asleep();
	frames_come(&dev[0], 1);
	until_asleep();
	for (unsigned i = 0; i < 20; i++) {
		frames_come(&dev[0], 2);
		time_passes(50 * US);
		until_asleep();
		assert_int_equal(dev[0].ring, 0);
	}
	assert_int_equal(dev[0].napi.irqs, 1); /* twenty batches by the timer alone */
	time_passes(50 * US);
	until_asleep();
	time_passes(50 * US);
	until_asleep();
	assert_at_rest(&dev[0]);
}

static void defer_without_knobs_has_numbers_of_its_own(void **state)
{
	(void)state;
	set(&dev[0], POLICY_DEFER);
	until_asleep();
	frames_come(&dev[0], 1);
	until_asleep();
	assert_false(dev[0].open);
	time_passes(200 * US);
	until_asleep();
	assert_false(dev[0].open);
	time_passes(200 * US);
	assert_at_rest(&dev[0]);
	assert_int_equal(dev[0].policy.knobs.defer_hard_irqs, 0);
}

static void knobs_that_say_so_make_napi_defer_and_back(void **state)
{
	struct napi_knobs k = { .defer_hard_irqs = 1 };

	(void)state;
	napi_policy_tune(&dev[0].policy, &k);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_NAPI);
	k.gro_flush_timeout = 1000;
	napi_policy_tune(&dev[0].policy, &k);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_DEFER);
	k.defer_hard_irqs = 0;
	napi_policy_tune(&dev[0].policy, &k);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_NAPI);
	set(&dev[0], POLICY_POLL);
	k.defer_hard_irqs = 1;
	napi_policy_tune(&dev[0].policy, &k); /* they are for later */
	assert_int_equal(dev[0].policy.queue.policy, POLICY_POLL);
}

/* --- suspend --- */

static void suspend(void)
{
	dev[0].policy.knobs = (struct napi_knobs){ .defer_hard_irqs = 1,
						   .gro_flush_timeout = 50000,
						   .irq_suspend_timeout = 1000000 };
	set(&dev[0], POLICY_SUSPEND);
	until_asleep();
}

static void suspend_polls_at_each_turn_while_there_is_something(void **state)
{
	(void)state;
	suspend();
	frames_come(&dev[0], 1);
	for (unsigned i = 0; i < 20; i++) {
		turn();
		assert_false(dev[0].open);
		assert_false(this_cpu()->turn_soon); /* the consumer gets its whole slice */
		frames_come(&dev[0], 1);
		time_passes(100 * US);
	}
	assert_int_equal(dev[0].napi.irqs, 1);
	assert_int_equal(dev[0].napi.timer_behind, 0);
	until_asleep();
	assert_false(dev[0].open); /* an empty one is deferred first */
	time_passes(50 * US);
	assert_at_rest(&dev[0]);
}

/* the consumer keeps the core: nobody turns the loop, but the timer interrupts and ends that */
static void suspend_gives_up_when_the_core_stays_away(void **state)
{
	(void)state;
	suspend();
	frames_come(&dev[0], 1);
	softirq_run(this_cpu());
	assert_int_equal(dev[0].napi.waits, NAPI_TURN);
	frames_come(&dev[0], 1);
	time_passes(1000 * US);
	softirq_run(this_cpu());
	assert_int_equal(dev[0].ring, 0);
	assert_int_equal(dev[0].napi.timer_behind, 1);
	assert_int_equal(dev[0].napi.waits, NAPI_LATER); /* though it found something */
	assert_null(this_cpu()->turn_work);
	time_passes(50 * US);
	assert_at_rest(&dev[0]);
}

static void a_timer_left_from_before_disturbs_nobody(void **state)
{
	(void)state;
	suspend();
	frames_come(&dev[0], 1);
	until_asleep();
	time_passes(50 * US);
	until_asleep();
	assert_true(dev[0].open);
	dev[0].polls = 0;
	time_passes(5000 * US); /* the one of irq_suspend_timeout, if it is still there */
	assert_at_rest(&dev[0]);
	assert_int_equal(dev[0].polls, 0);
}

/* --- irq --- */

static void irq_receives_in_the_handler_and_works_in_the_softirq(void **state)
{
	struct pool *mine = this_cpu()->pool;

	(void)state;
	set(&dev[0], POLICY_IRQ);
	assert_false(dev[0].open); /* until the first poll */
	until_asleep();
	assert_true(dev[0].open);
	for (unsigned i = 1; i <= 5; i++) {
		frames_come(&dev[0], 1);
		assert_int_equal(dev[0].ring, 0);
		assert_true(dev[0].open);
		assert_int_equal(netif_rx_waiting(dev[0].policy.rx), i);
		assert_ptr_equal(this_cpu()->pool, mine);
	}
	assert_int_equal(mine->nfree, mine->size); /* none of the softirqs' packets was touched */
	assert_int_equal(dev[0].napi.irqs, 5);
	assert_int_equal(delivered, 0);
	assert_int_equal(until_asleep(), 0);
	assert_int_equal(delivered, 5);
	assert_int_equal(dev[0].napi.packets, 5);
	assert_int_equal(dev[0].polls, 0);
	assert_false(taken_with_irqs_on);
}

static void irq_opens_what_masks_itself(void **state)
{
	(void)state;
	dev[0].napi.masks_itself = true;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	for (unsigned i = 1; i <= 5; i++) {
		frames_come(&dev[0], 1);
		assert_true(dev[0].open);
		assert_int_equal(netif_rx_waiting(dev[0].policy.rx), i);
	}
	comes_before_unmask = &dev[0];
	frames_come(&dev[0], 1);
	assert_int_equal(dev[0].ring, 1); /* no interrupt says so */
	until_asleep();
	assert_int_equal(delivered, 7);
	assert_true(dev[0].open);
}

static void irq_takes_nothing_on_the_core_that_has_parked_the_others(void **state)
{
	(void)state;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	cores_park();
	frames_come(&dev[0], 2);
	frames_come(&dev[0], 1);
	assert_int_equal(dev[0].ring,
			 3); /* whoever counts packets finds them all where they were */
	assert_int_equal(netif_rx_waiting(dev[0].policy.rx), 0);
	cores_resume();
	until_asleep();
	assert_int_equal(delivered, 3);
}

static void irq_delivers_what_waits_when_told_to(void **state)
{
	(void)state;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	for (unsigned i = 0; i < NAPI_POLL_MAX + 5; i++)
		frames_come(&dev[0], 1);
	netif_rx_settle(dev[0].policy.rx);
	assert_int_equal(delivered, NAPI_POLL_MAX + 5);
	assert_int_equal(netif_rx_waiting(dev[0].policy.rx), 0);
	until_asleep();
	assert_int_equal(delivered, NAPI_POLL_MAX + 5);
}

static void irq_finds_what_came_before_the_unmask(void **state)
{
	(void)state;
	dev[0].ring = 3;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	assert_int_equal(delivered, 3);
	assert_int_equal(dev[0].napi.irqs, 0);
}

static void irq_drops_what_the_backlog_cannot_hold(void **state)
{
	(void)state;
	max_backlog = 10;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	for (unsigned i = 0; i < 25; i++)
		frames_come(&dev[0], 1);
	assert_int_equal(netif_rx_dropped(dev[0].policy.rx), 15);
	assert_int_equal(this_cpu()->drop[DROP_IRQ_BACKLOG], 15);
	assert_int_equal(this_cpu()->drop[DROP_IRQ_BACKLOG], 15);
	until_asleep();
	assert_int_equal(delivered, 10); /* the oldest */
	assert_true(host_pools_full());
}

/* more than one interrupt is given to take: the softirq goes on where nobody interrupts */
static void irq_leaves_the_rest_of_a_full_ring_to_the_softirq(void **state)
{
	(void)state;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	frames_come(&dev[0], 900);
	assert_int_equal(dev[0].ring, 900 - 256);
	until_asleep();
	assert_int_equal(dev[0].ring, 0);
	assert_int_equal(delivered, 900);
	assert_int_equal(dev[0].napi.irqs, 1);
}

static void irq_moves_with_its_queue(void **state)
{
	start(state);
	host_cores(2);
	host_pools(64);
	dev[0].policy.rx = NULL;
	dev[0].napi.state = NAPI_DISABLED;
	set(&dev[0], POLICY_IRQ);
	napi_enable(&dev[0].napi);
	softirq_run(this_cpu());
	frames_come(&dev[0], 3); /* wait on core 0 */
	napi_disable(&dev[0].napi);
	dev[0].napi.cpu = 1;
	napi_enable(&dev[0].napi);
	dev[0].ring = 2;
	softirq_run(this_cpu());
	assert_int_equal(delivered, 0);
	host_play(1);
	softirq_run(this_cpu());
	assert_int_equal(delivered, 5); /* in their order, which dev_deliver() looks at */
	host_play(0);
}

static void irq_is_refused_without_memory(void **state)
{
	(void)state;
	host_mem_left = 100000;
	assert_non_null(policy_set(&dev[0].policy.queue, POLICY_IRQ));
	assert_int_equal(dev[0].policy.queue.policy, POLICY_NAPI);
	frames_come(&dev[0], 1);
	assert_at_rest(&dev[0]);
}

/* --- adaptive --- */

static unsigned *knob_of(const char *name)
{
	set_for_each(s, sysctls)
		if (strcmp(s->name, name) == 0)
			return s->value;
	fail_msg("no knob %s", name);
	return NULL;
}

static void adaptive_has_steps_and_hysteresis(void **state)
{
	unsigned defer = *knob_of("kernel.policy_defer_pps"),
		 poll = *knob_of("kernel.policy_poll_pps");

	(void)state;
	*knob_of("kernel.policy_hysteresis_percent") = 50;
	assert_int_equal(adaptive_policy(POLICY_NAPI, defer - 1), POLICY_NAPI);
	assert_int_equal(adaptive_policy(POLICY_NAPI, defer), POLICY_DEFER);
	assert_int_equal(adaptive_policy(POLICY_NAPI, poll), POLICY_POLL);
	assert_int_equal(adaptive_policy(POLICY_DEFER, defer / 2), POLICY_DEFER);
	assert_int_equal(adaptive_policy(POLICY_DEFER, defer / 2 - 1), POLICY_NAPI);
	assert_int_equal(adaptive_policy(POLICY_POLL, poll / 2), POLICY_POLL);
	assert_int_equal(adaptive_policy(POLICY_POLL, poll / 2 - 1), POLICY_DEFER);
	assert_int_equal(adaptive_policy(POLICY_POLL, 0), POLICY_NAPI);
}

/* traffic() - @batch frames each 100 us, for 50 ms. */
static void traffic(unsigned batch)
{
	for (unsigned i = 0; i < 500; i++) {
		frames_come(&dev[0], batch);
		time_passes(100 * US);
		turns(2);
	}
}

static void adaptive_moves_with_the_rate_and_back(void **state)
{
	uint64_t irqs;

	(void)state;
	set(&dev[0], POLICY_ADAPTIVE);
	traffic(1); /* 10,000 a second */
	assert_int_equal(dev[0].policy.now, POLICY_NAPI);
	traffic(4);
	assert_int_equal(dev[0].policy.now, POLICY_DEFER);
	traffic(40);
	assert_int_equal(dev[0].policy.now, POLICY_POLL);
	irqs = dev[0].napi.irqs;
	traffic(40);
	assert_int_equal(dev[0].napi.irqs, irqs);
	for (unsigned i = 0; i < 1000; i++) { /* nothing more comes: the core may sleep again */
		time_passes(100 * US);
		turns(2);
	}
	assert_int_equal(dev[0].policy.now, POLICY_NAPI);
	time_passes(100000 * US);
	assert_at_rest(&dev[0]);
	assert_true(dev[0].policy.rate.moves >= 3);
}

static void who_waits_for_a_deferred_poll_waits_for_one_that_comes(void **state)
{
	(void)state;
	set(&dev[0], POLICY_DEFER);
	frames_come(&dev[0], 1);
	turn();
	assert_true(dev[0].certain);
	dev[0].policy.storm.until = host_tsc; /* it is over when its queue is polled next */
	time_passes(1000 * US);
	frames_come(&dev[0], 1);
	turn();
	set(&dev[0], POLICY_ADAPTIVE);
	traffic(4);
	assert_int_equal(dev[0].policy.now, POLICY_DEFER);
	time_passes(1000000 * US);
	until_asleep();
	frames_come(&dev[0],
		    1); /* after a silence, so that it is back to POLICY_NAPI behind this poll */
	turn();
	assert_int_equal(dev[0].policy.now, POLICY_NAPI);
}

/* --- storms --- */

static void interrupts_without_work_are_a_storm_once_a_second(void **state)
{
	struct storm s = { 0 };

	(void)state;
	*knob_of("kernel.irq_storm_limit") = 100;
	assert_false(storm_second(&s, 100, 0, 0));    /* as many as the limit are borne */
	assert_false(storm_second(&s, 1100, 900, 0)); /* each of them may have brought its packet */
	assert_true(storm_second(&s, 1201, 900, 0));
	assert_int_equal(s.storms, 1);
	assert_false(storm_second(&s, 9999, 900, 0)); /* it is held already */
	host_tsc = s.until; /* and not for ever, should its queue not have heard of it */
	assert_true(storm_second(&s, 19999, 900, 0));
}

/* a throttle's timer interrupts once more behind each interrupt, and has nothing to bring */
static void as_many_interrupts_without_work_as_polls_with_some_are_borne(void **state)
{
	struct storm s = { 0 };

	(void)state;
	*knob_of("kernel.irq_storm_limit") = 100;
	assert_false(storm_second(&s, 2100, 1000, 1000));
	assert_true(storm_second(&s, 4201, 2000, 2000));
	s.until = 0;
	assert_true(
		storm_second(&s, 6602, 3000, 2150)); /* in batches: 300 had work, or their timers */
}

/*
 * second() - @frames in turn, each with an interrupt and another @idle behind it;
 * then the queue is looked at.
 */
static void second(unsigned frames, unsigned idle)
{
	for (unsigned i = 0; i < frames; i++) {
		frames_come(&dev[0], 1);
		until_asleep();
		for (unsigned n = 0; n < idle; n++) {
			frames_come(&dev[0], 0);
			until_asleep();
		}
	}
	time_passes(1000000 * US);
	until_asleep();
}

static void a_queue_is_looked_at_by_what_its_polls_found(void **state)
{
	(void)state;
	*knob_of("kernel.irq_storm_limit") = 100;
	storm_start();
	second(500, 1);
	assert_int_equal(dev[0].policy.storm.storms, 0);
	second(500, 1);
	assert_int_equal(dev[0].policy.storm.storms, 0);
	second(500, 2);
	assert_int_equal(dev[0].policy.storm.storms, 1);
	assert_non_null(strstr(host_log, "had 1500 interrupts in a second, most of them without"));
}

static void a_storm_is_masked_and_polled_by_timer_till_it_is_over(void **state)
{
	(void)state;
	*knob_of("kernel.irq_storm_limit") = 100;
	*knob_of("kernel.irq_storm_hold_ms") = 10;
	*knob_of("kernel.irq_storm_poll_us") = 1000;
	storm_second(&dev[0].policy.storm, 0, 0, 0);
	for (unsigned i = 0; i < 200; i++) {
		frames_come(&dev[0], 0);
		until_asleep();
	}
	assert_true(storm_second(&dev[0].policy.storm, dev[0].napi.irqs, dev[0].napi.packets, 0));
	napi_policy_calm(&dev[0].policy);
	frames_come(&dev[0], 0);
	until_asleep();
	assert_false(dev[0].open);
	for (unsigned ms = 0; ms < 9; ms++) {
		frames_come(&dev[0], 2);
		time_passes(1000 * US);
		until_asleep();
		assert_int_equal(dev[0].ring, 0); /* its packets come through all the same */
		assert_false(dev[0].open);
	}
	time_passes(1000 * US);
	until_asleep();
	assert_at_rest(&dev[0]);
	assert_null(dev[0].napi.after); /* and it costs nothing any more */
}

static void behind_a_storm_the_policy_is_what_it_was(void **state)
{
	for (unsigned policy = POLICY_DEFER; policy <= POLICY_POLL; policy++) {
		if (!(dev[0].policy.queue.ops->takes & BIT(policy)))
			continue;
		start(state);
		set(&dev[0], policy);
		frames_come(&dev[0], 1);
		turn();
		dev[0].policy.storm.until = host_tsc + 10000 * US;
		for (unsigned ms = 0; ms < 12; ms++) {
			assert_false(dev[0].open);
			frames_come(&dev[0], 1);
			time_passes(1000 * US);
			turns(2);
		}
		assert_int_equal(dev[0].policy.storm.until, 0);
		assert_false(dev[0].open); /* there were frames: none of these policies unmasks
					      behind them */
	}
}

/* --- moderation --- */

static unsigned throttle;

static void set_throttle(struct napi *napi, unsigned usecs)
{
	(void)napi;
	throttle = usecs;
}

/*
 * as many packets whatever the throttle, and fewer interrupts the longer it is: a long one is found
 */
static void moderation_turns_the_throttle_of_the_queue(void **state)
{
	(void)state;
	throttle = 8;
	dev[0].policy.set_throttle = set_throttle;
	napi_policy_moderate(&dev[0].policy, true);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned us = throttle + 9;

		frames_come(&dev[0], us); /* one a microsecond */
		time_passes(us * US);
		until_asleep();
	}
	assert_int_equal(throttle, 256);
	napi_policy_moderate(&dev[0].policy, false);
	assert_null(dev[0].napi.after);
}

/* --- changes --- */

static const enum policy policies[] = { POLICY_NAPI, POLICY_DEFER, POLICY_SUSPEND, POLICY_POLL,
					POLICY_IRQ };

/* whatever a queue waits for, with frames that nothing has announced: the new policy finds them */
static void each_change_at_each_stage_loses_nothing(void **state)
{
	for (unsigned from = 0; from < ARRAY_SIZE(policies); from++)
		for (unsigned to = 0; to < ARRAY_SIZE(policies); to++)
			for (unsigned stage = 0; stage < 8; stage++) {
				start(state);
				set(&dev[0], policies[from]);
				turns(stage & 3);
				frames_come(&dev[0], 2);
				turns(stage >> 2);
				dev[0].ring += 3;
				set(&dev[0], policies[to]);
				turns(2);
				assert_int_equal(dev[0].ring, 0);
				frames_come(&dev[0], 7);
				time_passes(200 * US);
				turns(2);
				assert_int_equal(dev[0].ring, 0);
				set(&dev[0], POLICY_NAPI);
				until_asleep();
				time_passes(100000 * US);
				assert_at_rest(&dev[0]);
			}
}

static void a_queue_that_is_off_stays_off(void **state)
{
	(void)state;
	napi_disable(&dev[0].napi);
	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
		set(&dev[0], policies[i]);
		until_asleep();
		assert_int_equal(dev[0].napi.state, NAPI_DISABLED);
		assert_int_equal(dev[0].polls, 0);
	}
	napi_enable(&dev[0].napi);
	frames_come(&dev[0], 2);
	turns(3);
	assert_int_equal(delivered, 2); /* irq, the last of them */
}

static void disable_takes_it_from_wherever_it_waits(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(policies); i++) {
		start(state);
		set(&dev[0], policies[i]);
		turns(1);
		frames_come(&dev[0], 1);
		turns(1);
		napi_disable(&dev[0].napi);
		dev[0].polls = 0;
		time_passes(100000 * US);
		assert_int_equal(until_asleep(), 0);
		assert_int_equal(dev[0].polls, 0);
		assert_null(this_cpu()->turn_work);
		assert_null(this_cpu()->timers);
	}
}

/* --- measured --- */

static void waits_are_measured_from_the_interrupt_or_the_poll_before(void **state)
{
	const struct napi_ops *ops = dev[0].napi.ops;
	struct napi_measure *m;

	(void)state;
	assert_int_equal(napi_measure_on(&dev[0].policy), 0);
	m = dev[0].policy.measure;
	frames_come(&dev[0], 3);
	time_passes(7 * US);
	until_asleep();
	assert_int_equal(m->wait.count, 3);
	assert_int_equal(m->wait.max, 7 * US);
	set(&dev[0], POLICY_POLL);
	turns(2);
	for (unsigned i = 0; i < 5; i++) {
		time_passes(2 * US);
		dev[0].ring++;
		turn();
	}
	assert_int_equal(m->wait.count, 8);
	assert_int_equal(histogram_percentile(&m->wait, 50),
			 histogram_floor(histogram_bucket(2 * US) + 1) - 1);
	assert_true(m->interval.count >= 5);
	napi_measure_off(&dev[0].policy);
	assert_ptr_equal(dev[0].napi.ops, ops);
	assert_ptr_equal(dev[0].napi.poll, dev_poll);
}

static void waits_in_a_backlog_are_those_of_each_packet(void **state)
{
	struct napi_measure *m;

	(void)state;
	set(&dev[0], POLICY_IRQ);
	until_asleep();
	napi_measure_on(&dev[0].policy);
	m = dev[0].policy.measure;
	frames_come(&dev[0], 1);
	time_passes(5 * US);
	frames_come(&dev[0], 1);
	time_passes(1 * US);
	until_asleep();
	assert_int_equal(m->wait.count, 2);
	assert_int_equal(m->wait.max, 6 * US);
	assert_int_equal(histogram_permille(&m->wait, 1),
			 histogram_floor(histogram_bucket(1 * US) + 1) - 1);
	napi_measure_off(&dev[0].policy);
}

static void the_better_is_by_packets_then_p99_then_busy(void **state)
{
	const struct policy_score a = { 1000, 5000, 100 };
	const char *why;

	(void)state;
	assert_true(policy_second_is_better(&a, &(struct policy_score){ 1100, 9000, 900 }, &why));
	assert_string_equal(why, "more packets");
	assert_false(policy_second_is_better(&a, &(struct policy_score){ 900, 10, 10 }, &why));
	assert_true(policy_second_is_better(&a, &(struct policy_score){ 995, 4000, 1000 }, &why));
	assert_string_equal(why, "a lower p99");
	assert_false(policy_second_is_better(&a, &(struct policy_score){ 1005, 7000, 1 }, &why));
	assert_true(policy_second_is_better(&a, &(struct policy_score){ 1005, 5200, 90 }, &why));
	assert_string_equal(why, "a core less busy");
	assert_false(policy_second_is_better(&a, &a, &why));
	assert_null(why);
}

static void comparing_keeps_what_was_or_the_better(void **state)
{
	(void)state;
	set(&dev[0], POLICY_DEFER);
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 1s"), 0);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_DEFER);
	assert_false(dev[0].policy.measure->on);
	assert_non_null(strstr(host_out, "no packets came: nothing to compare\n"));
	comes_each_time = 5;
	host_text_clear();
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 1"), 0);
	assert_null(strstr(host_out, "nothing to compare"));
	assert_int_equal(dev[0].policy.queue.policy, POLICY_DEFER);
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 1 --keep-best"), 0);
	assert_true(dev[0].policy.queue.policy == POLICY_NAPI ||
		    dev[0].policy.queue.policy == POLICY_POLL);
	assert_int_not_equal(host_exec("policy compare nic0/0 napi poll 0s"), 0);
	assert_int_not_equal(host_exec("policy compare nic0/0 napi poll 1x"), 0);
	assert_int_not_equal(host_exec("policy compare nic9/0 napi poll 1s"), 0);
	assert_int_not_equal(host_exec("policy compare nic0/0 napi kick 1s"), 0);
	assert_int_not_equal(host_exec("policy compare nic0/0 napi poll 1s --keep"), 0);
}

/* in the first phase, and in no other */
static void one_packet_decides_by_packets(void **state)
{
	(void)state;
	comes_each_time = 1;
	comes_so_often = 1;
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 1s"), 0);
	if (!strstr(host_out, "better: napi, by more packets\n"))
		fail_msg("%s", host_out);
}

/* knobs, whether it is measured, and no verdict by nothing */
static void comparing_changes_nothing_else(void **state)
{
	const struct napi_knobs knobs = { 10, 50000, 3000000 };

	(void)state;
	dev[0].policy.knobs = knobs;
	set(&dev[0], POLICY_DEFER);
	assert_int_equal(host_exec("policy compare nic0/0 napi suspend 1s --keep-best"), 0);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_DEFER); /* nothing came */
	assert_memory_equal(&dev[0].policy.knobs, &knobs, sizeof(knobs));
	assert_int_equal(napi_measure_on(&dev[0].policy), 0);
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 1s"), 0);
	assert_memory_equal(&dev[0].policy.knobs, &knobs, sizeof(knobs));
	assert_true(dev[0].policy.measure->on);
	napi_measure_off(&dev[0].policy);
}

static void comparing_ends_when_told_to(void **state)
{
	(void)state;
	set(&dev[0], POLICY_DEFER);
	ctrl_c = true;
	assert_int_equal(host_exec("policy compare nic0/0 napi poll 600s --keep-best"), -EINTR);
	assert_int_equal(dev[0].policy.queue.policy, POLICY_DEFER);
	assert_false(dev[0].policy.measure->on);
	assert_null(strstr(host_out, "better"));
}

/* --- the command --- */

static void the_command_sets_shows_and_rebuilds(void **state)
{
	(void)state;
	assert_int_equal(host_exec("policy nic*/* poll"), 0);
	assert_int_equal(host_exec("policy nic1/0 defer"), 0);
	assert_string_equal(host_out, "");
	assert_int_equal(dev[0].policy.now, POLICY_POLL);
	assert_int_equal(dev[1].policy.now, POLICY_DEFER);
	host_exec("policy");
	assert_non_null(strstr(host_out, "nic0/0              0 poll      poll"));
	assert_non_null(strstr(host_out, "nic1/0              0 defer     defer"));
	host_text_clear();
	host_exec("show config");
	assert_non_null(strstr(host_out, "policy nic0/0 poll\n"));
	assert_non_null(strstr(host_out, "policy nic1/0 defer\n"));
}

static void the_command_says_what_it_wants(void **state)
{
	(void)state;
	assert_int_not_equal(host_exec("policy nic7/0 poll"), 0);
	assert_non_null(strstr(host_out, "a queue, as nic0/0 or nic*/*, or compare"));
	host_text_clear();
	assert_int_not_equal(host_exec("policy nic0/0 kick"), 0);
	assert_non_null(strstr(host_out, "expected irq, napi, defer, suspend, poll or adaptive"));
	assert_int_equal(dev[0].policy.now, POLICY_NAPI);
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(dev); i++)
		free(dev[i].policy.measure);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(poll_never_interrupts_and_never_sleeps),
		TEST(guests_have_their_whole_slices_again_when_nobody_polls),
		TEST(poll_leaves_the_other_queues_their_interrupts),
		TEST(a_queue_that_used_its_weight_is_polled_in_the_same_round),
		TEST(defer_looks_so_many_times_by_timer_before_it_unmasks),
		TEST(defer_begins_anew_with_each_poll_that_found_something),
		TEST(defer_without_knobs_has_numbers_of_its_own),
		TEST(knobs_that_say_so_make_napi_defer_and_back),
		TEST(suspend_polls_at_each_turn_while_there_is_something),
		TEST(suspend_gives_up_when_the_core_stays_away),
		TEST(a_timer_left_from_before_disturbs_nobody),
		TEST(irq_receives_in_the_handler_and_works_in_the_softirq),
		TEST(irq_opens_what_masks_itself),
		TEST(irq_takes_nothing_on_the_core_that_has_parked_the_others),
		TEST(irq_delivers_what_waits_when_told_to),
		TEST(irq_finds_what_came_before_the_unmask),
		TEST(irq_drops_what_the_backlog_cannot_hold),
		TEST(irq_leaves_the_rest_of_a_full_ring_to_the_softirq),
		TEST(irq_moves_with_its_queue),
		TEST(irq_is_refused_without_memory),
		TEST(adaptive_has_steps_and_hysteresis),
		TEST(adaptive_moves_with_the_rate_and_back),
		TEST(who_waits_for_a_deferred_poll_waits_for_one_that_comes),
		TEST(interrupts_without_work_are_a_storm_once_a_second),
		TEST(as_many_interrupts_without_work_as_polls_with_some_are_borne),
		TEST(a_queue_is_looked_at_by_what_its_polls_found),
		TEST(a_storm_is_masked_and_polled_by_timer_till_it_is_over),
		TEST(behind_a_storm_the_policy_is_what_it_was),
		TEST(moderation_turns_the_throttle_of_the_queue),
		TEST(each_change_at_each_stage_loses_nothing),
		TEST(a_queue_that_is_off_stays_off),
		TEST(disable_takes_it_from_wherever_it_waits),
		TEST(waits_are_measured_from_the_interrupt_or_the_poll_before),
		TEST(waits_in_a_backlog_are_those_of_each_packet),
		TEST(the_better_is_by_packets_then_p99_then_busy),
		TEST(comparing_keeps_what_was_or_the_better),
		TEST(one_packet_decides_by_packets),
		TEST(comparing_changes_nothing_else),
		TEST(comparing_ends_when_told_to),
		TEST(the_command_sets_shows_and_rebuilds),
		TEST(the_command_says_what_it_wants),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
