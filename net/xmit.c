/* SPDX-License-Identifier: MIT */
/*
 * xmit.c - staging, transmitting, and the rings between cores
 *
 * xmit_flush() runs at the end of each batch on the core that received it, net_tx_action()
 * in SOFTIRQ_NET_TX on the core that owns the queue. Owns the stages (a core's own) and one
 * ring for each pair of cores.
 */
#include "xmit.h"

#include "kernel/mem.h"
#include "kernel/softirq.h"
#include "kernel/spsc.h"
#include "kernel/trace.h"
#include "flow.h"
#include "net/sched/qdisc.h"
#include "taps.h"

#include <string.h>

struct xmit_cpu *xmit_of_cpu[MAX_CPUS];

static struct spsc *ring[MAX_CPUS][MAX_CPUS]; /* [from][to]; NULL where they are the same */

void xmit_too_long(struct stage *s, struct pkt *p)
{
	s->count->offered++;
	port_drop_out(s->port, p, DROP_TX_TOO_LONG);
}

void xmit_drop_unsent(struct stage *s, unsigned sent)
{
	for (unsigned i = sent; i < s->n; i++) {
		s->frames -= s->pkts[i]->frame;
		port_drop_out(s->port, s->pkts[i], s->port->full);
	}
}

/*
 * Another core, that owns a queue of @port; MAX_CPUS if none does. Those that own none
 * spread over those that do.
 */
static unsigned owner_for(const struct port *port, unsigned cpu)
{
	for (unsigned i = 1; i < ncpus; i++)
		if (port->txq_of_cpu[(cpu + i) % ncpus] >= 0)
			return (cpu + i) % ncpus;
	return MAX_CPUS;
}

static void hand_over(struct stage *s, unsigned to)
{
	struct spsc *r = ring[this_cpu()->id][to];
	unsigned pushed = 0;

	for (unsigned i = 0; i < s->n; i++) {
		s->pkts[i]->out_port = s->port->id;
		if (likely(spsc_push(r, s->pkts[i])))
			pushed++;
		else
			port_drop_out(s->port, s->pkts[i], DROP_XCORE_FULL);
	}
	s->count->given += pushed;
	trace(TRACE_XCORE, to, pushed);
	raise_softirq_on(cpus[to], SOFTIRQ_NET_TX);
	xmit_clear(s);
}

static void drop_stage(struct stage *s, enum drop_reason why)
{
	for (unsigned i = 0; i < s->n; i++)
		port_drop_out(s->port, s->pkts[i], why);
	xmit_clear(s);
}

/*
 * transmit() - to what stands before the device, or to it: Linux's dev_hard_start_xmit(),
 * where taps look once more.
 */
static void transmit(struct stage *s)
{
	if (s->port->tx_extra & PORT_QDISC) {
		qdisc_xmit(s->port, s->pkts, s->n);
		xmit_clear(s);
		return;
	}
	if (s->port->tx_extra & PORT_TAPS)
		taps_tx(s->port, s->pkts, s->n);
	xmit_transmit(s, trace_recording());
}

/*
 * sender_of() - the core that transmits what this one has staged: itself if it
 * may; MAX_CPUS: none can.
 */
static unsigned sender_of(const struct stage *s)
{
	unsigned me = this_cpu()->id;

	if (s->port->tx_extra & PORT_QDISC)
		return qdisc_owner(s->port);
	return *s->txq >= 0 ? me : owner_for(s->port, me);
}

unsigned xmit_sender(const struct port *port, unsigned cpu)
{
	if (port->tx_extra & PORT_QDISC)
		return qdisc_owner(port);
	return port->txq_of_cpu[cpu] >= 0 ? cpu : owner_for(port, cpu);
}

void xmit_unusual(struct stage *s)
{
	unsigned sender = sender_of(s);

	if (!s->port->ready || sender == MAX_CPUS)
		drop_stage(s, DROP_TX_DOWN);
	else if (sender == this_cpu()->id)
		transmit(s);
	else
		hand_over(s, sender);
}

/*
 * the same on the core that owns the queue; the port may have gone meanwhile (the
 * queue may not: xmit_settle())
 */
static void stage_finish(struct stage *s)
{
	s->count->taken += s->n;
	if (s->port->ready && *s->txq >= 0)
		transmit(s);
	else
		drop_stage(s, DROP_TX_STOPPED);
}

/* Take one batch from @r; true if it was a full one, so that there may be more. */
static bool drain(struct xmit_cpu *x, struct spsc *r)
{
	void *pkts[PORT_BATCH];
	unsigned n = spsc_pop(r, pkts, PORT_BATCH);

	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = pkts[i];

		xmit_append(x->stage[p->out_port], p, p->frame); /* the length was checked */
	}
	port_for_each(i)
		if (x->stage[i]->n)
			stage_finish(x->stage[i]);
	return n == PORT_BATCH;
}

/* From now on @x sends by the queues of core @owner. */
static void send_as(struct xmit_cpu *x, unsigned owner)
{
	port_for_each(i)
		x->stage[i]->txq = &ports[i]->txq_of_cpu[owner];
}

/*
 * Nothing is staged anywhere, and the cores that own the queues stand still, so this one may send
 * in their place and counts it as its own. What a device's ring does not hold is dropped as always:
 * waiting for the wire would keep the cores standing too long.
 */
void xmit_settle(void)
{
	unsigned me = this_cpu()->id;
	struct xmit_cpu *mine = xmit_of_cpu[me];

	cpu_for_each(to) {
		send_as(mine, to);
		cpu_for_each(from)
			while (from != to && drain(mine, ring[from][to]))
				;
	}
	send_as(mine, me);
}

static void net_tx_action(void)
{
	unsigned me = this_cpu()->id;
	bool more = false;

	cpu_for_each(from)
		if (from != me)
			more |= drain(xmit_of_cpu[me], ring[from][me]);
	qdisc_run_again();
	if (more)
		raise_softirq(SOFTIRQ_NET_TX); /* next round: others have their turn first */
}

void xmit_port_changed(struct port *port)
{
	cpu_for_each(i)
		xmit_of_cpu[i]->stage[port->id]->longest = ETH_HLEN + VLAN_HLEN + port->mtu;
}

void xmit_port_add(struct port *port)
{
	cpu_for_each(i) {
		struct stage *s = xmit_of_cpu[i]->stage[port->id];

		if (!s) /* it is there if the id has been some other port's */
			s = mem_zalloc(sizeof(*s), CACHE_LINE, "transmit stage");
		s->port = port;
		s->count = &port->cpu[i];
		s->txq = &port->txq_of_cpu[i];
		xmit_of_cpu[i]->stage[port->id] = s;
	}
	xmit_port_changed(port);
}

static void ring_walk(struct spsc *r, void (*tally)(void *t, struct pkt *chain), void *t)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	for (uint32_t i = 0, n = spsc_count(r); i < n; i++)
		tally(t, r->slot[(tail + i) & r->mask]);
}

static void rings_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	cpu_for_each(from)
		cpu_for_each(to)
			if (from != to)
				ring_walk(ring[from][to], tally, t);
}

struct waiting {
	const struct port *port;
	unsigned n;
};

static void count_waiting(void *t, struct pkt *p)
{
	struct waiting *w = t;

	w->n += p->out_port == w->port->id;
}

unsigned xmit_waiting(const struct port *port)
{
	struct waiting w = { .port = port };

	rings_walk(NULL, count_waiting, &w);
	return w.n;
}

static struct spsc *ring_create(void)
{
	struct spsc *r = mem_alloc(sizeof(*r), CACHE_LINE, "rings between cores");

	spsc_init(r, mem_alloc(XMIT_RING_SLOTS * sizeof(void *), CACHE_LINE, "rings between cores"),
		  XMIT_RING_SLOTS);
	return r;
}

void xmit_init(void)
{
	static struct stage nowhere; /* it takes nothing, not even the shortest frame */
	static struct pkt_holder holder = { .name = "rings between cores", .walk = rings_walk };

	cpu_for_each(from) {
		xmit_of_cpu[from] =
			mem_zalloc(sizeof(struct xmit_cpu), CACHE_LINE, "transmit stages");
		for (unsigned i = PORT_MAX; i < XMIT_STAGES; i++)
			xmit_of_cpu[from]->stage[i] = &nowhere;
		cpus[from]->xmit = xmit_of_cpu[from];
		xmit_of_cpu[from]->batch.emc = emc_of_cpu[from];
		xmit_of_cpu[from]->batch.mine = from * sizeof(struct flow_stat);
		cpu_for_each(to)
			ring[from][to] = from == to ? NULL : ring_create();
	}
	pkt_holder_add(&holder);
	open_softirq(SOFTIRQ_NET_TX, net_tx_action);
}
