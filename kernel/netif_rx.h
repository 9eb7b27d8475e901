/* SPDX-License-Identifier: MIT */
/*
 * netif_rx.h - a queue that is received in its interrupt handler, as drivers did before NAPI
 *
 * The handler takes the frames out of the ring and queues them in a backlog of limited size, and
 * that is all (Linux: netif_rx()); what is done with them is a softirq's. Interrupts come before
 * softirqs, so when frames come faster than the handler alone can take them the softirq has no more
 * turn, the backlog is full, and every frame costs a receive and a drop: receive livelock [Mogul,
 * Ramakrishnan: Eliminating receive livelock, 1996].
 */
#pragma once

#include "policy.h"

/*
 * netif_rx_create() - what queue @p needs for it; NULL if there is no memory. Control
 * context; it is never given back.
 */
struct netif_rx *netif_rx_create(struct napi_policy *p);

/* netif_rx_waiting() - packets in the backlog. */
unsigned netif_rx_waiting(const struct netif_rx *rx);
uint64_t netif_rx_dropped(const struct netif_rx *rx);
/* netif_rx_settle() - deliver what is in the backlog now, here. Cores parked. */
void netif_rx_settle(struct netif_rx *rx);

/* --- called by softirq.c, for a queue whose napi->rx says so --- */

/*
 * netif_rx_enable() - its part of napi_enable(): from the first poll on interrupts come,
 * and the handler receives.
 */
void netif_rx_enable(struct netif_rx *rx);
/* netif_rx_irq() - the whole of the queue's hard interrupt. */
void netif_rx_irq(struct netif_rx *rx);
