/* SPDX-License-Identifier: MIT */
/*
 * local.c - Weir as a station
 *
 * local_receive() runs on the core that has the batch: from receive_core() for a NIC, from an
 * internal port's poll otherwise. local_send() runs there too, and in timers and the control
 * context of core 0, which nothing of the data path interrupts. Owns one outbox a core; it is empty
 * between two turns of the core loop.
 */
#include "local.h"

#include "kernel/mem.h"
#include "drivers/netdev.h"
#include "arp.h"
#include "net/bytes.h"
#include "internal.h"
#include "ipv4.h"
#include "ipv6.h"
#include "net/receive.h"
#include "net/wire.h"
#include "net/xmit.h"

/* what one core sends by one port */
struct outbox {
	struct port *port;
	unsigned n;
	uint64_t bytes;
	struct pkt *pkts[PORT_BATCH];
};

static struct outbox *outbox_of_cpu[MAX_CPUS];

/* by Ethernet type; the packet begins with its Ethernet header, which lies in the first buffer */
static const struct packet_type {
	uint16_t type;
	void (*rcv)(struct port *port, struct pkt *p);
} ptype_base[] = {
	{ ETH_P_IP, ipv4_rcv },
	{ ETH_P_ARP, arp_rcv },
	{ ETH_P_IPV6, ipv6_rcv },
};

void local_drop(struct port *port, struct pkt *p, enum drop_reason why)
{
	struct port_cpu *c = port_here(port);

	if (port->internal) {
		internal_drop(port, why);
	} else {
		c->consumed--;
		c->dropped_in[why]++;
	}
	pkt_drop(p, why);
}

static const struct packet_type *type_of(const struct pkt *p)
{
	bool tagged = p->flags & PKT_VLAN && p->vlan_tci & VLAN_VID;

	if (p->len < ETH_HLEN || tagged) /* Weir itself is in no VLAN */
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(ptype_base); i++)
		if (load16(p->data + 12) == be16(ptype_base[i].type))
			return &ptype_base[i];
	return NULL;
}

/* flooded, or a promiscuous NIC's: what is for another station */
static bool for_others(const struct port *port, const struct pkt *p)
{
	return !mac_is_group(p->data[0]) && mac_load(p->data) != mac_load(port->mac);
}

static void deliver(struct port *port, struct pkt *p)
{
	const struct packet_type *type = type_of(p);

	if (!type)
		local_drop(port, p, DROP_LOCAL_TYPE);
	else if (for_others(port, p))
		local_drop(port, p, DROP_LOCAL_OTHERHOST);
	else
		type->rcv(port, p);
}

void local_receive(struct port *port, struct pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		deliver(port, pkts[i]);
	local_flush();
}

/* a batch from a NIC, counted as come in: receive_core() calls it */
static void local_input(struct port *port, struct pkt **pkts, unsigned n)
{
	port_here(port)->consumed += n;
	local_receive(port, pkts, n);
}

/* into the switch, as if a station behind the port had sent it */
static void enter_switch(struct outbox *o)
{
	unsigned n = o->n;

	o->n = 0;
	netif_receive(o->port, 0, o->pkts, n, o->bytes);
}

static void leave(struct outbox *o)
{
	struct xmit_cpu *x = xmit_of_cpu[this_cpu()->id];

	port_here(o->port)->originated += o->n;
	for (unsigned i = 0; i < o->n; i++)
		xmit_stage(x, o->port->id, o->pkts[i]);
	o->n = 0;
	xmit_flush(x, trace_recording());
}

void local_flush(void)
{
	struct outbox *o = outbox_of_cpu[this_cpu()->id];

	if (!o->n)
		return;
	if (o->port->internal)
		enter_switch(o);
	else
		leave(o);
}

void local_send(struct port *port, struct pkt *p)
{
	struct outbox *o = outbox_of_cpu[this_cpu()->id];

	if (o->n == PORT_BATCH || o->port != port)
		local_flush();
	if (!o->n) {
		o->port = port;
		o->bytes = 0;
	}
	if (p->frame_len < ETH_MIN_FRAME && !(p->flags & PKT_GSO)) /* else zeros were payload */
		bytes_pad(p, ETH_MIN_FRAME);
	o->pkts[o->n++] = p;
	o->bytes += p->frame_len;
}

void local_send_drop(struct port *port, struct pkt *p, enum drop_reason why)
{
	struct port_cpu *c = port_here(port);

	if (port->internal) {
		c->in++;
		c->in_bytes += p->frame_len;
		c->forwarded++;
		port_drop_in(port, p, why);
	} else {
		c->originated++;
		c->offered++;
		port_drop_out(port, p, why);
	}
}

void local_init(void)
{
	receive_local = local_input;
	cpu_for_each(i)
		outbox_of_cpu[i] = mem_zalloc(sizeof(struct outbox), CACHE_LINE, "own packets");
}
