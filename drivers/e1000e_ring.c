/* SPDX-License-Identifier: MIT */
/*
 * e1000e_ring.c - rings of the 82574L: extended receive descriptors, and transmit
 * queues that can be switched
 *
 * e1000e_rx_batch() runs on the core that owns the queue, from its NAPI poll; on and off in the
 * control context with the cores parked, or on the owner when the watchdog asked for a reset.
 * What it does with a ring is gbe_rx.h; here that is compiled for this kind. Frames go out as on
 * the 82540EM, by e1000_tx.c.
 */
#include "e1000e.h"

#include "gbe_rx.h"

/* [82574 7.1.5]: as written back it has everything where the 82576's advanced descriptor has it */
static const struct gbe_rx_kind extended = {
	.advanced = true,
	.damaged = E1000E_RXD_CE | E1000E_RXD_SE | E1000E_RXD_SEQ | E1000E_RXD_CXE | GBE_RXD_RXE,
	.csum = GBE_RXD_L4E | GBE_RXD_IPE,
	.checked = GBE_RXD_L4CS | GBE_RXD_UDPCS,
	.unknown = E1000_RXD_IXSM,
};

/*
 * [82574 4.6], of each queue; buffers come by the owning core, in its first
 * poll, and with them the tail
 */
int e1000e_rx_on(struct gbe *gbe, unsigned q)
{
	gbe_rx_program(gbe, q);
	gbe_write(gbe, E1000E_RXDCTL(q), FIELD_PREP(E1000E_RXDCTL_WTHRESH, 1) | E1000E_RXDCTL_GRAN);
	return 0;
}

/*
 * The receiver goes, and no new frame comes to any: no queue can be switched off by itself. One
 * without a length takes none when the receiver is on again.
 */
void e1000e_rx_off(struct gbe *gbe, unsigned q)
{
	gbe_receiver(gbe, false);
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_LEN), 0);
}

static __attribute__((noinline)) unsigned e1000e_rx_rest(struct gbe_rx *rx, size_t n, size_t max)
{
	return gbe_rx_rest(&extended, rx, n, max);
}

unsigned e1000e_rx_batch(struct netdev_queue *queue, unsigned max)
{
	return gbe_rx_take(&extended, queue, max, e1000e_rx_rest);
}

bool e1000e_rx_pending(const struct gbe_rx *rx)
{
	return gbe_rx_has_work(&extended, rx);
}

unsigned e1000e_rx_depth(const struct netdev *dev, unsigned q)
{
	const struct gbe *gbe = dev->priv;

	return gbe_rx_count(&extended, gbe->rx[q]);
}

/* [82574 4.6], of each queue: its head may be written while it does not send */
int e1000e_tx_on(struct gbe *gbe, unsigned q)
{
	gbe_change(gbe, E1000E_TARC(q), 0, E1000E_TARC_ENABLE);
	gbe_tx_program(gbe, q);
	gbe_write(gbe, E1000E_TXDCTL(q), E1000E_TXDCTL_ONE | E1000E_TXDCTL_GRAN);
	gbe_change(gbe, E1000E_TARC(q), E1000E_TARC_ENABLE, 0);
	return 0;
}

void e1000e_tx_off(struct gbe *gbe, unsigned q)
{
	gbe_change(gbe, E1000E_TARC(q), 0, E1000E_TARC_ENABLE);
	gbe_flush(gbe);
}
