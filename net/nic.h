/* SPDX-License-Identifier: MIT */
/*
 * nic.h - a port for each NIC: struct port_ops over struct netdev_ops, and
 * the poll of a NIC's queue
 */
#pragma once

struct napi;
struct netdev_queue;
struct pkt;

/* nic_init() - a port for each netdev that the drivers registered. At boot, after xmit_init(). */
void nic_init(void);

/*
 * nic_poll() - NAPI's poll of one queue: take a batch, switch it, transmit what came of it.
 * Takes at most @budget packets; returns how many. On the core that owns the queue.
 */
unsigned nic_poll(struct napi *napi, unsigned budget);

/*
 * nic_poll_shown() - the same as the queue polls otherwise, with GRO or without, but that @show
 * looks at a batch, of one packet at least, before anything is done with it.
 */
typedef void nic_show(struct netdev_queue *q, struct pkt **pkts);
unsigned nic_poll_shown(struct napi *napi, unsigned budget, nic_show *show);

/*
 * nic_take(), nic_deliver() - the same in two, for a queue that is received in its interrupt:
 * struct napi_policy's take and deliver (kernel/policy.h).
 */
unsigned nic_take(struct napi *napi, struct pkt **pkts, unsigned max);
void nic_deliver(struct napi *napi, struct pkt **pkts, unsigned n);
