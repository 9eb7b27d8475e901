/* SPDX-License-Identifier: MIT */
/*
 * e1000e_hw.c - the 82574L: configuration, in the datasheet's order
 *
 * Called by gbe.c on core 0: in the control context with the cores parked. Owns the chip's
 * registers apart from the rings (e1000e_ring.c) and what gbe_hw.c and gbe_rss.c do alike for all
 * chips. The sections are those of [82574 4.6], which has the order.
 */
#include "e1000e.h"

/* global reset and general configuration, the second half */
void e1000e_general(struct gbe *gbe)
{
	gbe_configure_general(gbe, 0, 0);
	gbe_change(gbe, GBE_CTRL_EXT, GBE_CTRL_EXT_DRV_LOAD, 0);
}

void e1000e_throttle(struct gbe *gbe, uint32_t count)
{
	uint32_t v = FIELD_PREP(E1000_ITR_INTERVAL, count);

	if (!gbe->scheme->vectors)
		gbe_write(gbe, E1000_ITR, v);
	for (unsigned q = 0; gbe->scheme->vectors && q < gbe->dev.nqueues; q++)
		gbe_write(gbe, E1000E_EITR(q), v);
}

void e1000e_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count)
{
	gbe_write(gbe, gbe->scheme->vectors ? E1000E_EITR(q) : E1000_ITR,
		  FIELD_PREP(E1000_ITR_INTERVAL, count));
}

/* receive initialization, but for what each queue has of its own, and for the receiver */
void e1000e_configure(struct gbe *gbe)
{
	/*
	 * receive address, multicast table, RCTL but for its enable bit; buffers of
	 * 2,048 bytes by its defaults
	 */
	gbe_configure_filters(gbe);
	/* the one interrupt comes at once; vectors know no such delay */
	gbe_write(gbe, E1000_RDTR, 0);
	gbe_write(gbe, E1000_RADV, 0);
	/*
	 * receive checksums, which are always looked at: wrong ones are counted;
	 * and the bits that RSS needs
	 */
	gbe_write(gbe, GBE_RXCSUM, GBE_RXCSUM_IPOFL | GBE_RXCSUM_TUOFL | GBE_RXCSUM_PCSD);
	gbe_write(gbe, E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	/* RSS, VLAN tags, what is told of a frame */
	gbe_configure_features(gbe);
}

/*
 * [82574 7.4]: vector q for receive queue q, the one behind for link and errors; the
 * NAPI instances unmask in IMS
 */
static void configure_vectors(struct gbe *gbe)
{
	unsigned n = gbe->dev.nqueues;
	uint32_t ivar = FIELD_PREP(E1000E_IVAR_OTHER, E1000E_IVAR_VALID | n),
		 own = E1000E_ICR_OTHER;

	for (unsigned q = 0; q < n; q++) {
		ivar |= (E1000E_IVAR_VALID | q) << 4 * q;
		own |= E1000E_ICR_RXQ(q);
	}
	gbe_change(gbe, GBE_CTRL_EXT, E1000E_CTRL_EXT_PBA, 0);
	gbe_write(gbe, E1000E_EIAC, own);
	gbe_write(gbe, E1000E_IVAR, ivar);
}

void e1000e_interrupts(struct gbe *gbe)
{
	if (gbe->scheme->vectors)
		configure_vectors(gbe);
	gbe_throttle(gbe);
}
