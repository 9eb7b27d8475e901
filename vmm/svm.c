/* SPDX-License-Identifier: MIT */
/*
 * svm.c - the back end for AMD's SVM: into the guest and out, and what an entry
 * brings with it [APM2 15]
 *
 * Called by vcpu.c on the vCPU's core. The gate is GIF: with CLGI nothing interrupts, then IF
 * is set, so what comes in the meantime makes VMRUN exit at once. #VMEXIT leaves GIF clear;
 * STGI lets the interrupt in.
 */
#include "svm.h"

#include "kernel/x86.h"
#include "fpu.h"

void svm_vmrun(struct vmcb *guest, struct vmcb *host, uint64_t *gpr); /* svm_enter.S */

static void svm_vcpu_load(struct vcpu *v)
{
	fpu_load(v);
	/* another guest may have had the ASID on this core */
	vmcb_of(v)->tlb_control = svm_uses(SVM_FLUSH_BY_ASID) ? TLB_FLUSH_ASID : TLB_FLUSH_ALL;
}

static void svm_vcpu_put(struct vcpu *v)
{
	fpu_put(v);
}

static inline void svm_close_gate(void)
{
	__asm__ volatile("clgi; sti" ::: "memory");
}

static inline void svm_open_gate(void)
{
	__asm__ volatile("cli; stgi" ::: "memory");
}

/*
 * What the guest has changed. A guest that was not entered has not; what TCG leaves in the
 * VMCB then is Weir's own.
 */
static inline void take_registers(struct vcpu *v, const struct vmcb *c)
{
	v->gpr[GPR_RAX] = c->rax;
	v->gpr[GPR_RSP] = c->rsp;
	v->rip = c->rip;
	v->rflags = c->rflags;
	v->irq_shadow = c->int_shadow & INT_SHADOW;
}

/*
 * Of what VMRUN refuses, the one thing that a guest can bring about: TCG lets it write CR0 so,
 * where a CPU faults. TCG leaves Weir's registers in the VMCB after a refusal, and the report would
 * be about those; so it is foreseen.
 */
static inline bool is_refused(const struct vmcb *c)
{
	return (c->cr0 & (CR0_NW | CR0_CD)) == CR0_NW;
}

static void refuse(struct vmcb *c)
{
	c->exit_code = SVM_EXIT_INVALID;
	c->exit_info_1 = c->exit_info_2 = 0;
	c->exit_int_info = 0;
}

static void svm_run(struct vcpu *v)
{
	struct vmcb *c = vmcb_of(v);
	uint8_t tpr = v->lapic.tpr >> 4;

	c->rax = v->gpr[GPR_RAX];
	c->rsp = v->gpr[GPR_RSP];
	c->rip = v->rip;
	c->rflags = v->rflags;
	c->int_shadow = v->irq_shadow ? INT_SHADOW : 0;
	c->int_ctl = (c->int_ctl & ~V_TPR) | tpr;
	c->tsc_offset = v->tsc_offset;
	if (likely(!is_refused(c)))
		svm_vmrun(c, svm_host[this_cpu()->id], v->gpr);
	else
		refuse(c);
	if (likely((uint32_t)c->exit_code != SVM_EXIT_INVALID))
		take_registers(v, c);
	if (unlikely((c->int_ctl & V_TPR) != tpr))
		v->lapic.tpr = (c->int_ctl & V_TPR) << 4;
	c->event_inj = 0;
	c->tlb_control = TLB_KEEP;
	__asm__ volatile("stgi" ::: "memory"); /* IF is set: what made it exit is taken here */
	svm_decode(v, c);
}

/* --- what the next entry brings --- */

/*
 * A virtual interrupt of highest priority: the guest takes it before its next instruction, since it
 * can [APM2 15.21.4]. Not by event_inj: TCG then remembers the vector, and may deliver it a second
 * time at any instruction, IF or not. What is still there at the exit was not taken, and
 * svm_decode() takes it back.
 */
static void inject_irq(struct vmcb *c, uint8_t vector)
{
	c->int_ctl &= ~V_INTR_VECTOR;
	c->int_ctl |= V_IRQ | V_IGN_TPR | V_INTR_PRIO | FIELD_PREP(V_INTR_VECTOR, vector);
	c->intercept[0] &= ~INTERCEPT_VINTR;
}

static void svm_inject(struct vcpu *v, const struct vcpu_event *e)
{
	struct vmcb *c = vmcb_of(v);
	unsigned type = e->type == EVENT_NMI ? EVENT_TYPE_NMI : EVENT_TYPE_EXC;

	if (likely(e->type == EVENT_IRQ)) {
		inject_irq(c, e->vector);
		return;
	}
	if (e->type == EVENT_EXCEPTION && e->vector == EXCEPTION_PF)
		c->cr2 = e->cr2; /* the CPU leaves it as it is [APM2 15.20] */
	if (e->type == EVENT_EXCEPTION)
		c->dr6 |= e->dr6;
	c->event_inj = EVENT_VALID | FIELD_PREP(EVENT_TYPE, type) |
		       FIELD_PREP(EVENT_VECTOR, e->vector) | (e->has_error ? EVENT_ERROR_SENT : 0) |
		       FIELD_PREP(EVENT_ERROR, e->error);
}

/*
 * A virtual interrupt that is never taken: it exits when it could be. There is but one, so not
 * beside an interrupt that is being injected: that one's end of interrupt exits, and the next entry
 * looks again.
 */
static void svm_want_irq_window(struct vcpu *v, bool on)
{
	struct vmcb *c = vmcb_of(v);

	if (on && svm_injects_irq(c))
		return;
	if (on) {
		c->int_ctl |= V_IRQ | V_IGN_TPR | V_INTR_PRIO;
		c->intercept[0] |= INTERCEPT_VINTR;
	} else {
		c->int_ctl &= ~(V_IRQ | V_IGN_TPR | V_INTR_PRIO);
		c->intercept[0] &= ~INTERCEPT_VINTR;
	}
}

static void svm_want_nmi_window(struct vcpu *v, bool on)
{
	struct svm_vcpu *s = v->hw;

	if (on && !s->stepping_iret)
		s->vmcb->intercept[0] |= INTERCEPT_IRET;
	else
		s->vmcb->intercept[0] &= ~INTERCEPT_IRET;
}

static void svm_want_cr8(struct vcpu *v, bool on)
{
	if (on)
		vmcb_of(v)->cr_write |= INTERCEPT_CR8_WRITE;
	else
		vmcb_of(v)->cr_write &= ~INTERCEPT_CR8_WRITE;
}

const struct vmm_backend svm_backend = {
	.name = "SVM",
	.probe = svm_probe,
	.init_cpu = svm_init_cpu,
	.vm_create = svm_vm_create,
	.vcpu_create = svm_vcpu_create,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_load = svm_vcpu_load,
	.vcpu_put = svm_vcpu_put,
	.run = svm_run,
	.close_gate = svm_close_gate,
	.open_gate = svm_open_gate,
	.inject = svm_inject,
	.want_irq_window = svm_want_irq_window,
	.want_nmi_window = svm_want_nmi_window,
	.want_cr8 = svm_want_cr8,
	.get_sregs = svm_get_sregs,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.fetched = svm_fetched,
	.explain = svm_explain,
	.features = svm_features,
};
