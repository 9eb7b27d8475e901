/* SPDX-License-Identifier: MIT */
/*
 * vhost_policy.c - kick or look: how the worker learns that a guest has put something into a ring
 *
 * vhost_wait_otherwise() runs on the worker's core when a ring was found empty, its mutex held; the
 * rest in the control context, where policies change with the cores parked. What POLICY_ADAPTIVE
 * does while worker and guest share a core is vhost.c's, since it waits for the guest's run to end.
 */
#include "vhost.h"

#include "kernel/park.h"
#include "kernel/time.h"

#include <stdio.h>

enum { BUSYLOOP_TIMEOUT_US = 50 /* where none was set */ };

/* its turn has come: the worker looks */
static void turn_comes(struct turn_work *w)
{
	struct vhost_vring *v = container_of(w, struct vhost_vring, turn);

	v->polls++;
	v->polled = true;
	vhost_poll_queue(v);
}

static bool look_next_turn(struct vhost_vring *v)
{
	struct cpu *c = this_cpu();

	c->turn_soon = true; /* nobody else would end a guest's run */
	turn_add(c, &v->turn);
	return false;
}

/*
 * busyloop() - so long after the last that was found it is looked at once more
 * [Linux: vhost_net_busy_poll()]
 */
static bool busyloop(struct vhost_vring *v, unsigned took)
{
	uint64_t now = rdtsc();

	if (took)
		v->busy_until = now + tsc_from_us(v->busyloop_timeout ? v->busyloop_timeout
								      : BUSYLOOP_TIMEOUT_US);
	return now < v->busy_until ? look_next_turn(v) : virtq_notify_on(&v->vq);
}

bool vhost_wait_otherwise(struct vhost_vring *v, unsigned took)
{
	if (v->policy.policy == POLICY_BUSYLOOP)
		return busyloop(v, took);
	if (v->policy.policy == POLICY_POLL)
		return look_next_turn(v);
	return virtq_notify_on(&v->vq);
}

/* --- as a queue --- */

void vhost_policy_shares(struct vhost_vring *v)
{
	v->shares = v->policy.policy == POLICY_ADAPTIVE && v->net->same_core;
}

/* The ring is looked at once under the new policy, whatever it waited for under the old one. */
static const char *set(struct policy_queue *q, enum policy policy)
{
	struct vhost_vring *v = container_of(q, struct vhost_vring, policy);

	cores_park();
	turn_remove(cpus[v->net->cpu], &v->turn);
	q->policy = policy;
	vhost_policy_shares(v);
	cores_resume();
	vhost_poll_queue(v);
	return NULL;
}

static bool present(const struct policy_queue *q)
{
	(void)q;
	return true;
}

static void count(const struct policy_queue *q, struct policy_counts *c)
{
	const struct vhost_vring *v = container_of(q, struct vhost_vring, policy);

	*c = (struct policy_counts){
		.packets = v->packets,
		.interrupts = v->kicks,
		.polls = v->polls,
		.empty_polls = v->empty,
	};
}

static unsigned cpu(const struct policy_queue *q)
{
	return container_of(q, struct vhost_vring, policy)->net->cpu;
}

static bool knob(struct policy_queue *q, unsigned i, struct policy_knob *knob)
{
	struct vhost_vring *v = container_of(q, struct vhost_vring, policy);

	*knob = (struct policy_knob){ "busyloop-timeout", &v->busyloop_timeout, 1000000 };
	return i == 0;
}

static const struct policy_ops policy_ops = {
	.takes = BIT(POLICY_KICK) | BIT(POLICY_BUSYLOOP) | BIT(POLICY_POLL) | BIT(POLICY_ADAPTIVE),
	.set = set,
	.present = present,
	.count = count,
	.cpu = cpu,
	.measure = vhost_measure,
	.waits = vhost_waits,
	.knob = knob,
};

void vhost_policy_init(struct vhost_vring *v)
{
	unsigned index = v - v->net->vring;

	v->turn.fn = turn_comes;
	v->policy.ops = &policy_ops;
	v->policy.first = POLICY_ADAPTIVE;
	snprintf(v->policy.name, sizeof(v->policy.name), "%s/%s", v->net->port->name,
		 index == VHOST_RX ? "rx" : "tx");
	policy_add(&v->policy);
}
