/* SPDX-License-Identifier: MIT */
/*
 * storm.h - interrupts that bring no work, too many of them
 *
 * A device that interrupts without a cause, or whose mask does not mask, can take all of a core.
 * Once a second each queue is looked at: if it had kernel.irq_storm_limit interrupts more than may
 * be, it stays masked for kernel.irq_storm_hold_ms and is polled by timer instead, each
 * kernel.irq_storm_poll_us (Linux: note_interrupt(), irqpoll). There may be one for each packet,
 * and two for each poll that found any: QEMU's NICs raise one more whenever the timer of their
 * throttle ends, and it is started by an interrupt. A queue that is received in its interrupts,
 * policy irq, is left to its fate.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct storm {
	/* by core 0's timer */
	uint64_t irqs, packets, worked; /* as of its last look */
	uint64_t storms;                /* times that it began */
	/*
	 * TSC until which the queue stays masked, 0: it is well; begun by
	 * core 0, ended by the queue's
	 */
	volatile uint64_t until;
	struct storm *next;
};

/* storm_watch() - look after @s from now on. Boot. storm_start() - and begin to look; core 0. */
void storm_watch(struct storm *s);
void storm_start(void);

/*
 * storm_second() - a second has passed: so many interrupts, packets and polls that found some by
 * now. Returns whether a storm begins.
 */
bool storm_second(struct storm *s, uint64_t irqs, uint64_t packets, uint64_t worked);

/*
 * storm_poll_at() - the storm's queue was polled: TSC of the next time; 0: it is over,
 * back to the queue's policy.
 */
uint64_t storm_poll_at(struct storm *s);
