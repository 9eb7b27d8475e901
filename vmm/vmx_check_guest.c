/* SPDX-License-Identifier: MIT */
/*
 * vmx_check_guest.c - the rules for a guest's state, but for its segments [SDM 3C 26.3.1]
 *
 * Called by vmx_check.c after exit reason 33. One function a section of the manual,
 * where a section is not long.
 */
#include "vcpu.h"
#include "vmx_check_parts.h"

#define CR4_PCIDE             BIT(17)
#define RFLAGS_RESERVED       (BITS(63, 22) | BIT(15) | BIT(5) | BIT(3))
#define DEBUGCTL_BTF          BIT(1)
#define DEBUGCTL_RESERVED     (BITS(63, 16) | BITS(5, 3))
#define PENDING_RESERVED      (BITS(63, 17) | BIT(15) | BIT(13) | BITS(11, 4))
#define BLOCKED_RESERVED      BITS(31, 5)
#define VMX_MISC_ACTIVITY_BIT 5 /* and the activity: is it supported */

/* [24.4.2] */
enum { ACTIVE = 0, ACTIVITY_HLT = 1, ACTIVITY_SHUTDOWN = 2, ACTIVITY_WAIT_FOR_SIPI = 3 };

/* exit qualification of an invalid guest state: an NMI behind STI, which some CPUs refuse [26.8] */
enum { REFUSED_NMI_BEHIND_STI = 3 };

/*
 * [26.3.1.1, 23.8] An unrestricted guest need not page, nor be protected; CD and
 * NW are nobody's business.
 */
static bool check_cr0_and_cr4(const struct vmx_check *c)
{
	uint64_t must = c->view->capability(MSR_VMX_CR0_FIXED0) & ~(CR0_CD | CR0_NW);

	if (c->unrestricted)
		must &= ~(CR0_PE | CR0_PG);
	return vmx_check_bits(c, VMCS_GUEST_CR0, must,
			      c->view->capability(MSR_VMX_CR0_FIXED1) | CR0_CD | CR0_NW) ||
	       vmx_check_bits(c, VMCS_GUEST_CR4, c->view->capability(MSR_VMX_CR4_FIXED0),
			      c->view->capability(MSR_VMX_CR4_FIXED1));
}

/* [26.3.1.1] */
static bool check_control_registers(const struct vmx_check *c)
{
	uint64_t cr0 = vmx_field(c, VMCS_GUEST_CR0), cr4 = vmx_field(c, VMCS_GUEST_CR4);
	bool long_mode = c->entry & ENTRY_CTL_GUEST_64, debug = c->entry & ENTRY_CTL_LOAD_DEBUG;
	const struct vmx_rule rules[] = {
		{ (cr0 & CR0_PG) && !(cr0 & CR0_PE), VMCS_GUEST_CR0, "PG needs PE" },
		{ debug && (vmx_field(c, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_RESERVED),
		  VMCS_GUEST_DEBUGCTL, "reserved bits must be 0" },
		{ long_mode && !(cr0 & CR0_PG), VMCS_GUEST_CR0, "long mode needs PG" },
		{ long_mode && !(cr4 & CR4_PAE), VMCS_GUEST_CR4, "long mode needs PAE" },
		{ !long_mode && (cr4 & CR4_PCIDE), VMCS_GUEST_CR4, "PCIDE needs long mode" },
		{ vmx_beyond(c, vmx_field(c, VMCS_GUEST_CR3)), VMCS_GUEST_CR3,
		  "no such physical address" },
		{ debug && vmx_field(c, VMCS_GUEST_DR7) >> 32, VMCS_GUEST_DR7,
		  "bits 63 to 32 must be 0" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.1] */
static bool check_msrs(const struct vmx_check *c)
{
	uint64_t efer = vmx_field(c, VMCS_GUEST_EFER);
	bool lma = efer & EFER_LMA, lme = efer & EFER_LME;
	bool pages = vmx_field(c, VMCS_GUEST_CR0) & CR0_PG;
	bool long_mode = c->entry & ENTRY_CTL_GUEST_64, loads_efer = c->entry & ENTRY_CTL_LOAD_EFER;
	const struct vmx_rule rules[] = {
		{ vmx_noncanonical(c, VMCS_GUEST_SYSENTER_ESP), VMCS_GUEST_SYSENTER_ESP,
		  "must be canonical" },
		{ vmx_noncanonical(c, VMCS_GUEST_SYSENTER_EIP), VMCS_GUEST_SYSENTER_EIP,
		  "must be canonical" },
		{ (c->entry & ENTRY_CTL_LOAD_PAT) && vmx_bad_pat(vmx_field(c, VMCS_GUEST_PAT)),
		  VMCS_GUEST_PAT, "2 and 3 are no memory types" },
		{ loads_efer && (efer & ~EFER_KNOWN), VMCS_GUEST_EFER, "reserved bits must be 0" },
		{ loads_efer && lma != long_mode, VMCS_GUEST_EFER,
		  "LMA must be as the entry's long mode" },
		{ loads_efer && pages && lme != long_mode, VMCS_GUEST_EFER,
		  "LME must be as LMA when CR0.PG is 1" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.3] */
static bool check_descriptor_tables(const struct vmx_check *c)
{
	const struct vmx_rule rules[] = {
		{ vmx_noncanonical(c, VMCS_GUEST_GDTR_BASE), VMCS_GUEST_GDTR_BASE,
		  "must be canonical" },
		{ vmx_noncanonical(c, VMCS_GUEST_IDTR_BASE), VMCS_GUEST_IDTR_BASE,
		  "must be canonical" },
		{ vmx_field(c, VMCS_GUEST_GDTR_LIMIT) >> 16, VMCS_GUEST_GDTR_LIMIT,
		  "bits 31 to 16 must be 0" },
		{ vmx_field(c, VMCS_GUEST_IDTR_LIMIT) >> 16, VMCS_GUEST_IDTR_LIMIT,
		  "bits 31 to 16 must be 0" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.4] */
static bool check_rip_and_rflags(const struct vmx_check *c)
{
	uint64_t rip = vmx_field(c, VMCS_GUEST_RIP), rflags = vmx_field(c, VMCS_GUEST_RFLAGS);
	bool long_mode = c->entry & ENTRY_CTL_GUEST_64;
	bool code_64 = long_mode && (vmx_field(c, VMCS_GUEST_CS_ACCESS_RIGHTS) & RIGHTS_L);
	const struct vmx_rule rules[] = {
		{ !code_64 && rip >> 32, VMCS_GUEST_RIP, "bits 63 to 32 must be 0" },
		{ code_64 && vmx_noncanonical(c, VMCS_GUEST_RIP), VMCS_GUEST_RIP,
		  "must be canonical" },
		{ rflags & RFLAGS_RESERVED, VMCS_GUEST_RFLAGS, "reserved bits must be 0" },
		{ !(rflags & RFLAGS_FIXED), VMCS_GUEST_RFLAGS, "bit 1 must be 1" },
		{ (rflags & RFLAGS_VM) && long_mode, VMCS_GUEST_RFLAGS, "no VM in long mode" },
		{ (rflags & RFLAGS_VM) && !(vmx_field(c, VMCS_GUEST_CR0) & CR0_PE),
		  VMCS_GUEST_RFLAGS, "no VM in real mode" },
		{ vmx_injects(c, INTR_TYPE_EXTERNAL) && !(rflags & RFLAGS_IF), VMCS_GUEST_RFLAGS,
		  "IF must be 1, an interrupt is injected" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* wakes() - may what is injected come in this state of activity? [26.3.1.5] */
static bool wakes(const struct vmx_check *c, uint64_t activity)
{
	unsigned vector = FIELD_GET(INTR_VECTOR, c->event);
	bool exception = vmx_injects(c, INTR_TYPE_HARDWARE_EXCEPTION);
	bool machine_check = exception && vector == EXCEPTION_MC;

	if (!c->event || activity == ACTIVE)
		return true;
	if (activity == ACTIVITY_WAIT_FOR_SIPI)
		return false;
	if (vmx_injects(c, INTR_TYPE_NMI) || machine_check)
		return true;
	return activity == ACTIVITY_HLT &&
	       (vmx_injects(c, INTR_TYPE_EXTERNAL) || vmx_injects(c, INTR_TYPE_OTHER) ||
		(exception && vector == EXCEPTION_DB));
}

/* [26.3.1.5] */
static bool check_activity(const struct vmx_check *c)
{
	uint64_t activity = vmx_field(c, VMCS_GUEST_ACTIVITY);
	uint64_t blocked = vmx_field(c, VMCS_GUEST_INTERRUPTIBILITY);
	uint64_t supported = c->view->capability(MSR_VMX_MISC) >> VMX_MISC_ACTIVITY_BIT;
	const struct vmx_rule rules[] = {
		{ activity > ACTIVITY_WAIT_FOR_SIPI ||
			  (activity != ACTIVE && !(supported & BIT(activity))),
		  VMCS_GUEST_ACTIVITY, "this CPU has no such state" },
		{ activity == ACTIVITY_HLT &&
			  (vmx_field(c, VMCS_GUEST_SS_ACCESS_RIGHTS) & RIGHTS_DPL),
		  VMCS_GUEST_ACTIVITY, "only ring 0 can halt" },
		{ activity != ACTIVE && (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)),
		  VMCS_GUEST_ACTIVITY, "must be 0 behind STI and MOV SS" },
		{ !wakes(c, activity), VMCS_GUEST_ACTIVITY, "what is injected cannot wake it" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.5] */
static bool check_interruptibility(const struct vmx_check *c)
{
	uint64_t blocked = vmx_field(c, VMCS_GUEST_INTERRUPTIBILITY);
	bool sti = blocked & BLOCKED_BY_STI, mov_ss = blocked & BLOCKED_BY_MOV_SS;
	bool irq = vmx_injects(c, INTR_TYPE_EXTERNAL), nmi = vmx_injects(c, INTR_TYPE_NMI);
	bool refused = vmx_field(c, VMCS_EXIT_QUALIFICATION) == REFUSED_NMI_BEHIND_STI;
	const struct vmx_rule rules[] = {
		{ blocked & BLOCKED_RESERVED, VMCS_GUEST_INTERRUPTIBILITY,
		  "bits 31 to 5 must be 0" },
		{ sti && mov_ss, VMCS_GUEST_INTERRUPTIBILITY, "STI and MOV SS at once" },
		{ sti && !(vmx_field(c, VMCS_GUEST_RFLAGS) & RFLAGS_IF),
		  VMCS_GUEST_INTERRUPTIBILITY, "blocked by STI, but IF is 0" },
		{ irq && (sti || mov_ss), VMCS_GUEST_INTERRUPTIBILITY,
		  "blocked, but an interrupt is injected" },
		{ nmi && mov_ss, VMCS_GUEST_INTERRUPTIBILITY, "MOV SS, but an NMI is injected" },
		{ blocked & BLOCKED_BY_SMI, VMCS_GUEST_INTERRUPTIBILITY,
		  "blocked by SMI outside SMM" },
		{ nmi && sti && refused, VMCS_GUEST_INTERRUPTIBILITY,
		  "STI, but an NMI is injected" },
		{ nmi && (c->pin & PIN_VIRTUAL_NMI) && (blocked & BLOCKED_BY_NMI),
		  VMCS_GUEST_INTERRUPTIBILITY, "NMIs are blocked, but one is injected" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.5] A step that was put off is pending if, and only if, the guest steps. */
static bool check_pending(const struct vmx_check *c)
{
	uint64_t pending = vmx_field(c, VMCS_GUEST_PENDING_DEBUG);
	uint64_t blocked = vmx_field(c, VMCS_GUEST_INTERRUPTIBILITY);
	bool put_off = (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)) ||
		       vmx_field(c, VMCS_GUEST_ACTIVITY) == ACTIVITY_HLT;
	bool steps = (vmx_field(c, VMCS_GUEST_RFLAGS) & RFLAGS_TF) &&
		     !(vmx_field(c, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
	const struct vmx_rule rules[] = {
		{ pending & PENDING_RESERVED, VMCS_GUEST_PENDING_DEBUG, "reserved bits must be 0" },
		{ put_off && steps && !(pending & PENDING_DEBUG_BS), VMCS_GUEST_PENDING_DEBUG,
		  "BS must be 1, TF is 1" },
		{ put_off && !steps && (pending & PENDING_DEBUG_BS), VMCS_GUEST_PENDING_DEBUG,
		  "BS must be 0, there is no step" },
		{ vmx_field(c, VMCS_VMCS_LINK_POINTER) != ~UINT64_C(0), VMCS_VMCS_LINK_POINTER,
		  "must be all ones" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.3.1.6] 32-bit paging with PAE, of which EPT has the entry keep the top level */
static bool check_pdptes(const struct vmx_check *c)
{
	bool pae = (vmx_field(c, VMCS_GUEST_CR0) & CR0_PG) &&
		   (vmx_field(c, VMCS_GUEST_CR4) & CR4_PAE) && !(c->entry & ENTRY_CTL_GUEST_64);

	for (unsigned i = 0; pae && (c->secondary & SECONDARY_EPT) && i < PDPTES; i++) {
		enum vmcs_field field = VMCS_GUEST_PDPTE0 + 2 * i;
		uint64_t pdpte = vmx_field(c, field);

		if ((pdpte & PDPTE_P) && ((pdpte & PDPTE_RESERVED) || vmx_beyond(c, pdpte)))
			return vmx_check_say(c, field, "reserved bits must be 0");
	}
	return false;
}

/* Flags before segments: what a segment may be depends on VM. */
bool vmx_check_guest(const struct vmx_check *c)
{
	return check_cr0_and_cr4(c) || check_control_registers(c) || check_msrs(c) ||
	       check_rip_and_rflags(c) || vmx_check_segments(c) || check_descriptor_tables(c) ||
	       check_activity(c) || check_interruptibility(c) || check_pending(c) ||
	       check_pdptes(c);
}
