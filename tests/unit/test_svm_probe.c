/* SPDX-License-Identifier: MIT */
/* links: vmm/svm_features.c tests/unit/host.c */
/*
 * test_svm_probe.c - what svm_probe() makes of a CPU, above all of one whose firmware has locked
 * SVM off, which no emulator here plays: the file itself, on CPUID and MSRs of the test's own
 */
#include <errno.h>
#include <stddef.h>

#include "host.h"
#include "kernel/x86.h"

static struct {
	struct cpuid extended, svm; /* leaves 80000001H and 8000000AH */
	uint64_t vm_cr;
	bool has_fpu;
} cpu;

static struct cpuid fake_cpuid(uint32_t leaf)
{
	return leaf == 0x80000001   ? cpu.extended
	       : leaf == 0x8000000a ? cpu.svm
				    : (struct cpuid){ 0 };
}

static uint64_t fake_rdmsr(uint32_t msr)
{
	assert_true(cpu.extended.ecx); /* VM_CR faults on a CPU without SVM */
	return msr == 0xc0010114 ? cpu.vm_cr : 0;
}

#define cpuid(leaf)   fake_cpuid(leaf)
#define rdmsr(msr)    fake_rdmsr(msr)
#define wrmsr(msr, v) ((void)(msr), (void)(v))
#include "vmm/svm_setup.c"

/* --- what else the file reaches for: nobody comes here by svm_probe() --- */

static bool fpu_asked;

bool fpu_probe(void)
{
	fpu_asked = true;
	return cpu.has_fpu;
}

void fpu_init_cpu(void)
{
	fail();
}

void svm_length_reset(struct svm_vcpu *s)
{
	(void)s;
}

void fpu_reset(struct vcpu *v)
{
	(void)v;
	fail();
}

void svm_set_sregs(struct vcpu *v, const struct vcpu_sregs *s)
{
	(void)v, (void)s;
	fail();
}

uint64_t *nested_build(const struct gpa_map *m, const struct nested_bits *bits)
{
	(void)m, (void)bits;
	fail();
	return NULL;
}

/* --- the tests --- */

static int start(void **state)
{
	(void)state;
	cpu.extended = (struct cpuid){ .ecx = BIT(2) }; /* SVM [APM3 E.4.2] */
	cpu.svm = (struct cpuid){ .edx = BIT(0) };      /* NP [APM3 E.4.9] */
	cpu.vm_cr = 0;
	cpu.has_fpu = true;
	fpu_asked = false;
	return 0;
}

static void refused(const char *want)
{
	const char *why = NULL;

	assert_true(svm_probe(&why) < 0);
	assert_non_null(why);
	assert_string_equal(why, want);
}

static void a_cpu_that_has_all_of_it_is_taken(void **state)
{
	const char *why = NULL;

	(void)state;
	assert_int_equal(svm_probe(&why), 0);
	assert_null(why);
	assert_true(fpu_asked);
	cpu.vm_cr = BIT(0) | BIT(1) | BIT(2) | BIT(3); /* the other bits of VM_CR are no lock */
	assert_int_equal(svm_probe(&why), 0);
}

static void one_whose_firmware_locked_it_off_is_refused_for_that(void **state)
{
	(void)state;
	cpu.vm_cr = BIT(4); /* SVMDIS [APM2 15.30.1] */
	refused("firmware has locked SVM off (VM_CR.SVMDIS)");
	cpu.svm.edx = 0; /* whatever else is missing, that is what its owner can mend */
	refused("firmware has locked SVM off (VM_CR.SVMDIS)");
}

static void one_without_svm_is_not_asked_for_its_msr(void **state)
{
	(void)state;
	cpu.extended.ecx = 0;
	refused("this CPU has no SVM");
}

static void what_weir_needs_beside_it_is_named(void **state)
{
	(void)state;
	cpu.svm.edx = 0;
	refused("this CPU's SVM has no nested paging");
	cpu.svm.edx = BIT(0);
	cpu.has_fpu = false;
	refused("this CPU has no XSAVE or no RDTSCP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_cpu_that_has_all_of_it_is_taken, start),
		cmocka_unit_test_setup(one_whose_firmware_locked_it_off_is_refused_for_that, start),
		cmocka_unit_test_setup(one_without_svm_is_not_asked_for_its_msr, start),
		cmocka_unit_test_setup(what_weir_needs_beside_it_is_named, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
