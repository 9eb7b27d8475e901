/* SPDX-License-Identifier: MIT */
/*
 * qdisc.h - queueing disciplines: where packets stand when they may not leave at once
 *
 * As in Linux (net/sched): a discipline decides which packet goes next and which is dropped,
 * qdisc_run() gives the device what it takes, and what it does not take stays at the head. A port
 * has none at first: what a full ring does not take is dropped there and then (Linux: noqueue).
 * With one, all that leaves the port goes by its first transmit queue, on the core that owns that:
 * other cores hand their packets over, so there are no locks, and when the queue moves to another
 * core what waits moves along, in its order.
 *
 *	pfifo		first in, first out, so many packets
 *	fq_codel	a queue for each flow, in turns; each keeps its packets' waiting short [RFC 8290, RFC 8289]
 *	tbf		a token bucket: no faster than a rate; pfifo inside, or fq_codel
 *
 * Transmission goes on when tokens have come, when the ring has room again (there are no transmit
 * interrupts, so a timer looks), or in the next SOFTIRQ_NET_TX if one round was not enough.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "net/port.h"

enum {
	QDISC_LIMIT_MAX = 4096, /* packets, whatever the kind */
	QDISC_FLOWS_MAX = 1024,
	QDISC_NONE = UINT32_MAX, /* no slot */
};

struct qdisc;

/* a packet that waits; slots refer to each other by number */
struct qdisc_slot {
	struct pkt *p;
	uint64_t since; /* TSC */
	uint32_t next;
	bool tapped; /* taps have seen it: it was offered to the device before */
};

/* packets one behind another */
struct qdisc_fifo {
	uint32_t head, tail; /* slots; tail counts only if there is a head */
	uint32_t packets;
	uint64_t bytes;
};

struct qdisc_kind {
	const char *name;
	/*
	 * @slot, filled in, belongs to it from now on. Returns false if it will not have it:
	 * the caller drops the packet
	 */
	bool (*enqueue)(struct qdisc *q, uint32_t slot);
	/*
	 * the slot of the next packet to leave, off its queues; QDISC_NONE: there is none.
	 * May drop others meanwhile
	 */
	uint32_t (*dequeue)(struct qdisc *q, uint64_t now);
	/*
	 * for who only asks: how many of @p's flow wait. NULL: it knows no flows, and refuses
	 * what is beyond its limit
	 */
	unsigned (*waiting)(const struct qdisc *q, const struct pkt *p);
};

extern const struct qdisc_kind qdisc_pfifo, qdisc_fq_codel;

/* what `tc qdisc` sets */
struct qdisc_options {
	const struct qdisc_kind *kind;
	unsigned limit; /* packets */
	/* tbf; rate 0: none */
	uint64_t rate;  /* bytes a second */
	uint32_t burst; /* bytes */
	/* fq_codel */
	unsigned flows, quantum; /* how many; bytes a turn */
	unsigned target_us, interval_us;
	bool ecn;
};

/* CoDel's state of one queue [RFC 8289 5.3] */
struct codel {
	/* TSC when waiting will have been too long for an interval; 0: it is not */
	uint64_t first_above;
	uint64_t drop_next;
	uint32_t count, last_count;
	bool dropping;
};

struct qdisc_flow {
	struct qdisc_fifo fifo;
	struct codel codel;
	int32_t deficit;
	uint32_t next;  /* in its list of flows */
	uint8_t listed; /* enum flow_list */
};

enum flow_list { FLOW_IDLE, FLOW_NEW, FLOW_OLD };

struct qdisc_flows {
	uint32_t head, tail; /* flows; QDISC_NONE: empty */
};

/* of a port; by the core that owns its first transmit queue */
struct qdisc {
	struct qdisc_options o; /* kind NULL: none */
	struct port *port;
	struct qdisc_slot *slot; /* [limit + 1], the one more for who is to be judged */
	uint32_t free;
	/* slots that the device did not take, oldest first: they go before all others */
	uint32_t held;
	struct qdisc_fifo fifo;  /* pfifo */
	struct qdisc_flow *flow; /* fq_codel: [flows] */
	struct qdisc_flows new_flows, old_flows;
	/* tbf: nanoseconds' worth of tokens, as of TSC @tokens_at */
	int64_t tokens;
	uint64_t tokens_at;
	struct timer timer; /* armed on the core that saw no way on */
	_Atomic bool again; /* its owner shall run it in the next SOFTIRQ_NET_TX */

	/* statistics, as `tc -s qdisc` has them */
	uint32_t packets; /* wait now */
	uint64_t backlog; /* their bytes */
	uint64_t sent_packets, sent_bytes, dropped, overlimits, requeues, marked;
};

/* qdisc_name() - what `ip link` calls the one of @port: the outermost. */
static inline const char *qdisc_name(const struct port *port)
{
	const struct qdisc_options *o = port->qdisc ? &port->qdisc->o : NULL;

	if (!o || !o->kind)
		return "noqueue";
	return o->rate ? "tbf" : o->kind->name;
}

void qdisc_init(void);

/* qdisc_owner() - the core by which all leaves; MAX_CPUS: @port is down. */
unsigned qdisc_owner(const struct port *port);

/*
 * qdisc_xmit() - the @n packets staged for @port shall leave. On its owner's core, or in its
 * place. Counted as offered.
 */
void qdisc_xmit(struct port *port, struct pkt **pkts, unsigned n);

/*
 * qdisc_run_again() - in SOFTIRQ_NET_TX: those of this core that were not
 * through, or whose time has come.
 */
void qdisc_run_again(void);

/*
 * Control context; they park the cores. qdisc_set() - 0 or -ENOMEM; what waited in
 * the one before is dropped.
 */
int qdisc_set(struct port *port, const struct qdisc_options *o);
void qdisc_clear(struct port *port);
/* qdisc_purge() - what waits is dropped: @port goes down, or its queues change. Cores parked. */
void qdisc_purge(struct port *port);

/* --- between qdisc.c and the disciplines --- */

/*
 * qdisc_append(), qdisc_take() - a slot to the end of @f, and its first one;
 * QDISC_NONE if it is empty.
 */
void qdisc_append(struct qdisc *q, struct qdisc_fifo *f, uint32_t slot);
uint32_t qdisc_take(struct qdisc *q, struct qdisc_fifo *f);
/* qdisc_drop() - the packet in @slot goes nowhere. */
void qdisc_drop(struct qdisc *q, uint32_t slot, enum drop_reason why);
