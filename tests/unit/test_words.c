/* SPDX-License-Identifier: MIT */
/* links: kernel/words.c */
/*
 * test_words.c - what words.h promises: words, columns, quotes, comments, numbers, and a reason for
 * every refusal
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/words.h"

static struct words ws;

static void word(int i, const char *s, unsigned col)
{
	assert_true(i < ws.n);
	assert_string_equal(ws.w[i].s, s);
	assert_int_equal(ws.w[i].col, col);
}

static int split(const char *line)
{
	return words_split(&ws, line, line);
}

static void refused(const char *line, unsigned col, const char *expected, const char *found)
{
	assert_int_equal(split(line), -EINVAL);
	assert_int_equal(ws.bad_col, col);
	assert_string_equal(ws.expected, expected);
	if (found)
		assert_string_equal(ws.found, found);
	else
		assert_null(ws.found);
}

static void splits_at_blanks_and_counts_columns_from_1(void **state)
{
	(void)state;
	assert_int_equal(split("  ip link\tset nic0  "), 0);
	assert_int_equal(ws.n, 4);
	word(0, "ip", 3);
	word(1, "link", 6);
	word(2, "set", 11);
	word(3, "nic0", 15);
	assert_int_equal(ws.end_col, 19);
}

static void nothing_is_no_word(void **state)
{
	static const char *const lines[] = { "", "   ", "\t", "# a comment", "  # 'a comment" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(split(lines[i]), 0);
		assert_int_equal(ws.n, 0);
		assert_int_equal(ws.end_col, 1);
	}
}

static void a_comment_begins_with_a_word(void **state)
{
	(void)state;
	assert_int_equal(split("ls # all 'of it"), 0);
	assert_int_equal(ws.n, 1);
	assert_int_equal(split("ls a#b '#c'"), 0);
	assert_int_equal(ws.n, 3);
	word(1, "a#b", 4);
	word(2, "#c", 9);
}

static void quotes_keep_blanks_and_join_what_touches(void **state)
{
	(void)state;
	assert_int_equal(split("a \"b c\" 'd \"e' f'g h'i '' x=\"1 2\""), 0);
	assert_int_equal(ws.n, 6);
	word(1, "b c", 4);
	word(2, "d \"e", 10);
	word(3, "fg hi", 16);
	word(4, "", 25);
	word(5, "x=1 2", 27);
}

static void a_backslash_is_a_letter(void **state)
{
	(void)state;
	assert_int_equal(split("a\\ 'b\\'"), 0);
	assert_int_equal(ws.n, 2);
	word(0, "a\\", 1);
	word(1, "b\\", 5);
}

static void a_semicolon_or_a_bar_ends_a_command_and_more_may_follow(void **state)
{
	static const char line[] = "a b;c|'d;|' e # f;g";

	(void)state;
	assert_int_equal(split(line), 0);
	assert_int_equal(ws.n, 2);
	word(1, "b", 3);
	assert_int_equal(ws.end_col, 4);
	assert_ptr_equal(ws.rest, line + 4);
	assert_false(ws.piped);
	assert_int_equal(words_split(&ws, line, ws.rest), 0);
	assert_int_equal(ws.n, 1);
	word(0, "c", 5);
	assert_true(ws.piped);
	assert_int_equal(words_split(&ws, line, ws.rest), 0);
	assert_int_equal(ws.n, 2);
	word(0, "d;|", 8);
	word(1, "e", 13);
	assert_null(ws.rest);
	assert_false(ws.piped);
}

static void an_open_quote_is_refused_at_the_end_of_the_line(void **state)
{
	(void)state;
	refused("ls 'abc", 8, "a closing '", NULL);
	assert_int_equal(ws.n, 1);
	refused("ls x\"abc ", 10, "a closing \"", NULL);
}

static void control_characters_are_refused_where_they_stand(void **state)
{
	(void)state;
	refused("ls \x01", 4, "text", "a control character");
	refused("l\x7fs", 2, "text", "a control character");
	assert_int_equal(split("gr\xc3\xbc\xc3\x9f"), 0); /* UTF-8 is text */
}

static void a_line_has_at_most_64_words_and_511_bytes(void **state)
{
	char line[SHELL_LINE_MAX + 1];

	(void)state;
	for (int i = 0; i < 65; i++)
		memcpy(line + 2 * i, "a ", 3);
	refused(line, 129, "at most 64 words", "more");
	line[2 * 64] = 0;
	assert_int_equal(split(line), 0);
	assert_int_equal(ws.n, 64);

	memset(line, 'x', sizeof(line));
	line[511] = 0;
	assert_int_equal(split(line), 0);
	assert_int_equal(strlen(ws.w[0].s), 511);
	line[511] = 'x';
	line[512] = 0;
	refused(line, 512, "a line of at most 511 bytes", "more");
}

static void any_bytes_are_split_or_refused(void **state)
{
	static const char often[] = " \t\"'#;ab";
	char line[SHELL_LINE_MAX + 8];

	(void)state;
	srand(1);
	for (int turn = 0; turn < 50000; turn++) {
		size_t len = rand() % (turn % 10 ? 40 : sizeof(line) - 1);

		for (size_t i = 0; i < len; i++)
			line[i] = rand() % 8 ? often[rand() % 8] : rand();
		line[len] = 0;
		len = strlen(line);
		if (split(line))
			assert_in_range(ws.bad_col, 1, len + 1);
		for (int i = 0; i < ws.n; i++) {
			assert_in_range(ws.w[i].col, i ? ws.w[i - 1].col + 1 : 1, len + 1);
			assert_true(strlen(ws.w[i].s) <= len);
		}
	}
}

static void numbers_are_decimal_or_hex_and_nothing_else(void **state)
{
	static const char *const no[] = {
		"",    "-1",  "+1", " 1", "1 ",   "0x",
		"0xg", "12a", "1.", "x1", "0x-1", "18446744073709551616"
	};
	unsigned long v;

	(void)state;
	assert_true(words_number("0", &v) && v == 0);
	assert_true(words_number("010", &v) && v == 10);
	assert_true(words_number("0xFfe", &v) && v == 0xffe);
	assert_true(words_number("18446744073709551615", &v) && v == UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(words_number(no[i], &v));
}

static void distance_counts_letters(void **state)
{
	(void)state;
	assert_int_equal(words_distance("ethtool", "ethtool", 2), 0);
	assert_int_equal(words_distance("ethtol", "ethtool", 2), 1);
	assert_int_equal(words_distance("ehttool", "ethtool", 2), 2);
	assert_int_equal(words_distance("", "ip", 2), 2);
	assert_int_equal(words_distance("kitten", "sitting", 2), 3);
	assert_int_equal(words_distance("kitten", "sitting", 9), 3);
	assert_int_equal(words_distance("a word that is longer than 31 letters", "b", 2), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_at_blanks_and_counts_columns_from_1),
		cmocka_unit_test(nothing_is_no_word),
		cmocka_unit_test(a_comment_begins_with_a_word),
		cmocka_unit_test(quotes_keep_blanks_and_join_what_touches),
		cmocka_unit_test(a_backslash_is_a_letter),
		cmocka_unit_test(a_semicolon_or_a_bar_ends_a_command_and_more_may_follow),
		cmocka_unit_test(an_open_quote_is_refused_at_the_end_of_the_line),
		cmocka_unit_test(control_characters_are_refused_where_they_stand),
		cmocka_unit_test(a_line_has_at_most_64_words_and_511_bytes),
		cmocka_unit_test(any_bytes_are_split_or_refused),
		cmocka_unit_test(numbers_are_decimal_or_hex_and_nothing_else),
		cmocka_unit_test(distance_counts_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
