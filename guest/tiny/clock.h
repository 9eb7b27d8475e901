/* SPDX-License-Identifier: MIT */
/* clock.h - the TSC as a clock, KVM's clock, and waiting */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"

/* a page that the hypervisor writes [KVM: struct pvclock_vcpu_time_info] */
struct pvclock {
	uint32_t version; /* odd while it is being written */
	uint32_t pad;
	uint64_t tsc, ns; /* at TSC tsc it was ns */
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
#define PVCLOCK_TSC_STABLE 1
	uint8_t pad2[2];
};

#define CPUID1_ECX_HYPERVISOR  BIT(31)
#define CPUID_KVM              0x40000000
#define CPUID_KVM_FEATURES     0x40000001
#define KVM_FEATURE_CLOCK      BIT(3)
#define KVM_FEATURE_STABLE     BIT(24)
#define MSR_KVM_WALL_CLOCK     0x4b564d00
#define MSR_KVM_SYSTEM_TIME    0x4b564d01
#define KVM_SYSTEM_TIME_ENABLE 1

extern uint64_t tsc_khz;

/*
 * clock_init() - tsc_khz from KVM's clock, or measured against the local APIC's
 * timer, which takes 10 ms.
 */
void clock_init(void);
/*
 * clock_has_kvm() - does the hypervisor offer KVM's clock? pvclock_read() - a copy of
 * its page, not half written.
 */
bool clock_has_kvm(void);
bool pvclock_read(struct pvclock *c);

/*
 * clock_in_ms() - the TSC @ms from now. clock_passed() - is it that late? clock_us()
 * - ticks as microseconds.
 */
uint64_t clock_in_ms(uint64_t ms);
bool clock_passed(uint64_t tsc);
uint64_t clock_us(uint64_t ticks);
/* clock_pause_us() - so long, awake and without an exit. */
void clock_pause_us(uint64_t us);

/*
 * idle_until() - a round of polls; if there was nobody to poll, sleep until an interrupt or TSC
 * @until (0: as long as it takes), unless @more() says there is something to do (NULL: nothing else
 * counts). The caller looks at what it waits for before each call.
 */
void idle_until(uint64_t until, bool (*more)(void));

/*
 * wait_for() - let the machine go on until @condition holds, for at most
 * @ms; false if it never did.
 */
#define wait_for(condition, ms)                                       \
	({                                                            \
		uint64_t end_ = clock_in_ms(ms);                      \
		bool held_;                                           \
		while (!(held_ = (condition)) && !clock_passed(end_)) \
			idle_until(end_, NULL);                       \
		held_;                                                \
	})
