/* SPDX-License-Identifier: MIT */
/*
 * loop.c - the core loop: packets first, but never only packets
 *
 * Runs on every core, for ever. Two things must be right and can be seen here. No wake-up is lost:
 * the last look for work is taken with interrupts off, and sti; hlt is one breath. Nobody starves:
 * when a round of softirqs ends with work left (more), a guest still gets MIN_SLICE, in which
 * pending softirqs do not end its run, and the control context gets a turn once in CONTROL_SHARE;
 * that is what ksoftirqd is for in Linux. Nor does it take a round with work left: interrupts that
 * come one by one, each done with at once, leave none and no time either. So guests that wanted to
 * run for STARVED_US and had less than MIN_SLICE of it, in runs worth the name, get theirs as well.
 */
#include "loop.h"

#include "control.h"
#include "cpu.h"
#include "guest.h"
#include "idle.h"
#include "irq.h"
#include "qsbr.h"
#include "shell.h"
#include "softirq.h"
#include "time.h"
#include "turn.h"
#include "x86.h"

#include <stddef.h>

enum {
	STARVED_US = 2000, /* as long as a round of softirqs may take */
	TOO_SHORT_US = 20, /* a run that ends sooner is entry, exit and interrupt more than it is
			      the guest's */
};

static unsigned slice_us = 4000, min_slice_us = 200, control_share_us = 10000;
static const struct guest_ops *guests;

const struct guest_ops *guest_attach(const struct guest_ops *ops)
{
	const struct guest_ops *before = guests;

	guests = ops;
	return before;
}

const struct guest_ops *guest_attached(void)
{
	return guests;
}

/*
 * cpu_sleep() - interrupts are off and nothing is pending; HLT until one comes.
 * Interrupts are on afterwards.
 */
static inline void cpu_sleep(struct cpu *c)
{
	uint64_t slept;

	qsbr_sleep(c); /* to have slept says what qsbr_turn() says */
	slept = rdtsc();
	cpu_halt();
	c->idle_tsc += rdtsc() - slept;
	qsbr_wake(c);
}

/* starved() - packets came one by one, and guests did not come to their share beside them. */
static inline bool starved(const struct cpu *c)
{
	return unlikely(c->guest_since) && rdtsc() - c->guest_since >= tsc_from_us(STARVED_US);
}

/*
 * guest_turn() - enter a guest if one wants to run; interrupts off. Beside packets, a queue that
 * has no interrupts or a busy control context it gets its share and no more. Returns whether one
 * did.
 */
static bool guest_turn(struct cpu *c, bool more)
{
	struct vcpu *v;
	uint64_t began, ran;

	if (!guests)
		return false;
	v = guests->next(c);
	if (!v) {
		c->guest_since = 0;
		return false;
	}
	began = rdtsc();
	if (!c->guest_since) {
		c->guest_since = began;
		c->guest_ran = 0;
	}
	guests->enter(
		v, tsc_from_us(more || c->control_ready || c->turn_soon ? min_slice_us : slice_us),
		more);
	ran = rdtsc() - began;
	if (ran >= tsc_from_us(TOO_SHORT_US))
		c->guest_ran += ran;
	if (c->guest_ran >= tsc_from_us(min_slice_us)) {
		c->guest_since = began + ran;
		c->guest_ran = 0;
	}
	return true;
}

/*
 * control_turn() - core 0's control context wants to run: while softirqs rest, and
 * under load once in its share.
 */
static void control_turn(struct cpu *c, bool more)
{
	uint64_t now = rdtsc();

	if (more && now - c->control_since < tsc_from_us(control_share_us))
		return;
	c->control_since = now;
	control_run();
	c->control_tsc += rdtsc() - now;
}

/*
 * is_quiet() - nobody at all wants @c, and its sleep is HLT: one look, which most turns
 * end with. Interrupts off.
 */
static inline bool is_quiet(const struct cpu *c)
{
	return !(softirq_pending_on(c) | c->qsbr_waiting | c->control_ready |
		 (uintptr_t)c->turn_work | (uintptr_t)guests | idle_mode);
}

/*
 * turn_in_full() - the rest of a turn, behind its first round of softirqs: more of them,
 * or somebody else's turn.
 */
static __attribute__((noinline)) void turn_in_full(struct cpu *c)
{
	/* by budget and time; more: used up with work left */
	bool more = (softirq_pending_on(c) && softirq_run_again(c)) || starved(c);

	if (c->qsbr_waiting)
		qsbr_turn();
	if (c->control_ready)
		control_turn(c, more);
	irq_disable();
	if (softirq_pending_on(c) && !more) {
		irq_enable(); /* arrived since: look again, do not sleep on it */
		if (guests && !c->guest_since)
			c->guest_since = rdtsc(); /* some guest may wait meanwhile */
		qsbr_turn();
	} else if (guest_turn(c, more) || more || c->control_ready) {
		irq_enable();
		qsbr_turn();
		if (c->turn_work)
			turn_run(c);
	} else if (c->turn_work || idle_mode) {
		idle_otherwise(c);
	} else {
		cpu_sleep(c);
	}
}

void core_loop(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		softirq_round(c);
		irq_disable();
		if (likely(is_quiet(c))) {
			cpu_sleep(c);
		} else {
			irq_enable();
			turn_in_full(c);
		}
	}
}

/*
 * as Linux has it: seconds since boot, and seconds that all cores together slept,
 * up to each one's last wake
 */
static int show_uptime(struct shell *sh, const char *star)
{
	uint64_t up = time_ns() / 10000000, idle = 0;

	(void)star;
	cpu_for_each(i)
		idle += cpus[i]->idle_tsc;
	idle = tsc_to_ns(idle) / 10000000;
	shell_printf(sh, "%lu.%02lu %lu.%02lu\n", (unsigned long)up / 100, (unsigned long)up % 100,
		     (unsigned long)idle / 100, (unsigned long)idle % 100);
	return 0;
}

PROC_FILE(proc_uptime, .path = "/proc/uptime",
	  .help = "seconds since boot, and seconds all cores slept", .show = show_uptime);

SYSCTL(sysctl_slice, "kernel.guest_slice_us", &slice_us, 10, 100000,
       "microseconds a guest runs when no packets wait");
SYSCTL(sysctl_min_slice, "kernel.guest_min_slice_us", &min_slice_us, 0, 100000,
       "microseconds a guest runs between rounds of softirqs under load: its share");
SYSCTL(sysctl_control, "kernel.control_share_us", &control_share_us, 100, 10000000,
       "under load the shell gets a turn once in this many microseconds");
