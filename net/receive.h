/* SPDX-License-Identifier: MIT */
/*
 * receive.h - from a device to whoever takes its packets
 *
 * Linux's order: GRO, then RPS, which may send a packet on to another core's backlog, then the taps
 * of all devices, those of this one, its filter, and at last its handler: the switch that the port
 * is in, or Weir's own protocols. Nearly always there is only the switch, port->rx_direct; else
 * port->rx_extra says what there is.
 */
#pragma once

#include <stdint.h>

#include "kernel/pkt.h"
#include "port.h"
#include "switch.h"
#include "xmit.h"

/*
 * receive_extra() - a batch that is not simply the switch's, or of a port that is shut.
 * Counted already. Returns @n.
 */
unsigned receive_extra(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);

/* receive_merged() - behind GRO, on the core that received them. @n from 1 to PORT_BATCH. */
void receive_merged(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);

/*
 * who has the packets of a port that is in no switch but has addresses: set at
 * boot, by Weir's own protocols
 */
extern void (*receive_local)(struct port *port, struct pkt **pkts, unsigned n);

/*
 * receive_core() - behind RPS, on the core that shall have them: taps, filter, handler.
 * @n from 1 to PORT_BATCH.
 */
void receive_core(struct port *port, struct pkt **pkts, unsigned n);

/*
 * netif_receive() - packets that came in by @port and its @queue, oldest first, of @bytes in all;
 * whose they are from now on is not the caller's business. @n from 1 to PORT_BATCH. On the core
 * that received them. Returns @n, as switch_batch() does, for a poll whose last act it is.
 */
static inline unsigned netif_receive(struct port *port, unsigned queue, struct pkt **pkts, size_t n,
				     uint64_t bytes)
{
	struct xmit_cpu *x = this_cpu_var(xmit);
	struct port_cpu *c = x->stage[port->id]->count;

	c->in += n;
	c->in_bytes += bytes;
	if (unlikely(!port->rx_direct))
		return receive_extra(port, queue, pkts, n);
	c->forwarded += n;
	return switch_batch(x, port, pkts, n);
}
