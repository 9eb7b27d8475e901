/* SPDX-License-Identifier: MIT */
/*
 * vmx_setup.c - VT-x found, switched on, and a guest's VMCS as it begins [SDM 3C 23.7, 24.11, 31.5]
 *
 * vmx_init_cpu() runs on each core once, vmx_host_state(), vmx_current() and vmx_flush() on a vCPU's core, the rest in the
 * control context. Owns what all guests share: the port bitmaps, by which every port exits, and the MSR bitmaps, by which
 * every MSR does, but for those that a guest has to itself.
 */
#include "vmx.h"

#include "kernel/console.h"
#include "kernel/mem.h"
#include "kernel/x86.h"
#include "cpu_regs.h"
#include "fpu.h"
#include "guest_msrs.h"
#include "nested.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

/* bytes of an MSR bitmap: reads first, and in each half the MSRs from 0, then those from C0000000H [24.6.9] */
enum { MSR_BITMAP_WRITES = 2048, MSR_BITMAP_HIGH = 1024 };

/* read-write-execute at all levels; a leaf says how memory is cached [28.2.2] */
static const struct nested_bits ept_bits = {
	.table = EPT_R | EPT_W | EPT_X,
	.page = EPT_R | EPT_W | EPT_X | FIELD_PREP(EPT_TYPE, EPT_WRITE_BACK),
	.large = EPT_LARGE,
};

uint8_t *vmx_msr_bitmap, *vmx_msr_bitmap_x2apic;
unsigned vmx_timer_rate;

static uint8_t *io_bitmaps; /* two pages: ports below 8000H, and the others */

void vmx_exit(void); /* vmx_enter.S: where a VM exit goes on */

/* --- instructions: false where the CPU says VMfail [30.2] --- */

static bool vmxon(const void *region)
{
	uint64_t at = (uint64_t)region;
	bool ok;

	__asm__ volatile("vmxon %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static bool vmclear(const void *vmcs)
{
	uint64_t at = (uint64_t)vmcs;
	bool ok;

	__asm__ volatile("vmclear %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static bool vmptrld(const void *vmcs)
{
	uint64_t at = (uint64_t)vmcs;
	bool ok;

	__asm__ volatile("vmptrld %1" : "=@cca"(ok) : "m"(at) : "cc", "memory");
	return ok;
}

static uint64_t vmptrst(void)
{
	uint64_t at;

	__asm__ volatile("vmptrst %0" : "=m"(at)::"cc", "memory");
	return at;
}

static void invvpid(uint64_t type, uint64_t vpid)
{
	const uint64_t descriptor[2] = { vpid, 0 };

	__asm__ volatile("invvpid %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
}

static void invept(uint64_t type, uint64_t eptp)
{
	const uint64_t descriptor[2] = { eptp, 0 };

	__asm__ volatile("invept %0, %1" ::"m"(descriptor), "r"(type) : "cc", "memory");
}

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
	io_bitmaps = mem_alloc(2 * PAGE_SIZE, PAGE_SIZE, "VT-x's port bitmaps");
	memset(io_bitmaps, 0xff, 2 * PAGE_SIZE);
	vmx_msr_bitmap = msr_bitmap("VT-x's MSR bitmap");
	vmx_msr_bitmap_x2apic = msr_bitmap("VT-x's MSR bitmap with x2APIC");
	vmx_apic_allow(vmx_msr_bitmap_x2apic, msr_allow);
	vmx_timer_rate = FIELD_GET(VMX_MISC_TIMER_RATE, rdmsr(MSR_VMX_MISC));
	vmx_cr_init();
}

/* fixed_bits() - those of CR0 and CR4 that VMX operation wants. False: this core cannot have them so. [23.8] */
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

/* set_revision() - a VMXON region or a VMCS begins with the revision of its form [24.2, 24.11.5]. */
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

void vmx_current(void *vmcs)
{
	ASSERT(vmptrld(vmcs));
}

void vmx_clear(void *vmcs)
{
	ASSERT(vmclear(vmcs));
}

static uint16_t vpid_of(const struct vcpu *v)
{
	return 1 + v->vm->id * VM_VCPUS + v->id; /* 0 is the host's */
}

void vmx_flush(const struct vcpu *v)
{
	const struct vmx_vm *hw = v->vm->hw;

	invept(INVEPT_CONTEXT, hw->eptp);
	if (vmx_features[VMX_VPID].has)
		invvpid(INVVPID_CONTEXT, vpid_of(v));
}

/* --- what a VM exit loads --- */

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

void vmx_host_state(void)
{
	struct table_register gdt, idt;
	uint16_t tr;
	const uint64_t *descriptor;

	__asm__ volatile("sgdt %0; sidt %1; str %2" : "=m"(gdt), "=m"(idt), "=r"(tr));
	descriptor = (const uint64_t *)(gdt.base + tr);
	vmwrite(VMCS_HOST_TR_SELECTOR, tr);
	vmwrite(VMCS_HOST_TR_BASE, FIELD_GET(BITS(39, 16), descriptor[0]) |
					   FIELD_GET(BITS(63, 56), descriptor[0]) << 24 |
					   descriptor[1] << 32);
	vmwrite(VMCS_HOST_GDTR_BASE, gdt.base);
	vmwrite(VMCS_HOST_IDTR_BASE, idt.base);
	vmwrite(VMCS_HOST_GS_BASE, rdmsr(MSR_GS_BASE));
	vmwrite(VMCS_HOST_FS_BASE, rdmsr(MSR_FS_BASE));
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
}

/* host_constants() - the same on every core. Weir's segments: data everywhere, and no SYSENTER. */
static void host_constants(void)
{
	uint16_t cs, ss;

	__asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
	vmwrite(VMCS_HOST_CS_SELECTOR, cs);
	vmwrite(VMCS_HOST_SS_SELECTOR, ss);
	vmwrite(VMCS_HOST_DS_SELECTOR, 0);
	vmwrite(VMCS_HOST_ES_SELECTOR, 0);
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, 0);
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_RIP, (uint64_t)vmx_exit);
}

/* --- a vCPU as it begins --- */

static void reset_controls(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);
	const struct vmx_vm *hw = v->vm->hw;

	x->pin = vmx_controls.pin;
	x->primary = vmx_controls.primary;
	x->secondary = vmx_controls.secondary;
	x->entry_info = 0;
	x->tsc_offset = 0;
	x->wants_cr8 = false;
	vmwrite(VMCS_PIN_BASED_CONTROLS, x->pin);
	vmwrite(VMCS_PRIMARY_CONTROLS, x->primary);
	vmwrite(VMCS_SECONDARY_CONTROLS, x->secondary);
	vmwrite(VMCS_VM_EXIT_CONTROLS, vmx_controls.exit);
	vmwrite(VMCS_VM_ENTRY_CONTROLS, vmx_controls.entry);
	vmwrite(VMCS_VM_ENTRY_INTERRUPTION_INFO, 0);
	vmwrite(VMCS_VM_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_VM_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	/* the first two may raise themselves again while they are delivered, for ever; the third is the machine's own */
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(EXCEPTION_DB) | BIT(EXCEPTION_AC) | BIT(EXCEPTION_MC));
	vmwrite(VMCS_PAGE_FAULT_ERROR_MASK, 0);
	vmwrite(VMCS_PAGE_FAULT_ERROR_MATCH, 0);
	vmwrite(VMCS_IO_BITMAP_A, (uint64_t)io_bitmaps);
	vmwrite(VMCS_IO_BITMAP_B, (uint64_t)io_bitmaps + PAGE_SIZE);
	vmwrite(VMCS_MSR_BITMAP, (uint64_t)vmx_msr_bitmap);
	vmwrite(VMCS_TSC_OFFSET, 0);
	vmwrite(VMCS_EPT_POINTER, hw->eptp);
	vmwrite(VMCS_APIC_ACCESS_ADDRESS, (uint64_t)hw->apic_access);
	vmwrite(VMCS_VPID, vpid_of(v));
	vmwrite(VMCS_VMCS_LINK_POINTER, UINT64_MAX); /* no shadow VMCS [24.4.2] */
}

static void reset_state(const struct vcpu_sregs *s)
{
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_PAT, PAT_RESET);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_GUEST_DR7, DR7_RESET);
	vmwrite(VMCS_GUEST_ACTIVITY, 0);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	for (unsigned i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, 0);
	vmx_cr_reset(s->cr0, s->cr4);
}

/* The VMCS is made current for it, on whichever core this is, and belongs to no core afterwards. */
void vmx_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *s)
{
	struct vmx_vcpu *x = vmx_of(v);
	uint64_t before = vmptrst();

	vmx_clear(x->vmcs);
	vmx_current(x->vmcs);
	reset_controls(v);
	host_constants();
	reset_state(s);
	vmx_set_sregs(v, s);
	vmx_apic_reset(v);
	memset(x->msr, 0, sizeof(x->msr));
	x->cr2 = s->cr2;
	x->dr6 = DR6_RESET;
	x->fresh = true;
	vmx_clear(x->vmcs);
	if (before != UINT64_MAX && before != (uint64_t)x->vmcs)
		vmx_current((void *)before);
	fpu_reset(v);
}
