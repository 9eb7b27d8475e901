/* SPDX-License-Identifier: MIT */
/*
 * park.h - hold every core still while something is rebuilt
 *
 * The control context changes what the data path reads without a lock (ports, queues, affinity) by
 * parking the cores first: each stops between two softirqs, where it holds no packet and polls
 * nothing. To stop them takes microseconds; how long they stand is up to who parks: microseconds
 * for a queue that moves, a millisecond or more when a NIC is reset (a port goes up or down). The
 * rings go on filling meanwhile, and a NIC whose ring is full drops. Frequent changes (flows, MAC
 * entries) do not park: they use qsbr.h.
 */
#pragma once

#include <stdbool.h>

/*
 * cores_park() - returns when all other cores stand still; panics if one does not within a second.
 * In the control context only; nests. cores_resume() lets them go.
 */
void cores_park(void);
void cores_resume(void);

/* cores_parked() - are they held just now? yield() must not turn the loop of core 0 then. */
bool cores_parked(void);

void park_init(void); /* registers SOFTIRQ_PARK */
