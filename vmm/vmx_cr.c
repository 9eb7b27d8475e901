/* SPDX-License-Identifier: MIT */
/*
 * vmx_cr.c - control registers that a guest shares with VT-x [SDM 3C 23.8, 24.6.6, 25.3]
 *
 * VMX operation keeps CR0.NE and CR4.VMXE at 1 for everybody, and CR0.CD and NW are the machine's
 * business. The guest reads these bits from a shadow, as it wrote them; a write that differs from
 * the shadow exits and is done here. All other bits are the guest's own, without an exit. On the
 * vCPU's core, its VMCS current.
 */
#include "vmx.h"

#include "kernel/x86.h"
#include "cpu_regs.h"
#include "gpa.h"
#include "vm.h"

#include <errno.h>

static uint64_t cr0_ours, cr4_ours;   /* bits that exit when they change */
static uint64_t cr0_fixed, cr4_fixed; /* of them, what is always 1 behind the shadow */
static uint64_t cr4_offered;          /* all that a guest may set */
static uint64_t pdpte_reserved;

#define CR0_KNOWN                                                                                  \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

/*
 * What CPUID tells a guest of; the others take #GP, as on a CPU without them. The hardware's
 * word is not enough: it would have no entry with PCIDE outside long mode, and knows features
 * whose state nobody switches.
 */
#define CR4_KNOWN (BITS(10, 0) | CR4_UMIP | CR4_FSGSBASE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP)

void vmx_cr_init(void)
{
	uint64_t may0 = rdmsr(MSR_VMX_CR0_FIXED1), may4 = rdmsr(MSR_VMX_CR4_FIXED1);

	/* of what must be 1, an unrestricted guest may have PE and PG as it likes */
	cr0_fixed = rdmsr(MSR_VMX_CR0_FIXED0) & ~(CR0_PE | CR0_PG);
	cr4_fixed = rdmsr(MSR_VMX_CR4_FIXED0);
	cr0_ours = cr0_fixed | ~may0 | CR0_NW | CR0_CD;
	cr4_offered = may4 & CR4_KNOWN;
	cr4_ours = cr4_fixed | ~cr4_offered;
	pdpte_reserved = PDPTE_RESERVED |
			 ~BITS(FIELD_GET(CPUID80000008_EAX_PHYSICAL, cpuid(0x80000008).eax) - 1, 0);
}

static uint64_t seen(enum vmcs_field reg, enum vmcs_field shadow, uint64_t ours)
{
	return (vmread(reg) & ~ours) | (vmread(shadow) & ours);
}

uint64_t vmx_cr0(void)
{
	return seen(VMCS_GUEST_CR0, VMCS_CR0_SHADOW, cr0_ours);
}

uint64_t vmx_cr4(void)
{
	return seen(VMCS_GUEST_CR4, VMCS_CR4_SHADOW, cr4_ours);
}

static void write_cr0_fields(uint64_t value)
{
	vmwrite(VMCS_GUEST_CR0, (value & ~(CR0_NW | CR0_CD)) | cr0_fixed);
	vmwrite(VMCS_CR0_SHADOW, value);
}

static void write_cr4_fields(uint64_t value)
{
	vmwrite(VMCS_GUEST_CR4, value | cr4_fixed);
	vmwrite(VMCS_CR4_SHADOW, value);
}

void vmx_cr_reset(uint64_t cr0, uint64_t cr4)
{
	vmwrite(VMCS_CR0_MASK, cr0_ours);
	vmwrite(VMCS_CR4_MASK, cr4_ours);
	write_cr0_fields(cr0);
	write_cr4_fields(cr4);
}

/*
 * load_pdptes() - 32-bit paging with PAE keeps the top level in the CPU, which has
 * looked at it [SDM 3A 4.4.1].
 */
static int load_pdptes(struct vcpu *v)
{
	uint64_t table = vmread(VMCS_GUEST_CR3) & BITS(31, 5);
	uint64_t pdpte[PDPTES]; /* a copy: guest-controlled */

	if (!gpa_read(&v->vm->mem, table, pdpte, sizeof(pdpte)))
		return -EINVAL;
	for (unsigned i = 0; i < PDPTES; i++)
		if ((pdpte[i] & PDPTE_P) && (pdpte[i] & pdpte_reserved))
			return -EINVAL;
	for (unsigned i = 0; i < PDPTES; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	return 0;
}

/*
 * set_long_mode() - LMA follows paging where LME is set [SDM 3A 9.8.5], and the entry must agree.
 */
static void set_long_mode(bool on)
{
	uint64_t efer = vmread(VMCS_GUEST_EFER);
	uint64_t entry = vmread(VMCS_VM_ENTRY_CONTROLS);

	vmwrite(VMCS_GUEST_EFER, on ? efer | EFER_LMA : efer & ~EFER_LMA);
	vmwrite(VMCS_VM_ENTRY_CONTROLS,
		on ? entry | ENTRY_CTL_GUEST_64 : entry & ~ENTRY_CTL_GUEST_64);
}

/* [SDM 3A 2.5, 4.1.2] */
static bool cr0_is_valid(uint64_t value, uint64_t cr4, uint64_t efer)
{
	if (value & ~UINT64_C(0xffffffff))
		return false;
	if (((value & CR0_PG) && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)))
		return false;
	return !((value & CR0_PG) && (efer & EFER_LME) && !(cr4 & CR4_PAE));
}

int vmx_set_cr0(struct vcpu *v, uint64_t value)
{
	uint64_t was = vmx_cr0(), cr4 = vmx_cr4(), efer = vmread(VMCS_GUEST_EFER);
	bool pages = value & CR0_PG, paged = was & CR0_PG;

	if (!cr0_is_valid(value, cr4, efer))
		return -EINVAL;
	if (pages != paged && (efer & EFER_LME)) {
		/* out of 64-bit code there is no way but through compatibility mode */
		if (vmread(VMCS_GUEST_CS_ACCESS_RIGHTS) & RIGHTS_L)
			return -EINVAL;
		set_long_mode(pages);
	} else if (pages && (cr4 & CR4_PAE) && !(efer & EFER_LMA) && load_pdptes(v)) {
		return -EINVAL;
	}
	write_cr0_fields((value & CR0_KNOWN) | CR0_ET);
	vmx_flush(v);
	return 0;
}

int vmx_set_cr4(struct vcpu *v, uint64_t value)
{
	uint64_t efer = vmread(VMCS_GUEST_EFER);

	if (value & ~cr4_offered)
		return -EINVAL;
	if ((efer & EFER_LMA) && !(value & CR4_PAE))
		return -EINVAL;
	if ((value & CR4_PAE) && !(efer & EFER_LMA) && (vmx_cr0() & CR0_PG) && load_pdptes(v))
		return -EINVAL;
	write_cr4_fields(value);
	vmx_flush(v);
	return 0;
}
