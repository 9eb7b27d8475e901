/* SPDX-License-Identifier: MIT */
/*
 * neigh_table.h - the table behind neigh.h, and the packets that wait in it; for neigh.c
 * and neigh_control.c alone
 *
 * neigh_find() may be called by any core at any time, and what it finds is good until the core's
 * loop turns. All else here is called with the lock held.
 */
#pragma once

#include "kernel/lock.h"
#include "neigh.h"

/* a packet that waits */
struct waiting {
	struct pkt *p; /* from its IP header on */
	struct waiting *next;
};

/* struct neigh: word holds all that a sender must know, so that it is one load */
#define WORD_MAC   BITS(47, 0)
#define WORD_STATE BITS(55, 48)

struct neigh {
	/* set when it is made */
	struct inet_addr addr;
	struct port *port;
	_Atomic(struct neigh *) next; /* in the bucket; in the free list */
	_Atomic uint64_t word;
	_Atomic uint32_t used; /* second in which it was last sent to */
	/* by the lock's holder */
	bool linked, router;
	unsigned asked;  /* questions since the state began */
	uint64_t due_ms; /* when the state ends, or the next question is due */
	struct waiting *first, **last;
	unsigned nwaiting;
	struct qsbr_head retired;
};

/* guards writes to the table and its chains, states and queues */
extern struct spinlock neigh_lock;
extern struct neigh *neigh_table; /* NEIGH_MAX */
extern unsigned neigh_carved;     /* of these, how many have ever been used */

#define neigh_for_each(n) for (struct neigh *n = neigh_table; n < neigh_table + neigh_carved; n++)

static inline uint64_t neigh_word(const struct neigh *n)
{
	return atomic_load_explicit(&n->word, memory_order_relaxed);
}

static inline enum nud neigh_state(const struct neigh *n)
{
	return FIELD_GET(WORD_STATE, neigh_word(n));
}

/* neigh_set_word() - a new address as well as a new state; @mac by mac_load(). */
static inline void neigh_set_word(struct neigh *n, uint64_t mac, enum nud state)
{
	atomic_store_explicit(&n->word, mac | FIELD_PREP(WORD_STATE, state), memory_order_relaxed);
}

static inline void neigh_set_state(struct neigh *n, enum nud state)
{
	neigh_set_word(n, neigh_word(n) & WORD_MAC, state);
}

static inline void neigh_mac(const struct neigh *n, uint8_t mac[6])
{
	uint64_t w = neigh_word(n);

	memcpy(mac, &w, 6);
}

/* neigh_now_ms() - the clock of ageing. */
uint64_t neigh_now_ms(void);

struct neigh *neigh_find(const struct port *port, const struct inet_addr *a);
/* neigh_make() - a new entry, INCOMPLETE; NULL: gc_thresh3 are there, and all are needed. */
struct neigh *neigh_make(struct port *port, const struct inet_addr *addr);
/*
 * neigh_retire() - take it out of the table; its place is free when no core can hold it any
 * more. Nothing waits for it.
 */
void neigh_retire(struct neigh *n);
/* neigh_is_idle() - nobody would miss it: it may be asked for again. */
bool neigh_is_idle(const struct neigh *n);

/*
 * neigh_enqueue() - put @p behind what waits for @n, at most @most of them. Returns the packet
 * that has to go for it: the oldest, or @p itself; NULL: none. neigh_detach() - take all that
 * waits out, as a list; neigh_give_back() - the list's places are free again, its packets gone;
 * it takes the lock itself.
 */
struct pkt *neigh_enqueue(struct neigh *n, struct pkt *p, unsigned most);
struct waiting *neigh_detach(struct neigh *n);
void neigh_give_back(struct waiting *list);

/* --- neigh.c; without the lock --- */

/*
 * neigh_send_list() - its address is @mac: what waited leaves. neigh_fail_list() - nobody
 * answers: it goes, and is told.
 */
void neigh_send_list(struct port *port, uint64_t mac, struct waiting *list);
void neigh_fail_list(struct port *port, struct waiting *list);
