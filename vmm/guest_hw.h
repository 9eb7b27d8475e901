/* SPDX-License-Identifier: MIT */
/*
 * guest_hw.h - what guest_cpu.c and guest_msr.c ask of the core they run on; a unit test plays it
 */
#pragma once

#include <stdint.h>

#include "kernel/x86.h"

#if __STDC_HOSTED__
struct cpuid hw_cpuid(uint32_t leaf, uint32_t sub);
void hw_set_xcr0(uint64_t value);
void hw_set_tsc_aux(uint64_t value);
#else
static inline struct cpuid hw_cpuid(uint32_t leaf, uint32_t sub)
{
	return cpuid_sub(leaf, sub);
}

static inline void hw_set_xcr0(uint64_t value)
{
	xsetbv(value);
}

static inline void hw_set_tsc_aux(uint64_t value)
{
	wrmsr(MSR_TSC_AUX, value);
}
#endif
