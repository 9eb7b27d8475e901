/* SPDX-License-Identifier: MIT */
/*
 * path_trace.c - the first packet of one poll in so many is stamped
 *
 * path_poll() and path_told() run on the core that owns a NIC's queue, path_sample() on a
 * guest's worker's; on and off in the control context with the cores parked. What is counted
 * down is each core's own.
 */
#include "path_trace.h"

#include "kernel/napi_layers.h"
#include "kernel/park.h"
#include "kernel/path.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "net/nic.h"

static unsigned every; /* 0: not traced */

/* who is shown what comes out of guests: path_show_batches() */
static path_shown *shown;

/* of one core; how many polls of its NICs' queues are left, says cpu->path_left */
static struct sample {
	_Alignas(CACHE_LINE) uint32_t guests_left; /* batches out of guests, the same */

	uint32_t round; /* one up with each stamp of a poll's */
	uint64_t irq;   /* TSC of the interrupt behind the poll that it is due in; 0: not known */
	uint64_t poll;  /* and of when that began */
} sample[MAX_CPUS];

/* of one queue of a NIC, by the core that owns it */
static struct watched {
	uint32_t round; /* since when its interrupt is looked at */
	uint64_t irq;   /* TSC of the one that came since its last poll; 0: none */
} watched[NETDEV_MAX][NETDEV_MAX_QUEUES];

static struct watched *watched_of(const struct netdev_queue *q)
{
	struct port *port = q->dev->upper;

	return &watched[port->id - 1][q->index]; /* NICs are the first ports */
}

static struct netdev_queue *queue_of(struct napi *napi)
{
	return container_of(napi, struct netdev_queue, napi);
}

static void path_told(struct napi *napi)
{
	watched_of(queue_of(napi))->irq = rdtsc();
}

static void next_round(struct sample *c)
{
	cpus[c - sample]->path_left = every;
	c->round++;
}

void path_received(const struct pkt *p, const struct port *port)
{
	if (!(port->rx_extra & PORT_RPS)) /* else the core that gets it says so */
		path_mark(p, PATH_RECEIVE);
}

/* stamp_first() - of a batch of queue @q, before anything is done with it. */
static void stamp_first(struct netdev_queue *q, struct pkt **pkts)
{
	struct sample *c = &sample[this_cpu()->id];
	const struct port *port = q->dev->upper;

	path_begin(pkts[0], port->id, q->index);
	if (c->irq)
		path_mark_at(pkts[0], PATH_HARD_IRQ, c->irq);
	path_mark_at(pkts[0], PATH_POLL, c->poll);
	path_mark(pkts[0], PATH_DESCRIPTOR);
	path_received(pkts[0], port);
	napi_tell(&q->napi, NAPI_PATH, false);
	next_round(c);
}

/*
 * due_poll() - a stamp is due. The first poll of a queue that finds this has it told of interrupts,
 * the one behind it is it. One that takes nothing leaves all as it was.
 */
static __attribute__((noinline)) unsigned due_poll(struct sample *c, struct napi *napi,
						   unsigned budget)
{
	struct watched *w = watched_of(queue_of(napi));

	if (w->round != c->round) {
		unsigned n = napi_poll_below(napi, NAPI_PATH, budget);

		w->round = c->round;
		w->irq = 0;
		napi_tell(napi, NAPI_PATH, true);
		return n;
	}
	c->poll = rdtsc();
	c->irq = w->irq;
	w->irq = 0;
	return nic_poll_shown(napi, budget, stamp_first);
}

static unsigned path_poll(struct napi *napi, unsigned budget)
{
	/* as napi_poll_below() does: nothing is between */
	if (likely(--this_cpu_var(path_left)))
		return napi->own_poll(napi, budget);
	/* until there is a packet to stamp */
	this_cpu_var(path_left) = 1;
	return due_poll(&sample[this_cpu()->id], napi, budget);
}

static const struct napi_around path_around = { .poll = path_poll, .told = path_told };

void path_sample(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	struct sample *c = &sample[this_cpu()->id];

	(void)n;
	if (shown)
		shown(port, queue, pkts);
	if (!every || --c->guests_left)
		return;
	c->guests_left = every;
	if (pkts[0]->flags & PKT_STAMPED)
		return;
	path_begin(pkts[0], port->id, queue);
	path_mark(pkts[0], PATH_NETIF_RX);
	path_received(pkts[0], port);
}

/* --- on and off --- */

static void look_at_guests(void)
{
	port_for_each(i)
		if (i > nnetdevs)
			port_set_extra(ports[i], PORT_STAMP, every || shown ? PORT_STAMP : 0, 0);
}

void path_show_batches(path_shown *fn)
{
	shown = fn;
	look_at_guests();
}

/* look() - at all queues and ports, or at none; cores parked */
static void look(bool on)
{
	netdev_for_each(d)
		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
			napi_set_layer(&netdevs[d]->queue[q].napi, NAPI_PATH,
				       on ? &path_around : NULL);
	look_at_guests();
}

int path_trace_on(unsigned one_in)
{
	int err;

	cores_park();
	err = path_start();
	if (!err) {
		every = one_in;
		cpu_for_each(i) {
			sample[i].guests_left = every;
			next_round(&sample[i]);
		}
		look(true);
	}
	cores_resume();
	return err;
}

void path_trace_off(void)
{
	cores_park();
	every = 0;
	look(false);
	cores_resume();
}

unsigned path_traced(void)
{
	return every;
}

_Static_assert(NAPI_PATH == 0, "nothing stands between a traced path and the queue's own poll");
