/* SPDX-License-Identifier: MIT */
/* links: kernel/lineedit.c kernel/names.c */
/*
 * test_lineedit.c - what is typed becomes the line, and the screen shows it
 *
 * A small terminal stands behind the editor: after every key the screen must hold prompt and line,
 * and the cursor must stand where the editor thinks it does, whatever the width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/bits.h"
#include "kernel/lineedit.h"

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"

enum { ROWS = 64, WIDE = 1024 };

/* --- a terminal: what we send, and nothing more --- */

static struct {
	char cell[ROWS][WIDE];
	unsigned width, row, col;
	bool full; /* the last column has been written; the next character wraps */
	char seq[16];
	unsigned seq_len, bells;
} vt;

static void vt_clear(void)
{
	unsigned width = vt.width;

	memset(&vt, 0, sizeof(vt));
	memset(vt.cell, ' ', sizeof(vt.cell));
	vt.width = width;
}

static void vt_newline(void)
{
	assert_true(++vt.row < ROWS);
}

static void vt_print(char c)
{
	if (vt.full) {
		vt.full = false;
		vt.col = 0;
		vt_newline();
	}
	vt.cell[vt.row][vt.col] = c;
	if (vt.col + 1 == vt.width)
		vt.full = true;
	else
		vt.col++;
}

static void vt_erase_below(void)
{
	memset(&vt.cell[vt.row][vt.col], ' ', WIDE - vt.col);
	memset(vt.cell[vt.row + 1], ' ', (size_t)(ROWS - vt.row - 1) * WIDE);
}

static void vt_sequence(void)
{
	unsigned n = atoi(vt.seq + 2);
	char final = vt.seq[vt.seq_len - 1];

	vt.full = false;
	if (final == 'A') {
		assert_true(n <= vt.row);
		vt.row -= n;
	} else if (final == 'C') {
		assert_true(vt.col + n < vt.width);
		vt.col += n;
	} else if (final == 'D') {
		assert_true(n <= vt.col);
		vt.col -= n;
	} else if (final == 'J' && n == 0) {
		vt_erase_below();
	} else if (final == 'J' && n == 2) {
		memset(vt.cell, ' ', sizeof(vt.cell));
	} else if (final == 'H') {
		vt.row = vt.col = 0;
	} else {
		fail_msg("unknown sequence ending in %c", final);
	}
	vt.seq_len = 0;
}

static void vt_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (vt.seq_len || s[i] == '\x1b') {
			assert_true(vt.seq_len < sizeof(vt.seq) - 1);
			vt.seq[vt.seq_len++] = s[i];
			vt.seq[vt.seq_len] = 0;
			if (vt.seq_len > 2 && s[i] >= '@')
				vt_sequence();
		} else if (s[i] == '\n') { /* the console has made it \r\n */
			vt.full = false;
			vt.col = 0;
			vt_newline();
		} else if (s[i] == '\r') {
			vt.full = false;
			vt.col = 0;
		} else if (s[i] == '\b') {
			assert_true(vt.col > 0);
			vt.full = false;
			vt.col--;
		} else if (s[i] == '\a') {
			vt.bells++;
		} else {
			assert_in_range(s[i], ' ', '~');
			vt_print(s[i]);
		}
	}
}

/* --- the editor before it --- */

static struct lineedit e;
static unsigned width;
static const char *const *offered;

static void offer(const struct lineedit *le, unsigned start, void (*add)(void *to, const char *s),
		  void *to)
{
	(void)le;
	(void)start;
	for (unsigned i = 0; offered && offered[i]; i++)
		add(to, offered[i]);
}

static void begin_with(unsigned columns)
{
	memset(&e, 0, sizeof(e));
	width = columns;
	vt.width = columns ? columns : WIDE;
	e.prompt = "weir# ";
	e.write = vt_write;
	e.offer = offer;
	e.columns = &width;
	vt_clear();
	lineedit_begin(&e);
}

static int start(void **state)
{
	(void)state;
	offered = NULL;
	begin_with(0);
	return 0;
}

/* screen_check() - prompt and line from row @top, nothing behind them, the cursor in its place. */
static void screen_check(unsigned top)
{
	char want[SHELL_LINE_MAX + 8];
	unsigned n = snprintf(want, sizeof(want), "%s%s", e.prompt, e.line);
	unsigned at = strlen(e.prompt) + e.cursor;

	for (unsigned i = 0; i < n; i++)
		if (vt.cell[top + i / vt.width][i % vt.width] != want[i])
			fail_msg("column %u shows '%c' for '%c' in '%s'", i,
				 vt.cell[top + i / vt.width][i % vt.width], want[i], want);
	for (unsigned i = n; i < n + vt.width; i++)
		assert_int_equal(vt.cell[top + i / vt.width][i % vt.width], ' ');
	assert_false(vt.full);
	assert_int_equal(vt.row, top + at / vt.width);
	assert_int_equal(vt.col, at % vt.width);
}

/* type() - all but the last key must be followed by more typing; returns what the last brought. */
static enum lineedit_event type(const char *keys)
{
	enum lineedit_event event = LINEEDIT_NONE;

	while (*keys) {
		assert_int_equal(event, LINEEDIT_NONE);
		event = lineedit_key(&e, *keys++);
		if (event == LINEEDIT_NONE && !e.escape)
			screen_check(0);
	}
	return event;
}

static void gives(const char *keys, const char *line, unsigned cursor)
{
	begin_with(0);
	assert_int_equal(type(keys), LINEEDIT_NONE);
	assert_string_equal(e.line, line);
	assert_int_equal(e.len, strlen(line));
	assert_int_equal(e.cursor, cursor);
}

/* enter() - a whole line, remembered, and the screen afresh for the next. */
static void enter(const char *line)
{
	assert_int_equal(type(line), LINEEDIT_NONE);
	assert_int_equal(type("\r"), LINEEDIT_LINE);
	lineedit_remember(&e);
	vt_clear();
	lineedit_begin(&e);
}

static void types_inserts_and_deletes(void **state)
{
	(void)state;
	gives("abc", "abc", 3);
	gives("ac" LEFT "b", "abc", 2);
	gives("abx\x7f"
	      "c",
	      "abc", 3);
	gives("abx\b"
	      "c",
	      "abc", 3);
	gives("abxc" LEFT LEFT "\x1b[3~", "abc", 2);
	gives("abxc" LEFT LEFT "\x04", "abc", 2);
	gives("bc\x01"
	      "a",
	      "abc", 1);
	gives("ab" LEFT LEFT RIGHT RIGHT "c", "abc", 3);
	gives("bc\x1b[H"
	      "a\x1b[F.",
	      "abc.", 4);
	gives("bc\x1bOH"
	      "a\x1bOF.",
	      "abc.", 4);
	gives("bc\x1b[1~"
	      "a\x1b[4~.",
	      "abc.", 4);
	gives("bc\x1b[7~"
	      "a\x05.",
	      "abc.", 4);
	gives("ac\x02"
	      "b\x06.",
	      "abc.", 4);
}

static void kills_to_the_ends_and_by_words(void **state)
{
	(void)state;
	gives("abc def" LEFT LEFT LEFT "\x0b", "abc ", 4);
	gives("abc def" LEFT LEFT LEFT "\x15", "def", 0);
	gives("abc def  \x17", "abc ", 4);
	gives("abc def\x17\x17\x17", "", 0);
	gives("abc def" LEFT "\x17", "abc f", 4);
	gives("abc def\x1b[1;5Dx", "abc xdef", 5);
	gives("abc def\x1b"
	      "b\x1b"
	      "bx",
	      "xabc def", 1);
	gives("abc def\x01\x1b[1;5Cx", "abcx def", 4);
	gives("abc def\x01\x1b"
	      "d",
	      " def", 0);
}

static void rings_the_bell_where_there_is_nothing_to_do(void **state)
{
	static const char *const keys[] = { "\x7f", "\x04", "\x0b",    "\x15", "\x17", LEFT,  RIGHT,
					    UP,     DOWN,   "\x1b[3~", "\t",   "\xff", "\x07" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		gives(keys[i], "", 0);
		assert_int_equal(vt.bells, 1);
	}
}

static void enter_hands_over_the_line_once(void **state)
{
	(void)state;
	assert_int_equal(type("ls /proc" LEFT LEFT "\r"), LINEEDIT_LINE);
	assert_string_equal(e.line, "ls /proc");
	assert_int_equal(vt.row, 1);
	assert_int_equal(vt.col, 0);
	lineedit_begin(&e);
	assert_int_equal(lineedit_key(&e, '\n'), LINEEDIT_NONE); /* of a \r\n */
	assert_int_equal(lineedit_key(&e, '\n'), LINEEDIT_LINE); /* of its own */
}

static void control_c_gives_the_line_up(void **state)
{
	(void)state;
	assert_int_equal(type("poweroff\x03"), LINEEDIT_CANCELLED);
	vt_clear();
	lineedit_begin(&e);
	assert_int_equal(e.len, 0);
	screen_check(0);
}

static void control_l_clears_the_screen_and_keeps_the_line(void **state)
{
	(void)state;
	vt_write("\n\n\n", 3);
	vt_write(e.prompt, 6);
	for (const char *k = "abc" LEFT; *k; k++)
		lineedit_key(&e, *k);
	screen_check(3);
	lineedit_key(&e, 'L' & 0x1f);
	screen_check(0);
	assert_string_equal(e.line, "abc");
}

static void history_goes_back_and_forth_and_keeps_the_draft(void **state)
{
	(void)state;
	enter("one");
	enter("two two");
	assert_int_equal(type("dra" UP), LINEEDIT_NONE);
	assert_string_equal(e.line, "two two");
	type(UP);
	assert_string_equal(e.line, "one");
	type(UP);
	assert_string_equal(e.line, "one");
	assert_int_equal(vt.bells, 1);
	type(DOWN DOWN);
	assert_string_equal(e.line, "dra");
	type("\x10\x10\x0e!");
	assert_string_equal(e.line, "two two!");
}

static void history_keeps_32_lines_without_repeats_and_empty_ones(void **state)
{
	char line[16];

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "line%d", i);
		enter(line);
		enter(line);
		enter("");
	}
	assert_int_equal(e.entered, 40);
	assert_string_equal(lineedit_recall(&e, 1), "line39");
	assert_string_equal(lineedit_recall(&e, 32), "line8");
	assert_null(lineedit_recall(&e, 33));
	assert_null(lineedit_recall(&e, 0));
	for (int i = 0; i < 40; i++)
		type(UP);
	assert_string_equal(e.line, "line8");
	assert_int_equal(vt.bells, 8);
}

static void a_tab_completes_as_far_as_all_agree(void **state)
{
	static const char *const names[] = {
		"ethtool", "ethers", "echo", "ip", "/proc/", "x=", NULL
	};

	(void)state;
	offered = names;
	gives("ip\t", "ip ", 3);
	gives("i\t", "ip ", 3);
	gives("et\t", "eth", 3);
	gives("eth\t", "eth", 3);
	assert_int_equal(vt.bells, 1);
	gives("etht\t-S", "ethtool -S", 10);
	gives("q\t\t", "q", 1);
	assert_int_equal(vt.bells, 2);
	gives("/\t", "/proc/", 6);
	gives("x\t", "x=", 2);
	gives("ec nic0\x01" RIGHT RIGHT "\t", "echo  nic0", 5);
}

static void a_second_tab_lists_in_order(void **state)
{
	static const char *const names[] = { "nic10", "nic9", "b", "nic9", "nic0", NULL };

	(void)state;
	offered = names;
	type("ip nic"
	     "\t");
	assert_int_equal(vt.bells, 1);
	lineedit_key(&e, '\t');
	assert_memory_equal(vt.cell[1], "nic0  nic9  nic10  ", 19);
	screen_check(2);
	lineedit_key(&e, '1');
	lineedit_key(&e, '\t');
	assert_string_equal(e.line, "ip nic10 ");
	screen_check(2);
}

static void a_line_that_does_not_fit_is_refused_as_a_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 511; i++)
		lineedit_key(&e, 'a' + i % 26);
	assert_int_equal(e.len, 511);
	assert_int_equal(vt.bells, 0);
	lineedit_key(&e, '!');
	assert_int_equal(e.len, 511);
	assert_int_equal(vt.bells, 1);
	screen_check(0);
	type("\x7f\x7f"); /* what was refused is still missing */
	assert_int_equal(type("\r"), LINEEDIT_TOO_LONG);
	vt_clear();
	lineedit_begin(&e);
	enter("next");
	assert_string_equal(lineedit_recall(&e, 1), "next");
}

static void a_line_wiped_out_may_be_typed_anew(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++)
		lineedit_key(&e, 'a');
	assert_int_equal(type("\x15"
			      "ls\r"),
			 LINEEDIT_LINE);
	assert_string_equal(e.line, "ls");
}

static void a_sequence_cut_short_means_nothing(void **state)
{
	(void)state;
	assert_int_equal(type("ab\x1b\r"), LINEEDIT_LINE);
	gives("ab\x1b[\x7f", "a", 1);
	gives("ab\x1b[1;\x7f", "a", 1);
	gives("ab\x1bO\x15", "", 0);
	gives("ab\x1b\x1b[Dx", "axb", 2);
	gives("ab\x1b[12\xff"
	      "c",
	      "abc", 3);
	gives("ab\x1b[99999999999999999999~c", "abc", 3);
	gives("ab\x1b[;;;;;5Dc", "cab", 1);
	gives("\x1b[200~ab\x1b[201~", "ab", 2);
	gives("ab\x1b[M\x1b[5~\x1b[Z", "ab", 2);
	gives("a\x80\xc3\xbc"
	      "b",
	      "ab", 2);
}

static void a_nul_byte_means_nothing(void **state)
{
	(void)state;
	type("ab");
	assert_int_equal(lineedit_key(&e, 0), LINEEDIT_NONE);
	assert_string_equal(e.line, "ab");
	assert_int_equal(e.len, 2);
}

static void without_knowing_the_width_a_plain_line_is_echoed_as_it_is(void **state)
{
	static const char line[] =
		"ovs-ofctl add-flow sw0 priority=10,in_port=1,dl_type=0x0800,actions=output:2";

	(void)state;
	type(line);
	assert_memory_equal(vt.cell[0], "weir# ovs-ofctl", 15);
	assert_int_equal(vt.row, 0);
}

/* keys that a mad terminal sends most, then anything */
static unsigned char any_key(void)
{
	static const char often[] =
		"ab  [[;35ACDHFd~\x1b\x1b\x1b\x01\x02\x05\x06\x08\x0b\x0e\x10\x15\x17\x7f\r";
	unsigned r = rand();

	if (r % 16 == 0)
		return r >> 8;
	if (r % 4)
		return 'a' + (r >> 8) % 26;
	return often[(r >> 8) % (sizeof(often) - 1)];
}

static void survives(unsigned columns, unsigned keys)
{
	begin_with(columns);
	srand(columns + 1);
	for (unsigned i = 0; i < keys; i++) {
		unsigned char c = any_key();
		enum lineedit_event event = lineedit_key(&e, c);

		assert_true(e.len < SHELL_LINE_MAX && e.cursor <= e.len);
		assert_int_equal(strlen(e.line), e.len);
		if (event == LINEEDIT_LINE)
			lineedit_remember(&e);
		if (event != LINEEDIT_NONE) {
			vt_clear();
			lineedit_begin(&e);
		}
		screen_check(0);
	}
}

static void the_screen_shows_the_line_whatever_is_typed(void **state)
{
	(void)state;
	survives(0, 40000);
	survives(20, 40000);
	survives(7, 20000); /* the prompt and one column */
	survives(80, 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(types_inserts_and_deletes, start),
		cmocka_unit_test_setup(kills_to_the_ends_and_by_words, start),
		cmocka_unit_test_setup(rings_the_bell_where_there_is_nothing_to_do, start),
		cmocka_unit_test_setup(enter_hands_over_the_line_once, start),
		cmocka_unit_test_setup(control_c_gives_the_line_up, start),
		cmocka_unit_test_setup(control_l_clears_the_screen_and_keeps_the_line, start),
		cmocka_unit_test_setup(history_goes_back_and_forth_and_keeps_the_draft, start),
		cmocka_unit_test_setup(history_keeps_32_lines_without_repeats_and_empty_ones,
				       start),
		cmocka_unit_test_setup(a_tab_completes_as_far_as_all_agree, start),
		cmocka_unit_test_setup(a_second_tab_lists_in_order, start),
		cmocka_unit_test_setup(a_line_that_does_not_fit_is_refused_as_a_whole, start),
		cmocka_unit_test_setup(a_line_wiped_out_may_be_typed_anew, start),
		cmocka_unit_test_setup(a_sequence_cut_short_means_nothing, start),
		cmocka_unit_test_setup(a_nul_byte_means_nothing, start),
		cmocka_unit_test_setup(without_knowing_the_width_a_plain_line_is_echoed_as_it_is,
				       start),
		cmocka_unit_test_setup(the_screen_shows_the_line_whatever_is_typed, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
