/* SPDX-License-Identifier: MIT */
/*
 * e1000.h - the 82540EM among the gigabit NICs: one queue, one interrupt line for
 * everything, legacy descriptors
 *
 * Files: e1000.c (what the family is), e1000_hw.c (reset and configuration), e1000_rx.c
 * and e1000_tx.c (the rings).
 */
#pragma once

#include "e1000_regs.h"
#include "gbe.h"

enum {
	E1000_ITR_PS = 256000, /* what a count of ITR is */
};

/* --- e1000_hw.c --- */

int e1000_reset(struct gbe *gbe);
void e1000_general(struct gbe *gbe);
void e1000_configure(struct gbe *gbe);
int e1000_read_address(struct gbe *gbe, uint8_t mac[ETH_ALEN]);
uint32_t e1000_rx_length(struct gbe *gbe);
void e1000_throttle(struct gbe *gbe, uint32_t count);
/* e1000_throttle_queue() - that of one queue. */
void e1000_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count);

/* --- e1000_rx.c --- */

/*
 * e1000_rx_on() - the ring empty; buffers come by the owning core, in its first
 * poll, and with them the tail.
 */
int e1000_rx_on(struct gbe *gbe, unsigned q);
void e1000_rx_off(struct gbe *gbe, unsigned q);
unsigned e1000_rx_batch(struct netdev_queue *queue, unsigned max);
/* e1000_rx_pending() - is there work that no interrupt will announce? */
bool e1000_rx_pending(const struct gbe_rx *rx);
/* e1000_rx_depth() - the netdev's op. */
unsigned e1000_rx_depth(const struct netdev *dev, unsigned q);

/* --- e1000_tx.c --- */

int e1000_tx_on(struct gbe *gbe, unsigned q);
void e1000_tx_off(struct gbe *gbe, unsigned q);
unsigned e1000_tx_batch(struct netdev *dev, unsigned q, struct pkt **pkts, unsigned n,
			uint64_t frames);

/* --- e1000.c --- */

extern const struct gbe_family e1000_family;
extern const struct pci_driver e1000_driver;
