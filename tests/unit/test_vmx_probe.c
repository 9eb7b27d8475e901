/* SPDX-License-Identifier: MIT */
/* links: tests/unit/host.c */
/*
 * test_vmx_probe.c - what vmx_probe() makes of a CPU, above all of one whose firmware has
 * locked VT-x off or has left it open, which no emulator here plays: the file itself, on CPUID
 * and MSRs of the test's own
 */
#include <errno.h>
#include <stddef.h>

#include "host.h"
#include "kernel/x86.h"
#include "vmm/vmx.h"

static struct {
	struct cpuid one; /* leaf 1 */
	uint64_t feature_control, ept;
	bool has_fpu, has_controls;
} cpu;

static struct cpuid fake_cpuid(uint32_t leaf)
{
	return leaf == 1 ? cpu.one : (struct cpuid){ 0 };
}

static uint64_t fake_rdmsr(uint32_t msr)
{
	assert_true(cpu.one.ecx); /* these fault on a CPU without VT-x */
	return msr == MSR_FEATURE_CONTROL ? cpu.feature_control
	       : msr == MSR_VMX_EPT_VPID  ? cpu.ept
					  : 0;
}

static void fake_wrmsr(uint32_t msr, uint64_t value)
{
	assert_int_equal(msr, MSR_FEATURE_CONTROL);
	assert_false(cpu.feature_control & FEATURE_LOCKED); /* a write to a locked one faults */
	cpu.feature_control = value;
}

#define cpuid(leaf)       fake_cpuid(leaf)
#define rdmsr(msr)        fake_rdmsr(msr)
#define wrmsr(msr, value) fake_wrmsr(msr, value)
#include "vmm/vmx_setup.c"

/* --- what else the file reaches for: nobody but vmx_probe() is called --- */

struct vmm_feature vmx_features[VMX_FEATURES + 1];

int vmx_controls_choose(const char **why)
{
	*why = "a control is missing";
	return cpu.has_controls ? 0 : -ENODEV;
}

bool fpu_probe(void)
{
	return cpu.has_fpu;
}

void fpu_init_cpu(void)
{
	fail();
}

uint64_t *nested_build(const struct gpa_map *m, const struct nested_bits *bits)
{
	(void)m, (void)bits;
	fail();
	return NULL;
}

void vmx_cr_init(void)
{
	fail();
}

void vmx_apic_allow(uint8_t *bitmap, void (*allow)(uint8_t *bitmap, uint32_t msr, bool write))
{
	(void)bitmap, (void)allow;
	fail();
}

int vmx_apic_vm_create(uint64_t *ept, const struct nested_bits *bits, void **page)
{
	(void)ept, (void)bits, (void)page;
	fail();
	return -1;
}

/* --- fixture: a CPU that has all that Weir needs, VT-x locked on --- */

static int start(void **state)
{
	(void)state;
	cpu.one = (struct cpuid){ .ecx = CPUID1_ECX_VMX };
	cpu.feature_control = FEATURE_LOCKED | FEATURE_VMX;
	cpu.ept = EPT_CAP_WALK_4 | EPT_CAP_WRITE_BACK | EPT_CAP_2M | EPT_CAP_INVEPT |
		  EPT_CAP_INVEPT_ONE;
	cpu.has_fpu = cpu.has_controls = true;
	return 0;
}

static void says(int err, const char *reason)
{
	const char *why = NULL;

	assert_int_equal(vmx_probe(&why), err);
	if (reason)
		assert_string_equal(why, reason);
}

static void a_cpu_that_has_it_all_is_taken(void **state)
{
	(void)state;
	says(0, NULL);
}

static void without_vt_x_no_msr_is_touched(void **state)
{
	(void)state;
	cpu.one.ecx = 0;
	says(-ENODEV, "this CPU has no VT-x");
}

static void locked_off_by_firmware_says_so(void **state)
{
	(void)state;
	cpu.feature_control = FEATURE_LOCKED;
	says(-EPERM, "firmware has locked VT-x off (IA32_FEATURE_CONTROL)");
}

static void left_open_it_is_locked_on(void **state)
{
	(void)state;
	cpu.feature_control = 0;
	says(0, NULL);
	assert_int_equal(cpu.feature_control, FEATURE_LOCKED | FEATURE_VMX);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	cpu.has_controls = false;
	says(-EPERM, "a control is missing");
	start(NULL);
	cpu.ept &= ~EPT_CAP_2M;
	says(-EPERM, "this CPU's EPT has no large pages or no write-back memory");
	start(NULL);
	cpu.has_fpu = false;
	says(-EPERM, "this CPU has no XSAVE or no RDTSCP");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(a_cpu_that_has_it_all_is_taken), T(without_vt_x_no_msr_is_touched),
		T(locked_off_by_firmware_says_so), T(left_open_it_is_locked_on),
		T(what_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
