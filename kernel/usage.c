/* SPDX-License-Identifier: MIT */
/*
 * usage.c - see usage.h. Control context; what it reads is written by each core's loop, and while
 * interrupts are timed by irq.c.
 */
#include "usage.h"

#include "park.h"
#include "time.h"
#include "trace.h"

#include <string.h>

/* what a core sleeps ends when it has seen to the interrupt that wakes it */
static uint64_t idle_of(const struct cpu *c)
{
	return c->idle_tsc - c->idle_irq_tsc;
}

void usage_take(struct usage *u)
{
	const struct guest_ops *guests = guest_attached();

	memset(u, 0, sizeof(*u));
	cores_park();
	u->tsc = rdtsc();
	cpu_for_each(i)
		u->core[i] = (struct core_usage){ .idle = idle_of(cpus[i]),
						  .control = cpus[i]->control_tsc,
						  .irq = cpus[i]->irq_tsc };
	u->core[0].control += u->tsc - cpus[0]->control_since; /* we are in it */
	if (guests && guests->usage)
		u->nguests = guests->usage(u->guest, USAGE_GUESTS);
	cores_resume();
	for (unsigned i = 0; i < u->nguests; i++)
		u->core[u->guest[i].cpu].guest += u->guest[i].tsc;
}

static const struct guest_usage *find(const struct usage *u, const struct guest_usage *g)
{
	for (unsigned i = 0; i < u->nguests; i++)
		if (u->guest[i].vcpu == g->vcpu && strcmp(u->guest[i].name, g->name) == 0)
			return &u->guest[i];
	return NULL;
}

void usage_since(struct usage *to, const struct usage *from)
{
	to->tsc -= from->tsc;
	cpu_for_each(i) {
		to->core[i].idle -= from->core[i].idle;
		to->core[i].guest -= from->core[i].guest;
		to->core[i].control -= from->core[i].control;
		to->core[i].irq -= from->core[i].irq;
	}
	for (unsigned i = 0; i < to->nguests; i++) {
		const struct guest_usage *before = find(from, &to->guest[i]);

		if (before) {
			to->guest[i].tsc -= before->tsc;
			to->guest[i].exits -= before->exits;
		}
	}
}

void usage_time_irqs(bool on)
{
	if (on)
		trace_on |= TRACE_TIME_IRQS;
	else
		trace_on &= ~TRACE_TIME_IRQS;
}
