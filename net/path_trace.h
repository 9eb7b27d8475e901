/* SPDX-License-Identifier: MIT */
/*
 * path_trace.h - which packets are stamped, and `trace path`, which says how long each stage took
 *
 * While paths are traced each NIC queue has another poll function, path_poll(), and guests' ports have PORT_STAMP. Both
 * count packets down; the batch that reaches zero has one that is stamped (kernel/path.h), all others go the usual way.
 * What a stamp wants to know from before the batch came, when the interrupt was and when the poll began, is taken for
 * the one batch that will probably be it: a packet without these points is possible.
 */
#pragma once

#include <stdint.h>

#include "kernel/pkt.h"
#include "kernel/softirq.h"
#include "port.h"

/* path_sample() - a batch from a guest by @port: is one of it to be stamped? Its core. */
void path_sample(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);
