/* SPDX-License-Identifier: MIT */
/*
 * host.h - the machine that unit tests run on
 *
 * Kernel code built for the host finds here what the bare machine would give it: cores, a
 * clock that stands still until the test moves it, a console that is a buffer, a panic that a
 * test can expect. Every function that the kernel also has is weak here: a test that links the
 * real one gets the real one.
 *
 * A test names what it links in its first lines, the runner reads that:
 *	links: kernel/softirq.c tests/unit/host.c
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/cpu.h"
#include "kernel/time.h"

/* --- cores --- */

/*
 * host_cores() - start afresh with @n cores, all zero, all online; this thread plays core 0.
 * Forgets clock, log, calls and pools of the test before, so it is the first line of a test or its
 * set-up function.
 */
void host_cores(unsigned n);
/* host_play() - from now on this thread plays core @id. Returns the core it played. */
unsigned host_play(unsigned id);
/*
 * host_run_cores() - fn(arg) on all cores at once, a thread each that plays its
 * core; returns when all have.
 */
void host_run_cores(void (*fn)(void *arg), void *arg);
/* host_pools() - give every core a pool of @n packets. The test links kernel/pool.c. */
void host_pools(unsigned n);
/* host_pools_full() - is every packet of every pool at home? Prints the pools that miss some. */
bool host_pools_full(void);

/* --- clock --- */

enum { HOST_TSC_KHZ = 1000000 }; /* a tick is a nanosecond */

extern _Atomic uint64_t host_tsc;      /* what rdtsc() returns */
extern _Atomic uint64_t host_tsc_step; /* by how much each rdtsc() moves it on; 0 at first */

/* --- interrupts and boot memory --- */

extern _Thread_local bool host_irqs_on; /* the flag that irq_disable() and irq_enable() move */
/*
 * called at each move, after it: where a test lets an interrupt in, or takes notes. NULL at first
 */
extern void (*host_irq_hook)(bool on);

/*
 * called by cpu_halt(), which then returns with interrupts on; the test fails if
 * there is none to wake us
 */
extern void (*host_halt_hook)(void);

extern size_t host_mem_left; /* mem_try_alloc() refuses more; unlimited at first */

/* --- console, shell and panic --- */

enum { HOST_TEXT = 64 * 1024 };

extern char host_log[HOST_TEXT]; /* kprintf() and console_write() since host_cores() */
extern char host_out[HOST_TEXT]; /* shell_printf() and its like since host_text_clear() */
extern char host_panic_text[256];

void host_text_clear(void); /* both */

/*
 * host_exec() - run one line as the terminal would; output and errors go to host_out. Returns what
 * the command does. The test links kernel/shell.c and what that needs.
 */
int host_exec(const char *line);

/* host_hex() - bytes written in hex, with or without blanks between them; how many. */
uint32_t host_hex(const char *hex, uint8_t *out);

/* panic() fails the test, unless it is expected: */
#define expect_panic(call) expect_assert_failure(call)

/* --- what the code under test asked of the machine --- */

struct host_calls {
	_Atomic unsigned park, resume; /* cores_park(), cores_resume() */
	_Atomic unsigned yield;        /* yield(), msleep() and control_sleep() */
	_Atomic unsigned control_wake;
	_Atomic unsigned ipi[MAX_CPUS]; /* wake-ups sent to each core */
	_Atomic unsigned timer_hw_arm;  /* timer_hw_arm(), and with what */
	_Atomic uint64_t timer_hw_deadline;
	_Atomic unsigned timer_arm; /* of either kind, where kernel/timer.c is not linked */
};

extern struct host_calls host_calls;
