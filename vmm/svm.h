/* SPDX-License-Identifier: MIT */
/*
 * svm.h - between the parts of the SVM back end: svm.c (entry, exit, injection), svm_setup.c, svm_decode.c, svm_state.c
 */
#pragma once

#include "backend.h"
#include "svm_vmcb.h"

struct svm_vcpu {
	struct vmcb *vmcb;
	bool stepping_iret; /* one step with TF, to know that the NMI handler has returned */
};

static inline struct vmcb *vmcb_of(const struct vcpu *v)
{
	return ((struct svm_vcpu *)v->hw)->vmcb;
}

/* svm_injects_irq() - a virtual interrupt is there to be taken, and not as a window. */
static inline bool svm_injects_irq(const struct vmcb *c)
{
	return unlikely(c->int_ctl & V_IRQ) && !(c->intercept[0] & INTERCEPT_VINTR);
}

extern struct vmcb *svm_host[MAX_CPUS]; /* by core: what VMLOAD and VMSAVE switch, of Weir */
extern struct vmm_feature svm_features[];
extern bool svm_has_nrips; /* the hardware tells where the next instruction begins */

/* svm_setup.c: the ops of these names (backend.h) */
int svm_probe(const char **why);
int svm_init_cpu(const char **why);
int svm_vm_create(struct vm *vm);
int svm_vcpu_create(struct vcpu *v);
void svm_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *s);

/* svm_decode.c: the exit that @c has, into v->exit; an event that it interrupted, into v->event. */
void svm_decode(struct vcpu *v, struct vmcb *c);

/* svm_state.c: the ops of these names */
void svm_get_sregs(struct vcpu *v, struct vcpu_sregs *s);
void svm_set_sregs(struct vcpu *v, const struct vcpu_sregs *s); /* of a vCPU that is off */
int svm_get_msr(struct vcpu *v, uint32_t index, uint64_t *value);
int svm_set_msr(struct vcpu *v, uint32_t index, uint64_t value);
void svm_explain(struct vcpu *v, char *text, size_t size);
