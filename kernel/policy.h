/* SPDX-License-Identifier: MIT */
/*
 * policy.h - interrupt or poll: how each queue learns that there is work
 *
 * A queue is a NIC's receive queue or a ring between a guest and its worker. All of them stand in
 * one list, by names like nic0/0 and tap0/tx, and each has one of these policies, which the
 * operator changes while traffic runs. What the interrupt is to a NIC's queue the kick is to a
 * guest's ring: it costs, and without it somebody has to look.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dim.h"
#include "shell.h"
#include "softirq.h"
#include "storm.h"

enum policy {
	/* a NIC's */
	POLICY_IRQ,     /* an interrupt a packet, received in the handler: livelock's classic */
	POLICY_NAPI,    /* Linux's: masked while there is work, polled until there is none */
	POLICY_DEFER,   /* napi_defer_hard_irqs, gro_flush_timeout: looks again by timer before it
			   unmasks */
	POLICY_SUSPEND, /* irq_suspend_timeout: masked as long as the core comes back in time */
	/* a guest's ring */
	POLICY_KICK,     /* the guest kicks whenever the ring was found empty */
	POLICY_BUSYLOOP, /* busyloop_timeout: looked at for so long before it is to kick */
	/* both */
	POLICY_POLL, /* never an interrupt, never a kick: looked at in each turn of the core loop */
	POLICY_ADAPTIVE, /* by what traffic there is */
	POLICY_N
};

extern const char *const policy_name[POLICY_N];

/* what `policy` shows of a queue, and what `policy compare` compares; they only grow */
struct policy_counts {
	uint64_t packets;
	uint64_t interrupts; /* or kicks */
	uint64_t polls, empty_polls;
};

struct histogram;
struct pkt;
struct policy_queue;

/*
 * what a policy goes by, named as Linux names it for one queue (netlink's
 * napi-set, VHOST_SET_VRING_...)
 */
struct policy_knob {
	const char *name;
	unsigned *value;
	unsigned max;
};

struct policy_ops {
	uint32_t takes; /* BIT(enum policy) that make sense */
	/* all in the control context. set: NULL, or why it cannot be */
	const char *(*set)(struct policy_queue *q, enum policy policy);
	bool (*present)(const struct policy_queue *q); /* in use just now */
	void (*count)(const struct policy_queue *q, struct policy_counts *c);
	/* what an adaptive one does; may be NULL */
	enum policy (*now)(const struct policy_queue *q);
	unsigned (*cpu)(const struct policy_queue *q);
	/* measure it, from zero, or no more. 0 or a negative errno; NULL: it cannot be */
	int (*measure)(struct policy_queue *q, bool on);
	/*
	 * how long its packets waited, as napi_measure.h has it; NULL while it is not measured.
	 * May be NULL as measure is
	 */
	const struct histogram *(*waits)(const struct policy_queue *q);
	/*
	 * its knob number @i; false: it has so many only. May be NULL. They are written
	 * as they stand, before set
	 */
	bool (*knob)(struct policy_queue *q, unsigned i, struct policy_knob *knob);
};

struct policy_queue {
	char name[24];
	const struct policy_ops *ops;
	enum policy policy; /* as the operator set it */
	enum policy first;  /* as it began */
	struct policy_queue *next;
};

/*
 * policy_add() - @q has name, ops and first; it stays in the list for ever.
 * Boot or control context.
 */
void policy_add(struct policy_queue *q);

/*
 * policy_next() - the first queue behind @q, or of all with NULL, that is present
 * and whose name is @glob.
 */
struct policy_queue *policy_next(const char *glob, const struct policy_queue *q);

/* policy_by_name() - NULL if there is none. policy_set() - NULL, or why not. Control context. */
struct policy_queue *policy_by_name(const char *name);
const char *policy_set(struct policy_queue *q, enum policy policy);

/*
 * policy_word() - word @i of the line as one of the policies that @takes; says
 * what was expected if not.
 */
int policy_word(struct shell *sh, int i, uint32_t takes, enum policy *policy);

/* --- NIC queues: napi_policy.c --- */

/* how many packets come, for an adaptive queue: adaptive.h */
struct adaptive {
	uint64_t begun;   /* TSC: the window that goes on; 0: none does */
	uint64_t packets; /* in it */
	uint64_t moves;   /* from one policy to another */
};

/* the knobs of a NIC's queue, in nanoseconds where they are times; at 0 as Linux has them */
struct napi_knobs {
	unsigned defer_hard_irqs;     /* times that an empty queue is looked at by timer */
	unsigned gro_flush_timeout;   /* and after how long each */
	unsigned irq_suspend_timeout; /* how long the core may stay away */
};

struct napi_policy {
	struct policy_queue queue;
	struct napi *napi;
	bool (*present)(const struct napi *napi); /* in use, or one of those that could be */
	/*
	 * for POLICY_IRQ; NULL: it cannot have that. take: up to @max packets out of the
	 * device's ring, in its interrupt; deliver: packets that were taken go on, in a
	 * softirq of the same core
	 */
	unsigned (*take)(struct napi *napi, struct pkt **pkts, unsigned max);
	void (*deliver)(struct napi *napi, struct pkt **pkts, unsigned n);
	const unsigned *max_backlog; /* how many may wait in between */
	struct netif_rx *rx;         /* once it has been POLICY_IRQ */
	/* packets that wait in the device's ring; NULL: it cannot say */
	unsigned (*depth)(const struct napi *napi);
	struct napi_measure *measure; /* napi_measure.h; NULL: it is not measured */
	unsigned number;              /* among all such queues */
	struct napi_knobs knobs;
	enum policy now; /* differs from queue.policy where that is adaptive */

	bool adaptive; /* queue.policy is that; adaptive.h moves now */
	/*
	 * dynamic interrupt moderation, ethtool -C adaptive-rx; NULL: the device cannot.
	 * @usecs: the queue's throttle
	 */
	void (*set_throttle)(struct napi *napi, unsigned usecs);
	bool moderated;
	struct storm storm;

	/* by the owning core */
	struct dim dim;
	struct adaptive rate;
	unsigned defer_left;
	uint64_t deferrals; /* times that an empty queue was left to its timer */
	uint64_t suspends;  /* times that one which gave work stayed masked for the next turn */
};

/*
 * napi_policy_init() - put @napi under @p: queue.name, napi and present are set. At first it is
 * POLICY_NAPI. At boot, before it is enabled.
 */
void napi_policy_init(struct napi_policy *p);

/*
 * napi_policy_tune() - the knobs of @p by themselves, as Linux has it: a queue that is POLICY_NAPI
 * becomes POLICY_DEFER when both that takes are set, and goes back when one is 0. Control context.
 */
void napi_policy_tune(struct napi_policy *p, const struct napi_knobs *k);

/*
 * napi_policy_moderate() - dim.h chooses its throttle from now on, or no more. Control
 * context; parks the cores.
 */
void napi_policy_moderate(struct napi_policy *p, bool on);

/*
 * napi_policy_defers() - in the midst of a poll that took some packets, but less than its weight:
 * is it certain that the queue is polled again by timer before interrupts come back? An adaptive
 * one may have left POLICY_DEFER by then.
 */
static inline bool napi_policy_defers(const struct napi_policy *p)
{
	return p->now == POLICY_DEFER && !p->adaptive;
}

/* napi_policy_calm() - a storm has begun: the next poll will know. Any core. */
void napi_policy_calm(struct napi_policy *p);
