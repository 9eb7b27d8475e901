/* SPDX-License-Identifier: MIT */
/*
 * path_trace.h - which packets are stamped
 *
 * While paths are traced each NIC queue has a layer around its poll (kernel/napi_layers.h), and
 * guests' ports have PORT_STAMP. Each core counts its polls down; the first packet of the one that
 * reaches zero is stamped (kernel/path.h), all others go the usual way. The queue's interrupt is
 * looked at for that one poll only, so a stamp knows of it if the poll came by an interrupt.
 */
#pragma once

#include "kernel/pkt.h"
#include "net/port.h"

enum { PATH_EVERY = 64, PATH_EVERY_MAX = 1 << 20 }; /* polls */

/* path_sample() - a batch from a guest by @port: is its first packet to be stamped? Its core. */
void path_sample(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);

/*
 * path_show_batches() - @fn is shown each batch out of a guest, of one packet at least, before
 * anything is done with it; NULL: nobody is. Cores parked.
 */
typedef void path_shown(struct port *port, unsigned queue, struct pkt **pkts);
void path_show_batches(path_shown *fn);

/*
 * path_received() - stamped @p goes on from here, on this core, but for one that is steered: the
 * core that gets it says so.
 */
void path_received(const struct pkt *p, const struct port *port);

/*
 * path_trace_on() - one poll in @every. 0 or -ENOMEM. path_trace_off(). Control
 * context; they park the cores.
 */
int path_trace_on(unsigned every);
void path_trace_off(void);
/* path_traced() - one poll in so many; 0: not traced. */
unsigned path_traced(void);
