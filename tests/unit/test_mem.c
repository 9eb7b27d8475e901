/* SPDX-License-Identifier: MIT */
/* links: kernel/mem.c tests/unit/host.c */
/*
 * test_mem.c - boot memory: what the loader left is never handed out, nor
 * page 0, nor what is no RAM
 */
#include <string.h>

#include "tests/unit/host.h"
#include "kernel/mem.h"

char _start_text[1];

#define MIB (UINT64_C(1) << 20)

/*
 * two stretches of RAM as QEMU has them, and in the lower one what a loader leaves: in the
 * middle, at the end, twice
 */
static const struct boot_info boot = {
	.region = { { 0, 640 << 10, BOOT_REGION_RAM },
		    { MIB, 31 * MIB, BOOT_REGION_RAM },
		    { 32 * MIB, 16 * MIB, 2 },
		    { 4096 * MIB, 8 * MIB, BOOT_REGION_RAM } },
	.nregions = 4,
	.reserved = { { 4 * MIB + 100, 50, 1 }, { 4 * MIB + 120, 8000, 1 }, { 31 * MIB, MIB, 1 } },
	.nreserved = 3,
};

static bool overlaps(uint64_t a, uint64_t len, uint64_t base, uint64_t blen)
{
	return a < base + blen && base < a + len;
}

static void hands_out_ram_alone_and_nothing_that_is_reserved(void **state)
{
	uint64_t taken = 0;
	void *p;

	(void)state;
	mem_init(&boot);
	assert_int_equal(mem_total(), (640 << 10) + 39 * MIB);
	while ((p = mem_try_alloc(24 << 10, PAGE_SIZE))) {
		uint64_t at = (uintptr_t)p;
		bool in_ram = false;

		assert_false(overlaps(at, 24 << 10, 0, MIB));
		for (unsigned i = 0; i < boot.nregions; i++)
			in_ram |= boot.region[i].type == BOOT_REGION_RAM &&
				  at >= boot.region[i].base &&
				  at + (24 << 10) <= boot.region[i].base + boot.region[i].len;
		assert_true(in_ram);
		for (unsigned i = 0; i < boot.nreserved; i++)
			assert_false(overlaps(at, 24 << 10, boot.reserved[i].base,
					      boot.reserved[i].len));
		taken += 24 << 10;
	}
	assert_true(taken > 36 * MIB); /* all but the reserved and the ends of the extents */
}

static void says_what_it_had_no_room_for(void **state)
{
	(void)state;
	expect_panic(mem_alloc(MIB, PAGE_SIZE, "the test's cake"));
	assert_non_null(strstr(host_panic_text, "the test's cake"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_ram_alone_and_nothing_that_is_reserved),
		cmocka_unit_test(says_what_it_had_no_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
