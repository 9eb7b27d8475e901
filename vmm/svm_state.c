/* SPDX-License-Identifier: MIT */
/*
 * svm_state.c - a guest's registers that only the VMCB has, for whoever
 * decodes, emulates or reports
 *
 * On the vCPU's core between an exit and the next entry, or with the guest off.
 */
#include "svm.h"

#include "kernel/x86.h"

#include <errno.h>
#include <stdio.h>

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

static struct svm_segment hw_segment(const struct vcpu_segment *s)
{
	return (struct svm_segment){ s->selector, s->attr, s->limit, s->base };
}

void svm_set_sregs(struct vcpu *v, const struct vcpu_sregs *s)
{
	struct vmcb *c = vmcb_of(v);

	c->es = hw_segment(&s->seg[SEGMENT_ES]);
	c->cs = hw_segment(&s->seg[SEGMENT_CS]);
	c->ss = hw_segment(&s->seg[SEGMENT_SS]);
	c->ds = hw_segment(&s->seg[SEGMENT_DS]);
	c->fs = hw_segment(&s->seg[SEGMENT_FS]);
	c->gs = hw_segment(&s->seg[SEGMENT_GS]);
	c->ldtr = hw_segment(&s->ldtr);
	c->tr = hw_segment(&s->tr);
	c->gdtr = (struct svm_segment){ .base = s->gdt.base, .limit = s->gdt.limit };
	c->idtr = (struct svm_segment){ .base = s->idt.base, .limit = s->idt.limit };
	c->cr0 = s->cr0;
	c->cr2 = s->cr2;
	c->cr3 = s->cr3;
	c->cr4 = s->cr4;
	c->efer = s->efer | EFER_SVME; /* or VMRUN refuses */
	c->cpl = s->cpl;
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

/*
 * The value has been checked by whoever knows which bits a guest may set; SVME
 * stays, or VMRUN refuses.
 */
int svm_set_msr(struct vcpu *v, uint32_t index, uint64_t value)
{
	uint64_t *slot = msr_slot(v, index);

	if (!slot)
		return -EINVAL;
	*slot = index == MSR_EFER ? value | EFER_SVME : value;
	return 0;
}

/*
 * svm_explain() - what VMRUN looks at, in the order of its list [APM2 15.5.1]; the
 * hardware itself does not say.
 */
void svm_explain(struct vcpu *v, char *text, size_t size)
{
	const struct vmcb *c = vmcb_of(v);
	const struct {
		bool wrong;
		const char *field;
		uint64_t value;
		const char *rule;
	} rows[] = {
		{ !(c->efer & EFER_SVME), "EFER", c->efer, "SVME must be 1" },
		{ !(c->cr0 & CR0_CD) && (c->cr0 & CR0_NW), "CR0", c->cr0, "NW needs CD" },
		{ c->cr0 >> 32, "CR0", c->cr0, "bits 63 to 32 must be 0" },
		{ c->dr6 >> 32, "DR6", c->dr6, "bits 63 to 32 must be 0" },
		{ c->dr7 >> 32, "DR7", c->dr7, "bits 63 to 32 must be 0" },
		{ (c->efer & EFER_LME) && (c->cr0 & CR0_PG) && !(c->cr4 & CR4_PAE), "CR4", c->cr4,
		  "long mode needs PAE" },
		{ (c->efer & EFER_LME) && (c->cr0 & CR0_PG) && !(c->cr0 & CR0_PE), "CR0", c->cr0,
		  "PG needs PE" },
		{ (c->efer & EFER_LME) && (c->cr0 & CR0_PG) && (c->cs.attr & SEG_L) &&
			  (c->cs.attr & SEG_DB),
		  "CS attributes", c->cs.attr, "L and D at once" },
		{ !(c->intercept[1] & INTERCEPT_VMRUN), "intercepts", c->intercept[1],
		  "VMRUN must be intercepted" },
		{ !c->asid, "ASID", c->asid, "0 is the host's" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].wrong)
			continue;
		snprintf(text, size, "guest %s is 0x%lx: %s", rows[i].field,
			 (unsigned long)rows[i].value, rows[i].rule);
		return;
	}
	snprintf(text, size, "none of the fields that Weir knows the rules of is wrong");
}
