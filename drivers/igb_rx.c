/* SPDX-License-Identifier: MIT */
/*
 * igb_rx.c - receive rings of the 82576: advanced descriptors
 *
 * igb_rx_batch() runs on the core that owns the queue, from its NAPI poll; start and off in
 * the control context with the cores parked. What it does with a ring is gbe_rx.h; here that
 * is compiled for this kind.
 */
#include "igb.h"

#include "gbe_rx.h"

static const struct gbe_rx_kind advanced = {
	.advanced = true,
	.damaged = GBE_RXD_RXE,
	.csum = GBE_RXD_L4E | GBE_RXD_IPE,
	.checked = GBE_RXD_L4CS | GBE_RXD_UDPCS,
};

/* [82576 4.5.9], of each queue */
int igb_rx_start(struct gbe *gbe, unsigned q)
{
	/* 1. a region for the ring: gbe_set_rings(), aligned to 128 */
	/* 2. buffers: by the owning core, in its first poll, from its own pool */
	/* 3. address and length of the ring; head and tail at its beginning */
	gbe_rx_program(gbe, q);
	/* 4. buffer size and descriptor type */
	gbe_write(gbe, IGB_SRRCTL(q),
		  FIELD_PREP(IGB_SRRCTL_BSIZEPKT, PKT_BUF_SIZE / 1024) |
			  FIELD_PREP(IGB_SRRCTL_DESCTYPE, 1) |
			  (gbe->dev.max_queues > 1 ? IGB_SRRCTL_DROP_EN : 0));
	/* 5. thresholds, and the queue on; 6. until it says so */
	gbe_write(gbe, IGB_RXDCTL(q),
		  FIELD_PREP(IGB_RXDCTL_PTHRESH, 8) | FIELD_PREP(IGB_RXDCTL_HTHRESH, 8) |
			  FIELD_PREP(IGB_RXDCTL_WTHRESH, 1) | IGB_RXDCTL_ENABLE);
	/* 7. the tail: with the buffers, see 2 */
	return gbe_wait(gbe, IGB_RXDCTL(q), IGB_RXDCTL_ENABLE, IGB_RXDCTL_ENABLE, IGB_QUEUE_US,
			"receive queue on");
}

void igb_rx_off(struct gbe *gbe, unsigned q)
{
	gbe_change(gbe, IGB_RXDCTL(q), 0, IGB_RXDCTL_ENABLE);
	gbe_wait(gbe, IGB_RXDCTL(q), IGB_RXDCTL_ENABLE, 0, IGB_QUEUE_US, "receive queue off");
}

static __attribute__((noinline)) unsigned igb_rx_rest(struct gbe_rx *rx, size_t n, size_t max)
{
	return gbe_rx_rest(&advanced, rx, n, max);
}

unsigned igb_rx_batch(struct netdev_queue *queue, unsigned max)
{
	return gbe_rx_take(&advanced, queue, max, igb_rx_rest);
}

bool igb_rx_pending(const struct gbe_rx *rx)
{
	return gbe_rx_has_work(&advanced, rx);
}

unsigned igb_rx_depth(const struct netdev *dev, unsigned q)
{
	const struct gbe *gbe = dev->priv;

	return gbe_rx_count(&advanced, gbe->rx[q]);
}
