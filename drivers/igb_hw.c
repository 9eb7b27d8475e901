/* SPDX-License-Identifier: MIT */
/*
 * igb_hw.c - the 82576: reset and configuration, in the datasheet's order
 *
 * Called by igb.c on core 0: at probe, and in the control context with the cores parked. Owns the chip's registers
 * apart from the rings (igb_rx.c, igb_tx.c). The steps' numbers are those of [82576 4.5.3] and its subsections.
 */
#include "igb.h"

#include "kernel/console.h"
#include "kernel/time.h"

#include <errno.h>

enum {
	WAIT_STEP_US = 10,
	RESET_US = 20000,
	RESET_REST_US = 1000, /* to be left alone after reset */
};

int igb_wait(const struct igb *igb, uint32_t off, uint32_t mask, uint32_t want, unsigned us,
	     const char *what)
{
	for (unsigned waited = 0; (igb_read(igb, off) & mask) != want; waited += WAIT_STEP_US) {
		if (waited >= us) {
			kprintf("igb: %s: %s: not within %u us, register %05x reads %08x\n",
				igb->dev.name, what, us, off, igb_read(igb, off));
			return -ETIMEDOUT;
		}
		udelay(WAIT_STEP_US);
	}
	return 0;
}

/* --- reset and configuration, in the datasheet's order --- */

static void mask_everything(struct igb *igb)
{
	igb_write(igb, IGB_IMC, UINT32_MAX);
	igb_write(igb, IGB_EIMC, UINT32_MAX);
	igb_flush(igb);
}

/* [82576 4.5.3] steps 1 and 2, the first half: leaves the chip silent, without DMA, its registers at their defaults */
int igb_reset(struct igb *igb)
{
	int err;

	/* 1. disable interrupts [82576 4.5.4] */
	mask_everything(igb);
	/* 2. global reset [82576 4.5.5]. First no new DMA; if old DMA will not end, the reset ends it all the same */
	igb_change(igb, IGB_CTRL, IGB_CTRL_GIO_OFF, 0);
	igb_wait(igb, IGB_STATUS, IGB_STATUS_GIO_ON, 0, RESET_US, "end of DMA");
	igb_change(igb, IGB_CTRL, IGB_CTRL_RST, 0);
	udelay(RESET_REST_US);
	err = igb_wait(igb, IGB_CTRL, IGB_CTRL_RST, 0, RESET_US, "reset");
	if (!err && igb->chip->eeprom_bit)
		err = igb_wait(igb, IGB_EEC, IGB_EEC_AUTO_RD, IGB_EEC_AUTO_RD, RESET_US,
			       "EEPROM after reset");
	/* the reset has undone 1. A vector that was being throttled fires now: its queue is disabled, napi_irq() copes */
	mask_everything(igb);
	(void)igb_read(igb, IGB_ICR);
	return err;
}

/* [82576 4.5.3] step 2, the second half */
static void configure_general(struct igb *igb)
{
	/* speed and duplex as the PHY negotiates them, tags left in the frames, no pause frames either way */
	igb_change(igb, IGB_CTRL, IGB_CTRL_SLU,
		   IGB_CTRL_FRCSPD | IGB_CTRL_FRCDPX | IGB_CTRL_RFCE | IGB_CTRL_TFCE |
			   IGB_CTRL_VME);
	igb_change(igb, IGB_CTRL_EXT, IGB_CTRL_EXT_DRV_LOAD, 0);
	/* flow control [82576 4.5.6]: off */
	igb_write(igb, IGB_FCAL, 0);
	igb_write(igb, IGB_FCAH, 0);
	igb_write(igb, IGB_FCT, 0);
	igb_write(igb, IGB_FCTTV, 0);
}

/* RSS: the key repeats two bytes, so that both directions of a flow hash alike and meet on one core */
static void configure_rss(struct igb *igb)
{
	unsigned n = igb->dev.nqueues;

	if (n == 1) {
		igb_write(igb, IGB_MRQC, 0);
		return;
	}
	for (unsigned i = 0; i < IGB_RSSRK_WORDS; i++)
		igb_write(igb, IGB_RSSRK(i), 0x5a6d5a6d);
	for (unsigned i = 0; i < IGB_RETA_WORDS; i++) {
		uint32_t word = 0;

		for (unsigned k = 0; k < 4; k++)
			word |= (4 * i + k) % n << 8 * k;
		igb_write(igb, IGB_RETA(i), word);
	}
	igb_write(igb, IGB_MRQC,
		  IGB_MRQC_RSS | IGB_MRQC_IPV4 | IGB_MRQC_TCP_IPV4 | IGB_MRQC_UDP_IPV4 |
			  IGB_MRQC_IPV6 | IGB_MRQC_TCP_IPV6 | IGB_MRQC_TCP_IPV6_EX |
			  IGB_MRQC_UDP_IPV6);
}

/* address, filters, frame length; leaves RCTL.EN as it is */
void igb_set_rx_mode(struct netdev *dev)
{
	struct igb *igb = dev->priv;
	const uint8_t *m = dev->mac;

	if (!dev->up)
		return; /* open programs it all */
	igb_write(igb, IGB_RAL(0), m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24);
	igb_write(igb, IGB_RAH(0), FIELD_PREP(IGB_RAH_ADDR, m[4] | m[5] << 8) | IGB_RAH_AV);
	igb_write(igb, IGB_RLPML, netdev_frame_max(dev) + ETH_FCS_LEN);
	/* multicast: all of it, the rooms above choose. Length: LPE even at 1,500, for the tag */
	igb_change(igb, IGB_RCTL,
		   IGB_RCTL_MPE | IGB_RCTL_BAM | IGB_RCTL_LPE | IGB_RCTL_SECRC |
			   (dev->promisc ? IGB_RCTL_UPE : 0),
		   IGB_RCTL_UPE);
}

/* [82576 4.5.9] */
static int configure_receive(struct igb *igb)
{
	/* 1. receive address; 2. multicast table; RCTL but for its enable bit */
	for (unsigned i = 0; i < IGB_MTA_WORDS; i++)
		igb_write(igb, IGB_MTA(i), 0);
	igb_set_rx_mode(&igb->dev);
	/* 3. interrupt causes: all at the end, step 7 of 4.5.3 */
	/* 4. receive checksums: wrong ones are counted; and the bit that RSS needs */
	igb_write(igb, IGB_RXCSUM, IGB_RXCSUM_IPOFL | IGB_RXCSUM_TUOFL | IGB_RXCSUM_PCSD);
	configure_rss(igb);
	/* 5. each ring */
	for (unsigned q = 0; q < igb->dev.nqueues; q++) {
		int err = igb_rx_start(igb, q);

		if (err)
			return err;
	}
	/* 6. receiver on */
	igb_change(igb, IGB_RCTL, IGB_RCTL_EN, 0);
	return 0;
}

/* [82576 4.5.10] */
static int configure_transmit(struct igb *igb)
{
	for (unsigned q = 0; q < igb->dev.nqueues; q++) {
		int err = igb_tx_start(igb, q);

		if (err)
			return err;
	}
	igb_write(igb, IGB_TCTL,
		  IGB_TCTL_EN | IGB_TCTL_PSP | IGB_TCTL_RTLC | FIELD_PREP(IGB_TCTL_CT, 15) |
			  FIELD_PREP(IGB_TCTL_BST, 0x40));
	return 0;
}

void igb_throttle(struct igb *igb)
{
	unsigned n = igb->dev.nqueues;

	for (unsigned v = 0; v < n; v++)
		igb_write(igb, IGB_EITR(v), FIELD_PREP(IGB_EITR_INTERVAL, igb->rx_usecs));
	igb_write(igb, IGB_EITR(n), FIELD_PREP(IGB_EITR_INTERVAL, IGB_LINK_USECS));
}

/* [82576 7.3.2]: vector q for receive queue q, the one behind for link and errors; the NAPI instances unmask EIMS */
static void configure_vectors(struct igb *igb)
{
	unsigned n = igb->dev.nqueues;
	uint32_t queues = BIT(n) - 1;

	/* GPIE first: the others mean something only in this mode */
	igb_write(igb, IGB_GPIE,
		  IGB_GPIE_NSICR | IGB_GPIE_MSIX | IGB_GPIE_PBA |
			  (igb->chip->auto_mask ? IGB_GPIE_EIAME : 0));
	igb_write(igb, IGB_EIAC, queues | BIT(n));
	if (igb->chip->auto_mask)
		igb_write(igb, IGB_EIAM, queues);
	for (unsigned q = 0; q < n; q++)
		igb_write(igb, IGB_IVAR(q), FIELD_PREP(IGB_IVAR_RX, IGB_IVAR_VALID | q));
	igb_write(igb, IGB_IVAR_MISC, FIELD_PREP(IGB_IVAR_MISC_OTHER, IGB_IVAR_VALID | n));
	igb_throttle(igb);
	igb_write(igb, IGB_IMS, IGB_ICR_LSC | IGB_ICR_RXO | IGB_ICR_DOUTSYNC);
}

/* [82576 4.5.3], all of it */
int igb_start(struct igb *igb)
{
	int err;

	/* 1. disable interrupts; 2. global reset and general configuration */
	err = igb_reset(igb);
	if (err)
		return err;
	configure_general(igb);
	/* 3. PHY and link */
	err = igb_link_restart(igb);
	if (err)
		return err;
	/* 4. statistics: reading clears them */
	igb_stats_update(igb);
	/* 5. receive */
	err = configure_receive(igb);
	if (err)
		return err;
	/* 6. transmit */
	err = configure_transmit(igb);
	if (err)
		return err;
	/* 7. enable interrupts */
	configure_vectors(igb);
	return 0;
}
