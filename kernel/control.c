/* SPDX-License-Identifier: MIT */
/*
 * control.c - the control context: a second stack on core 0 that the core loop
 * and yield() switch between
 *
 * Everything here is core 0's. cpus[0]->control_ready is set by hard interrupts too (a byte typed):
 * it is cleared before the context runs, and what comes meanwhile makes it run again.
 */
#include "control.h"

#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "mem.h"
#include "park.h"
#include "softirq.h"
#include "time.h"
#include "x86.h"

#include <stddef.h>

enum { CONTROL_STACK = 64 * 1024, SAVED_REGISTERS = 6 };

void stack_switch(uint64_t *save, uint64_t to); /* switch.S */

static uint64_t control_sp, loop_sp;
static bool asleep;                           /* wants to run only when woken */
static struct control_work *_Atomic deferred; /* pushed by any core, all taken at once by control */

void control_start(void (*fn)(void))
{
	uint8_t *stack =
		mem_alloc(CONTROL_STACK + PAGE_SIZE, PAGE_SIZE, "the control context's stack");
	uint64_t *top = (uint64_t *)(stack + CONTROL_STACK + PAGE_SIZE);

	paging_guard(stack);
	*--top = 0;            /* the back trace ends here */
	*--top = (uint64_t)fn; /* stack_switch returns into it */
	for (int i = 0; i < SAVED_REGISTERS; i++)
		*--top = 0;
	control_sp = (uint64_t)top;
	this_cpu()->control_ready = true;
}

void control_run(void)
{
	struct cpu *c = this_cpu();

	/*
	 * seq_cst: a wake from here on, by any core, makes it run again, and what
	 * it announced is seen below
	 */
	atomic_exchange(&c->control_ready, false);
	c->in_control = true;
	stack_switch(&loop_sp, control_sp);
	c->in_control = false;
	if (!asleep)
		c->control_ready = true;
}

/*
 * turn_while_booting() - before the core loop runs: do by hand what a turn of it
 * would, until @t has run.
 */
static void turn_while_booting(const struct timer *t)
{
	softirq_run(this_cpu());
	irq_disable();
	if (!softirq_pending() && t->armed) /* once it has run nothing else may ever wake us */
		cpu_halt();
	irq_enable();
}

void yield(void)
{
	if (cores_parked()) /* nothing may turn; interrupts still come and drain the console */
		cpu_pause();
	else if (this_cpu()->in_control)
		stack_switch(&control_sp, loop_sp);
}

void control_sleep(void)
{
	asleep = true;
	yield();
	asleep = false;
}

void control_wake(void)
{
	cpus[0]->control_ready = true;
	if (this_cpu()->id != 0) /* its loop may sleep: any softirq turns it once */
		raise_softirq_on(cpus[0], SOFTIRQ_TIMER);
}

void control_defer(struct control_work *w)
{
	if (atomic_exchange(&w->deferred, true))
		return;
	w->next = atomic_load_explicit(&deferred, memory_order_relaxed);
	/*
	 * release: pairs with the acquire in control_run_deferred(); what it is about is seen there
	 */
	while (!atomic_compare_exchange_weak_explicit(&deferred, &w->next, w, memory_order_release,
						      memory_order_relaxed))
		cpu_pause();
	control_wake();
}

void control_run_deferred(void)
{
	struct control_work *w = atomic_exchange_explicit(&deferred, NULL, memory_order_acquire);

	while (w) {
		struct control_work *next = w->next;

		atomic_store(&w->deferred, false); /* from here on it may be asked for again */
		w->fn(w);
		w = next;
	}
}

static void alarm(struct timer *t)
{
	(void)t;
	control_wake();
}

static bool never(void)
{
	return false;
}

/*
 * sleep_unless() - was it all of the time? A key wakes the control context, so @over
 * is asked once it is typed.
 */
static bool sleep_unless(bool (*over)(void), unsigned ms)
{
	uint64_t end = rdtsc() + tsc_from_us((uint64_t)ms * 1000);
	struct timer t = { .fn = alarm };
	bool stop = over();

	while (!stop && rdtsc() < end) {
		timer_arm(&t, (uint64_t)ms * 1000);
		if (this_cpu()->in_control)
			control_sleep();
		else
			turn_while_booting(&t);
		stop = over();
	}
	timer_cancel(&t);
	return !stop;
}

void msleep(unsigned ms)
{
	sleep_unless(never, ms);
}

bool msleep_interruptible(unsigned ms)
{
	return sleep_unless(console_interrupted, ms);
}
