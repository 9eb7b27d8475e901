/* SPDX-License-Identifier: MIT */
/*
 * switch.h - what decides about a packet
 *
 * switch_batch() is the fast path, one pass over a batch: key, cache, stage. What no cache knows
 * goes to the slow path (upcall.h), which asks rules and MAC table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"
#include "port.h"

/*
 * switch_batch() - packets that came in by @port, which accepts them, and count as forwarded,
 * oldest first; all are gone when it returns. @n from 1 to PORT_BATCH; @x is this core's. Returns
 * @n, for a poll whose last act it is.
 */
unsigned switch_batch(struct xmit_cpu *x, struct port *port, struct pkt **pkts, size_t n);
/* switch_init() - at boot, behind key_init(). */
void switch_init(void);
/* switch_input() - the same, of any port, and counts them as forwarded. */
void switch_input(struct port *port, struct pkt **pkts, unsigned n);
