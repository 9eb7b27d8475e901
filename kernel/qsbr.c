/* SPDX-License-Identifier: MIT */
/*
 * qsbr.c - quiescent-state-based reclamation
 *
 * Each core counts the turns of its loop (struct cpu: qs, even while awake, odd while asleep) and
 * keeps a list of what it retired, oldest first. An entry is due when every core has turned since,
 * or was asleep when it was retired, or sleeps now. A core that waits for others arms a timer, so
 * that the list empties on an idle machine too.
 */
#include "qsbr.h"

#include "cpu.h"
#include "time.h"

#include <stddef.h>

enum { RECHECK_US = 10000 };

static struct qsbr_list {
	struct qsbr_head *first, **last;
	_Atomic unsigned count;
	struct timer timer;
} lists[MAX_CPUS];

/* on the owning core; the turn of the loop that ran this timer does the work */
static void recheck(struct timer *t)
{
	(void)t;
}

/* arm() - an idle core wakes once more for what it retired. */
static void arm(struct qsbr_list *l)
{
	if (l->timer.armed)
		return;
	l->timer.fn = recheck;
	timer_arm(&l->timer, RECHECK_US);
}

void qsbr_retire(struct qsbr_head *h, void (*fn)(struct qsbr_head *h))
{
	struct qsbr_list *l = &lists[this_cpu()->id];

	h->fn = fn;
	h->next = NULL;
	/* seq_cst: the unlinking before us is visible before we look at the counts */
	atomic_thread_fence(memory_order_seq_cst);
	cpu_for_each(i)
		h->turns[i] = atomic_load(&cpus[i]->qs);
	if (!l->first)
		l->last = &l->first;
	*l->last = h;
	l->last = &h->next;
	this_cpu()->qsbr_waiting = true;
	atomic_fetch_add_explicit(&l->count, 1, memory_order_relaxed);
	arm(l);
}

static bool due(const struct qsbr_head *h)
{
	cpu_for_each(i) {
		uint64_t now = atomic_load(&cpus[i]->qs);

		if (now == h->turns[i] && !(now & 1))
			return false;
	}
	return true;
}

void qsbr_reap(void)
{
	struct cpu *c = this_cpu();
	struct qsbr_list *l = &lists[c->id];

	while (l->first && due(l->first)) {
		struct qsbr_head *h = l->first;

		l->first = h->next;
		atomic_fetch_sub_explicit(&l->count, 1, memory_order_relaxed);
		h->fn(h);
	}
	c->qsbr_waiting = l->first;
	if (l->first)
		arm(l);
}

unsigned qsbr_pending(void)
{
	unsigned n = 0;

	cpu_for_each(i)
		n += atomic_load_explicit(&lists[i].count, memory_order_relaxed);
	return n;
}
