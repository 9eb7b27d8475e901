/* SPDX-License-Identifier: MIT */
/*
 * gbe_tx.h - the path of a packet through a transmit ring, written once and compiled
 * for each kind of descriptor
 *
 * The files that include it, igb_tx.c and e1000_tx.c, have a constant struct gbe_tx_kind. As
 * everything here is inline, the compiler knows which kind it has at each place and no question of
 * it is left. On the core that owns the queue. There are no transmit interrupts: every tx->report
 * descriptors, or behind the batch that has these, one reports status, and the batch with the next
 * of them first takes back what has been sent by then.
 */
#pragma once

#include "kernel/path.h"
#include "gbe.h"
#include "gbe_offload.h"

/* what the two kinds differ in */
struct gbe_tx_kind {
	uint64_t cmd;         /* what every descriptor says; the last of a frame says EOP as well */
	uint64_t frame_field; /* where the whole frame's length goes; 0: nowhere */
	/*
	 * what the descriptors of a frame say that asks for @o; @context: what one in front
	 * of it has to say, if any
	 */
	uint64_t (*offload)(const struct gbe_offload *o, const struct pkt *p,
			    struct gbe_tx_desc *context);
};

#define GBE_TX_INLINE static inline __attribute__((always_inline))

GBE_TX_INLINE uint64_t gbe_tx_whole(const struct gbe_tx_kind *kind, uint64_t len)
{
	return kind->frame_field ? FIELD_PREP(kind->frame_field, len) : 0;
}

/* gbe_tx_mark() - where mark @i stands: there are as many as reports fit into the ring. */
static inline uint32_t *gbe_tx_mark(const struct gbe_tx *tx, uint32_t i)
{
	return &tx->mark[i & tx->mask / GBE_TX_REPORT_MIN];
}

/* gbe_tx_reap() - free what has been sent, report by report; the oldest comes first. */
static inline void gbe_tx_reap(struct gbe_tx *tx)
{
	while (tx->mark_first != tx->mark_end) {
		uint32_t mark = *gbe_tx_mark(tx, tx->mark_first);

		if (!(tx->desc[(mark - 1) & tx->mask].cmd & GBE_TXD_DD))
			break;
		tx->mark_first++;
		while (tx->clean != mark) {
			uint32_t at = tx->clean & tx->mask;
			uint32_t run = MIN(mark - tx->clean, tx->mask + 1 - at);

			pkt_free_segs(&tx->slot[at], run);
			tx->clean += run;
		}
	}
}

/* gbe_tx_room() - free descriptors; one always stays free, since head == tail means empty. */
static inline uint32_t gbe_tx_room(const struct gbe_tx *tx)
{
	return tx->mask - (tx->fill - tx->clean);
}

/* gbe_tx_to_wrap() - descriptors up to the ring's wrap. */
static inline uint32_t gbe_tx_to_wrap(const struct gbe_tx *tx)
{
	return tx->mask + 1 - (tx->fill & tx->mask);
}

/*
 * gbe_tx_report() - have the last descriptor of the batch report, if the report
 * before is long enough ago.
 */
static inline void gbe_tx_report(struct gbe_tx *tx)
{
	uint32_t fill = tx->fill;

	if (fill - tx->reported < tx->report)
		return;
	tx->desc[(fill - 1) & tx->mask].cmd |= GBE_TXD_RS;
	*gbe_tx_mark(tx, tx->mark_end++) = fill;
	tx->reported = fill;
}

/* gbe_tx_put() - @p, a plain frame, is what descriptor @d says. */
GBE_TX_INLINE void gbe_tx_put(const struct gbe_tx_kind *kind, volatile struct gbe_tx_desc *d,
			      struct pkt *p)
{
	uint64_t len = p->frame; /* no flags, so there is nothing above the length */

	d->addr = (uintptr_t)p->data;
	d->cmd = gbe_tx_whole(kind, len) + len + (kind->cmd | GBE_TXD_EOP);
}

/*
 * gbe_tx_run() - post @n plain frames, at least 1, for which there is room before the ring's wrap;
 * the hot loop. By eights, as a third of each turn would be the loop's own.
 */
GBE_TX_INLINE void gbe_tx_run(const struct gbe_tx_kind *kind, struct gbe_tx *tx, struct pkt **pkts,
			      size_t n)
{
	uint32_t at = tx->fill & tx->mask;
	volatile struct gbe_tx_desc *d = &tx->desc[at];
	struct pkt **slot = &tx->slot[at];

	tx->fill += n;
	for (; n >= 8; n -= 8, d += 8, slot += 8, pkts += 8)
#pragma GCC unroll 8
		for (size_t i = 0; i < 8; i++)
			gbe_tx_put(kind, d + i, slot[i] = pkts[i]);
	for (size_t i = 0; i < n; i++)
		gbe_tx_put(kind, d + i, slot[i] = pkts[i]);
}

/*
 * gbe_tx_chain() - post a frame of one buffer or several, whose descriptors
 * say @cmd; there is room.
 */
static inline void gbe_tx_chain(struct gbe_tx *tx, struct pkt *p, uint64_t cmd)
{
	while (p) {
		uint32_t at = tx->fill++ & tx->mask;
		struct pkt *next = p->next;

		p->next = NULL; /* each slot holds one buffer and frees it by itself */
		tx->desc[at].addr = (uintptr_t)p->data;
		tx->desc[at].cmd = cmd | p->len | (next ? 0 : GBE_TXD_EOP);
		tx->slot[at] = p;
		p = next;
	}
}

/*
 * gbe_tx_context() - the chip shall know @context; there is room. It keeps the last one, so frames
 * that ask for the same need one between them. False: the pool has no buffer for its slot, which
 * reaping will free like any other.
 */
static inline bool gbe_tx_context(struct gbe_tx *tx, const struct gbe_tx_desc *context)
{
	uint32_t at = tx->fill & tx->mask;
	struct pkt *p;

	if (!context->cmd || (context->addr == tx->context.addr && context->cmd == tx->context.cmd))
		return true;
	p = pkt_alloc();
	if (!p)
		return false;
	tx->slot[at] = p;
	tx->desc[at].addr = context->addr;
	tx->desc[at].cmd = context->cmd;
	tx->context = *context;
	tx->fill++;
	return true;
}

/*
 * gbe_tx_special() - post a frame that is not plain. False: not now, no descriptors or no buffer
 * for the context's. A frame that the chip cannot be asked for is taken and dropped.
 */
GBE_TX_INLINE bool gbe_tx_special(const struct gbe_tx_kind *kind, struct gbe_tx *tx, struct pkt *p)
{
	uint64_t cmd = kind->cmd | gbe_tx_whole(kind, p->frame_len);
	struct gbe_tx_desc context = { 0 };
	struct gbe_offload o;

	if (gbe_tx_room(tx) < p->nsegs + 1U)
		return false;
	if (p->flags & GBE_TX_ASKS) {
		if (!gbe_offload_of(p, &o)) {
			gbe_tx_refuse(tx, p);
			return true;
		}
		cmd = kind->offload(&o, p, &context);
		if (!gbe_tx_context(tx, &context))
			return false;
		if (o.tso)
			gbe_offload_take_length_out(p, &o);
	}
	path_mark(p, PATH_XMIT);
	gbe_tx_chain(tx, p, cmd);
	return true;
}

/* gbe_tx_publish() - tell the device of the @n frames that were posted, up to @fill. */
static inline void gbe_tx_publish(struct gbe_tx *tx, size_t n, uint32_t fill)
{
	tx->queue->tx_packets += n;
	tx->queue->doorbells++;
	/*
	 * release: frames and descriptors are written before the device may look;
	 * MMIO follows stores on x86
	 */
	atomic_thread_fence(memory_order_release);
	gbe_poke_tail(tx, fill & tx->mask);
}

/*
 * gbe_tx_set_quick() - up to where is there room, no wrap and no report due? Nowhere
 * while registers are traced.
 */
static inline void gbe_tx_set_quick(struct gbe_tx *tx)
{
	uint32_t room = MIN(gbe_tx_room(tx), gbe_tx_to_wrap(tx));
	uint32_t report = tx->reported + tx->report - 1 - tx->fill;

	tx->quick = tx->fill + (unlikely(tx->gbe->tracing) ? 0 : MIN(room, report));
}

/* gbe_tx_plain() - how many of the @n frames at pkts[], from the first on, are plain. */
static inline size_t gbe_tx_plain(struct pkt **pkts, size_t n)
{
	size_t i = 0;

	while (i < n && !pkts[i]->flags)
		i++;
	return i;
}

/*
 * gbe_tx_fits() - would the next @n frames, if they were plain, go out with nothing
 * due at or before their end?
 */
GBE_TX_INLINE bool gbe_tx_fits(const struct gbe_tx *tx, unsigned n)
{
	return (int32_t)(tx->quick - (tx->fill + n)) >= 0;
}

/* gbe_tx_post() - post @n plain frames of @bytes, at least 1, that fit. Returns @n. */
GBE_TX_INLINE unsigned gbe_tx_post(const struct gbe_tx_kind *kind, struct gbe_tx *tx,
				   struct pkt **pkts, unsigned n, uint64_t bytes)
{
	uint32_t at = tx->fill & tx->mask, fill = tx->fill + n;
	size_t i = 0;

	do
		gbe_tx_put(kind, &tx->desc[at + i], tx->slot[at + i] = pkts[i]);
	while (++i < n);
	tx->fill = fill;
	tx->queue->tx_bytes += bytes;
	gbe_tx_publish(tx, n, fill);
	return n;
}

/*
 * gbe_tx_stamped() - which of @n frames is all that is not plain, and that for nothing
 * but its stamp; NULL: none.
 */
static inline struct pkt *gbe_tx_stamped(struct pkt **pkts, size_t n, uint64_t frames)
{
	struct pkt *p;

	if (frames >> 32 != PKT_STAMPED)
		return NULL;
	p = pkts[gbe_tx_plain(pkts, n)];
	return p->flags == PKT_STAMPED ? p : NULL;
}

/*
 * gbe_tx_timed() - post a batch that fits, whose one stamped frame is @p: nobody behind the
 * ring marks it, so from here on it is plain. Who is timed takes nearly the way of the
 * others, and costs them little.
 */
GBE_TX_INLINE unsigned gbe_tx_timed(const struct gbe_tx_kind *kind, struct gbe_tx *tx,
				    struct pkt **pkts, unsigned n, uint64_t frames, struct pkt *p)
{
	path_mark(p, PATH_XMIT);
	p->flags = 0;
	return gbe_tx_post(kind, tx, pkts, n, (uint32_t)frames);
}

/*
 * gbe_tx_rest() - a batch with which something is due: reports, the wrap, frames that are not
 * plain, a ring that is filling up, a reset. Returns how many it has posted. @frames as in
 * gbe_tx_give().
 */
GBE_TX_INLINE unsigned gbe_tx_rest(const struct gbe_tx_kind *kind, struct gbe_tx *tx,
				   struct pkt **pkts, size_t n, uint64_t frames)
{
	bool plain = likely(frames <= UINT32_MAX);
	struct pkt *stamped;
	size_t i = 0;

	if (unlikely(!tx->most))
		gbe_tx_reset(tx);
	else if (!plain && gbe_tx_fits(tx, n) && (stamped = gbe_tx_stamped(pkts, n, frames)))
		return gbe_tx_timed(kind, tx, pkts, n, frames, stamped);
	gbe_tx_reap(tx);
	while (i < n) {
		uint32_t room = MIN(gbe_tx_room(tx), gbe_tx_to_wrap(tx));
		size_t run = MIN(plain ? n - i : gbe_tx_plain(pkts + i, n - i), room);

		if (likely(run)) {
			gbe_tx_run(kind, tx, pkts + i, run);
			i += run;
		} else if (!plain && gbe_tx_special(kind, tx, pkts[i])) {
			i++;
		} else {
			tx->queue->tx_busy += n - i;
			tx->full = true;
			break;
		}
	}
	if (i) {
		gbe_tx_report(tx);
		tx->queue->tx_restarts += tx->full && i == n;
		tx->full = tx->full && i < n;
		if (unlikely(tx->gbe->tracing))
			gbe_trace_access(tx->gbe, tx->tail_reg, tx->fill & tx->mask, true);
		gbe_tx_publish(tx, i, tx->fill);
	}
	gbe_tx_set_quick(tx);
	for (size_t k = i; k < n; k++)
		frames -= pkts[k]->frame_len;
	tx->queue->tx_bytes += (uint32_t)frames;
	return i;
}

/*
 * gbe_tx_give() - a batch, the netdev's tx_batch. Small ones are posted here with no question but
 * two. Do they fit? Is a frame not plain? @frames, the sum of their words pkt->frame, tells: a flag
 * makes it longer than all bytes together, and the same compare asks whether the watchdog wants a
 * reset. @rest is gbe_tx_rest() of this kind, out of line; calling it is the last act.
 */
GBE_TX_INLINE unsigned gbe_tx_give(const struct gbe_tx_kind *kind, struct gbe_tx *tx,
				   struct pkt **pkts, unsigned n, uint64_t frames,
				   unsigned (*rest)(struct gbe_tx *tx, struct pkt **pkts, size_t n,
						    uint64_t frames))
{
	if (!gbe_tx_fits(tx, n) || unlikely(frames > tx->most))
		return rest(tx, pkts, n, frames);
	return gbe_tx_post(kind, tx, pkts, n, frames);
}
