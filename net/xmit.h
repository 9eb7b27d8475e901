/* SPDX-License-Identifier: MIT */
/*
 * xmit.h - from the verdict to the device: staging, and the way to the core that may transmit
 *
 * While a batch is looked up each core collects, for each port, what shall leave there;
 * xmit_flush() then gives each port its share in one call. A core without a queue of its own on
 * that port hands the packets over by a ring to one that has (SOFTIRQ_NET_TX), one softirq for the
 * lot.
 *
 * Between two turns of the core loop nothing is staged. A batch holds at most PORT_BATCH packets
 * and each is staged at most once a port, so a stage never overflows; the segments of a long packet
 * leave it at once (validate.h).
 */
#pragma once

#include <stdint.h>

#include "kernel/trace.h"
#include "drivers/netdev.h"
#include "port.h"
#include "validate.h"

struct emc;

enum { XMIT_RING_SLOTS = 512, XMIT_STAGES = PORT_MAX + 2 };

/* what one core has for one port */
struct stage {
	_Alignas(CACHE_LINE) struct port *port;
	struct port_cpu *count; /* the port's counters of this core */
	const int8_t *txq;      /* the port's txq_of_cpu of this core */
	uint32_t n;
	uint64_t takes; /* frame.frame up to which one is simply put behind the others: longest, or
			   0 while it is closed */
	uint64_t longest; /* frame that the port takes, bytes */
	uint64_t frames;  /* the sum of the words frame of pkts[]: bytes, and above them whether all
			     are plain */
	struct stage *next; /* of those that are open */
	struct pkt *pkts[PORT_BATCH];
};

/* what a batch has in common while a core switches it, switch.c */
struct batch {
	struct port *port; /* that it came in by */
	uint64_t in_port;  /* its id */
	uint64_t n;        /* packets of it */
	size_t mine;       /* where this core's part of a flow's statistics begins, bytes */
	struct emc *emc;   /* of this core */
};

/* what a core has of this room, for itself alone */
struct xmit_cpu {
	struct batch batch;
	/*
	 * by port id, NULL where there is no port; where a verdict is not one
	 * port, one that never opens
	 */
	struct stage *stage[XMIT_STAGES];
	struct stage *open; /* those that something was staged in since the last flush */
};

extern struct xmit_cpu *xmit_of_cpu[MAX_CPUS];

void xmit_init(void);

/*
 * xmit_port_add() - a stage on each core. xmit_port_changed() - its MTU may
 * have changed. Cores parked.
 */
void xmit_port_add(struct port *port);
void xmit_port_changed(struct port *port);

/*
 * xmit_sender() - the core that transmits by @port what core @cpu has for it;
 * MAX_CPUS: none can. Cores parked.
 */
unsigned xmit_sender(const struct port *port, unsigned cpu);

/*
 * xmit_settle() - transmit what waits in the rings between cores, by the queues as they are owned
 * now. Before a queue changes its owner: else what waits would be with a core that may not send it
 * any more, or be overtaken by what the new owner sends itself. Cores parked.
 */
void xmit_settle(void);

/*
 * xmit_waiting() - packets for @port in the rings between cores. Exact while the cores are parked.
 */
unsigned xmit_waiting(const struct port *port);

/* xmit_too_long() - drop @p: longer than the MTU of the port it should leave by. */
void xmit_too_long(struct stage *s, struct pkt *p);

static inline void xmit_append(struct stage *s, struct pkt *p, uint64_t frame)
{
	s->pkts[s->n++] = p;
	s->frames += frame;
}

/* xmit_open() - the first packet of a batch is about to be staged in @s, one of @x. */
static inline void xmit_open(struct xmit_cpu *x, struct stage *s)
{
	s->takes = s->longest;
	s->next = x->open;
	x->open = s;
}

/*
 * xmit_take() - put @p, of which @frame is the word p->frame, behind the others in @s if that is
 * all there is to do. A flag makes the word longer than any frame, so one compare finds what is not
 * plain, what is too long, and the first of a batch.
 */
static inline bool xmit_take(struct xmit_cpu *x, struct stage *s, struct pkt *p, uint64_t frame)
{
	if (unlikely(frame > s->takes)) {
		if (unlikely(frame > s->longest))
			return false;
		xmit_open(x, s);
	}
	xmit_append(s, p, frame);
	return true;
}

/* xmit_stage() - @p shall leave by port @id; @x is this core's. */
static inline void xmit_stage(struct xmit_cpu *x, unsigned id, struct pkt *p)
{
	struct stage *s = x->stage[id];

	if (likely(xmit_take(x, s, p, p->frame)))
		return;
	if (!s->takes)
		xmit_open(x, s);
	validate_and_stage(s, p);
}

static inline void xmit_clear(struct stage *s)
{
	s->n = 0;
	s->frames = 0;
}

/*
 * xmit_drop_unsent() - the device took @sent of @s and no more: the rest goes
 * for the reason port->full.
 */
void xmit_drop_unsent(struct stage *s, unsigned sent);
/*
 * xmit_unusual() - something stands before the device, or this core may not
 * transmit @s, or nobody can.
 */
void xmit_unusual(struct stage *s);

/*
 * xmit_transmit() - give the device what is staged; this core owns a queue.
 * @recorded: are records kept?
 */
static inline void xmit_transmit(struct stage *s, bool recorded)
{
	struct port_cpu *c = s->count;
	unsigned sent;

	if (recorded)
		trace_record(TRACE_XMIT, s->port->id, s->n);
	sent = s->port->ops->tx_batch(s->port, *s->txq, s->pkts, s->n, s->frames);
	if (unlikely(sent < s->n))
		xmit_drop_unsent(s, sent);
	c->out += sent;
	c->out_bytes += (uint32_t)s->frames;
	xmit_clear(s);
}

/* xmit_flush_stage() - transmit what is in @s, if anything is. */
static inline void xmit_flush_stage(struct stage *s, bool recorded)
{
	if (!s->n)
		return;
	s->count->offered += s->n;
	if (likely(*s->txq >= 0 && s->port->direct))
		xmit_transmit(s, recorded);
	else
		xmit_unusual(s);
}

/*
 * xmit_flush() - transmit what this core has staged. At the end of each batch; inline, since a
 * batch may be one packet. @recorded: trace_recording(), of which a batch asks once.
 */
static inline void xmit_flush(struct xmit_cpu *x, bool recorded)
{
	struct stage *s = x->open;

	x->open = NULL;
	for (; s; s = s->next) {
		s->takes = 0;
		xmit_flush_stage(s, recorded);
	}
}
