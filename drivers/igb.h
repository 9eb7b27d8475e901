/* SPDX-License-Identifier: MIT */
/*
 * igb.h - the 82576 among the gigabit NICs: a vector a queue, RSS, advanced descriptors
 *
 * Files: igb.c (vectors, what the family is), igb_hw.c (reset and configuration), igb_rx.c
 * and igb_tx.c (the rings).
 */
#pragma once

#include "gbe.h"
#include "igb_regs.h"

enum {
	IGB_EITR_PS = 1000000, /* what a count of EITR is */
	IGB_EITR_MAX = 8191,   /* and how many it holds */
	/* throttle of the link and error vector: overruns come in hordes */
	IGB_LINK_USECS = 4000,
	IGB_QUEUE_US = 10000, /* for a queue to switch on or off */
};

/* --- igb_hw.c --- */

void igb_general(struct gbe *gbe);
void igb_configure(struct gbe *gbe);
void igb_interrupts(struct gbe *gbe);
uint32_t igb_rx_length(struct gbe *gbe);
/*
 * igb_throttle() - @count for every queue, or for the one interrupt; the link vector has its own.
 */
void igb_throttle(struct gbe *gbe, uint32_t count);
/* igb_throttle_queue() - that of one queue. */
void igb_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count);

/* --- igb_rx.c --- */

/* igb_rx_start() - program ring @q, empty, and switch it on. 0 or -ETIMEDOUT. */
int igb_rx_start(struct gbe *gbe, unsigned q);
void igb_rx_off(struct gbe *gbe, unsigned q);
unsigned igb_rx_batch(struct netdev_queue *queue, unsigned max);
/* igb_rx_pending() - is there work that no interrupt will announce? */
bool igb_rx_pending(const struct gbe_rx *rx);
/* igb_rx_depth() - the netdev's op. */
unsigned igb_rx_depth(const struct netdev *dev, unsigned q);

/* --- igb_tx.c --- */

int igb_tx_on(struct gbe *gbe, unsigned q);
void igb_tx_off(struct gbe *gbe, unsigned q);
unsigned igb_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
		      uint64_t frames);

/* --- igb.c --- */

extern const struct gbe_scheme igb_vectors, igb_vectors_auto_mask;
extern const struct gbe_family igb_family;
extern const struct pci_driver igb_driver;
