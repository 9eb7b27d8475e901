/* SPDX-License-Identifier: MIT */
/*
 * vmx_reset.c - a vCPU's VMCS as it begins, and what a VM exit loads [SDM 3C 24.4 to 24.8, 24.11]
 *
 * vmx_vcpu_reset() runs in the control context, or on the vCPU's core when INIT or STARTUP has
 * come; vmx_host_state(), vmx_current() and vmx_flush() on the vCPU's core. Owns nothing.
 */
#include "vmx.h"

#include "kernel/console.h"
#include "kernel/mem.h"
#include "kernel/x86.h"
#include "cpu_regs.h"
#include "fpu.h"
#include "vm.h"
#include "vmx_insn.h"

#include <string.h>

void vmx_exit(void); /* vmx_enter.S: where a VM exit goes on */

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
	/*
	 * the first two may raise themselves again while they are delivered, for ever; the
	 * third is the machine's own
	 */
	vmwrite(VMCS_EXCEPTION_BITMAP, BIT(EXCEPTION_DB) | BIT(EXCEPTION_AC) | BIT(EXCEPTION_MC));
	vmwrite(VMCS_PAGE_FAULT_ERROR_MASK, 0);
	vmwrite(VMCS_PAGE_FAULT_ERROR_MATCH, 0);
	vmwrite(VMCS_IO_BITMAP_A, (uint64_t)vmx_io_bitmaps);
	vmwrite(VMCS_IO_BITMAP_B, (uint64_t)vmx_io_bitmaps + PAGE_SIZE);
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
