/* SPDX-License-Identifier: MIT */
/*
 * vmx_check.h - which field of the VMCS made the CPU refuse a VM entry [SDM 3C 26.1 to 26.3, 30.4]
 *
 * The hardware says "invalid guest state" and no more, so its rules are gone through
 * again, in the manual's order.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmx_vmcs.h"

/* where the rules look: the current VMCS and this CPU, or the tables of a test */
struct vmx_view {
	uint64_t (*field)(enum vmcs_field field); /* VMREAD */
	uint64_t (*capability)(uint32_t msr);     /* RDMSR of 480H to 491H */
	unsigned physical_bits, linear_bits;      /* of addresses [SDM 2A CPUID 80000008H] */
	uint8_t vtpr;                             /* byte 80H of the virtual-APIC page */
};

/*
 * vmx_check() - a sentence about a failed entry into @text: "guest RFLAGS (6820) is 0x0: bit 1 must
 * be 1". @exit_reason: bit 31 included; 0 where VMLAUNCH or VMRESUME itself failed, with
 * @instruction_error. Changes nothing; the VMCS is current and as it was for the entry.
 */
void vmx_check(const struct vmx_view *view, uint64_t exit_reason, uint64_t instruction_error,
	       char *text, size_t size);

/* vmcs_field_name() - "GUEST_RFLAGS", or NULL: none that Weir uses. */
const char *vmcs_field_name(uint32_t encoding);
