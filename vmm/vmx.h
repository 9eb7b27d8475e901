/* SPDX-License-Identifier: MIT */
/*
 * vmx.h - between the parts of the VT-x back end: vmx.c (entry, exit, injection), vmx_setup.c,
 * vmx_reset.c, vmx_controls.c, vmx_decode.c, vmx_cr.c, vmx_state.c, vmx_apic.c
 */
#pragma once

#include "backend.h"
#include "vmx_vmcs.h"

/*
 * MSRs that a guest has to itself and no hardware switches: Weir uses none of them, so
 * they change with the vCPU
 */
enum { VMX_STAR, VMX_LSTAR, VMX_CSTAR, VMX_SFMASK, VMX_KERNEL_GS, VMX_MSRS };

struct vmx_vcpu {
	void *vmcs;
	bool launched; /* since VMPTRLD: VMRESUME, not VMLAUNCH */
	bool fresh;    /* its TLB entries on this core are of a life before */

	/* as they stand in the VMCS; writing one costs more than looking here */
	uint32_t pin, primary, secondary, entry_info, tpr_threshold;
	uint64_t tsc_offset;

	bool wants_cr8;
	uint32_t *apic_page;           /* registers of its local APIC where the CPU works on them */
	bool stale;                    /* registers have changed that the page does not show yet */
	_Atomic uint64_t eoi_exits[4]; /* of which vectors the end exits; other cores read it */
	_Atomic bool posted; /* other cores may leave it to the CPU to take what they post */

	/* of the guest while it is not the core's current vCPU */
	uint64_t msr[VMX_MSRS], cr2, dr6;
};

struct vmx_vm {
	uint64_t eptp;
	void *apic_access; /* stands at VLAPIC_BASE where the CPU knows of such; else NULL */
};

static inline struct vmx_vcpu *vmx_of(const struct vcpu *v)
{
	return v->hw;
}

#if __STDC_HOSTED__ /* unit tests on the host: the fixture keeps the fields */
uint64_t vmread(enum vmcs_field field);
void vmwrite(enum vmcs_field field, uint64_t value);
#else
/*
 * A field that this CPU does not have reads 0 and writes nothing: the controls
 * that need it are then off.
 */
static inline uint64_t vmread(enum vmcs_field field)
{
	uint64_t value = 0;

	__asm__ volatile("vmread %1, %0" : "+r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" ::"r"((uint64_t)field), "r"(value) : "cc");
}
#endif

/*
 * vmx_set() - the bits of @mask in a word of controls, which *@word mirrors, become @bits;
 * mostly they are so already.
 */
static inline void vmx_set(enum vmcs_field field, uint32_t *word, uint32_t mask, uint32_t bits)
{
	uint32_t value = (*word & ~mask) | bits;

	if (likely(value == *word))
		return;
	*word = value;
	vmwrite(field, value);
}

/*
 * --- vmx_controls.c: what is switched on, as far as this CPU has it [SDM 3C 24.6
 * to 24.8, appendix A] ---
 */

struct vmx_controls {
	uint32_t pin, primary, secondary, exit, entry;
};

extern struct vmx_controls vmx_controls; /* of a vCPU as it begins; the same on every core */

/*
 * vmx_controls_choose() - fill vmx_controls. 0, or -ENODEV and a sentence in *why: this
 * CPU lacks what Weir needs.
 */
int vmx_controls_choose(const char **why);

/* --- vmx_setup.c: the ops of these names (backend.h) --- */

int vmx_probe(const char **why);
int vmx_init_cpu(const char **why);
int vmx_vm_create(struct vm *vm);
int vmx_vcpu_create(struct vcpu *v);

extern unsigned vmx_timer_rate; /* the preemption timer counts once in 2^rate TSC ticks */
extern uint8_t *vmx_io_bitmaps; /* two pages: ports below 8000H, and the others */
/* the second lets some of the APIC's MSRs through */
extern uint8_t *vmx_msr_bitmap, *vmx_msr_bitmap_x2apic;

/* --- vmx_reset.c --- */

void vmx_vcpu_reset(struct vcpu *v, const struct vcpu_sregs *s); /* the op */
/*
 * vmx_current() - @vmcs is what VMREAD and VMWRITE are about on this core. vmx_clear() -
 * it is no core's any more.
 */
void vmx_current(void *vmcs);
void vmx_clear(void *vmcs);
/* vmx_host_state() - what a VM exit loads, of this core, into the current VMCS. */
void vmx_host_state(void);
/* vmx_flush() - what the TLB holds for @v, on this core. */
void vmx_flush(const struct vcpu *v);

/*
 * --- vmx_decode.c: the exit that has just come, into v->exit; an event that it
 * interrupted, into v->event ---
 */

void vmx_decode(struct vcpu *v);
/* vmx_decode_failed() - VMLAUNCH or VMRESUME itself refused: nothing of the guest was loaded. */
void vmx_decode_failed(struct vcpu *v);

/*
 * vmx_cr.c: vmx_set_cr0(), vmx_set_cr4() - what a MOV of @value does, bits that Weir keeps
 * included. 0, or -EINVAL: takes #GP. vmx_cr0(), vmx_cr4() - as the guest sees it.
 */
int vmx_set_cr0(struct vcpu *v, uint64_t value);
int vmx_set_cr4(struct vcpu *v, uint64_t value);
uint64_t vmx_cr0(void);
uint64_t vmx_cr4(void);
/*
 * vmx_cr_init() - which bits are Weir's. vmx_cr_reset() - registers and shadows of a vCPU as
 * it begins. VMCS current.
 */
void vmx_cr_init(void);
void vmx_cr_reset(uint64_t cr0, uint64_t cr4);

/* --- vmx_apic.c: the CPU's own local APIC for guests [SDM 3C 29] --- */

/* vmx_apic_enter(), vmx_apic_left() - before and after each entry. */
void vmx_apic_enter(struct vcpu *v);
void vmx_apic_left(struct vcpu *v);
void vmx_apic_reset(struct vcpu *v);  /* VMCS current */
bool vmx_apic_notify(struct vcpu *v); /* the op */
void vmx_apic_allow(uint8_t *bitmap, void (*allow)(uint8_t *bitmap, uint32_t msr, bool write));
struct nested_bits;
int vmx_apic_vm_create(uint64_t *ept, const struct nested_bits *bits, void **page);

enum vmx_feature {
	VMX_EPT,
	VMX_UNRESTRICTED,
	VMX_TPR_SHADOW,
	VMX_APIC_ACCESSES,
	VMX_APIC_REGISTERS,
	VMX_VIRTUAL_INTERRUPTS,
	VMX_POSTED_INTERRUPTS,
	VMX_PREEMPTION_TIMER,
	VMX_VPID,
	VMX_FEATURES,
};
extern struct vmm_feature vmx_features[VMX_FEATURES + 1];

/* vmx_has() - the operator may have switched it off since the last entry. */
static inline bool vmx_has(enum vmx_feature f)
{
	return atomic_load_explicit(&vmx_features[f].on, memory_order_relaxed);
}

/* --- vmx_state.c: the ops of these names --- */

void vmx_get_sregs(struct vcpu *v, struct vcpu_sregs *s);
void vmx_set_sregs(struct vcpu *v, const struct vcpu_sregs *s); /* VMCS current */
int vmx_get_msr(struct vcpu *v, uint32_t index, uint64_t *value);
int vmx_set_msr(struct vcpu *v, uint32_t index, uint64_t value);
void vmx_msrs_load(struct vcpu *v);
void vmx_msrs_put(struct vcpu *v);
void vmx_note_debug(uint64_t causes); /* a #DB is due: what else delivery does, to DR6 and DR7 */
void vmx_explain(struct vcpu *v, char *text, size_t size);
