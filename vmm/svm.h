/* SPDX-License-Identifier: MIT */
/*
 * svm.h - between the parts of the SVM back end: svm.c (entry, exit, injection), svm_setup.c,
 * svm_features.c, svm_decode.c, svm_length.c, svm_state.c
 */
#pragma once

#include "backend.h"
#include "svm_vmcb.h"

/* where an instruction without prefixes was found (svm_length.c) */
struct svm_plain {
	uint64_t linear;
	const volatile uint8_t *code; /* its first byte, in the guest's memory */
};

enum { SVM_PLAIN = 16 };

struct svm_vcpu {
	struct vmcb *vmcb;
	bool stepping_iret; /* one step with TF, to know that the NMI handler has returned */
	struct svm_plain plain[SVM_PLAIN];
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

/* the rows of svm_features, those that Weir uses first */
enum svm_feature {
	SVM_NESTED_PAGING,
	SVM_NRIP_SAVE,
	SVM_DECODE_ASSISTS,
	SVM_FLUSH_BY_ASID,
	SVM_VGIF,
	SVM_VNMI,
	SVM_AVIC,
	SVM_VMCB_CLEAN,
	SVM_TSC_SCALE,
	SVM_PAUSE_FILTER,
	SVM_VMSAVE,
	SVM_LBR,
	SVM_FEATURES
};
extern struct vmm_feature svm_features[SVM_FEATURES + 1];

/* svm_uses() - it is there, and the operator has not switched it off. */
static inline bool svm_uses(enum svm_feature f)
{
	return atomic_load_explicit(&svm_features[f].on, memory_order_relaxed);
}

/* svm_setup.c: the ops of these names (backend.h) */
int svm_probe(const char **why);
int svm_init_cpu(const char **why);
int svm_vm_create(struct vm *vm);
int svm_vcpu_create(struct vcpu *v);
void svm_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *s);

/*
 * svm_features.c: svm_features_probe() - what this CPU has, of @edx of CPUID_SVM; what
 * is there and of use is on.
 */
void svm_features_probe(uint32_t edx);

/* svm_decode.c: the exit that @c has, into v->exit; an event that it interrupted, into v->event. */
void svm_decode(struct vcpu *v, struct vmcb *c);
unsigned svm_fetched(struct vcpu *v, uint8_t *bytes); /* the op of this name */

enum { OPCODE_HLT = 0xf4, OPCODE_ESCAPE = 0x0f };

static inline struct svm_plain *svm_plain_at(struct svm_vcpu *s, uint64_t linear)
{
	return &s->plain[linear % SVM_PLAIN];
}

/* svm_length.c, where it was not found before */
unsigned svm_length_read(struct vcpu *v, unsigned len);

/*
 * svm_length() - bytes of the instruction at v->rip, which has @len without
 * prefixes. For CPUs without NRIPS.
 */
static inline unsigned svm_length(struct vcpu *v, unsigned len)
{
	uint8_t first = len == 1 ? OPCODE_HLT : OPCODE_ESCAPE;
	const struct vmcb *c = vmcb_of(v);
	uint64_t linear = c->cs.base + v->rip;
	const struct svm_plain *p = svm_plain_at(v->hw, linear);

	if (likely(p->linear == linear && !c->cpl && *p->code == first))
		return len;
	return svm_length_read(v, len);
}

/* svm_length_reset() - forget where instructions were; @s is off. */
void svm_length_reset(struct svm_vcpu *s);

/* svm_state.c: the ops of these names */
void svm_get_sregs(struct vcpu *v, struct vcpu_sregs *s);
void svm_set_sregs(struct vcpu *v, const struct vcpu_sregs *s); /* of a vCPU that is off */
int svm_get_msr(struct vcpu *v, uint32_t index, uint64_t *value);
int svm_set_msr(struct vcpu *v, uint32_t index, uint64_t value);
void svm_explain(struct vcpu *v, char *text, size_t size);
