/* SPDX-License-Identifier: MIT */
/*
 * netdev.c - the list of NICs, and the timer behind their watchdogs
 *
 * Drivers register at boot, core 0. The timer runs on core 0, in SOFTIRQ_TIMER. Owns the list; a
 * netdev is never taken off it.
 */
#include "netdev.h"

#include "kernel/console.h"
#include "kernel/park.h"
#include "kernel/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WATCHDOG_US = 1000000 };

struct netdev *netdevs[NETDEV_MAX];
unsigned nnetdevs;

static bool queue_present(const struct napi *napi)
{
	const struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	return queue->index < queue->dev->nqueues;
}

static void init_queue(struct netdev *dev, unsigned q)
{
	struct netdev_queue *queue = &dev->queue[q];
	struct napi_policy *policy = &queue->policy;

	queue->dev = dev;
	queue->index = q;
	queue->napi.name = queue->name;
	snprintf(queue->name, sizeof(queue->name), "%s-TxRx-%u", dev->name, (uint8_t)q);
	snprintf(policy->queue.name, sizeof(policy->queue.name), "%s/%u", dev->name, (uint8_t)q);
	policy->napi = &queue->napi;
	policy->present = queue_present;
	napi_policy_init(policy);
}

int netdev_register(struct netdev *dev)
{
	if (nnetdevs == NETDEV_MAX) {
		kprintf("netdev: %s is ignored, there are %u NICs already\n", dev->bus_info,
			nnetdevs);
		return -ENOSPC;
	}
	snprintf(dev->name, sizeof(dev->name), "nic%u", nnetdevs);
	for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
		init_queue(dev, q);
	netdevs[nnetdevs++] = dev;
	return 0;
}

struct netdev *netdev_by_name(const char *name)
{
	netdev_for_each(i)
		if (strcmp(netdevs[i]->name, name) == 0)
			return netdevs[i];
	return NULL;
}

static void share_pools_of(struct netdev *dev, const unsigned *queues_of_cpu)
{
	for (unsigned q = 0; q < dev->nqueues; q++) {
		struct netdev_queue *queue = &dev->queue[q];
		unsigned share = cpus[queue->cpu]->pool->size / 2 / queues_of_cpu[queue->cpu];

		dev->ops->set_rx_share(dev, q, share);
	}
}

void netdev_share_pools(void)
{
	unsigned queues_of_cpu[MAX_CPUS] = { 0 };

	netdev_for_each(i)
		for (unsigned q = 0; netdevs[i]->up && q < netdevs[i]->nqueues; q++)
			queues_of_cpu[netdevs[i]->queue[q].cpu]++;
	netdev_for_each(i)
		if (netdevs[i]->up)
			share_pools_of(netdevs[i], queues_of_cpu);
}

/*
 * the chips have one bit for both ways of a tag: whether it is taken out says
 * whether it can be put in
 */
static uint32_t features_of(const struct netdev *dev)
{
	uint32_t f = dev->features & ~dev->hw_features;

	f |= (dev->wanted_features | dev->needed_features) & dev->hw_features;
	f &= ~NETDEV_TX_VLAN;
	if (f & NETDEV_RX_VLAN)
		f |= NETDEV_TX_VLAN;
	if (!(f & NETDEV_TX_CSUM)) /* a segment has a checksum of its own */
		f &= ~(NETDEV_TSO4 | NETDEV_TSO6);
	return f;
}

void netdev_update_features(struct netdev *dev)
{
	uint32_t f = features_of(dev);

	if (f == dev->features)
		return;
	cores_park();
	dev->features = f;
	if (dev->up)
		dev->ops->set_features(dev);
	if (dev->features_changed)
		dev->features_changed(dev);
	cores_resume();
}

static void watchdog(struct timer *t)
{
	netdev_for_each(i)
		if (netdevs[i]->up)
			netdevs[i]->ops->watchdog(netdevs[i]);
	timer_arm(t, WATCHDOG_US);
}

void netdev_start(void)
{
	static struct timer timer = { .fn = watchdog };

	if (nnetdevs)
		timer_arm(&timer, WATCHDOG_US);
	storm_start();
}
