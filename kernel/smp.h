/* SPDX-License-Identifier: MIT */
/* smp.h - the cores' own structures, and starting the others */
#pragma once

/*
 * cpu_init_boot() - struct cpu, descriptor tables and GS of the boot core, before memory is known.
 */
void cpu_init_boot(void);
/*
 * cpu_init_late() - what needs memory and the APIC on any core: vectors, libc
 * state, pool, timer, poll list.
 */
void cpu_init_late(void);

/*
 * smp_init() - start every other core of the MADT; those that do not come
 * are reported and left out.
 */
void smp_init(void);

/*
 * cpu_call() - run fn(arg) in a softirq on core @cpu and wait for it; panics if it does not answer
 * in CORE_PATIENCE_S. Control context. Returns 0, or -EINVAL if there is no such core.
 */
int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg);
