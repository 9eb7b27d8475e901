/* SPDX-License-Identifier: MIT */
/*
 * gbe_rx.c - receive rings: how one begins, how it ends, and what it holds
 *
 * Called in the control context with the cores parked; the path of a packet runs on the
 * queue's own core: gbe_rx.h, and gbe_rx_refill() here. Owns struct gbe_rx: the descriptors
 * and the packets behind them.
 */
#include "gbe_rx.h"

#include "kernel/mem.h"

#include <errno.h>

/*
 * boot memory is not taken back: a ring that has shrunk keeps what it had, and
 * may grow again for nothing
 */
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

/*
 * What a ring that was in use before had kept goes into it again. Its end is where the tail is
 * already, if that lies within: so the tail need not be written, which would have QEMU give a frame
 * that waits to a receiver that is off.
 */
static uint32_t post_kept(struct gbe_rx *rx, uint32_t tail)
{
	uint32_t n = MIN(rx->nkept, rx->mask), start;

	tail = tail <= rx->mask ? tail : 0;
	start = (tail - n) & rx->mask;
	rx->next = start;
	for (unsigned i = 0; rx->kept; i++) {
		struct pkt *p = rx->kept;
		uint32_t at = (start + i) & rx->mask;

		rx->kept = p->next;
		p->next = NULL;
		if (i >= n) {
			pkt_free_seg(p);
			continue;
		}
		rx->slot[at] = p;
		rx->desc[at].post.addr = (uintptr_t)pkt_buf(p);
	}
	rx->nkept = 0;
	gbe_rx_set_fill(rx, start + n);
	return tail;
}

void gbe_rx_program(struct gbe *gbe, unsigned q)
{
	struct gbe_rx *rx = gbe->rx[q];
	volatile union gbe_rx_desc *behind = &rx->desc[rx->mask + 1];
	uint64_t base = (uintptr_t)rx->desc;
	uint32_t was = rx->kept ? gbe_read(gbe, rx->tail_reg) : 0, tail;

	for (unsigned i = 0; i <= rx->mask; i++)
		rx->desc[i].post.addr = rx->desc[i].post.zero = 0;
	/*
	 * the one that ends each run at the wrap: done and no end of a frame,
	 * whichever kind looks at it
	 */
	behind->post.zero = 0;
	behind->advanced.status = GBE_RXD_DD;
	behind->legacy.status = GBE_RXD_DD;
	rx->state = GBE_RX_FRESH;
	rx->starved = false;
	tail = post_kept(rx, was);

	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_ADDR_LO), base);
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_ADDR_HI), base >> 32);
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_LEN), (rx->mask + 1) * sizeof(rx->desc[0]));
	gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_HEAD), rx->next & rx->mask);
	if (!rx->fill || tail != was)
		gbe_write(gbe, gbe_rx_reg(gbe, q, GBE_RING_TAIL), tail);
}

static void drop_stopped(struct gbe_rx *rx, struct pkt *p)
{
	rx->queue->rx_dropped++;
	pkt_drop(p, DROP_RX_STOPPED);
}

/* frames that came, but were not polled any more */
static void drop_rest(struct gbe *gbe, unsigned q)
{
	struct gbe_rx *rx = gbe->rx[q];
	unsigned n = rx->next != rx->fill; /* else there may never have been descriptors */

	gbe_rx_freeze(gbe, q);
	while (n) {
		n = gbe->dev.ops->rx_batch(rx->queue, NAPI_POLL_MAX);
		for (unsigned i = 0; i < n; i++)
			drop_stopped(rx, rx->queue->taken[i]);
	}
	if (rx->state == GBE_RX_INSIDE)
		drop_stopped(rx, rx->head);
	rx->state = GBE_RX_FRESH;
}

/* the queue is off: take back the buffers that the device had, oldest first */
static void take_back(struct gbe_rx *rx)
{
	while (rx->fill != rx->next) {
		struct pkt *p = rx->slot[--rx->fill & rx->mask];

		p->next = rx->kept;
		rx->kept = p;
		rx->nkept++;
	}
}

void gbe_rx_keep(struct gbe *gbe, unsigned q)
{
	gbe->family->rx_off(gbe, q);
	drop_rest(gbe, q);
	take_back(gbe->rx[q]);
}

void gbe_rx_stop(struct gbe *gbe, unsigned q)
{
	struct gbe_rx *rx = gbe->rx[q];

	gbe->family->rx_off(gbe, q);
	drop_rest(gbe, q);
	for (; rx->next != rx->fill; rx->next++)
		pkt_free_seg(rx->slot[rx->next & rx->mask]);
}

void gbe_rx_freeze(struct gbe *gbe, unsigned q)
{
	gbe->rx[q]->share = 0;
	gbe_rx_set_fill(gbe->rx[q], gbe->rx[q]->fill);
}

void gbe_rx_share(struct netdev *dev, unsigned q, unsigned n)
{
	struct gbe *gbe = dev->priv;
	struct gbe_rx *rx = gbe->rx[q];

	rx->share = MIN(MAX(n, GBE_RX_SHARE_MIN), rx->mask);
	rx->group = rx->share < 4 * GBE_RX_GROUP ? GBE_RX_GROUP_MIN : GBE_RX_GROUP;
	gbe_rx_set_fill(rx, rx->fill);
}

/* @p becomes the buffer of descriptor @d */
static inline void post(volatile union gbe_rx_desc *d, struct pkt *p)
{
	p->data = pkt_buf(p);
	d->post.addr = (uintptr_t)p->data;
	d->post.zero = 0;
}

/*
 * the @n packets at @from those of the descriptors from @d on: by eights, as half of each
 * turn would be the loop's own
 */
static inline void post_all(volatile union gbe_rx_desc *d, struct pkt **slot, struct pkt **from,
			    size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
#pragma GCC unroll 8
		for (size_t j = i; j < i + 8; j++)
			post(d + j, slot[j] = from[j]);
	for (; i < n; i++)
		post(d + i, slot[i] = from[i]);
}

/*
 * In groups, one tail write for all of them; called while gbe_rx_wants_buffers(). What stands
 * beyond the ring's wrap is left to the next poll, and so is the rest where the pool is empty,
 * which is counted. Should the device then have too few for the longest frame, no frame may come
 * that starts that poll: @starved makes gbe_rx_has_work() ask for one as soon as the pool has
 * something, and the watchdog raise the interrupt.
 */
unsigned gbe_rx_refill(struct gbe_rx *rx, unsigned n)
{
	uint32_t fill = rx->fill, at = fill & rx->mask, got;
	uint32_t room = ROUND_DOWN(rx->share - (fill - rx->next), GBE_RX_GROUP_MIN);
	uint32_t want = MIN(room, rx->mask + 1 - at);
	struct pkt **from = pkt_alloc_batch(want, &got);

	if (unlikely(got < want))
		rx->queue->rx_alloc_failed++;
	post_all(&rx->desc[at], &rx->slot[at], from, got);
	fill += got;
	rx->starved = fill - rx->next < PKT_MAX_SEGS;
	if (unlikely(!got))
		return n;
	/*
	 * the fence: the descriptor behind the last posted one says "not done",
	 * so nobody reads beyond it
	 */
	rx->desc[fill & rx->mask].post.zero = 0;
	gbe_rx_set_fill(rx, fill);
	/*
	 * release: the descriptors are written before the device may look;
	 * MMIO follows stores on x86
	 */
	atomic_thread_fence(memory_order_release);
	gbe_write(rx->gbe, rx->tail_reg, fill & rx->mask);
	rx->queue->doorbells++;
	return n;
}

void gbe_rx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct gbe *gbe = arg;

	for (unsigned q = 0; q < gbe->nrings; q++) {
		struct gbe_rx *rx = gbe->rx[q];

		for (uint32_t i = rx->next; i != rx->fill; i++)
			tally(t, rx->slot[i & rx->mask]);
		if (rx->state == GBE_RX_INSIDE)
			tally(t, rx->head);
	}
}
