/* SPDX-License-Identifier: MIT */
/*
 * kvmclock.h - the clock that KVM gives its guests [Linux Documentation/virt/kvm/x86/msr.rst]
 *
 * The guest names a place in its memory; there it finds how its TSC becomes nanoseconds. The TSC is
 * steady, so what stands there holds until the guest moves its TSC, and all its vCPUs see one
 * clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/*
 * kvmclock_reset() - zero from now on; the further vCPUs of a guest follow
 * its first. Control context.
 */
void kvmclock_reset(struct vcpu *v);

bool kvmclock_owns_msr(uint32_t index);
uint64_t kvmclock_rdmsr(const struct vcpu *v, uint32_t index);
/* kvmclock_wrmsr() - 0, or -EINVAL: no RAM there. */
int kvmclock_wrmsr(struct vcpu *v, uint32_t index, uint64_t value);

/* kvmclock_update() - v's TSC was moved: say so where the guest looks. */
void kvmclock_update(struct vcpu *v);
