/* SPDX-License-Identifier: MIT */
/*
 * gbe_live.c - queues, rings, spreading and interrupts of a NIC change while frames flow
 *
 * The ethtool ops behind -L, -G, -X, -N and the private flags; in the control context, core 0.
 * Where the datasheet lets us there is no reset, so the link stays. That nothing is lost, and no
 * frame overtakes another of its flow:
 *
 *	1. the receiver goes off: what the wire brings now waits in the chip, which counts what does not fit
 *	   (rx_missed_errors); on QEMU it stays with the back end. No tail is written from here to 6, as QEMU would
 *	   give a frame that waits to the receiver that is off, where it is lost;
 *	2. the queues' owners empty the rings, in their polls, as always;
 *	3. the cores are parked; what waits between them is sent, and the wire gets what transmit rings hold;
 *	4. what is to change changes;
 *	5. the receiver goes on;
 *	6. the cores go on, and fill their rings, each from its own pool.
 *
 * The waits of 2 and 3 have an end. What is still in a receive ring then is dropped as rx_stopped,
 * in a transmit ring it is counted as tx_errors. (One tail must be written nevertheless: when a
 * ring becomes shorter than where it is. On QEMU that may cost it a frame.)
 */
#include "gbe.h"

#include "kernel/control.h"
#include "kernel/park.h"

#include <errno.h>

enum { PATIENCE_MS = 1000 }; /* a core that is a host's thread may stand still for a while */

/* --- the frame of every change --- */

/*
 * the chip's head is where our next frame would be: none is left. Read while the owner
 * polls: at worst a look early
 */
static bool emptied(const struct gbe *gbe, unsigned q)
{
	const struct gbe_rx *rx = gbe->rx[q];

	return gbe_read(gbe, gbe_rx_reg(gbe, q, GBE_RING_HEAD)) ==
	       (*(volatile const uint32_t *)&rx->next & rx->mask);
}

static bool filled(const struct gbe *gbe, unsigned q)
{
	return gbe_read(gbe, gbe_rx_reg(gbe, q, GBE_RING_TAIL)) !=
	       gbe_read(gbe, gbe_rx_reg(gbe, q, GBE_RING_HEAD));
}

static void wait_for_all(const struct gbe *gbe, unsigned from,
			 bool (*done)(const struct gbe *gbe, unsigned q))
{
	unsigned waited = 0;

	for (unsigned q = from; q < gbe->dev.nqueues; q++)
		for (; !done(gbe, q) && waited < PATIENCE_MS; waited++)
			msleep(1);
}

/*
 * quieten() - steps 1 to 3; resound() - steps 5 and 6. Both do no more than park
 * while the device is down.
 */
static void quieten(struct gbe *gbe)
{
	struct netdev *dev = &gbe->dev;

	cores_park();
	if (!dev->up)
		return;
	gbe_receiver(gbe, false);
	for (unsigned q = 0; q < dev->nqueues; q++)
		gbe_rx_freeze(gbe, q);
	cores_resume();
	wait_for_all(gbe, 0, emptied);
	cores_park();
	if (dev->owner_changing)
		dev->owner_changing(dev);
}

static void resound(struct gbe *gbe)
{
	if (gbe->dev.up) {
		gbe_receiver(gbe, true);
		netdev_share_pools(); /* freezes no more */
	}
	cores_resume();
}

/* --- which queue: no ring is touched --- */

int gbe_set_rss(struct netdev *dev, const struct netdev_rss *want)
{
	struct gbe *gbe = dev->priv;

	quieten(gbe);
	dev->rss = *want;
	if (dev->up)
		gbe_configure_rss(gbe);
	resound(gbe);
	return 0;
}

/* --- how many queues: those that stay are not touched --- */

/* flows go to the first @n queues, unless the operator says where */
static void spread_over(struct gbe *gbe, unsigned n)
{
	if (!gbe->dev.rss.table_set)
		gbe_spread(&gbe->dev.rss, n);
	if (gbe->dev.up)
		gbe_configure_rss(gbe);
}

static int resize(struct gbe *gbe, unsigned n)
{
	unsigned was = gbe->dev.nqueues;
	int err;

	/* by what each core transmits changes: what waits for it goes first */
	if (gbe->dev.owner_changing)
		gbe->dev.owner_changing(&gbe->dev);
	gbe_halt(gbe, MIN(n, was));
	if (n < was) {
		gbe_tx_drain(gbe, n);
		gbe_rings_off(gbe, n, was);
	}
	err = gbe_vectors_resize(gbe, n);
	if (!err && n > was)
		err = gbe_rings_on(gbe, was, n);
	gbe->family->interrupts(gbe);
	gbe_go(gbe, MIN(was, gbe->dev.nqueues));
	return err;
}

/* queues come first and then get flows */
static int add_queues(struct gbe *gbe, unsigned n)
{
	unsigned was = gbe->dev.nqueues;
	int err;

	cores_park();
	err = resize(gbe, n);
	cores_resume();
	if (err)
		return err;
	wait_for_all(gbe, was, filled);
	quieten(gbe);
	spread_over(gbe, n);
	resound(gbe);
	return 0;
}

/* flows go away first */
static int remove_queues(struct gbe *gbe, unsigned n)
{
	int err;

	quieten(gbe);
	err = resize(gbe, n);
	spread_over(gbe, gbe->dev.nqueues);
	resound(gbe);
	return err;
}

int gbe_set_channels(struct netdev *dev, unsigned combined)
{
	struct gbe *gbe = dev->priv;

	if (!dev->up) {
		dev->nqueues = combined;
		spread_over(gbe, combined);
		return 0;
	}
	if (combined == dev->nqueues)
		return 0;
	return combined > dev->nqueues ? add_queues(gbe, combined) : remove_queues(gbe, combined);
}

/* --- how long the rings are: all of them begin anew, with the buffers that they had --- */

static void keep_rings(struct gbe *gbe)
{
	for (unsigned q = 0; q < gbe->dev.nqueues; q++) {
		gbe_rx_keep(gbe, q);
		gbe->tx[q]->lost += gbe_tx_stop(gbe, q);
	}
}

int gbe_set_ringparam(struct netdev *dev, unsigned rx, unsigned tx)
{
	struct gbe *gbe = dev->priv;
	int err, on = 0;

	quieten(gbe);
	if (dev->up) {
		gbe_halt(gbe, 0);
		gbe_tx_drain(gbe, 0);
		keep_rings(gbe);
	}
	err = gbe_set_rings(gbe, rx, tx);
	if (dev->up) {
		on = gbe_rings_on(gbe, 0, dev->nqueues);
		gbe_go(gbe, 0);
	}
	resound(gbe);
	return err ? err : on;
}

/* --- by what it interrupts: that takes a reset, and the link goes and comes --- */

const char *const gbe_priv_flags[] = { "no-msix", "no-msi", NULL };

uint32_t gbe_get_priv_flags(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;

	return gbe->forbidden;
}

static int find_anew(struct gbe *gbe, uint8_t forbidden)
{
	uint8_t was = gbe->forbidden;
	int err;

	gbe->forbidden = forbidden;
	err = gbe_find_scheme(gbe);
	if (err) {
		gbe->forbidden = was;
		gbe_find_scheme(gbe); /* it was found before */
	}
	return err;
}

int gbe_set_priv_flags(struct netdev *dev, uint32_t flags)
{
	struct gbe *gbe = dev->priv;
	bool up = dev->up;
	int err, opened = 0;

	quieten(gbe);
	if (up) {
		gbe_stop(dev);
		if (dev->link_changed)
			dev->link_changed(dev);
	}
	err = find_anew(gbe, flags);
	if (up)
		opened = gbe_open(dev);
	cores_resume();
	return err ? err : opened;
}
