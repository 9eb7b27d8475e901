/* SPDX-License-Identifier: MIT */
/*
 * gro.c - who is held, who goes on
 *
 * gro_receive() is called by receive_extra(), gro_poll_end() by nic.c, both on the core that owns
 * the queue; what comes out goes to receive_merged(). Owns a table a queue. Whether and how
 * frames merge is gro_merge.c's.
 */
#include "gro.h"

#include "kernel/counter.h"
#include "kernel/mem.h"
#include "drivers/netdev.h"
#include "gro_merge.h"
#include "port.h"
#include "receive.h"

COUNTER(gro_merged, "net.gro_merged", "frames that were hung on to another one");
COUNTER(gro_packets, "net.gro_packets", "long packets that came of it");
COUNTER(gro_flush_end, "net.gro_flush_end",
	"flows ended by what their last frame says: PSH, FIN, short");
COUNTER(gro_flush_odd, "net.gro_flush_odd", "flows ended by a frame that does not continue them");
COUNTER(gro_flush_room, "net.gro_flush_room", "flows that made room for another one");
COUNTER(gro_flush_poll, "net.gro_flush_poll", "flows held when their queue was found empty");
COUNTER(gro_flush_age, "net.gro_flush_age", "flows held for two polls");

struct bucket {
	unsigned n;
	struct gro_flow flow[MAX_GRO_SKBS]; /* oldest first */
};

struct gro_queue {
	uint32_t polls; /* so far */
	unsigned flows; /* held */
	struct bucket bucket[GRO_HASH_BUCKETS];
};

struct gro {
	bool udp;
	struct pkt_holder holder;
	struct gro_queue queue[NETDEV_MAX_QUEUES];
};

/* --- what comes out --- */

/* packets on their way to receive_merged() */
struct out {
	struct port *port;
	unsigned queue, n;
	struct pkt *pkts[PORT_BATCH];
};

static void out_flush(struct out *out)
{
	if (out->n)
		receive_merged(out->port, out->queue, out->pkts, out->n);
	out->n = 0;
}

static void out_add(struct out *out, struct pkt *p)
{
	out->pkts[out->n++] = p;
	if (out->n == PORT_BATCH)
		out_flush(out);
}

/* release() - flow @i of @b goes on. The frames that hang on its first one are packets no more. */
static void release(struct out *out, struct gro_queue *q, struct bucket *b, unsigned i,
		    const struct counter *why)
{
	struct port_cpu *c = port_here(out->port);
	struct gro_flow *f = &b->flow[i];
	struct pkt *p = f->p;

	counter_inc(why);
	c->gro_held -= f->count;
	c->consumed += f->count - 1;
	if (f->count > 1) {
		counter_inc(&gro_packets);
		counter_add(&gro_merged, f->count - 1);
		this_cpu()->processed -= f->count - 1; /* one packet, from here on */
		gro_complete(f);
	}
	b->n--;
	q->flows--;
	for (; i < b->n; i++)
		b->flow[i] = b->flow[i + 1];
	out_add(out, p);
}

/* --- what comes in --- */

static unsigned find(const struct bucket *b, const struct gro_frame *frame)
{
	unsigned i = 0;

	while (i < b->n && !gro_same_flow(&b->flow[i], frame))
		i++;
	return i;
}

static void hold(struct out *out, struct gro_queue *q, struct bucket *b,
		 const struct gro_frame *frame)
{
	if (b->n == MAX_GRO_SKBS)
		release(out, q, b, 0, &gro_flush_room);
	gro_begin(&b->flow[b->n++], frame, q->polls);
	q->flows++;
	port_here(out->port)->gro_held++;
}

/*
 * A frame either hangs on to the flow that it continues, or ends it and is held itself, or is none
 * that could be held: then it goes on at once, but behind what is held of its flow.
 */
static void one(struct out *out, struct gro *g, struct gro_queue *q, struct pkt *p)
{
	struct gro_frame frame;
	struct bucket *b;
	unsigned i;

	if (!gro_look(&frame, p, g->udp)) {
		out_add(out, p);
		return;
	}
	b = &q->bucket[frame.hash % GRO_HASH_BUCKETS];
	i = find(b, &frame);
	if (i < b->n && gro_merge(&b->flow[i], &frame)) {
		port_here(out->port)->gro_held++;
		if (frame.ends)
			release(out, q, b, i, &gro_flush_end);
		return;
	}
	if (i < b->n)
		release(out, q, b, i, &gro_flush_odd);
	if (frame.holds)
		hold(out, q, b, &frame);
	else
		out_add(out, p);
}

void gro_receive(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	struct out out = { .port = port, .queue = queue };
	struct gro_queue *q = &port->gro->queue[queue];

	for (unsigned i = 0; i < n; i++)
		one(&out, port->gro, q, pkts[i]);
	out_flush(&out);
}

static void release_some(struct port *port, unsigned queue, bool all)
{
	struct out out = { .port = port, .queue = queue };
	struct gro_queue *q = &port->gro->queue[queue];

	for (struct bucket *b = q->bucket; b < q->bucket + GRO_HASH_BUCKETS && q->flows; b++)
		/* the oldest first: behind one that is not old enough there is none */
		while (b->n && (all || q->polls - b->flow[0].since >= GRO_POLLS))
			release(&out, q, b, 0, all ? &gro_flush_poll : &gro_flush_age);
	out_flush(&out);
}

void gro_poll_end(struct port *port, unsigned queue, bool all)
{
	struct gro_queue *q = &port->gro->queue[queue];

	q->polls++;
	if (q->flows)
		release_some(port, queue, all);
}

void gro_settle(struct port *port)
{
	for (unsigned i = 0; port->gro && i < NETDEV_MAX_QUEUES; i++)
		if (port->gro->queue[i].flows)
			release_some(port, i, true);
}

/* --- who only asks --- */

enum gro_fate gro_peek(const struct port *port, unsigned queue, struct pkt *p, unsigned *held)
{
	const struct gro_queue *q = &port->gro->queue[queue];
	struct gro_frame frame;
	const struct bucket *b;
	unsigned i;

	*held = 0;
	if (!gro_look(&frame, p, port->gro->udp))
		return GRO_FOREIGN;
	b = &q->bucket[frame.hash % GRO_HASH_BUCKETS];
	i = find(b, &frame);
	if (i < b->n) {
		*held = b->flow[i].count;
		if (gro_continues(&b->flow[i], &frame))
			return frame.ends ? GRO_MERGED_LAST : GRO_MERGED;
	}
	if (frame.holds)
		return GRO_HELD;
	return frame.sound ? GRO_FINAL : GRO_UNSOUND;
}

/* --- the audit --- */

static void gro_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct gro *g = arg;

	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++)
		for (unsigned k = 0; k < GRO_HASH_BUCKETS; k++)
			for (unsigned n = 0; n < g->queue[i].bucket[k].n; n++)
				tally(t, g->queue[i].bucket[k].flow[n].p);
}

unsigned gro_held(const struct port *port)
{
	unsigned n = 0;

	for (unsigned i = 0; port->gro && i < NETDEV_MAX_QUEUES; i++)
		for (unsigned k = 0; k < GRO_HASH_BUCKETS; k++) {
			const struct bucket *b = &port->gro->queue[i].bucket[k];

			for (unsigned f = 0; f < b->n; f++)
				n += b->flow[f].count;
		}
	return n;
}

struct gro *gro_create(void)
{
	struct gro *g = mem_zalloc(sizeof(*g), CACHE_LINE, "gro");

	g->holder = (struct pkt_holder){ .name = "gro", .walk = gro_walk, .arg = g };
	pkt_holder_add(&g->holder);
	return g;
}

void gro_set(struct port *port, bool on, bool udp)
{
	gro_settle(port);
	port->gro->udp = udp;
	port_set_extra(port, PORT_GRO, on ? PORT_GRO : 0, 0);
}
