/* SPDX-License-Identifier: MIT */
/*
 * e1000_tx.c - the transmit ring of the 82540EM: legacy descriptors
 *
 * e1000_tx_batch() runs on the core that owns the queue; on and off in the control context with the cores parked, or
 * on the owner when the watchdog asked for a reset. What it does with a ring is gbe_tx.h; here that is compiled for
 * this kind.
 */
#include "e1000.h"

#include "gbe_tx.h"

/* [8254x 3.3.3.1] */
static const struct gbe_tx_kind legacy = { .cmd = GBE_TXD_IFCS };

/* [8254x 14.5]; the one queue is the transmitter, and its head may be written while that is off */
int e1000_tx_on(struct gbe *gbe, unsigned q)
{
	gbe_tx_program(gbe, q);
	gbe_transmitter_on(gbe);
	gbe_write(gbe, E1000_TIPG,
		  FIELD_PREP(E1000_TIPG_IPGT, 10) | FIELD_PREP(E1000_TIPG_IPGR1, 8) |
			  FIELD_PREP(E1000_TIPG_IPGR2, 6));
	return 0;
}

void e1000_tx_off(struct gbe *gbe, unsigned q)
{
	(void)q;
	gbe_change(gbe, GBE_TCTL, 0, GBE_TCTL_EN);
	gbe_flush(gbe);
}

static __attribute__((noinline)) unsigned e1000_tx_rest(struct gbe_tx *tx, struct pkt **pkts,
							size_t done, size_t n)
{
	return gbe_tx_rest(&legacy, tx, pkts, done, n);
}

unsigned e1000_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n)
{
	struct gbe *gbe = dev->priv;

	return gbe_tx_give(&legacy, gbe->tx[q], pkts, n, e1000_tx_rest);
}
