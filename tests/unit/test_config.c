/* SPDX-License-Identifier: MIT */
/* links: kernel/config.c kernel/shell.c kernel/capture.c kernel/words.c tests/unit/host.c */
/*
 * test_config.c - weir.conf: every line is tried, a wrong one is told by line and column and its
 * words handed over
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kernel/shell.h"

static char ran[4096], said[8192], failed[8192];

static int run_port(struct shell *sh, int n, const struct word *w)
{
	if (n < 2 || strncmp(w[1].s, "nic", 3) != 0)
		return shell_expected(sh, 1, "a port name");
	strcat(ran, w[1].s);
	strcat(ran, " ");
	return 0;
}

SHELL_COMMAND(cmd_port, .name = "port", .usage = "PORT", .help = "wants a port", .run = run_port);

static void hear(struct shell *sh, const char *s, size_t n)
{
	(void)sh;
	strncat(said, s, n);
}

static void note_failed(const char *word)
{
	if (strlen(failed) + strlen(word) + 4 < sizeof(failed)) {
		strcat(failed, "<");
		strcat(failed, word);
		strcat(failed, ">");
	}
}

/* run() - from a block of exactly its size, without an end of string. */
static unsigned run_bytes(const char *text, size_t len)
{
	struct shell sh = { .write = hear };
	char *copy = malloc(len ? len : 1);
	unsigned failures;

	memcpy(copy, text, len);
	ran[0] = said[0] = failed[0] = 0;
	failures = config_run(&sh, "weir.conf", copy, len, note_failed);
	free(copy);
	assert_null(sh.file);
	assert_int_equal(sh.line, 0);
	return failures;
}

static unsigned run(const char *text)
{
	return run_bytes(text, strlen(text));
}

static void runs_every_line(void **state)
{
	(void)state;
	assert_int_equal(run("# two ports\nport nic0\n\n  port nic1 # the other\n"), 0);
	assert_string_equal(ran, "nic0 nic1 ");
	assert_string_equal(said, "");
	assert_string_equal(failed, "");
}

static void takes_any_line_end_and_none_at_the_last(void **state)
{
	(void)state;
	assert_int_equal(run("port nic0\r\nport nic1\n\r\nport nic2"), 0);
	assert_string_equal(ran, "nic0 nic1 nic2 ");
	assert_int_equal(run(""), 0);
	assert_int_equal(run("\n"), 0);
}

static void tells_where_a_wrong_line_is_and_goes_on(void **state)
{
	(void)state;
	assert_int_equal(run("port nic0\nport eth9\nprot nic1\nport\nport nic2\n"), 3);
	assert_string_equal(ran, "nic0 nic2 ");
	assert_string_equal(
		said, "weir.conf:2:6: expected a port name, found 'eth9'\n"
		      "weir.conf:3:1: unknown command 'prot' (try 'help'); did you mean 'port'?\n"
		      "weir.conf:4:5: expected a port name, found the end of the line\n");
	assert_string_equal(failed, "<port><eth9><prot><nic1><port>");
}

static void hands_over_the_words_of_a_line_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(run("port 'nic0 \"nic1\"\n"), 1);
	assert_string_equal(said,
			    "weir.conf:1:18: expected a closing ', found the end of the line\n");
	assert_string_equal(failed, "<port><nic0><nic1>");
	assert_int_equal(run("prot nic0 # nic1\n"), 1);
	assert_string_equal(failed, "<prot><nic0>");
}

static void hands_over_what_stands_within_a_word(void **state)
{
	(void)state;
	assert_int_equal(run("prot sw0 \"in_port=nic0,actions=output:nic1\"\n"), 1);
	assert_string_equal(failed, "<prot><sw0><in_port><nic0><actions><output><nic1>");
}

static void refuses_bytes_that_are_no_text(void **state)
{
	static const char text[] = "port nic0\nport\0nic1\nport nic2\x01\nport nic3";

	(void)state;
	assert_int_equal(run_bytes(text, sizeof(text) - 1), 2);
	assert_string_equal(said, "weir.conf:2:5: expected text, found 'a zero byte'\n"
				  "weir.conf:3:10: expected text, found 'a control character'\n");
	assert_string_equal(ran, "nic0 nic3 ");
}

static void refuses_a_line_longer_than_the_shell_takes(void **state)
{
	char text[700];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "port nic0", 9);
	memcpy(text + 600, "nic7\nport nic1", 15);
	assert_int_equal(run(text), 1);
	assert_string_equal(
		said, "weir.conf:1:512: expected a line of at most 511 bytes, found 'more'\n");
	assert_string_equal(failed, "<port><nic0><nic7>");
	assert_string_equal(ran, "nic1 ");
}

static void takes_the_longest_line_there_may_be(void **state)
{
	char text[513];

	(void)state;
	memset(text, '#', sizeof(text));
	memcpy(text, "port nic0 ", 10);
	text[511] = '\n';
	text[512] = 0;
	assert_int_equal(run(text), 0);
	assert_string_equal(ran, "nic0 ");
	text[511] = '#'; /* and one more */
	assert_int_equal(run(text), 1);
	assert_string_equal(ran, "");
}

static void survives_any_bytes(void **state)
{
	static const char often[] = "port nic0\n\n\r\"'#";
	char text[300];

	(void)state;
	srand(1);
	for (int turn = 0; turn < 5000; turn++) {
		size_t len = rand() % sizeof(text);
		unsigned lines = 1;

		for (size_t i = 0; i < len; i++) {
			text[i] = rand() % 16 ? often[rand() % (sizeof(often) - 1)] : rand();
			lines += text[i] == '\n';
		}
		assert_true(run_bytes(text, len) <= lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_every_line),
		cmocka_unit_test(takes_any_line_end_and_none_at_the_last),
		cmocka_unit_test(tells_where_a_wrong_line_is_and_goes_on),
		cmocka_unit_test(hands_over_the_words_of_a_line_that_is_none),
		cmocka_unit_test(hands_over_what_stands_within_a_word),
		cmocka_unit_test(refuses_bytes_that_are_no_text),
		cmocka_unit_test(refuses_a_line_longer_than_the_shell_takes),
		cmocka_unit_test(takes_the_longest_line_there_may_be),
		cmocka_unit_test(survives_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
