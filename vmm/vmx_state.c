/* SPDX-License-Identifier: MIT */
/*
 * vmx_state.c - a guest's registers that only the VMCS has, or the CPU itself, for whoever
 * decodes, emulates or reports
 *
 * On the vCPU's core between an exit and the next entry, its VMCS current.
 */
#include "vmx.h"

#include "kernel/x86.h"
#include "cpu_regs.h"
#include "vmx_check.h"

#include <errno.h>

/* in the order of the VMCS: LDTR and TR stand behind the six of enum segment */
enum { AT_LDTR = SEGMENT_N, AT_TR };

static enum vmcs_field field_of(enum vmcs_field of_es, unsigned segment)
{
	return of_es + VMCS_SEGMENT_STEP * segment;
}

/*
 * A register that holds no segment has no attributes: not present, which is
 * what "unusable" comes to.
 */
static struct vcpu_segment get_segment(unsigned i)
{
	uint32_t rights = vmread(field_of(VMCS_GUEST_ES_ACCESS_RIGHTS, i));
	uint16_t attr = FIELD_GET(RIGHTS_LOW, rights) | FIELD_GET(RIGHTS_HIGH, rights) << 8;

	return (struct vcpu_segment){
		.selector = vmread(field_of(VMCS_GUEST_ES_SELECTOR, i)),
		.attr = rights & RIGHTS_UNUSABLE ? 0 : attr,
		.limit = vmread(field_of(VMCS_GUEST_ES_LIMIT, i)),
		.base = vmread(field_of(VMCS_GUEST_ES_BASE, i)),
	};
}

static void set_segment(unsigned i, const struct vcpu_segment *s)
{
	uint32_t rights = FIELD_PREP(RIGHTS_LOW, s->attr & 0xff) |
			  FIELD_PREP(RIGHTS_HIGH, s->attr >> 8);

	vmwrite(field_of(VMCS_GUEST_ES_SELECTOR, i), s->selector);
	vmwrite(field_of(VMCS_GUEST_ES_ACCESS_RIGHTS, i),
		s->attr & SEG_P ? rights : RIGHTS_UNUSABLE);
	vmwrite(field_of(VMCS_GUEST_ES_LIMIT, i), s->limit);
	vmwrite(field_of(VMCS_GUEST_ES_BASE, i), s->base);
}

/*
 * The current privilege level is that of the stack segment [24.4.1]; CR2 the hardware leaves alone.
 */
void vmx_get_sregs(struct vcpu *v, struct vcpu_sregs *s)
{
	(void)v;
	*s = (struct vcpu_sregs){
		.ldtr = get_segment(AT_LDTR),
		.tr = get_segment(AT_TR),
		.gdt = { vmread(VMCS_GUEST_GDTR_BASE), vmread(VMCS_GUEST_GDTR_LIMIT) },
		.idt = { vmread(VMCS_GUEST_IDTR_BASE), vmread(VMCS_GUEST_IDTR_LIMIT) },
		.cr0 = vmx_cr0(),
		.cr2 = read_cr2(),
		.cr3 = vmread(VMCS_GUEST_CR3),
		.cr4 = vmx_cr4(),
		.efer = vmread(VMCS_GUEST_EFER),
	};
	for (unsigned i = 0; i < SEGMENT_N; i++)
		s->seg[i] = get_segment(i);
	s->cpl = FIELD_GET(SEG_DPL, vmread(VMCS_GUEST_SS_ACCESS_RIGHTS));
}

/* CR0, CR4 and CR2 are set beside it, as they live in several places. */
void vmx_set_sregs(struct vcpu *v, const struct vcpu_sregs *s)
{
	(void)v;
	for (unsigned i = 0; i < SEGMENT_N; i++)
		set_segment(i, &s->seg[i]);
	set_segment(AT_LDTR, &s->ldtr);
	set_segment(AT_TR, &s->tr);
	vmwrite(VMCS_GUEST_GDTR_BASE, s->gdt.base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
	vmwrite(VMCS_GUEST_IDTR_BASE, s->idt.base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
	vmwrite(VMCS_GUEST_CR3, s->cr3);
	vmwrite(VMCS_GUEST_EFER, s->efer);
	vmwrite(VMCS_VM_ENTRY_CONTROLS,
		vmx_controls.entry | (s->efer & EFER_LMA ? ENTRY_CTL_GUEST_64 : 0));
}

/* --- MSRs: in the VMCS, or in the CPU while the guest is this core's current one --- */

static const struct {
	uint32_t index;
	enum vmcs_field field;
} in_vmcs[] = {
	{ MSR_EFER, VMCS_GUEST_EFER },
	{ MSR_PAT, VMCS_GUEST_PAT },
	{ MSR_SYSENTER_CS, VMCS_GUEST_SYSENTER_CS },
	{ MSR_SYSENTER_ESP, VMCS_GUEST_SYSENTER_ESP },
	{ MSR_SYSENTER_EIP, VMCS_GUEST_SYSENTER_EIP },
	{ MSR_FS_BASE, VMCS_GUEST_FS_BASE },
	{ MSR_GS_BASE, VMCS_GUEST_GS_BASE },
};

static const uint32_t in_cpu[VMX_MSRS] = {
	[VMX_STAR] = MSR_STAR,     [VMX_LSTAR] = MSR_LSTAR,         [VMX_CSTAR] = MSR_CSTAR,
	[VMX_SFMASK] = MSR_SFMASK, [VMX_KERNEL_GS] = MSR_KERNEL_GS,
};

int vmx_get_msr(struct vcpu *v, uint32_t index, uint64_t *value)
{
	(void)v;
	for (unsigned i = 0; i < ARRAY_SIZE(in_vmcs); i++) {
		if (in_vmcs[i].index != index)
			continue;
		*value = vmread(in_vmcs[i].field);
		return 0;
	}
	for (unsigned i = 0; i < VMX_MSRS; i++) {
		if (in_cpu[i] != index)
			continue;
		*value = rdmsr(index);
		return 0;
	}
	return -EINVAL;
}

/* The value has been checked by whoever knows which bits a guest may set. */
int vmx_set_msr(struct vcpu *v, uint32_t index, uint64_t value)
{
	(void)v;
	for (unsigned i = 0; i < ARRAY_SIZE(in_vmcs); i++) {
		if (in_vmcs[i].index != index)
			continue;
		vmwrite(in_vmcs[i].field, value);
		return 0;
	}
	for (unsigned i = 0; i < VMX_MSRS; i++) {
		if (in_cpu[i] != index)
			continue;
		wrmsr(index, value);
		return 0;
	}
	return -EINVAL;
}

static void write_dr6(uint64_t value)
{
	__asm__ volatile("mov %0, %%db6" ::"r"(value));
}

static uint64_t read_dr6(void)
{
	uint64_t value;

	__asm__ volatile("mov %%db6, %0" : "=r"(value));
	return value;
}

void vmx_msrs_load(struct vcpu *v)
{
	const struct vmx_vcpu *x = vmx_of(v);

	for (unsigned i = 0; i < VMX_MSRS; i++)
		wrmsr(in_cpu[i], x->msr[i]);
	write_cr2(x->cr2);
	write_dr6(x->dr6);
}

void vmx_msrs_put(struct vcpu *v)
{
	struct vmx_vcpu *x = vmx_of(v);

	for (unsigned i = 0; i < VMX_MSRS; i++)
		x->msr[i] = rdmsr(in_cpu[i]);
	x->cr2 = read_cr2();
	x->dr6 = read_dr6();
}

/*
 * The handler may touch the debug registers: delivery ends their protection, which is left to
 * us [27.1, SDM 3B 17.2.4].
 */
void vmx_note_debug(uint64_t causes)
{
	write_dr6(read_dr6() | causes);
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
}

void vmx_explain(struct vcpu *v, char *text, size_t size)
{
	uint32_t bits = cpuid(0x80000008).eax;
	const struct vmx_view view = {
		.field = vmread,
		.capability = rdmsr,
		.physical_bits = FIELD_GET(CPUID80000008_EAX_PHYSICAL, bits),
		.linear_bits = FIELD_GET(CPUID80000008_EAX_LINEAR, bits),
		.vtpr = v->lapic.tpr,
	};

	/* without an exit reason it was the instruction itself that failed */
	vmx_check(&view, v->exit.hw.hw_reason, v->exit.hw.hw_reason ? 0 : v->exit.hw.info[0], text,
		  size);
}
