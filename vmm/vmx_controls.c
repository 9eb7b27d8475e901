/* SPDX-License-Identifier: MIT */
/*
 * vmx_controls.c - which of VT-x's controls a vCPU runs with, as far as this CPU has
 * them [SDM 3C 24.6 to 24.8]
 *
 * Called once at boot on core 0. Each word of controls has bits that Weir needs, bits that it
 * takes where they are offered, and bits that it wants off; the CPU says which must be 1 and which
 * may be 1. Owns vmx_controls.
 */
#include "vmx.h"

#include "kernel/x86.h"

#include <errno.h>

struct vmx_controls vmx_controls;

static bool true_controls; /* a second set of capability MSRs tells of the default ones */

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

/*
 * what must be off: a CPU that insists on it has no use for Weir. All others are 0
 * where the CPU lets them be
 */
#define PRIMARY_FORBIDDEN (PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE | PRIMARY_INTERRUPT_WINDOW)

enum { WORD_PIN, WORD_PRIMARY, WORD_SECONDARY, WORD_EXIT, WORD_ENTRY, WORDS };

static const struct control_word {
	uint32_t *value;
	uint32_t msr;
	bool has_true; /* is one of those that the second set is about */
	uint32_t needed, optional, forbidden;
	const char *lacking;
} words[WORDS] = {
	[WORD_PIN] = { .value = &vmx_controls.pin,
		       .msr = MSR_VMX_PINBASED,
		       .has_true = true,
		       .needed = PIN_NEEDED,
		       .lacking = "this CPU's VT-x has no virtual NMIs" },
	[WORD_PRIMARY] = { .value = &vmx_controls.primary,
			   .msr = MSR_VMX_PROCBASED,
			   .has_true = true,
			   .needed = PRIMARY_NEEDED,
			   .forbidden = PRIMARY_FORBIDDEN,
			   .lacking = "this CPU's VT-x has no bitmaps of ports and MSRs, no TSC "
				      "offset, or exits at each MOV to CR3" },
	[WORD_SECONDARY] = { .value = &vmx_controls.secondary,
			     .msr = MSR_VMX_PROCBASED2,
			     .needed = SECONDARY_NEEDED,
			     .optional = SECONDARY_WBINVD | SECONDARY_INVPCID,
			     .lacking = "this CPU's VT-x has no EPT, no unrestricted guest or no "
					"RDTSCP in guests" },
	[WORD_EXIT] = { .value = &vmx_controls.exit,
			.msr = MSR_VMX_EXIT,
			.has_true = true,
			.needed = EXIT_NEEDED,
			.lacking = "this CPU's VT-x does not switch PAT and EFER at exits" },
	[WORD_ENTRY] = { .value = &vmx_controls.entry,
			 .msr = MSR_VMX_ENTRY,
			 .has_true = true,
			 .needed = ENTRY_NEEDED,
			 .lacking = "this CPU's VT-x does not switch PAT and EFER at entries" },
};

static uint64_t capability(const struct control_word *w)
{
	return rdmsr(w->msr + (w->has_true && true_controls ? MSR_VMX_TRUE : 0));
}

/* choose() - the word's value. 0, or -ENODEV: this CPU cannot have it so. */
static int choose(const struct control_word *w)
{
	uint64_t cap = capability(w);
	uint32_t must = cap, may = cap >> 32;

	if ((w->needed & ~may) || (w->forbidden & must))
		return -ENODEV;
	*w->value = must | w->needed | (w->optional & may);
	return 0;
}

/* What the TLB holds of one VPID can be flushed. */
static bool has_invvpid(void)
{
	uint64_t cap = rdmsr(MSR_VMX_EPT_VPID);

	return (cap & VPID_CAP_INVVPID) && (cap & VPID_CAP_INVVPID_ONE);
}

/* A feature is there if the CPU has the control, and what the control itself needs. */
static void find_features(void)
{
	static const struct {
		enum vmx_feature feature, needs; /* itself: nothing else */
		unsigned word;
		uint32_t bits;
	} rows[] = {
		{ VMX_EPT, VMX_EPT, WORD_SECONDARY, SECONDARY_EPT },
		{ VMX_UNRESTRICTED, VMX_EPT, WORD_SECONDARY, SECONDARY_UNRESTRICTED },
		{ VMX_TPR_SHADOW, VMX_TPR_SHADOW, WORD_PRIMARY, PRIMARY_TPR_SHADOW },
		{ VMX_APIC_ACCESSES, VMX_TPR_SHADOW, WORD_SECONDARY, SECONDARY_APIC_ACCESSES },
		{ VMX_APIC_REGISTERS, VMX_APIC_ACCESSES, WORD_SECONDARY,
		  SECONDARY_APIC_REGISTERS | SECONDARY_X2APIC },
		{ VMX_VIRTUAL_INTERRUPTS, VMX_APIC_REGISTERS, WORD_SECONDARY,
		  SECONDARY_VIRTUAL_INTERRUPTS },
		{ VMX_POSTED_INTERRUPTS, VMX_VIRTUAL_INTERRUPTS, WORD_PIN, PIN_POSTED_INTERRUPTS },
		{ VMX_PREEMPTION_TIMER, VMX_PREEMPTION_TIMER, WORD_PIN, PIN_PREEMPTION_TIMER },
		{ VMX_VPID, VMX_VPID, WORD_SECONDARY, SECONDARY_VPID },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vmm_feature *f = &vmx_features[rows[i].feature];
		uint32_t may = capability(&words[rows[i].word]) >> 32;
		bool others = rows[i].needs == rows[i].feature || vmx_features[rows[i].needs].has;

		if (rows[i].feature == VMX_VPID)
			others = has_invvpid();
		f->has = others && (may & rows[i].bits) == rows[i].bits;
		atomic_store_explicit(&f->on, f->has, memory_order_relaxed);
	}
}

int vmx_controls_choose(const char **why)
{
	true_controls = rdmsr(MSR_VMX_BASIC) & VMX_BASIC_TRUE;
	if (!(capability(&words[WORD_PRIMARY]) >> 32 & PRIMARY_SECONDARY)) {
		*why = "this CPU's VT-x has no secondary controls, so no EPT";
		return -ENODEV;
	}
	for (unsigned i = 0; i < WORDS; i++) {
		if (!choose(&words[i]))
			continue;
		*why = words[i].lacking;
		return -ENODEV;
	}
	find_features();
	return 0;
}
