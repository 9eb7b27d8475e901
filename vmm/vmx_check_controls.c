/* SPDX-License-Identifier: MIT */
/*
 * vmx_check_controls.c - the rules for the controls of an entry [SDM 3C 26.2.1]
 *
 * Called by vmx_check.c after VM-instruction error 7 or 8. One function a section of the manual.
 */
#include "vmx_check_parts.h"

/* bits that Weir does not use, but that rules are about */
#define EXIT_CTL_SAVE_TIMER    BIT(22)
#define ENTRY_CTL_SMM          BIT(10)
#define ENTRY_CTL_DUAL_MONITOR BIT(11)
#define VMX_MISC_CR3_TARGETS   BITS(24, 16)
#define VMX_BASIC_ANY_ERROR    BIT(56) /* exceptions with or without an error code, as one likes */
#define EPT_CAP_UNCACHEABLE    BIT(8)
#define EPT_CAP_ACCESSED       BIT(21)
#define EPTP_TYPE              BITS(2, 0)
#define EPTP_ACCESSED          BIT(6)
#define EPTP_RESERVED          BITS(11, 7)
#define TPR_THRESHOLD_VALUE    BITS(3, 0)
#define INTR_RESERVED          BITS(30, 12)
#define ERROR_CODE_RESERVED    BITS(31, 15)

/* vectors of exceptions that push an error code: #DF, #TS, #NP, #SS, #GP, #PF, #AC */
#define WITH_ERROR (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))

enum { INTR_TYPE_RESERVED = 1, LONGEST_INSTRUCTION = 15 };

/* [26.2.1] What must be 1 and may be 1 on this CPU [appendix A.3 to A.5]. */
static bool check_capabilities(const struct vmx_check *c)
{
	bool has_true = c->view->capability(MSR_VMX_BASIC) & VMX_BASIC_TRUE;
	const struct {
		enum vmcs_field field;
		uint32_t msr;
	} rows[] = {
		{ VMCS_PIN_BASED_CONTROLS, MSR_VMX_PINBASED + (has_true ? MSR_VMX_TRUE : 0) },
		{ VMCS_PRIMARY_CONTROLS, MSR_VMX_PROCBASED + (has_true ? MSR_VMX_TRUE : 0) },
		{ VMCS_VM_EXIT_CONTROLS, MSR_VMX_EXIT + (has_true ? MSR_VMX_TRUE : 0) },
		{ VMCS_VM_ENTRY_CONTROLS, MSR_VMX_ENTRY + (has_true ? MSR_VMX_TRUE : 0) },
		{ VMCS_SECONDARY_CONTROLS, MSR_VMX_PROCBASED2 },
	};
	unsigned n = ARRAY_SIZE(rows) - (c->primary & PRIMARY_SECONDARY ? 0 : 1);

	for (unsigned i = 0; i < n; i++) {
		uint64_t cap = c->view->capability(rows[i].msr);

		if (vmx_check_bits(c, rows[i].field, (uint32_t)cap, cap >> 32))
			return true;
	}
	return false;
}

/* [26.2.1.1] controls that need one another */
static bool check_execution(const struct vmx_check *c)
{
	uint64_t targets = FIELD_GET(VMX_MISC_CR3_TARGETS, c->view->capability(MSR_VMX_MISC));
	bool tpr = c->primary & PRIMARY_TPR_SHADOW;
	const struct vmx_rule rules[] = {
		{ vmx_field(c, VMCS_CR3_TARGET_COUNT) > targets, VMCS_CR3_TARGET_COUNT,
		  "this CPU has fewer" },
		{ !tpr && (c->secondary & SECONDARY_X2APIC), VMCS_SECONDARY_CONTROLS,
		  "x2APIC mode needs the TPR shadow" },
		{ !tpr && (c->secondary & SECONDARY_APIC_REGISTERS), VMCS_SECONDARY_CONTROLS,
		  "APIC registers need the TPR shadow" },
		{ !tpr && (c->secondary & SECONDARY_VIRTUAL_INTERRUPTS), VMCS_SECONDARY_CONTROLS,
		  "virtual interrupts need the TPR shadow" },
		{ (c->pin & PIN_VIRTUAL_NMI) && !(c->pin & PIN_NMI), VMCS_PIN_BASED_CONTROLS,
		  "virtual NMIs need NMI exiting" },
		{ (c->primary & PRIMARY_NMI_WINDOW) && !(c->pin & PIN_VIRTUAL_NMI),
		  VMCS_PRIMARY_CONTROLS, "an NMI window needs virtual NMIs" },
		{ (c->secondary & SECONDARY_X2APIC) && (c->secondary & SECONDARY_APIC_ACCESSES),
		  VMCS_SECONDARY_CONTROLS, "x2APIC mode or APIC accesses, not both" },
		{ (c->secondary & SECONDARY_VIRTUAL_INTERRUPTS) &&
			  !(c->pin & PIN_EXTERNAL_INTERRUPTS),
		  VMCS_PIN_BASED_CONTROLS, "virtual interrupts need interrupt exiting" },
		{ (c->secondary & SECONDARY_VPID) && !vmx_field(c, VMCS_VPID), VMCS_VPID,
		  "0 is the host's" },
		{ c->unrestricted && !(c->secondary & SECONDARY_EPT), VMCS_SECONDARY_CONTROLS,
		  "an unrestricted guest needs EPT" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.1] pages that the controls name */
static bool check_pages(const struct vmx_check *c)
{
	const struct {
		bool used;
		enum vmcs_field field;
	} pages[] = {
		{ c->primary & PRIMARY_IO_BITMAPS, VMCS_IO_BITMAP_A },
		{ c->primary & PRIMARY_IO_BITMAPS, VMCS_IO_BITMAP_B },
		{ c->primary & PRIMARY_MSR_BITMAPS, VMCS_MSR_BITMAP },
		{ c->primary & PRIMARY_TPR_SHADOW, VMCS_VIRTUAL_APIC_ADDRESS },
		{ c->secondary & SECONDARY_APIC_ACCESSES, VMCS_APIC_ACCESS_ADDRESS },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].used && vmx_misplaced(c, pages[i].field, PAGE_SIZE))
			return vmx_check_say(c, pages[i].field, "must be a page's address");
	return false;
}

/*
 * [26.2.1.1] Not with virtual-interrupt delivery: the CPU looks at priorities itself, the
 * threshold means nothing.
 */
static bool check_tpr_threshold(const struct vmx_check *c)
{
	uint64_t threshold = vmx_field(c, VMCS_TPR_THRESHOLD);
	bool used = (c->primary & PRIMARY_TPR_SHADOW) &&
		    !(c->secondary & SECONDARY_VIRTUAL_INTERRUPTS);
	const struct vmx_rule rules[] = {
		{ used && (threshold & ~TPR_THRESHOLD_VALUE), VMCS_TPR_THRESHOLD,
		  "must not exceed 15" },
		{ used && !(c->secondary & SECONDARY_APIC_ACCESSES) &&
			  (threshold & TPR_THRESHOLD_VALUE) > c->view->vtpr >> 4,
		  VMCS_TPR_THRESHOLD, "must not exceed the guest's priority" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.1] */
static bool check_posted_interrupts(const struct vmx_check *c)
{
	const struct vmx_rule rules[] = {
		{ !(c->secondary & SECONDARY_VIRTUAL_INTERRUPTS), VMCS_SECONDARY_CONTROLS,
		  "posted interrupts need virtual ones" },
		{ !(c->exit & EXIT_CTL_ACK_INTR), VMCS_VM_EXIT_CONTROLS,
		  "posted interrupts need acknowledgement at exits" },
		{ vmx_field(c, VMCS_POSTED_INTERRUPT_VECTOR) > 0xff, VMCS_POSTED_INTERRUPT_VECTOR,
		  "must not exceed 255" },
		{ vmx_misplaced(c, VMCS_POSTED_INTERRUPT_DESCRIPTOR, 64),
		  VMCS_POSTED_INTERRUPT_DESCRIPTOR, "must be a cache line's address" },
	};

	return (c->pin & PIN_POSTED_INTERRUPTS) && vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.1, 24.6.11] */
static bool check_ept_pointer(const struct vmx_check *c)
{
	uint64_t cap = c->view->capability(MSR_VMX_EPT_VPID), p = vmx_field(c, VMCS_EPT_POINTER);
	uint64_t type = FIELD_GET(EPTP_TYPE, p);
	const struct vmx_rule rules[] = {
		{ !((type == EPTP_WRITE_BACK && (cap & EPT_CAP_WRITE_BACK)) ||
		    (type == 0 && (cap & EPT_CAP_UNCACHEABLE))),
		  VMCS_EPT_POINTER, "this CPU lacks that memory type" },
		{ FIELD_GET(EPTP_LEVELS, p) != 3, VMCS_EPT_POINTER, "must have 4 levels" },
		{ (p & EPTP_ACCESSED) && !(cap & EPT_CAP_ACCESSED), VMCS_EPT_POINTER,
		  "this CPU lacks accessed bits" },
		{ (p & EPTP_RESERVED) || vmx_beyond(c, p), VMCS_EPT_POINTER,
		  "reserved bits must be 0" },
	};

	return (c->secondary & SECONDARY_EPT) && vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.2, 26.2.1.3] */
static bool check_exit_and_entry(const struct vmx_check *c)
{
	const struct vmx_rule rules[] = {
		{ (c->exit & EXIT_CTL_SAVE_TIMER) && !(c->pin & PIN_PREEMPTION_TIMER),
		  VMCS_VM_EXIT_CONTROLS, "a timer that is off cannot be saved" },
		{ c->entry & (ENTRY_CTL_SMM | ENTRY_CTL_DUAL_MONITOR), VMCS_VM_ENTRY_CONTROLS,
		  "0xc00 in it is for SMM" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.3] Exceptions alone push error codes, and in real mode not even they. */
static bool check_error_code(const struct vmx_check *c)
{
	bool real = c->unrestricted && !(vmx_field(c, VMCS_GUEST_CR0) & CR0_PE);
	bool may = !real && vmx_injects(c, INTR_TYPE_HARDWARE_EXCEPTION);
	bool must = may && (WITH_ERROR >> FIELD_GET(INTR_VECTOR, c->event) & 1);
	bool any = c->view->capability(MSR_VMX_BASIC) & VMX_BASIC_ANY_ERROR;
	bool error = c->event & INTR_ERROR;
	const struct vmx_rule rules[] = {
		{ error && (any ? !may : !must), VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "this event has no error code" },
		{ !error && must && !any, VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "this exception has an error code" },
		{ error && (vmx_field(c, VMCS_VM_ENTRY_EXCEPTION_ERROR) & ERROR_CODE_RESERVED),
		  VMCS_VM_ENTRY_EXCEPTION_ERROR, "bits 31 to 15 must be 0" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* [26.2.1.3] the event that is to be injected */
static bool check_event(const struct vmx_check *c)
{
	unsigned type = FIELD_GET(INTR_TYPE, c->event), vector = FIELD_GET(INTR_VECTOR, c->event);
	uint64_t length = vmx_field(c, VMCS_VM_ENTRY_INSTRUCTION_LENGTH);
	bool soft = type == INTR_TYPE_SOFTWARE_INTERRUPT || type == INTR_TYPE_SOFTWARE_EXCEPTION ||
		    type == INTR_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION;
	const struct vmx_rule rules[] = {
		{ type == INTR_TYPE_RESERVED, VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "type 1 is reserved" },
		{ type == INTR_TYPE_NMI && vector != 2, VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "an NMI's vector is 2" },
		{ type == INTR_TYPE_HARDWARE_EXCEPTION && vector > 31,
		  VMCS_VM_ENTRY_INTERRUPTION_INFO, "an exception's vector is at most 31" },
		{ type == INTR_TYPE_OTHER && vector, VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "vector 0 only, for this type" },
		{ c->event & INTR_RESERVED, VMCS_VM_ENTRY_INTERRUPTION_INFO,
		  "bits 30 to 12 must be 0" },
		{ soft && (!length || length > LONGEST_INSTRUCTION),
		  VMCS_VM_ENTRY_INSTRUCTION_LENGTH, "an instruction has 1 to 15 bytes" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules)) || check_error_code(c);
}

bool vmx_check_controls(const struct vmx_check *c)
{
	return check_capabilities(c) || check_execution(c) || check_pages(c) ||
	       check_tpr_threshold(c) || check_posted_interrupts(c) || check_ept_pointer(c) ||
	       check_exit_and_entry(c) || (c->event && check_event(c));
}
