/* SPDX-License-Identifier: MIT */
/* links: vmm/svm_state.c */
/*
 * test_svm_state.c - a guest's registers as the VMCB has them, and which of them made VMRUN refuse
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kernel/x86.h"
#include "vmm/svm.h"

static struct vmcb vmcb;
static struct svm_vcpu hw = { .vmcb = &vmcb };
static struct vcpu v = { .hw = &hw };

/* a 64-bit guest that every CPU would enter */
static int start(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb.efer = EFER_SVME | EFER_LME | EFER_LMA;
	vmcb.cr0 = CR0_PG | CR0_PE;
	vmcb.cr4 = CR4_PAE;
	vmcb.cs.attr = SEG_L | SEG_P | SEG_S | 11;
	vmcb.dr6 = 0xffff0ff0;
	vmcb.dr7 = 0x400;
	vmcb.intercept[1] = INTERCEPT_VMRUN;
	vmcb.asid = 1;
	return 0;
}

static const char *explain(void)
{
	static char text[EXPLAIN_SIZE];

	memset(text, 0xff, sizeof(text));
	svm_explain(&v, text, sizeof(text));
	return text;
}

static const char nothing[] = "none of the fields that Weir knows the rules of is wrong";

static void a_valid_state_breaks_no_rule(void **state)
{
	(void)state;
	assert_string_equal(explain(), nothing);
	vmcb.cr0 |= CR0_CD | CR0_NW; /* together they may be set */
	assert_string_equal(explain(), nothing);
	vmcb.cr0 = CR0_PE; /* 32 bits: L means nothing, and PAE is the guest's choice */
	vmcb.efer = EFER_SVME;
	vmcb.cr4 = 0;
	vmcb.cs.attr |= SEG_DB;
	assert_string_equal(explain(), nothing);
	vmcb.efer |= EFER_LME; /* on its way to long mode */
	assert_string_equal(explain(), nothing);
}

static void no_svme(void)
{
	vmcb.efer &= ~EFER_SVME;
}

static void no_write_through(void)
{
	vmcb.cr0 |= CR0_NW;
}

static void wide_cr0(void)
{
	vmcb.cr0 |= BIT(32);
}

static void wide_dr6(void)
{
	vmcb.dr6 |= BIT(32);
}

static void wide_dr7(void)
{
	vmcb.dr7 |= BIT(63);
}

static void no_pae(void)
{
	vmcb.cr4 = 0;
}

static void no_protection(void)
{
	vmcb.cr0 = CR0_PG;
}

static void two_sizes(void)
{
	vmcb.cs.attr |= SEG_DB;
}

static void no_vmrun(void)
{
	vmcb.intercept[1] = INTERCEPT_VMMCALL;
}

static void hosts_asid(void)
{
	vmcb.asid = 0;
}

static void each_broken_rule_names_its_field(void **state)
{
	static const struct {
		void (*breaks)(void);
		const char *text;
	} row[] = {
		{ no_svme, "guest EFER is 0x500: SVME must be 1" },
		{ no_write_through, "guest CR0 is 0xa0000001: NW needs CD" },
		{ wide_cr0, "guest CR0 is 0x180000001: bits 63 to 32 must be 0" },
		{ wide_dr6, "guest DR6 is 0x1ffff0ff0: bits 63 to 32 must be 0" },
		{ wide_dr7, "guest DR7 is 0x8000000000000400: bits 63 to 32 must be 0" },
		{ no_pae, "guest CR4 is 0x0: long mode needs PAE" },
		{ no_protection, "guest CR0 is 0x80000000: PG needs PE" },
		{ two_sizes, "guest CS attributes is 0x69b: L and D at once" },
		{ no_vmrun, "guest intercepts is 0x2: VMRUN must be intercepted" },
		{ hosts_asid, "guest ASID is 0x0: 0 is the host's" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		row[i].breaks();
		assert_string_equal(explain(), row[i].text);
	}
}

/* --- registers --- */

static struct vcpu_segment some_segment(unsigned n)
{
	return (struct vcpu_segment){
		.selector = 8 * n, .attr = SEG_P | n, .limit = 0x1000 * n, .base = 0x100000 * n
	};
}

static void assert_segment(const struct vcpu_segment *s, unsigned n)
{
	struct vcpu_segment expected = some_segment(n);

	assert_int_equal(s->selector, expected.selector);
	assert_int_equal(s->attr, expected.attr);
	assert_int_equal(s->limit, expected.limit);
	assert_int_equal(s->base, expected.base);
}

static void registers_come_back_as_they_were_set(void **state)
{
	struct vcpu_sregs in = {
		.ldtr = some_segment(7),
		.tr = some_segment(8),
		.gdt = { 0x1000, 0x27 },
		.idt = { 0x2000, 0xfff },
		.cr0 = CR0_PE,
		.cr2 = 2,
		.cr3 = 0x3000,
		.cr4 = CR4_PAE,
		.efer = EFER_NXE,
		.cpl = 3,
	};
	struct vcpu_sregs out;

	(void)state;
	for (unsigned i = 0; i < SEGMENT_N; i++)
		in.seg[i] = some_segment(i + 1);
	svm_set_sregs(&v, &in);
	svm_get_sregs(&v, &out);
	for (unsigned i = 0; i < SEGMENT_N; i++)
		assert_segment(&out.seg[i], i + 1);
	assert_segment(&out.ldtr, 7);
	assert_segment(&out.tr, 8);
	assert_int_equal(out.gdt.base, 0x1000);
	assert_int_equal(out.gdt.limit, 0x27);
	assert_int_equal(out.idt.base, 0x2000);
	assert_int_equal(out.idt.limit, 0xfff);
	assert_int_equal(out.cr0, CR0_PE);
	assert_int_equal(out.cr2, 2);
	assert_int_equal(out.cr3, 0x3000);
	assert_int_equal(out.cr4, CR4_PAE);
	assert_int_equal(out.cpl, 3);
	assert_int_equal(out.efer, EFER_NXE);
	assert_int_equal(vmcb.efer, EFER_NXE | EFER_SVME);
	assert_int_equal(vmcb.cs.base, 0x200000); /* ES, then CS */
}

static void a_guest_neither_sees_nor_clears_svme(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(svm_get_msr(&v, MSR_EFER, &value), 0);
	assert_int_equal(value, EFER_LME | EFER_LMA);
	assert_int_equal(svm_set_msr(&v, MSR_EFER, EFER_NXE), 0);
	assert_int_equal(vmcb.efer, EFER_NXE | EFER_SVME);
}

static void each_msr_has_a_place_of_its_own(void **state)
{
	static const uint32_t msrs[] = {
		MSR_PAT,     MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
		MSR_STAR,    MSR_LSTAR,       MSR_CSTAR,        MSR_SFMASK,
		MSR_FS_BASE, MSR_GS_BASE,     MSR_KERNEL_GS,
	};
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		assert_int_equal(svm_set_msr(&v, msrs[i], 0x1000 + i), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		assert_int_equal(svm_get_msr(&v, msrs[i], &value), 0);
		assert_int_equal(value, 0x1000 + i);
	}
	assert_int_equal(vmcb.fs.base, 0x1008);
	assert_int_equal(svm_get_msr(&v, MSR_APIC_BASE, &value), -EINVAL);
	assert_int_equal(svm_set_msr(&v, MSR_APIC_BASE, 0), -EINVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(a_valid_state_breaks_no_rule),         T(each_broken_rule_names_its_field),
		T(registers_come_back_as_they_were_set), T(a_guest_neither_sees_nor_clears_svme),
		T(each_msr_has_a_place_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
