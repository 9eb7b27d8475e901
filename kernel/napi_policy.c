/* SPDX-License-Identifier: MIT */
/*
 * napi_policy.c - what becomes of a NIC's queue when it has been polled: the policies that
 * softirq.c knows nothing of
 *
 * after() is napi->after, on the queue's core behind each poll; a queue that simply follows Linux's
 * rules has none. It says where the queue waits, masked, or that it goes back to interrupts, which
 * napi_complete() in softirq.c does and nobody else. A policy changes in the control context with
 * the cores parked: the queue is disabled and enabled, so it is polled once under the new policy
 * whatever it waited for under the old one, and nothing is forgotten.
 */
#include "policy.h"

#include "adaptive.h"
#include "control.h"
#include "napi_measure.h"
#include "netif_rx.h"
#include "park.h"
#include "time.h"

enum {
	/* for a policy whose knob is 0; Linux's documentation tries these */
	DEFER_HARD_IRQS = 2,
	GRO_FLUSH_TIMEOUT_NS = 200000,
	IRQ_SUSPEND_TIMEOUT_NS = 2000000,
	DRAIN_MS = 1000,
};

static uint64_t tsc_in_ns(unsigned ns)
{
	return rdtsc() + tsc_from_us(ns) / 1000;
}

static unsigned knob_or(unsigned knob, unsigned otherwise)
{
	return knob ? knob : otherwise;
}

/* found_some() - an empty one is looked at so many times by timer before it is unmasked. */
static void found_some(struct napi_policy *p)
{
	p->defer_left = knob_or(p->knobs.defer_hard_irqs, DEFER_HARD_IRQS);
}

/*
 * defer() - look again by timer, so many times in a row, before interrupts come back
 * [Linux: napi_complete_done()]
 */
static enum napi_next defer(struct napi_policy *p, unsigned taken)
{
	if (taken)
		found_some(p);
	if (!p->defer_left)
		return NAPI_COMPLETE;
	p->defer_left--;
	p->deferrals++;
	napi_poll_at(p->napi, tsc_in_ns(knob_or(p->knobs.gro_flush_timeout, GRO_FLUSH_TIMEOUT_NS)));
	return NAPI_LATER;
}

/*
 * suspend() - as long as polls find packets and the core comes round in time to the next,
 * interrupts stay off. The consumer is what the loop does in between: the guest that was given the
 * packets runs until it sleeps, and back it comes. That is its epoll_wait(). If it keeps the core
 * beyond irq_suspend_timeout the timer polls in its place, and that poll ends as any other: by
 * deferring, then by an interrupt.
 */
static enum napi_next suspend(struct napi_policy *p, unsigned taken)
{
	if (!taken || p->napi->timed_out)
		return defer(p, taken);
	p->suspends++;
	found_some(p);
	napi_turn_by(p->napi,
		     tsc_in_ns(knob_or(p->knobs.irq_suspend_timeout, IRQ_SUSPEND_TIMEOUT_NS)));
	return NAPI_TURN;
}

static void attend(struct napi_policy *p);

static enum napi_next poll_always(void)
{
	this_cpu()->turn_soon = true; /* nobody else would end a guest's run */
	return NAPI_TURN;
}

static enum napi_next by_policy(struct napi_policy *p, unsigned taken)
{
	switch (p->now) {
	case POLICY_DEFER: return defer(p, taken);
	case POLICY_SUSPEND: return suspend(p, taken);
	case POLICY_POLL: return poll_always();
	default: return NAPI_COMPLETE;
	}
}

/*
 * stormy() - is it to stay masked still? Then it is polled by timer; when the storm is over
 * its policy is what it was.
 */
static bool stormy(struct napi_policy *p)
{
	uint64_t at = storm_poll_at(&p->storm);

	if (at)
		napi_poll_at(p->napi, at);
	else
		attend(p);
	return at;
}

/* moderate() - a poll is over and interrupts come back: how long shall the next one wait? */
static void moderate(struct napi_policy *p)
{
	if (dim_sample(&p->dim, tsc_to_ns(rdtsc()), p->napi->packets, p->napi->irqs))
		p->set_throttle(p->napi, dim_usecs(&p->dim));
}

static enum napi_next after(struct napi *napi, unsigned taken, unsigned weight)
{
	struct napi_policy *p = napi->policy;
	enum napi_next next;

	if (p->adaptive)
		p->now = adaptive_poll(&p->rate, p->now, taken);
	if (taken == weight)
		return NAPI_AGAIN;
	if (unlikely(p->storm.until) && stormy(p))
		return NAPI_LATER;
	next = by_policy(p, taken);
	if (p->moderated && next == NAPI_COMPLETE)
		moderate(p);
	return next;
}

/* attend() - is there anything to do behind a poll? Linux's rules alone want no call. */
static void attend(struct napi_policy *p)
{
	bool plain = p->now == POLICY_NAPI && !p->adaptive && !p->moderated && !p->storm.until;

	p->napi->after = plain ? NULL : after;
}

void napi_policy_calm(struct napi_policy *p)
{
	p->napi->after = after;
}

/* --- changing it --- */

static void enforce(struct napi_policy *p, enum policy policy)
{
	p->adaptive = policy == POLICY_ADAPTIVE;
	p->now = p->adaptive ? POLICY_NAPI : policy;
	p->rate.begun = p->rate.packets = 0;
	p->defer_left = 0;
	attend(p);
	p->napi->rx = p->now == POLICY_IRQ ? p->rx : NULL;
}

/*
 * drain() - a queue that was received in its interrupt, and is silent now: what waits behind it
 * goes first, or it would be overtaken. Its core has nothing of this queue to do but that.
 */
static void drain(const struct netif_rx *rx)
{
	for (unsigned ms = 0; netif_rx_waiting(rx) && ms < DRAIN_MS; ms++)
		msleep(1);
}

static const char *set(struct policy_queue *q, enum policy policy)
{
	struct napi_policy *p = container_of(q, struct napi_policy, queue);
	bool enabled = p->napi->state != NAPI_DISABLED;

	if (policy == POLICY_IRQ && !p->rx) {
		p->rx = netif_rx_create(p);
		if (!p->rx)
			return "there is no memory for a pool of its own";
	}
	cores_park();
	if (enabled)
		napi_disable(p->napi);
	if (p->napi->rx) {
		cores_resume();
		drain(p->rx);
		cores_park();
	}
	if (policy == POLICY_NAPI)
		p->knobs.defer_hard_irqs = 0; /* with it, it would be POLICY_DEFER */
	enforce(p, policy);
	if (enabled)
		napi_enable(p->napi);
	cores_resume();
	return NULL;
}

/* --- what it comes to --- */

static void count(const struct policy_queue *q, struct policy_counts *c)
{
	const struct napi *napi = container_of(q, struct napi_policy, queue)->napi;
	/* read once: its core may be at it, and they are part of all polls */
	uint64_t empty = napi->polls_took[0];

	*c = (struct policy_counts){
		.packets = napi->packets,
		.interrupts = napi->irqs,
		.polls = empty + napi_polls_between(napi, 1, NAPI_POLL_MAX),
		.empty_polls = empty,
	};
}

static enum policy now(const struct policy_queue *q)
{
	return container_of(q, struct napi_policy, queue)->now;
}

static unsigned cpu(const struct policy_queue *q)
{
	return container_of(q, struct napi_policy, queue)->napi->cpu;
}

static bool present(const struct policy_queue *q)
{
	const struct napi_policy *p = container_of(q, struct napi_policy, queue);

	return p->present(p->napi);
}

static bool knob(struct policy_queue *q, unsigned i, struct policy_knob *knob)
{
	struct napi_knobs *k = &container_of(q, struct napi_policy, queue)->knobs;
	const struct policy_knob knobs[] = {
		{ "defer-hard-irqs", &k->defer_hard_irqs, 1000 },
		{ "gro-flush-timeout", &k->gro_flush_timeout, 1000000000 },
		{ "irq-suspend-timeout", &k->irq_suspend_timeout, 1000000000 },
	};

	if (i < ARRAY_SIZE(knobs))
		*knob = knobs[i];
	return i < ARRAY_SIZE(knobs);
}

static int measure(struct policy_queue *q, bool on)
{
	struct napi_policy *p = container_of(q, struct napi_policy, queue);

	if (on)
		return napi_measure_on(p);
	napi_measure_off(p);
	return 0;
}

static const struct histogram *waits(const struct policy_queue *q)
{
	const struct napi_measure *m = container_of(q, struct napi_policy, queue)->measure;

	return m && m->on ? &m->wait : NULL;
}

static const struct policy_ops policy_ops = {
	.takes = BIT(POLICY_IRQ) | BIT(POLICY_NAPI) | BIT(POLICY_DEFER) | BIT(POLICY_SUSPEND) |
		 BIT(POLICY_ADAPTIVE) | BIT(POLICY_POLL),
	.set = set,
	.present = present,
	.count = count,
	.now = now,
	.cpu = cpu,
	.measure = measure,
	.waits = waits,
	.knob = knob,
};

void napi_policy_init(struct napi_policy *p)
{
	static unsigned numbers;

	p->number = numbers++;
	p->napi->policy = p;
	p->queue.ops = &policy_ops;
	p->queue.first = POLICY_NAPI;
	enforce(p, POLICY_NAPI);
	storm_watch(&p->storm);
	policy_add(&p->queue);
}

void napi_policy_moderate(struct napi_policy *p, bool on)
{
	cores_park();
	p->moderated = on;
	dim_init(&p->dim);
	attend(p);
	cores_resume();
}

/* --- /sys/class/net: the knobs of all queues of a device at once, as Linux has them --- */

void napi_policy_tune(struct napi_policy *p, const struct napi_knobs *k)
{
	bool defers = k->defer_hard_irqs && k->gro_flush_timeout;

	p->knobs = *k;
	if (defers && p->queue.policy == POLICY_NAPI)
		policy_set(&p->queue, POLICY_DEFER);
	else if (!defers && p->queue.policy == POLICY_DEFER)
		policy_set(&p->queue, POLICY_NAPI);
}
