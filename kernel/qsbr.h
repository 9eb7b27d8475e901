/* SPDX-License-Identifier: MIT */
/*
 * qsbr.h - free what readers without locks may still hold
 *
 * Quiescent-state-based reclamation: a core holds no pointer into a shared table across a turn of its core loop, so
 * what has been unlinked may be freed once every core has turned its loop, or sleeps. Linux calls it RCU.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct qsbr_head {
	struct qsbr_head *next;
	void (*fn)(struct qsbr_head *h);
	uint64_t turns[16];	/* each core's count when it was retired; MAX_CPUS */
};

/* qsbr_retire() - unlinked already; call fn(h) on this core once no core can hold it. */
void qsbr_retire(struct qsbr_head *h, void (*fn)(struct qsbr_head *h));

/* qsbr_pending() - retired and not yet freed, all cores. */
unsigned qsbr_pending(void);

/* qsbr_turn() - the core loop says so every turn: no shared pointer is held here. Frees what is due. */
void qsbr_turn(void);

/* qsbr_sleep(), qsbr_wake() - around HLT: who sleeps holds nothing. */
void qsbr_sleep(void);
void qsbr_wake(void);
