/* SPDX-License-Identifier: MIT */
/*
 * qsbr.h - free what readers without locks may still hold
 *
 * Quiescent-state-based reclamation: a core holds no pointer into a shared table across a turn of
 * its core loop, so what has been unlinked may be freed once every core has turned its loop,
 * sleeps, or has slept since. Linux calls it RCU.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

struct qsbr_head {
	struct qsbr_head *next;
	void (*fn)(struct qsbr_head *h);
	uint64_t turns[MAX_CPUS]; /* each core's count when it was retired */
};

/* qsbr_retire() - unlinked already; call fn(h) on this core once no core can hold it. */
void qsbr_retire(struct qsbr_head *h, void (*fn)(struct qsbr_head *h));

/* qsbr_pending() - retired and not yet freed, all cores. */
unsigned qsbr_pending(void);

/* qsbr_reap() - free what is due on this core. */
void qsbr_reap(void);

/*
 * qsbr_turn() - the core loop says so every turn that does not sleep: no shared pointer is
 * held. Frees what is due.
 */
static inline void qsbr_turn(void)
{
	struct cpu *c = this_cpu();

	/*
	 * seq_cst: no pointer read after this can have been unlinked before a
	 * retirer saw the old count
	 */
	atomic_fetch_add(&c->qs, 2);
	if (unlikely(c->qsbr_waiting))
		qsbr_reap();
}

/*
 * qsbr_sleep(), qsbr_wake() - around HLT, by core @c itself: who sleeps holds nothing. Both
 * together say what a turn says.
 */
static inline void qsbr_sleep(struct cpu *c)
{
	/* release: what was read before is done with */
	atomic_fetch_add_explicit(&c->qs, 1, memory_order_release);
}

static inline void qsbr_wake(struct cpu *c)
{
	/* seq_cst, as in qsbr_turn() */
	atomic_fetch_add(&c->qs, 1);
}
