/* SPDX-License-Identifier: MIT */
/*
 * internal.c - internal ports
 *
 * internal_tx_batch() runs at the end of a batch on the core that has it, internal_poll() in
 * SOFTIRQ_NET_RX on the same core, the rest in the control context with the cores parked. Owns one
 * queue a core for all internal ports, and the ports, of which there are as many as switches.
 */
#include "internal.h"

#include "kernel/mem.h"
#include "kernel/park.h"
#include "kernel/softirq.h"
#include "drivers/netdev.h"
#include "inet.h"
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { QUEUE_SLOTS = 1024, QUEUE_MAX = 1000 }; /* as Linux's netdev_max_backlog */

/* of one core */
struct queue {
	struct napi napi;
	uint32_t head, tail;
	char name[24];
	struct pkt *pkts[QUEUE_SLOTS]; /* out_port says for which port */
};

/* of one port, by one core */
struct internal_cpu {
	_Alignas(CACHE_LINE) uint64_t delivered; /* to the protocols */
	uint64_t dropped[DROP_N];                /* of these, by them */
};

struct internal {
	struct port port;
	struct internal_cpu *cpu; /* [ncpus] */
	uint64_t dropped[DROP_N]; /* sums, made when somebody asks */
};

static struct queue *queue_of_cpu[MAX_CPUS];
static struct internal *internal_of[SWITCH_MAX]; /* by switch; kept for the next of that number */
static int8_t txq_of_cpu[MAX_CPUS];              /* each core has a queue of its own */

static unsigned internal_tx_batch(struct port *port, unsigned q, struct pkt **pkts, unsigned n,
				  uint64_t frames)
{
	struct queue *queue = queue_of_cpu[this_cpu()->id];
	unsigned take = MIN(n, QUEUE_MAX - (queue->head - queue->tail));

	(void)q, (void)frames;
	for (unsigned i = 0; i < take; i++) {
		pkts[i]->out_port = port->id;
		queue->pkts[queue->head++ % QUEUE_SLOTS] = pkts[i];
	}
	napi_schedule(&queue->napi);
	return take;
}

/* as many of the oldest as are for one port, up to @max; returns how many */
static unsigned take_run(struct queue *q, struct pkt **pkts, unsigned max)
{
	unsigned id = q->pkts[q->tail % QUEUE_SLOTS]->out_port, n = 0;

	while (n < max && q->tail != q->head && q->pkts[q->tail % QUEUE_SLOTS]->out_port == id)
		pkts[n++] = q->pkts[q->tail++ % QUEUE_SLOTS];
	return n;
}

static unsigned internal_poll(struct napi *napi, unsigned budget)
{
	struct queue *q = container_of(napi, struct queue, napi);
	struct pkt *pkts[PORT_BATCH];
	unsigned done = 0;

	while (done < budget && q->tail != q->head) {
		unsigned n = take_run(q, pkts, budget - done);
		struct port *port = ports[pkts[0]->out_port];
		struct internal *in = port->priv;

		in->cpu[this_cpu()->id].delivered += n;
		local_receive(port, pkts, n);
		done += n;
	}
	return done;
}

/* a queue that only its own core fills has no interrupt to mask, and none that could be missed */
static void no_interrupt(struct napi *napi)
{
	(void)napi;
}

static bool queue_pending(struct napi *napi)
{
	struct queue *q = container_of(napi, struct queue, napi);

	return q->tail != q->head;
}

static const struct napi_ops queue_ops = {
	.irq_mask = no_interrupt,
	.irq_unmask = no_interrupt,
	.work_pending = queue_pending,
};

static void queues_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	cpu_for_each(i) {
		struct queue *q = queue_of_cpu[i];

		for (uint32_t k = q->tail; k != q->head; k++)
			tally(t, q->pkts[k % QUEUE_SLOTS]);
	}
}

/* With the first internal port; most machines that only switch have no use for it. */
static void queues_create(void)
{
	static struct pkt_holder holder = { .name = "internal ports", .walk = queues_walk };

	cpu_for_each(i) {
		struct queue *q = mem_zalloc(sizeof(*q), CACHE_LINE, "internal ports");

		queue_of_cpu[i] = q;
		txq_of_cpu[i] = i;
		snprintf(q->name, sizeof(q->name), "internal-%u", i);
		q->napi = (struct napi){ .ops = &queue_ops, .poll = internal_poll, .cpu = i };
		q->napi.name = q->name;
		napi_enable(&q->napi);
	}
	pkt_holder_add(&holder);
}

struct queued {
	const struct port *port;
	unsigned n;
};

static void count_queued(void *t, struct pkt *p)
{
	struct queued *q = t;

	q->n += p->out_port == q->port->id;
}

/* what the switch gave it was delivered, or still waits */
static bool internal_audit(struct port *port)
{
	struct internal *in = port->priv;
	struct queued q = { .port = port };
	uint64_t delivered = 0;

	queues_walk(NULL, count_queued, &q);
	cpu_for_each(i)
		delivered += in->cpu[i].delivered;
	return port_total(port).out == delivered + q.n;
}

static const uint64_t *internal_drops(struct port *port)
{
	struct internal *in = port->priv;

	for (unsigned why = 0; why < DROP_N; why++) {
		in->dropped[why] = 0;
		cpu_for_each(i)
			in->dropped[why] += in->cpu[i].dropped[why];
	}
	return in->dropped;
}

void internal_drop(struct port *port, enum drop_reason why)
{
	((struct internal *)port->priv)->cpu[this_cpu()->id].dropped[why]++;
}

static int internal_set_up(struct port *port, bool up)
{
	(void)port;
	(void)up;
	return 0;
}

static int internal_set_mode(struct port *port)
{
	(void)port;
	return 0;
}

static const struct port_ops internal_ops = {
	.tx_batch = internal_tx_batch,
	.set_up = internal_set_up,
	.set_mode = internal_set_mode,
	.audit = internal_audit,
	.drops = internal_drops,
};

struct port *internal_port(const struct vswitch *sw)
{
	struct internal *in = internal_of[sw->id];

	return in && in->port.sw == sw ? &in->port : NULL;
}

/*
 * No two alike on a wire: the first NIC's address, said to be a local one, and a
 * bit of it for each switch.
 */
static void make_mac(struct port *port, unsigned sw)
{
	static const uint8_t weir[6] = { 0x02, 'W', 'e', 'i', 'r', 0 };

	memcpy(port->perm_mac, ports[1] ? ports[1]->perm_mac : weir, sizeof(weir));
	port->perm_mac[0] = (port->perm_mac[0] | 2) ^ (sw + 1) << 4;
	memcpy(port->mac, port->perm_mac, sizeof(port->mac));
}

static struct internal *internal_create(void)
{
	struct internal *in = mem_zalloc(sizeof(*in), CACHE_LINE, "internal port");

	in->cpu = mem_zalloc(ncpus * sizeof(*in->cpu), CACHE_LINE, "internal port");
	in->port.ops = &internal_ops;
	in->port.full = DROP_LOCAL_FULL;
	in->port.txq_of_cpu = txq_of_cpu;
	in->port.priv = in;
	in->port.internal = true;
	in->port.features = NETDEV_TX_VLAN | NETDEV_HW_CSUM | NETDEV_TSO4 | NETDEV_TSO6;
	return in;
}

int internal_add(struct vswitch *sw)
{
	struct internal *in;
	int err;

	cores_park();
	if (!queue_of_cpu[0])
		queues_create();
	if (!internal_of[sw->id])
		internal_of[sw->id] = internal_create();
	in = internal_of[sw->id];
	memset(in->cpu, 0, ncpus * sizeof(*in->cpu));
	in->port.held = in->port.promisc = in->port.allmulti = false;
	in->port.mtu = ETH_DATA_LEN;
	snprintf(in->port.name, sizeof(in->port.name), "%s", sw->name);
	make_mac(&in->port, sw->id);
	err = port_add(&in->port);
	if (!err)
		switch_add_port(sw, &in->port);
	cores_resume();
	return err;
}

/*
 * What waits in the queues is delivered first, by this core in place of the
 * others, which stand still.
 */
static void queues_settle(void)
{
	cpu_for_each(i) {
		struct queue *q = queue_of_cpu[i];

		while (internal_poll(&q->napi, PORT_BATCH))
			;
	}
}

void internal_del(struct vswitch *sw)
{
	struct port *port = internal_port(sw);

	if (!port)
		return;
	cores_park();
	port_set_up(port, false);
	queues_settle();
	inet_port_gone(port);
	switch_del_port(port);
	port_del(port);
	cores_resume();
}

void internal_init(void)
{
	memset(queue_of_cpu, 0, sizeof(queue_of_cpu));
	memset(internal_of, 0, sizeof(internal_of));
}

_Static_assert(SWITCH_NAME <= (unsigned)PORT_NAME, "a switch's name fits its port");
