/* SPDX-License-Identifier: MIT */
/*
 * svm_state.c - a guest's registers that only the VMCB has, for whoever decodes, emulates or reports
 *
 * On the vCPU's core between an exit and the next entry, or with the guest off.
 */
#include "svm.h"

#include "kernel/x86.h"

#include <errno.h>

static struct vcpu_segment segment(const struct svm_segment *s)
{
	return (struct vcpu_segment){ s->selector, s->attr, s->limit, s->base };
}

void svm_get_sregs(struct vcpu *v, struct vcpu_sregs *s)
{
	const struct vmcb *c = vmcb_of(v);

	*s = (struct vcpu_sregs){
		.seg = { [SEGMENT_ES] = segment(&c->es),
			 [SEGMENT_CS] = segment(&c->cs),
			 [SEGMENT_SS] = segment(&c->ss),
			 [SEGMENT_DS] = segment(&c->ds),
			 [SEGMENT_FS] = segment(&c->fs),
			 [SEGMENT_GS] = segment(&c->gs) },
		.ldtr = segment(&c->ldtr),
		.tr = segment(&c->tr),
		.gdt = { c->gdtr.base, c->gdtr.limit },
		.idt = { c->idtr.base, c->idtr.limit },
		.cr0 = c->cr0,
		.cr2 = c->cr2,
		.cr3 = c->cr3,
		.cr4 = c->cr4,
		.efer = c->efer & ~EFER_SVME,
		.cpl = c->cpl,
	};
}

static uint64_t *msr_slot(struct vcpu *v, uint32_t index)
{
	struct vmcb *c = vmcb_of(v);

	switch (index) {
	case MSR_EFER: return &c->efer;
	case MSR_PAT: return &c->g_pat;
	case MSR_SYSENTER_CS: return &c->sysenter_cs;
	case MSR_SYSENTER_ESP: return &c->sysenter_esp;
	case MSR_SYSENTER_EIP: return &c->sysenter_eip;
	case MSR_STAR: return &c->star;
	case MSR_LSTAR: return &c->lstar;
	case MSR_CSTAR: return &c->cstar;
	case MSR_SFMASK: return &c->sfmask;
	case MSR_FS_BASE: return &c->fs.base;
	case MSR_GS_BASE: return &c->gs.base;
	case MSR_KERNEL_GS: return &c->kernel_gs_base;
	default: return NULL;
	}
}

int svm_get_msr(struct vcpu *v, uint32_t index, uint64_t *value)
{
	const uint64_t *slot = msr_slot(v, index);

	if (!slot)
		return -EINVAL;
	*value = index == MSR_EFER ? *slot & ~EFER_SVME : *slot;
	return 0;
}

/* The value has been checked by whoever knows which bits a guest may set; SVME stays, or VMRUN refuses. */
int svm_set_msr(struct vcpu *v, uint32_t index, uint64_t value)
{
	uint64_t *slot = msr_slot(v, index);

	if (!slot)
		return -EINVAL;
	*slot = index == MSR_EFER ? value | EFER_SVME : value;
	return 0;
}
