/* SPDX-License-Identifier: MIT */
/*
 * vmx_setup.c - VT-x found and switched on, and what a guest has of it [SDM 3C 23.7, 24.11, 31.5]
 *
 * vmx_init_cpu() runs on each core once, the rest at boot or in the control context. Owns what all
 * guests share: the port bitmaps, by which every port exits, and the MSR bitmaps, by which every
 * MSR does, but for those that a guest has to itself.
 */
#include "vmx.h"

#include "kernel/mem.h"
#include "kernel/x86.h"
#include "fpu.h"
#include "guest_msrs.h"
#include "nested.h"
#include "vm.h"
#include "vmx_insn.h"

#include <errno.h>
#include <string.h>

/*
 * bytes of an MSR bitmap: reads first, and in each half the MSRs from 0, then
 * those from C0000000H [24.6.9]
 */
enum { MSR_BITMAP_WRITES = 2048, MSR_BITMAP_HIGH = 1024 };

/* read-write-execute at all levels; a leaf says how memory is cached [28.2.2] */
static const struct nested_bits ept_bits = {
	.table = EPT_R | EPT_W | EPT_X,
	.page = EPT_R | EPT_W | EPT_X | FIELD_PREP(EPT_TYPE, EPT_WRITE_BACK),
	.large = EPT_LARGE,
};

uint8_t *vmx_io_bitmaps, *vmx_msr_bitmap, *vmx_msr_bitmap_x2apic;
unsigned vmx_timer_rate;

/* --- the machine --- */

static bool capable(uint64_t cap)
{
	return (cap & EPT_CAP_WALK_4) && (cap & EPT_CAP_WRITE_BACK) && (cap & EPT_CAP_2M) &&
	       (cap & EPT_CAP_INVEPT) && (cap & EPT_CAP_INVEPT_ONE);
}

/* firmware_allows() - locks VT-x on where firmware has left that open. */
static bool firmware_allows(void)
{
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL);

	if (!(control & FEATURE_LOCKED)) {
		wrmsr(MSR_FEATURE_CONTROL, control | FEATURE_LOCKED | FEATURE_VMX);
		return true;
	}
	return control & FEATURE_VMX;
}

int vmx_probe(const char **why)
{
	if (!(cpuid(1).ecx & CPUID1_ECX_VMX)) {
		*why = "this CPU has no VT-x";
		return -ENODEV;
	}
	if (!firmware_allows()) {
		*why = "firmware has locked VT-x off (IA32_FEATURE_CONTROL)";
		return -EPERM;
	}
	if (vmx_controls_choose(why))
		return -EPERM;
	if (!capable(rdmsr(MSR_VMX_EPT_VPID)))
		*why = "this CPU's EPT has no large pages or no write-back memory";
	else if (!fpu_probe())
		*why = "this CPU has no XSAVE or no RDTSCP";
	else
		return 0;
	return -EPERM;
}

/* msr_allow() - the guest reads, or with @write writes, MSR @index without an exit. [24.6.9] */
static void msr_allow(uint8_t *bitmap, uint32_t index, bool write)
{
	uint32_t bit = index & 0x1fff, at = bit / 8;

	at += (index >= 0xc0000000 ? MSR_BITMAP_HIGH : 0) + (write ? MSR_BITMAP_WRITES : 0);
	bitmap[at] &= ~(1u << bit % 8);
}

static uint8_t *msr_bitmap(const char *what)
{
	uint8_t *bitmap = mem_alloc(PAGE_SIZE, PAGE_SIZE, what);

	memset(bitmap, 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < GUEST_MSRS; i++) {
		msr_allow(bitmap, guest_msrs[i], false);
		msr_allow(bitmap, guest_msrs[i], true);
	}
	msr_allow(bitmap, MSR_TSC_AUX, false);
	return bitmap;
}

static void make_bitmaps(void)
{
	vmx_io_bitmaps = mem_alloc(2 * PAGE_SIZE, PAGE_SIZE, "VT-x's port bitmaps");
	memset(vmx_io_bitmaps, 0xff, 2 * PAGE_SIZE);
	vmx_msr_bitmap = msr_bitmap("VT-x's MSR bitmap");
	vmx_msr_bitmap_x2apic = msr_bitmap("VT-x's MSR bitmap with x2APIC");
	vmx_apic_allow(vmx_msr_bitmap_x2apic, msr_allow);
	vmx_timer_rate = FIELD_GET(VMX_MISC_TIMER_RATE, rdmsr(MSR_VMX_MISC));
	vmx_cr_init();
}

/*
 * fixed_bits() - those of CR0 and CR4 that VMX operation wants. False: this core
 * cannot have them so. [23.8]
 */
static bool fixed_bits(void)
{
	uint64_t cr0 = read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0);
	uint64_t cr4 = read_cr4() | rdmsr(MSR_VMX_CR4_FIXED0);

	if ((cr0 & ~rdmsr(MSR_VMX_CR0_FIXED1)) || (cr4 & ~rdmsr(MSR_VMX_CR4_FIXED1)))
		return false;
	write_cr0(cr0);
	write_cr4(cr4);
	return true;
}

/*
 * set_revision() - a VMXON region or a VMCS begins with the revision of its form [24.2, 24.11.5].
 */
static void set_revision(void *page)
{
	*(uint32_t *)page = FIELD_GET(VMX_BASIC_REVISION, rdmsr(MSR_VMX_BASIC));
}

int vmx_init_cpu(const char **why)
{
	void *region = mem_zalloc(PAGE_SIZE, PAGE_SIZE, "VT-x's VMXON region");

	if (!vmx_msr_bitmap)
		make_bitmaps();
	fpu_init_cpu();
	set_revision(region);
	if (!firmware_allows())
		*why = "firmware has locked VT-x off on one core (IA32_FEATURE_CONTROL)";
	else if (!fixed_bits())
		*why = "CR0 or CR4 of one core cannot be as VT-x wants them";
	else if (!vmxon(region))
		*why = "VMXON failed on one core";
	else
		return 0;
	return -ENODEV;
}

/* --- a guest --- */

int vmx_vm_create(struct vm *vm)
{
	struct vmx_vm *hw = mem_try_alloc(sizeof(*hw), CACHE_LINE);
	uint64_t *root = nested_build(&vm->mem, &ept_bits);

	if (!hw || !root)
		return -ENOMEM;
	*hw = (struct vmx_vm){ .eptp = (uint64_t)root | EPTP_WRITE_BACK |
				       FIELD_PREP(EPTP_LEVELS, 3) };
	vm->hw = hw;
	return vmx_apic_vm_create(root, &ept_bits, &hw->apic_access);
}

static void *try_page(void)
{
	void *page = mem_try_alloc(PAGE_SIZE, PAGE_SIZE);

	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

int vmx_vcpu_create(struct vcpu *v)
{
	struct vmx_vcpu *x = mem_try_alloc(sizeof(*x), CACHE_LINE);

	if (!x)
		return -ENOMEM;
	*x = (struct vmx_vcpu){ .vmcs = try_page(), .apic_page = try_page() };
	v->hw = x;
	if (!x->vmcs || !x->apic_page)
		return -ENOMEM;
	set_revision(x->vmcs);
	return 0;
}
