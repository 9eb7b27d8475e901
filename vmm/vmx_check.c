/* SPDX-License-Identifier: MIT */
/*
 * vmx_check.c - why a VM entry failed: what the CPU says itself, then the rules that it leaves to
 * the reader to go through
 *
 * Called by vmx_explain() when a guest is about to die, on the vCPU's core. Reads through a view
 * and owns nothing, so the rules are tested on the host. Fields that Weir does not have in its VMCS
 * (lists of MSRs, shadow VMCSs, SMM) have no rules here.
 */
#include "vmx_check.h"
#include "vmx_check_parts.h"

#include <stdio.h>
#include <string.h>

#define PAT_TYPES (BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6) | BIT(7)) /* UC WC WT WP WB UC- */

const char *vmcs_field_name(uint32_t encoding)
{
	switch (encoding) {
#define X(id, code) \
	case code: return #id;
		VMCS_FIELDS(X)
#undef X
	default: return NULL;
	}
}

/* say_name() - "guest RFLAGS" for GUEST_RFLAGS. */
static int say_name(char *text, size_t size, enum vmcs_field field)
{
	static const char guest[] = "GUEST_", host[] = "HOST_";
	const char *name = vmcs_field_name(field);

	if (!strncmp(name, guest, sizeof(guest) - 1))
		return snprintf(text, size, "guest %s", name + sizeof(guest) - 1);
	if (!strncmp(name, host, sizeof(host) - 1))
		return snprintf(text, size, "host %s", name + sizeof(host) - 1);
	return snprintf(text, size, "%s", name);
}

bool vmx_check_say(const struct vmx_check *c, enum vmcs_field field, const char *rule)
{
	char name[40];

	say_name(name, sizeof(name), field);
	snprintf(c->text, c->size, "%s (%04x) is 0x%lx: %s", name, field,
		 (unsigned long)vmx_field(c, field), rule);
	return true;
}

bool vmx_check_rules(const struct vmx_check *c, const struct vmx_rule *rules, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (rules[i].broken)
			return vmx_check_say(c, rules[i].field, rules[i].rule);
	return false;
}

bool vmx_check_bits(const struct vmx_check *c, enum vmcs_field field, uint64_t must, uint64_t may)
{
	uint64_t value = vmx_field(c, field), missing = must & ~value, extra = value & ~may;
	char rule[48];

	if (!missing && !extra)
		return false;
	snprintf(rule, sizeof(rule), "0x%lx in it must be %d",
		 (unsigned long)(missing ? missing : extra), !!missing);
	return vmx_check_say(c, field, rule);
}

bool vmx_beyond(const struct vmx_check *c, uint64_t physical)
{
	return physical & ~BITS(c->view->physical_bits - 1, 0);
}

bool vmx_misplaced(const struct vmx_check *c, enum vmcs_field field, uint64_t align)
{
	uint64_t address = vmx_field(c, field);

	return (address & (align - 1)) || vmx_beyond(c, address);
}

bool vmx_noncanonical(const struct vmx_check *c, enum vmcs_field field)
{
	unsigned unused = 64 - c->view->linear_bits;
	uint64_t address = vmx_field(c, field);

	return (uint64_t)((int64_t)(address << unused) >> unused) != address;
}

bool vmx_bad_pat(uint64_t pat)
{
	for (unsigned i = 0; i < 64; i += 8)
		if ((pat >> i & 0xff) > 7 || !(PAT_TYPES & BIT(pat >> i & 7)))
			return true;
	return false;
}

bool vmx_injects(const struct vmx_check *c, unsigned type)
{
	return c->event && FIELD_GET(INTR_TYPE, c->event) == type;
}

/*
 * The instruction itself refused [SDM 3C 30.4]; of the numbers there those that an entry can give.
 */
static const char *instruction_error_text(uint64_t error)
{
	switch (error) {
	case 4: return "VMLAUNCH, but the VMCS has been launched";
	case 5: return "VMRESUME, but the VMCS has not been launched";
	case 6: return "VMRESUME, but VMX was left since VMLAUNCH";
	case 7: return "a control is invalid, by no rule that Weir knows";
	case 8: return "the host's state is invalid, by no rule that Weir knows";
	case 26: return "an entry right behind MOV SS";
	default: return "which no VM entry should give";
	}
}

static void explain_instruction(const struct vmx_check *c, uint64_t error)
{
	/* either may come first, so the number does not clear the other [26.2] */
	if (error == 7 && (vmx_check_controls(c) || vmx_check_host(c)))
		return;
	if (error == 8 && (vmx_check_host(c) || vmx_check_controls(c)))
		return;
	snprintf(c->text, c->size, "VM-instruction error %lu: %s", (unsigned long)error,
		 instruction_error_text(error));
}

/* The guest's state was being loaded [26.8]. */
static void explain_loading(const struct vmx_check *c, uint64_t exit_reason)
{
	unsigned long info = vmx_field(c, VMCS_EXIT_QUALIFICATION);

	switch (FIELD_GET(EXIT_REASON_BASIC, exit_reason)) {
	case VMX_EXIT_INVALID_GUEST_STATE:
		if (!vmx_check_guest(c))
			snprintf(c->text, c->size,
				 "the guest's state is invalid (%lu), by no rule that Weir knows",
				 info);
		return;
	case VMX_EXIT_MSR_LOADING:
		snprintf(c->text, c->size, "entry %lu of the list of MSRs cannot be loaded", info);
		return;
	case VMX_EXIT_MACHINE_CHECK:
		snprintf(c->text, c->size, "a machine check came during the entry");
		return;
	default:
		snprintf(c->text, c->size, "exit reason 0x%lx, which is no failed entry",
			 (unsigned long)exit_reason);
	}
}

static struct vmx_check check_of(const struct vmx_view *view, char *text, size_t size)
{
	uint32_t primary = view->field(VMCS_PRIMARY_CONTROLS);
	uint32_t event = view->field(VMCS_VM_ENTRY_INTERRUPTION_INFO);
	struct vmx_check c = {
		.view = view,
		.text = text,
		.size = size,
		.pin = view->field(VMCS_PIN_BASED_CONTROLS),
		.primary = primary,
		/* as if all 0 where they are not activated [26.2.1.1] */
		.secondary = primary & PRIMARY_SECONDARY ? view->field(VMCS_SECONDARY_CONTROLS) : 0,
		.exit = view->field(VMCS_VM_EXIT_CONTROLS),
		.entry = view->field(VMCS_VM_ENTRY_CONTROLS),
		.event = event & INTR_VALID ? event : 0,
	};

	c.unrestricted = c.secondary & SECONDARY_UNRESTRICTED;
	return c;
}

void vmx_check(const struct vmx_view *view, uint64_t exit_reason, uint64_t instruction_error,
	       char *text, size_t size)
{
	struct vmx_check c = check_of(view, text, size);

	if (exit_reason)
		explain_loading(&c, exit_reason);
	else
		explain_instruction(&c, instruction_error);
}
