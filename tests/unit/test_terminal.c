/* SPDX-License-Identifier: MIT */
/* links: kernel/terminal.c kernel/lineedit.c kernel/names.c kernel/shell.c kernel/capture.c kernel/words.c kernel/procfs.c kernel/sysctl.c kernel/help.c kernel/console.c tests/unit/host.c */
/*
 * test_terminal.c - shell_main() as a person or a script meets it: bytes typed into the console,
 * bytes that come back
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/counter.h"
#include "kernel/shell.h"

static char screen[256 * 1024];
static size_t nscreen;
static jmp_buf nothing_typed;
static const char *typing;
static size_t left;
static unsigned ran;

static void device_interrupt(size_t max)
{
	nscreen += console_out_get(screen + nscreen, MIN(max, sizeof(screen) - 1 - nscreen));
	screen[nscreen] = 0;
}

static void device_kick(void)
{
}

static void device_put_now(char c)
{
	(void)c;
	fail();
}

static const struct console_ops device = { .kick = device_kick, .put_now = device_put_now };

/* yield() - time passes, and a slow device goes on sending. */
void yield(void)
{
	host_calls.yield++;
	host_tsc += 1000 * 1000;
	device_interrupt(100);
}

/*
 * control_sleep() - nothing to read: the next burst is typed, as much as the input ring takes at a
 * time; or we leave.
 */
void control_sleep(void)
{
	device_interrupt(sizeof(screen));
	if (!left)
		longjmp(nothing_typed, 1);
	for (unsigned burst = 0; left && burst < 1000; burst++, left--)
		console_in_put(*typing++);
}

static void type_bytes(const char *s, size_t n)
{
	typing = s;
	left = n;
	nscreen = 0;
	screen[0] = 0;
	if (!setjmp(nothing_typed))
		shell_main();
}

static void type(const char *s)
{
	type_bytes(s, strlen(s));
}

static int run_ran(struct shell *sh, int n, const struct word *w)
{
	(void)sh;
	(void)n;
	(void)w;
	ran++;
	return 0;
}

static int run_dump(struct shell *sh, int n, const struct word *w)
{
	(void)n;
	(void)w;
	for (int i = 0; i < 2000; i++)
		shell_printf(sh, "%4d %s\n", i, "a line of a dump that is longer than the ring");
	return 0;
}

static int show_stat(struct shell *sh, const char *star)
{
	(void)star;
	shell_printf(sh, "stat\n");
	return 0;
}

SHELL_COMMAND(cmd_ran, .name = "ran", .usage = "", .help = "counts", .run = run_ran);
SHELL_COMMAND(cmd_dump, .name = "dump", .usage = "", .help = "prints", .run = run_dump);
PROC_FILE(proc_stat, .path = "/proc/net/softnet_stat", .help = "a file", .show = show_stat);

static uint64_t counted(const char *name)
{
	set_for_each(c, counters)
		if (strcmp(c->name, name) == 0)
			return counter_read(c, 0);
	fail_msg("no counter %s", name);
	return 0;
}

static int start(void **state)
{
	(void)state;
	host_cores(1);
	host_this_cpu->in_control = true;
	console_attach(&device);
	ran = 0;
	return 0;
}

static void prompts_runs_and_prompts_again(void **state)
{
	(void)state;
	type("echo hello\r");
	assert_string_equal(screen, "weir# echo hello\r\nhello\r\nweir# ");
	type("\r\n\n");
	assert_string_equal(screen, "weir# \r\nweir# \r\nweir# ");
}

static void points_at_what_is_wrong(void **state)
{
	(void)state;
	type("cat /proc/x\n");
	assert_string_equal(
		screen,
		"weir# cat /proc/x\r\n          ^\r\ncol 5: expected a file under /proc or /sys "
		"('ls' lists them), found '/proc/x'\r\nweir# ");
}

static void completes_commands_files_knobs_and_arguments(void **state)
{
	(void)state;
	type("du\t\n");
	assert_non_null(strstr(screen, "weir# dump \r\n   0 a line"));
	type("cat /p\tn\ts\t\n");
	assert_non_null(strstr(screen, "cat /proc/net/softnet_stat \r\nstat\r\n"));
	type("cat \t\n"); /* the only way is all the way */
	assert_non_null(strstr(screen, "weir# cat /proc/\r\n"));
	type("sysctl con\t\n");
	assert_non_null(strstr(screen, "sysctl console.columns \r\nconsole.columns = 0\r\n"));
	type("sysctl -w con\t5\n");
	assert_non_null(strstr(screen, "console.columns=5\r\nconsole.columns = 5\r\n"));
	type("sysctl console.columns=0\n");
	type("help ra\t\n");
	assert_non_null(strstr(screen, "help ran \r\nran     "));
	type("nonsense \t\n");
	assert_non_null(strstr(screen, "nonsense \a\r\n"));
}

static void remembers_lines(void **state)
{
	(void)state;
	type("echo first\rhistory\r\x1b[A\x1b[A\r");
	assert_non_null(strstr(screen, "  echo first\r\n"));
	assert_non_null(strstr(strstr(screen, "history\r\n") + 9, "\r\nfirst\r\nweir# "));
}

static void a_dump_longer_than_the_ring_loses_nothing(void **state)
{
	char *s;

	(void)state;
	type("dump\n");
	s = strstr(screen, "\r\n") + 2;
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(atoi(s), i);
		s = strstr(s, "\r\n") + 2;
	}
	assert_string_equal(s, "weir# ");
}

static void a_line_too_long_is_not_run(void **state)
{
	char line[700];

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "ran", 3);
	memcpy(line + sizeof(line) - 5, "\rran\r", 5);
	type_bytes(line, sizeof(line));
	assert_int_equal(ran, 1);
	assert_int_equal(counted("console.line_too_long"), 1);
	assert_non_null(
		strstr(screen, "\a\r\nlonger than 511 characters: line not run\r\nweir# ran\r\n"));
}

static void a_line_with_lost_input_is_not_run(void **state)
{
	(void)state;
	/* the ring takes 4,096, so it ends in the middle of a line: 1,024 times "n\nra" */
	for (int i = 0; i < 5000; i++)
		console_in_put("n\nra"[i % 4]);
	type("n\nran\n"); /* "ra" gap "n": looks whole, but who knows what is missing */
	assert_non_null(strstr(screen, "weir# ran\r\ninput came too fast and some was lost: line "
				       "not run\r\nweir# ran\r\n"));
	assert_int_equal(counted("console.line_incomplete"), 1);
	assert_int_equal(ran, 1023 + 1); /* what was typed before the loss, and after it */
}

static void many_lines_in_one_go_all_run(void **state)
{
	char lines[4000];

	(void)state;
	for (unsigned i = 0; i < sizeof(lines); i++)
		lines[i] = "ran\n"[i % 4];
	type_bytes(lines, sizeof(lines));
	assert_int_equal(ran, 1000);
	assert_true(host_calls.yield >= 1000);
}

static void survives_any_bytes(void **state)
{
	static char noise[100000];

	(void)state;
	srand(1);
	for (unsigned i = 0; i < sizeof(noise); i++)
		noise[i] = rand() % 3 ? "ran \t\x1b[ABCD/proc echo"[rand() % 20] : rand() % 256;
	for (unsigned at = 0; at < sizeof(noise); at += 1000)
		type_bytes(noise + at, 1000);
	ran = 0;
	type("\x03ran\n");
	assert_int_equal(ran, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prompts_runs_and_prompts_again, start),
		cmocka_unit_test_setup(points_at_what_is_wrong, start),
		cmocka_unit_test_setup(completes_commands_files_knobs_and_arguments, start),
		cmocka_unit_test_setup(remembers_lines, start),
		cmocka_unit_test_setup(a_dump_longer_than_the_ring_loses_nothing, start),
		cmocka_unit_test_setup(a_line_too_long_is_not_run, start),
		cmocka_unit_test_setup(a_line_with_lost_input_is_not_run, start),
		cmocka_unit_test_setup(many_lines_in_one_go_all_run, start),
		cmocka_unit_test_setup(survives_any_bytes, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
