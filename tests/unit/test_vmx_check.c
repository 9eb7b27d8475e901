/* SPDX-License-Identifier: MIT */
/* links: vmm/vmx_check.c vmm/vmx_check_controls.c vmm/vmx_check_host.c vmm/vmx_check_guest.c vmm/vmx_check_segments.c tests/unit/fake_vmx.c */
/*
 * test_vmx_check.c - each rule of a VM entry broken once, and the sentence that names the field
 *
 * Every row begins with a VMCS that any CPU would enter, and changes as little as breaks one rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/x86.h"
#include "tests/unit/fake_vmx.h"
#include "vmm/backend.h"
#include "vmm/vmx_check.h"

#define INVALID_GUEST (EXIT_REASON_ENTRY_FAILED | VMX_EXIT_INVALID_GUEST_STATE)
#define NONCANONICAL  (UINT64_C(1) << 47)
#define NO_MEMORY     (UINT64_C(1) << 40) /* beyond 39 bits */

enum { INVALID_CONTROL = 7, INVALID_HOST = 8 };

static const struct vmx_view *view(uint8_t vtpr)
{
	static struct vmx_view v;

	v = (struct vmx_view){
		.field = vmread,
		.capability = rdmsr,
		.physical_bits = 39,
		.linear_bits = 48,
		.vtpr = vtpr,
	};
	return &v;
}

static char text[EXPLAIN_SIZE + 64];

static void check(uint64_t reason, uint64_t error)
{
	memset(text, 0, sizeof(text));
	vmx_check(view(0), reason, error, text, sizeof(text));
	if (strlen(text) >= EXPLAIN_SIZE)
		fail_msg("%zu characters are too many: %s", strlen(text), text);
}

typedef void (*guest_fn)(void);

static const struct {
	const char *name;
	guest_fn make;
} guests[] = {
	{ "64-bit", fake_vmx_guest_64 },
	{ "32-bit", fake_vmx_guest_32 },
	{ "real mode", fake_vmx_guest_real },
};

static void a_valid_state_breaks_no_rule(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
		guests[i].make();
		check(INVALID_GUEST, 0);
		assert_string_equal(text,
				    "the guest's state is invalid (0), by no rule that Weir knows");
		check(0, INVALID_CONTROL);
		assert_string_equal(
			text,
			"VM-instruction error 7: a control is invalid, by no rule that Weir knows");
		check(0, INVALID_HOST);
		assert_string_equal(text, "VM-instruction error 8: the host's state is invalid, by "
					  "no rule that Weir knows");
	}
}

/* --- a rule a row --- */

struct change {
	enum vmcs_field field;
	uint64_t clear, set; /* bits; clear goes first */
};

#define ALL       ~UINT64_C(0)
#define TO(value) ALL, value

struct row {
	guest_fn make;
	struct change change[4]; /* up to one of field 0 that sets nothing */
	const char *text;
};

static void apply(const struct change *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (c[i].clear || c[i].set)
			fake_vmcs[c[i].field] = (fake_vmcs[c[i].field] & ~c[i].clear) | c[i].set;
}

static void each_says(const struct row *rows, unsigned n, uint64_t reason, uint64_t error)
{
	for (unsigned i = 0; i < n; i++) {
		rows[i].make();
		apply(rows[i].change, ARRAY_SIZE(rows[i].change));
		check(reason, error);
		if (strcmp(text, rows[i].text))
			fail_msg("row %u:\nexpected: %s\nsaw:      %s", i, rows[i].text, text);
	}
}

#define G64  fake_vmx_guest_64
#define G32  fake_vmx_guest_32
#define REAL fake_vmx_guest_real

#define RESTRICTED                                                 \
	{                                                          \
		VMCS_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED, 0 \
	}
#define INJECT(type, vector)                                                             \
	{                                                                                \
		VMCS_VM_ENTRY_INTERRUPTION_INFO, TO(INTR_VALID | (type) << 8 | (vector)) \
	}

static void registers_of_the_guest(void **state)
{
	static const struct row rows[] = {
		/* control registers */
		{ G64,
		  { { VMCS_GUEST_CR0, CR0_NE, 0 } },
		  "guest CR0 (6800) is 0x80000001: 0x20 in it must be 1" },
		{ G64,
		  { { VMCS_GUEST_CR0, 0, BIT(32) } },
		  "guest CR0 (6800) is 0x180000021: 0x100000000 in it must be 0" },
		{ REAL, { RESTRICTED }, "guest CR0 (6800) is 0x20: 0x80000001 in it must be 1" },
		{ G64,
		  { { VMCS_GUEST_CR4, CR4_VMXE, 0 } },
		  "guest CR4 (6804) is 0x20: 0x2000 in it must be 1" },
		{ G64,
		  { { VMCS_GUEST_CR4, 0, BIT(24) } },
		  "guest CR4 (6804) is 0x1002020: 0x1000000 in it must be 0" },
		{ REAL,
		  { { VMCS_GUEST_CR0, 0, CR0_PG } },
		  "guest CR0 (6800) is 0x80000020: PG needs PE" },
		{ G64,
		  { { VMCS_GUEST_DEBUGCTL, 0, BIT(3) } },
		  "guest DEBUGCTL (2802) is 0x8: reserved bits must be 0" },
		{ G64,
		  { { VMCS_GUEST_CR0, CR0_PG, 0 } },
		  "guest CR0 (6800) is 0x21: long mode needs PG" },
		{ G64,
		  { { VMCS_GUEST_CR4, CR4_PAE, 0 } },
		  "guest CR4 (6804) is 0x2000: long mode needs PAE" },
		{ G32,
		  { { VMCS_GUEST_CR4, 0, BIT(17) } },
		  "guest CR4 (6804) is 0x22000: PCIDE needs long mode" },
		{ G64,
		  { { VMCS_GUEST_CR3, TO(NO_MEMORY) } },
		  "guest CR3 (6802) is 0x10000000000: no such physical address" },
		{ G64,
		  { { VMCS_GUEST_DR7, 0, BIT(32) } },
		  "guest DR7 (681a) is 0x100000400: bits 63 to 32 must be 0" },
		/* MSRs */
		{ G64,
		  { { VMCS_GUEST_SYSENTER_ESP, TO(NONCANONICAL) } },
		  "guest SYSENTER_ESP (6824) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_SYSENTER_EIP, TO(NONCANONICAL) } },
		  "guest SYSENTER_EIP (6826) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_PAT, TO(0x0300) } },
		  "guest PAT (2804) is 0x300: 2 and 3 are no memory types" },
		{ G64,
		  { { VMCS_GUEST_PAT, TO(0x0e) } },
		  "guest PAT (2804) is 0xe: 2 and 3 are no memory types" },
		{ G64,
		  { { VMCS_GUEST_EFER, 0, BIT(1) } },
		  "guest EFER (2806) is 0x502: reserved bits must be 0" },
		{ G64,
		  { { VMCS_GUEST_EFER, EFER_LMA, 0 } },
		  "guest EFER (2806) is 0x100: LMA must be as the entry's long mode" },
		{ G32,
		  { { VMCS_GUEST_EFER, 0, EFER_LMA } },
		  "guest EFER (2806) is 0x400: LMA must be as the entry's long mode" },
		{ G64,
		  { { VMCS_GUEST_EFER, EFER_LME, 0 } },
		  "guest EFER (2806) is 0x400: LME must be as LMA when CR0.PG is 1" },
		/* descriptor tables */
		{ G64,
		  { { VMCS_GUEST_GDTR_BASE, TO(NONCANONICAL) } },
		  "guest GDTR_BASE (6816) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_IDTR_BASE, TO(NONCANONICAL) } },
		  "guest IDTR_BASE (6818) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_GDTR_LIMIT, TO(0x10000) } },
		  "guest GDTR_LIMIT (4810) is 0x10000: bits 31 to 16 must be 0" },
		{ G64,
		  { { VMCS_GUEST_IDTR_LIMIT, TO(0x10000) } },
		  "guest IDTR_LIMIT (4812) is 0x10000: bits 31 to 16 must be 0" },
		/* RIP and RFLAGS */
		{ G64,
		  { { VMCS_GUEST_RIP, TO(NONCANONICAL) } },
		  "guest RIP (681e) is 0x800000000000: must be canonical" },
		{ G32,
		  { { VMCS_GUEST_RIP, 0, BIT(32) } },
		  "guest RIP (681e) is 0x100001000: bits 63 to 32 must be 0" },
		{ G32,
		  { { VMCS_GUEST_RIP, 0, BIT(32) }, { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, RIGHTS_L } },
		  "guest RIP (681e) is 0x100001000: bits 63 to 32 must be 0" },
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, RIGHTS_L, 0 } },
		  "guest RIP (681e) is 0xffffffff81000000: bits 63 to 32 must be 0" },
		{ G64,
		  { { VMCS_GUEST_RFLAGS, TO(0) } },
		  "guest RFLAGS (6820) is 0x0: bit 1 must be 1" },
		{ G64,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(3) } },
		  "guest RFLAGS (6820) is 0xa: reserved bits must be 0" },
		{ G64,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(17) } },
		  "guest RFLAGS (6820) is 0x20002: no VM in long mode" },
		{ REAL,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(17) } },
		  "guest RFLAGS (6820) is 0x20002: no VM in real mode" },
		{ G64,
		  { INJECT(INTR_TYPE_EXTERNAL, 0x30) },
		  "guest RFLAGS (6820) is 0x2: IF must be 1, an interrupt is injected" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), INVALID_GUEST, 0);
}

static void segments_of_the_guest(void **state)
{
	static const struct row rows[] = {
		/* selectors */
		{ G64,
		  { { VMCS_GUEST_TR_SELECTOR, 0, BIT(2) } },
		  "guest TR_SELECTOR (080e) is 0x24: TI must be 0" },
		{ G64,
		  { { VMCS_GUEST_LDTR_ACCESS_RIGHTS, TO(0x82) },
		    { VMCS_GUEST_LDTR_SELECTOR, TO(4) } },
		  "guest LDTR_SELECTOR (080c) is 0x4: TI must be 0" },
		{ G64,
		  { RESTRICTED, { VMCS_GUEST_SS_SELECTOR, 0, 3 } },
		  "guest SS_SELECTOR (0804) is 0x1b: RPL must be that of CS" },
		/* bases */
		{ G64,
		  { { VMCS_GUEST_CS_BASE, TO(BIT(32)) } },
		  "guest CS_BASE (6808) is 0x100000000: bits 63 to 32 must be 0" },
		{ G64,
		  { { VMCS_GUEST_ES_BASE, TO(BIT(32)) } },
		  "guest ES_BASE (6806) is 0x100000000: bits 63 to 32 must be 0" },
		{ G64,
		  { { VMCS_GUEST_FS_BASE, TO(NONCANONICAL) } },
		  "guest FS_BASE (680e) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_TR_BASE, TO(NONCANONICAL) } },
		  "guest TR_BASE (6814) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_GS_BASE, TO(NONCANONICAL) },
		    { VMCS_GUEST_GS_ACCESS_RIGHTS, TO(RIGHTS_UNUSABLE) } },
		  "guest GS_BASE (6810) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_FS_BASE, TO(NONCANONICAL) },
		    { VMCS_GUEST_FS_ACCESS_RIGHTS, TO(RIGHTS_UNUSABLE) } },
		  "guest FS_BASE (680e) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_LDTR_BASE, TO(NONCANONICAL) },
		    { VMCS_GUEST_LDTR_ACCESS_RIGHTS, TO(0x82) } },
		  "guest LDTR_BASE (6812) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_TR_BASE, TO(NONCANONICAL) },
		    { VMCS_GUEST_TR_ACCESS_RIGHTS, 0, RIGHTS_UNUSABLE } },
		  "guest TR_BASE (6814) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_GUEST_CS_BASE, TO(BIT(32)) },
		    { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, RIGHTS_UNUSABLE } },
		  "guest CS_BASE (6808) is 0x100000000: bits 63 to 32 must be 0" },
		/* types */
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 1, 0 } },
		  "guest CS_ACCESS_RIGHTS (4816) is 0xa09a: no type for this register" },
		{ G64,
		  { { VMCS_GUEST_SS_ACCESS_RIGHTS, TO(0xc091) } },
		  "guest SS_ACCESS_RIGHTS (4818) is 0xc091: no type for this register" },
		{ G64,
		  { { VMCS_GUEST_DS_ACCESS_RIGHTS, TO(0xc099) } },
		  "guest DS_ACCESS_RIGHTS (481a) is 0xc099: no type for this register" },
		{ G64,
		  { { VMCS_GUEST_TR_ACCESS_RIGHTS, TO(0x83) } },
		  "guest TR_ACCESS_RIGHTS (4822) is 0x83: no type for this register" },
		{ G64,
		  { { VMCS_GUEST_LDTR_ACCESS_RIGHTS, TO(0x81) } },
		  "guest LDTR_ACCESS_RIGHTS (4820) is 0x81: no type for this register" },
		/* the rest of the rights */
		{ G64,
		  { { VMCS_GUEST_TR_ACCESS_RIGHTS, 0, RIGHTS_UNUSABLE } },
		  "guest TR_ACCESS_RIGHTS (4822) is 0x1008b: must be usable" },
		{ G64,
		  { { VMCS_GUEST_ES_ACCESS_RIGHTS, BIT(4), 0 } },
		  "guest ES_ACCESS_RIGHTS (4814) is 0xc083: S must be 1" },
		{ G64,
		  { { VMCS_GUEST_TR_ACCESS_RIGHTS, 0, BIT(4) } },
		  "guest TR_ACCESS_RIGHTS (4822) is 0x9b: S must be 0" },
		{ G64,
		  { { VMCS_GUEST_GS_ACCESS_RIGHTS, BIT(7), 0 } },
		  "guest GS_ACCESS_RIGHTS (481e) is 0xc013: P must be 1" },
		{ G64,
		  { { VMCS_GUEST_DS_ACCESS_RIGHTS, 0, BIT(8) } },
		  "guest DS_ACCESS_RIGHTS (481a) is 0xc193: reserved bits must be 0" },
		{ G64,
		  { { VMCS_GUEST_DS_LIMIT, TO(0xfffffffe) } },
		  "guest DS_ACCESS_RIGHTS (481a) is 0xc093: G must be 0, by the limit's low bits" },
		{ G64,
		  { { VMCS_GUEST_DS_ACCESS_RIGHTS, BIT(15), 0 } },
		  "guest DS_ACCESS_RIGHTS (481a) is 0x4093: G must be 1, by the limit's high "
		  "bits" },
		/* privilege */
		{ REAL,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BIT(5) } },
		  "guest CS_ACCESS_RIGHTS (4816) is 0xb3: DPL must be 0 (data)" },
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BITS(6, 5) } },
		  "guest CS_ACCESS_RIGHTS (4816) is 0xa0fb: DPL must be that of SS" },
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BIT(6) | BIT(2) } },
		  "guest CS_ACCESS_RIGHTS (4816) is 0xa0df: DPL must not exceed that of SS" },
		{ G64,
		  { RESTRICTED,
		    { VMCS_GUEST_SS_SELECTOR, 0, 3 },
		    { VMCS_GUEST_CS_SELECTOR, 0, 3 } },
		  "guest SS_ACCESS_RIGHTS (4818) is 0xc093: DPL must be the selector's RPL" },
		{ REAL,
		  { { VMCS_GUEST_SS_ACCESS_RIGHTS, 0, BIT(5) } },
		  "guest SS_ACCESS_RIGHTS (4818) is 0xb3: DPL must be 0 in real mode" },
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BIT(14) } },
		  "guest CS_ACCESS_RIGHTS (4816) is 0xe09b: L and D at once" },
		{ G64,
		  { RESTRICTED, { VMCS_GUEST_DS_SELECTOR, 0, 3 } },
		  "guest DS_ACCESS_RIGHTS (481a) is 0xc093: DPL must not be below the selector's "
		  "RPL" },
		{ REAL,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, TO(0xbb) },
		    { VMCS_GUEST_SS_ACCESS_RIGHTS, 0, BIT(5) } },
		  "guest SS_ACCESS_RIGHTS (4818) is 0xb3: DPL must be 0 in real mode" },
		{ G32,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, TO(0xc093) },
		    { VMCS_GUEST_SS_ACCESS_RIGHTS, 0, BIT(5) } },
		  "guest SS_ACCESS_RIGHTS (4818) is 0xc0b3: DPL must be 0, CS holds data" },
		/* virtual-8086 mode */
		{ G32,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(17) } },
		  "guest ES_BASE (6806) is 0x0: must be 16 times the selector (VM is 1)" },
		{ G32,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(17) }, { VMCS_GUEST_ES_BASE, TO(0x180) } },
		  "guest ES_LIMIT (4800) is 0xffffffff: must be 0xffff (VM is 1)" },
		{ G32,
		  { { VMCS_GUEST_RFLAGS, 0, BIT(17) },
		    { VMCS_GUEST_ES_BASE, TO(0x180) },
		    { VMCS_GUEST_ES_LIMIT, TO(0xffff) } },
		  "guest ES_ACCESS_RIGHTS (4814) is 0xc093: must be 0xf3 (VM is 1)" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), INVALID_GUEST, 0);
}

static void what_is_no_register(void **state)
{
	static const struct row rows[] = {
		/* activity */
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(4) } },
		  "guest ACTIVITY (4826) is 0x4: this CPU has no such state" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(1) },
		    { VMCS_GUEST_SS_ACCESS_RIGHTS, 0, BITS(6, 5) },
		    { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BITS(6, 5) } },
		  "guest ACTIVITY (4826) is 0x1: only ring 0 can halt" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(1) },
		    { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_MOV_SS) } },
		  "guest ACTIVITY (4826) is 0x1: must be 0 behind STI and MOV SS" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(1) }, INJECT(INTR_TYPE_HARDWARE_EXCEPTION, 6) },
		  "guest ACTIVITY (4826) is 0x1: what is injected cannot wake it" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(2) },
		    INJECT(INTR_TYPE_EXTERNAL, 0x30),
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_IF } },
		  "guest ACTIVITY (4826) is 0x2: what is injected cannot wake it" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(3) }, INJECT(INTR_TYPE_NMI, 2) },
		  "guest ACTIVITY (4826) is 0x3: what is injected cannot wake it" },
		/* interruptibility */
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BIT(5)) } },
		  "guest INTERRUPTIBILITY (4824) is 0x20: bits 31 to 5 must be 0" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(3) } },
		  "guest INTERRUPTIBILITY (4824) is 0x3: STI and MOV SS at once" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_STI) } },
		  "guest INTERRUPTIBILITY (4824) is 0x1: blocked by STI, but IF is 0" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_MOV_SS) },
		    INJECT(INTR_TYPE_EXTERNAL, 0x30),
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_IF } },
		  "guest INTERRUPTIBILITY (4824) is 0x2: blocked, but an interrupt is injected" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_MOV_SS) },
		    INJECT(INTR_TYPE_NMI, 2) },
		  "guest INTERRUPTIBILITY (4824) is 0x2: MOV SS, but an NMI is injected" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_SMI) } },
		  "guest INTERRUPTIBILITY (4824) is 0x4: blocked by SMI outside SMM" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_STI) },
		    INJECT(INTR_TYPE_NMI, 2),
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_IF },
		    { VMCS_EXIT_QUALIFICATION, TO(3) } },
		  "guest INTERRUPTIBILITY (4824) is 0x1: STI, but an NMI is injected" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_NMI) }, INJECT(INTR_TYPE_NMI, 2) },
		  "guest INTERRUPTIBILITY (4824) is 0x8: NMIs are blocked, but one is injected" },
		/* pending debug exceptions, link pointer */
		{ G64,
		  { { VMCS_GUEST_PENDING_DEBUG, TO(BIT(4)) } },
		  "guest PENDING_DEBUG (6822) is 0x10: reserved bits must be 0" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_MOV_SS) },
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_TF } },
		  "guest PENDING_DEBUG (6822) is 0x0: BS must be 1, TF is 1" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_MOV_SS) },
		    { VMCS_GUEST_PENDING_DEBUG, TO(PENDING_DEBUG_BS) } },
		  "guest PENDING_DEBUG (6822) is 0x4000: BS must be 0, there is no step" },
		{ G64,
		  { { VMCS_VMCS_LINK_POINTER, TO(0) } },
		  "VMCS_LINK_POINTER (2800) is 0x0: must be all ones" },
		/* the top level of PAE paging */
		{ G32,
		  { { VMCS_GUEST_CR4, 0, CR4_PAE }, { VMCS_GUEST_PDPTE3, TO(0x1003) } },
		  "guest PDPTE3 (2810) is 0x1003: reserved bits must be 0" },
		{ G32,
		  { { VMCS_GUEST_CR4, 0, CR4_PAE }, { VMCS_GUEST_PDPTE0, TO(NO_MEMORY | 1) } },
		  "guest PDPTE0 (280a) is 0x10000000001: reserved bits must be 0" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), INVALID_GUEST, 0);
}

/* What looks like a broken rule where that rule does not hold. */
static void rules_hold_where_they_hold(void **state)
{
	static const struct row rows[] = {
		{ G64, { { VMCS_GUEST_CR0, 0, CR0_CD | CR0_NW } }, "" },
		{ G64,
		  { { VMCS_VM_ENTRY_CONTROLS, ENTRY_CTL_LOAD_DEBUG, 0 },
		    { VMCS_GUEST_DR7, 0, BIT(32) } },
		  "" },
		{ G64,
		  { { VMCS_VM_ENTRY_CONTROLS, ENTRY_CTL_LOAD_PAT, 0 }, { VMCS_GUEST_PAT, TO(2) } },
		  "" },
		{ G64,
		  { { VMCS_VM_ENTRY_CONTROLS, ENTRY_CTL_LOAD_EFER, 0 },
		    { VMCS_GUEST_EFER, TO(2) } },
		  "" },
		{ G64,
		  { { VMCS_GUEST_DS_ACCESS_RIGHTS, TO(RIGHTS_UNUSABLE) },
		    { VMCS_GUEST_DS_BASE, TO(BIT(40)) } },
		  "" },
		{ G64, { { VMCS_GUEST_DS_SELECTOR, 0, 3 } }, "" },
		{ G64,
		  { { VMCS_GUEST_CS_ACCESS_RIGHTS, 0, BIT(2) },
		    { VMCS_GUEST_SS_ACCESS_RIGHTS, 0, BITS(6, 5) } },
		  "" },
		{ G64, { { VMCS_GUEST_LDTR_BASE, TO(NONCANONICAL) } }, "" },
		{ G64, { { VMCS_GUEST_ACTIVITY, TO(1) }, INJECT(7, 0) }, "" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(1) },
		    INJECT(INTR_TYPE_EXTERNAL, 0x30),
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_IF } },
		  "" },
		{ G32, { { VMCS_GUEST_TR_ACCESS_RIGHTS, TO(0x83) } }, "" },
		{ G32, { { VMCS_GUEST_PDPTE0, TO(0x1003) } }, "" },
		{ G32, { { VMCS_GUEST_CR4, 0, CR4_PAE }, { VMCS_GUEST_PDPTE0, TO(0x1002) } }, "" },
		{ G64, { { VMCS_GUEST_ACTIVITY, TO(1) }, INJECT(INTR_TYPE_NMI, 2) }, "" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(1) }, INJECT(INTR_TYPE_HARDWARE_EXCEPTION, 1) },
		  "" },
		{ G64,
		  { { VMCS_GUEST_ACTIVITY, TO(2) }, INJECT(INTR_TYPE_HARDWARE_EXCEPTION, 18) },
		  "" },
		{ G64,
		  { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_STI) },
		    INJECT(INTR_TYPE_NMI, 2),
		    { VMCS_GUEST_RFLAGS, 0, RFLAGS_IF } },
		  "" },
		{ G64, { { VMCS_GUEST_INTERRUPTIBILITY, TO(BLOCKED_BY_NMI) } }, "" },
		{ G64, { { VMCS_GUEST_RFLAGS, 0, RFLAGS_TF } }, "" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].make();
		apply(rows[i].change, ARRAY_SIZE(rows[i].change));
		check(INVALID_GUEST, 0);
		if (!strstr(text, "by no rule that Weir knows"))
			fail_msg("row %u: expected no broken rule, saw: %s", i, text);
	}
}

/* --- controls and the host --- */

#define SECONDARY(clear, set)                       \
	{                                           \
		VMCS_SECONDARY_CONTROLS, clear, set \
	}
#define PRIMARY(clear, set)                       \
	{                                         \
		VMCS_PRIMARY_CONTROLS, clear, set \
	}
#define PIN(clear, set)                             \
	{                                           \
		VMCS_PIN_BASED_CONTROLS, clear, set \
	}

static void controls_that_this_cpu_has(void **state)
{
	static const struct row rows[] = {
		{ G64,
		  { PIN(BIT(1), 0) },
		  "PIN_BASED_CONTROLS (4000) is 0x3d: 0x2 in it must be 1" },
		{ G64,
		  { PIN(0, BIT(8)) },
		  "PIN_BASED_CONTROLS (4000) is 0x13f: 0x100 in it must be 0" },
		{ G64,
		  { PRIMARY(BIT(1), 0) },
		  "PRIMARY_CONTROLS (4002) is 0x962061f8: 0x2 in it must be 1" },
		{ G64,
		  { PRIMARY(0, BIT(17)) },
		  "PRIMARY_CONTROLS (4002) is 0x962261fa: 0x20000 in it must be 0" },
		{ G64,
		  { SECONDARY(0, BIT(30)) },
		  "SECONDARY_CONTROLS (401e) is 0x400000a2: 0x40000000 in it must be 0" },
		{ G64,
		  { { VMCS_VM_EXIT_CONTROLS, BIT(0), 0 } },
		  "VM_EXIT_CONTROLS (400c) is 0x3f6ffe: 0x1 in it must be 1" },
		{ G64,
		  { { VMCS_VM_ENTRY_CONTROLS, BIT(0), 0 } },
		  "VM_ENTRY_CONTROLS (4012) is 0xd3fe: 0x1 in it must be 1" },
		{ G64,
		  { { VMCS_CR3_TARGET_COUNT, TO(5) } },
		  "CR3_TARGET_COUNT (400a) is 0x5: this CPU has fewer" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_CONTROL);
}

/*
 * Without the TRUE MSRs all default ones must be 1; secondary controls that are not
 * activated may be anything.
 */
static void capabilities_decide_which_bits_are_free(void **state)
{
	(void)state;
	G64();
	fake_vmcs[VMCS_PRIMARY_CONTROLS] |= PRIMARY_CR3_LOAD | PRIMARY_CR3_STORE |
					    PRIMARY_NMI_WINDOW;
	check(0, INVALID_CONTROL);
	assert_non_null(strstr(text, "by no rule"));
	fake_vmcs[VMCS_PRIMARY_CONTROLS] &= ~PRIMARY_CR3_LOAD;
	check(0, INVALID_CONTROL);
	assert_non_null(strstr(text, "by no rule"));
	fake_capability[0] &= ~VMX_BASIC_TRUE;
	check(0, INVALID_CONTROL);
	assert_string_equal(text, "PRIMARY_CONTROLS (4002) is 0x966161fa: 0x8000 in it must be 1");
	G32();
	fake_vmcs[VMCS_PRIMARY_CONTROLS] &= ~PRIMARY_SECONDARY;
	fake_vmcs[VMCS_SECONDARY_CONTROLS] = BIT(30);
	check(0, INVALID_CONTROL);
	assert_non_null(strstr(text, "by no rule"));
}

static void controls_that_need_one_another(void **state)
{
	static const struct row rows[] = {
		{ G64,
		  { PRIMARY(PRIMARY_TPR_SHADOW, 0), SECONDARY(0, SECONDARY_X2APIC) },
		  "SECONDARY_CONTROLS (401e) is 0xb2: x2APIC mode needs the TPR shadow" },
		{ G64,
		  { PRIMARY(PRIMARY_TPR_SHADOW, 0), SECONDARY(0, SECONDARY_APIC_REGISTERS) },
		  "SECONDARY_CONTROLS (401e) is 0x1a2: APIC registers need the TPR shadow" },
		{ G64,
		  { PRIMARY(PRIMARY_TPR_SHADOW, 0), SECONDARY(0, SECONDARY_VIRTUAL_INTERRUPTS) },
		  "SECONDARY_CONTROLS (401e) is 0x2a2: virtual interrupts need the TPR shadow" },
		{ G64,
		  { PIN(PIN_NMI, 0) },
		  "PIN_BASED_CONTROLS (4000) is 0x37: virtual NMIs need NMI exiting" },
		{ G64,
		  { PIN(PIN_VIRTUAL_NMI, 0), PRIMARY(0, PRIMARY_NMI_WINDOW) },
		  "PRIMARY_CONTROLS (4002) is 0x966061fa: an NMI window needs virtual NMIs" },
		{ G64,
		  { SECONDARY(0, SECONDARY_X2APIC | SECONDARY_APIC_ACCESSES) },
		  "SECONDARY_CONTROLS (401e) is 0xb3: x2APIC mode or APIC accesses, not both" },
		{ G64,
		  { PIN(PIN_EXTERNAL_INTERRUPTS, 0), SECONDARY(0, SECONDARY_VIRTUAL_INTERRUPTS) },
		  "PIN_BASED_CONTROLS (4000) is 0x3e: virtual interrupts need interrupt exiting" },
		{ G64, { { VMCS_VPID, TO(0) } }, "VPID (0000) is 0x0: 0 is the host's" },
		{ G64,
		  { SECONDARY(SECONDARY_EPT, 0) },
		  "SECONDARY_CONTROLS (401e) is 0xa0: an unrestricted guest needs EPT" },
		{ G64,
		  { { VMCS_VM_EXIT_CONTROLS, 0, BIT(22) } },
		  "VM_EXIT_CONTROLS (400c) is 0x7f6fff: a timer that is off cannot be saved" },
		{ G64,
		  { { VMCS_VM_ENTRY_CONTROLS, 0, BIT(10) } },
		  "VM_ENTRY_CONTROLS (4012) is 0xd7ff: 0xc00 in it is for SMM" },
		/* posted interrupts */
		{ G64,
		  { PIN(0, PIN_POSTED_INTERRUPTS) },
		  "SECONDARY_CONTROLS (401e) is 0xa2: posted interrupts need virtual ones" },
		{ G64,
		  { PIN(0, PIN_POSTED_INTERRUPTS), SECONDARY(0, SECONDARY_VIRTUAL_INTERRUPTS) },
		  "VM_EXIT_CONTROLS (400c) is 0x3f6fff: posted interrupts need acknowledgement at "
		  "exits" },
		{ G64,
		  { PIN(0, PIN_POSTED_INTERRUPTS),
		    SECONDARY(0, SECONDARY_VIRTUAL_INTERRUPTS),
		    { VMCS_VM_EXIT_CONTROLS, 0, EXIT_CTL_ACK_INTR },
		    { VMCS_POSTED_INTERRUPT_VECTOR, TO(0x100) } },
		  "POSTED_INTERRUPT_VECTOR (0002) is 0x100: must not exceed 255" },
		{ G64,
		  { PIN(0, PIN_POSTED_INTERRUPTS),
		    SECONDARY(0, SECONDARY_VIRTUAL_INTERRUPTS),
		    { VMCS_VM_EXIT_CONTROLS, 0, EXIT_CTL_ACK_INTR },
		    { VMCS_POSTED_INTERRUPT_DESCRIPTOR, TO(0x1020) } },
		  "POSTED_INTERRUPT_DESCRIPTOR (2016) is 0x1020: must be a cache line's address" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_CONTROL);
}

static void addresses_in_controls(void **state)
{
	static const struct row rows[] = {
		{ G64,
		  { { VMCS_IO_BITMAP_A, 0, 1 } },
		  "IO_BITMAP_A (2000) is 0x200001: must be a page's address" },
		{ G64,
		  { { VMCS_IO_BITMAP_B, TO(NO_MEMORY) } },
		  "IO_BITMAP_B (2002) is 0x10000000000: must be a page's address" },
		{ G64,
		  { { VMCS_MSR_BITMAP, 0, 0x800 } },
		  "MSR_BITMAP (2004) is 0x202800: must be a page's address" },
		{ G64,
		  { { VMCS_VIRTUAL_APIC_ADDRESS, 0, 0x10 } },
		  "VIRTUAL_APIC_ADDRESS (2012) is 0x203010: must be a page's address" },
		{ G64,
		  { SECONDARY(0, SECONDARY_APIC_ACCESSES), { VMCS_APIC_ACCESS_ADDRESS, TO(1) } },
		  "APIC_ACCESS_ADDRESS (2014) is 0x1: must be a page's address" },
		{ G64,
		  { { VMCS_EPT_POINTER, 7, 0 } },
		  "EPT_POINTER (201a) is 0x204018: this CPU lacks that memory type" },
		{ G64,
		  { { VMCS_EPT_POINTER, 0x38, 0x20 } },
		  "EPT_POINTER (201a) is 0x204026: must have 4 levels" },
		{ G64,
		  { { VMCS_EPT_POINTER, 0, 0x40 } },
		  "EPT_POINTER (201a) is 0x20405e: this CPU lacks accessed bits" },
		{ G64,
		  { { VMCS_EPT_POINTER, 0, 0x80 } },
		  "EPT_POINTER (201a) is 0x20409e: reserved bits must be 0" },
		{ G64,
		  { { VMCS_EPT_POINTER, 0, NO_MEMORY } },
		  "EPT_POINTER (201a) is 0x1000020401e: reserved bits must be 0" },
		{ G64,
		  { { VMCS_TPR_THRESHOLD, TO(0x10) } },
		  "TPR_THRESHOLD (401c) is 0x10: must not exceed 15" },
		{ G64,
		  { { VMCS_TPR_THRESHOLD, TO(3) } },
		  "TPR_THRESHOLD (401c) is 0x3: must not exceed the guest's priority" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_CONTROL);
}

static void the_threshold_is_held_against_the_guests_priority(void **state)
{
	(void)state;
	G64();
	fake_vmcs[VMCS_TPR_THRESHOLD] = 3;
	vmx_check(view(0x3f), 0, INVALID_CONTROL, text, sizeof(text));
	assert_non_null(strstr(text, "by no rule"));
	vmx_check(view(0x2f), 0, INVALID_CONTROL, text, sizeof(text));
	assert_non_null(strstr(text, "TPR_THRESHOLD (401c) is 0x3"));
	/* exits by the page's offset instead, or the CPU delivers: nothing to hold it against */
	fake_vmcs[VMCS_SECONDARY_CONTROLS] |= SECONDARY_APIC_ACCESSES;
	check(0, INVALID_CONTROL);
	assert_non_null(strstr(text, "by no rule"));
	fake_vmcs[VMCS_TPR_THRESHOLD] = 0x10;
	fake_vmcs[VMCS_SECONDARY_CONTROLS] |= SECONDARY_VIRTUAL_INTERRUPTS;
	check(0, INVALID_CONTROL);
	assert_non_null(strstr(text, "by no rule"));
}

#define INFO "VM_ENTRY_INTERRUPTION_INFO (4016) is "

static void an_event_that_is_to_be_injected(void **state)
{
	static const struct row rows[] = {
		{ G64, { INJECT(1, 0x20) }, INFO "0x80000120: type 1 is reserved" },
		{ G64, { INJECT(INTR_TYPE_NMI, 3) }, INFO "0x80000203: an NMI's vector is 2" },
		{ G64,
		  { INJECT(INTR_TYPE_HARDWARE_EXCEPTION, 32) },
		  INFO "0x80000320: an exception's vector is at most 31" },
		{ G64, { INJECT(7, 1) }, INFO "0x80000701: vector 0 only, for this type" },
		{ G64,
		  { INJECT(INTR_TYPE_EXTERNAL, BIT(12) | 0x30) },
		  INFO "0x80001030: bits 30 to 12 must be 0" },
		{ G64,
		  { INJECT(INTR_TYPE_SOFTWARE_INTERRUPT, 0x80) },
		  "VM_ENTRY_INSTRUCTION_LENGTH (401a) is 0x0: an instruction has 1 to 15 bytes" },
		{ G64,
		  { INJECT(INTR_TYPE_SOFTWARE_EXCEPTION, 3),
		    { VMCS_VM_ENTRY_INSTRUCTION_LENGTH, TO(16) } },
		  "VM_ENTRY_INSTRUCTION_LENGTH (401a) is 0x10: an instruction has 1 to 15 bytes" },
		/* error codes */
		{ G64,
		  { INJECT(INTR_TYPE_EXTERNAL, INTR_ERROR | 0x30) },
		  INFO "0x80000830: this event has no error code" },
		{ G64,
		  { INJECT(INTR_TYPE_HARDWARE_EXCEPTION, INTR_ERROR | 6) },
		  INFO "0x80000b06: this event has no error code" },
		{ G64,
		  { INJECT(INTR_TYPE_HARDWARE_EXCEPTION, 13) },
		  INFO "0x8000030d: this exception has an error code" },
		{ REAL,
		  { INJECT(INTR_TYPE_HARDWARE_EXCEPTION, INTR_ERROR | 13) },
		  INFO "0x80000b0d: this event has no error code" },
		{ G64,
		  { INJECT(INTR_TYPE_HARDWARE_EXCEPTION, INTR_ERROR | 14),
		    { VMCS_VM_ENTRY_EXCEPTION_ERROR, TO(0x8000) } },
		  "VM_ENTRY_EXCEPTION_ERROR (4018) is 0x8000: bits 31 to 15 must be 0" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_CONTROL);
}

/* Newer CPUs leave it to the VMM; real mode has none all the same. */
static void error_codes_may_be_free(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		G64();
		fake_capability[0] |= BIT(56);
		fake_vmcs[VMCS_VM_ENTRY_INTERRUPTION_INFO] =
			INTR_VALID | INTR_TYPE_HARDWARE_EXCEPTION << 8 | (i ? 13 : INTR_ERROR | 6);
		check(0, INVALID_CONTROL);
		assert_non_null(strstr(text, "by no rule"));
	}
	REAL();
	fake_capability[0] |= BIT(56);
	fake_vmcs[VMCS_VM_ENTRY_INTERRUPTION_INFO] = INTR_VALID | INTR_ERROR |
						     INTR_TYPE_HARDWARE_EXCEPTION << 8 | 13;
	check(0, INVALID_CONTROL);
	assert_string_equal(text, INFO "0x80000b0d: this event has no error code");
}

static void state_of_the_host(void **state)
{
	static const struct row rows[] = {
		{ G64,
		  { { VMCS_HOST_CR0, CR0_NE, 0 } },
		  "host CR0 (6c00) is 0x80010001: 0x20 in it must be 1" },
		{ G64,
		  { { VMCS_HOST_CR4, CR4_VMXE, 0 } },
		  "host CR4 (6c04) is 0x20: 0x2000 in it must be 1" },
		{ G64,
		  { { VMCS_HOST_CR4, 0, BIT(24) } },
		  "host CR4 (6c04) is 0x1002020: 0x1000000 in it must be 0" },
		{ G64,
		  { { VMCS_HOST_CR3, TO(NO_MEMORY) } },
		  "host CR3 (6c02) is 0x10000000000: no such physical address" },
		{ G64,
		  { { VMCS_HOST_SYSENTER_ESP, TO(NONCANONICAL) } },
		  "host SYSENTER_ESP (6c10) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_HOST_SYSENTER_EIP, TO(NONCANONICAL) } },
		  "host SYSENTER_EIP (6c12) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_HOST_PAT, TO(2) } },
		  "host PAT (2c00) is 0x2: 2 and 3 are no memory types" },
		{ G64,
		  { { VMCS_HOST_EFER, 0, EFER_SVME } },
		  "host EFER (2c02) is 0x1d00: reserved bits must be 0" },
		{ G64,
		  { { VMCS_HOST_EFER, EFER_LMA, 0 } },
		  "host EFER (2c02) is 0x900: LMA and LME must be as the host's address size" },
		{ G64,
		  { { VMCS_HOST_EFER, EFER_LME, 0 } },
		  "host EFER (2c02) is 0xc00: LMA and LME must be as the host's address size" },
		{ G64,
		  { { VMCS_HOST_DS_SELECTOR, TO(3) } },
		  "host DS_SELECTOR (0c06) is 0x3: TI and RPL must be 0" },
		{ G64,
		  { { VMCS_HOST_TR_SELECTOR, 0, 4 } },
		  "host TR_SELECTOR (0c0c) is 0x2c: TI and RPL must be 0" },
		{ G64,
		  { { VMCS_HOST_GS_BASE, TO(NONCANONICAL) } },
		  "host GS_BASE (6c08) is 0x800000000000: must be canonical" },
		{ G64,
		  { { VMCS_HOST_CS_SELECTOR, TO(0) } },
		  "host CS_SELECTOR (0c02) is 0x0: must not be 0" },
		{ G64,
		  { { VMCS_HOST_TR_SELECTOR, TO(0) } },
		  "host TR_SELECTOR (0c0c) is 0x0: must not be 0" },
		{ G64,
		  { { VMCS_VM_EXIT_CONTROLS, EXIT_CTL_HOST_64 | EXIT_CTL_LOAD_EFER, 0 } },
		  "VM_EXIT_CONTROLS (400c) is 0x1f6dff: the host is 64-bit" },
		{ G64,
		  { { VMCS_HOST_CR4, CR4_PAE, 0 } },
		  "host CR4 (6c04) is 0x2000: PAE must be 1" },
		{ G64,
		  { { VMCS_HOST_RIP, TO(NONCANONICAL) } },
		  "host RIP (6c16) is 0x800000000000: must be canonical" },
	};

	(void)state;
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_HOST);
	/* the CPU may find this first and still say the other [26.2] */
	each_says(rows, ARRAY_SIZE(rows), 0, INVALID_CONTROL);
}

/* --- what the CPU says itself --- */

static void other_failures_have_their_own_words(void **state)
{
	static const struct {
		uint64_t reason, error;
		const char *text;
	} rows[] = {
		{ 0, 4, "VM-instruction error 4: VMLAUNCH, but the VMCS has been launched" },
		{ 0, 5, "VM-instruction error 5: VMRESUME, but the VMCS has not been launched" },
		{ 0, 26, "VM-instruction error 26: an entry right behind MOV SS" },
		{ 0, 12, "VM-instruction error 12: which no VM entry should give" },
		{ EXIT_REASON_ENTRY_FAILED | VMX_EXIT_MSR_LOADING, 0,
		  "entry 2 of the list of MSRs cannot be loaded" },
		{ EXIT_REASON_ENTRY_FAILED | VMX_EXIT_MACHINE_CHECK, 4 /* not asked */,
		  "a machine check came during the entry" },
		{ EXIT_REASON_ENTRY_FAILED | VMX_EXIT_HLT, 0,
		  "exit reason 0x8000000c, which is no failed entry" },
	};

	(void)state;
	G64();
	fake_vmcs[VMCS_EXIT_QUALIFICATION] = 2;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		check(rows[i].reason, rows[i].error);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_sentence_that_does_not_fit_is_cut(void **state)
{
	char small[16] = "";

	(void)state;
	G64();
	fake_vmcs[VMCS_GUEST_RFLAGS] = 0;
	vmx_check(view(0), INVALID_GUEST, 0, small, sizeof(small));
	assert_string_equal(small, "guest RFLAGS (6");
}

static void every_field_has_one_name(void **state)
{
	static const struct {
		uint32_t encoding;
		const char *name;
	} rows[] = {
#define X(id, encoding) { encoding, #id },
		VMCS_FIELDS(X)
#undef X
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(vmcs_field_name(rows[i].encoding), rows[i].name);
	assert_null(vmcs_field_name(0x6a00));
	assert_null(vmcs_field_name(VMCS_GUEST_RFLAGS +
				    1)); /* the high half, which only 64-bit fields have */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_state_breaks_no_rule),
		cmocka_unit_test(registers_of_the_guest),
		cmocka_unit_test(segments_of_the_guest),
		cmocka_unit_test(what_is_no_register),
		cmocka_unit_test(rules_hold_where_they_hold),
		cmocka_unit_test(controls_that_this_cpu_has),
		cmocka_unit_test(capabilities_decide_which_bits_are_free),
		cmocka_unit_test(controls_that_need_one_another),
		cmocka_unit_test(addresses_in_controls),
		cmocka_unit_test(the_threshold_is_held_against_the_guests_priority),
		cmocka_unit_test(an_event_that_is_to_be_injected),
		cmocka_unit_test(error_codes_may_be_free),
		cmocka_unit_test(state_of_the_host),
		cmocka_unit_test(other_failures_have_their_own_words),
		cmocka_unit_test(a_sentence_that_does_not_fit_is_cut),
		cmocka_unit_test(every_field_has_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
