/* SPDX-License-Identifier: MIT */
/*
 * trace_one.c - `trace one`: the next frame is caught, and followed through every stage
 *
 * trace_one_arm() has records kept, registers traced and a layer put around the polls of the NICs' queues, in the control
 * context. The frame is caught on the core that receives it, by one_poll() or, out of a guest, by one_batch(): the first
 * core that gets there has it, and everybody else goes the usual way from then on. Nothing of this is there while nobody
 * asks.
 */
#include "trace_one.h"

#include "kernel/napi_layers.h"
#include "kernel/park.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "net/nic.h"
#include "path_trace.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { RECORDS_BEHIND = TRACE_RING * 3 / 4 }; /* of each core: the rest is what came before */

enum state { IDLE, ARMED, CATCHING, CAUGHT };

static _Atomic enum state state;
static struct trace_one one;
static struct port *wanted; /* NULL: any */
static int wanted_queue;    /* -1: any */

/* the one being caught: by its core, between one_poll() and seen() */
static struct path_row row;
static uint64_t irq_tsc, poll_tsc;

/* of one queue of a NIC, by the core that owns it */
static struct ahead {
	uint64_t irq; /* TSC of the interrupt since its last poll; 0: none */
	bool posted;  /* next is as it was posted */
	struct netdev_desc next;
} ahead[NETDEV_MAX][NETDEV_MAX_QUEUES];

static struct netdev_queue *queue_of(struct napi *napi)
{
	return container_of(napi, struct netdev_queue, napi);
}

static struct ahead *ahead_of(const struct netdev_queue *q)
{
	const struct port *port = q->dev->upper;

	return &ahead[port->id - 1][q->index]; /* NICs are the first ports */
}

static bool is_wanted(const struct port *port, unsigned queue)
{
	return (!wanted || wanted == port) && (wanted_queue < 0 || (unsigned)wanted_queue == queue);
}

/* claim() - is it this core that has the frame? */
static bool claim(const struct port *port, unsigned queue)
{
	enum state armed = ARMED;

	return atomic_load_explicit(&state, memory_order_relaxed) == ARMED &&
	       is_wanted(port, queue) && atomic_compare_exchange_strong(&state, &armed, CATCHING);
}

/*
 * What is recorded from here on shall not wash away what was, however much traffic there is. Release: pairs with the
 * acquire in the control context, which reads what was written down.
 */
static void caught(void)
{
	trace_stop_after(RECORDS_BEHIND);
	atomic_store_explicit(&state, CAUGHT, memory_order_release);
}

/* write_down() - what @p is, before anything is done with it. */
static void write_down(struct port *port, unsigned queue, const struct pkt *p)
{
	one.port = port;
	one.queue = queue;
	one.pkt = p;
	one.len = p->frame_len;
	one.caplen = p->len;
	one.flags = p->flags;
	one.hash = p->hash;
	one.vlan_tci = p->vlan_tci;
	one.nsegs = p->nsegs;
	memcpy(one.frame, p->data, MIN(p->len, (uint16_t)sizeof(one.frame)));
}

/* --- a NIC's --- */

static void one_told(struct napi *napi)
{
	ahead_of(queue_of(napi))->irq = rdtsc();
}

/* look_ahead() - at the descriptor that the next frame will fill. */
static void look_ahead(const struct netdev_queue *q)
{
	struct ahead *a = ahead_of(q);

	a->posted = q->dev->look->rx(q->dev, q->index, &a->next) && !a->next.done;
}

/* seen() - the batch with the frame in front, out of the ring; the state is CATCHING, by this core. */
static void seen(struct netdev_queue *q, struct pkt **pkts)
{
	struct port *port = q->dev->upper;
	struct pkt *p = pkts[0];

	write_down(port, q->index, p);
	path_begin(p, port->id, q->index);
	if (irq_tsc)
		path_mark_at(p, PATH_HARD_IRQ, irq_tsc);
	path_mark_at(p, PATH_POLL, poll_tsc);
	path_mark(p, PATH_DESCRIPTOR);
	path_received(p, port);
	row = path_row(p);
}

/* look_at_tx() - if this core sent it: the descriptors, before the device can have done much with them. */
static void look_at_tx(void)
{
	netdev_for_each(i) {
		struct netdev *dev = netdevs[i];
		int q = dev->txq_of_cpu[this_cpu()->id];

		if (!dev->up || q < 0)
			continue;
		one.ntx = dev->look->tx(dev, q, one.pkt, one.tx_desc, TRACE_ONE_TX);
		if (!one.ntx)
			continue;
		one.tx = dev;
		one.txq = q;
		return;
	}
}

/* as_posted() - one that was full already when it was looked at ahead: each is posted with its buffer's address and a zero. */
static struct netdev_desc as_posted(const struct netdev_desc *back)
{
	struct netdev_desc d = *back;

	d.word[0] = (uintptr_t)back->buffer;
	d.word[1] = 0;
	d.done = false;
	return d;
}

static unsigned one_poll(struct napi *napi, unsigned budget)
{
	struct netdev_queue *q = queue_of(napi);
	struct ahead *a = ahead_of(q);
	struct netdev_desc d;
	bool there = q->dev->look->rx(q->dev, q->index, &d) && d.done;
	unsigned n;

	if (!there || !claim(q->dev->upper, q->index)) {
		n = napi_poll_below(napi, NAPI_ONE, budget);
		a->irq = 0;
		look_ahead(q);
		return n;
	}
	poll_tsc = rdtsc();
	irq_tsc = a->irq;
	one.from = q;
	one.policy = q->policy.now;
	one.budget = budget;
	one.back = d;
	one.has_back = true;
	one.posted = a->posted && a->next.slot == d.slot ? a->next : as_posted(&d);
	n = nic_poll_shown(napi, budget, seen);
	if (row.stamp) {
		look_at_tx();
		caught();
	} else { /* damaged: dropped in the ring */
		atomic_store(&state, ARMED);
	}
	return n;
}

static const struct napi_around one_around = { .poll = one_poll, .told = one_told };

/* --- a guest's --- */

static void one_batch(struct port *port, unsigned queue, struct pkt **pkts)
{
	if (!claim(port, queue))
		return;
	write_down(port, queue, pkts[0]);
	path_begin(pkts[0], port->id, queue);
	path_mark(pkts[0], PATH_NETIF_RX);
	path_received(pkts[0], port);
	row = path_row(pkts[0]);
	caught();
}

/* --- on and off --- */

/* watch() - or no longer; cores parked */
static void watch(bool on)
{
	netdev_for_each(d)
		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++) {
			struct netdev_queue *queue = &netdevs[d]->queue[q];

			napi_set_layer(&queue->napi, NAPI_ONE, on ? &one_around : NULL);
			if (on && netdevs[d]->up && q < netdevs[d]->nqueues) {
				ahead_of(queue)->irq = 0;
				look_ahead(queue);
				napi_tell(&queue->napi, NAPI_ONE, true);
			}
		}
	path_show_batches(on ? one_batch : NULL);
}

static void registers_off(unsigned n)
{
	while (n-- > 0)
		netdevs[n]->look->regs_off(netdevs[n]);
}

/* registers_on() - of all NICs, or of none. */
static int registers_on(void)
{
	for (unsigned i = 0; i < nnetdevs; i++) {
		int err = netdevs[i]->look->regs_on(netdevs[i]);

		if (err) {
			registers_off(i);
			return err;
		}
	}
	return 0;
}

int trace_one_arm(struct port *port, int queue)
{
	int err = path_start();

	if (!err)
		err = registers_on();
	if (err)
		return err;
	wanted = port;
	wanted_queue = queue;
	one = (struct trace_one){ 0 };
	row = (struct path_row){ NULL, 0 };
	trace_set(true);
	cores_park();
	watch(true);
	atomic_store(&state, ARMED);
	cores_resume();
	return 0;
}

void trace_one_disarm(bool recorded)
{
	cores_park();
	watch(false);
	atomic_store(&state, IDLE);
	trace_stop_after(0);
	cores_resume();
	trace_set(recorded);
	registers_off(nnetdevs);
}

struct trace_one *trace_one_caught(struct path_row *its)
{
	/* acquire: pairs with caught() */
	if (atomic_load_explicit(&state, memory_order_acquire) != CAUGHT)
		return NULL;
	*its = row;
	return &one;
}
