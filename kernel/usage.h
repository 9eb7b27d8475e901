/* SPDX-License-Identifier: MIT */
/*
 * usage.h - what the cores have spent their time on
 *
 * A snapshot is taken while all cores stand still, which wakes those that sleep: so each one's
 * account is complete up to that moment. Two snapshots and a subtraction tell what happened in
 * between. All times are TSC ticks.
 */
#pragma once

#include <stdint.h>

#include "cpu.h"
#include "guest.h"

enum { USAGE_GUESTS = 32 };

struct core_usage {
	uint64_t idle;    /* asleep, or spinning with nothing to look at */
	uint64_t guest;   /* in guests, exits included */
	uint64_t control; /* shell, configuration */
	uint64_t irq;     /* hard interrupts, while they are timed */
};

struct usage {
	uint64_t tsc;
	struct core_usage core[MAX_CPUS];
	struct guest_usage guest[USAGE_GUESTS];
	unsigned nguests; /* of these, in use */
};

/* usage_take() - control context; parks the cores. */
void usage_take(struct usage *u);

/* usage_since() - @to minus @from; a guest's core that is new counts from 0. */
void usage_since(struct usage *to, const struct usage *from);

/*
 * usage_time_irqs() - time hard interrupts from now on, or no more: it costs
 * them two looks at the clock.
 */
void usage_time_irqs(bool on);
