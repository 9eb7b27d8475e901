/* SPDX-License-Identifier: MIT */
/*
 * local.h - Weir as a station: what its ports bring it, and what it sends by them
 *
 * Two kinds of ports lead here: a switch's internal port (internal.h), and a NIC that is in no
 * switch but has addresses. Behind both a packet is given to the protocol that has its Ethernet
 * type (Linux: ptype_base). What Weir sends goes into the switch by an internal port, or out of the
 * NIC; it is collected a batch long.
 *
 * Who counts what (net/port.h has the law): what a NIC brought Weir is `consumed` at its ingress
 * mouth, and what Weir sends by it `originated` at its egress mouth. To an internal port Weir is
 * what a guest is to its tap.
 */
#pragma once

#include "kernel/pkt.h"
#include "net/port.h"

/*
 * local_receive() - a batch for Weir from @port; all are gone, and what Weir answers
 * has left, when it returns.
 */
void local_receive(struct port *port, struct pkt **pkts, unsigned n);

/* local_drop() - @p, which @port brought, is for nobody here. */
void local_drop(struct port *port, struct pkt *p, enum drop_reason why);

/*
 * local_send() - @p, a frame of Weir's own, shall leave by @port; it waits
 * for the rest of its batch.
 * local_flush() - send what waits on this core. At the end of each batch, of a
 * timer's work, of a command.
 */
void local_send(struct port *port, struct pkt *p);
void local_flush(void);

/*
 * local_send_drop() - @p, of Weir's own, does not get as far as @port, by
 * which it should have left.
 */
void local_send_drop(struct port *port, struct pkt *p, enum drop_reason why);

void local_init(void);
