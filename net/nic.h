/* SPDX-License-Identifier: MIT */
/* nic.h - a port for each NIC: struct port_ops over struct netdev_ops, and the poll of a NIC's queue */
#pragma once

struct napi;

/* nic_init() - a port for each netdev that the drivers registered. At boot, after xmit_init(). */
void nic_init(void);

/*
 * nic_poll() - NAPI's poll of one queue: take a batch, switch it, transmit what came of it.
 * Takes at most @budget packets; returns how many. On the core that owns the queue.
 */
unsigned nic_poll(struct napi *napi, unsigned budget);
