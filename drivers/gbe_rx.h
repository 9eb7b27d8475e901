/* SPDX-License-Identifier: MIT */
/*
 * gbe_rx.h - the path of a packet through a receive ring, written once and compiled
 * for each kind of descriptor
 *
 * The files that include it, igb_rx.c and e1000_rx.c, have a constant struct gbe_rx_kind. As
 * everything here is inline, the compiler knows which kind it has at each place and no question of
 * it is left. On the core that owns the queue, from its NAPI poll. The hardware moves the head, we
 * move the tail; at least one descriptor stays without a buffer, since head == tail means empty.
 */
#pragma once

#include "e1000_regs.h"
#include "gbe.h"

/* what the two kinds differ in */
struct gbe_rx_kind {
	bool advanced;    /* where status and length lie, see union gbe_rx_desc */
	uint32_t damaged; /* status: the frame is none; these three valid in its last descriptor */
	uint32_t csum;    /* status: a checksum in it is wrong */
	uint32_t checked; /* status: that of TCP or UDP was looked at */
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

/*
 * the same two in the descriptor's upper word: gbe_rx_in_word() puts a status there,
 * gbe_rx_length() a length
 */
GBE_RX_INLINE uint64_t gbe_rx_in_word(const struct gbe_rx_kind *kind, uint32_t status)
{
	return kind->advanced ? status : (uint64_t)status << 32;
}

GBE_RX_INLINE uint64_t gbe_rx_length(const struct gbe_rx_kind *kind, uint64_t len)
{
	return kind->advanced ? len << 32 : len;
}

/* gbe_rx_length_of() - the length in a word without a tag. */
GBE_RX_INLINE uint32_t gbe_rx_length_of(const struct gbe_rx_kind *kind, uint64_t word)
{
	return kind->advanced ? word >> 32 : (uint16_t)word;
}

/*
 * gbe_rx_set_fill() - the first descriptor without a buffer is @fill: when is
 * there room again for a group?
 */
static inline void gbe_rx_set_fill(struct gbe_rx *rx, uint32_t fill)
{
	rx->fill = fill;
	rx->refill_at = fill - rx->share + rx->group;
}

/*
 * gbe_rx_tell() - what the last descriptor @d of frame @p, with @status, says of it, into @p. Of a
 * tag that was taken out always: else it were lost.
 */
GBE_RX_INLINE void gbe_rx_tell(const struct gbe_rx_kind *kind, const struct gbe_rx *rx,
			       struct pkt *p, const volatile union gbe_rx_desc *d, uint32_t status)
{
	p->rx_queue = rx->queue->index;
	if (status & GBE_RXD_VP) {
		p->vlan_tci = kind->advanced ? d->advanced.vlan : FIELD_GET(E1000_RXD_TAG, status);
		p->flags |= PKT_VLAN;
	}
	if (rx->tell & NETDEV_RX_CSUM && status & kind->checked &&
	    !(status & (kind->csum | kind->unknown)))
		p->flags |= PKT_CSUM_OK;
	if (kind->advanced && rx->tell & NETDEV_RX_HASH) {
		uint64_t hash = d->advanced.type_hash;

		if (FIELD_GET(GBE_RXD_RSS, hash)) {
			p->hash = hash >> 32;
			p->flags |= PKT_HASH;
		}
	}
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
 * gbe_rx_odd() - the next descriptor is done but not simply a whole, good frame: part of a longer
 * one, damaged, of a length that cannot be, without its tag, or with a wrong checksum, which only
 * counts. Returns the frame when its last buffer has come, NULL otherwise. A frame is dropped once,
 * with one reason, when it is seen to be bad; the buffers that follow up to its end are freed.
 */
GBE_RX_INLINE struct pkt *gbe_rx_odd(const struct gbe_rx_kind *kind, struct gbe_rx *rx)
{
	uint32_t at = rx->next++ & rx->mask;
	const volatile union gbe_rx_desc *d = &rx->desc[at];
	struct pkt *p = rx->slot[at];
	uint32_t status = gbe_rx_status(kind, d);
	uint32_t len = gbe_rx_len(kind, d);
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
		if (last)
			gbe_rx_tell(kind, rx, p, d, status);
		return last ? p : NULL;
	}
	rx->state = last ? GBE_RX_FRESH : GBE_RX_SKIP;
	rx->queue->rx_dropped++;
	return NULL;
}

/* a length, less one, of more than a buffer holds; and a tag, which nobody asked for */
#define GBE_RX_LONG ((uint64_t)(UINT16_MAX & ~(PKT_BUF_SIZE - 1)))
#define GBE_RX_TAG  ((uint64_t)UINT16_MAX << 48)

/*
 * gbe_rx_run() - take whole, good frames of one buffer each, at most @max, at least 1; the hot
 * loop. Returns how many, and in the queue their bytes. It stops at *@last, which is not done or
 * odd, unless @max was reached: the one behind the ring is odd. One load, so that status and length
 * belong together, and one compare say that a frame is usual: done, whole, undamaged, of 1 to
 * PKT_BUF_SIZE bytes, its tag in it. A length of 0 less one is all ones. @tell, a constant: is
 * there something to be told of each frame?
 */
GBE_RX_INLINE size_t gbe_rx_run(const struct gbe_rx_kind *kind, bool tell, struct gbe_rx *rx,
				struct pkt **pkts, size_t max,
				const volatile union gbe_rx_desc **last)
{
	const uint64_t usual = gbe_rx_in_word(kind, GBE_RXD_DD | GBE_RXD_EOP);
	const uint64_t odd = gbe_rx_in_word(kind, kind->damaged | kind->csum) |
			     gbe_rx_length(kind, GBE_RX_LONG) |
			     (tell ? 0 : gbe_rx_in_word(kind, GBE_RXD_VP) | GBE_RX_TAG);
	uint32_t at = rx->next & rx->mask;
	const volatile union gbe_rx_desc *d = &rx->desc[at];
	struct pkt **slot = &rx->slot[at];
	uint64_t bytes = 0;
	size_t i = 0;

	do {
		uint64_t word = d->back.word;
		struct pkt *p;
		uint32_t len;

		if (((word - gbe_rx_length(kind, 1)) & (usual | odd)) != usual)
			break;
		p = slot[i];
		len = tell ? gbe_rx_len(kind, d) : gbe_rx_length_of(kind, word);
		pkt_begin(p, len);
		if (tell)
			gbe_rx_tell(kind, rx, p, d, gbe_rx_status(kind, d));
		pkts[i] = p;
		bytes += len;
		d++;
	} while (++i < max);
	/*
	 * acquire: pairs with the device, which writes the frame before DD; x86 keeps loads in
	 * order, the compiler must
	 */
	atomic_thread_fence(memory_order_acquire);
	*last = d;
	rx->next += i;
	rx->queue->taken_bytes = bytes;
	return i;
}

GBE_RX_INLINE bool gbe_rx_done(const struct gbe_rx_kind *kind, const volatile union gbe_rx_desc *d)
{
	return gbe_rx_status(kind, d) & GBE_RXD_DD;
}

/* gbe_rx_next() - the oldest descriptor that the device has not given back, as far as we know. */
static inline const volatile union gbe_rx_desc *gbe_rx_next(const struct gbe_rx *rx)
{
	return &rx->desc[rx->next & rx->mask];
}

/* gbe_rx_wants_buffers() - signed: its share may have shrunk below what it holds. */
static inline bool gbe_rx_wants_buffers(const struct gbe_rx *rx)
{
	return (int32_t)(rx->next - rx->refill_at) >= 0;
}

/*
 * gbe_rx_some() - at least one descriptor is done: a run of the usual if it begins one,
 * else what the next makes.
 */
GBE_RX_INLINE size_t gbe_rx_some(const struct gbe_rx_kind *kind, struct gbe_rx *rx,
				 struct pkt **pkts, size_t max)
{
	const volatile union gbe_rx_desc *last;
	size_t n = 0;

	if (!rx->unusual)
		n = gbe_rx_run(kind, false, rx, pkts, max, &last);
	else if (rx->state == GBE_RX_FRESH)
		n = gbe_rx_run(kind, true, rx, pkts, max, &last);
	if (n)
		return n;
	pkts[0] = gbe_rx_odd(kind, rx);
	if (!pkts[0])
		return 0;
	rx->queue->taken_bytes = pkts[0]->frame_len;
	return 1;
}

/*
 * gbe_rx_rest() - of a batch of @n so far: what the first run left, beyond the wrap, odd, or to be
 * told of; and fresh buffers. Returns how many it has.
 */
GBE_RX_INLINE unsigned gbe_rx_rest(const struct gbe_rx_kind *kind, struct gbe_rx *rx, size_t n,
				   size_t max)
{
	struct netdev_queue *queue = rx->queue;
	uint64_t bytes = n ? queue->taken_bytes : 0;

	while (n < max && gbe_rx_done(kind, gbe_rx_next(rx))) {
		size_t some = gbe_rx_some(kind, rx, queue->taken + n, max - n);

		n += some;
		bytes += some ? queue->taken_bytes : 0;
	}
	queue->taken_bytes = bytes;
	return gbe_rx_wants_buffers(rx) ? gbe_rx_refill(rx, n) : n;
}

/*
 * gbe_rx_take() - a batch, the netdev's rx_batch. @rest is gbe_rx_rest() of this kind, out of
 * line: calling it, or gbe_rx_refill(), is the last act, a jump, so a run that saw all there is
 * has few registers to save.
 */
GBE_RX_INLINE unsigned gbe_rx_take(const struct gbe_rx_kind *kind, struct netdev_queue *queue,
				   unsigned max,
				   unsigned (*rest)(struct gbe_rx *rx, size_t n, size_t max))
{
	const volatile union gbe_rx_desc *last;
	struct gbe_rx *rx = queue->priv;
	size_t n;

	if (unlikely(rx->unusual))
		return rest(rx, 0, max);
	n = gbe_rx_run(kind, false, rx, queue->taken, max, &last);
	if (unlikely(gbe_rx_done(kind, last)))
		return rest(rx, n, max);
	return gbe_rx_wants_buffers(rx) ? gbe_rx_refill(rx, n) : n;
}

/*
 * gbe_rx_count() - descriptors that the device has given back and nobody has
 * taken; for who measures.
 */
GBE_RX_INLINE unsigned gbe_rx_count(const struct gbe_rx_kind *kind, const struct gbe_rx *rx)
{
	uint32_t next = rx->next;

	while (next != rx->fill && gbe_rx_status(kind, &rx->desc[next & rx->mask]) & GBE_RXD_DD)
		next++;
	return next - rx->next;
}

/* gbe_rx_has_work() - is there work that no interrupt will announce? */
GBE_RX_INLINE bool gbe_rx_has_work(const struct gbe_rx_kind *kind, const struct gbe_rx *rx)
{
	if (unlikely(rx->starved) && /* would a refill do some good by now? */
	    (this_cpu()->pool->nfree || this_cpu()->pool->returned))
		return true;
	return gbe_rx_done(kind, gbe_rx_next(rx));
}
