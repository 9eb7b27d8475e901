/* SPDX-License-Identifier: MIT */
/*
 * igb_rx.c - receive rings of the 82576
 *
 * igb_rx_batch() runs on the core that owns the queue, from its NAPI poll; start and stop in the control context with
 * the cores parked. Owns struct igb_rx: the descriptors and the packets behind them. The hardware moves the head, we
 * move the tail; at least one descriptor stays without a buffer, since head == tail means empty.
 */
#include "igb.h"

enum { IGB_QUEUE_US = 10000 }; /* for a queue to switch on or off */

/* what igb_rx_odd() looks into */
#define IGB_RXD_ODD (IGB_RXD_L4E | IGB_RXD_IPE | IGB_RXD_RXE)

int igb_rx_start(struct igb *igb, unsigned q)
{
	struct igb_rx *rx = igb->rx[q];
	uint64_t base = (uintptr_t)rx->desc;

	for (unsigned i = 0; i < IGB_RING; i++)
		rx->desc[i].post.addr = rx->desc[i].post.zero = 0;
	rx->desc[IGB_RING].done.status = IGB_RXD_DD; /* the one that ends each run at the wrap */
	rx->next = rx->fill = 0;
	rx->state = IGB_RX_FRESH;
	rx->starved = false;

	/* [82576 4.5.9], of each queue */
	/* 1. a region for the ring: in struct igb_rx, aligned to 128 */
	/* 2. buffers: by the owning core, in its first poll, from its own pool */
	/* 3. address and length of the ring */
	igb_write(igb, IGB_RDBAL(q), base);
	igb_write(igb, IGB_RDBAH(q), base >> 32);
	igb_write(igb, IGB_RDLEN(q), IGB_RING * sizeof(rx->desc[0]));
	/* 4. buffer size and descriptor type */
	igb_write(igb, IGB_SRRCTL(q),
		  FIELD_PREP(IGB_SRRCTL_BSIZEPKT, PKT_BUF_SIZE / 1024) |
			  FIELD_PREP(IGB_SRRCTL_DESCTYPE, 1) |
			  (igb->dev.nqueues > 1 ? IGB_SRRCTL_DROP_EN : 0));
	/* 5. thresholds, and the queue on; 6. until it says so */
	igb_write(igb, IGB_RXDCTL(q),
		  FIELD_PREP(IGB_RXDCTL_PTHRESH, 8) | FIELD_PREP(IGB_RXDCTL_HTHRESH, 8) |
			  FIELD_PREP(IGB_RXDCTL_WTHRESH, 1) | IGB_RXDCTL_ENABLE);
	/* 7. the tail: with the buffers, see 2 */
	igb_write(igb, IGB_RDT(q), 0);
	return igb_wait(igb, IGB_RXDCTL(q), IGB_RXDCTL_ENABLE, IGB_RXDCTL_ENABLE, IGB_QUEUE_US,
			"receive queue on");
}

void igb_rx_stop(struct igb *igb, unsigned q)
{
	struct igb_rx *rx = igb->rx[q];

	igb_change(igb, IGB_RXDCTL(q), 0, IGB_RXDCTL_ENABLE);
	for (; rx->next != rx->fill; rx->next++)
		pkt_free_seg(rx->slot[rx->next % IGB_RING]);
	if (rx->state == IGB_RX_INSIDE) {
		igb->dev.queue[q].rx_dropped++;
		pkt_drop(rx->head, DROP_RX_STOPPED);
	}
	rx->state = IGB_RX_FRESH;
}

void igb_rx_share(struct netdev *dev, unsigned q, unsigned n)
{
	struct igb *igb = dev->priv;

	igb->rx[q]->share = MIN(MAX(n, IGB_RX_SHARE_MIN), IGB_RING - 1);
}

/*
 * igb_rx_refill() - post fresh buffers in groups, one tail write for all of them; called while igb_rx_wants_buffers().
 * An empty pool ends it early and is counted; the next poll tries again. Should the device then have too few for the
 * longest frame, no frame may come that starts that poll: @starved makes igb_rx_pending() ask for one as soon as the
 * pool has something, and the watchdog raise the vector.
 */
static void igb_rx_refill(struct igb_rx *rx)
{
	uint32_t fill = rx->fill;
	uint32_t end = fill + ROUND_DOWN(rx->share - (fill - rx->next), IGB_RX_GROUP);

	while (fill != end) {
		uint32_t at = fill % IGB_RING;
		uint32_t run = MIN(end - fill, IGB_RING - at);
		volatile union igb_rx_desc *d = &rx->desc[at];
		struct pkt **slot = &rx->slot[at];
		uint32_t got = pkt_alloc_batch(slot, run);

		for (size_t i = 0; i < got; i++, d++) {
			struct pkt *p = slot[i];

			p->data = pkt_buf(p);
			d->post.addr = (uintptr_t)p->data;
			d->post.zero = 0;
		}
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
	rx->desc[fill % IGB_RING].post.zero = 0;
	rx->fill = fill;
	/* release: the descriptors are written before the device may look; MMIO follows stores on x86 */
	atomic_thread_fence(memory_order_release);
	igb_write(rx->igb, rx->tail_reg, fill % IGB_RING);
	rx->queue->doorbells++;
}

/* igb_rx_append() - one more buffer behind the frame that is being put together. */
static void igb_rx_append(struct igb_rx *rx, struct pkt *p, uint32_t len)
{
	p->len = len;
	if (rx->state == IGB_RX_FRESH) {
		rx->state = IGB_RX_INSIDE;
		rx->head = p;
		p->frame_len = 0;
		p->nsegs = 0;
	} else {
		rx->tail->next = p;
	}
	rx->tail = p;
	rx->head->frame_len += len;
	rx->head->nsegs++;
}

/*
 * igb_rx_odd() - the next descriptor is done but not simply a whole, good frame: part of a longer one, damaged, of a
 * length that cannot be, or with a wrong checksum, which only counts. Returns the frame when its last buffer has come,
 * NULL otherwise. A frame is dropped once, with one reason, when it is seen to be bad; the buffers that follow up to its
 * end are freed.
 */
static struct pkt *igb_rx_odd(struct igb_rx *rx)
{
	uint32_t at = rx->next++ % IGB_RING;
	struct pkt *p = rx->slot[at];
	uint32_t status = rx->desc[at].done.status;
	uint32_t len = rx->desc[at].done.len;
	bool bad_len = len == 0 || len > PKT_BUF_SIZE;
	bool last = status & IGB_RXD_EOP;

	if (rx->state == IGB_RX_SKIP) {
		pkt_free_seg(p);
		rx->state = last ? IGB_RX_FRESH : IGB_RX_SKIP;
		return NULL;
	}
	igb_rx_append(rx, p, bad_len ? 0 : len);
	p = rx->head;
	if (bad_len || (last && status & IGB_RXD_RXE)) {
		pkt_drop(p, DROP_RX_ERROR);
	} else if (p->nsegs == PKT_MAX_SEGS && !last) {
		pkt_drop(p, DROP_RX_TOO_LONG);
	} else {
		rx->state = last ? IGB_RX_FRESH : IGB_RX_INSIDE;
		rx->queue->rx_csum_errors += last && status & (IGB_RXD_L4E | IGB_RXD_IPE);
		return last ? p : NULL;
	}
	rx->state = last ? IGB_RX_FRESH : IGB_RX_SKIP;
	rx->queue->rx_dropped++;
	return NULL;
}

/*
 * igb_rx_run() - take whole, good frames of one buffer each, at most @max, at least 1; the hot loop. Returns how many.
 * It stops at a descriptor that is not done or odd, the one behind the ring included; *@last is the status of the last
 * that it looked at.
 */
static inline size_t igb_rx_run(struct igb_rx *rx, struct pkt **pkts, size_t max, uint32_t *last)
{
	uint32_t at = rx->next % IGB_RING;
	const volatile union igb_rx_desc *d = &rx->desc[at];
	struct pkt **slot = &rx->slot[at];
	uint64_t bytes = 0;
	size_t i = 0;

	do {
		uint32_t status = *last = d->done.status; /* first: the device writes it last */
		uint32_t len = d->done.len;
		struct pkt *p;

		if ((status & (IGB_RXD_DD | IGB_RXD_EOP | IGB_RXD_ODD)) !=
			    (IGB_RXD_DD | IGB_RXD_EOP) ||
		    len - 1 >= PKT_BUF_SIZE)
			break;
		p = slot[i];
		p->frame_len = len;
		p->len = len;
		p->nsegs = 1;
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

static inline bool igb_rx_done(const struct igb_rx *rx)
{
	return rx->desc[rx->next % IGB_RING].done.status & IGB_RXD_DD;
}

/* igb_rx_wants_buffers() - signed: its share may have shrunk below what it holds. */
static inline bool igb_rx_wants_buffers(const struct igb_rx *rx)
{
	return (int32_t)(rx->share - (rx->fill - rx->next)) >= IGB_RX_GROUP;
}

/* igb_rx_more() - what a run of the usual could not take: beyond the wrap, or odd. Returns how many. */
static size_t igb_rx_more(struct igb_rx *rx, struct pkt **pkts, size_t max)
{
	uint32_t last;
	size_t n = 0;

	while (n < max && igb_rx_done(rx)) {
		size_t took = 0;
		struct pkt *p;

		if (rx->state == IGB_RX_FRESH)
			took = igb_rx_run(rx, pkts + n, max - n, &last);
		n += took;
		if (took)
			continue;
		p = igb_rx_odd(rx);
		if (p) {
			rx->queue->rx_packets++;
			rx->queue->rx_bytes += p->frame_len;
			pkts[n++] = p;
		}
	}
	return n;
}

/* igb_rx_rest() - of a batch of @n so far: what the first run left, and fresh buffers. Returns how many it has. */
static __attribute__((noinline)) unsigned igb_rx_rest(struct igb_rx *rx, struct pkt **pkts,
						      size_t n, size_t max)
{
	n += igb_rx_more(rx, pkts + n, max - n);
	if (igb_rx_wants_buffers(rx))
		igb_rx_refill(rx);
	return n;
}

/* igb_rx_batch() - its only call is its last act, a jump: a run that saw all there is has few registers to save. */
unsigned igb_rx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned max)
{
	struct igb *igb = dev->priv;
	struct igb_rx *rx = igb->rx[q];
	uint32_t last;
	size_t n;

	if (unlikely(rx->state != IGB_RX_FRESH))
		return igb_rx_rest(rx, pkts, 0, max);
	n = igb_rx_run(rx, pkts, max, &last);
	if (last & IGB_RXD_DD || igb_rx_wants_buffers(rx))
		return igb_rx_rest(rx, pkts, n, max);
	return n;
}

bool igb_rx_pending(const struct igb_rx *rx)
{
	if (unlikely(rx->starved) && /* would a refill do some good by now? */
	    (this_cpu()->pool->free || this_cpu()->pool->returned))
		return true;
	return igb_rx_done(rx);
}

void igb_rx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct igb *igb = arg;

	for (unsigned q = 0; q < igb->dev.max_queues; q++) {
		struct igb_rx *rx = igb->rx[q];

		for (uint32_t i = rx->next; i != rx->fill; i++)
			tally(t, rx->slot[i % IGB_RING]);
		if (rx->state == IGB_RX_INSIDE)
			tally(t, rx->head);
	}
}
