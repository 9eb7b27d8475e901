/* SPDX-License-Identifier: MIT */
/*
 * igb_hw.c - the 82576: reset and configuration, in the datasheet's order
 *
 * Called by igb.c on core 0: at probe, and in the control context with the cores parked. Owns the chip's registers
 * apart from the rings (igb_rx.c, igb_tx.c) and what gbe_hw.c does alike for all chips. The steps' numbers are those
 * of [82576 4.5.3] and its subsections.
 */
#include "igb.h"

#include "kernel/time.h"

enum {
	RESET_US = 20000,
	RESET_REST_US = 1000, /* to be left alone after reset */
};

/* --- reset and configuration, in the datasheet's order --- */

static void mask_everything(struct gbe *gbe)
{
	gbe_write(gbe, GBE_IMC, UINT32_MAX);
	gbe_write(gbe, IGB_EIMC, UINT32_MAX);
	gbe_flush(gbe);
}

/* [82576 4.5.3] steps 1 and 2, the first half: leaves the chip silent, without DMA, its registers at their defaults */
int igb_reset(struct gbe *gbe)
{
	int err;

	/* 1. disable interrupts [82576 4.5.4] */
	mask_everything(gbe);
	/* 2. global reset [82576 4.5.5]. First no new DMA; if old DMA will not end, the reset ends it all the same */
	gbe_change(gbe, GBE_CTRL, IGB_CTRL_GIO_OFF, 0);
	gbe_wait(gbe, GBE_STATUS, IGB_STATUS_GIO_ON, 0, RESET_US, "end of DMA");
	gbe_change(gbe, GBE_CTRL, GBE_CTRL_RST, 0);
	udelay(RESET_REST_US);
	err = gbe_wait(gbe, GBE_CTRL, GBE_CTRL_RST, 0, RESET_US, "reset");
	if (!err && gbe->chip->eeprom_bit)
		err = gbe_wait(gbe, IGB_EEC, IGB_EEC_AUTO_RD, IGB_EEC_AUTO_RD, RESET_US,
			       "EEPROM after reset");
	/* the reset has undone 1. A vector that was being throttled fires now: its queue is disabled, napi_irq() copes */
	mask_everything(gbe);
	(void)gbe_read(gbe, GBE_ICR);
	return err;
}

/* [82576 4.5.3] step 2, the second half */
static void configure_general(struct gbe *gbe)
{
	gbe_configure_general(gbe, 0, 0); /* flow control off [82576 4.5.6] */
	gbe_change(gbe, IGB_CTRL_EXT, IGB_CTRL_EXT_DRV_LOAD, 0);
}

/* RSS: the key repeats two bytes, so that both directions of a flow hash alike and meet on one core */
static void configure_rss(struct gbe *gbe)
{
	unsigned n = gbe->dev.nqueues;

	if (n == 1) {
		gbe_write(gbe, IGB_MRQC, 0);
		return;
	}
	for (unsigned i = 0; i < IGB_RSSRK_WORDS; i++)
		gbe_write(gbe, IGB_RSSRK(i), 0x5a6d5a6d);
	for (unsigned i = 0; i < IGB_RETA_WORDS; i++) {
		uint32_t word = 0;

		for (unsigned k = 0; k < 4; k++)
			word |= (4 * i + k) % n << 8 * k;
		gbe_write(gbe, IGB_RETA(i), word);
	}
	gbe_write(gbe, IGB_MRQC,
		  IGB_MRQC_RSS | IGB_MRQC_IPV4 | IGB_MRQC_TCP_IPV4 | IGB_MRQC_UDP_IPV4 |
			  IGB_MRQC_IPV6 | IGB_MRQC_TCP_IPV6 | IGB_MRQC_TCP_IPV6_EX |
			  IGB_MRQC_UDP_IPV6);
}

/* LPE even at 1,500, for the tag: RLPML has the last word */
uint32_t igb_rx_length(struct gbe *gbe)
{
	gbe_write(gbe, IGB_RLPML, netdev_frame_max(&gbe->dev) + ETH_FCS_LEN);
	return GBE_RCTL_LPE;
}

/* [82576 4.5.9] */
static int configure_receive(struct gbe *gbe)
{
	/* 1. receive address; 2. multicast table, before it; RCTL but for its enable bit */
	gbe_configure_filters(gbe);
	/* 3. interrupt causes: all at the end, step 7 of 4.5.3 */
	/* 4. receive checksums: wrong ones are counted; and the bit that RSS needs */
	gbe_write(gbe, GBE_RXCSUM, GBE_RXCSUM_IPOFL | GBE_RXCSUM_TUOFL | IGB_RXCSUM_PCSD);
	configure_rss(gbe);
	/* 5. each ring */
	for (unsigned q = 0; q < gbe->dev.nqueues; q++) {
		int err = igb_rx_start(gbe, q);

		if (err)
			return err;
	}
	/* 6. receiver on */
	gbe_change(gbe, GBE_RCTL, GBE_RCTL_EN, 0);
	return 0;
}

/* [82576 4.5.10] */
static int configure_transmit(struct gbe *gbe)
{
	for (unsigned q = 0; q < gbe->dev.nqueues; q++) {
		int err = igb_tx_on(gbe, q);

		if (err)
			return err;
	}
	gbe_transmitter_on(gbe);
	return 0;
}

void igb_throttle(struct gbe *gbe)
{
	unsigned n = gbe->dev.nqueues;

	for (unsigned v = 0; v < n; v++)
		gbe_write(gbe, IGB_EITR(v), FIELD_PREP(IGB_EITR_INTERVAL, gbe->rx_usecs));
	gbe_write(gbe, IGB_EITR(n), FIELD_PREP(IGB_EITR_INTERVAL, IGB_LINK_USECS));
}

/* [82576 7.3.2]: vector q for receive queue q, the one behind for link and errors; the NAPI instances unmask EIMS */
static void configure_vectors(struct gbe *gbe)
{
	unsigned n = gbe->dev.nqueues;
	uint32_t queues = BIT(n) - 1;

	/* GPIE first: the others mean something only in this mode */
	gbe_write(gbe, IGB_GPIE,
		  IGB_GPIE_NSICR | IGB_GPIE_MSIX | IGB_GPIE_PBA |
			  (gbe->chip->auto_mask ? IGB_GPIE_EIAME : 0));
	gbe_write(gbe, IGB_EIAC, queues | BIT(n));
	if (gbe->chip->auto_mask)
		gbe_write(gbe, IGB_EIAM, queues);
	for (unsigned q = 0; q < n; q++)
		gbe_write(gbe, IGB_IVAR(q), FIELD_PREP(IGB_IVAR_RX, IGB_IVAR_VALID | q));
	gbe_write(gbe, IGB_IVAR_MISC, FIELD_PREP(IGB_IVAR_MISC_OTHER, IGB_IVAR_VALID | n));
	igb_throttle(gbe);
	gbe_write(gbe, GBE_IMS, GBE_ICR_LSC | GBE_ICR_RXO | GBE_ICR_DOUTSYNC);
}

/* [82576 4.5.3], all of it */
int igb_start(struct gbe *gbe)
{
	int err;

	/* 1. disable interrupts; 2. global reset and general configuration */
	err = igb_reset(gbe);
	if (err)
		return err;
	configure_general(gbe);
	/* 3. PHY and link */
	err = gbe_link_restart(gbe);
	if (err)
		return err;
	/* 4. statistics: reading clears them */
	gbe_stats_update(gbe);
	/* 5. receive */
	err = configure_receive(gbe);
	if (err)
		return err;
	/* 6. transmit */
	err = configure_transmit(gbe);
	if (err)
		return err;
	/* 7. enable interrupts */
	configure_vectors(gbe);
	return 0;
}
