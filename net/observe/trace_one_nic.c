/* SPDX-License-Identifier: MIT */
/*
 * trace_one_nic.c - the frame that `trace one` waits for comes in by a NIC
 *
 * While one is waited for each queue has a layer around its poll, and other functions by which its
 * interrupt receives it, if that is its policy: one_poll() in SOFTIRQ_NET_RX, one_take() in the
 * hard interrupt, both on the core that owns the queue. Owns what is known of a queue before its
 * next frame comes, and a row for the frame caught in an interrupt.
 */
#include "kernel/napi_layers.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "net/nic.h"
#include "path_trace.h"
#include "trace_one_catch.h"

/* of one queue of a NIC, by the core that owns it */
static struct ahead {
	uint64_t irq;  /* TSC of the interrupt since its last poll, or since it was found empty; 0:
			  none */
	uint64_t irqs; /* interrupts so far, where it is received in them */
	bool posted;   /* next is as it was posted */
	struct netdev_desc next;
} ahead[NETDEV_MAX][NETDEV_MAX_QUEUES];

/* the one being caught: by its core, between one_poll() and seen() */
static struct trace_one *one;
static struct path_row row;
static uint64_t irq_tsc, poll_tsc;

/*
 * the row of one that is caught in an interrupt, which may have come while
 * path_begin() took one of its core's
 */
static struct path_stamp irq_row;

static struct netdev_queue *queue_of(struct napi *napi)
{
	return container_of(napi, struct netdev_queue, napi);
}

static struct ahead *ahead_of(const struct netdev_queue *q)
{
	const struct port *port = q->dev->upper;

	return &ahead[port->id - 1][q->index]; /* NICs are the first ports */
}

/* look_ahead() - at the descriptor that the next frame will fill. */
static void look_ahead(const struct netdev_queue *q)
{
	struct ahead *a = ahead_of(q);

	a->posted = q->dev->look->rx(q->dev, q->index, &a->next) && !a->next.done;
}

/*
 * as_posted() - one that was full already when it was looked at ahead: each is posted with its
 * buffer's address and a zero.
 */
static struct netdev_desc as_posted(const struct netdev_desc *back)
{
	struct netdev_desc d = *back;

	d.word[0] = (uintptr_t)back->buffer;
	d.word[1] = 0;
	d.done = false;
	return d;
}

/*
 * claim() - is there a frame in @q, and is it this core that has the one?
 * With its descriptor, then.
 */
static struct trace_one *claim(struct netdev_queue *q, unsigned budget)
{
	struct ahead *a = ahead_of(q);
	struct trace_one *its = NULL;
	struct netdev_desc d;

	if (q->dev->look->rx(q->dev, q->index, &d) && d.done)
		its = trace_one_claim(q->dev->upper, q->index);
	if (!its)
		return NULL;
	its->from = q;
	its->policy = q->policy.now;
	its->budget = budget;
	its->back = d;
	its->has_back = true;
	its->posted = a->posted && a->next.slot == d.slot ? a->next : as_posted(&d);
	return its;
}

/* --- by a poll --- */

static void one_told(struct napi *napi)
{
	ahead_of(queue_of(napi))->irq = rdtsc();
}

/* seen() - the batch with the frame in front, out of the ring. */
static void seen(struct netdev_queue *q, struct pkt **pkts)
{
	struct port *port = q->dev->upper;
	struct pkt *p = pkts[0];

	trace_one_write(port, q->index, p);
	path_begin(p, port->id, q->index);
	if (irq_tsc)
		path_mark_at(p, PATH_HARD_IRQ, irq_tsc);
	path_mark_at(p, PATH_POLL, poll_tsc);
	path_mark(p, PATH_DESCRIPTOR);
	path_received(p, port);
	row = path_row(p);
}

/*
 * look_at_tx() - if this core sent it: the descriptors, before the device can
 * have done much with them.
 */
static void look_at_tx(void)
{
	netdev_for_each(i) {
		struct netdev *dev = netdevs[i];
		int q = dev->txq_of_cpu[this_cpu()->id];

		if (!dev->up || q < 0)
			continue;
		one->ntx = dev->look->tx(dev, q, one->pkt, one->tx_desc, TRACE_ONE_TX);
		if (!one->ntx)
			continue;
		one->tx = dev;
		one->txq = q;
		return;
	}
}

static unsigned one_poll(struct napi *napi, unsigned budget)
{
	struct netdev_queue *q = queue_of(napi);
	struct ahead *a = ahead_of(q);
	struct trace_one *its = claim(q, budget);
	unsigned n;

	if (!its) {
		n = napi_poll_below(napi, NAPI_ONE, budget);
		a->irq = 0;
		look_ahead(q);
		return n;
	}
	one = its;
	row = (struct path_row){ NULL, 0 };
	poll_tsc = rdtsc();
	irq_tsc = a->irq;
	n = nic_poll_shown(napi, budget, seen);
	if (row.stamp) {
		look_at_tx();
		trace_one_have(row);
	} else { /* damaged: dropped in the ring */
		trace_one_unclaim();
	}
	return n;
}

static const struct napi_around one_around = { .poll = one_poll, .told = one_told };

/* --- in its interrupt: POLICY_IRQ --- */

/* interrupted() - one_take() is called: has an interrupt come since it was last? */
static void interrupted(struct ahead *a, const struct napi *napi)
{
	if (a->irqs != napi->irqs)
		a->irq = rdtsc();
	a->irqs = napi->irqs;
}

/*
 * one_take() - the frame is in hand when its batch is out of the ring: it may be dropped right
 * away, for want of a place in the backlog, and what becomes of it in the softirq is followed by
 * its row.
 */
static unsigned one_take(struct napi *napi, struct pkt **pkts, unsigned max)
{
	struct netdev_queue *q = queue_of(napi);
	struct ahead *a = ahead_of(q);
	struct trace_one *its;
	unsigned n;

	interrupted(a, napi);
	its = claim(q, max);
	n = nic_take(napi, pkts, max);
	if (its && n) {
		trace_one_write(q->dev->upper, q->index, pkts[0]);
		path_begin_in(&irq_row, pkts[0], its->port->id, q->index);
		if (a->irq)
			path_mark_at(pkts[0], PATH_HARD_IRQ, a->irq);
		path_mark(pkts[0], PATH_DESCRIPTOR);
		trace_one_have(path_row(pkts[0]));
	} else if (its) {
		trace_one_unclaim();
	}
	if (!n)
		a->irq = 0;
	look_ahead(q);
	return n;
}

static void one_deliver(struct napi *napi, struct pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (pkts[i]->flags & PKT_STAMPED)
			path_received(pkts[i], queue_of(napi)->dev->upper);
	nic_deliver(napi, pkts, n);
}

/* --- on and off --- */

static void watch_queue(struct netdev_queue *q, bool on, bool in_use)
{
	napi_set_layer(&q->napi, NAPI_ONE, on ? &one_around : NULL);
	q->policy.take = on ? one_take : nic_take;
	q->policy.deliver = on ? one_deliver : nic_deliver;
	if (!on || !in_use)
		return;
	*ahead_of(q) = (struct ahead){ .irqs = q->napi.irqs };
	look_ahead(q);
	napi_tell(&q->napi, NAPI_ONE, true);
}

void trace_one_watch_nics(bool on)
{
	netdev_for_each(i) {
		struct netdev *dev = netdevs[i];

		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
			watch_queue(&dev->queue[q], on, dev->up && q < dev->nqueues);
	}
}
