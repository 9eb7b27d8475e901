/* SPDX-License-Identifier: MIT */
/*
 * igb_link.c - link, the link and error vector, and the watchdog of the 82576
 *
 * Runs on core 0: the watchdog from its timer, igb_link_restart() in the control context. The vector's poll follows
 * the NAPI contract like a queue's: its hard interrupt masks, its poll reads ICR (never a queue's: the queues' causes
 * live in EICR, which nobody reads), completing unmasks it. Should it have been moved to another core, the poll
 * there only counts, and the watchdog notices the link within a second.
 *
 * The link needs auto-negotiation to be started; it comes up half a second later and says so by LSC. Nobody waits
 * for it.
 */
#include "igb.h"

#include "kernel/console.h"

#include <errno.h>

enum { MDIC_US = 10000, PHY_INSIDE = 1 };

/* phy_write() - write one register of the PHY. 0, -ETIMEDOUT, or -EIO if it does not answer. [82576 8.2.4] */
static int phy_write(struct igb *igb, unsigned reg, uint16_t v)
{
	int err;

	igb_write(igb, IGB_MDIC,
		  FIELD_PREP(IGB_MDIC_OP, IGB_MDIC_OP_WRITE) |
			  FIELD_PREP(IGB_MDIC_PHY, PHY_INSIDE) | FIELD_PREP(IGB_MDIC_REG, reg) | v);
	err = igb_wait(igb, IGB_MDIC, IGB_MDIC_READY, IGB_MDIC_READY, MDIC_US, "PHY write");
	if (!err && igb_read(igb, IGB_MDIC) & IGB_MDIC_ERROR) {
		kprintf("igb: %s PHY does not answer\n", igb->dev.name);
		err = -EIO;
	}
	return err;
}

int igb_link_restart(struct igb *igb)
{
	return phy_write(igb, IGB_PHY_CONTROL,
			 IGB_PHY_AN_ENABLE | IGB_PHY_AN_RESTART | IGB_PHY_FULL_DUPLEX |
				 IGB_PHY_SPEED_1000);
}

void igb_link_update(struct igb *igb)
{
	static const uint16_t speed[] = { 10, 100, 1000, 1000 };
	struct netdev *dev = &igb->dev;
	uint32_t status = igb_read(igb, IGB_STATUS);
	bool up = status & IGB_STATUS_LU;

	if (up == dev->link)
		return;
	dev->link = up;
	dev->speed = up ? speed[FIELD_GET(IGB_STATUS_SPEED, status)] : 0;
	dev->full_duplex = up && status & IGB_STATUS_FD;
	if (up)
		kprintf("igb: %s link is up, %u Mb/s, %s duplex\n", dev->name, dev->speed,
			dev->full_duplex ? "full" : "half");
	else
		kprintf("igb: %s link is down\n", dev->name);
	if (dev->link_changed)
		dev->link_changed(dev);
}

/* --- the link and error vector --- */

static void link_vector(struct napi *napi, uint32_t reg)
{
	struct igb *igb = container_of(napi, struct igb, link_napi);

	igb_write(igb, reg, BIT(igb->dev.nqueues));
}

static void link_irq_mask(struct napi *napi)
{
	link_vector(napi, IGB_EIMC);
}

static void link_irq_unmask(struct napi *napi)
{
	link_vector(napi, IGB_EIMS);
}

/* what comes while the vector is masked sets its EICR bit, and the unmask sends it: there is nothing to look for */
static bool link_work_pending(struct napi *napi)
{
	(void)napi;
	return false;
}

static const struct napi_ops link_napi_ops = {
	.irq_mask = link_irq_mask,
	.irq_unmask = link_irq_unmask,
	.work_pending = link_work_pending,
};

static unsigned link_poll(struct napi *napi, unsigned budget)
{
	struct igb *igb = container_of(napi, struct igb, link_napi);
	uint32_t icr = igb_read(igb, IGB_ICR);

	(void)budget;
	igb->events.rx_overruns += !!(icr & IGB_ICR_RXO);
	igb->events.dma_out_of_sync += !!(icr & IGB_ICR_DOUTSYNC);
	igb->events.link_changes += !!(icr & IGB_ICR_LSC);
	if (icr & IGB_ICR_LSC && this_cpu()->id == 0)
		igb_link_update(igb);
	return 0;
}

static void link_irq_handler(void *arg)
{
	struct igb *igb = arg;

	napi_irq(&igb->link_napi);
}

static void link_irq_moved(void *arg, unsigned cpu)
{
	struct igb *igb = arg;

	napi_disable(&igb->link_napi);
	igb->link_napi.cpu = cpu;
	napi_enable(&igb->link_napi);
}

void igb_link_init(struct igb *igb, unsigned vector)
{
	igb->link_napi = (struct napi){
		.ops = &link_napi_ops,
		.poll = link_poll,
		.name = igb->dev.name,
	};
	igb->link_irq = (struct irq){
		.handler = link_irq_handler,
		.moved = link_irq_moved,
		.arg = igb,
		.name = igb->dev.name,
	};
	msix_irq_init(&igb->msix, vector, &igb->link_irq);
}

/* --- once a second, core 0 --- */

void igb_watchdog(struct netdev *dev)
{
	struct igb *igb = dev->priv;
	uint32_t wake = 0;

	igb_link_update(igb);
	igb_stats_update(igb);
	for (unsigned q = 0; q < dev->nqueues; q++) {
		if (dev->link)
			igb_tx_check(igb, q);
		wake |= igb->rx[q]->starved ? BIT(q) : 0;
	}
	/* a ring with too few buffers may get no frames, so nothing would ever poll it: raise its vector by hand */
	if (wake)
		igb_write(igb, IGB_EICS, wake);
}
