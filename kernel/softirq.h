/* SPDX-License-Identifier: MIT */
/*
 * softirq.h - work that a hard interrupt put off, and the NAPI contract
 *
 * A hard interrupt calls napi_irq() and returns; everything else happens here, from the core loop,
 * with interrupts on. The names and numbers are Linux's (net/core/dev.c): budget 300 a round,
 * weight 64 a poll, 2 ms, time_squeeze when a round ended with work left.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"
#include "time.h"
#include "turn.h"

enum softirq {
	SOFTIRQ_PARK, /* stand still: park.h. First, so that a busy core parks soon */
	SOFTIRQ_CALL, /* functions that other cores asked for */
	SOFTIRQ_TIMER,
	SOFTIRQ_NET_TX,  /* packets that other cores handed to a queue of ours */
	SOFTIRQ_BACKLOG, /* the interrupt of this core's backlog: net/rps.h */
	SOFTIRQ_NET_RX,  /* the poll list */
	SOFTIRQ_VHOST,   /* the work list between guests' queues and their taps */
	SOFTIRQ_KICK, /* nothing but to be raised: a guest's core looks again what it has to take */
	SOFTIRQ_SELFTEST, /* selftest.c's load */
	SOFTIRQ_N
};

extern const char *const softirq_name[SOFTIRQ_N];

/* open_softirq() - say what @nr does; once, at init, before any core raises it. */
void open_softirq(enum softirq nr, void (*action)(void));

/* raise_softirq() - on this core; from a hard interrupt, a softirq or the control context. */
void raise_softirq(enum softirq nr);

/* raise_softirq_on() - on any core; wakes it by IPI if it sleeps. */
void raise_softirq_on(struct cpu *c, enum softirq nr);

/*
 * softirq_pending_on() - bits raised on @c, this core, and not yet run; softirq_pending()
 * where @c is not at hand.
 */
static inline uint32_t softirq_pending_on(const struct cpu *c)
{
	return c->softirq_pending | atomic_load_explicit(&c->remote_pending, memory_order_relaxed);
}

static inline uint32_t softirq_pending(void)
{
	return softirq_pending_on(this_cpu());
}

extern void (*softirq_vec[SOFTIRQ_N])(void);

/*
 * softirq_set(), softirq_take() - bits of this core's own word, set and taken. An instruction each,
 * so an interrupt of this core falls before or after it, never between.
 */
static inline void softirq_set(uint32_t bits)
{
#if __STDC_HOSTED__
	this_cpu_var(softirq_pending) |= bits;
#else
	__asm__ volatile("orl %1, %0"
			 : "+m"(this_cpu_var(softirq_pending))
			 : "ri"(bits)
			 : "memory");
#endif
}

static inline uint32_t softirq_take(void)
{
	uint32_t bits = 0;

#if __STDC_HOSTED__
	bits = this_cpu_var(softirq_pending);
	this_cpu_var(softirq_pending) = 0;
#else
	__asm__ volatile("xchgl %0, %1"
			 : "+r"(bits), "+m"(this_cpu_var(softirq_pending))
			 :
			 : "memory");
#endif
	return bits;
}

/* softirq_round() - what is pending on @c, this core, each once, the lowest first. */
static inline void softirq_round(struct cpu *c)
{
	uint32_t bits = softirq_take();

	if (unlikely(atomic_load_explicit(&c->remote_pending, memory_order_relaxed)))
		/*
		 * acquire: pairs with the release in raise_softirq_on; what they prepared is seen
		 */
		bits |= atomic_exchange_explicit(&c->remote_pending, 0, memory_order_acquire);
	while (bits) {
		unsigned nr = __builtin_ctz(bits);

		bits &= bits - 1;
		c->softirq_count[nr]++;
		softirq_vec[nr]();
	}
}

/*
 * softirq_run_again() - more was raised meanwhile: nine further rounds, or 2 ms.
 * Returns whether work is left.
 */
bool softirq_run_again(struct cpu *c);

/*
 * softirq_run() - run what is pending on @c, this core, at most 10 rounds or 2 ms (Linux's
 * MAX_SOFTIRQ_RESTART and _TIME). Here and in net_rx_action the clock is read only behind the first
 * turn, which has a bound of its own: most have no second. Returns true if work is left over: the
 * caller gives the rest of the core its share, then comes back.
 */
static inline bool softirq_run(struct cpu *c)
{
	softirq_round(c);
	return unlikely(softirq_pending_on(c)) && softirq_run_again(c);
}

void softirq_init(void);
/*
 * softnet_backlog() - who knows what waits in the backlog of a core, and what found it
 * full, for softnet_stat. Boot.
 */
void softnet_backlog(unsigned (*len)(unsigned cpu), uint64_t (*dropped)(unsigned cpu));

/* sysctl net.core.netdev_budget, netdev_budget_usecs and dev_weight */
extern unsigned netdev_budget, netdev_budget_usecs, dev_weight;

struct napi;
struct napi_policy;
struct netif_rx;

enum { NAPI_POLL_MAX = 64 }; /* most that dev_weight can be */

struct napi_ops {
	/* all three on the owning core; irq_mask also from its hard interrupt */
	void (*irq_mask)(struct napi *napi);
	void (*irq_unmask)(struct napi *napi);
	/* is there work that no interrupt will announce? */
	bool (*work_pending)(struct napi *napi);
};

enum napi_state {
	NAPI_DISABLED,  /* interrupts are masked and stay so */
	NAPI_IDLE,      /* interrupts on, not on a poll list */
	NAPI_SCHEDULED, /* masked, on the poll list of its core, being polled, or enum napi_next */
	NAPI_DIRECT,    /* interrupts on, whose handler receives: netif_rx.h. Never polled */
};

/* what becomes of a queue that has been polled */
enum napi_next {
	NAPI_COMPLETE, /* back to interrupts */
	NAPI_AGAIN,    /* more may be there: behind the others of the poll list */
	NAPI_TURN,     /* at the next turn of the core loop, which does not sleep before */
	NAPI_LATER,    /* when napi->timer, armed by now, runs */
};

/* who may look on, from the queue outwards: napi_layers.h */
enum napi_layer { NAPI_PATH, NAPI_ONE, NAPI_MEASURE, NAPI_LAYERS };

struct napi_around;

struct napi {
	const struct napi_ops *ops;
	/*
	 * takes up to @budget packets, 1 to NAPI_POLL_MAX; returns how many. Fewer:
	 * nothing was left when it looked
	 */
	unsigned (*poll)(struct napi *napi, unsigned budget);
	/*
	 * what comes next, behind a poll that took @taken of @weight; NULL: Linux's rules,
	 * which are to complete unless the weight was used up. On the owning core, for a queue
	 * with a policy of its own
	 */
	enum napi_next (*after)(struct napi *napi, unsigned taken, unsigned weight);
	struct napi_policy *policy; /* policy.h; NULL: it has none but Linux's */
	struct netif_rx *rx;        /* it is received in its interrupt; NULL: polled */
	struct napi *next;          /* poll list */
	volatile enum napi_state
		state;     /* by the owning core; by control while all cores are parked */
	uint32_t cpu;      /* owning core */
	uint32_t id;       /* from 1, at the first napi_enable(); record points name it */
	bool masks_itself; /* its device does that when it sends the interrupt */
	const char *name;  /* "nic0-TxRx-0" */

	/* napi_layers.c: what ops and poll are made of */
	const struct napi_ops *own_ops;
	unsigned (*own_poll)(struct napi *napi, unsigned budget);
	const struct napi_around *around[NAPI_LAYERS];
	uint32_t told;            /* BIT(enum napi_layer) */
	struct napi_ops told_ops; /* own_ops, but that those are told first */

	/* statistics, by the owning core */
	uint64_t irqs;                 /* hard interrupts that found it */
	uint64_t irqs_while_scheduled; /* of these, already on the list: normal, nothing to do */
	uint64_t irqs_while_disabled;  /* of these, before enable or after disable: masked again */
	uint64_t irqs_stray; /* on a core that no longer owns it: ignored, the new owner polls
				anyhow */
	uint64_t packets;
	uint64_t completes; /* went back to interrupts */
	uint64_t rechecks;  /* of these, work had come before the unmask: rescheduled */
	uint64_t polls_took[NAPI_POLL_MAX + 1]; /* by how many packets */

	/* how it comes back to the poll list without an interrupt; by the owning core */
	struct turn_work turn;
	struct timer timer;   /* may run when it is no longer wanted: waits says */
	enum napi_next waits; /* NAPI_TURN, NAPI_LATER, or neither */
	uint64_t turn_by; /* TSC; NAPI_TURN: somebody kept the core for too long if the turn has not
			     come by then */
	bool timed_out;   /* which is why it was polled last */
	uint64_t timer_polls;  /* times that its timer had it polled */
	uint64_t timer_behind; /* of these, while it waited for the next turn */
};

/* napi_polls_between() - times that a poll took @least packets to @most. */
static inline uint64_t napi_polls_between(const struct napi *napi, unsigned least, unsigned most)
{
	uint64_t n = 0;

	for (unsigned i = least; i <= MIN(most, NAPI_POLL_MAX); i++)
		n += napi->polls_took[i];
	return n;
}

/* napi_polls() - times it was polled; napi->polls_took[0] of them took nothing. */
static inline uint64_t napi_polls(const struct napi *napi)
{
	return napi_polls_between(napi, 0, NAPI_POLL_MAX);
}

/* napi_irq() - the whole of a queue's hard interrupt: mask, put on the poll list, raise NET_RX. */
void napi_irq(struct napi *napi);

/* napi_schedule() - the same without an interrupt, on the owning core. */
void napi_schedule(struct napi *napi);

/*
 * napi_poll_at() - before NAPI_LATER: have it polled at TSC @deadline. napi_turn_by() - before
 * NAPI_TURN: by then at the latest, if the loop does not come round. On its core.
 */
void napi_poll_at(struct napi *napi, uint64_t deadline);
void napi_turn_by(struct napi *napi, uint64_t deadline);

/*
 * napi_enable() - hand the queue to its core: IDLE, interrupts on, and one poll, so that
 * what came before is seen.
 * napi_disable() - mask it; it is polled no more, by nobody.
 * Both in the control context with all cores parked (park.h), or before the cores run.
 */
void napi_enable(struct napi *napi);
void napi_disable(struct napi *napi);
