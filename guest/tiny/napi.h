/* SPDX-License-Identifier: MIT */
/*
 * napi.h - poll instead of interrupts while there is work; the guest's own small copy of the idea
 *
 *	interrupt: disable the queue's interrupts, napi_schedule ► main loop: net_rx_action ► poll ► less than the budget:
 *	napi_complete, enable the interrupts, look again
 */
#pragma once

#include <stdbool.h>

enum { NAPI_WEIGHT = 64 };

struct napi {
	struct napi *next;
	volatile bool scheduled;
	/* take up to @budget; fewer than that: it has completed, interrupts are on again */
	unsigned (*poll)(struct napi *napi, unsigned budget);
};

/*
 * napi_schedule_prep() - is it ours to schedule? From an interrupt or the poll itself.
 * __napi_schedule() - onto the list.
 */
bool napi_schedule_prep(struct napi *napi);
void __napi_schedule(struct napi *napi);
/* napi_complete() - off the list, by its poll. */
void napi_complete(struct napi *napi);
/* napi_disable() - it is not polled any more, the device being quiet. */
void napi_disable(struct napi *napi);

/*
 * napi_pending() - does anybody want to be polled? net_rx_action() - a round: each one
 * once. false: there was none.
 */
bool napi_pending(void);
bool net_rx_action(void);
