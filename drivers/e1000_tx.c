/* SPDX-License-Identifier: MIT */
/*
 * e1000_tx.c - the transmit ring of the 82540EM: legacy descriptors
 *
 * e1000_tx_batch() runs on the core that owns the queue; on and off in the control context with the
 * cores parked, or on the owner when the watchdog asked for a reset. What it does with a ring is
 * gbe_tx.h; here that is compiled for this kind.
 */
#include "e1000.h"

#include "gbe_tx.h"

enum { IPV4_CSUM_AT = 10 }; /* of its header */

/* [8254x 3.3.6, 3.5.5] */
static void make_context(const struct gbe_offload *o, struct gbe_tx_desc *context)
{
	context->addr = FIELD_PREP(E1000_TXC_TUCSS, o->l4) |
			FIELD_PREP(E1000_TXC_TUCSO, o->csum_at);
	if (!o->ipv6)
		context->addr |= FIELD_PREP(E1000_TXC_IPCSS, o->l3) |
				 FIELD_PREP(E1000_TXC_IPCSO, o->l3 + IPV4_CSUM_AT) |
				 FIELD_PREP(E1000_TXC_IPCSE, o->l4 - 1);
	context->cmd = GBE_TXD_DEXT | (o->ipv6 ? 0 : E1000_TXC_IPV4) | (o->tcp ? E1000_TXC_TCP : 0);
	if (o->tso)
		context->cmd |= E1000_TXC_TSE | FIELD_PREP(E1000_TXC_PAYLEN, o->payload) |
				FIELD_PREP(E1000_TXC_HDRLEN, o->header_len) |
				FIELD_PREP(E1000_TXC_MSS, o->mss);
}

/* a tag alone needs no context, and the legacy descriptor has room for it */
static uint64_t offload(const struct gbe_offload *o, const struct pkt *p,
			struct gbe_tx_desc *context)
{
	uint64_t cmd = GBE_TXD_IFCS;

	(void)p;
	if (o->tag)
		cmd |= GBE_TXD_VLE | FIELD_PREP(E1000_TXD_TAG, o->tci);
	if (!o->csum)
		return cmd;
	make_context(o, context);
	cmd |= GBE_TXD_DEXT | FIELD_PREP(E1000_TXD_DTYP, 1) | E1000_TXD_TXSM;
	if (o->tso)
		cmd |= E1000_TXD_TSE | (o->ipv6 ? 0 : E1000_TXD_IXSM);
	return cmd;
}

/* [8254x 3.3.3.1] */
static const struct gbe_tx_kind legacy = { .cmd = GBE_TXD_IFCS, .offload = offload };

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
							size_t n, uint64_t frames)
{
	return gbe_tx_rest(&legacy, tx, pkts, n, frames);
}

unsigned e1000_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
			uint64_t frames)
{
	struct gbe *gbe = gbe_of(dev);

	return gbe_tx_give(&legacy, gbe->tx[q], pkts, n, frames, e1000_tx_rest);
}
