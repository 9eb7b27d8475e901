/* SPDX-License-Identifier: MIT */
/*
 * gbe_hw.c - steps of the configuration that all chips take alike
 *
 * Called by gbe.c and the chips' own files, igb_hw.c and its like, which have the order, on core 0:
 * at probe, and in the control context with the cores parked. Owns the registers that it writes:
 * masks, CTRL, flow control, filters, RCTL, TCTL.
 */
#include "gbe.h"

#include "kernel/console.h"
#include "kernel/time.h"

#include <errno.h>

enum {
	WAIT_STEP_US = 10,
	RESET_US = 20000,
	RESET_REST_US = 1000, /* to be left alone after reset */
};

int gbe_wait(const struct gbe *gbe, uint32_t off, uint32_t mask, uint32_t want, unsigned us,
	     const char *what)
{
	for (unsigned waited = 0; (gbe_read(gbe, off) & mask) != want; waited += WAIT_STEP_US) {
		if (waited >= us) {
			kprintf("%s: %s: %s: not within %u us, register %05x reads %08x\n",
				gbe->family->name, gbe->dev.name, what, us, off,
				gbe_read(gbe, off));
			return -ETIMEDOUT;
		}
		udelay(WAIT_STEP_US);
	}
	return 0;
}

static void mask_everything(struct gbe *gbe)
{
	gbe_write(gbe, GBE_IMC, UINT32_MAX);
	if (gbe->chip->extended)
		gbe_write(gbe, GBE_EIMC, UINT32_MAX);
	gbe_flush(gbe);
}

/*
 * [82576 4.5.3] [82574 4.6] steps 1 and 2, the first half: leaves the chip silent, without DMA, its
 * registers at their defaults
 */
int gbe_pcie_reset(struct gbe *gbe)
{
	int err;

	/* 1. disable interrupts [82576 4.5.4] */
	mask_everything(gbe);
	/*
	 * 2. global reset [82576 4.5.5]. First no new DMA; if old DMA will not end, the
	 * reset ends it all the same
	 */
	gbe_change(gbe, GBE_CTRL, GBE_CTRL_GIO_OFF, 0);
	gbe_wait(gbe, GBE_STATUS, GBE_STATUS_GIO_ON, 0, RESET_US, "end of DMA");
	gbe_change(gbe, GBE_CTRL, GBE_CTRL_RST, 0);
	udelay(RESET_REST_US);
	err = gbe_wait(gbe, GBE_CTRL, GBE_CTRL_RST, 0, RESET_US, "reset");
	if (!err && gbe->chip->eeprom_bit)
		err = gbe_wait(gbe, GBE_EEC, GBE_EEC_AUTO_RD, GBE_EEC_AUTO_RD, RESET_US,
			       "EEPROM after reset");
	/*
	 * the reset has undone 1. A vector that was being throttled fires now: its queue is
	 * disabled, napi_irq() copes
	 */
	mask_everything(gbe);
	(void)gbe_read(gbe, GBE_ICR);
	return err;
}

int gbe_read_address(struct gbe *gbe, uint8_t mac[ETH_ALEN])
{
	uint32_t lo = gbe_read(gbe, GBE_RAL(0)), hi = gbe_read(gbe, GBE_RAH(0));

	for (unsigned i = 0; i < 4; i++)
		mac[i] = lo >> 8 * i;
	mac[4] = hi;
	mac[5] = hi >> 8;
	return hi & GBE_RAH_AV ? 0 : -EINVAL;
}

void gbe_receiver(struct gbe *gbe, bool on)
{
	gbe_change(gbe, GBE_RCTL, on ? GBE_RCTL_EN : 0, on ? 0 : GBE_RCTL_EN);
	gbe_flush(gbe);
}

void gbe_configure_general(struct gbe *gbe, uint32_t set, uint32_t clear)
{
	/* speed and duplex as the PHY negotiates them */
	gbe_change(gbe, GBE_CTRL, GBE_CTRL_SLU | set, GBE_CTRL_FRCSPD | GBE_CTRL_FRCDPX | clear);
	gbe_pause_configure(gbe);
}

void gbe_set_features(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;
	const uint32_t told = NETDEV_RX_CSUM | NETDEV_RX_HASH | NETDEV_RX_VLAN;
	uint32_t f = dev->features;

	for (unsigned q = 0; q < gbe->dev.nqueues; q++)
		gbe->rx[q]->tell = f & told;
	gbe_write(gbe, GBE_VET, GBE_VET_VLAN);
	gbe_change(gbe, GBE_CTRL, f & NETDEV_RX_VLAN ? GBE_CTRL_VME : 0,
		   f & NETDEV_RX_VLAN ? 0 : GBE_CTRL_VME);
}

void gbe_configure_features(struct gbe *gbe)
{
	gbe_set_features(&gbe->dev);
	if (gbe->chip->rss)
		gbe_configure_rss(gbe);
}

void gbe_transmitter_on(struct gbe *gbe)
{
	gbe_write(gbe, GBE_TCTL,
		  GBE_TCTL_EN | GBE_TCTL_PSP | GBE_TCTL_RTLC | FIELD_PREP(GBE_TCTL_CT, 15) |
			  FIELD_PREP(GBE_TCTL_BST, 0x40));
}
