/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - what a core owns, and how it finds itself
 *
 * this_cpu() is the structure of the core that runs, by GS. Its members stand in two groups:
 * written by the owner alone, and written by others as well; they share no cache line.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "drop.h"

enum { MAX_CPUS = 16 };
/*
 * for a core to park or to answer; one that an emulator plays may get no turn
 * for a while on a busy host
 */
enum { CORE_PATIENCE_S = 10 };
enum { CPU_STACK_SIZE = 32 * 1024, CPU_IST_SIZE = 16 * 1024, CPU_COUNTERS = 128 };

struct napi;
struct pool;
struct timer;
struct trace_ring;
struct turn_work;
struct xmit_cpu;
struct irq;
struct _reent;

struct cpu {
	/* written by the owner alone */
	struct cpu *self; /* GS:0, what this_cpu() reads */
	uint32_t id;      /* 0 is the core that booted */
	uint32_t apic_id;
	/* BIT(enum softirq); interrupt handlers of this core set bits */
	volatile uint32_t softirq_pending;
	bool in_control; /* core 0 runs the control context now */
	struct napi *poll_head,
		*poll_last;    /* softnet_data: NAPI instances scheduled on this core */
	struct pool *pool;     /* packets of this core */
	struct xmit_cpu *xmit; /* what the room of ports has for it: net/xmit.h */
	struct trace_ring *trace;
	uint32_t path_left;          /* polls up to the one whose first packet is stamped:
					net/observe/path_trace.c */
	struct timer *timers;        /* armed, soonest first */
	struct turn_work *turn_work; /* looked at each turn of the loop: turn.h */
	bool turn_soon;       /* and the next turn shall not be far: a guest's run is short */
	bool qsbr_waiting;    /* something retired here is not freed yet */
	struct _reent *reent; /* newlib's state */
	struct irq **vector;  /* the interrupt behind each vector, 256 */
	uint64_t guest_since, guest_ran;  /* TSC since when guests want to run, 0: none does; ticks
					     of it that they had */
	uint64_t softirq_count[16];       /* runs by enum softirq */
	uint64_t processed, time_squeeze; /* /proc/net/softnet_stat */
	uint64_t received_rps;            /* wake-ups of its backlog by other cores */
	uint64_t idle_tsc; /* TSC ticks asleep, as of the last wake; the rest it was busy */
	uint64_t control_tsc, control_since; /* in the control context; TSC of its last turn */
	uint64_t irq_tsc, idle_irq_tsc; /* in hard interrupts, while they are timed; and in those
					   that ended a sleep */
	uint64_t irq_began; /* TSC of the last hard interrupt, while they are timed or recorded */
	uint64_t spurious;  /* vectors that nobody owned */
	uint64_t timer_irqs, ipis, notifies;
	uint64_t drop[DROP_N];          /* packets dropped on this core, by reason */
	uint64_t counter[CPU_COUNTERS]; /* counter.h */
	uint8_t *stack_top, *ist_top;

	/* written by others as well */
	_Alignas(CACHE_LINE) _Atomic uint32_t
		remote_pending; /* softirq bits raised by other cores */
	_Atomic uint32_t online;
	_Atomic bool control_ready; /* core 0: the control context wants to run */
	_Atomic uint64_t qs;        /* turns of the core loop times 2; odd while asleep (qsbr.h) */
	_Atomic bool idle_polls;    /* it is idle and looks at remote_pending: no IPI is needed */
	_Atomic uint32_t parked;    /* the parking request that this core has answered */
};

extern struct cpu *cpus[MAX_CPUS]; /* by id; NULL from ncpus on */
extern unsigned ncpus;             /* cores online; 1 until smp_init() */

#define cpu_for_each(i) for (unsigned i = 0; i < ncpus; i++)

#if __STDC_HOSTED__ /* unit tests on the host: the fixture says which core a thread plays */
extern _Thread_local struct cpu *host_this_cpu;

static inline struct cpu *this_cpu(void)
{
	return host_this_cpu;
}

#define this_cpu_var(member) (host_this_cpu->member)
#else
static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	/* not volatile: a core does not change under running code, so the compiler may keep it */
	__asm__("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/*
 * this_cpu_var() - a member of it as an operand of its own: for who needs one or two, and
 * no register for the rest
 */
#define this_cpu_var(member) (((struct cpu __seg_gs *)0)->member)
#endif
