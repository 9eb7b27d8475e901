/* SPDX-License-Identifier: MIT */
/*
 * gbe_tx.c - transmit rings: how one begins, how it ends, how it is reset, and what it holds
 *
 * Called in the control context with the cores parked, or on the owner when the watchdog asked for
 * a reset; the path of a packet, gbe_tx.h, runs on the queue's own core. Owns struct gbe_tx:
 * descriptors and the packets that were given to them.
 */
#include "gbe_tx.h"

#include "kernel/console.h"
#include "kernel/mem.h"
#include "kernel/time.h"

#include <errno.h>

enum {
	STALL_SECONDS = 2,
	DRAIN_US = 20000, /* 255 long frames take 3 ms at 1000 Mb/s */
	DRAIN_STEP_US = 10,
};

/*
 * what is sent is not free before a report says so, and only more frames make one:
 * so many may have none yet
 */
_Static_assert(GBE_RING_MIN - (unsigned)GBE_TX_REPORT_MIN > PKT_GSO_SEGS,
	       "the longest chain and its context fit the shortest ring");

/* as gbe_rx_reserve() */
int gbe_tx_reserve(struct gbe_tx *tx, unsigned n)
{
	volatile struct gbe_tx_desc *desc;
	struct pkt **slot;
	uint32_t *mark;

	if (n <= tx->reserved)
		return 0;
	desc = mem_try_alloc(n * sizeof(*desc), GBE_RING_ALIGN);
	slot = mem_try_alloc(n * sizeof(*slot), CACHE_LINE);
	mark = mem_try_alloc(n / GBE_TX_REPORT_MIN * sizeof(*mark), CACHE_LINE);
	if (!desc || !slot || !mark)
		return -ENOMEM;
	tx->desc = desc;
	tx->slot = slot;
	tx->mark = mark;
	tx->reserved = n;
	return 0;
}

void gbe_tx_program(struct gbe *gbe, unsigned q)
{
	struct gbe_tx *tx = gbe->tx[q];
	uint64_t base = (uintptr_t)tx->desc;

	for (unsigned i = 0; i <= tx->mask; i++)
		tx->desc[i].addr = tx->desc[i].cmd = 0;
	tx->clean = tx->fill = tx->reported = 0;
	tx->report = MIN(GBE_TX_REPORT, (tx->mask + 1) / 4);
	tx->mark_first = tx->mark_end = 0;
	tx->quick = 0; /* the first batch finds out */
	tx->stalled = 0;
	tx->context = (struct gbe_tx_desc){ 0 };
	tx->drained = false;
	tx->most = UINT32_MAX;
	tx->tail = (volatile uint32_t *)((uint8_t *)gbe->regs + tx->tail_reg);

	gbe_write(gbe, gbe_tx_reg(gbe, q, GBE_RING_ADDR_LO), base);
	gbe_write(gbe, gbe_tx_reg(gbe, q, GBE_RING_ADDR_HI), base >> 32);
	gbe_write(gbe, gbe_tx_reg(gbe, q, GBE_RING_LEN), (tx->mask + 1) * sizeof(tx->desc[0]));
	gbe_write(gbe, gbe_tx_reg(gbe, q, GBE_RING_HEAD), 0);
	gbe_write(gbe, gbe_tx_reg(gbe, q, GBE_RING_TAIL), 0);
}

static bool all_sent(struct gbe *gbe, unsigned q)
{
	return gbe_read(gbe, gbe_tx_reg(gbe, q, GBE_RING_HEAD)) ==
	       gbe_read(gbe, gbe_tx_reg(gbe, q, GBE_RING_TAIL));
}

void gbe_tx_drain(struct gbe *gbe, unsigned from)
{
	unsigned us = 0;

	for (unsigned q = from; q < gbe->dev.nqueues; q++) {
		for (; !all_sent(gbe, q) && us < DRAIN_US; us += DRAIN_STEP_US)
			udelay(DRAIN_STEP_US);
		gbe_tx_reap(gbe->tx[q]);
		gbe->tx[q]->drained = all_sent(gbe, q);
	}
}

unsigned gbe_tx_stop(struct gbe *gbe, unsigned q)
{
	struct gbe_tx *tx = gbe->tx[q];
	unsigned n = 0;

	gbe->family->tx_off(gbe, q);
	for (; tx->clean != tx->fill; tx->clean++) {
		uint32_t at = tx->clean & tx->mask;

		n += !!(tx->desc[at].cmd & GBE_TXD_EOP);
		pkt_free_seg(tx->slot[at]);
	}
	return tx->drained ? 0 : n;
}

void gbe_tx_reset(struct gbe_tx *tx)
{
	unsigned q = tx->queue->index, lost;

	gbe_tx_reap(tx);
	lost = gbe_tx_stop(tx->gbe, q);
	tx->gbe->family->tx_on(tx->gbe, q);
	tx->timeouts++;
	tx->lost += lost;
	kprintf("%s: %s transmit queue %u timed out, reset; %u frames lost\n",
		tx->gbe->family->name, tx->gbe->dev.name, q, lost);
}

void gbe_tx_check(struct gbe *gbe, unsigned q)
{
	struct gbe_tx *tx = gbe->tx[q];
	uint32_t head = gbe_read(gbe, gbe_tx_reg(gbe, q, GBE_RING_HEAD)),
		 tail = gbe_read(gbe, gbe_tx_reg(gbe, q, GBE_RING_TAIL));

	if (head == tail || head != tx->seen_head)
		tx->stalled = 0;
	else if (tx->stalled < STALL_SECONDS)
		tx->stalled++;
	tx->seen_head = head;
	if (tx->stalled == STALL_SECONDS)
		tx->most = 0;
}

void gbe_tx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct gbe *gbe = arg;

	for (unsigned q = 0; q < gbe->nrings; q++) {
		struct gbe_tx *tx = gbe->tx[q];

		for (uint32_t i = tx->clean; i != tx->fill; i++)
			tally(t, tx->slot[i & tx->mask]);
	}
}
