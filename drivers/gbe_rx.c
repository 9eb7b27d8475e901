/* SPDX-License-Identifier: MIT */
/*
 * gbe_rx.c - receive rings: how one begins, how it ends, and what it holds
 *
 * Called in the control context with the cores parked; the path of a packet, gbe_rx.h, runs on the queue's own core.
 * Owns struct gbe_rx: the descriptors and the packets behind them.
 */
#include "gbe_rx.h"

#include "kernel/mem.h"

#include <errno.h>

/* boot memory is not taken back: a ring that has shrunk keeps what it had, and may grow again for nothing */
int gbe_rx_reserve(struct gbe_rx *rx, unsigned n)
{
	volatile union gbe_rx_desc *desc;
	struct pkt **slot;

	if (n <= rx->reserved)
		return 0;
	desc = mem_try_alloc((n + 1) * sizeof(*desc), GBE_RING_ALIGN);
	slot = mem_try_alloc(n * sizeof(*slot), CACHE_LINE);
	if (!desc || !slot)
		return -ENOMEM;
	rx->desc = desc;
	rx->slot = slot;
	rx->reserved = n;
	return 0;
}

void gbe_rx_program(struct gbe *gbe, unsigned q)
{
	struct gbe_rx *rx = gbe->rx[q];
	volatile union gbe_rx_desc *behind = &rx->desc[rx->mask + 1];
	uint64_t base = (uintptr_t)rx->desc;

	for (unsigned i = 0; i <= rx->mask; i++)
		rx->desc[i].post.addr = rx->desc[i].post.zero = 0;
	/* the one that ends each run at the wrap: done and no end of a frame, whichever kind looks at it */
	behind->post.zero = 0;
	behind->advanced.status = GBE_RXD_DD;
	behind->legacy.status = GBE_RXD_DD;
	rx->next = rx->fill = 0;
	rx->state = GBE_RX_FRESH;
	rx->starved = false;

	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_ADDR_LO), base);
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_ADDR_HI), base >> 32);
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_LEN), (rx->mask + 1) * sizeof(rx->desc[0]));
}

void gbe_rx_stop(struct gbe *gbe, unsigned q)
{
	struct gbe_rx *rx = gbe->rx[q];

	gbe->family->rx_off(gbe, q);
	for (; rx->next != rx->fill; rx->next++)
		pkt_free_seg(rx->slot[rx->next & rx->mask]);
	if (rx->state == GBE_RX_INSIDE) {
		gbe->dev.queue[q].rx_dropped++;
		pkt_drop(rx->head, DROP_RX_STOPPED);
	}
	rx->state = GBE_RX_FRESH;
}

void gbe_rx_share(struct netdev *dev, unsigned q, unsigned n)
{
	struct gbe *gbe = dev->priv;
	struct gbe_rx *rx = gbe->rx[q];

	rx->share = MIN(MAX(n, GBE_RX_SHARE_MIN), rx->mask);
}

void gbe_rx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct gbe *gbe = arg;

	for (unsigned q = 0; q < gbe->dev.max_queues; q++) {
		struct gbe_rx *rx = gbe->rx[q];

		for (uint32_t i = rx->next; i != rx->fill; i++)
			tally(t, rx->slot[i & rx->mask]);
		if (rx->state == GBE_RX_INSIDE)
			tally(t, rx->head);
	}
}
