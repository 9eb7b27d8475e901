/* SPDX-License-Identifier: MIT */
/*
 * turn.h - what a core looks at once in every turn of its loop, and does not sleep meanwhile
 *
 * A queue that is polled without interrupts stands here. Each entry is run once and is off
 * the list then; it comes back by turn_add() if it wants the next turn as well. On the core
 * itself, in softirqs or at the top of its loop; with the cores parked the control context
 * may touch any core's list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cpu.h"

struct turn_work {
	void (*fn)(struct turn_work *w);
	struct turn_work *next;
	bool queued;
};

/* turn_add() - run w->fn at the next turn of @c's loop, before it sleeps. */
static inline void turn_add(struct cpu *c, struct turn_work *w)
{
	if (w->queued)
		return;
	w->queued = true;
	w->next = c->turn_work;
	c->turn_work = w;
}

static inline void turn_remove(struct cpu *c, struct turn_work *w)
{
	struct turn_work **p = &c->turn_work;

	if (!w->queued)
		return;
	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	w->queued = false;
	if (!c->turn_work) /* nobody is left who wanted it soon, and no turn would come to forget
			      that */
		c->turn_soon = false;
}

/* turn_run() - the core loop: all that is on the list, once. */
static inline void turn_run(struct cpu *c)
{
	struct turn_work *w = c->turn_work;

	c->turn_work = NULL;
	c->turn_soon = false;
	while (w) {
		struct turn_work *next = w->next;

		w->queued = false;
		w->fn(w);
		w = next;
	}
}
