/* SPDX-License-Identifier: MIT */
/*
 * help.c - the command that names the others
 *
 * In the control context. What it prints, rooms have written beside what they define.
 */
#include "procfs.h"
#include "shell.h"

#include <errno.h>
#include <string.h>

enum { SYNOPSIS = 32 }; /* columns for name and usage; longer ones get a line of their own */

static void print_command(struct shell *sh, const struct command *c)
{
	const char *gap = *c->usage ? " " : "";
	int width = strlen(c->name) + strlen(gap) + strlen(c->usage);

	if (width < SYNOPSIS)
		shell_printf(sh, "%s%s%s%*s%s\n", c->name, gap, c->usage, SYNOPSIS - width, "",
			     c->help);
	else
		shell_printf(sh, "%s%s%s\n%*s%s\n", c->name, gap, c->usage, SYNOPSIS, "", c->help);
}

static void help_knob(struct shell *sh, const struct sysctl *s)
{
	shell_printf(sh, "%s = ", s->name);
	if (s->word)
		for (unsigned v = s->min; v <= s->max; v++)
			shell_printf(sh, "%s%s", s->word[v], v < s->max ? ", " : "");
	else
		shell_printf(sh, "%u..%u", s->min, s->max);
	shell_printf(sh, "\n%*s%s\n", SYNOPSIS, "", s->help);
}

/* help_other() - knobs and files have a line of help too. */
static bool help_other(struct shell *sh, const char *name)
{
	const struct proc_file *f;

	set_for_each(s, sysctls) {
		if (strcmp(s->name, name) == 0) {
			help_knob(sh, s);
			return true;
		}
	}
	f = procfs_find(name);
	if (f)
		shell_printf(sh, "%s\n%*s%s\n", f->path, SYNOPSIS, "", f->help);
	return f;
}

static int run_help(struct shell *sh, int n, const struct word *w)
{
	const struct command *c;

	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	if (n == 2) {
		c = command_find(w[1].s);
		if (c)
			print_command(sh, c);
		else if (!help_other(sh, w[1].s))
			return shell_expected(
				sh, 1, "a command, a knob or a file ('help' lists commands)");
		return 0;
	}
	for (c = command_next(""); c; c = command_next(c->name))
		print_command(sh, c);
	return 0;
}

static void complete_help(int n, const struct word *w, void (*add)(void *to, const char *s),
			  void *to)
{
	(void)w;
	if (n > 1)
		return;
	set_for_each(c, commands)
		add(to, c->name);
	set_for_each(s, sysctls)
		add(to, s->name);
}

SHELL_COMMAND(cmd_help, .name = "help", .usage = "[COMMAND|KNOB|FILE]",
	      .help = "all commands, or one of them", .run = run_help, .complete = complete_help);
