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
	unsigned n = tx->fill - tx->clean;

	igb_change(igb, IGB_TXDCTL(q), 0, IGB_TXDCTL_ENABLE);
	igb_wait(igb, IGB_TXDCTL(q), IGB_TXDCTL_ENABLE, 0, IGB_QUEUE_US, "transmit queue off");
	for (; tx->clean != tx->fill; tx->clean++)
		pkt_free_seg(tx->slot[tx->clean % IGB_RING]);
	atomic_store_explicit(&tx->reset_wanted, false, memory_order_relaxed);
	return n;
}

/* igb_tx_reset() - the head stood still: off, everything thrown away, on again. Owning core. */
static __attribute__((noinline)) void igb_tx_reset(struct igb *igb, unsigned q)
{
	unsigned lost = igb_tx_stop(igb, q);

	igb_tx_start(igb, q);
	igb->tx[q]->timeouts++;
	igb->tx[q]->lost += lost;
	kprintf("igb: %s transmit queue %u timed out, reset; %u buffers lost\n", igb->dev.name, q,
		lost);
}

/* igb_tx_reported() - has the oldest descriptor that was to report done so? */
static inline bool igb_tx_reported(const struct igb_tx *tx)
{
	return tx->mark_first != tx->mark_end &&
	       tx->desc[(tx->mark[tx->mark_first % IGB_MARKS] - 1) % IGB_RING].cmd & IGB_TXD_DD;
}

/* igb_tx_reap() - free what has been sent, report by report. */
static __attribute__((noinline)) void igb_tx_reap(struct igb_tx *tx)
{
	do {
		uint32_t mark = tx->mark[tx->mark_first++ % IGB_MARKS];

		while (tx->clean != mark) {
			uint32_t at = tx->clean % IGB_RING;
			uint32_t run = MIN(mark - tx->clean, IGB_RING - at);

			pkt_free_segs(&tx->slot[at], run);
			tx->clean += run;
		}
	} while (igb_tx_reported(tx));
}

/* igb_tx_chain() - post a frame of several buffers, which fits; returns the index behind it. */
static __attribute__((noinline)) uint32_t igb_tx_chain(struct igb_tx *tx, uint32_t fill,
						       struct pkt *p)
{
	uint64_t cmd = TXD_DATA | FIELD_PREP(IGB_TXD_PAYLEN, p->frame_len);

	while (p) {
		struct pkt *next = p->next;

		p->next = NULL; /* each slot holds one buffer and frees it by itself */
		tx->desc[fill % IGB_RING].addr = (uintptr_t)p->data;
		tx->desc[fill % IGB_RING].cmd = cmd | p->len | (next ? 0 : IGB_TXD_EOP);
		tx->slot[fill++ % IGB_RING] = p;
		p = next;
	}
	return fill;
}

/* igb_tx_report() - have the last descriptor of the batch report, if the report before is long enough ago. */
static inline void igb_tx_report(struct igb_tx *tx, uint32_t fill)
{
	volatile struct igb_tx_desc *last = &tx->desc[(fill - 1) % IGB_RING];

	if (fill - tx->reported < IGB_TX_REPORT)
		return;
	last->cmd |= IGB_TXD_RS;
	tx->mark[tx->mark_end++ % IGB_MARKS] = fill;
	tx->reported = fill;
}

/*
 * igb_tx_run() - post frames of one buffer each from descriptor @at on, at most @run, which do not wrap; the hot loop.
 * Returns how many; it stops at the first frame of several buffers.
 */
static inline size_t igb_tx_run(struct igb_tx *tx, uint32_t at, size_t run, struct pkt **pkts,
				uint64_t *bytes)
{
	volatile struct igb_tx_desc *d = &tx->desc[at];
	struct pkt **slot = &tx->slot[at];
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < run; i++, d++) {
		struct pkt *p = pkts[i];
		uint64_t len = p->len;

		if (p->next)
			break;
		d->addr = (uintptr_t)p->data;
		d->cmd = TXD_WHOLE | len | FIELD_PREP(IGB_TXD_PAYLEN, len);
		slot[i] = p;
		sum += len;
	}
	*bytes += sum;
	return i;
}

unsigned igb_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n)
{
	struct igb *igb = dev->priv;
	struct igb_tx *tx = igb->tx[q];
	struct netdev_queue *queue = &dev->queue[q];
	uint32_t fill = tx->fill, end;
	uint64_t bytes = 0;
	size_t i = 0;

	if (unlikely(atomic_load_explicit(&tx->reset_wanted, memory_order_relaxed))) {
		igb_tx_reset(igb, q);
		fill = tx->fill;
	}
	if (igb_tx_reported(tx))
		igb_tx_reap(tx);
	end = tx->clean + IGB_RING - 1; /* one stays free: head == tail means empty */
	while (i < n && fill != end) {
		uint32_t at = fill % IGB_RING;
		uint32_t run = MIN(MIN(end - fill, IGB_RING - at), n - i);
		uint32_t put = igb_tx_run(tx, at, run, pkts + i, &bytes);

		fill += put;
		i += put;
		if (unlikely(put < run)) {
			if (end - fill < pkts[i]->nsegs)
				break;
			bytes += pkts[i]->frame_len;
			fill = igb_tx_chain(tx, fill, pkts[i++]);
		}
	}
	queue->tx_packets += i;
	queue->tx_bytes += bytes;
	queue->tx_busy += n - i;
	if (unlikely(!i))
		return 0;
	igb_tx_report(tx, fill);
	tx->fill = fill;
	/* release: frames and descriptors are written before the device may look; MMIO follows stores on x86 */
	atomic_thread_fence(memory_order_release);
	igb_write(igb, IGB_TDT(q), fill % IGB_RING);
	queue->doorbells++;
	return i;
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
