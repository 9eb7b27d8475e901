/* SPDX-License-Identifier: MIT */
/* links: vmm/gva.c tests/unit/host.c */
/*
 * test_gva.c - the page tables of a guest, in all formats, whole and damaged
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/x86.h"
#include "vmm/gva.h"
#include "vmm/vm.h"

enum { RAM = 4 << 20, TABLES = 0x1000 };

#define P  BIT(0)
#define RW BIT(1)
#define US BIT(2)
#define A  BIT(5)
#define D  BIT(6)
#define PS BIT(7)
#define NX BIT(63)

static struct vm vm;
static struct vcpu vcpu;
static struct vcpu_sregs s;
static uint64_t gpa;

static void put32(uint64_t at, uint32_t value)
{
	assert_true(gpa_write(&vm.mem, at, &value, sizeof(value)));
}

static void put64(uint64_t at, uint64_t value)
{
	assert_true(gpa_write(&vm.mem, at, &value, sizeof(value)));
}

static uint64_t get64(uint64_t at)
{
	uint64_t value = 0;

	assert_true(gpa_read(&vm.mem, at, &value, sizeof(value)));
	return value;
}

static void maps(uint64_t linear, uint64_t to)
{
	gpa = ~to;
	assert_int_equal(gva_to_gpa(&vcpu, &s, linear, &gpa), 0);
	assert_int_equal(gpa, to);
}

static void maps_not(uint64_t linear)
{
	assert_int_equal(gva_to_gpa(&vcpu, &s, linear, &gpa), -EFAULT);
}

/* --- set-up: a guest with empty memory, by mode --- */

static int down(void **state)
{
	(void)state;
	free(vm.mem.ram);
	return 0;
}

static int no_paging(void **state)
{
	(void)state;
	host_cores(1);
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&s, 0, sizeof(s));
	gpa_map_init(&vm.mem, aligned_alloc(2 << 20, RAM), RAM);
	memset(vm.mem.ram, 0, RAM);
	vcpu.vm = &vm;
	s.cr0 = CR0_PE;
	s.cr3 = TABLES;
	return 0;
}

static int long_mode(void **state)
{
	no_paging(state);
	s.cr0 |= CR0_PG | CR0_WP;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LME | EFER_LMA;
	s.seg[SEGMENT_CS].attr = SEG_L;
	return 0;
}

static int pae_mode(void **state)
{
	no_paging(state);
	s.cr0 |= CR0_PG;
	s.cr4 = CR4_PAE;
	s.seg[SEGMENT_CS].attr = SEG_DB;
	return 0;
}

static int old_mode(void **state)
{
	pae_mode(state);
	s.cr4 = CR4_PSE;
	return 0;
}

/* --- four levels --- */

static void walks_four_levels_to_a_page_of_4_kib(void **state)
{
	(void)state;
	/* indices 0x1ff, 0x1fe, 3, 4 of the upper half */
	put64(TABLES + 0x1ff * 8, 0x2000 | P | RW);
	put64(0x2000 + 0x1fe * 8, 0x3000 | P | RW);
	put64(0x3000 + 3 * 8, 0x4000 | P | RW);
	put64(0x4000 + 4 * 8, UINT64_C(0x12345fee00000) | P | RW | NX);
	maps(0xffffffff80604abc, 0x12345fee00abc);
	maps_not(0xffffffff80605abc);
	maps_not(0xffffffff80804abc);
	maps_not(0xffffffffc0604abc);
	maps_not(0x604abc);
}

static void walks_to_pages_of_2_mib_and_1_gib(void **state)
{
	(void)state;
	put64(TABLES, 0x2000 | P);
	put64(0x2000, 0x3000 | P);
	put64(0x2000 + 8, UINT64_C(0x1c0000000) | P | PS | BIT(12)); /* bit 12 is PAT */
	put64(0x3000 + 8, UINT64_C(0xe0200000) | P | PS | BIT(12));
	maps(0x3fffff, 0xe03fffff);
	maps(0x200000, 0xe0200000);
	maps(0x7ff01234, 0x1fff01234);
	maps_not(0x1fffff);
}

static void ignores_what_is_no_address_in_cr3_and_entries(void **state)
{
	(void)state;
	s.cr3 = TABLES | BITS(11, 0) | BIT(63);
	put64(TABLES, 0x2000 | BITS(6, 0) | BITS(11, 8) | BITS(63, 52));
	put64(0x2000, UINT64_C(0x40000000) | PS | P | BITS(63, 52));
	maps(0x1234567, 0x41234567);
}

static void refuses_addresses_that_are_not_canonical(void **state)
{
	(void)state;
	put64(TABLES, 0x2000 | P);
	put64(TABLES + 0x100 * 8, 0x2000 | P);
	put64(0x2000, P | PS);
	maps(0x1000, 0x1000);
	maps(0xffff800000001000, 0x1000);
	maps_not(UINT64_C(0x800000001000));
	maps_not(UINT64_C(0x1000000001000));
	maps_not(UINT64_C(0xfffe000000001000));
}

static void refuses_a_page_in_the_first_level(void **state)
{
	(void)state;
	put64(TABLES, 0x2000 | P | PS);
	put64(0x2000, P | PS);
	maps_not(0x1000);
}

static void refuses_tables_outside_memory(void **state)
{
	(void)state;
	put64(TABLES, UINT64_C(0xffffffffff000) | P);
	maps_not(0);
	put64(TABLES, (uint64_t)RAM | P);
	maps_not(0);
	s.cr3 = UINT64_C(0xfee00000);
	maps_not(0);
	s.cr3 = RAM - 0x800; /* CR3 is cut to a page */
	maps_not(0);
}

static void ends_where_tables_point_to_themselves(void **state)
{
	(void)state;
	put64(TABLES, TABLES | P);
	maps(0xabc, TABLES | 0xabc);
}

/* --- rights, for data --- */

static int data(uint64_t linear, bool write)
{
	return gva_data(&vcpu, &s, linear, write, &gpa);
}

/* four pages behind linear 0: for all to write, to read, for the kernel to write, to read */
static void pages_by_rights(void)
{
	put64(TABLES, 0x2000 | P | RW | US);
	put64(0x2000, 0x3000 | P | RW | US);
	put64(0x3000, 0x4000 | P | RW | US);
	put64(0x4000, 0x10000 | P | RW | US);
	put64(0x4008, 0x11000 | P | US);
	put64(0x4010, 0x12000 | P | RW);
	put64(0x4018, 0x13000 | P);
}

static void holds_a_user_to_its_rights(void **state)
{
	(void)state;
	pages_by_rights();
	s.cpl = 3;
	assert_int_equal(data(0x123, true), 0);
	assert_int_equal(gpa, 0x10123);
	assert_int_equal(data(0x1000, false), 0);
	assert_int_equal(data(0x1000, true), -EFAULT);
	assert_int_equal(data(0x2000, false), -EFAULT);
	assert_int_equal(data(0x3000, false), -EFAULT);
	maps(0x3000, 0x13000); /* who does not ask for rights is not refused */
}

static void takes_a_right_that_one_level_denies(void **state)
{
	(void)state;
	pages_by_rights();
	s.cpl = 3;
	put64(0x2000, 0x3000 | P | US);
	assert_int_equal(data(0, false), 0);
	assert_int_equal(data(0, true), -EFAULT);
	put64(0x2000, 0x3000 | P | RW);
	assert_int_equal(data(0, false), -EFAULT);
}

static void holds_a_kernel_to_write_protection_and_smap(void **state)
{
	(void)state;
	pages_by_rights();
	assert_int_equal(data(0x1000, true), -EFAULT);
	assert_int_equal(data(0x2000, true), 0);
	assert_int_equal(data(0x3000, true), -EFAULT);
	s.cr0 &= ~CR0_WP;
	assert_int_equal(data(0x3000, true), 0);
	assert_int_equal(data(0, false), 0);
	s.cr4 |= BIT(21); /* SMAP */
	assert_int_equal(data(0, false), -EFAULT);
	vcpu.rflags = BIT(18); /* AC: STAC was executed */
	assert_int_equal(data(0, false), 0);
}

static void faults(uint64_t linear, bool write, uint32_t want)
{
	uint32_t error = ~want;

	assert_int_equal(gva_fault(&vcpu, &s, linear, write, &error), 0);
	assert_int_equal(error, want);
}

static void says_what_page_fault_a_cpu_would_take(void **state)
{
	uint32_t error;

	(void)state;
	pages_by_rights();
	faults(0x1000, true, 3); /* present, write */
	faults(0x5000, false, 0);
	faults(0x5000, true, 2);
	s.cpl = 3;
	faults(0x1000, true, 7);
	faults(0x2000, false, 5);
	faults(0x5000, true, 6);
	put64(TABLES + 8, 0x2000 | P | RW | PS); /* reserved there */
	faults(UINT64_C(1) << 39, false, 13);
	assert_int_equal(gva_fault(&vcpu, &s, UINT64_C(1) << 47, false, &error), -ERANGE);
	assert_int_equal(gva_fault(&vcpu, &s, 0, false, &error),
			 -EAGAIN);                         /* it is allowed by now */
	put64(TABLES + 16, UINT64_C(0xd0000000) | P | RW); /* no memory */
	assert_int_equal(gva_fault(&vcpu, &s, UINT64_C(2) << 39, false, &error), -EFAULT);
}

static void marks_what_is_written_dirty_and_nothing_else(void **state)
{
	(void)state;
	pages_by_rights();
	assert_int_equal(data(0, false), 0);
	assert_int_equal(get64(0x4000), 0x10000 | P | RW | US);
	assert_int_equal(data(0, true), 0);
	assert_int_equal(get64(0x4000), 0x10000 | P | RW | US | A | D);
	assert_int_equal(data(0x1000, true), -EFAULT);
	assert_int_equal(get64(0x4008), 0x11000 | P | US);
	assert_int_equal(get64(0x3000), 0x4000 | P | RW | US);
}

/* --- PAE, two levels, none --- */

static void walks_pae(void **state)
{
	(void)state;
	s.cr3 = TABLES + 0x20; /* four entries, wherever 32 bytes fit */
	put64(TABLES + 0x20, 0x2000 | P);
	put64(TABLES + 0x38, 0x3000 | P);
	put64(0x2000 + 8, UINT64_C(0x123400000) | P | PS);
	put64(0x3000 + 0x1ff * 8, 0x4000 | P);
	put64(0x4000 + 0x1ff * 8, UINT64_C(0xfee00000) | P | NX);
	maps(0x245678, 0x123445678);
	maps(0xfffffabc, 0xfee00abc);
	maps_not(0x40000000);
	maps_not(0xffffeabc);
	maps(UINT64_C(0x100245678), 0x123445678); /* addresses wrap at 4 GiB */
}

static void leaves_rights_to_the_lower_levels_of_pae(void **state)
{
	(void)state;
	put64(TABLES, 0x2000 | P);
	put64(0x2000, UINT64_C(0x200000) | P | RW | US | PS);
	s.cpl = 3;
	assert_int_equal(data(0x1000, true), 0);
	assert_int_equal(get64(0x2000), UINT64_C(0x200000) | P | RW | US | PS | A | D);
}

static void walks_two_levels_of_four_bytes(void **state)
{
	(void)state;
	put32(TABLES + 0x300 * 4, 0x2000 | P | RW);
	put32(TABLES + 0x301 * 4, 0xfff00000 | P); /* no table there */
	put32(0x2000 + 0x3ff * 4, 0xfee00000 | P | RW);
	maps(0xc03ff123, 0xfee00123);
	maps_not(0xc03fe123);
	maps_not(0xc0400000);
	assert_int_equal(data(0xc03ff123, true), 0);
	maps(0xc03ff123, 0xfee00123); /* its neighbour is left alone */
	maps_not(0xc03fe123);
}

static void walks_to_a_page_of_4_mib_only_with_pse(void **state)
{
	(void)state;
	put32(TABLES + 4,
	      0x80000000 | P | PS | BIT(13) | BIT(20)); /* bits 32 and 39 of the address */
	maps(0x7fffff, UINT64_C(0x81803fffff));
	s.cr4 = 0;
	maps_not(0x7fffff); /* a table then, and not in memory */
	put32(TABLES + 4, 0x3000 | P | PS);
	put32(0x3000, 0x5000 | P);
	maps(0x400123, 0x5123);
}

static void passes_addresses_on_without_paging(void **state)
{
	(void)state;
	maps(0x12345678, 0x12345678);
	maps(UINT64_C(0x1fee00020), 0xfee00020);
	assert_int_equal(data(0xfee00020, true), 0);
	assert_int_equal(gpa, 0xfee00020);
}

/* --- code --- */

static void tells_how_code_is_to_be_read(void **state)
{
	(void)state;
	assert_int_equal(gva_mode(&s), INSN_64);
	s.seg[SEGMENT_CS].attr = SEG_DB; /* compatibility mode */
	assert_int_equal(gva_mode(&s), INSN_32);
	s.seg[SEGMENT_CS].attr = 0;
	assert_int_equal(gva_mode(&s), INSN_16);
	s.seg[SEGMENT_CS].attr = SEG_L | SEG_DB;
	s.efer = 0;
	assert_int_equal(gva_mode(&s), INSN_32);
}

static void fetches_across_pages_until_one_is_missing(void **state)
{
	uint8_t bytes[15];

	(void)state;
	pages_by_rights();
	put64(0x4008, 0x20000 | P); /* not behind the first in memory */
	put64(0x4010, 0);
	memcpy(vm.mem.ram + 0x10ff9, "abcdefg", 7);
	memcpy(vm.mem.ram + 0x20000, "hijklmno", 8);
	vcpu.rip = 0xff9;
	s.seg[SEGMENT_CS].base = 0x5000; /* not looked at in 64-bit mode */
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 15), 15);
	assert_memory_equal(bytes, "abcdefghijklmno", 15);
	vcpu.rip = 0x1ffd;
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 15), 3);
	vcpu.rip = 0x2000;
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 15), 0);
	put64(0x4010, UINT64_C(0xfee00000) | P); /* code in a device: there is none */
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 15), 0);
	vcpu.rip = UINT64_C(0x800000000000) - 4;
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 15), 0);
}

static void fetches_from_the_base_of_cs(void **state)
{
	uint8_t bytes[4];

	(void)state;
	memcpy(vm.mem.ram + 0x91234, "code", 4);
	s.seg[SEGMENT_CS].base = 0x90000;
	vcpu.rip = 0x1234;
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 4), 4);
	assert_memory_equal(bytes, "code", 4);
	s.seg[SEGMENT_CS].base = 0xffff0000; /* wraps, as at RESET */
	vcpu.rip = 0x10000 + 0x91234;
	assert_int_equal(gva_fetch(&vcpu, &s, bytes, 4), 4);
	assert_memory_equal(bytes, "code", 4);
}

int main(void)
{
#define TEST(fn, mode) cmocka_unit_test_setup_teardown(fn, mode, down)
	const struct CMUnitTest tests[] = {
		TEST(walks_four_levels_to_a_page_of_4_kib, long_mode),
		TEST(walks_to_pages_of_2_mib_and_1_gib, long_mode),
		TEST(ignores_what_is_no_address_in_cr3_and_entries, long_mode),
		TEST(refuses_addresses_that_are_not_canonical, long_mode),
		TEST(refuses_a_page_in_the_first_level, long_mode),
		TEST(refuses_tables_outside_memory, long_mode),
		TEST(ends_where_tables_point_to_themselves, long_mode),
		TEST(holds_a_user_to_its_rights, long_mode),
		TEST(takes_a_right_that_one_level_denies, long_mode),
		TEST(holds_a_kernel_to_write_protection_and_smap, long_mode),
		TEST(says_what_page_fault_a_cpu_would_take, long_mode),
		TEST(marks_what_is_written_dirty_and_nothing_else, long_mode),
		TEST(walks_pae, pae_mode),
		TEST(leaves_rights_to_the_lower_levels_of_pae, pae_mode),
		TEST(walks_two_levels_of_four_bytes, old_mode),
		TEST(walks_to_a_page_of_4_mib_only_with_pse, old_mode),
		TEST(passes_addresses_on_without_paging, no_paging),
		TEST(tells_how_code_is_to_be_read, long_mode),
		TEST(fetches_across_pages_until_one_is_missing, long_mode),
		TEST(fetches_from_the_base_of_cs, no_paging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
