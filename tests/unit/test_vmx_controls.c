/* SPDX-License-Identifier: MIT */
/* links: vmm/vmx_controls.c tests/unit/fake_vmx.c */
/*
 * test_vmx_controls.c - what is switched on for a guest, on CPUs that have more and less of it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/unit/fake_vmx.h"

struct vmm_feature vmx_features[VMX_FEATURES + 1];

static const char *why;

static int start(void **state)
{
	(void)state;
	fake_vmx_guest_64();
	why = NULL;
	return 0;
}

static uint64_t *capability(uint32_t msr)
{
	return &fake_capability[msr - MSR_VMX_BASIC];
}

/* lack() - this CPU has not got @bit, with or without the TRUE MSRs. */
static void lack(uint32_t msr, uint64_t bit)
{
	*capability(msr) &= ~(bit << 32);
	if (msr != MSR_VMX_PROCBASED2)
		*capability(msr + MSR_VMX_TRUE) &= ~(bit << 32);
}

/* Each word is one that the CPU takes. */
static void check_words(void)
{
	const struct {
		uint32_t value, msr;
	} row[] = {
		{ vmx_controls.pin, MSR_VMX_PINBASED + MSR_VMX_TRUE },
		{ vmx_controls.primary, MSR_VMX_PROCBASED + MSR_VMX_TRUE },
		{ vmx_controls.secondary, MSR_VMX_PROCBASED2 },
		{ vmx_controls.exit, MSR_VMX_EXIT + MSR_VMX_TRUE },
		{ vmx_controls.entry, MSR_VMX_ENTRY + MSR_VMX_TRUE },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		uint64_t cap = rdmsr(row[i].msr);

		assert_int_equal((uint32_t)cap & ~row[i].value, 0);
		assert_int_equal(row[i].value & ~(cap >> 32), 0);
	}
}

static void nothing_is_on_that_weir_does_not_want(void **state)
{
	(void)state;
	assert_int_equal(vmx_controls_choose(&why), 0);
	check_words();
	/* beside the default ones that this CPU insists on */
	assert_int_equal(vmx_controls.pin,
			 0x16 | PIN_EXTERNAL_INTERRUPTS | PIN_NMI | PIN_VIRTUAL_NMI);
	assert_int_equal(vmx_controls.primary, 0x04006172 | PRIMARY_TSC_OFFSETTING | PRIMARY_HLT |
						       PRIMARY_MWAIT | PRIMARY_RDPMC |
						       PRIMARY_MONITOR | PRIMARY_IO_BITMAPS |
						       PRIMARY_MSR_BITMAPS | PRIMARY_SECONDARY);
	assert_int_equal(vmx_controls.secondary, SECONDARY_EPT | SECONDARY_UNRESTRICTED |
							 SECONDARY_RDTSCP | SECONDARY_WBINVD |
							 SECONDARY_INVPCID);
	assert_int_equal(vmx_controls.exit, 0x36dfb | EXIT_CTL_SAVE_DEBUG | EXIT_CTL_HOST_64 |
						    EXIT_CTL_ACK_INTR | EXIT_CTL_SAVE_PAT |
						    EXIT_CTL_LOAD_PAT | EXIT_CTL_SAVE_EFER |
						    EXIT_CTL_LOAD_EFER);
	assert_int_equal(vmx_controls.entry,
			 0x11fb | ENTRY_CTL_LOAD_DEBUG | ENTRY_CTL_LOAD_PAT | ENTRY_CTL_LOAD_EFER);
}

static void what_weir_needs_must_be_there(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t bit;
		const char *said;
	} row[] = {
		{ MSR_VMX_PINBASED, PIN_VIRTUAL_NMI, "virtual NMIs" },
		{ MSR_VMX_PROCBASED, PRIMARY_SECONDARY, "no secondary controls" },
		{ MSR_VMX_PROCBASED, PRIMARY_MSR_BITMAPS, "bitmaps" },
		{ MSR_VMX_PROCBASED2, SECONDARY_EPT, "EPT" },
		{ MSR_VMX_PROCBASED2, SECONDARY_UNRESTRICTED, "unrestricted guest" },
		{ MSR_VMX_EXIT, EXIT_CTL_LOAD_EFER, "EFER at exits" },
		{ MSR_VMX_ENTRY, ENTRY_CTL_LOAD_PAT, "PAT and EFER at entries" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		lack(row[i].msr, row[i].bit);
		assert_int_equal(vmx_controls_choose(&why), -ENODEV);
		assert_non_null(why);
		assert_non_null(strstr(why, row[i].said));
	}
}

/* The first VT-x CPUs: every MOV of CR3 exits, and no MSR says that it need not. */
static void a_cpu_that_insists_on_cr3_exits_is_none_for_weir(void **state)
{
	(void)state;
	*capability(MSR_VMX_BASIC) &= ~VMX_BASIC_TRUE;
	assert_int_equal(vmx_controls_choose(&why), -ENODEV);
	assert_non_null(why);
	assert_non_null(strstr(why, "exits at each MOV to CR3"));
}

static void what_is_optional_may_be_missing(void **state)
{
	(void)state;
	lack(MSR_VMX_PROCBASED2, SECONDARY_WBINVD | SECONDARY_INVPCID);
	assert_int_equal(vmx_controls_choose(&why), 0);
	assert_int_equal(vmx_controls.secondary,
			 SECONDARY_EPT | SECONDARY_UNRESTRICTED | SECONDARY_RDTSCP);
}

static void all_features_are_found_and_on(void **state)
{
	(void)state;
	assert_int_equal(vmx_controls_choose(&why), 0);
	for (unsigned i = 0; i < VMX_FEATURES; i++)
		assert_true(vmx_features[i].has && vmx_features[i].on);
}

static void a_feature_goes_with_what_it_needs(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t bit;
		uint32_t lost; /* BIT(feature) */
	} row[] = {
		{ MSR_VMX_PROCBASED, PRIMARY_TPR_SHADOW,
		  BIT(VMX_TPR_SHADOW) | BIT(VMX_APIC_ACCESSES) | BIT(VMX_APIC_REGISTERS) |
			  BIT(VMX_VIRTUAL_INTERRUPTS) | BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PROCBASED2, SECONDARY_APIC_ACCESSES,
		  BIT(VMX_APIC_ACCESSES) | BIT(VMX_APIC_REGISTERS) | BIT(VMX_VIRTUAL_INTERRUPTS) |
			  BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PROCBASED2, SECONDARY_APIC_REGISTERS,
		  BIT(VMX_APIC_REGISTERS) | BIT(VMX_VIRTUAL_INTERRUPTS) |
			  BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PROCBASED2, SECONDARY_X2APIC,
		  BIT(VMX_APIC_REGISTERS) | BIT(VMX_VIRTUAL_INTERRUPTS) |
			  BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PROCBASED2, SECONDARY_VIRTUAL_INTERRUPTS,
		  BIT(VMX_VIRTUAL_INTERRUPTS) | BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PINBASED, PIN_POSTED_INTERRUPTS, BIT(VMX_POSTED_INTERRUPTS) },
		{ MSR_VMX_PINBASED, PIN_PREEMPTION_TIMER, BIT(VMX_PREEMPTION_TIMER) },
		{ MSR_VMX_PROCBASED2, SECONDARY_VPID, BIT(VMX_VPID) },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		start(NULL);
		lack(row[i].msr, row[i].bit);
		assert_int_equal(vmx_controls_choose(&why), 0);
		for (unsigned f = 0; f < VMX_FEATURES; f++) {
			bool there = !(row[i].lost & BIT(f));

			assert_int_equal(vmx_features[f].has, there);
			assert_int_equal(vmx_features[f].on, there);
		}
	}
}

static void a_vpid_that_cannot_be_flushed_is_none(void **state)
{
	(void)state;
	*capability(MSR_VMX_EPT_VPID) &= ~VPID_CAP_INVVPID_ONE;
	assert_int_equal(vmx_controls_choose(&why), 0);
	assert_false(vmx_features[VMX_VPID].has);
	assert_false(vmx_features[VMX_VPID].on);
	assert_true(vmx_features[VMX_EPT].has);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(nothing_is_on_that_weir_does_not_want),
		T(what_weir_needs_must_be_there),
		T(a_cpu_that_insists_on_cr3_exits_is_none_for_weir),
		T(what_is_optional_may_be_missing),
		T(all_features_are_found_and_on),
		T(a_feature_goes_with_what_it_needs),
		T(a_vpid_that_cannot_be_flushed_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
