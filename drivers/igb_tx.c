/* SPDX-License-Identifier: MIT */
/*
 * igb_tx.c - transmit rings of the 82576
 *
 * igb_tx_batch() runs on the core that owns the queue; start and stop in the control context with the cores parked, or
 * on the owner when the watchdog asked for a reset. Owns struct igb_tx: descriptors and the packets that were given to
 * them. There are no transmit interrupts: each call first takes back what has been sent, as told by the descriptors
 * that report status, at least IGB_TX_REPORT apart.
 */
#include "igb.h"

#include "kernel/console.h"

enum { IGB_QUEUE_US = 10000 /* for a queue to switch on or off */, IGB_STALL_SECONDS = 2 };

/* what every descriptor of ours says [82576 7.2.2.3]; the last of a frame says EOP as well */
#define TXD_DATA  (FIELD_PREP(IGB_TXD_DTYP, 3) | IGB_TXD_DEXT | IGB_TXD_IFCS)
#define TXD_WHOLE (TXD_DATA | IGB_TXD_EOP)

int igb_tx_start(struct igb *igb, unsigned q)
{
	struct igb_tx *tx = igb->tx[q];
	uint64_t base = (uintptr_t)tx->desc;

	for (unsigned i = 0; i < IGB_RING; i++)
		tx->desc[i].addr = tx->desc[i].cmd = 0;
	tx->clean = tx->fill = tx->reported = 0;
	tx->mark_first = tx->mark_end = 0;
	tx->stalled = 0;

	/* [82576 4.5.10], of each queue */
	/* 1. a region for the ring: in struct igb_tx, aligned to 128 */
	/* 2. address and length; head and tail at its beginning */
	igb_write(igb, IGB_TDBAL(q), base);
	igb_write(igb, IGB_TDBAH(q), base >> 32);
	igb_write(igb, IGB_TDLEN(q), sizeof(tx->desc));
	igb_write(igb, IGB_TDH(q), 0);
	igb_write(igb, IGB_TDT(q), 0);
	/* 3. thresholds, and the queue on; 4. until it says so */
	igb_write(igb, IGB_TXDCTL(q),
		  FIELD_PREP(IGB_TXDCTL_PTHRESH, 8) | FIELD_PREP(IGB_TXDCTL_HTHRESH, 1) |
			  IGB_TXDCTL_ENABLE);
	return igb_wait(igb, IGB_TXDCTL(q), IGB_TXDCTL_ENABLE, IGB_TXDCTL_ENABLE, IGB_QUEUE_US,
			"transmit queue on");
}

unsigned igb_tx_stop(struct igb *igb, unsigned q)
{
	struct igb_tx *tx = igb->tx[q];
	unsigned n = 0;

	igb_change(igb, IGB_TXDCTL(q), 0, IGB_TXDCTL_ENABLE);
	igb_wait(igb, IGB_TXDCTL(q), IGB_TXDCTL_ENABLE, 0, IGB_QUEUE_US, "transmit queue off");
	for (; tx->clean != tx->fill; tx->clean++) {
		uint32_t at = tx->clean % IGB_RING;

		n += !!(tx->desc[at].cmd & IGB_TXD_EOP);
		pkt_free_seg(tx->slot[at]);
	}
	atomic_store_explicit(&tx->reset_wanted, false, memory_order_relaxed);
	return n;
}

/* igb_tx_reap() - free what has been sent, report by report; the oldest comes first. */
static void igb_tx_reap(struct igb_tx *tx)
{
	while (tx->mark_first != tx->mark_end) {
		uint32_t mark = tx->mark[tx->mark_first % IGB_MARKS];

		if (!(tx->desc[(mark - 1) % IGB_RING].cmd & IGB_TXD_DD))
			break;
		tx->mark_first++;
		while (tx->clean != mark) {
			uint32_t at = tx->clean % IGB_RING;
			uint32_t run = MIN(mark - tx->clean, IGB_RING - at);

			pkt_free_segs(&tx->slot[at], run);
			tx->clean += run;
		}
	}
}

/* igb_tx_reset() - the head stood still: off, all that is not reported as sent thrown away, on again. Owning core. */
static __attribute__((noinline)) void igb_tx_reset(struct igb_tx *tx)
{
	unsigned q = tx->queue->index, lost;

	igb_tx_reap(tx);
	lost = igb_tx_stop(tx->igb, q);
	igb_tx_start(tx->igb, q);
	tx->timeouts++;
	tx->lost += lost;
	kprintf("igb: %s transmit queue %u timed out, reset; %u frames lost\n", tx->igb->dev.name,
		q, lost);
}

/* igb_tx_room() - free descriptors; one always stays free, since head == tail means empty. */
static inline uint32_t igb_tx_room(const struct igb_tx *tx)
{
	return IGB_RING - 1 - (tx->fill - tx->clean);
}

/* igb_tx_to_wrap() - descriptors up to the ring's wrap. */
static inline uint32_t igb_tx_to_wrap(const struct igb_tx *tx)
{
	return IGB_RING - tx->fill % IGB_RING;
}

/* igb_tx_report() - have the last descriptor of the batch report, if the report before is long enough ago. */
static inline void igb_tx_report(struct igb_tx *tx, uint32_t fill)
{
	if (fill - tx->reported < IGB_TX_REPORT)
		return;
	tx->desc[(fill - 1) % IGB_RING].cmd |= IGB_TXD_RS;
	tx->mark[tx->mark_end++ % IGB_MARKS] = fill;
	tx->reported = fill;
}

/*
 * igb_tx_run() - post frames of one buffer each, at most @n, at least 1, for which there is room before the ring's
 * wrap; the hot loop. Returns how many: it stops at the first frame of several buffers.
 */
static inline size_t igb_tx_run(struct igb_tx *tx, struct pkt **pkts, size_t n)
{
	uint32_t at = tx->fill % IGB_RING;
	volatile struct igb_tx_desc *d = &tx->desc[at];
	struct pkt **slot = &tx->slot[at];
	uint64_t bytes = 0;
	size_t i = 0;

	do {
		struct pkt *p = pkts[i];
		uint64_t len = p->len;

		if (unlikely(p->next))
			break;
		d->addr = (uintptr_t)p->data;
		d->cmd = TXD_WHOLE | len | FIELD_PREP(IGB_TXD_PAYLEN, len);
		slot[i] = p;
		bytes += len;
		d++;
	} while (++i < n);
	tx->fill += i;
	tx->queue->tx_bytes += bytes;
	return i;
}

/* igb_tx_chain() - post a frame of several buffers, for which there is room. */
static void igb_tx_chain(struct igb_tx *tx, struct pkt *p)
{
	uint64_t cmd = TXD_DATA | FIELD_PREP(IGB_TXD_PAYLEN, p->frame_len);

	tx->queue->tx_bytes += p->frame_len;
	while (p) {
		uint32_t at = tx->fill++ % IGB_RING;
		struct pkt *next = p->next;

		p->next = NULL; /* each slot holds one buffer and frees it by itself */
		tx->desc[at].addr = (uintptr_t)p->data;
		tx->desc[at].cmd = cmd | p->len | (next ? 0 : IGB_TXD_EOP);
		tx->slot[at] = p;
		p = next;
	}
}

/* igb_tx_publish() - tell the device of the @n frames that were posted. */
static inline void igb_tx_publish(struct igb_tx *tx, size_t n)
{
	uint32_t fill = tx->fill;

	tx->queue->tx_packets += n;
	tx->queue->doorbells++;
	igb_tx_report(tx, fill);
	/* release: frames and descriptors are written before the device may look; MMIO follows stores on x86 */
	atomic_thread_fence(memory_order_release);
	igb_write(tx->igb, tx->tail_reg, fill % IGB_RING);
}

/*
 * igb_tx_rest() - of a batch that has posted @done of its @n frames: reports, the wrap, chains, a ring that is filling
 * up, a reset. Returns how many it has posted in all.
 */
static __attribute__((noinline)) unsigned igb_tx_rest(struct igb_tx *tx, struct pkt **pkts,
						      size_t done, size_t n)
{
	size_t i = done;

	if (!done && /* else what was posted just now would go as well: with the next batch */
	    atomic_load_explicit(&tx->reset_wanted, memory_order_relaxed))
		igb_tx_reset(tx);
	igb_tx_reap(tx);
	while (i < n) {
		uint32_t room = igb_tx_room(tx);

		if (!pkts[i]->next && room) {
			i += igb_tx_run(tx, pkts + i, MIN(n - i, MIN(room, igb_tx_to_wrap(tx))));
		} else if (room && room >= pkts[i]->nsegs) {
			igb_tx_chain(tx, pkts[i++]);
		} else {
			tx->queue->tx_busy += n - i;
			break;
		}
	}
	if (i)
		igb_tx_publish(tx, i);
	return i;
}

/* igb_tx_batch() - its only call is its last act, a jump: a batch of the usual has few registers to save. */
unsigned igb_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n)
{
	struct igb *igb = dev->priv;
	struct igb_tx *tx = igb->tx[q];
	size_t i;

	/* what is left to igb_tx_run() has room: at most IGB_TX_REAP are out then */
	if (unlikely(tx->fill - tx->clean + n > IGB_TX_REAP || n > igb_tx_to_wrap(tx) ||
		     atomic_load_explicit(&tx->reset_wanted, memory_order_relaxed)))
		return igb_tx_rest(tx, pkts, 0, n);
	i = igb_tx_run(tx, pkts, n);
	if (unlikely(i < n))
		return igb_tx_rest(tx, pkts, i, n);
	igb_tx_publish(tx, n);
	return n;
}

void igb_tx_check(struct igb *igb, unsigned q)
{
	struct igb_tx *tx = igb->tx[q];
	uint32_t head = igb_read(igb, IGB_TDH(q)), tail = igb_read(igb, IGB_TDT(q));

	if (head == tail || head != tx->seen_head)
		tx->stalled = 0;
	else if (tx->stalled < IGB_STALL_SECONDS)
		tx->stalled++;
	tx->seen_head = head;
	if (tx->stalled == IGB_STALL_SECONDS)
		atomic_store_explicit(&tx->reset_wanted, true, memory_order_relaxed);
}

void igb_tx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct igb *igb = arg;

	for (unsigned q = 0; q < igb->dev.max_queues; q++) {
		struct igb_tx *tx = igb->tx[q];

		for (uint32_t i = tx->clean; i != tx->fill; i++)
			tally(t, tx->slot[i % IGB_RING]);
	}
}
