/* SPDX-License-Identifier: MIT */
/*
 * igb_tx.c - transmit rings of the 82576: advanced descriptors
 *
 * igb_tx_batch() runs on the core that owns the queue; on and off in the control context with the
 * cores parked, or on the owner when the watchdog asked for a reset. What it does with a ring is
 * gbe_tx.h; here that is compiled for this kind.
 */
#include "igb.h"

#include "gbe_tx.h"

/* [82576 7.2.2.3] */
#define DATA (FIELD_PREP(IGB_TXD_DTYP, 3) | GBE_TXD_DEXT | GBE_TXD_IFCS)

/* [82576 7.2.2.2, 7.2.4] */
static void make_context(const struct gbe_offload *o, struct gbe_tx_desc *context)
{
	context->addr = FIELD_PREP(IGB_TXC_VLAN, o->tci);
	context->cmd = FIELD_PREP(IGB_TXC_DTYP, 2) | GBE_TXD_DEXT;
	if (!o->csum)
		return;
	context->addr |= FIELD_PREP(IGB_TXC_MACLEN, o->l3) |
			 FIELD_PREP(IGB_TXC_IPLEN, o->l4 - o->l3);
	context->cmd |= (o->ipv6 ? 0 : IGB_TXC_IPV4) | FIELD_PREP(IGB_TXC_TCP, o->tcp);
	if (o->tso)
		context->cmd |= FIELD_PREP(IGB_TXC_L4LEN, o->header_len - o->l4) |
				FIELD_PREP(IGB_TXC_MSS, o->mss);
}

static uint64_t offload(const struct gbe_offload *o, const struct pkt *p,
			struct gbe_tx_desc *context)
{
	uint64_t cmd = DATA;

	make_context(o, context);
	cmd |= FIELD_PREP(IGB_TXD_PAYLEN, o->tso ? o->payload : p->frame_len);
	cmd |= o->tag ? GBE_TXD_VLE : 0;
	cmd |= o->csum ? IGB_TXD_TXSM : 0;
	if (o->tso)
		cmd |= IGB_TXD_TSE | (o->ipv6 ? 0 : IGB_TXD_IXSM);
	return cmd;
}

static const struct gbe_tx_kind advanced = {
	.cmd = DATA,
	.frame_field = IGB_TXD_PAYLEN,
	.offload = offload,
};

/* [82576 4.5.10], of each queue */
int igb_tx_on(struct gbe *gbe, unsigned q)
{
	/* 1. a region for the ring: gbe_set_rings(), aligned to 128 */
	/* 2. address and length; head and tail at its beginning */
	gbe_tx_program(gbe, q);
	/* 3. thresholds, and the queue on; 4. until it says so */
	gbe_write(gbe, IGB_TXDCTL(q),
		  FIELD_PREP(IGB_TXDCTL_PTHRESH, 8) | FIELD_PREP(IGB_TXDCTL_HTHRESH, 1) |
			  IGB_TXDCTL_ENABLE);
	return gbe_wait(gbe, IGB_TXDCTL(q), IGB_TXDCTL_ENABLE, IGB_TXDCTL_ENABLE, IGB_QUEUE_US,
			"transmit queue on");
}

void igb_tx_off(struct gbe *gbe, unsigned q)
{
	gbe_change(gbe, IGB_TXDCTL(q), 0, IGB_TXDCTL_ENABLE);
	gbe_wait(gbe, IGB_TXDCTL(q), IGB_TXDCTL_ENABLE, 0, IGB_QUEUE_US, "transmit queue off");
}

static __attribute__((noinline)) unsigned igb_tx_rest(struct gbe_tx *tx, struct pkt **pkts,
						      size_t n, uint64_t frames)
{
	return gbe_tx_rest(&advanced, tx, pkts, n, frames);
}

unsigned igb_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
		      uint64_t frames)
{
	struct gbe *gbe = gbe_of(dev);

	return gbe_tx_give(&advanced, gbe->tx[q], pkts, n, frames, igb_tx_rest);
}
