/* SPDX-License-Identifier: MIT */
/*
 * rps.h - receive packet steering: the cores behind a queue, chosen by flow
 *
 * A NIC with too few queues, or a guest's port, which has one, still gives its packets to one core.
 * RPS lets that core do no more than look at the flow's hash and put the packet into the backlog of
 * another one (Linux: get_rps_cpu(), enqueue_to_backlog(), process_backlog()). The hash is the
 * NIC's own if the packet brought it, else the same function computed here (kernel/toeplitz.h).
 *
 * Which core, a queue says by two files, as in Linux: rps_cpus is the mask of cores; rps_flow_cnt,
 * if it is not 0, the size of a table from flows (by hash) to cores, which the balancer may change
 * entry by entry (balance.h).
 *
 * A backlog holds netdev_max_backlog packets, whoever they come from; more are dropped. It is
 * polled as NICs are, by NAPI; the IPI that wakes it is its interrupt, one for each batch that
 * finds it asleep.
 *
 * Linux moves a flow to another core when the old one has seen to its last packet. Here all cores
 * stand still while a flow moves, and what waits is sent first: rps_settle(). So no packet is ever
 * overtaken by a later one of its flow.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "kernel/toeplitz.h"
#include "drivers/netdev.h"
#include "port.h"

enum { RPS_FLOWS_MAX = 4096, RPS_BACKLOG_MAX = 1024 };

/* where packets of certain hashes go */
struct rps_flow {
	uint64_t packets; /* by the core that owns the queue */
	uint64_t seen;    /* by the balancer: of these, when it last looked */
	uint32_t cpu;     /* while the cores are parked */
};

/* of one receive queue; but for the flows' packets written while the cores are parked */
struct rps_queue {
	uint32_t mask;         /* rps_cpus; 0: off */
	uint8_t ncpus;         /* cores in the mask */
	uint8_t cpu[MAX_CPUS]; /* [ncpus] */
	uint32_t nflows;       /* rps_flow_cnt, a power of two; 0: no table */
	struct rps_flow *flow; /* [nflows] */
};

struct rps {
	struct toeplitz toeplitz;
	struct rps_queue queue[NETDEV_MAX_QUEUES];
};

/* sysctl net.core.netdev_max_backlog: packets that one backlog holds, up to RPS_BACKLOG_MAX */
extern unsigned netdev_max_backlog;

void rps_init(void);

/*
 * rps_steer() - give those of @pkts that belong to other cores to these; counted at the ingress
 * mouth as steered_out, or dropped. Returns how many stay here, moved to the front in their order.
 */
unsigned rps_steer(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);

/*
 * rps_flow_hash() - of @p, as RPS goes by it: the NIC's own if @p brought it. False: it
 * has none. @port has an rps.
 */
bool rps_flow_hash(const struct port *port, const struct pkt *p, uint32_t *hash);
/*
 * rps_hash() - of @p's flow, by the port's key, as a NIC with @rss has it; NULL: with the ports of
 * UDP. False: it has none. Any port. rps_rss_hash() - the same for a port that has an rps.
 */
bool rps_hash(struct port *port, const struct pkt *p, const struct netdev_rss *rss, uint32_t *hash);
bool rps_rss_hash(const struct port *port, const struct pkt *p, const struct netdev_rss *rss,
		  uint32_t *hash);

/*
 * rps_peek() - the core *@cpu that rps_steer() would give @p to, which came in by @queue, and by
 * which *@hash. False: it would stay where it is. @port has an rps.
 */
bool rps_peek(struct port *port, unsigned queue, const struct pkt *p, uint32_t *hash,
	      unsigned *cpu);

/*
 * rps_settle() - do all that waits between cores now, here, before an owner of flows or queues
 * changes: first what is on its way out (xmit_settle()), then what waits in the backlogs, which
 * came later, then what that has put on its way out. Cores parked.
 */
void rps_settle(void);

/* rps_backlog() - packets that wait in the backlog of core @cpu. */
unsigned rps_backlog(unsigned cpu);

/*
 * rps_waiting() - packets that came in by @port and wait in backlogs. Exact
 * while the cores are parked.
 */
unsigned rps_waiting(const struct port *port);

/*
 * rps_key_changed() - @port's NIC has another key, and so have we. Control
 * context; parks the cores.
 */
void rps_key_changed(struct port *port);

/* rps_clear() - @port is not steered any more. Control context; parks the cores. */
void rps_clear(struct port *port);

/*
 * rps_set_flow() - from now on entry @flow of the table of @queue leads to core @cpu. Control
 * context; parks the cores.
 */
void rps_set_flow(struct port *port, unsigned queue, unsigned flow, unsigned cpu);
