/* SPDX-License-Identifier: MIT */
/*
 * guest_msrs.h - MSRs that a guest reads and writes without an exit: it has them to itself,
 * switched by hardware or by the back end
 */
#pragma once

#include "kernel/x86.h"

enum { GUEST_MSRS = 10 };

static const uint32_t guest_msrs[GUEST_MSRS] = {
	MSR_STAR,    MSR_LSTAR,     MSR_CSTAR,       MSR_SFMASK,       MSR_FS_BASE,
	MSR_GS_BASE, MSR_KERNEL_GS, MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};
