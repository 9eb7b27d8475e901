/* SPDX-License-Identifier: MIT */
/* links: kernel/regex.c tests/unit/host.c */
/* test_regex.c - what matches, held against the host's regexec() */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kernel/bits.h"
#include "kernel/regex.h"

static void agrees(const char *re, const char *line, struct regex_flags how)
{
	int flags = REG_NOSUB | (how.extended ? REG_EXTENDED : 0) | (how.any_case ? REG_ICASE : 0);
	regex_t host;
	bool wanted;

	assert_int_equal(regcomp(&host, re, flags), 0);
	wanted = regexec(&host, line, 0, NULL, 0) == 0;
	regfree(&host);
	if (regex_search(re, line, strlen(line), how) != wanted)
		fail_msg("'%s' on '%s': expected %d, saw %d", re, line, wanted, !wanted);
}

static void matches_as_the_host_does(void **state)
{
	static const char *const re[] = {
		"drop",    "^a",    "a$",    "^$",    "a.c",    "ab*c",  "[a-c]x",
		"[^a-c]x", "a\\.c", "x[]]y", "a|b",   "a+b",    "ab?c",  ".*",
		"a.*b.*c", "^ab*$", "a\\|b", "a\\+b", "[0-9]+", "a$|^b",
	};
	static const char *const line[] = {
		"",    "a",   "b",   "abc", "ac",  "abbbc",
		"a.c", "axc", "cx",  "dx",  "x]y", "rx_queue_0_drops: 12",
		"a|b", "a+b", "aab", "ABC", "cba", "a b c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(re); i++)
		for (size_t k = 0; k < ARRAY_SIZE(line); k++)
			for (unsigned how = 0; how < 4; how++)
				agrees(re[i], line[k], (struct regex_flags){ how & 1, how & 2 });
}

/* Atoms from a list, so that each expression is one of both, and lines of the same letters. */
static void random_ones_too(void **state)
{
	static const char *const atoms[] = { "a", "b", ".", "[ab]", "[^a]", "c" };
	static const char *const signs[] = { "", "", "", "*", "+", "?", "|" };

	(void)state;
	srand(7);
	for (int turn = 0; turn < 20000; turn++) {
		char re[64] = "", line[16];
		size_t len = rand() % 8;

		for (int n = 1 + rand() % 4; n; n--) {
			strcat(re, atoms[rand() % 6]);
			strcat(re, signs[rand() % (n > 1 ? 7 : 6)]);
		}
		for (size_t i = 0; i < len; i++)
			line[i] = 'a' + rand() % 4;
		line[len] = 0;
		agrees(re, line, (struct regex_flags){ .extended = true });
	}
}

static void only_so_many_bytes_of_the_line_count(void **state)
{
	(void)state;
	assert_true(regex_search("b$", "abcb", 2, (struct regex_flags){ 0 }));
	assert_false(regex_search("c", "abcb", 2, (struct regex_flags){ 0 }));
}

static void wrong_ones_are_told(void **state)
{
	static const struct regex_flags basic, extended = { .extended = true };

	(void)state;
	assert_null(regex_wrong("a[]b]\\[(", basic));
	assert_string_equal(regex_wrong("a[b", basic), "a [ without its ]");
	assert_string_equal(regex_wrong("a\\", basic), "a \\ with nothing behind it");
	assert_non_null(regex_wrong("(a)", extended));
	assert_non_null(regex_wrong("a\\{2}", basic));
	assert_null(regex_wrong("[({]", extended));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_as_the_host_does),
		cmocka_unit_test(random_ones_too),
		cmocka_unit_test(only_so_many_bytes_of_the_line_count),
		cmocka_unit_test(wrong_ones_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
