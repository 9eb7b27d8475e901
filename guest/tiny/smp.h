/* SPDX-License-Identifier: MIT */
/*
 * smp.h - the other CPUs: started for a check, given functions to run, put back
 * to where INIT leaves them
 */
#pragma once

#define SMP_AT    0x7000 /* a page that real mode reaches: the number of it is STARTUP's vector */
#define SMP_CPUS  8
#define SMP_STACK 4096

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

#include "trap.h"

struct ap {
	/* by whoever gives it work */
	void (*volatile fn)(void *arg); /* NULL: done */
	void *volatile arg;
	/* by itself */
	volatile unsigned starts, irqs, nmis;
	volatile bool fault; /* it took an exception, in frame, and has stopped */
	struct trap_frame frame;
};

extern struct ap ap[SMP_CPUS]; /* by APIC ID; [0] is the CPU that booted, and counts irqs too */

/* smp_cpus() - how many there are, by CPUID; their APIC IDs begin with 0. */
unsigned smp_cpus(void);
/* smp_start() - INIT and STARTUP to all others. NULL, or what went wrong. */
const char *smp_start(void);
/* smp_stop() - INIT: they wait for the next STARTUP. */
void smp_stop(void);
/*
 * smp_post() - let CPU @id run @fn(@arg). smp_wait() - until it has, but not for ever:
 * NULL, or what went wrong.
 */
void smp_post(unsigned id, void (*fn)(void *arg), void *arg);
const char *smp_wait(unsigned id);

/* smp_current() - of the stack at @rsp; NULL: the CPU that booted. */
struct ap *smp_current(uint64_t rsp);
/* smp_fault() - an exception on another CPU: it stops there. */
void smp_fault(struct ap *a, const struct trap_frame *f) __attribute__((noreturn));
#endif
