/* SPDX-License-Identifier: MIT */
/*
 * napi_measure.h - how long packets wait for a queue to be polled, how often that
 * is, and how many are found
 *
 * While a queue is measured a layer that looks at the clock stands around its poll (napi_layers.h);
 * otherwise nothing of this is on anybody's way.
 */
#pragma once

#include "histogram.h"
#include "policy.h"

struct napi_measure {
	bool on;
	/*
	 * Nanoseconds that a packet can have waited at most, one count a packet: from the interrupt
	 * that told of it, or where none did, from the end of the poll before
	 */
	struct histogram wait;
	struct histogram interval; /* nanoseconds from the begin of one poll to that of the next */
	struct histogram depth;    /* packets that a poll found in the device's ring */

	/* by the owning core */
	uint64_t begun, ended; /* TSC: the last poll; 0: none yet */
	uint64_t told;         /* TSC: the interrupt since; 0: none */
};

/*
 * napi_measure_on(), napi_measure_off() - control context; they park the cores. On begins
 * from zero. 0 or -ENOMEM.
 */
int napi_measure_on(struct napi_policy *p);
void napi_measure_off(struct napi_policy *p);

/*
 * napi_measured_wait() - of a packet that was received in its interrupt:
 * netif_rx.c; since when, in TSC.
 */
void napi_measured_wait(struct napi_measure *m, uint64_t since);
