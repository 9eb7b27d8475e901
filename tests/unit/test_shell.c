/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/names.c kernel/help.c kernel/sysctl.c kernel/procfs.c kernel/grep.c kernel/regex.c kernel/counters.c kernel/config.c tests/unit/host.c */
/*
 * test_shell.c - lines in, words out: what is run, what is answered, and where an error is said to
 * be
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "kernel/counter.h"
#include "kernel/shell.h"

/* --- a room of the test's own --- */

static int last_n;
static char last_word[8][64];
static unsigned last_col[8];

static int run_take(struct shell *sh, int n, const struct word *w)
{
	(void)sh;
	last_n = n;
	for (int i = 0; i < n && i < 8; i++) {
		strncpy(last_word[i], w[i].s, 63);
		last_col[i] = w[i].col;
	}
	return 0;
}

static int run_fail(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	if (n > 1 && word_is(n, w, 1, "late"))
		shell_printf(sh, "something first\n");
	if (n > 2)
		return shell_error(sh, 2, -EBUSY, "port %s is %d times busy", w[2].s, 3);
	return shell_expected(sh, 1, "a port name");
}

static int run_number(struct shell *sh, int n, const struct word *w)
{
	unsigned long v;

	(void)n;
	(void)w;
	if (shell_uint(sh, 1, 10, 300, &v))
		return -EINVAL;
	shell_printf(sh, "%lu\n", v);
	return 0;
}

static int run_nest(struct shell *sh, int n, const struct word *w)
{
	(void)n;
	(void)w;
	shell_exec(sh, "take inner");
	return shell_expected(sh, 1, "the outer word");
}

static int run_long(struct shell *sh, int n, const struct word *w)
{
	static char text[3000];

	(void)n;
	(void)w;
	memset(text, 'z', sizeof(text) - 1);
	shell_printf(sh, "<%s>", text);
	return 0;
}

SHELL_COMMAND(cmd_take, .name = "take", .usage = "WORD...", .help = "notes its words",
	      .run = run_take);
SHELL_COMMAND(cmd_fail, .name = "fail", .usage = "", .help = "always fails", .run = run_fail);
SHELL_COMMAND(cmd_number, .name = "number", .usage = "A-USAGE-THAT-IS-LONGER-THAN-ITS-COLUMN",
	      .help = "wants 10 to 300", .run = run_number);
SHELL_COMMAND(cmd_nest, .name = "nest", .usage = "", .help = "runs a line", .run = run_nest);
SHELL_COMMAND(cmd_long, .name = "long", .usage = "", .help = "prints much", .run = run_long);

static unsigned budget = 300, weight = 64;
SYSCTL(knob_budget, "net.core.netdev_budget", &budget, 1, 1000, "packets a round");
SYSCTL(knob_weight, "net.core.dev_weight", &weight, 1, 64, "packets a poll");

COUNTER(count_b, "room.b", "the second");
COUNTER(count_a, "room.a", "the first");

static char stored[64];

static int show_version(struct shell *sh, const char *star)
{
	shell_printf(sh, "Weir%s\n", star);
	return 0;
}

static int show_affinity(struct shell *sh, const char *star)
{
	if (strcmp(star, "30") != 0)
		return shell_error(sh, 1, -ENOENT, "there is no interrupt %s", star);
	shell_printf(sh, "%s: 1\n", star);
	return 0;
}

static int store_affinity(struct shell *sh, const char *star, const struct word *value)
{
	unsigned long v;

	if (shell_uint(sh, 1, 1, 15, &v))
		return -EINVAL;
	snprintf(stored, sizeof(stored), "%s=%s", star, value->s);
	return 0;
}

static void irq_stars(void (*add)(void *to, const char *s), void *to)
{
	add(to, "30");
	add(to, "4");
}

PROC_FILE(proc_version, .path = "/proc/version", .help = "what runs", .show = show_version);
PROC_FILE(proc_affinity, .path = "/proc/irq/*/smp_affinity", .help = "the core",
	  .show = show_affinity, .store = store_affinity, .stars = irq_stars);
PROC_FILE(proc_name, .path = "/proc/irq/*/name", .help = "the source", .show = show_version,
	  .stars = irq_stars);
PROC_FILE(proc_stat, .path = "/proc/net/*/stat", .help = "no stars", .show = show_version);

static void config_late(struct shell *sh)
{
	shell_printf(sh, "late\n");
}

static void config_early(struct shell *sh)
{
	shell_printf(sh, "early\n");
}

static void config_early_too(struct shell *sh)
{
	shell_printf(sh, "early too\n");
}

CONFIG_SOURCE(source_late, .order = 40, .print = config_late);
CONFIG_SOURCE(source_early, .order = 20, .print = config_early);
CONFIG_SOURCE(source_early_too, .order = 20, .print = config_early_too);

/* --- */

static int start(void **state)
{
	(void)state;
	host_cores(2);
	budget = 300;
	weight = 64;
	stored[0] = 0;
	last_n = 0;
	return 0;
}

static void answers(const char *line, int err, const char *text)
{
	host_text_clear();
	assert_int_equal(host_exec(line), err);
	assert_string_equal(host_out, text);
}

static void write_host_out(struct shell *sh, const char *s, size_t n)
{
	(void)sh;
	strncat(host_out, s, n);
}

static void hands_words_with_their_columns_to_the_command(void **state)
{
	(void)state;
	answers("  take 'a b' c # d", 0, "");
	assert_int_equal(last_n, 3);
	assert_string_equal(last_word[0], "take");
	assert_string_equal(last_word[1], "a b");
	assert_int_equal(last_col[1], 9);
	assert_int_equal(last_col[2], 14);
}

static void an_empty_line_does_nothing(void **state)
{
	(void)state;
	answers("", 0, "");
	answers("   # comment", 0, "");
}

static void an_unknown_command_is_named_and_the_nearest_offered(void **state)
{
	(void)state;
	answers("foo bar", -ENOENT, "unknown command 'foo' (try 'help')\n");
	answers("tke", -ENOENT, "unknown command 'tke' (try 'help'); did you mean 'take'?\n");
	answers("atke", -ENOENT, "unknown command 'atke' (try 'help'); did you mean 'take'?\n");
	answers("tie", -ENOENT,
		"unknown command 'tie' (try 'help')\n"); /* half of it would have to change */
	answers("''", -ENOENT, "unknown command '' (try 'help')\n");
}

static void an_error_on_the_terminal_names_the_column(void **state)
{
	(void)state;
	answers("fail nic9", -EINVAL, "col 6: expected a port name, found 'nic9'\n");
	answers("fail  # x", -EINVAL, "col 5: expected a port name, found the end of the line\n");
	answers("fail a nic0", -EBUSY, "col 8: port nic0 is 3 times busy\n");
	answers("take 'a", -EINVAL, "col 8: expected a closing ', found the end of the line\n");
}

static void an_error_in_a_file_names_file_line_and_column(void **state)
{
	struct shell sh = { .write = write_host_out, .file = "weir.conf", .line = 3 };

	(void)state;
	host_text_clear();
	assert_int_equal(shell_exec(&sh, "fail  nic9"), -EINVAL);
	assert_int_equal(shell_exec(&sh, " foo"), -ENOENT);
	assert_string_equal(host_out, "weir.conf:3:7: expected a port name, found 'nic9'\n"
				      "weir.conf:3:2: unknown command 'foo' (try 'help')\n");
}

static void a_caret_stands_under_the_word_while_the_line_is_right_above(void **state)
{
	struct shell sh = { .write = write_host_out, .prompt_len = 6 };
	char far[128];

	(void)state;
	host_text_clear();
	shell_exec(&sh, "fail nic9");
	assert_string_equal(host_out, "           ^\ncol 6: expected a port name, found 'nic9'\n");
	host_text_clear();
	shell_exec(&sh, "fail late");
	assert_string_equal(host_out,
			    "something first\ncol 6: expected a port name, found 'late'\n");
	host_text_clear();
	snprintf(far, sizeof(far), "fail %90s", "x");
	shell_exec(&sh, far);
	assert_string_equal(host_out, "col 95: expected a port name, found 'x'\n");
}

static void a_number_is_checked_for_its_range(void **state)
{
	(void)state;
	answers("number 10", 0, "10\n");
	answers("number 0x12c", 0, "300\n");
	answers("number 301", -EINVAL, "col 8: expected a number from 10 to 300, found '301'\n");
	answers("number 9", -EINVAL, "col 8: expected a number from 10 to 300, found '9'\n");
	answers("number -1", -EINVAL, "col 8: expected a number from 10 to 300, found '-1'\n");
	answers("number", -EINVAL,
		"col 7: expected a number from 10 to 300, found the end of the line\n");
}

static void several_commands_stand_on_a_line_and_one_that_fails_is_the_last(void **state)
{
	(void)state;
	answers("number 10; number 11;number 12", 0, "10\n11\n12\n");
	answers("number 10; ; # no more", 0, "10\n");
	answers("number 10; number 9; number 11", -EINVAL,
		"10\ncol 19: expected a number from 10 to 300, found '9'\n");
	answers("number '10;'", -EINVAL, "col 9: expected a number from 10 to 300, found '10;'\n");
}

static void a_bar_hands_on_what_was_said(void **state)
{
	(void)state;
	answers("echo a b | grep b", 0, "a b\n");
	answers("echo a b|grep c; echo d", 0, "d\n");
	answers("sysctl -a | grep net | grep -v budget", 0, "net.core.dev_weight = 64\n");
	answers("sysctl -a | grep -c core", 0, "2\n");
	answers("echo none | grep -c one; echo | grep -v .", 0, "1\n\n");
	answers("number 9 | grep 7", -EINVAL,
		"col 8: expected a number from 10 to 300, found '9'\n");
	answers("echo a | number 9", -EINVAL,
		"col 17: expected a number from 10 to 300, found '9'\n");
	answers("echo a | ; echo b", -EINVAL,
		"col 9: expected a command, found the end of the line\n");
	answers("| grep a", -EINVAL, "col 1: expected a command, found the end of the line\n");
	answers("grep a", -EINVAL,
		"col 7: expected a file, or a command and a | in front of grep, found the end of "
		"the line\n");
	answers("echo a | nest", -EINVAL,
		"col 14: expected the outer word, found the end of the line\n");
}

static void much_may_be_handed_on(void **state)
{
	(void)state;
	host_text_clear();
	host_exec("long | grep z");
	assert_int_equal(strlen(host_out), 3002);
	host_text_clear();
	host_exec("long | grep -v z");
	assert_string_equal(host_out, "");
}

static void grep_takes_files_and_options_as_linux_does(void **state)
{
	(void)state;
	answers("grep W /proc/version", 0, "Weir\n");
	answers("grep -i weir /proc/version /proc/irq/4/name", 0, "Weir\nWeir4\n");
	answers("egrep '4|5' /proc/version /proc/irq/4/name", 0, "Weir4\n");
	answers("grep -vcE -e '4|5' /proc/version", 0, "1\n");
	answers("grep W /proc/none", -EINVAL,
		"col 8: expected a file under /proc or /sys ('ls' lists them), found "
		"'/proc/none'\n");
	answers("grep 1 /proc/irq/5/smp_affinity", -ENOENT, "col 8: there is no interrupt 5\n");
	answers("grep -x a", -EINVAL, "col 6: expected -v, -i, -c, -E or -e, found '-x'\n");
	answers("echo a | grep '[a'", -EINVAL, "col 16: '[a' has a [ without its ]\n");
	answers("echo a | grep", -EINVAL,
		"col 14: expected a pattern, found the end of the line\n");
}

static void a_command_may_run_a_line_of_its_own(void **state)
{
	(void)state;
	answers("nest   outer", -EINVAL, "col 8: expected the outer word, found 'outer'\n");
	assert_string_equal(last_word[1], "inner");
}

static void long_output_is_not_cut(void **state)
{
	(void)state;
	host_text_clear();
	host_exec("long");
	assert_int_equal(strlen(host_out), 3001);
	assert_int_equal(host_out[3000], '>');
}

static void long_error_is_not_cut(void **state)
{
	char line[400];

	(void)state;
	memset(line, 'p', sizeof(line));
	memcpy(line, "fail a ", 7);
	line[399] = 0;
	host_text_clear();
	assert_int_equal(host_exec(line), -EBUSY);
	assert_non_null(strstr(host_out, "ppp is 3 times busy\n"));
	assert_int_equal(strlen(host_out), strlen("col 8: port  is 3 times busy\n") + 392);
}

static void help_lists_all_in_order_and_one_alone(void **state)
{
	(void)state;
	host_text_clear();
	assert_int_equal(host_exec("help"), 0);
	assert_non_null(strstr(host_out, "take WORD...                    notes its words\n"));
	assert_non_null(strstr(host_out, "number A-USAGE-THAT-IS-LONGER-THAN-ITS-COLUMN\n"
					 "                                wants 10 to 300\n"));
	assert_true(strstr(host_out, "\ncat ") < strstr(host_out, "\nfail "));
	assert_true(strstr(host_out, "\nfail ") < strstr(host_out, "\ntake "));
	answers("help fail", 0, "fail                            always fails\n");
	answers("help net.core.dev_weight", 0,
		"net.core.dev_weight = 1..64\n                                packets a poll\n");
	answers("help /proc/version", 0,
		"/proc/version\n                                what runs\n");
	answers("help nothing", -EINVAL,
		"col 6: expected a command, a knob or a file ('help' lists commands), found "
		"'nothing'\n");
	answers("help fail fail", -EINVAL, "col 11: expected the end of the line, found 'fail'\n");
}

static void sysctl_reads_and_turns_knobs_as_linux_does(void **state)
{
	(void)state;
	answers("sysctl net.core.netdev_budget", 0, "net.core.netdev_budget = 300\n");
	answers("sysctl net.core.netdev_budget=600", 0, "net.core.netdev_budget = 600\n");
	assert_int_equal(budget, 600);
	answers("sysctl -w net.core.netdev_budget=7 net.core.dev_weight=0x8", 0,
		"net.core.netdev_budget = 7\nnet.core.dev_weight = 8\n");
	assert_int_equal(budget, 7);
	assert_int_equal(weight, 8);
	answers("sysctl -n net.core.dev_weight", 0, "8\n");
	answers("sysctl -a", 0, "net.core.dev_weight = 8\nnet.core.netdev_budget = 7\n");
}

static void sysctl_refuses_what_it_does_not_know_or_take(void **state)
{
	(void)state;
	answers("sysctl net.core.netdev_budge=1", -EINVAL,
		"col 8: expected the name of a knob ('sysctl -a' lists them), found "
		"'net.core.netdev_budge=1'\n");
	answers("sysctl net.core.netdev_budget=1001", -EINVAL,
		"col 31: expected a number from 1 to 1000, found '1001'\n");
	answers("sysctl net.core.netdev_budget=0", -EINVAL,
		"col 31: expected a number from 1 to 1000, found '0'\n");
	answers("sysctl net.core.netdev_budget=", -EINVAL,
		"col 31: expected a number from 1 to 1000, found the end of the line\n");
	answers("sysctl -w net.core.netdev_budget", -EINVAL,
		"col 11: expected NAME=VALUE, found 'net.core.netdev_budget'\n");
	answers("sysctl", -EINVAL,
		"col 7: expected NAME, NAME=VALUE or -a, found the end of the line\n");
	answers("sysctl -a x", -EINVAL, "col 11: expected the end of the line, found 'x'\n");
	assert_int_equal(budget, 300);
}

static void cat_prints_files_with_and_without_a_star(void **state)
{
	(void)state;
	answers("cat /proc/version", 0, "Weir\n");
	answers("cat /proc/irq/30/smp_affinity /proc/version", 0, "30: 1\nWeir\n");
	answers("cat /proc/irq/31/smp_affinity", -ENOENT, "col 5: there is no interrupt 31\n");
	answers("cat /proc/irq/99/name", 0, "Weir99\n");
}

static void cat_refuses_what_is_no_file(void **state)
{
	static const char *const no[] = {
		"/proc",
		"/proc/",
		"/proc/versio",
		"/proc/version/",
		"/proc/version/x",
		"version",
		"/proc/irq//name",
		"/proc/irq/1/2/name",
		"/",
		"/proc/irq/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/name"
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(no); i++) {
		char line[128], want[256];

		snprintf(line, sizeof(line), "cat %s", no[i]);
		snprintf(want, sizeof(want),
			 "col 5: expected a file under /proc or /sys ('ls' lists them), found "
			 "'%s'\n",
			 no[i]);
		answers(line, -EINVAL, want);
	}
	answers("cat ''", -EINVAL,
		"col 6: expected a file under /proc or /sys ('ls' lists them), found ''\n");
	answers("cat", -EINVAL,
		"col 4: expected a file under /proc or /sys ('ls' lists them), found the end of "
		"the line\n");
}

static void echo_stores_a_value_or_prints_words(void **state)
{
	(void)state;
	answers("echo 2 > /proc/irq/30/smp_affinity", 0, "");
	assert_string_equal(stored, "30=2");
	answers("echo 4 >/proc/irq/31/smp_affinity", 0, "");
	assert_string_equal(stored, "31=4");
	answers("echo 99 > /proc/irq/31/smp_affinity", -EINVAL,
		"col 6: expected a number from 1 to 15, found '99'\n");
	answers("echo 1 > /proc/version", -EACCES, "col 10: '/proc/version' can only be read\n");
	answers("echo 1 >/proc/vers", -EINVAL,
		"col 9: expected a file under /proc or /sys ('ls' lists them), found "
		"'/proc/vers'\n");
	answers("echo 1 >", -EINVAL,
		"col 9: expected a file under /proc or /sys ('ls' lists them), found the end of "
		"the line\n");
	answers("echo 1 2 > /proc/version", -EINVAL,
		"col 10: expected one value in front of '>', found '>'\n");
	answers("echo > /proc/version", -EINVAL, "col 6: expected a value, found '>'\n");
	answers("echo 1 > /proc/version x", -EINVAL,
		"col 24: expected the end of the line, found 'x'\n");
	answers("echo", 0, "\n");
	answers("echo a 'b  c'", 0, "a b  c\n");
}

static void ls_lists_directories_in_order(void **state)
{
	(void)state;
	answers("ls", 0, "irq/\nnet/\nversion\n");
	answers("ls /proc/", 0, "irq/\nnet/\nversion\n");
	answers("ls /", 0, "proc/\n");
	answers("ls /proc/irq", 0, "4/\n30/\n");
	answers("ls /proc/irq/4", 0, "name\nsmp_affinity\n");
	answers("ls /proc/net", 0, "*/\n");
	answers("ls /proc/version", 0, "/proc/version\n");
	answers("ls /prok", -EINVAL, "col 4: expected a directory, like /proc, found '/prok'\n");
	answers("ls ''", -EINVAL, "col 5: expected a directory, like /proc, found ''\n");
}

static void counters_are_summed_over_cores_and_shown_by_core(void **state)
{
	(void)state;
	counter_add(&count_a, 5);
	host_play(1);
	counter_add(&count_a, 7);
	counter_inc(&count_b);
	host_play(0);
	answers("counters room.", 0,
		"room.a                                 12  the first\n"
		"room.b                                  1  the second\n");
	answers("counters -c room.a", 0,
		"                                      all         CPU0         CPU1\n"
		"room.a                                 12            5            7\n");
	answers("counters zoo", -EINVAL,
		"col 10: expected the name of a counter, or how some begin, found 'zoo'\n");
}

static void show_config_walks_the_rooms_in_their_order(void **state)
{
	const char *knobs = "sysctl net.core.dev_weight=64\nsysctl net.core.netdev_budget=300\n",
		   *early, *too;

	(void)state;
	host_text_clear();
	assert_int_equal(host_exec("show config"), 0);
	assert_memory_equal(host_out, knobs, strlen(knobs));
	early = strstr(host_out,
		       "\nearly\n"); /* these two in whatever order they were linked, once each */
	too = strstr(host_out, "\nearly too\n");
	assert_true(early && too);
	assert_int_equal(strlen(host_out), strlen(knobs) + strlen("early\nearly too\nlate\n"));
	assert_string_equal(host_out + strlen(host_out) - 6, "\nlate\n");
	answers("show conf", -EINVAL, "col 6: expected 'config', found 'conf'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hands_words_with_their_columns_to_the_command, start),
		cmocka_unit_test_setup(an_empty_line_does_nothing, start),
		cmocka_unit_test_setup(an_unknown_command_is_named_and_the_nearest_offered, start),
		cmocka_unit_test_setup(an_error_on_the_terminal_names_the_column, start),
		cmocka_unit_test_setup(an_error_in_a_file_names_file_line_and_column, start),
		cmocka_unit_test_setup(a_caret_stands_under_the_word_while_the_line_is_right_above,
				       start),
		cmocka_unit_test_setup(a_number_is_checked_for_its_range, start),
		cmocka_unit_test_setup(
			several_commands_stand_on_a_line_and_one_that_fails_is_the_last, start),
		cmocka_unit_test_setup(a_bar_hands_on_what_was_said, start),
		cmocka_unit_test_setup(much_may_be_handed_on, start),
		cmocka_unit_test_setup(grep_takes_files_and_options_as_linux_does, start),
		cmocka_unit_test_setup(a_command_may_run_a_line_of_its_own, start),
		cmocka_unit_test_setup(long_output_is_not_cut, start),
		cmocka_unit_test_setup(long_error_is_not_cut, start),
		cmocka_unit_test_setup(help_lists_all_in_order_and_one_alone, start),
		cmocka_unit_test_setup(sysctl_reads_and_turns_knobs_as_linux_does, start),
		cmocka_unit_test_setup(sysctl_refuses_what_it_does_not_know_or_take, start),
		cmocka_unit_test_setup(cat_prints_files_with_and_without_a_star, start),
		cmocka_unit_test_setup(cat_refuses_what_is_no_file, start),
		cmocka_unit_test_setup(echo_stores_a_value_or_prints_words, start),
		cmocka_unit_test_setup(ls_lists_directories_in_order, start),
		cmocka_unit_test_setup(counters_are_summed_over_cores_and_shown_by_core, start),
		cmocka_unit_test_setup(show_config_walks_the_rooms_in_their_order, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
