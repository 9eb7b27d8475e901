/* SPDX-License-Identifier: MIT */
/*
 * fake_vmx.h - a VMCS without a CPU: fields and capabilities that a test fills in and reads back
 *
 * vmread() and vmwrite() of vmm/vmx.h and rdmsr() of kernel/x86.h go here. A field that
 * vmm/vmx_vmcs.h does not name fails the test, and so does an MSR that is no capability of VMX.
 */
#pragma once

#include <stdint.h>

#include "vmm/vmx.h"

enum { VMX_CAPABILITIES = 0x492 - MSR_VMX_BASIC };

extern uint64_t fake_vmcs[0x7000];                 /* by encoding */
extern uint64_t fake_capability[VMX_CAPABILITIES]; /* from MSR 480H */
extern uint64_t fake_cr2;

/*
 * A VMCS that any CPU would enter: controls and host state as Weir has them, on a CPU with all that
 * Weir uses. The guest is flat 64-bit code, flat 32-bit code with paging but no PAE, or real mode.
 */
void fake_vmx_guest_64(void);
void fake_vmx_guest_32(void);
void fake_vmx_guest_real(void);
