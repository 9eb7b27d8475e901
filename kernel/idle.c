/* SPDX-License-Identifier: MIT */
/*
 * idle.c - sleeping by MWAIT, not sleeping at all
 *
 * Called by the core loop of every core. The last look for work stands in the loop, interrupts off.
 * Here the order is: say that one polls, then look once more; who raises a softirq sets the bit
 * first and then asks whether the core polls. So either the bit is seen here, or the IPI is sent.
 */
#include "idle.h"

#include "irq.h"
#include "qsbr.h"
#include "shell.h"
#include "softirq.h"
#include "time.h"
#include "turn.h"
#include "x86.h"

unsigned idle_mode;

static bool work_came(struct cpu *c)
{
	return softirq_pending_on(c) || c->control_ready;
}

/*
 * spin() - interrupts on, until there is something. Whatever an interrupt has to say, it
 * raises a softirq for it.
 */
static void spin(struct cpu *c)
{
	irq_enable();
	while (!work_came(c))
		cpu_pause();
}

/* mwait() - until the line with remote_pending is written, or an interrupt comes [SDM 3A 9.10.4] */
static void mwait(struct cpu *c)
{
	cpu_monitor(&c->remote_pending);
	if (work_came(c)) /* between the loop's look and the monitor */
		irq_enable();
	else
		cpu_mwait();
}

/*
 * poll_on() - a queue is polled in each turn: the next one comes at once. Its time is no idle time.
 */
static void poll_on(struct cpu *c)
{
	irq_enable();
	qsbr_turn();
	cpu_pause();
	turn_run(c);
}

void idle_otherwise(struct cpu *c)
{
	uint64_t slept;

	if (c->turn_work) {
		poll_on(c);
		return;
	}
	qsbr_sleep(c);
	slept = rdtsc();
	/* seq_cst: pairs with raise_softirq_on(); work_came() reads behind it */
	atomic_store(&c->idle_polls, true);
	if (idle_mode == IDLE_MWAIT)
		mwait(c);
	else
		spin(c);
	/* seq_cst: who saw it set has raised its bit before the core loop takes the bits */
	atomic_store(&c->idle_polls, false);
	c->idle_tsc += rdtsc() - slept;
	qsbr_wake(c);
}

/* --- the knob --- */

static const char *refuse(unsigned mode)
{
	if (mode == IDLE_MWAIT && !cpu_has_monitor())
		return "this CPU has no MONITOR and MWAIT";
	return NULL;
}

static const char *const mode_name[IDLE_MODES] = { "hlt", "mwait", "spin" };

SYSCTL_WORD(sysctl_idle, "kernel.idle", &idle_mode, mode_name, refuse,
	    "what a core does that has nothing to do: hlt, mwait or spin");
