/* SPDX-License-Identifier: MIT */
/*
 * e1000_rx.c - the receive ring of the 82540EM: legacy descriptors
 *
 * e1000_rx_batch() runs on the core that owns the queue, from its NAPI poll; off in the control
 * context with the cores parked. What it does with a ring is gbe_rx.h; here that is compiled for
 * this kind.
 */
#include "e1000.h"

#include "gbe_rx.h"

static const struct gbe_rx_kind legacy = {
	.advanced = false,
	.damaged = E1000_RXD_CE | E1000_RXD_SE | E1000_RXD_SEQ | E1000_RXD_CXE | E1000_RXD_RXE,
	.csum = E1000_RXD_TCPE | E1000_RXD_IPE,
	.checked = E1000_RXD_TCPCS,
	.unknown = E1000_RXD_IXSM,
};

int e1000_rx_on(struct gbe *gbe, unsigned q)
{
	gbe_rx_program(gbe, q);
	return 0;
}

/* the one queue is the receiver */
void e1000_rx_off(struct gbe *gbe, unsigned q)
{
	(void)q;
	gbe_change(gbe, GBE_RCTL, 0, GBE_RCTL_EN);
	gbe_flush(gbe);
}

static __attribute__((noinline)) unsigned e1000_rx_rest(struct gbe_rx *rx, size_t n, size_t max)
{
	return gbe_rx_rest(&legacy, rx, n, max);
}

unsigned e1000_rx_batch(struct netdev_queue *queue, unsigned max)
{
	return gbe_rx_take(&legacy, queue, max, e1000_rx_rest);
}

bool e1000_rx_pending(const struct gbe_rx *rx)
{
	return gbe_rx_has_work(&legacy, rx);
}

unsigned e1000_rx_depth(const struct netdev *dev, unsigned q)
{
	const struct gbe *gbe = dev->priv;

	return gbe_rx_count(&legacy, gbe->rx[q]);
}
