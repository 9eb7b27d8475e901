/* SPDX-License-Identifier: MIT */
/* links: vmm/rtc.c tests/unit/host.c */
/*
 * test_rtc.c - the battery clock in its four ways to write a time, and one that never stands still
 */
#include "tests/unit/host.h"

#include <string.h>

#include "vmm/rtc.h"

enum { A = 0xa, B = 0xb, UIP = 0x80, BINARY = 4, HOURS_24 = 2, PM = 0x80 };

static uint8_t registers[16];
static unsigned reads, busy_reads, moves;

uint8_t rtc_register(uint8_t index)
{
	reads++;
	if (index == A)
		return reads <= busy_reads ? UIP : 0;
	if (index == 0 && moves) { /* the second moves on between two looks */
		moves--;
		return registers[0]++;
	}
	return registers[index];
}

static uint64_t at(uint8_t mode, const uint8_t t[6])
{
	static const uint8_t place[6] = { 9, 8, 7, 4, 2, 0 }; /* year to second */

	memset(registers, 0, sizeof(registers));
	for (unsigned i = 0; i < 6; i++)
		registers[place[i]] = t[i];
	registers[B] = mode;
	reads = 0;
	return rtc_unix();
}

static int start(void **state)
{
	(void)state;
	busy_reads = moves = 0;
	return 0;
}

/* 2026-11-22 15:04:05, as date -u +%s has it */
enum { INSTANT = 1795359845 };

static void reads_bcd_and_binary_and_both_ways_to_count_hours(void **state)
{
	(void)state;
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0x26, 0x11, 0x22, 0x15, 4, 5 }), INSTANT);
	assert_int_equal(at(0, (uint8_t[]){ 0x26, 0x11, 0x22, 3 | PM, 4, 5 }), INSTANT);
	assert_int_equal(at(HOURS_24 | BINARY, (uint8_t[]){ 26, 11, 22, 15, 4, 5 }), INSTANT);
	assert_int_equal(at(BINARY, (uint8_t[]){ 26, 11, 22, 3 | PM, 4, 5 }), INSTANT);
}

static void twelve_o_clock_is_noon_or_midnight(void **state)
{
	uint64_t midnight = at(HOURS_24, (uint8_t[]){ 0x26, 1, 1, 0, 0, 0 });

	(void)state;
	assert_int_equal(at(0, (uint8_t[]){ 0x26, 1, 1, 0x12, 0, 0 }), midnight);
	assert_int_equal(at(0, (uint8_t[]){ 0x26, 1, 1, 0x12 | PM, 0, 0 }), midnight + 12 * 3600);
}

static void knows_leap_years(void **state)
{
	static const uint8_t mode = HOURS_24 | BINARY;
	uint64_t day = 86400;

	(void)state;
	assert_int_equal(at(mode, (uint8_t[]){ 0, 1, 1, 0, 0, 0 }), 946684800); /* 2000-01-01 */
	assert_int_equal(at(mode, (uint8_t[]){ 0, 3, 1, 0, 0, 0 }) -
				 at(mode, (uint8_t[]){ 0, 2, 28, 0, 0, 0 }),
			 2 * day);
	assert_int_equal(at(mode, (uint8_t[]){ 27, 3, 1, 0, 0, 0 }) -
				 at(mode, (uint8_t[]){ 27, 2, 28, 0, 0, 0 }),
			 day);
	assert_int_equal(at(mode, (uint8_t[]){ 99, 12, 31, 23, 59, 59 }), UINT64_C(4102444799));
}

static void waits_for_an_update_and_looks_again_when_one_came_between(void **state)
{
	(void)state;
	busy_reads = 50;
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0x26, 0x11, 0x22, 0x15, 4, 5 }), INSTANT);
	moves = 2;
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0x26, 0x11, 0x22, 0x15, 4, 5 }), INSTANT + 2);
}

static void a_clock_that_is_none_is_told_as_zero(void **state)
{
	(void)state;
	busy_reads = UINT32_MAX; /* an update without end */
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0x26, 0x11, 0x22, 0x15, 4, 5 }), 0);
	busy_reads = 0;
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0x26, 0x13, 0x22, 0x15, 4, 5 }), 0);
	assert_int_equal(at(HOURS_24, (uint8_t[]){ 0, 0, 0, 0, 0, 0 }), 0);
	assert_int_equal(at(0xff, (uint8_t[]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_bcd_and_binary_and_both_ways_to_count_hours, start),
		cmocka_unit_test_setup(twelve_o_clock_is_noon_or_midnight, start),
		cmocka_unit_test_setup(knows_leap_years, start),
		cmocka_unit_test_setup(waits_for_an_update_and_looks_again_when_one_came_between,
				       start),
		cmocka_unit_test_setup(a_clock_that_is_none_is_told_as_zero, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
