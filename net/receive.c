/* SPDX-License-Identifier: MIT */
/*
 * receive.c - what stands between a device and its handler where something does
 *
 * Called by netif_receive() on the core that received the batch, and by a backlog on the core that
 * it was sent to. Owns nothing; what each stage does is its own file's.
 */
#include "receive.h"

#include "gro.h"
#include "net/observe/path_trace.h"
#include "rps.h"
#include "net/pktgen/sink.h"
#include "taps.h"
#include "tc_filter.h"

void (*receive_local)(struct port *port, struct pkt **pkts, unsigned n);

void receive_core(struct port *port, struct pkt **pkts, unsigned n)
{
	if (port->rx_extra & PORT_TAPS)
		taps_rx(port, pkts, n);
	if (port->rx_extra & PORT_FILTER)
		n = tc_filter_ingress(port, pkts, n);
	if (n && port->rx_extra & PORT_SINK)
		n = sink_input(port, pkts, n);
	if (!n)
		return;
	if (port->rx_extra & PORT_LOCAL && port->up && !port->sw)
		receive_local(port, pkts, n);
	else
		switch_input(port, pkts, n);
}

void receive_merged(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	if (port->rx_extra & PORT_STAMP)
		path_sample(port, queue, pkts, n);
	if (port->rx_extra & PORT_RPS)
		n = rps_steer(port, queue, pkts, n);
	if (n)
		receive_core(port, pkts, n);
}

unsigned receive_extra(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	if (port->rx_extra & PORT_GRO)
		gro_receive(port, queue, pkts, n);
	else
		receive_merged(port, queue, pkts, n);
	return n;
}
