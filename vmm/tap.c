/* SPDX-License-Identifier: MIT */
/*
 * tap.c - a guest's port, and the queue of 1000 behind it, or of fewer when there are many
 *
 * tun_net_xmit() is called by xmit_flush() and net_tx_action(), tap_drop() and tap_purge() by
 * vhost_net.c's handlers: all on the worker's core, or with the cores parked. Owns the queue, its
 * conservation law, and how long it may be; the ports' own law is net/port.c's.
 */
#include "tap.h"

#include "kernel/mem.h"
#include "kernel/park.h"
#include "kernel/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TAP_MEMORY = 1 << 20 }; /* bytes that a port may cost in all */

_Static_assert(VHOST_TAP_QUEUE + (unsigned)PKT_GSO_SEGS <= TAP_SLOTS, "the queue has its slots");

/*
 * buffers that may wait in each tap: tap_share_pools(). Read by the workers, changed
 * while the cores are parked
 *
 * What waits for a guest that takes nothing waits for ever, and its buffers are missed by the core
 * whose pool they are from. So all taps together hold no more than a third of one core's pool,
 * whichever cores they came from. Half of a pool is for the NICs' rings (netdev_share_pools), so
 * these can always be filled, and a sixth is left for packets on their way. The parts are equal and
 * fixed: what one guest leaves standing takes no other guest's place.
 */
static unsigned share;

/* --- the queue --- */

void tap_drop(struct vhost_net *n, enum drop_reason why)
{
	n->dropped[why]++;
	pkt_drop_at(tap_take(n), why, n->port->id, true);
}

void tap_purge_first(struct vhost_net *n)
{
	tap_drop(n, DROP_TAP_PURGED);
}

void tap_purge(struct vhost_net *n, unsigned keep)
{
	while (tap_queued(n) > keep)
		tap_purge_first(n);
}

unsigned tap_share(void)
{
	return share;
}

unsigned tap_frames(const struct vhost_net *n)
{
	unsigned frames = 0;

	for (uint32_t i = n->queue_tail; i != n->queue_head; frames++)
		i += n->queue[i % TAP_SLOTS]->nsegs;
	return frames;
}

static void drop_closed(struct vhost_net *n, struct pkt **pkts, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		n->dropped[DROP_TAP_CLOSED]++;
		pkt_drop_at(pkts[i], DROP_TAP_CLOSED, n->port->id, true);
	}
}

/*
 * xmit.c drops what does not fit, and says TAP_FULL. The last that does may be a long frame,
 * and reach beyond the share.
 */
static unsigned tun_net_xmit(struct port *port, unsigned q, struct pkt **pkts, unsigned count,
			     uint64_t frames)
{
	struct vhost_net *n = port->priv;
	struct vhost_vring *rx = &n->vring[VHOST_RX];
	uint32_t head = n->queue_head, end = n->queue_tail + share;
	unsigned took = 0;

	(void)q, (void)frames;
	if (unlikely(!rx->backend)) {
		n->taken += count;
		drop_closed(n, pkts, count);
		return count;
	}
	/* signed: the last one may have reached beyond */
	for (; took < count && (int32_t)(end - head) > 0; took++) {
		n->queue[head % TAP_SLOTS] = pkts[took];
		path_mark(pkts[took], PATH_QUEUE);
		head += pkts[took]->nsegs;
	}
	n->queue_head = head;
	n->taken += took;
	vhost_told(rx);
	vhost_poll_queue(rx);
	return took;
}

static void queue_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct vhost_net *n = arg;

	for (uint32_t i = n->queue_tail; i != n->queue_head;) {
		struct pkt *p = n->queue[i % TAP_SLOTS];

		i += p->nsegs;
		tally(t, p);
	}
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

	return n->taken == n->delivered + port_drops(n->dropped) + tap_frames(n);
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
	.explain = tap_explain,
};

/*
 * tap_share_pools() - a tap has come: each has less, and what waits beyond that goes. Cores parked.
 */
static void tap_share_pools(void)
{
	struct vhost_net *tap[PORT_MAX];
	unsigned ntaps = 0;

	port_for_each(i)
		if (ports[i]->ops == &tap_ops)
			tap[ntaps++] = ports[i]->priv;
	share = MIN(this_cpu()->pool->size / 3 / ntaps, (unsigned)VHOST_TAP_QUEUE);
	for (unsigned i = 0; i < ntaps; i++)
		tap_purge(tap[i], share);
}

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
	if (!err) {
		pkt_holder_add(&n->holder);
		tap_share_pools();
	}
	cores_resume();
	return err;
}
