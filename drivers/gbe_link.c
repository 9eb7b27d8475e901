/* SPDX-License-Identifier: MIT */
/*
 * gbe_link.c - link, what comes by the link's interrupt, and the watchdog
 *
 * Runs on core 0: the watchdog from its timer, gbe_link_restart() in the control context. The poll
 * of link and errors follows the NAPI contract like a queue's: the hard interrupt masks, the poll
 * takes the causes, completing unmasks. Should its interrupt have been moved to another core, the
 * poll there only counts, and the watchdog notices the link within a second.
 *
 * The link needs auto-negotiation to be started; it comes up half a second later and says so by
 * LSC. Nobody waits for it.
 */
#include "gbe.h"

#include "kernel/console.h"

#include <errno.h>

enum { MDIC_US = 10000, PHY_INSIDE = 1 };

/*
 * phy_op() - read or write one register of the PHY. 0, -ETIMEDOUT, or -EIO if it does not answer.
 */
static int phy_op(struct gbe *gbe, unsigned op, unsigned reg, uint16_t v)
{
	int err;

	gbe_write(gbe, GBE_MDIC,
		  FIELD_PREP(GBE_MDIC_OP, op) | FIELD_PREP(GBE_MDIC_PHY, PHY_INSIDE) |
			  FIELD_PREP(GBE_MDIC_REG, reg) | v);
	err = gbe_wait(gbe, GBE_MDIC, GBE_MDIC_READY, GBE_MDIC_READY, MDIC_US,
		       op == GBE_MDIC_OP_READ ? "PHY read" : "PHY write");
	if (!err && gbe_read(gbe, GBE_MDIC) & GBE_MDIC_ERROR) {
		kprintf("%s: %s PHY does not answer\n", gbe->family->name, gbe->dev.name);
		err = -EIO;
	}
	return err;
}

int gbe_phy_read(struct gbe *gbe, unsigned reg, uint16_t *v)
{
	int err = phy_op(gbe, GBE_MDIC_OP_READ, reg, 0);

	*v = FIELD_GET(GBE_MDIC_DATA, gbe_read(gbe, GBE_MDIC));
	return err;
}

int gbe_link_restart(struct gbe *gbe)
{
	int err = phy_op(gbe, GBE_MDIC_OP_WRITE, GBE_PHY_ADVERTISED,
			 GBE_PHY_ETHERNET | GBE_PHY_10_100 | gbe_pause_advertised(gbe));

	if (err)
		return err;
	return phy_op(gbe, GBE_MDIC_OP_WRITE, GBE_PHY_CONTROL,
		      GBE_PHY_AN_ENABLE | GBE_PHY_AN_RESTART | GBE_PHY_FULL_DUPLEX |
			      GBE_PHY_SPEED_1000);
}

/*
 * link_update() - core 0: learn the link's state from the chip, tell the room above if it changed.
 */
static void link_update(struct gbe *gbe)
{
	static const uint16_t speed[] = { 10, 100, 1000, 1000 };
	struct netdev *dev = &gbe->dev;
	bool event = gbe->link_event, up;
	uint32_t status;

	gbe->link_event = false; /* before the look: what comes behind it is for the next */
	status = gbe_read(gbe, GBE_STATUS);
	up = status & GBE_STATUS_LU;
	/* also when it went and came between two looks */
	if (up && (up != dev->link || event))
		gbe_pause_link_up(gbe);
	if (up == dev->link)
		return;
	dev->link = up;
	dev->speed = up ? speed[FIELD_GET(GBE_STATUS_SPEED, status)] : 0;
	dev->full_duplex = up && status & GBE_STATUS_FD;
	if (up)
		kprintf("%s: %s link is up, %u Mb/s, %s duplex\n", gbe->family->name, dev->name,
			dev->speed, dev->full_duplex ? "full" : "half");
	else
		kprintf("%s: %s link is down\n", gbe->family->name, dev->name);
	if (dev->link_changed)
		dev->link_changed(dev);
}

/* --- the poll behind what is no queue's interrupt --- */

static unsigned link_poll(struct napi *napi, unsigned budget)
{
	struct gbe *gbe = container_of(napi, struct gbe, link_napi);
	uint32_t icr = gbe->scheme->causes(gbe);

	(void)budget;
	gbe->events.rx_overruns += !!(icr & GBE_ICR_RXO);
	gbe->events.dma_out_of_sync += !!(icr & GBE_ICR_DOUTSYNC);
	gbe->events.link_changes += !!(icr & GBE_ICR_LSC);
	if (icr & GBE_ICR_LSC)
		gbe->link_event = true;
	if (icr & GBE_ICR_LSC && this_cpu()->id == 0)
		link_update(gbe);
	return 0;
}

void gbe_link_init(struct gbe *gbe, unsigned cpu)
{
	gbe->link_napi = (struct napi){
		.ops = gbe->scheme->link_ops,
		.poll = link_poll,
		.cpu = cpu,
		.name = gbe->dev.name,
	};
}

void gbe_link_moved(struct gbe *gbe, unsigned cpu)
{
	napi_disable(&gbe->link_napi);
	gbe->link_napi.cpu = cpu;
	napi_enable(&gbe->link_napi);
}

/* --- once a second, core 0 --- */

void gbe_watchdog(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;
	uint32_t wake = 0;

	link_update(gbe);
	gbe_stats_update(gbe);
	for (unsigned q = 0; q < dev->nqueues; q++) {
		if (dev->link)
			gbe_tx_check(gbe, q);
		wake |= gbe->rx[q]->starved ? BIT(q) : 0;
	}
	/*
	 * a ring with too few buffers may get no frames, so nothing would ever poll it:
	 * raise its interrupt by hand
	 */
	if (wake)
		gbe->scheme->wake(gbe, wake);
}
