/* SPDX-License-Identifier: MIT */
/*
 * igb_hw.c - the 82576: configuration, in the datasheet's order
 *
 * Called by gbe.c on core 0, in the control context with the cores parked. Owns the chip's
 * registers apart from the rings (igb_rx.c, igb_tx.c) and what gbe_hw.c does alike for all chips.
 * The steps' numbers are those of [82576 4.5.3] and its subsections.
 */
#include "igb.h"

/* [82576 4.5.3] step 2, the second half */
void igb_general(struct gbe *gbe)
{
	gbe_configure_general(gbe, 0, 0); /* and flow control [82576 4.5.6] */
	gbe_change(gbe, GBE_CTRL_EXT, GBE_CTRL_EXT_DRV_LOAD, 0);
}

/* LPE even at 1,500, for the tag: RLPML has the last word */
uint32_t igb_rx_length(struct gbe *gbe)
{
	gbe_write(gbe, IGB_RLPML, netdev_frame_max(&gbe->dev) + ETH_FCS_LEN);
	return GBE_RCTL_LPE;
}

/* [82576 4.5.9] and [82576 4.5.10], but for what each queue has of its own, and for the receiver */
void igb_configure(struct gbe *gbe)
{
	/* 1. receive address; 2. multicast table, before it; RCTL but for its enable bit */
	gbe_configure_filters(gbe);
	/* 3. interrupt causes: igb_interrupts() */
	/*
	 * 4. receive checksums, which are always looked at: wrong ones are counted;
	 * and the bit that RSS needs
	 */
	gbe_write(gbe, GBE_RXCSUM, GBE_RXCSUM_IPOFL | GBE_RXCSUM_TUOFL | GBE_RXCSUM_PCSD);
	/* RSS, VLAN tags, what is told of a frame */
	gbe_configure_features(gbe);
	/* 5. each ring: igb_rx_start(), igb_tx_on(); 6. receiver on: gbe_open(), last of all */
}

void igb_throttle(struct gbe *gbe, uint32_t count)
{
	unsigned n = gbe->dev.nqueues;

	for (unsigned v = 0; v < n; v++)
		gbe_write(gbe, IGB_EITR(v), FIELD_PREP(IGB_EITR_INTERVAL, count));
	if (gbe->scheme->vectors)
		gbe_write(gbe, IGB_EITR(n),
			  FIELD_PREP(IGB_EITR_INTERVAL, gbe_throttle_count(gbe, IGB_LINK_USECS)));
}

void igb_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count)
{
	gbe_write(gbe, IGB_EITR(q), FIELD_PREP(IGB_EITR_INTERVAL, count));
}

/*
 * [82576 7.3.2]: vector q for receive queue q, the one behind for link and errors; the
 * NAPI instances unmask EIMS
 */
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
	/* those that were in use before */
	for (unsigned q = n; q < NETDEV_MAX_QUEUES; q++)
		gbe_write(gbe, IGB_IVAR(q), 0);
	gbe_write(gbe, GBE_IMS, GBE_ICR_LSC | GBE_ICR_RXO | GBE_ICR_DOUTSYNC);
}

/* the one interrupt: all causes in ICR */
static void configure_single(struct gbe *gbe)
{
	gbe_write(gbe, IGB_GPIE, IGB_GPIE_NSICR);
}

/* [82576 4.5.3] step 7 */
void igb_interrupts(struct gbe *gbe)
{
	if (gbe->scheme->vectors)
		configure_vectors(gbe);
	else
		configure_single(gbe);
	gbe_throttle(gbe);
}
