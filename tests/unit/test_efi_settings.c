/* SPDX-License-Identifier: MIT */
/* links: boot/efi/settings.c tests/unit/host.c */
/*
 * test_efi_settings.c - weir.cfg, the settings file of BOOTX64.EFI: what it may say, and
 * what is told of a wrong line
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "boot/efi/settings.h"

static struct settings s;
static struct settings_error error;

/* parse() - from a block of exactly its size, without an end of string. */
static void parse(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	s = settings_usual;
	settings_parse(copy, len, &s, &error);
	free(copy);
}

static void wrong(const char *text, unsigned line, const char *expected, const char *found)
{
	parse(text);
	assert_int_equal(error.line, line);
	assert_string_equal(error.expected, expected);
	assert_string_equal(error.found, found);
}

static void an_empty_file_changes_nothing(void **state)
{
	static const char *const empty[] = { "", "\n", "# timeout 9\n", " \t\r\n\n#" };

	(void)state;
	for (unsigned i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		parse(empty[i]);
		assert_int_equal(error.line, 0);
		assert_int_equal(s.timeout, 5);
		assert_string_equal(entries[s.chosen].name, "demo");
	}
}

static void both_lines_in_any_order_and_layout(void **state)
{
	(void)state;
	parse("timeout 0\ndefault switch\n");
	assert_int_equal(error.line, 0);
	assert_int_equal(s.timeout, 0);
	assert_string_equal(entries[s.chosen].archive, "switch.cpio");
	parse("  default\tselftest# at night\r\n\r\ntimeout   3600");
	assert_int_equal(error.line, 0);
	assert_int_equal(s.timeout, 3600);
	assert_string_equal(entries[s.chosen].name, "selftest");
	parse("timeout 1\ntimeout 2");
	assert_int_equal(s.timeout, 2);
}

static void a_wrong_line_is_told_and_changes_nothing(void **state)
{
	static const char seconds[] = "a number of seconds from 0 to 3600";

	(void)state;
	wrong("timeout 3601", 1, seconds, "3601");
	wrong("timeout 99999999999999999999", 1, seconds, "99999999999999999999");
	wrong("timeout -1", 1, seconds, "-1");
	wrong("timeout", 1, seconds, "");
	wrong("\ndefault demos", 2, "demo, switch or selftest", "demos");
	wrong("default dem", 1, "demo, switch or selftest", "dem");
	wrong("default", 1, "demo, switch or selftest", "");
	wrong("\n\ntime 3", 3, "timeout or default", "time");
	wrong("timeout 7 s", 1, "the end of the line", "s");
	assert_int_equal(s.timeout, 5);
}

static void the_first_wrong_line_is_the_one_that_is_told(void **state)
{
	(void)state;
	wrong("timeout 1\nfirst\nsecond\ndefault switch\n", 2, "timeout or default", "first");
	assert_int_equal(s.timeout, 1);
	assert_string_equal(entries[s.chosen].name, "switch"); /* lines behind it count */
}

static void a_long_word_is_told_as_far_as_it_fits(void **state)
{
	(void)state;
	wrong("0123456789012345678901234567890123456789", 1, "timeout or default",
	      "0123456789012345678901234567890");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_changes_nothing),
		cmocka_unit_test(both_lines_in_any_order_and_layout),
		cmocka_unit_test(a_wrong_line_is_told_and_changes_nothing),
		cmocka_unit_test(the_first_wrong_line_is_the_one_that_is_told),
		cmocka_unit_test(a_long_word_is_told_as_far_as_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
