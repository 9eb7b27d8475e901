/* SPDX-License-Identifier: MIT */
/*
 * counter.h - named counters, one value a core
 *
 * COUNTER(cpu_irqs, "kernel.irqs", "hard interrupts taken") defines one; counter_inc(&cpu_irqs)
 * counts on this core without a lock. Values of other cores may be read at any time and are exact
 * once those cores are parked.
 */
#pragma once

#include "bits.h"
#include "cpu.h"

struct counter {
	const char *name; /* room.what */
	const char *help;
};

SET_DECLARE(const struct counter, counters);

#define COUNTER(id, nm, hlp) \
	static const struct counter id SET_ENTRY(counters) = { .name = nm, .help = hlp }

static inline void counter_add(const struct counter *c, uint64_t n)
{
	this_cpu()->counter[c - __start_weir_counters] += n;
}

static inline void counter_inc(const struct counter *c)
{
	counter_add(c, 1);
}

/* counter_read() - value of one counter on one core. */
static inline uint64_t counter_read(const struct counter *c, unsigned cpu)
{
	return cpus[cpu]->counter[c - __start_weir_counters];
}
