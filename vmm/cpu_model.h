/* SPDX-License-Identifier: MIT */
/*
 * cpu_model.h - the CPU that a vCPU believes to be: what guest_cpu.c, guest_msr.c
 * and kvmclock.c keep of each
 *
 * Filled in by guest_cpu_reset(), afterwards touched by the vCPU's core alone.
 */
#pragma once

#include <stdint.h>

#include "kernel/x86.h"

enum {
	CPUID_BASIC_N = 0xe, /* leaves 0 to 0xd */
	CPUID_HYPERVISOR_N = 2,
	CPUID_EXTENDED_N = 9,
	MTRR_VARIABLE_N = 8,
	MTRR_FIXED_N = 11,
};

struct cpu_model {
	/*
	 * CPUID's answers, but for what changes while the guest runs and for
	 * leaves that have sub-leaves
	 */
	struct cpuid basic[CPUID_BASIC_N];
	struct cpuid hypervisor[CPUID_HYPERVISOR_N]; /* from 0x40000000 */
	struct cpuid extended[CPUID_EXTENDED_N];     /* from 0x80000000 */

	/* MSRs that are kept and have no effect: nested paging and PAT say how memory is cached */
	uint64_t mtrr_def_type, mtrr_fixed[MTRR_FIXED_N], mtrr_variable[2 * MTRR_VARIABLE_N];
	uint64_t misc_enable, hwcr;
	uint64_t tsc_adjust; /* sum of what the guest moved its TSC by */

	/* KVM's clock */
	uint64_t clock_start; /* TSC of the core when the guest started: its clock shows 0 */
	uint64_t clock_unix;  /* then, in nanoseconds since 1970 */
	uint64_t wall_clock, system_time; /* as the guest wrote the MSRs */
	uint32_t clock_version, wall_version;
};
