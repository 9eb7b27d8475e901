/* SPDX-License-Identifier: MIT */
/*
 * napi_policy.c - what becomes of a NIC's queue when it has been polled: the policies that softirq.c knows nothing of
 *
 * after() is napi->after, on the queue's core behind each poll; a queue that simply follows Linux's rules has none. It
 * says where the queue waits, masked, or that it goes back to interrupts, which napi_complete() in softirq.c does and
 * nobody else. A policy changes in the control context with the cores parked: the queue is disabled and enabled, so it
 * is polled once under the new policy whatever it waited for under the old one, and nothing is forgotten.
 */
#include "policy.h"

#include "park.h"
#include "time.h"

enum {
	/* where a policy needs a knob that was not turned; Linux's documentation tries these */
	DEFER_HARD_IRQS = 2,
	GRO_FLUSH_TIMEOUT_NS = 200000,
	IRQ_SUSPEND_TIMEOUT_NS = 2000000,
};

static uint64_t tsc_in_ns(unsigned ns)
{
	return rdtsc() + tsc_from_us(ns) / 1000;
}

/* defer() - look again by timer, so many times in a row, before interrupts come back [Linux: napi_complete_done()] */
static enum napi_next defer(struct napi_policy *p, unsigned taken)
{
	if (taken)
		p->defer_left = p->knobs.defer_hard_irqs;
	if (!p->defer_left || !p->knobs.gro_flush_timeout)
		return NAPI_COMPLETE;
	p->defer_left--;
	p->deferrals++;
	napi_poll_at(p->napi, tsc_in_ns(p->knobs.gro_flush_timeout));
	return NAPI_LATER;
}

/*
 * suspend() - as long as polls find packets and the core comes round in time to the next, interrupts stay off. The
 * consumer is what the loop does in between: the guest that was given the packets runs until it sleeps, and back it
 * comes. That is its epoll_wait(). If it keeps the core beyond irq_suspend_timeout the timer polls in its place, and
 * that poll ends as any other: by deferring, then by an interrupt.
 */
static enum napi_next suspend(struct napi_policy *p, unsigned taken)
{
	if (!taken || p->napi->timed_out)
		return defer(p, taken);
	p->suspends++;
	p->defer_left = p->knobs.defer_hard_irqs;
	napi_turn_by(p->napi, tsc_in_ns(p->knobs.irq_suspend_timeout));
	return NAPI_TURN;
}

static enum napi_next poll_always(void)
{
	this_cpu()->turn_soon = true; /* nobody else would end a guest's run */
	return NAPI_TURN;
}

static enum napi_next after(struct napi *napi, unsigned taken, unsigned weight)
{
	struct napi_policy *p = napi->policy;

	if (taken == weight)
		return NAPI_AGAIN;
	switch (p->now) {
	case POLICY_DEFER: return defer(p, taken);
	case POLICY_SUSPEND: return suspend(p, taken);
	case POLICY_POLL: return poll_always();
	default: return NAPI_COMPLETE;
	}
}

/* --- changing it --- */

/* default_knobs() - a policy without its knobs would be POLICY_NAPI by another name. */
static void default_knobs(struct napi_knobs *k, enum policy policy)
{
	if (policy != POLICY_DEFER && policy != POLICY_SUSPEND)
		return;
	if (!k->defer_hard_irqs)
		k->defer_hard_irqs = DEFER_HARD_IRQS;
	if (!k->gro_flush_timeout)
		k->gro_flush_timeout = GRO_FLUSH_TIMEOUT_NS;
	if (policy == POLICY_SUSPEND && !k->irq_suspend_timeout)
		k->irq_suspend_timeout = IRQ_SUSPEND_TIMEOUT_NS;
}

static void enforce(struct napi_policy *p, enum policy now)
{
	p->now = now;
	p->defer_left = 0;
	p->napi->after = now == POLICY_NAPI ? NULL : after;
}

static const char *set(struct policy_queue *q, enum policy policy)
{
	struct napi_policy *p = container_of(q, struct napi_policy, queue);
	bool enabled = p->napi->state != NAPI_DISABLED;

	cores_park();
	if (enabled)
		napi_disable(p->napi);
	default_knobs(&p->knobs, policy);
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

	*c = (struct policy_counts){
		.packets = napi->packets,
		.interrupts = napi->irqs,
		.polls = napi_polls(napi),
		.empty_polls = napi->batch_hist[0],
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

static const struct policy_ops policy_ops = {
	.takes = BIT(POLICY_NAPI) | BIT(POLICY_DEFER) | BIT(POLICY_SUSPEND) | BIT(POLICY_POLL),
	.set = set,
	.present = present,
	.count = count,
	.now = now,
	.cpu = cpu,
};

void napi_policy_init(struct napi_policy *p)
{
	p->napi->policy = p;
	p->queue.ops = &policy_ops;
	p->queue.first = POLICY_NAPI;
	enforce(p, POLICY_NAPI);
	policy_add(&p->queue);
}
