/* SPDX-License-Identifier: MIT */
/*
 * timer.c - a sorted list of timers a core, run in SOFTIRQ_TIMER on the core that armed them
 *
 * There are few (link watchdog, ageing, sleepers), so a list it is. Owns struct cpu: timers.
 */
#include "timer.h"

#include "cpu.h"
#include "softirq.h"
#include "time.h"
#include "trace.h"

#include <stddef.h>

static void list_remove(struct cpu *c, struct timer *t)
{
	for (struct timer **p = &c->timers; *p; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			break;
		}
	t->armed = false;
}

void timer_arm_at(struct timer *t, uint64_t deadline)
{
	struct cpu *c = this_cpu();
	struct timer **p = &c->timers;

	if (t->armed)
		list_remove(c, t);
	t->deadline = deadline;
	while (*p && (*p)->deadline <= t->deadline)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->armed = true;
	if (c->timers == t)
		timer_hw_arm(t->deadline);
}

void timer_arm(struct timer *t, uint64_t us)
{
	timer_arm_at(t, rdtsc() + tsc_from_us(us));
}

void timer_cancel_on(struct cpu *c, struct timer *t)
{
	if (t->armed)
		list_remove(c, t);
}

void timer_cancel(struct timer *t)
{
	timer_cancel_on(this_cpu(), t);
}

/*
 * run_due() - each function may arm timers again; those that are due
 * already wait for the next turn.
 */
static void run_due(void)
{
	struct cpu *c = this_cpu();
	uint64_t now = rdtsc();

	while (c->timers && c->timers->deadline <= now) {
		struct timer *t = c->timers;

		c->timers = t->next;
		t->armed = false;
		trace(TRACE_TIMER, 0, 0);
		t->fn(t);
	}
	if (c->timers)
		timer_hw_arm(c->timers->deadline);
}

void timer_init(void)
{
	open_softirq(SOFTIRQ_TIMER, run_due);
}
