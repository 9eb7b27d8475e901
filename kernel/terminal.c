/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - the shell's side of the serial line: prompt, edit, run, for ever
 *
 * The body of the control context on core 0. Owns the line being typed and the history. It sleeps
 * while nobody types, and gives the core back after each line.
 */
#include "shell.h"

#include "console.h"
#include "control.h"
#include "counter.h"
#include "lineedit.h"
#include "procfs.h"
#include "words.h"

#include <string.h>

#define PROMPT "weir# "

static unsigned terminal_columns;
SYSCTL(sysctl_columns, "console.columns", &terminal_columns, 0, 1000,
       "columns of the terminal, for editing lines that wrap; 0 if unknown");

COUNTER(too_long, "console.line_too_long", "lines typed and refused, longer than the shell takes");
COUNTER(incomplete, "console.line_incomplete",
	"lines typed and refused, input was lost in between");

static void offer_words(const struct lineedit *e, unsigned start,
			void (*add)(void *to, const char *s), void *to);

static void write_out(const char *s, size_t n)
{
	console_write_wait(s, n);
}

static struct lineedit edit = {
	.prompt = PROMPT,
	.write = write_out,
	.offer = offer_words,
	.columns = &terminal_columns,
};
static struct shell terminal = { .write = shell_to_console, .prompt_len = sizeof(PROMPT) - 1 };

/*
 * offer_words() - first words; else files, where a path has been begun; else what the command
 * itself knows.
 */
static void offer_words(const struct lineedit *e, unsigned start,
			void (*add)(void *to, const char *s), void *to)
{
	char before[SHELL_LINE_MAX];
	const struct command *c;
	struct words ws = { .rest = before };

	memcpy(before, e->line, start);
	before[start] = 0;
	while (ws.rest)
		if (words_split(&ws, before, ws.rest))
			return;
	if (ws.n == 0) {
		for (c = command_next(""); c; c = command_next(c->name))
			add(to, c->name);
	} else if (e->line[start] == '/' && start < e->cursor) {
		procfs_offer(e->line + start, e->cursor - start, add, to);
	} else {
		c = command_find(ws.w[0].s);
		if (c && c->complete)
			c->complete(ws.n, ws.w, add, to);
	}
}

/* enter() - the line is whole: run it, unless bytes of it went missing on the way. */
static void enter(bool gap)
{
	if (gap) {
		counter_inc(&incomplete);
		shell_printf(&terminal, "input came too fast and some was lost: line not run\n");
		return;
	}
	lineedit_remember(&edit);
	shell_exec(&terminal, edit.line);
}

static void key(int c)
{
	static bool gap; /* bytes of the line being typed were lost */
	enum lineedit_event event;

	gap |= c & CONSOLE_IN_GAP;
	event = lineedit_key(&edit, c);
	if (event == LINEEDIT_NONE)
		return;
	if (event == LINEEDIT_LINE) {
		enter(gap);
	} else if (event == LINEEDIT_TOO_LONG) {
		counter_inc(&too_long);
		shell_printf(&terminal, "longer than %d characters: line not run\n",
			     SHELL_LINE_MAX - 1);
	}
	gap = false;
	yield(); /* lines pasted in one go must not hold the core */
	lineedit_begin(&edit);
}

void shell_main(void)
{
	lineedit_begin(&edit);
	for (;;) {
		int c;

		control_run_deferred();
		c = console_in_get();
		if (c < 0)
			control_sleep();
		else
			key(c);
	}
}

static int run_history(struct shell *sh, int n, const struct word *w)
{
	unsigned back = MIN(edit.entered, LINEEDIT_HISTORY);

	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	for (; back; back--)
		shell_printf(sh, "%5u  %s\n", edit.entered - back + 1,
			     lineedit_recall(&edit, back));
	return 0;
}

SHELL_COMMAND(cmd_history, .name = "history", .usage = "", .help = "the lines typed last",
	      .run = run_history);
