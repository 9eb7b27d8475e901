/* SPDX-License-Identifier: MIT */
/* links: boot/efi.c boot/loader.c tests/unit/host.c */
/*
 * test_boot_info.c - what BOOTX64.EFI hands over becomes struct boot_info: which
 * memory is free, what must stay
 */
#include <string.h>

#include "host.h"
#include "boot/efi/handover.h"
#include "boot/loader.h"

enum { STEP = 48, MANY = 200 }; /* as OVMF has it: longer than the specification's 40 bytes */

static uint8_t map[MANY * STEP];
static struct efi_handover handover;
static struct boot_info b;

static int start(void **state)
{
	(void)state;
	host_cores(1);
	memset(map, 0xee, sizeof(map));
	memset(&b, 0, sizeof(b));
	handover = (struct efi_handover){ .map = (uint64_t)map, .map_step = STEP };
	return 0;
}

static void add(uint32_t type, uint64_t start, uint64_t pages)
{
	uint8_t *d = map + handover.map_len;

	memcpy(d, &type, 4);
	memcpy(d + 8, &start, 8);
	memcpy(d + 24, &pages, 8);
	handover.map_len += STEP;
}

static void read_it(void)
{
	efi_boot_info(&b, (uint64_t)&handover);
}

static void is_region(unsigned i, uint64_t base, uint64_t len, uint32_t type)
{
	assert_int_equal(b.region[i].base, base);
	assert_int_equal(b.region[i].len, len);
	assert_int_equal(b.region[i].type, type);
}

static void what_ends_with_boot_services_is_ram_and_all_else_is_not(void **state)
{
	static const uint32_t ram[] = { 1, 2, 3, 4, 7 };

	(void)state;
	for (uint32_t type = 0; type < 16; type++)
		add(type, type * 0x100000, 1);
	read_it();
	assert_int_equal(b.nregions, 16);
	for (uint32_t type = 0; type < 16; type++) {
		bool want = false;

		for (unsigned i = 0; i < sizeof(ram) / sizeof(ram[0]); i++)
			want |= ram[i] == type;
		is_region(type, type * 0x100000, 4096,
			  want ? BOOT_REGION_RAM : BOOT_REGION_RESERVED);
	}
}

static void neighbours_that_are_both_free_become_one(void **state)
{
	(void)state;
	add(7, 0x100000, 2);  /* conventional */
	add(4, 0x102000, 1);  /* boot services data, right behind it */
	add(2, 0x103000, 1);  /* loader data */
	add(6, 0x104000, 1);  /* runtime services data: not ours */
	add(5, 0x105000, 1);  /* nor runtime services code */
	add(7, 0x106000, 10); /* free again */
	add(7, 0x200000, 1);  /* free, but not a neighbour */
	read_it();
	assert_int_equal(b.nregions, 4);
	is_region(0, 0x100000, 0x4000, BOOT_REGION_RAM);
	is_region(1, 0x104000, 0x2000, BOOT_REGION_RESERVED);
	is_region(2, 0x106000, 0xa000, BOOT_REGION_RAM);
	is_region(3, 0x200000, 0x1000, BOOT_REGION_RAM);
}

static void a_map_of_many_pieces_is_cut_and_that_is_said_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		add(7, i * 0x10000, 1);
	read_it();
	assert_int_equal(b.nregions, BOOT_MAX_REGIONS);
	assert_int_equal(b.regions_ignored, MANY - BOOT_MAX_REGIONS);
	assert_string_equal(host_log, "boot: the memory map has more than 64 pieces; the rest is "
				      "not used\n");
}

static void the_archive_stays_and_the_root_pointer_is_passed_on(void **state)
{
	(void)state;
	handover.rsdp = 0x7f014;
	handover.archive = 0x300000;
	handover.archive_len = 12345;
	read_it();
	assert_string_equal(b.loader, "efi");
	assert_int_equal(b.rsdp, 0x7f014);
	assert_int_equal(b.archive, 0x300000);
	assert_int_equal(b.archive_len, 12345);
	assert_int_equal(b.nreserved, 1);
	assert_int_equal(b.reserved[0].base, 0x300000);
	assert_int_equal(b.reserved[0].len, 12345);
}

static void no_archive_and_no_map_are_no_trouble(void **state)
{
	(void)state;
	read_it();
	assert_int_equal(b.archive, 0);
	assert_int_equal(b.nreserved, 0);
	assert_int_equal(b.nregions, 0);
	handover.map_len = STEP;
	handover.map_step = 0; /* would never end */
	read_it();
	assert_int_equal(b.nregions, 0);
	handover.map_len = STEP - 1; /* half a descriptor is none */
	handover.map_step = STEP;
	read_it();
	assert_int_equal(b.nregions, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_ends_with_boot_services_is_ram_and_all_else_is_not,
				       start),
		cmocka_unit_test_setup(neighbours_that_are_both_free_become_one, start),
		cmocka_unit_test_setup(a_map_of_many_pieces_is_cut_and_that_is_said_once, start),
		cmocka_unit_test_setup(the_archive_stays_and_the_root_pointer_is_passed_on, start),
		cmocka_unit_test_setup(no_archive_and_no_map_are_no_trouble, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
