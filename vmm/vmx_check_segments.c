/* SPDX-License-Identifier: MIT */
/*
 * vmx_check_segments.c - the rules for a guest's segment registers [SDM 3C 26.3.1.2]
 *
 * Called by vmx_check_guest.c. What holds for all eight stands in a table, and beside
 * it what is each one's own.
 */
#include "vmx_check_parts.h"

#define SELECTOR_RPL    BITS(1, 0)
#define SELECTOR_TI     BIT(2)
#define RIGHTS_RESERVED (BITS(31, 17) | BITS(11, 8))

/* as VMCS_FIELDS has them */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, SEGMENTS };

/* types [SDM 3A 3.4.5.1, 3.5]; a bit each */
#define DATA_RW_ACCESSED  BIT(3)
#define STACKS            (BIT(3) | BIT(7))
#define CODE_ACCESSED     (BIT(9) | BIT(11) | BIT(13) | BIT(15))
#define CODE_CONFORMING   (BIT(12) | BIT(13) | BIT(14) | BIT(15))
#define READABLE_ACCESSED (BIT(1) | BIT(3) | BIT(5) | BIT(7) | BIT(11) | BIT(15))
#define LDT               BIT(2)
#define TSS_16_BUSY       BIT(3)
#define TSS_BUSY          BIT(11)

struct segment_fields {
	uint64_t selector, base, limit, rights;
	unsigned type, dpl, rpl;
	bool usable;
};

static enum vmcs_field nth(enum vmcs_field first, unsigned segment)
{
	return first + VMCS_SEGMENT_STEP * segment;
}

static struct segment_fields segment(const struct vmx_check *c, unsigned i)
{
	uint64_t selector = vmx_field(c, nth(VMCS_GUEST_ES_SELECTOR, i));
	uint64_t rights = vmx_field(c, nth(VMCS_GUEST_ES_ACCESS_RIGHTS, i));

	return (struct segment_fields){
		.selector = selector,
		.base = vmx_field(c, nth(VMCS_GUEST_ES_BASE, i)),
		.limit = vmx_field(c, nth(VMCS_GUEST_ES_LIMIT, i)),
		.rights = rights,
		.type = FIELD_GET(RIGHTS_TYPE, rights),
		.dpl = FIELD_GET(RIGHTS_DPL, rights),
		.rpl = FIELD_GET(SELECTOR_RPL, selector),
		.usable = !(rights & RIGHTS_UNUSABLE),
	};
}

static bool check_selectors(const struct vmx_check *c)
{
	struct segment_fields cs = segment(c, CS), ss = segment(c, SS);
	struct segment_fields ldtr = segment(c, LDTR), tr = segment(c, TR);
	bool v86 = vmx_field(c, VMCS_GUEST_RFLAGS) & RFLAGS_VM;
	const struct vmx_rule rules[] = {
		{ tr.selector & SELECTOR_TI, VMCS_GUEST_TR_SELECTOR, "TI must be 0" },
		{ ldtr.usable && (ldtr.selector & SELECTOR_TI), VMCS_GUEST_LDTR_SELECTOR,
		  "TI must be 0" },
		{ !v86 && !c->unrestricted && ss.rpl != cs.rpl, VMCS_GUEST_SS_SELECTOR,
		  "RPL must be that of CS" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* Virtual-8086 mode: nothing is free but the selector. */
static bool check_v86(const struct vmx_check *c, unsigned i)
{
	struct segment_fields s = segment(c, i);
	const struct vmx_rule rules[] = {
		{ s.base != s.selector << 4, nth(VMCS_GUEST_ES_BASE, i),
		  "must be 16 times the selector (VM is 1)" },
		{ s.limit != 0xffff, nth(VMCS_GUEST_ES_LIMIT, i), "must be 0xffff (VM is 1)" },
		{ s.rights != 0xf3, nth(VMCS_GUEST_ES_ACCESS_RIGHTS, i), "must be 0xf3 (VM is 1)" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* A base in 64 bits where the segment has one: FS, GS, LDTR and TR. */
static bool check_base(const struct vmx_check *c, unsigned i)
{
	struct segment_fields s = segment(c, i);
	bool wide = i == FS || i == GS || i == LDTR || i == TR;
	bool counts = s.usable || i == CS || i == FS || i == GS || i == TR;
	const struct vmx_rule rules[] = {
		{ counts && wide && vmx_noncanonical(c, nth(VMCS_GUEST_ES_BASE, i)),
		  nth(VMCS_GUEST_ES_BASE, i), "must be canonical" },
		{ counts && !wide && s.base >> 32, nth(VMCS_GUEST_ES_BASE, i),
		  "bits 63 to 32 must be 0" },
	};

	return vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* types_of() - what the register may hold, a bit a type. */
static uint32_t types_of(const struct vmx_check *c, unsigned i)
{
	switch (i) {
	case CS: return CODE_ACCESSED | (c->unrestricted ? DATA_RW_ACCESSED : 0);
	case SS: return STACKS;
	case LDTR: return LDT;
	case TR: return TSS_BUSY | (c->entry & ENTRY_CTL_GUEST_64 ? 0 : TSS_16_BUSY);
	default: return READABLE_ACCESSED;
	}
}

/* What all have in common, where they hold something at all; CS and TR always do. */
static bool check_rights(const struct vmx_check *c, unsigned i)
{
	struct segment_fields s = segment(c, i);
	enum vmcs_field field = nth(VMCS_GUEST_ES_ACCESS_RIGHTS, i);
	bool system = i == LDTR || i == TR, memory = s.rights & RIGHTS_S;
	bool pages = s.rights & RIGHTS_G;
	const struct vmx_rule rules[] = {
		{ i == TR && !s.usable, field, "must be usable" },
		{ !(types_of(c, i) & BIT(s.type)), field, "no type for this register" },
		{ memory == system, field, system ? "S must be 0" : "S must be 1" },
		{ !(s.rights & RIGHTS_P), field, "P must be 1" },
		{ s.rights & RIGHTS_RESERVED, field, "reserved bits must be 0" },
		{ pages && (s.limit & BITS(11, 0)) != BITS(11, 0), field,
		  "G must be 0, by the limit's low bits" },
		{ !pages && s.limit & BITS(31, 20), field,
		  "G must be 1, by the limit's high bits" },
	};

	return (s.usable || i == CS || i == TR) && vmx_check_rules(c, rules, ARRAY_SIZE(rules));
}

/* Who may use it. SS.DPL is the guest's privilege level. */
static bool check_privilege(const struct vmx_check *c)
{
	struct segment_fields cs = segment(c, CS), ss = segment(c, SS);
	bool real = !(vmx_field(c, VMCS_GUEST_CR0) & CR0_PE);
	bool data = BIT(cs.type) & DATA_RW_ACCESSED, conforming = BIT(cs.type) & CODE_CONFORMING;
	const struct vmx_rule rules[] = {
		{ data && cs.dpl, VMCS_GUEST_CS_ACCESS_RIGHTS, "DPL must be 0 (data)" },
		{ !data && !conforming && cs.dpl != ss.dpl, VMCS_GUEST_CS_ACCESS_RIGHTS,
		  "DPL must be that of SS" },
		{ conforming && cs.dpl > ss.dpl, VMCS_GUEST_CS_ACCESS_RIGHTS,
		  "DPL must not exceed that of SS" },
		{ !c->unrestricted && ss.dpl != ss.rpl, VMCS_GUEST_SS_ACCESS_RIGHTS,
		  "DPL must be the selector's RPL" },
		{ real && ss.dpl, VMCS_GUEST_SS_ACCESS_RIGHTS, "DPL must be 0 in real mode" },
		{ data && ss.dpl, VMCS_GUEST_SS_ACCESS_RIGHTS, "DPL must be 0, CS holds data" },
		{ (c->entry & ENTRY_CTL_GUEST_64) && (cs.rights & RIGHTS_L) &&
			  (cs.rights & RIGHTS_DB),
		  VMCS_GUEST_CS_ACCESS_RIGHTS, "L and D at once" },
	};

	if (vmx_check_rules(c, rules, ARRAY_SIZE(rules)))
		return true;
	for (unsigned i = ES; !c->unrestricted && i <= GS; i++) {
		struct segment_fields s = segment(c, i);

		if (i != CS && i != SS && s.usable && !(BIT(s.type) & CODE_CONFORMING) &&
		    s.dpl < s.rpl)
			return vmx_check_say(c, nth(VMCS_GUEST_ES_ACCESS_RIGHTS, i),
					     "DPL must not be below the selector's RPL");
	}
	return false;
}

bool vmx_check_segments(const struct vmx_check *c)
{
	bool v86 = vmx_field(c, VMCS_GUEST_RFLAGS) & RFLAGS_VM;

	if (check_selectors(c))
		return true;
	for (unsigned i = ES; i < SEGMENTS; i++)
		if ((v86 && i <= GS && check_v86(c, i)) || check_base(c, i) ||
		    (!(v86 && i <= GS) && check_rights(c, i)))
			return true;
	return !v86 && check_privilege(c);
}
