/* SPDX-License-Identifier: MIT */
/*
 * guest_cpu.h - which CPU a guest believes it has: CPUID, MSRs, XCR0
 *
 * The core's own CPU with what a guest may not have left out, and with what Weir adds: x2APIC,
 * TSC-deadline timer, a timer that never stops, an invariant TSC, KVM's clock. MSRs stand in
 * guest_msr.c.
 *
 * On the vCPU's core while an exit is handled.
 */
#pragma once

#include <stdint.h>

#include "vcpu.h"

/* guest_cpuid() - answer CPUID for rax, rcx of @v into its rax, rbx, rcx, rdx. */
void guest_cpuid(struct vcpu *v);
/*
 * guest_rdmsr(), guest_wrmsr() - 0, or -EINVAL: takes #GP (counted in the VM).
 * Takes vm->lock for that.
 */
int guest_rdmsr(struct vcpu *v, uint32_t index, uint64_t *value);
int guest_wrmsr(struct vcpu *v, uint32_t index, uint64_t value);
/* guest_xsetbv() - XCR@index = @value, from now on; 0, or -EINVAL: takes #GP. */
int guest_xsetbv(struct vcpu *v, uint32_t index, uint64_t value);

/*
 * guest_cpu_reset() - as after RESET. The guest's TSC and clock begin at 0, for its further vCPUs
 * as for its first, which must be reset first. Control context, vCPU off.
 */
void guest_cpu_reset(struct vcpu *v);
void guest_msr_reset(struct vcpu *v); /* the MSRs' part of it */
