/* SPDX-License-Identifier: MIT */
/*
 * qdisc.c - what all queueing disciplines have in common: slots, the way to the
 * device, the token bucket, pfifo
 *
 * qdisc_xmit() is called by xmit.c on the core that owns the transmit queue,
 * qdisc_run_again() in SOFTIRQ_NET_TX, timers in SOFTIRQ_TIMER; set-up in the control
 * context. Owns the packets that wait.
 */
#include "qdisc.h"

#include "kernel/mem.h"
#include "kernel/park.h"
#include "kernel/softirq.h"
#include "net/taps.h"
#include "net/xmit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	RING_RETRY_US = 50,     /* until a full ring is looked at again */
	ROUND = 2 * PORT_BATCH, /* packets that one round sends, at most: others have their turn */
	NS = 1000000000,
};

/* qdisc_of() - @port's discipline; NULL: it has none. */
static const struct qdisc_kind *qdisc_of(const struct port *port)
{
	return port->qdisc ? port->qdisc->o.kind : NULL;
}

/* --- slots and lists of them --- */

void qdisc_append(struct qdisc *q, struct qdisc_fifo *f, uint32_t slot)
{
	q->slot[slot].next = QDISC_NONE;
	if (f->packets++)
		q->slot[f->tail].next = slot;
	else
		f->head = slot;
	f->tail = slot;
	f->bytes += q->slot[slot].p->frame_len;
}

uint32_t qdisc_take(struct qdisc *q, struct qdisc_fifo *f)
{
	uint32_t slot = f->head;

	if (!f->packets)
		return QDISC_NONE;
	f->packets--;
	f->head = q->slot[slot].next;
	f->bytes -= q->slot[slot].p->frame_len;
	return slot;
}

/* release() - @slot is free; its packet, which waits no more, is the caller's. */
static struct pkt *release(struct qdisc *q, uint32_t slot)
{
	struct pkt *p = q->slot[slot].p;

	q->slot[slot].next = q->free;
	q->free = slot;
	q->packets--;
	q->backlog -= p->frame_len;
	port_here(q->port)->queued--;
	return p;
}

void qdisc_drop(struct qdisc *q, uint32_t slot, enum drop_reason why)
{
	q->dropped++;
	port_drop_out(q->port, release(q, slot), why);
}

/* --- pfifo --- */

static bool pfifo_enqueue(struct qdisc *q, uint32_t slot)
{
	if (q->packets > q->o.limit)
		return false;
	qdisc_append(q, &q->fifo, slot);
	return true;
}

static uint32_t pfifo_dequeue(struct qdisc *q, uint64_t now)
{
	(void)now;
	return qdisc_take(q, &q->fifo);
}

const struct qdisc_kind qdisc_pfifo = {
	.name = "pfifo",
	.enqueue = pfifo_enqueue,
	.dequeue = pfifo_dequeue,
};

/* --- tokens: the bucket is kept as the time that its tokens last --- */

static int64_t cost_ns(const struct qdisc *q, uint64_t bytes)
{
	return bytes * NS / q->o.rate;
}

/* fill_bucket() - tokens have come since the last look, up to the burst. */
static void fill_bucket(struct qdisc *q, uint64_t now)
{
	q->tokens = MIN(q->tokens + (int64_t)tsc_to_ns(now - q->tokens_at), cost_ns(q, q->o.burst));
	q->tokens_at = now;
}

/*
 * pay() - are there tokens for @bytes? A frame longer than the burst may go
 * when the bucket is full.
 */
static bool pay(struct qdisc *q, uint64_t bytes)
{
	int64_t cost = MIN(cost_ns(q, bytes), cost_ns(q, q->o.burst));

	if (q->tokens < cost)
		return false;
	q->tokens -= cost;
	return true;
}

/* --- to the device --- */

/*
 * wait_us() - look again later. After a move of the queue the timer may be armed on its former core
 * still: that one fires, and wakes the new owner.
 */
static void wait_us(struct qdisc *q, uint64_t us)
{
	if (!q->timer.armed)
		timer_arm(&q->timer, us);
}

static void wait_for_tokens(struct qdisc *q, uint64_t bytes)
{
	int64_t missing = MIN(cost_ns(q, bytes), cost_ns(q, q->o.burst)) - q->tokens;

	q->overlimits++;
	wait_us(q, missing / 1000 + 1);
}

/*
 * next_slot() - what shall leave next: first what the device did not take the last time.
 * QDISC_NONE if nothing waits, or nothing may leave yet; then a timer is armed. A packet for which
 * there are no tokens is held.
 */
static uint32_t next_slot(struct qdisc *q, uint64_t now)
{
	uint32_t slot = q->held;

	if (slot != QDISC_NONE)
		q->held = q->slot[slot].next;
	else
		slot = q->o.kind->dequeue(q, now);
	if (slot == QDISC_NONE || !q->o.rate || pay(q, q->slot[slot].p->frame_len))
		return slot;
	wait_for_tokens(q, q->slot[slot].p->frame_len);
	q->slot[slot].next = q->held;
	q->held = slot;
	return QDISC_NONE;
}

/*
 * hold() - the device did not take slots[0..n-1]: they go first when it
 * does; their tokens come back.
 */
static void hold(struct qdisc *q, const uint32_t *slots, unsigned n)
{
	while (n-- > 0) {
		q->slot[slots[n]].next = q->held;
		q->held = slots[n];
		if (q->o.rate)
			q->tokens += cost_ns(q, q->slot[slots[n]].p->frame_len);
	}
	q->requeues++;
	wait_us(q, RING_RETRY_US);
}

/* forget() - @n slots whose packets are the device's now, of @bytes in all. */
static void forget(struct qdisc *q, const uint32_t *slots, unsigned n, uint64_t bytes)
{
	struct port_cpu *c = port_here(q->port);

	for (unsigned i = 0; i < n; i++) {
		q->slot[slots[i]].next = q->free;
		q->free = slots[i];
	}
	q->packets -= n;
	q->backlog -= bytes;
	q->sent_packets += n;
	q->sent_bytes += bytes;
	c->queued -= n;
	c->out += n;
	c->out_bytes += bytes;
}

/* show() - to the taps; but not what the device did not take the last time: they have seen it. */
static __attribute__((noinline)) void show(struct qdisc *q, const uint32_t *slots,
					   struct pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct qdisc_slot *s = &q->slot[slots[i]];

		if (!s->tapped)
			taps_tx(q->port, &pkts[i], 1);
		s->tapped = true;
	}
}

/*
 * send_batch() - Linux's qdisc_restart(): one batch to the device. Returns how many it took; fewer
 * than asked: no more now.
 */
static unsigned send_batch(struct qdisc *q, unsigned max)
{
	uint32_t slots[PORT_BATCH];
	struct pkt *pkts[PORT_BATCH];
	unsigned n = 0, sent;
	uint64_t now = rdtsc(), frames = 0;

	if (q->o.rate)
		fill_bucket(q, now);
	for (; n < max && (slots[n] = next_slot(q, now)) != QDISC_NONE; n++) {
		pkts[n] = q->slot[slots[n]].p;
		frames += pkts[n]->frame; /* now: a device may free it at once */
	}
	if (!n)
		return 0;
	if (q->port->tx_extra & PORT_TAPS)
		show(q, slots, pkts, n);
	sent = q->port->ops->tx_batch(q->port, 0, pkts, n, frames);
	for (unsigned i = sent; i < n; i++)
		frames -= pkts[i]->frame;
	forget(q, slots, sent, (uint32_t)frames);
	if (sent < n)
		hold(q, slots + sent, n - sent);
	return sent;
}

unsigned qdisc_owner(const struct port *port)
{
	unsigned i = 0;

	while (i < ncpus && port->txq_of_cpu[i])
		i++;
	return i < ncpus ? i : MAX_CPUS;
}

/* is_ours() - may this core send for @q? Its queue may have moved, and the port may have gone. */
static bool is_ours(const struct qdisc *q)
{
	return q->o.kind && q->port->ready && qdisc_owner(q->port) == this_cpu()->id;
}

/* run_later() - by whoever owns the queue now; nobody may, while its port is down. */
static void run_later(struct qdisc *q)
{
	unsigned owner = qdisc_owner(q->port);

	atomic_store(&q->again, true);
	if (owner != MAX_CPUS)
		raise_softirq_on(cpus[owner], SOFTIRQ_NET_TX);
}

/*
 * run() - Linux's __qdisc_run(): batch by batch, until nothing may leave or
 * others shall have a turn.
 */
static void run(struct qdisc *q)
{
	for (unsigned left = ROUND; left;) {
		unsigned ask = MIN(left, (unsigned)PORT_BATCH), sent = send_batch(q, ask);

		left -= sent;
		if (sent < ask)
			return;
	}
	run_later(q);
}

static unsigned nqdiscs; /* ports that have one; changes while the cores are parked */

void qdisc_run_again(void)
{
	if (likely(!nqdiscs))
		return;
	port_for_each(i) {
		struct qdisc *q = ports[i]->qdisc;

		if (q && atomic_load_explicit(&q->again, memory_order_relaxed) && is_ours(q) &&
		    atomic_exchange(&q->again, false))
			run(q);
	}
}

static void timer_fired(struct timer *t)
{
	struct qdisc *q = container_of(t, struct qdisc, timer);

	if (is_ours(q))
		run(q);
	else
		run_later(q);
}

/* --- into it --- */

static void enqueue(struct qdisc *q, struct pkt *p, uint64_t now)
{
	uint32_t slot = q->free;

	q->free = q->slot[slot].next;
	q->slot[slot] = (struct qdisc_slot){ .p = p, .since = now, .next = QDISC_NONE };
	q->packets++;
	q->backlog += p->frame_len;
	port_here(q->port)->queued++;
	if (!q->o.kind->enqueue(q, slot))
		qdisc_drop(q, slot, DROP_QDISC_FULL);
}

void qdisc_xmit(struct port *port, struct pkt **pkts, unsigned n)
{
	struct qdisc *q = port->qdisc;
	uint64_t now = rdtsc();

	for (unsigned i = 0; i < n; i++)
		enqueue(q, pkts[i], now);
	if (!q->timer.armed)
		run(q);
}

/* --- set-up --- */

static void purge_one(struct qdisc *q, uint32_t slot)
{
	qdisc_drop(q, slot, DROP_QDISC_PURGED);
}

/* purge() - all go; what a discipline drops by itself meanwhile it has its own reason for */
static void purge(struct qdisc *q)
{
	uint64_t now = rdtsc();
	uint32_t slot;

	while ((slot = q->held) != QDISC_NONE) {
		q->held = q->slot[slot].next;
		purge_one(q, slot);
	}
	while ((slot = q->o.kind->dequeue(q, now)) != QDISC_NONE)
		purge_one(q, slot);
}

void qdisc_purge(struct port *port)
{
	if (qdisc_of(port))
		purge(port->qdisc);
}

static void end(struct qdisc *q)
{
	free(q->slot);
	free(q->flow);
	q->slot = NULL;
	q->flow = NULL;
}

/* walk_list() - slots one behind another. */
static void walk_list(const struct qdisc *q, uint32_t slot, uint32_t n,
		      void (*tally)(void *t, struct pkt *chain), void *t)
{
	for (; n-- > 0; slot = q->slot[slot].next)
		tally(t, q->slot[slot].p);
}

static void walk_queue(const struct qdisc *q, void (*tally)(void *t, struct pkt *chain), void *t)
{
	for (uint32_t slot = q->held; slot != QDISC_NONE; slot = q->slot[slot].next)
		tally(t, q->slot[slot].p);
	walk_list(q, q->fifo.head, q->fifo.packets, tally, t);
	for (unsigned f = 0; q->flow && f < q->o.flows; f++)
		walk_list(q, q->flow[f].fifo.head, q->flow[f].fifo.packets, tally, t);
}

static void walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	port_for_each(i)
		if (qdisc_of(ports[i]))
			walk_queue(ports[i]->qdisc, tally, t);
}

/*
 * begin() - one instance, empty; its timer may be armed from the discipline before.
 * -ENOMEM, and it holds nothing.
 */
static int begin(struct qdisc *q)
{
	unsigned nslots = q->o.limit + 1;

	q->slot = calloc(nslots, sizeof(*q->slot));
	q->flow = q->o.kind == &qdisc_fq_codel ? calloc(q->o.flows, sizeof(*q->flow)) : NULL;
	if (!q->slot || (q->o.kind == &qdisc_fq_codel && !q->flow)) {
		end(q);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < nslots; i++)
		q->slot[i].next = i + 1 < nslots ? i + 1 : QDISC_NONE;
	q->free = 0;
	q->held = QDISC_NONE;
	q->fifo = (struct qdisc_fifo){ 0 };
	q->new_flows = q->old_flows = (struct qdisc_flows){ QDISC_NONE, QDISC_NONE };
	q->tokens_at = rdtsc();
	q->tokens = q->o.rate ? cost_ns(q, q->o.burst) : 0;
	q->sent_packets = q->sent_bytes = q->dropped = 0;
	q->overlimits = q->requeues = q->marked = 0;
	return 0;
}

/*
 * get() - a port's, made when first wanted and never given back: a timer may
 * refer to it. NULL: no memory.
 */
static struct qdisc *get(struct port *port)
{
	struct qdisc *q = port->qdisc;

	if (q)
		return q;
	q = mem_try_alloc(sizeof(*q), CACHE_LINE);
	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->port = port;
	q->timer.fn = timer_fired;
	return port->qdisc = q;
}

void qdisc_clear(struct port *port)
{
	if (!qdisc_of(port))
		return;
	cores_park();
	xmit_settle(); /* what is on its way here must not be overtaken by what no longer comes
			  here */
	purge(port->qdisc);
	end(port->qdisc);
	port->qdisc->o.kind = NULL;
	nqdiscs--;
	port_set_extra(port, PORT_QDISC, 0, 0);
	cores_resume();
}

int qdisc_set(struct port *port, const struct qdisc_options *o)
{
	struct qdisc *q = get(port);
	int err;

	if (!q)
		return -ENOMEM;
	qdisc_clear(port);
	cores_park();
	q->o = *o;
	err = begin(q);
	if (err) {
		q->o.kind = NULL;
	} else {
		nqdiscs++;
		port_set_extra(port, PORT_QDISC, 0, PORT_QDISC);
	}
	cores_resume();
	return err;
}

void qdisc_init(void)
{
	static struct pkt_holder holder = { .name = "queueing disciplines", .walk = walk };

	pkt_holder_add(&holder);
}
