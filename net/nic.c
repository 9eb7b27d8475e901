/* SPDX-License-Identifier: MIT */
/*
 * nic.c - NICs as ports
 *
 * nic_poll() is called by SOFTIRQ_NET_RX on the core that owns the queue; the ops by port.c in the
 * control context with the cores parked. Owns one struct port a NIC.
 */
#include "nic.h"

#include "kernel/mem.h"
#include "kernel/napi_layers.h"
#include "kernel/netif_rx.h"
#include "kernel/trace.h"
#include "drivers/netdev.h"
#include "gro.h"
#include "net/inet/maddr.h"
#include "port.h"
#include "receive.h"
#include "rps.h"
#include "xmit.h"

#include <stdio.h>
#include <string.h>

/* take() - a batch, that @show may look at before it goes on; a constant NULL costs nothing. */
static inline __attribute__((always_inline)) unsigned take(struct napi *napi, unsigned budget,
							   nic_show *show)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	unsigned n = q->dev->ops->rx_batch(q, budget);

	if (!n)
		return 0;
	if (show)
		show(q, q->taken);
	q->rx_bytes += q->taken_bytes;
	return netif_receive(q->dev->upper, q->index, q->taken, n, q->taken_bytes);
}

unsigned nic_poll(struct napi *napi, unsigned budget)
{
	return take(napi, budget, NULL);
}

/*
 * took_with_gro() - behind a poll that found the ring empty what is held goes on, unless the queue
 * looks again by timer before it goes back to interrupts: gro_flush_timeout bounds the wait then
 * [Linux: napi_complete_done()].
 */
static unsigned took_with_gro(struct napi *napi, unsigned budget, unsigned n)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	bool later = n && napi_policy_defers(&q->policy);

	gro_poll_end(q->dev->upper, q->index, n < budget && !later);
	return n;
}

/* nic_poll_gro() - the same where frames are merged. */
static unsigned nic_poll_gro(struct napi *napi, unsigned budget)
{
	return took_with_gro(napi, budget, take(napi, budget, NULL));
}

static bool merges(const struct netdev *dev)
{
	return dev->features & NETDEV_GRO;
}

unsigned nic_poll_shown(struct napi *napi, unsigned budget, nic_show *show)
{
	unsigned n = take(napi, budget, show);

	if (!merges(container_of(napi, struct netdev_queue, napi)->dev))
		return n;
	return took_with_gro(napi, budget, n);
}

unsigned nic_take(struct napi *napi, struct pkt **pkts, unsigned max)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	unsigned n = q->dev->ops->rx_batch(q, max);

	q->rx_bytes += n ? q->taken_bytes : 0;
	memcpy(pkts, q->taken, n * sizeof(*pkts));
	return n;
}

void nic_deliver(struct napi *napi, struct pkt **pkts, unsigned n)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->frame_len;
	netif_receive(q->dev->upper, q->index, pkts, n, bytes);
	gro_poll_end(q->dev->upper, q->index, true);
}

static unsigned nic_depth(const struct napi *napi)
{
	const struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);

	return q->dev->ops->rx_depth(q->dev, q->index);
}

static unsigned nic_tx_batch(struct port *port, unsigned q, struct pkt **pkts, unsigned n,
			     uint64_t frames)
{
	struct netdev *dev = port->priv;

	return dev->ops->tx_batch(dev, q, pkts, n, frames);
}

static int nic_set_up(struct port *port, bool up)
{
	struct netdev *dev = port->priv;

	if (up)
		return dev->ops->open(dev);
	dev->ops->stop(dev);
	return 0;
}

static void tell_groups(struct netdev *dev, const struct maddrs *m, bool overflow)
{
	dev->ngroups = m && !overflow ? m->n : 0;
	for (unsigned i = 0; i < dev->ngroups; i++)
		memcpy(dev->group[i], m->entry[i].mac, ETH_ALEN);
}

static int nic_set_mode(struct port *port)
{
	struct netdev *dev = port->priv;

	dev->mtu = port->mtu;
	memcpy(dev->mac, port->mac, sizeof(dev->mac));
	dev->promisc = port->promisc || port->sw;
	dev->allmulti = port->allmulti || port->groups_overflow;
	tell_groups(dev, port->groups, port->groups_overflow);
	if (dev->up)
		dev->ops->set_rx_mode(dev);
	return 0;
}

static const uint8_t *nic_rss_key(struct port *port)
{
	return ((struct netdev *)port->priv)->rss.key;
}

static void nic_rss_key_changed(struct netdev *dev)
{
	rps_key_changed(dev->upper);
}

static unsigned nic_queues(struct port *port)
{
	return ((struct netdev *)port->priv)->nqueues;
}

static uint64_t nic_stat(struct port *port, const char *name)
{
	struct netdev *dev = port->priv;
	struct ethtool_stat stats[128];
	unsigned n;

	if (!dev->ethtool || !dev->ethtool->get_stats)
		return 0;
	n = dev->ethtool->get_stats(dev, stats, ARRAY_SIZE(stats));
	for (unsigned i = 0; i < MIN(n, ARRAY_SIZE(stats)); i++)
		if (!strcmp(stats[i].name, name))
			return stats[i].value;
	return 0;
}

/*
 * what its queues had no place for in their interrupts; no mouth of the port has
 * seen it. A sum for who asks
 */
static const uint64_t *nic_drops(struct port *port)
{
	static uint64_t drops[DROP_N];
	struct netdev *dev = port->priv;
	uint64_t n = 0;

	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++)
		if (dev->queue[i].policy.rx)
			n += netif_rx_dropped(dev->queue[i].policy.rx);
	drops[DROP_IRQ_BACKLOG] = n;
	return drops;
}

static bool nic_has_link(struct port *port)
{
	return ((struct netdev *)port->priv)->link;
}

static void nic_link_changed(struct netdev *dev)
{
	port_link_changed(dev->upper);
}

/* what GRO holds first, as that may go into a backlog; of all ports then: they share the rings */
static void settle_behind(struct port *port)
{
	gro_settle(port);
	rps_settle();
}

/*
 * settle() - what came in by @dev goes on: what is on its way already, and then what
 * waits behind its interrupts.
 */
static void settle(struct netdev *dev)
{
	settle_behind(dev->upper);
	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++)
		if (dev->queue[i].policy.rx)
			netif_rx_settle(dev->queue[i].policy.rx);
	settle_behind(dev->upper);
}

static void nic_features_changed(struct netdev *dev)
{
	struct port *port = dev->upper;

	settle(dev); /* whose hash it goes by, the chip's or ours, may differ */
	port->features = dev->features;
	gro_set(port, dev->features & NETDEV_GRO, dev->features & NETDEV_GRO_UDP);
	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++)
		napi_set_own(&dev->queue[i].napi, NULL, merges(dev) ? nic_poll_gro : nic_poll);
}

static void nic_owner_changing(struct netdev *dev)
{
	settle(dev);
}

static const struct port_ops nic_ops = {
	.tx_batch = nic_tx_batch,
	.set_up = nic_set_up,
	.set_mode = nic_set_mode,
	.rss_key = nic_rss_key,
	.queues = nic_queues,
	.stat = nic_stat,
	.drops = nic_drops,
};

static void nic_add(struct netdev *dev)
{
	struct port *port = mem_zalloc(sizeof(*port), CACHE_LINE, "port");

	port->ops = &nic_ops;
	port->full = DROP_TX_RING_FULL;
	port->has_link = nic_has_link;
	port->txq_of_cpu = dev->txq_of_cpu;
	port->mtu = dev->mtu;
	port->features = dev->features;
	port->gro = gro_create();
	port->priv = dev;
	memcpy(port->mac, dev->mac, sizeof(port->mac));
	memcpy(port->perm_mac, dev->mac, sizeof(port->perm_mac));
	snprintf(port->name, sizeof(port->name), "%s", dev->name);
	dev->upper = port;
	dev->link_changed = nic_link_changed;
	dev->rss_key_changed = nic_rss_key_changed;
	dev->features_changed = nic_features_changed;
	dev->owner_changing = nic_owner_changing;
	for (unsigned i = 0; i < NETDEV_MAX_QUEUES; i++) {
		napi_set_own(&dev->queue[i].napi, NULL, nic_poll);
		dev->queue[i].policy.take = nic_take;
		dev->queue[i].policy.deliver = nic_deliver;
		dev->queue[i].policy.depth = nic_depth;
		dev->queue[i].policy.max_backlog = &netdev_max_backlog;
	}
	port_add(port); /* there is room: fewer NICs than ports */
}

void nic_init(void)
{
	netdev_for_each(i)
		nic_add(netdevs[i]);
}

_Static_assert(NETDEV_MAX < (unsigned)PORT_MAX, "every NIC finds a place among the ports");
_Static_assert(NAPI_POLL_MAX <= (unsigned)PORT_BATCH, "what one poll takes is one batch");
_Static_assert(NETDEV_NAME <= (unsigned)PORT_NAME, "a NIC's name fits its port");
