/* SPDX-License-Identifier: MIT */
/*
 * vmx_check_host.c - the rules for the host's state, which an exit will load
 * [SDM 3C 26.2.2 to 26.2.4]
 *
 * Called by vmx_check.c after VM-instruction error 7 or 8. One function a section of the manual.
 */
#include "vmx_check_parts.h"

#define SELECTOR_TI_RPL BITS(2, 0)

/* [26.2.2] */
static bool check_host_registers(const struct vmx_check *c)
{
	uint64_t efer = vmx_field(c, VMCS_HOST_EFER);
	bool long_mode = c->exit & EXIT_CTL_HOST_64, loads_efer = c->exit & EXIT_CTL_LOAD_EFER;
	bool lma = efer & EFER_LMA, lme = efer & EFER_LME;
	const struct vmx_rule rules[] = {
		{ vmx_beyond(c, vmx_field(c, VMCS_HOST_CR3)), VMCS_HOST_CR3,
		  "no such physical address" },
		{ vmx_noncanonical(c, VMCS_HOST_SYSENTER_ESP), VMCS_HOST_SYSENTER_ESP,
		  "must be canonical" },
		{ vmx_noncanonical(c, VMCS_HOST_SYSENTER_EIP), VMCS_HOST_SYSENTER_EIP,
		  "must be canonical" },
		{ (c->exit & EXIT_CTL_LOAD_PAT) && vmx_bad_pat(vmx_field(c, VMCS_HOST_PAT)),
		  VMCS_HOST_PAT, "2 and 3 are no memory types" },
		{ loads_efer && (efer & ~EFER_KNOWN), VMCS_HOST_EFER, "reserved bits must be 0" },
		{ loads_efer && (lma != long_mode || lme != long_mode), VMCS_HOST_EFER,
		  "LMA and LME must be as the host's address size" },
	};

	return vmx_check_bits(c, VMCS_HOST_CR0, c->view->capability(MSR_VMX_CR0_FIXED0),
			      c->view->capability(MSR_VMX_CR0_FIXED1)) ||
	       vmx_check_bits(c, VMCS_HOST_CR4, c->view->capability(MSR_VMX_CR4_FIXED0),
			      c->view->capability(MSR_VMX_CR4_FIXED1)) ||
	       vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.3] */
static bool check_host_segments(const struct vmx_check *c)
{
	static const enum vmcs_field selectors[] = {
		VMCS_HOST_ES_SELECTOR, VMCS_HOST_CS_SELECTOR, VMCS_HOST_SS_SELECTOR,
		VMCS_HOST_DS_SELECTOR, VMCS_HOST_FS_SELECTOR, VMCS_HOST_GS_SELECTOR,
		VMCS_HOST_TR_SELECTOR,
	};
	static const enum vmcs_field bases[] = {
		VMCS_HOST_FS_BASE,   VMCS_HOST_GS_BASE,   VMCS_HOST_TR_BASE,
		VMCS_HOST_GDTR_BASE, VMCS_HOST_IDTR_BASE,
	};
	const struct vmx_rule rules[] = {
		{ !vmx_field(c, VMCS_HOST_CS_SELECTOR), VMCS_HOST_CS_SELECTOR, "must not be 0" },
		{ !vmx_field(c, VMCS_HOST_TR_SELECTOR), VMCS_HOST_TR_SELECTOR, "must not be 0" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(selectors); i++)
		if (vmx_field(c, selectors[i]) & SELECTOR_TI_RPL)
			return vmx_check_say(c, selectors[i], "TI and RPL must be 0");
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++)
		if (vmx_noncanonical(c, bases[i]))
			return vmx_check_say(c, bases[i], "must be canonical");
	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.4] Weir itself runs in long mode. */
static bool check_address_size(const struct vmx_check *c)
{
	const struct vmx_rule rules[] = {
		{ !(c->exit & EXIT_CTL_HOST_64), VMCS_VM_EXIT_CONTROLS, "the host is 64-bit" },
		{ !(vmx_field(c, VMCS_HOST_CR4) & CR4_PAE), VMCS_HOST_CR4, "PAE must be 1" },
		{ vmx_noncanonical(c, VMCS_HOST_RIP), VMCS_HOST_RIP, "must be canonical" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

bool vmx_check_host(const struct vmx_check *c)
{
	return check_host_registers(c) || check_host_segments(c) || check_address_size(c);
}
