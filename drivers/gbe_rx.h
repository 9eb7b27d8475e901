/* SPDX-License-Identifier: MIT */
/*
 * gbe_rx.h - the path of a packet through a receive ring, written once and compiled for each kind of descriptor
 *
 * The files that include it, igb_rx.c and e1000_rx.c, have a constant struct gbe_rx_kind. As everything here is
 * inline, the compiler knows which kind it has at each place and no question of it is left. On the core that owns
 * the queue, from its NAPI poll. The hardware moves the head, we move the tail; at least one descriptor stays
 * without a buffer, since head == tail means empty.
 */
#pragma once

#include "gbe.h"

/* what the two kinds differ in */
struct gbe_rx_kind {
	bool advanced;    /* where status and length lie, see union gbe_rx_desc */
	uint32_t damaged; /* status: the frame is none; these three valid in its last descriptor */
	uint32_t csum;    /* status: a checksum in it is wrong */
	uint32_t unknown; /* status: the checksum bits say nothing */
};

#define GBE_RX_INLINE static inline __attribute__((always_inline))

GBE_RX_INLINE uint32_t gbe_rx_status(const struct gbe_rx_kind *kind,
				     const volatile union gbe_rx_desc *d)
{
	return kind->advanced ? d->advanced.status : d->legacy.status;
}

GBE_RX_INLINE uint32_t gbe_rx_len(const struct gbe_rx_kind *kind,
				  const volatile union gbe_rx_desc *d)
{
	return kind->advanced ? d->advanced.len : d->legacy.len;
}

/* gbe_rx_post() - the @n packets at @from become buffers of the descriptors at @d. */
static inline void gbe_rx_post(volatile union gbe_rx_desc *d, struct pkt **slot, struct pkt **from,
			       size_t n)
{
	/* unrolled: half of each turn would be the loop's own. Groups are of GBE_RX_GROUP */
#pragma GCC unroll 4
	for (size_t i = 0; i < n; i++, d++) {
		struct pkt *p = slot[i] = from[i];

		p->data = pkt_buf(p);
		d->post.addr = (uintptr_t)p->data;
		d->post.zero = 0;
	}
}

/*
 * gbe_rx_refill() - post fresh buffers in groups, one tail write for all of them; called while
 * gbe_rx_wants_buffers(). An empty pool ends it early and is counted; the next poll tries again. Should the device
 * then have too few for the longest frame, no frame may come that starts that poll: @starved makes gbe_rx_has_work()
 * ask for one as soon as the pool has something, and the watchdog raise the interrupt.
 */
static inline void gbe_rx_refill(struct gbe_rx *rx)
{
	uint32_t fill = rx->fill;
	uint32_t end = fill + ROUND_DOWN(rx->share - (fill - rx->next), GBE_RX_GROUP);

	while (fill != end) {
		uint32_t at = fill & rx->mask;
		uint32_t run = MIN(end - fill, rx->mask + 1 - at), got;
		struct pkt **from = pkt_alloc_batch(run, &got);

		gbe_rx_post(&rx->desc[at], &rx->slot[at], from, got);
		fill += got;
		if (unlikely(got < run)) {
			rx->queue->rx_alloc_failed++;
			break;
		}
	}
	rx->starved = fill - rx->next < PKT_MAX_SEGS;
	if (fill == rx->fill)
		return;
	/* the fence: the descriptor behind the last posted one says "not done", so nobody reads beyond it */
	rx->desc[fill & rx->mask].post.zero = 0;
	rx->fill = fill;
	/* release: the descriptors are written before the device may look; MMIO follows stores on x86 */
	atomic_thread_fence(memory_order_release);
	gbe_write(rx->gbe, rx->tail_reg, fill & rx->mask);
	rx->queue->doorbells++;
}

/* gbe_rx_append() - one more buffer behind the frame that is being put together. */
static inline void gbe_rx_append(struct gbe_rx *rx, struct pkt *p, uint32_t len)
{
	if (rx->state == GBE_RX_FRESH) {
		rx->state = GBE_RX_INSIDE;
		rx->head = p;
		pkt_begin(p, len);
	} else {
		p->len = len;
		rx->tail->next = p;
		rx->head->frame_len += len;
		rx->head->flags |= PKT_CHAIN;
		rx->head->nsegs++;
	}
	rx->tail = p;
}

/*
 * gbe_rx_odd() - the next descriptor is done but not simply a whole, good frame: part of a longer one, damaged, of a
 * length that cannot be, or with a wrong checksum, which only counts. Returns the frame when its last buffer has
 * come, NULL otherwise. A frame is dropped once, with one reason, when it is seen to be bad; the buffers that follow
 * up to its end are freed.
 */
GBE_RX_INLINE struct pkt *gbe_rx_odd(const struct gbe_rx_kind *kind, struct gbe_rx *rx)
{
	uint32_t at = rx->next++ & rx->mask;
	struct pkt *p = rx->slot[at];
	uint32_t status = gbe_rx_status(kind, &rx->desc[at]);
	uint32_t len = gbe_rx_len(kind, &rx->desc[at]);
	bool bad_len = len == 0 || len > PKT_BUF_SIZE;
	bool last = status & GBE_RXD_EOP;

	if (rx->state == GBE_RX_SKIP) {
		pkt_free_seg(p);
		rx->state = last ? GBE_RX_FRESH : GBE_RX_SKIP;
		return NULL;
	}
	gbe_rx_append(rx, p, bad_len ? 0 : len);
	p = rx->head;
	if (bad_len || (last && status & kind->damaged)) {
		pkt_drop(p, DROP_RX_ERROR);
	} else if (p->nsegs == PKT_MAX_SEGS && !last) {
		pkt_drop(p, DROP_RX_TOO_LONG);
	} else {
		rx->state = last ? GBE_RX_FRESH : GBE_RX_INSIDE;
		rx->queue->rx_csum_errors += last && status & kind->csum &&
					     !(status & kind->unknown);
		return last ? p : NULL;
	}
	rx->state = last ? GBE_RX_FRESH : GBE_RX_SKIP;
	rx->queue->rx_dropped++;
	return NULL;
}

/*
 * gbe_rx_run() - take whole, good frames of one buffer each, at most @max, at least 1; the hot loop. Returns how
 * many. It stops at a descriptor that is not done or odd, the one behind the ring included; *@last is the status of
 * the last that it looked at.
 */
GBE_RX_INLINE size_t gbe_rx_run(const struct gbe_rx_kind *kind, struct gbe_rx *rx,
				struct pkt **pkts, size_t max, uint32_t *last)
{
	const uint32_t usual = GBE_RXD_DD | GBE_RXD_EOP, odd = kind->damaged | kind->csum;
	uint32_t at = rx->next & rx->mask;
	const volatile union gbe_rx_desc *d = &rx->desc[at];
	struct pkt **slot = &rx->slot[at];
	uint64_t bytes = 0;
	size_t i = 0;

	do {
		/* status first: the device writes it last */
		uint32_t status = *last = gbe_rx_status(kind, d);
		uint32_t len = gbe_rx_len(kind, d);
		struct pkt *p;

		if ((status & (usual | odd)) != usual || len - 1 >= PKT_BUF_SIZE)
			break;
		p = slot[i];
		pkt_begin(p, len);
		pkts[i] = p;
		bytes += len;
		d++;
	} while (++i < max);
	rx->next += i;
	rx->queue->rx_packets += i;
	rx->queue->rx_bytes += bytes;
	/* acquire: pairs with the device, which writes the frame before DD; x86 keeps loads in order, the compiler must */
	atomic_thread_fence(memory_order_acquire);
	return i;
}

GBE_RX_INLINE bool gbe_rx_done(const struct gbe_rx_kind *kind, const struct gbe_rx *rx)
{
	return gbe_rx_status(kind, &rx->desc[rx->next & rx->mask]) & GBE_RXD_DD;
}

/* gbe_rx_wants_buffers() - signed: its share may have shrunk below what it holds. */
static inline bool gbe_rx_wants_buffers(const struct gbe_rx *rx)
{
	return (int32_t)(rx->share - (rx->fill - rx->next)) >= GBE_RX_GROUP;
}

/* gbe_rx_more() - what a run of the usual could not take: beyond the wrap, or odd. Returns how many. */
GBE_RX_INLINE size_t gbe_rx_more(const struct gbe_rx_kind *kind, struct gbe_rx *rx,
				 struct pkt **pkts, size_t max)
{
	uint32_t last;
	size_t n = 0;

	while (n < max && gbe_rx_done(kind, rx)) {
		size_t took = 0;
		struct pkt *p;

		if (rx->state == GBE_RX_FRESH)
			took = gbe_rx_run(kind, rx, pkts + n, max - n, &last);
		n += took;
		if (took)
			continue;
		p = gbe_rx_odd(kind, rx);
		if (p) {
			rx->queue->rx_packets++;
			rx->queue->rx_bytes += p->frame_len;
			pkts[n++] = p;
		}
	}
	return n;
}

/* gbe_rx_rest() - of a batch of @n so far: what the first run left, and fresh buffers. Returns how many it has. */
GBE_RX_INLINE unsigned gbe_rx_rest(const struct gbe_rx_kind *kind, struct gbe_rx *rx,
				   struct pkt **pkts, size_t n, size_t max)
{
	n += gbe_rx_more(kind, rx, pkts + n, max - n);
	if (gbe_rx_wants_buffers(rx))
		gbe_rx_refill(rx);
	return n;
}

/*
 * gbe_rx_take() - a batch, the netdev's rx_batch. @rest is gbe_rx_rest() of this kind, out of line: calling it is
 * the last act, a jump, so a run that saw all there is has few registers to save.
 */
GBE_RX_INLINE unsigned
gbe_rx_take(const struct gbe_rx_kind *kind, struct gbe_rx *rx, struct pkt **pkts, unsigned max,
	    unsigned (*rest)(struct gbe_rx *rx, struct pkt **pkts, size_t n, size_t max))
{
	uint32_t last;
	size_t n;

	if (unlikely(rx->state != GBE_RX_FRESH))
		return rest(rx, pkts, 0, max);
	n = gbe_rx_run(kind, rx, pkts, max, &last);
	if (last & GBE_RXD_DD || gbe_rx_wants_buffers(rx))
		return rest(rx, pkts, n, max);
	return n;
}

/* gbe_rx_has_work() - is there work that no interrupt will announce? */
GBE_RX_INLINE bool gbe_rx_has_work(const struct gbe_rx_kind *kind, const struct gbe_rx *rx)
{
	if (unlikely(rx->starved) && /* would a refill do some good by now? */
	    (this_cpu()->pool->nfree || this_cpu()->pool->returned))
		return true;
	return gbe_rx_done(kind, rx);
}
