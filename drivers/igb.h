/* SPDX-License-Identifier: MIT */
/*
 * igb.h - the 82576 driver's own header: its structures, and the verbs that reach its registers
 *
 * Files: igb.c (probe, open, stop, vectors), igb_hw.c (reset, configuration), igb_rx.c and igb_tx.c (the rings),
 * igb_link.c (PHY, link and error vector, watchdog), igb_stats.c (statistics, ethtool).
 */
#pragma once

#include "kernel/irq.h"
#include "igb_regs.h"
#include "msi.h"
#include "netdev.h"
#include "pci.h"

#include <stdatomic.h>

enum {
	IGB_RING = 256, /* descriptors a ring, a power of two */
	/* buffers are posted in multiples of this, however many with one tail write */
	IGB_RX_GROUP = 16,
	/* a ring whose share of the pool is less holds so many; a group fits before a long frame does not */
	IGB_RX_SHARE_MIN = 32,
	IGB_TX_REPORT = 16, /* descriptors between two that report status, at least */
	IGB_TX_REAP = 64,   /* descriptors out, the batch included, before it looks for reports */
	/* reports outstanding, at most */
	IGB_MARKS = IGB_RING / IGB_TX_REPORT,
	IGB_USECS_MAX = 8191, /* what EITR holds */
	/* throttle of the link and error vector: overruns come in hordes */
	IGB_LINK_USECS = 4000,
};

/* what chips differ in; a row a chip in igb.c */
struct igb_chip {
	struct pci_id id, subsystem; /* subsystem { 0, 0 }: any */
	const char *name;
	uint8_t max_queues;
	bool auto_mask;  /* a vector masks itself when it is sent (EIAM): the handler need not */
	bool eeprom_bit; /* EEC.AUTO_RD tells when the reset is over */
};

/* where in a frame the next descriptor lies */
enum igb_rx_state {
	IGB_RX_FRESH,  /* at its first buffer */
	IGB_RX_INSIDE, /* behind that: its end has not come yet */
	IGB_RX_SKIP,   /* it was dropped: buffers up to its end are freed */
};

/* both rings: indices run freely, the slot is the index masked; slots from the lower to the higher index are ours */
struct igb_rx {
	/* and one that the device does not know: it looks done but odd, so that no run goes beyond the wrap */
	_Alignas(128) volatile union igb_rx_desc desc[IGB_RING + 1];
	struct pkt *slot[IGB_RING]; /* the packet behind each posted descriptor, next to fill - 1 */
	uint32_t next;              /* oldest descriptor that the device has not given back yet */
	uint32_t fill;              /* first descriptor without a buffer */
	uint32_t share;             /* at most so many are posted, more if it has just shrunk */
	enum igb_rx_state state;
	uint32_t tail_reg; /* offset of RDT */
	struct igb *igb;
	struct netdev_queue *queue; /* its counters */
	/* fewer are posted than the longest frame takes, the pool was empty: the watchdog sees to it */
	volatile bool starved;
	struct pkt *head, *tail; /* INSIDE: the frame so far */
};

struct igb_tx {
	_Alignas(128) volatile struct igb_tx_desc desc[IGB_RING];
	struct pkt *slot[IGB_RING]; /* a buffer each, chains are taken apart; clean to fill - 1 */
	uint32_t clean;             /* oldest descriptor not reaped */
	uint32_t fill;              /* first free descriptor */
	uint32_t reported;          /* descriptors up to here lie before the newest mark */
	/* the index behind each descriptor that reports status, oldest at mark_first */
	uint32_t mark[IGB_MARKS];
	uint32_t mark_first, mark_end;
	uint64_t timeouts;          /* resets since the head stood still */
	uint64_t lost;              /* frames thrown away by them */
	struct netdev_queue *queue; /* its counters */
	struct igb *igb;
	uint32_t tail_reg; /* offset of TDT */

	/* by the watchdog, core 0 */
	/* the owner resets the ring before it sends again */
	_Alignas(CACHE_LINE) _Atomic bool reset_wanted;
	uint32_t seen_head; /* TDH a second ago */
	uint8_t stalled;    /* seconds that it has stood still with work */
};

/* driver's own counters beside the chip's */
struct igb_events {
	uint64_t rx_overruns; /* ICR.RXO seen: one for many frames */
	uint64_t dma_out_of_sync;
	uint64_t link_changes; /* ICR.LSC seen */
};

enum { IGB_NSTATS = 32 };

struct igb {
	struct netdev dev;
	struct igb_rx *rx[NETDEV_MAX_QUEUES]; /* dev.max_queues of them */
	struct igb_tx *tx[NETDEV_MAX_QUEUES];
	void *regs;
	const struct igb_chip *chip;
	struct pci_dev *pd;
	struct msix msix;
	struct irq queue_irq[NETDEV_MAX_QUEUES];
	struct irq link_irq;
	struct napi link_napi; /* the link and error vector keeps the same contract as a queue */
	struct pkt_holder rx_held, tx_held;
	char rx_held_name[24], tx_held_name[24];
	unsigned rx_usecs; /* EITR of the queues */
	struct igb_events events;
	uint64_t stat[IGB_NSTATS];               /* sums of the chip's registers, igb_stats.c */
	uint64_t queue_drops[NETDEV_MAX_QUEUES]; /* sums of RQDPC */
};

/* --- registers; on the host a test plays the chip --- */

#if __STDC_HOSTED__
uint32_t fake_igb_read(void *regs, uint32_t off);
void fake_igb_write(void *regs, uint32_t off, uint32_t v);

static inline uint32_t igb_read(const struct igb *igb, uint32_t off)
{
	return fake_igb_read(igb->regs, off);
}

static inline void igb_write(const struct igb *igb, uint32_t off, uint32_t v)
{
	fake_igb_write(igb->regs, off, v);
}
#else
static inline uint32_t igb_read(const struct igb *igb, uint32_t off)
{
	return *(volatile uint32_t *)((uint8_t *)igb->regs + off);
}

static inline void igb_write(const struct igb *igb, uint32_t off, uint32_t v)
{
	*(volatile uint32_t *)((uint8_t *)igb->regs + off) = v;
}
#endif

static inline void igb_change(const struct igb *igb, uint32_t off, uint32_t set, uint32_t clear)
{
	igb_write(igb, off, (igb_read(igb, off) & ~clear) | set);
}

/* igb_flush() - a read pushes the writes before it to the chip. */
static inline void igb_flush(const struct igb *igb)
{
	(void)igb_read(igb, IGB_STATUS);
}

/*
 * igb_wait() - until (register & @mask) == @want, at most @us microseconds.
 * Returns 0, or -ETIMEDOUT having said on the console that @what did not happen.
 */
int igb_wait(const struct igb *igb, uint32_t off, uint32_t mask, uint32_t want, unsigned us,
	     const char *what);

/* --- igb_hw.c --- */

/* igb_reset() - silent, no DMA, registers at their defaults. 0 or -ETIMEDOUT, having said why. */
int igb_reset(struct igb *igb);
/* igb_start() - reset and configure all, receiver and transmitter on, vectors still masked by EIMS. 0 or an errno. */
int igb_start(struct igb *igb);
/* igb_set_rx_mode() - address, promiscuous, frame length from the netdev; nothing while it is down. */
void igb_set_rx_mode(struct netdev *dev);
/* igb_throttle() - program EITR of every vector from rx_usecs. */
void igb_throttle(struct igb *igb);

/* --- igb_rx.c --- */

/* igb_rx_start() - program ring @q, empty: its owner posts buffers in its first poll. 0 or -ETIMEDOUT. */
int igb_rx_start(struct igb *igb, unsigned q);
/* igb_rx_stop() - queue off, every buffer freed. The chip must do no more DMA to it afterwards. */
void igb_rx_stop(struct igb *igb, unsigned q);
/* igb_rx_share() - from now on ring @q is filled with @n buffers at most; within what the ring can. */
void igb_rx_share(struct netdev *dev, unsigned q, unsigned n);
unsigned igb_rx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned max);
/* igb_rx_pending() - is there work that no interrupt will announce? */
bool igb_rx_pending(const struct igb_rx *rx);
void igb_rx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t);

/* --- igb_tx.c --- */

int igb_tx_start(struct igb *igb, unsigned q);
/* igb_tx_stop() - queue off, every buffer freed; returns how many frames had not been reported done. */
unsigned igb_tx_stop(struct igb *igb, unsigned q);
unsigned igb_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n);
/* igb_tx_check() - watchdog, core 0: has the head stood still for two seconds with work? Then ask for a reset. */
void igb_tx_check(struct igb *igb, unsigned q);
void igb_tx_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t);

/* --- igb_link.c --- */

int igb_link_restart(struct igb *igb);
/* igb_link_update() - core 0: learn the link's state from the chip, tell the room above if it changed. */
void igb_link_update(struct igb *igb);
/* igb_link_init() - the napi and irq of the link and error vector, @vector. */
void igb_link_init(struct igb *igb, unsigned vector);
void igb_watchdog(struct netdev *dev);

/* --- igb_stats.c --- */

extern const struct ethtool_ops igb_ethtool_ops;
/* igb_stats_update() - core 0: add the chip's registers, which reading clears, to our sums. */
void igb_stats_update(struct igb *igb);

/* --- igb.c --- */

extern const struct pci_driver igb_driver;
