/* SPDX-License-Identifier: MIT */
/*
 * time.h - the TSC as the clock, and timers
 *
 * The TSC is calibrated once against the 8254 while the core sleeps by HLT. Each core has its own
 * list of timers and its own one-shot local APIC timer (TSC-deadline where there is one), so an
 * idle core takes no ticks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#if __STDC_HOSTED__
uint64_t rdtsc(void); /* the fixture's clock */
#else
static inline uint64_t rdtsc(void)
{
	uint64_t lo, hi; /* RDTSC clears the upper halves [SDM 2B] */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}
#endif

extern uint64_t tsc_khz; /* 0 until time_init() */

/* time_ns() - nanoseconds since boot. */
uint64_t time_ns(void);
/* conversions; exact to a part in 2^32 */
uint64_t tsc_from_us(uint64_t us);
uint64_t tsc_to_ns(uint64_t tsc);

/*
 * tsc_apart() - another core read its TSC between @before and @after of ours, and saw @there: by
 * how many ticks at least the two differ. 0 says that no look of this kind can tell them apart.
 */
static inline uint64_t tsc_apart(uint64_t before, uint64_t there, uint64_t after)
{
	if (there < before)
		return before - there;
	return there > after ? there - after : 0;
}

/* udelay() - busy wait with PAUSE, for the few microseconds that a datasheet asks for. */
void udelay(unsigned us);

/*
 * A timer runs once, in SOFTIRQ_TIMER on the core that armed it. It may arm itself again.
 */
struct timer {
	void (*fn)(struct timer *t);
	uint64_t deadline; /* TSC */
	struct timer *next;
	bool armed;
};

/*
 * timer_arm() - run t->fn in @us microseconds from now on this core; arming
 * an armed timer moves it.
 */
void timer_arm(struct timer *t, uint64_t us);
/* timer_arm_at() - the same at TSC @deadline; one that is past already runs as soon as it can. */
void timer_arm_at(struct timer *t, uint64_t deadline);
/* timer_cancel() - on the core that armed it; harmless if it is not armed. */
void timer_cancel(struct timer *t);
/* timer_cancel_on() - one that core @c armed, which is this one or parked. */
struct cpu;
void timer_cancel_on(struct cpu *c, struct timer *t);

void time_init(void);     /* core 0: calibrate */
void time_init_cpu(void); /* every core: the local APIC timer */
