/* SPDX-License-Identifier: MIT */
/* links: vmm/svm.c vmm/svm_features.c tests/unit/host.c */
/*
 * test_svm_features.c - what a CPU with SVM says that it has, and the TLB's flush with
 * and without flush by ASID
 *
 * QEMU's CPU has next to none of it, so the VMCB and CPUID's word are the test's.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "vmm/fpu.h"
#include "vmm/svm.h"

static struct vmcb vmcb;
static struct svm_vcpu hw = { .vmcb = &vmcb };
static struct vcpu v = { .hw = &hw };
static unsigned loads;

/* --- stand-ins for the rest of the back end --- */

struct vmcb *svm_host[MAX_CPUS];

void svm_vmrun(struct vmcb *guest, struct vmcb *host, uint64_t *gpr)
{
	(void)guest, (void)host, (void)gpr;
}

void svm_decode(struct vcpu *u, struct vmcb *c)
{
	(void)u, (void)c;
}

unsigned svm_fetched(struct vcpu *u, uint8_t *bytes)
{
	(void)u, (void)bytes;
	return 0;
}

int svm_probe(const char **why)
{
	(void)why;
	return -ENODEV;
}

int svm_init_cpu(const char **why)
{
	(void)why;
	return -ENODEV;
}

int svm_vm_create(struct vm *vm)
{
	(void)vm;
	return -ENOMEM;
}

int svm_vcpu_create(struct vcpu *u)
{
	(void)u;
	return -ENOMEM;
}

void svm_vcpu_reset(struct vcpu *u, const struct vcpu_sregs *s)
{
	(void)u, (void)s;
}

void svm_get_sregs(struct vcpu *u, struct vcpu_sregs *s)
{
	(void)u, (void)s;
}

int svm_get_msr(struct vcpu *u, uint32_t index, uint64_t *value)
{
	(void)u, (void)index, (void)value;
	return -EINVAL;
}

int svm_set_msr(struct vcpu *u, uint32_t index, uint64_t value)
{
	(void)u, (void)index, (void)value;
	return -EINVAL;
}

void svm_explain(struct vcpu *u, char *text, size_t size)
{
	(void)u, (void)text, (void)size;
}

void fpu_load(struct vcpu *u)
{
	assert_ptr_equal(u, &v);
	loads++;
}

void fpu_put(struct vcpu *u)
{
	(void)u;
}

/* --- tests --- */

static void each_bit_is_its_feature(void **state)
{
	static const struct {
		const char *name;
		unsigned bit; /* [APM3 E.4.9] */
	} row[] = {
		{ "nested-paging", 0 },  { "lbr", 1 },           { "nrip-save", 3 },
		{ "tsc-scale", 4 },      { "vmcb-clean", 5 },    { "flush-by-asid", 6 },
		{ "decode-assists", 7 }, { "pause-filter", 10 }, { "avic", 13 },
		{ "vmsave", 15 },        { "vgif", 16 },         { "vnmi", 25 },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(row), SVM_FEATURES);
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		svm_features_probe(BIT(row[i].bit));
		for (struct vmm_feature *f = svm_features; f->name; f++) {
			assert_int_equal(f->has, !strcmp(f->name, row[i].name));
			assert_int_equal(f->on, f->has && !f->unused);
		}
	}
}

static void all_that_is_there_and_of_use_is_on(void **state)
{
	(void)state;
	svm_features_probe(UINT32_MAX);
	assert_true(svm_uses(SVM_NRIP_SAVE) && svm_uses(SVM_DECODE_ASSISTS));
	assert_true(svm_uses(SVM_FLUSH_BY_ASID) && svm_uses(SVM_NESTED_PAGING));
	assert_false(svm_uses(SVM_VGIF) || svm_uses(SVM_AVIC) || svm_uses(SVM_VMCB_CLEAN));
	svm_features_probe(0);
	for (unsigned f = 0; f < SVM_FEATURES; f++)
		assert_false(svm_uses(f));
}

static void another_guests_turn_flushes_its_asid_or_without_that_all(void **state)
{
	(void)state;
	svm_features_probe(0);
	svm_backend.vcpu_load(&v);
	assert_int_equal(vmcb.tlb_control, 1);
	svm_features_probe(CPUID_SVM_FLUSH_BY_ASID);
	svm_backend.vcpu_load(&v);
	assert_int_equal(vmcb.tlb_control, 3);
	atomic_store(&svm_features[SVM_FLUSH_BY_ASID].on, false);
	svm_backend.vcpu_load(&v);
	assert_int_equal(vmcb.tlb_control, 1);
	assert_int_equal(loads, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit_is_its_feature),
		cmocka_unit_test(all_that_is_there_and_of_use_is_on),
		cmocka_unit_test(another_guests_turn_flushes_its_asid_or_without_that_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
