/* SPDX-License-Identifier: MIT */
/*
 * gbe_up.c - a NIC opens and stops, and which core owns which queue
 *
 * In the control context, core 0, with the cores parked. Owns what dev->up, nqueues and txq_of_cpu
 * say. What changes while it is up, and stays up, is in gbe_live.c.
 */
#include "gbe.h"

#include "kernel/console.h"

#include <errno.h>
#include <string.h>

/* --- queues and their cores --- */

/* which pair a core may transmit on: the first that it owns */
static void map_tx_queues(struct netdev *dev)
{
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	for (unsigned q = dev->nqueues; q-- > 0;)
		dev->txq_of_cpu[dev->queue[q].cpu] = q;
}

void gbe_queue_moved(struct netdev_queue *queue, unsigned cpu)
{
	napi_disable(&queue->napi);
	if (queue->dev->owner_changing)
		queue->dev->owner_changing(queue->dev);
	queue->cpu = queue->napi.cpu = cpu;
	map_tx_queues(queue->dev);
	netdev_share_pools();
	napi_enable(&queue->napi);
}

void gbe_go(struct gbe *gbe, unsigned from)
{
	map_tx_queues(&gbe->dev);
	netdev_share_pools();
	for (unsigned q = from; q < gbe->dev.nqueues; q++)
		napi_enable(&gbe->dev.queue[q].napi);
	napi_enable(&gbe->link_napi);
}

void gbe_halt(struct gbe *gbe, unsigned from)
{
	for (unsigned q = from; q < gbe->dev.nqueues; q++)
		napi_disable(&gbe->dev.queue[q].napi);
	napi_disable(&gbe->link_napi);
}

int gbe_rings_on(struct gbe *gbe, unsigned from, unsigned to)
{
	int err = 0;

	for (unsigned q = from; !err && q < to; q++)
		err = gbe->family->rx_on(gbe, q);
	for (unsigned q = from; !err && q < to; q++)
		err = gbe->family->tx_on(gbe, q);
	return err;
}

void gbe_rings_off(struct gbe *gbe, unsigned from, unsigned to)
{
	for (unsigned q = from; q < to; q++) {
		gbe_rx_stop(gbe, q);
		gbe->tx[q]->lost += gbe_tx_stop(gbe, q);
	}
}

int gbe_set_rings(struct gbe *gbe, unsigned rx, unsigned tx)
{
	/* memory first: whether all have it is known before anything is changed */
	for (unsigned q = 0; q < gbe->nrings; q++)
		if (gbe_rx_reserve(gbe->rx[q], rx) || gbe_tx_reserve(gbe->tx[q], tx))
			return -ENOMEM;
	for (unsigned q = 0; q < gbe->nrings; q++) {
		gbe->rx[q]->mask = rx - 1;
		gbe->tx[q]->mask = tx - 1;
	}
	gbe->dev.rx_ring_size = rx;
	gbe->dev.tx_ring_size = tx;
	return 0;
}

/* --- open and stop --- */

/* [82576 4.5.3] [82574 4.6] [8254x 14]: all of it, the receiver last */
static int start(struct gbe *gbe)
{
	/* 1. disable interrupts; 2. global reset and general configuration */
	int err = gbe->family->reset(gbe);

	if (err)
		return err;
	gbe->family->general(gbe);
	/* 3. PHY and link */
	err = gbe_link_restart(gbe);
	if (err)
		return err;
	/* 4. statistics: reading clears them */
	gbe_stats_update(gbe);
	/* 5. receive; 6. transmit; 7. interrupts */
	gbe->family->configure(gbe);
	err = gbe_rings_on(gbe, 0, gbe->dev.nqueues);
	if (err)
		return err;
	gbe_transmitter_on(gbe);
	gbe->family->interrupts(gbe);
	gbe_receiver(gbe, true);
	return 0;
}

/* the chip is silent and does no DMA: take back every buffer and interrupt */
static void release(struct gbe *gbe)
{
	gbe_rings_off(gbe, 0, gbe->dev.nqueues);
	gbe->scheme->free(gbe);
}

int gbe_open(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;
	int err = gbe->scheme->request(gbe);

	if (err) {
		kprintf("%s: %s: no interrupt for it (error %d)\n", gbe->family->name, dev->name,
			-err);
		return err;
	}
	dev->up = true;
	err = start(gbe);
	if (err) {
		dev->up = false;
		gbe->family->reset(gbe);
		release(gbe);
		return err;
	}
	gbe_throttle_measure(gbe);
	gbe_go(gbe, 0);
	return 0;
}

void gbe_stop(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;

	gbe_halt(gbe, 0);
	if (dev->owner_changing)
		dev->owner_changing(dev);
	gbe_receiver(gbe, false);
	gbe_tx_drain(gbe, 0);
	gbe_stats_update(gbe);
	gbe_change(gbe, GBE_TCTL, 0, GBE_TCTL_EN);
	gbe->family->reset(gbe);
	release(gbe);
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	dev->up = dev->link = false;
	dev->speed = 0;
	netdev_share_pools();
}
