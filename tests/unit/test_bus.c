/* SPDX-License-Identifier: MIT */
/* links: vmm/bus.c tests/unit/host.c */
/* test_bus.c - who is found at a port or an address, and what is counted where nobody is */
#include <errno.h>
#include <string.h>

#include "host.h"
#include "vmm/bus.h"

static struct bus bus;
static int a, b; /* devices, as far as a bus is concerned */

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	return 0;
}

static void add(uint64_t base, uint64_t len, const char *name, void *arg)
{
	assert_int_equal(
		bus_add(&bus,
			&(struct bus_range){ .base = base, .len = len, .name = name, .arg = arg }),
		0);
}

/* found() - the name of who answers, "" if nobody does. */
static const char *found(uint64_t address, unsigned size)
{
	struct bus_range *r = bus_find(&bus, address, size);

	return r ? r->name : "";
}

static void finds_the_range_that_has_all_of_the_access(void **state)
{
	(void)state;
	add(0x3f8, 8, "serial", &a);
	add(0xcf8, 8, "pci", &b);
	assert_string_equal(found(0x3f8, 1), "serial");
	assert_string_equal(found(0x3ff, 1), "serial");
	assert_string_equal(found(0xcfc, 4), "pci");
	assert_string_equal(found(0x3f7, 1), "");
	assert_string_equal(found(0x400, 1), "");
	assert_string_equal(found(0x3f7, 2), "");
	assert_string_equal(found(0x3ff, 2), "");
	assert_string_equal(found(0xcfe, 4), "");
}

static void an_address_at_the_end_of_the_space_does_not_wrap(void **state)
{
	(void)state;
	add(UINT64_MAX - 7, 8, "top", &a);
	add(0, 16, "bottom", &b);
	assert_string_equal(found(UINT64_MAX - 7, 8), "top");
	assert_string_equal(found(UINT64_MAX - 3, 8), "");
	assert_string_equal(found(UINT64_MAX, 1), "top");
	assert_string_equal(found(8, 8), "bottom");
}

static void a_range_that_overlaps_is_found_behind_the_older_one(void **state)
{
	(void)state;
	add(0x1000, 0x100, "old", &a);
	add(0x1080, 0x100, "new", &b);
	assert_string_equal(found(0x1100, 4), "new");
	assert_string_equal(found(0x1090, 4), "old"); /* also right after "new" was found */
	assert_string_equal(found(0x1100, 4), "new");
	bus_del(&bus, 0x1000, &a);
	assert_string_equal(found(0x1090, 4), "new");
}

static void a_deleted_range_is_not_found_though_it_was_the_last(void **state)
{
	(void)state;
	add(0x1000, 0x100, "a", &a);
	add(0x2000, 0x100, "b", &b);
	add(0x3000, 0x100, "a's other", &a);
	assert_string_equal(found(0x1000, 4), "a");
	bus_del(&bus, 0x1000, &b); /* not its owner */
	assert_string_equal(found(0x1000, 4), "a");
	bus_del(&bus, 0x1000, &a);
	assert_string_equal(found(0x1000, 4), "");
	assert_string_equal(found(0x2000, 4), "b");
	assert_string_equal(found(0x3000, 4), "a's other");
	bus_del(&bus, 0x3000, &a); /* nothing moves into its place */
	assert_string_equal(found(0x3000, 4), "");
}

static void refuses_more_ranges_than_it_holds(void **state)
{
	struct bus_range r = { .len = 16, .arg = &a };

	(void)state;
	for (unsigned i = 0; i < BUS_RANGES; i++, r.base += 16)
		assert_int_equal(bus_add(&bus, &r), 0);
	assert_int_equal(bus_add(&bus, &r), -ENOSPC);
	assert_non_null(bus_find(&bus, 16 * (BUS_RANGES - 1), 16));
	assert_null(bus_find(&bus, 16 * BUS_RANGES, 1));
}

static void a_hole_reads_all_ones_of_the_size_asked_for(void **state)
{
	(void)state;
	assert_int_equal(bus_unclaimed(&bus, 0x70, 1, false), 0xff);
	assert_int_equal(bus_unclaimed(&bus, 0x70, 2, false), 0xffff);
	assert_int_equal(bus_unclaimed(&bus, 0x70, 4, false), 0xffffffff);
	assert_true(bus_unclaimed(&bus, 0x70, 8, false) == UINT64_MAX);
}

static void holes_are_counted_by_address_and_direction(void **state)
{
	(void)state;
	bus_unclaimed(&bus, 0x70, 1, true);
	bus_unclaimed(&bus, 0x71, 1, false);
	bus_unclaimed(&bus, 0x71, 1, false);
	assert_int_equal(bus.nholes, 2);
	assert_int_equal(bus.hole[0].address, 0x70);
	assert_int_equal(bus.hole[0].writes, 1);
	assert_int_equal(bus.hole[0].reads, 0);
	assert_int_equal(bus.hole[1].reads, 2);
}

static void holes_beyond_the_table_are_counted_in_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BUS_UNCLAIMED + 5; i++)
		bus_unclaimed(&bus, i, 1, false);
	bus_unclaimed(&bus, 0, 1, false); /* known: still by address */
	assert_int_equal(bus.nholes, BUS_UNCLAIMED);
	assert_int_equal(bus.holes_lost, 5);
	assert_int_equal(bus.hole[0].reads, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_the_range_that_has_all_of_the_access, setup),
		cmocka_unit_test_setup(an_address_at_the_end_of_the_space_does_not_wrap, setup),
		cmocka_unit_test_setup(a_range_that_overlaps_is_found_behind_the_older_one, setup),
		cmocka_unit_test_setup(a_deleted_range_is_not_found_though_it_was_the_last, setup),
		cmocka_unit_test_setup(refuses_more_ranges_than_it_holds, setup),
		cmocka_unit_test_setup(a_hole_reads_all_ones_of_the_size_asked_for, setup),
		cmocka_unit_test_setup(holes_are_counted_by_address_and_direction, setup),
		cmocka_unit_test_setup(holes_beyond_the_table_are_counted_in_one, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
