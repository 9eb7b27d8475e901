/* SPDX-License-Identifier: MIT */
/*
 * control.h - the one context that may take long
 *
 * On core 0, with a stack of its own: shell, configuration, dumps. The core loop switches to it
 * while no softirq is pending, and under load once in its share; it gives the core back by yield().
 * It is not preempted, so it yields often: packets wait meanwhile.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* control_start() - @fn becomes the control context's body; it must not return. */
void control_start(void (*fn)(void));

/*
 * yield() - let the core loop turn once. In the control context only; elsewhere
 * (boot, tests) it does nothing.
 */
void yield(void);

/* control_sleep() - the control context has nothing to do until control_wake(); may wake early. */
void control_sleep(void);
void control_wake(void); /* from any context of any core, hard interrupts included */

/* what the control context shall do when nobody holds it: between two commands */
struct control_work {
	void (*fn)(struct control_work *w);
	struct control_work *next; /* by control.c */
	_Atomic bool deferred;     /* by control.c */
};

/*
 * control_defer() - have w->fn run there once; asking again before it began changes nothing. From
 * any context of any core. control_run_deferred() - do what has been asked for, by whoever holds
 * the control context and may be kept.
 */
void control_defer(struct control_work *w);
void control_run_deferred(void);

/* msleep() - let at least @ms milliseconds pass while the core loop turns. Control context. */
void msleep(unsigned ms);
/* msleep_interruptible() - the same, until the operator types Ctrl-C; was it all of the time? */
bool msleep_interruptible(unsigned ms);

/*
 * control_run() - the core loop's side, when struct cpu: control_ready says
 * so: run it until it yields.
 */
void control_run(void);
