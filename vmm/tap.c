/* SPDX-License-Identifier: MIT */
/*
 * tap.c - a guest's port, and the queue of 1000 behind it
 *
 * tun_net_xmit() is called by xmit_flush() and net_tx_action(), tap_drop() and tap_purge() by vhost_net.c's handlers: all
 * on the worker's core, or with the cores parked. Owns the queue and its conservation law; the ports' own is
 * net/port.c's.
 */
#include "tap.h"

#include "kernel/mem.h"
#include "kernel/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TAP_MEMORY = 1 << 20 }; /* bytes that a port may cost in all */

_Static_assert(VHOST_TAP_QUEUE <= (unsigned)TAP_SLOTS, "the queue has its slots");

/* --- the queue --- */

void tap_drop(struct vhost_net *n, enum drop_reason why)
{
	n->dropped[why]++;
	pkt_drop(n->queue[n->queue_tail++ % TAP_SLOTS], why);
}

void tap_purge(struct vhost_net *n)
{
	while (tap_queued(n))
		tap_drop(n, DROP_TAP_PURGED);
}

static void drop_closed(struct vhost_net *n, struct pkt **pkts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		n->dropped[DROP_TAP_CLOSED]++;
		pkt_drop(pkts[i], DROP_TAP_CLOSED);
	}
}

/* xmit.c drops what does not fit, and says TAP_FULL */
static unsigned tun_net_xmit(struct port *port, unsigned q, struct pkt **pkts, unsigned count)
{
	struct vhost_net *n = port->priv;
	struct vhost_vring *rx = &n->vring[VHOST_RX];
	uint32_t head = n->queue_head;

	(void)q;
	if (unlikely(!rx->backend)) {
		n->taken += count;
		drop_closed(n, pkts, count);
		return count;
	}
	count = MIN(count, VHOST_TAP_QUEUE - tap_queued(n));
	for (unsigned i = 0; i < count; i++)
		n->queue[head++ % TAP_SLOTS] = pkts[i];
	n->queue_head = head;
	n->taken += count;
	vhost_poll_queue(rx);
	return count;
}

static void queue_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct vhost_net *n = arg;

	for (uint32_t i = n->queue_tail; i != n->queue_head; i++)
		tally(t, n->queue[i % TAP_SLOTS]);
}

/* --- the port --- */

static int tap_set_up(struct port *port, bool up)
{
	(void)port;
	(void)up;
	return 0; /* what waits is still the guest's */
}

static int tap_set_mode(struct port *port)
{
	(void)port;
	return 0; /* MAC and MTU that the guest was told of are the device's */
}

static bool tap_audit(struct port *port)
{
	const struct vhost_net *n = port->priv;

	return n->taken == n->delivered + port_drops(n->dropped) + tap_queued(n);
}

static const uint64_t *tap_drops(struct port *port)
{
	return ((struct vhost_net *)port->priv)->dropped;
}

static const struct port_ops tap_ops = {
	.tx_batch = tun_net_xmit,
	.set_up = tap_set_up,
	.set_mode = tap_set_mode,
	.audit = tap_audit,
	.drops = tap_drops,
};

int tap_open(struct vhost_net *n, const char *name, const uint8_t mac[6], unsigned mtu)
{
	struct port *port;
	int err;

	if (port_by_name(name))
		return -EEXIST;
	if (nports + 1 == PORT_MAX)
		return -ENOSPC;
	if (mem_free() < TAP_MEMORY)
		return -ENOMEM;
	n->queue = mem_zalloc(TAP_SLOTS * sizeof(*n->queue), CACHE_LINE, "tap queue");
	memset(n->txq_of_cpu, -1, sizeof(n->txq_of_cpu));
	n->txq_of_cpu[n->cpu] = 0;
	n->port = port = mem_zalloc(sizeof(*port), CACHE_LINE, "port");
	port->ops = &tap_ops;
	port->full = DROP_TAP_FULL;
	port->txq_of_cpu = n->txq_of_cpu;
	port->mtu = mtu;
	port->priv = n;
	memcpy(port->mac, mac, sizeof(port->mac));
	memcpy(port->perm_mac, mac, sizeof(port->perm_mac));
	snprintf(port->name, sizeof(port->name), "%s", name);
	n->holder = (struct pkt_holder){ .name = "tap queues", .walk = queue_walk, .arg = n };
	cores_park();
	err = port_add(port);
	if (!err)
		pkt_holder_add(&n->holder);
	cores_resume();
	return err;
}
