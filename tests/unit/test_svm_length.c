/* SPDX-License-Identifier: MIT */
/* links: vmm/svm_length.c vmm/decode.c vmm/gva.c tests/unit/host.c */
/*
 * test_svm_length.c - how long an instruction is that exited, from the guest's memory, and
 * what is remembered of it
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/svm.h"
#include "vmm/vm.h"

enum { RAM = 2 << 20, RIP = 0x1000 };

static struct vm vm;
static struct vmcb vmcb;
static struct svm_vcpu hw;
static struct vcpu v;
static struct vcpu_sregs sregs;
static unsigned looks; /* at the guest's registers: the code is read again */

static void fake_get_sregs(struct vcpu *u, struct vcpu_sregs *s)
{
	(void)u;
	looks++;
	*s = sregs;
}

static const struct vmm_backend fake_backend = { .get_sregs = fake_get_sregs };
const struct vmm_backend *backend = &fake_backend;

static int up(void **state)
{
	(void)state;
	gpa_map_init(&vm.mem, calloc(1, RAM), RAM);
	memset(&vmcb, 0, sizeof(vmcb));
	hw = (struct svm_vcpu){ .vmcb = &vmcb };
	svm_length_reset(&hw);
	v = (struct vcpu){ .hw = &hw, .vm = &vm, .rip = RIP };
	sregs = (struct vcpu_sregs){ .seg[SEGMENT_CS].attr = SEG_DB }; /* 32-bit, no paging */
	looks = 0;
	return 0;
}

static int down(void **state)
{
	(void)state;
	free(vm.mem.ram);
	return 0;
}

static void code(const char *bytes, unsigned n)
{
	memcpy(vm.mem.ram + RIP, bytes, n);
}

static void counts_prefixes(void **state)
{
	(void)state;
	code("\x0f\xa2", 2);
	assert_int_equal(svm_length(&v, 2), 2);
	code("\x66\x0f\xa2", 3);
	assert_int_equal(svm_length(&v, 2), 3);
	code("\x2e\x67\x0f\x32", 4);
	assert_int_equal(svm_length(&v, 2), 4);
	code("\xf3\xf4", 2);
	assert_int_equal(svm_length(&v, 1), 2);
}

static void reads_code_once_while_it_is_the_same(void **state)
{
	(void)state;
	code("\x0f\x30", 2);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(svm_length(&v, 2), 2);
	assert_int_equal(looks, 1);
	code("\x66\x0f\x30", 3); /* it has changed: what was remembered no longer fits */
	assert_int_equal(svm_length(&v, 2), 3);
	assert_int_equal(svm_length(&v, 2), 3);
	assert_int_equal(looks, 3);
}

static void remembers_nothing_of_ring_3(void **state)
{
	(void)state;
	sregs.cpl = vmcb.cpl = 3;
	code("\x0f\xa2", 2);
	assert_int_equal(svm_length(&v, 2), 2);
	assert_int_equal(svm_length(&v, 2), 2);
	assert_int_equal(looks, 2);
	sregs.cpl = vmcb.cpl = 0;
	assert_int_equal(svm_length(&v, 2), 2);
	vmcb.cpl = 3; /* nor does ring 3 go by what ring 0 had there */
	assert_int_equal(svm_length(&v, 2), 2);
	assert_int_equal(looks, 4);
}

static void two_segments_with_the_same_rip_are_two_places(void **state)
{
	(void)state;
	code("\x0f\xa2", 2);
	assert_int_equal(svm_length(&v, 2), 2);
	memcpy(vm.mem.ram + RIP + 0x8000, "\x66\x0f\xa2", 3);
	sregs.seg[SEGMENT_CS].base = vmcb.cs.base = 0x8000;
	assert_int_equal(svm_length(&v, 2), 3);
}

static void knows_nothing_at_first(void **state)
{
	(void)state;
	v.rip = 0; /* as an empty slot has it */
	memcpy(vm.mem.ram, "\x66\x0f\xa2", 3);
	assert_int_equal(svm_length(&v, 2), 3);
	v.rip = RIP;
	code("\x0f\xa2", 2);
	assert_int_equal(svm_length(&v, 2), 2);
	svm_length_reset(&hw);
	assert_int_equal(svm_length(&v, 2), 2);
	assert_int_equal(looks, 3);
}

static void takes_unreadable_code_for_what_it_mostly_is(void **state)
{
	(void)state;
	v.rip = 0xd0000000;
	assert_int_equal(svm_length(&v, 3), 3);
	v.rip = RIP;
	code("\xff\xff", 2);
	assert_int_equal(svm_length(&v, 2), 2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_prefixes),
		TEST(reads_code_once_while_it_is_the_same),
		TEST(remembers_nothing_of_ring_3),
		TEST(two_segments_with_the_same_rip_are_two_places),
		TEST(knows_nothing_at_first),
		TEST(takes_unreadable_code_for_what_it_mostly_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
