/* SPDX-License-Identifier: MIT */
/*
 * vmx_controls.c - which of VT-x's controls a vCPU runs with, as far as this CPU has them [SDM 3C 24.6 to 24.8]
 *
 * Called once at boot on core 0. Each word of controls has bits that Weir needs, bits that it takes where they are
 * offered, and bits that it wants off; the CPU says which must be 1 and which may be 1. Owns vmx_controls.
 */
#include "vmx.h"

#include "kernel/x86.h"

#include <errno.h>

struct vmx_controls vmx_controls;
bool vmx_true_controls;

/* what Weir cannot do without */
#define PIN_NEEDED (PIN_EXTERNAL_INTERRUPTS | PIN_NMI | PIN_VIRTUAL_NMI)
#define PRIMARY_NEEDED                                                                            \
	(PRIMARY_TSC_OFFSETTING | PRIMARY_HLT | PRIMARY_MWAIT | PRIMARY_RDPMC | PRIMARY_MONITOR | \
	 PRIMARY_IO_BITMAPS | PRIMARY_MSR_BITMAPS | PRIMARY_SECONDARY)
#define SECONDARY_NEEDED (SECONDARY_EPT | SECONDARY_UNRESTRICTED | SECONDARY_RDTSCP)
#define EXIT_NEEDED                                                                       \
	(EXIT_CTL_SAVE_DEBUG | EXIT_CTL_HOST_64 | EXIT_CTL_ACK_INTR | EXIT_CTL_SAVE_PAT | \
	 EXIT_CTL_LOAD_PAT | EXIT_CTL_SAVE_EFER | EXIT_CTL_LOAD_EFER)
#define ENTRY_NEEDED (ENTRY_CTL_LOAD_DEBUG | ENTRY_CTL_LOAD_PAT | ENTRY_CTL_LOAD_EFER)

/* what must be off: a CPU that insists on it has no use for Weir. All others are 0 where the CPU lets them be */
#define PRIMARY_FORBIDDEN (PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE | PRIMARY_INTERRUPT_WINDOW)

static const struct control_word {
	const char *name;
	uint32_t msr;
	bool has_true; /* a second MSR tells of the default ones that may be 0 after all */
	uint32_t needed, optional, forbidden;
	size_t at; /* in vmx_controls */
} words[] = {
	{ "pin-based", MSR_VMX_PINBASED, true, PIN_NEEDED, 0, 0,
	  offsetof(struct vmx_controls, pin) },
	{ "primary processor-based", MSR_VMX_PROCBASED, true, PRIMARY_NEEDED, 0, PRIMARY_FORBIDDEN,
	  offsetof(struct vmx_controls, primary) },
	{ "secondary processor-based", MSR_VMX_PROCBASED2, false, SECONDARY_NEEDED,
	  SECONDARY_WBINVD | SECONDARY_INVPCID, 0, offsetof(struct vmx_controls, secondary) },
	{ "VM-exit", MSR_VMX_EXIT, true, EXIT_NEEDED, 0, 0, offsetof(struct vmx_controls, exit) },
	{ "VM-entry", MSR_VMX_ENTRY, true, ENTRY_NEEDED, 0, 0,
	  offsetof(struct vmx_controls, entry) },
};

static uint64_t capability(const struct control_word *w)
{
	return rdmsr(w->msr + (w->has_true && vmx_true_controls ? MSR_VMX_TRUE : 0));
}

/* choose() - the word's value, or -ENODEV. */
static int choose(const struct control_word *w, uint32_t *value)
{
	uint64_t cap = capability(w);
	uint32_t must = cap, may = cap >> 32;

	if ((w->needed & ~may) || (w->forbidden & must))
		return -ENODEV;
	*value = must | w->needed | (w->optional & may);
	return 0;
}

/* A feature is there if the CPU has the control, and what the control itself needs. */
static void find_features(void)
{
	static const struct {
		enum vmx_feature feature, needs; /* itself: nothing else */
		unsigned word;                   /* of words[] */
		uint32_t bits;
	} rows[] = {
		{ VMX_EPT, VMX_EPT, 2, SECONDARY_EPT },
		{ VMX_UNRESTRICTED, VMX_EPT, 2, SECONDARY_UNRESTRICTED },
		{ VMX_TPR_SHADOW, VMX_TPR_SHADOW, 1, PRIMARY_TPR_SHADOW },
		{ VMX_APIC_ACCESSES, VMX_TPR_SHADOW, 2, SECONDARY_APIC_ACCESSES },
		{ VMX_APIC_REGISTERS, VMX_APIC_ACCESSES, 2,
		  SECONDARY_APIC_REGISTERS | SECONDARY_X2APIC },
		{ VMX_VIRTUAL_INTERRUPTS, VMX_APIC_REGISTERS, 2, SECONDARY_VIRTUAL_INTERRUPTS },
		{ VMX_POSTED_INTERRUPTS, VMX_VIRTUAL_INTERRUPTS, 0, PIN_POSTED_INTERRUPTS },
		{ VMX_PREEMPTION_TIMER, VMX_PREEMPTION_TIMER, 0, PIN_PREEMPTION_TIMER },
		{ VMX_VPID, VMX_VPID, 2, SECONDARY_VPID },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vmm_feature *f = &vmx_features[rows[i].feature];
		uint32_t may = capability(&words[rows[i].word]) >> 32;
		bool others = rows[i].needs == rows[i].feature || vmx_features[rows[i].needs].has;

		f->has = others && (may & rows[i].bits) == rows[i].bits;
		atomic_store_explicit(&f->on, f->has, memory_order_relaxed);
	}
}

int vmx_controls_choose(const char **why)
{
	vmx_true_controls = rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE;
	if (!(capability(&words[1]) >> 32 & PRIMARY_SECONDARY)) {
		*why = "this CPU's VT-x has no secondary controls, so no EPT";
		return -ENODEV;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!choose(&words[i], (uint32_t *)((char *)&vmx_controls + words[i].at)))
			continue;
		*why = "this CPU's VT-x lacks a control that Weir needs (EPT, unrestricted guest, "
		       "virtual NMIs, PAT and EFER switching)";
		return -ENODEV;
	}
	find_features();
	return 0;
}
