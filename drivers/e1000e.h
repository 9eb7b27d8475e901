/* SPDX-License-Identifier: MIT */
/*
 * e1000e.h - the 82574L among the gigabit NICs: the 82540EM with two queues, a vector each, RSS,
 * and receive descriptors that tell of it; what it sends goes by e1000_tx.c
 *
 * Files: e1000e.c (vectors, what the family is), e1000e_hw.c (configuration),
 * e1000e_ring.c (the rings).
 */
#pragma once

#include "e1000.h"
#include "e1000e_regs.h"

/* --- e1000e_hw.c --- */

void e1000e_general(struct gbe *gbe);
void e1000e_configure(struct gbe *gbe);
void e1000e_interrupts(struct gbe *gbe);
/* e1000e_throttle() - @count for every vector, or for the one interrupt. */
void e1000e_throttle(struct gbe *gbe, uint32_t count);
/* e1000e_throttle_queue() - that of one queue. */
void e1000e_throttle_queue(struct gbe *gbe, unsigned q, uint32_t count);

/* --- e1000e_ring.c --- */

int e1000e_rx_on(struct gbe *gbe, unsigned q);
void e1000e_rx_off(struct gbe *gbe, unsigned q);
unsigned e1000e_rx_batch(struct netdev_queue *queue, unsigned max);
bool e1000e_rx_pending(const struct gbe_rx *rx);
/* e1000e_rx_depth() - the netdev's op. */
unsigned e1000e_rx_depth(const struct netdev *dev, unsigned q);
int e1000e_tx_on(struct gbe *gbe, unsigned q);
void e1000e_tx_off(struct gbe *gbe, unsigned q);

/* --- e1000e.c --- */

extern const struct gbe_scheme e1000e_vectors;
extern const struct gbe_family e1000e_family;
extern const struct pci_driver e1000e_driver;
