/* SPDX-License-Identifier: MIT */
/* adaptive.c - see adaptive.h. On the core that owns the queue, behind each of its polls. */
#include "adaptive.h"

#include "time.h"

static unsigned defer_pps = 20000, poll_pps = 200000;
static unsigned hysteresis_percent = 50, window_us = 10000;

enum policy adaptive_policy(enum policy now, uint64_t pps)
{
	uint64_t keep = 100 - hysteresis_percent;

	if (pps >= poll_pps || (now == POLICY_POLL && pps * 100 >= poll_pps * keep))
		return POLICY_POLL;
	/* who polls has more than defer_pps behind it and goes back one step after the other */
	if (pps >= defer_pps || (now != POLICY_NAPI && pps * 100 >= defer_pps * keep))
		return POLICY_DEFER;
	return POLICY_NAPI;
}

enum policy adaptive_poll(struct adaptive *a, enum policy now, unsigned taken)
{
	uint64_t tsc = rdtsc(), ns;
	enum policy next;

	if (!a->begun)
		a->begun = tsc;
	a->packets += taken;
	if (tsc - a->begun < tsc_from_us(window_us))
		return now;
	ns = tsc_to_ns(tsc - a->begun);
	next = adaptive_policy(now, a->packets * 1000000000 / ns);
	a->moves += next != now;
	a->begun = tsc;
	a->packets = 0;
	return next;
}

SYSCTL(sysctl_defer_pps, "kernel.policy_defer_pps", &defer_pps, 1, 100000000,
       "packets a second from which an adaptive queue defers its interrupts");
SYSCTL(sysctl_poll_pps, "kernel.policy_poll_pps", &poll_pps, 1, 100000000,
       "packets a second from which an adaptive queue is polled");
SYSCTL(sysctl_hysteresis, "kernel.policy_hysteresis_percent", &hysteresis_percent, 0, 99,
       "by so much less an adaptive queue takes that back");
SYSCTL(sysctl_window, "kernel.policy_window_us", &window_us, 100, 10000000,
       "microseconds over which an adaptive queue takes its rate");
