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

enum {
	SYNOPSIS = 32, /* columns for name and usage; longer ones get lines of their own */
	WIDE = 100,    /* columns of these lines, but where what stands in brackets is longer */
	FURTHER = 4,   /* columns by which a way that takes several lines goes on */
};

/* piece() - bytes of @s up to @end, where that stands outside of brackets, or up to the end */
static size_t piece(const char *s, const char *end)
{
	int depth = 0;
	size_t n;

	for (n = 0; s[n] && (depth || strncmp(s + n, end, strlen(end)) != 0); n++)
		depth += (s[n] == '[') - (s[n] == ']');
	return n;
}

/*
 * print_words() - @len bytes of a usage from column @at on; lines that follow begin at
 * @indent. Returns the column.
 */
static unsigned print_words(struct shell *sh, const char *s, size_t len, unsigned at,
			    unsigned indent)
{
	for (size_t n, i = 0; i < len; i += n + 1) {
		n = MIN(piece(s + i, " "), len - i);
		if (i && at + 1 + n > WIDE) {
			shell_printf(sh, "\n%*s", indent, "");
			at = indent;
		} else if (i) {
			shell_printf(sh, " ");
			at++;
		}
		shell_printf(sh, "%.*s", (int)n, s + i);
		at += n;
	}
	return at;
}

/*
 * print_ways() - a usage from column @left on; a line is broken where another way to say
 * it begins, if it can be.
 */
static void print_ways(struct shell *sh, const char *usage, unsigned left)
{
	unsigned at = left;

	for (size_t n, i = 0; usage[i]; i += n + (usage[i + n] ? 3 : 0)) {
		n = piece(usage + i, " | ");
		if (i && at + 3 + n > WIDE) {
			shell_printf(sh, "\n%*s| ", left, "");
			at = left + 2;
		} else if (i) {
			shell_printf(sh, " | ");
			at += 3;
		}
		at = print_words(sh, usage + i, n, at, left + FURTHER);
	}
}

static void print_help(struct shell *sh, const char *help)
{
	print_words(sh, help, strlen(help), SYNOPSIS, SYNOPSIS);
	shell_printf(sh, "\n");
}

static void print_command(struct shell *sh, const struct command *c)
{
	const char *gap = *c->usage ? " " : "";
	unsigned left = strlen(c->name) + strlen(gap);
	unsigned at = left + strlen(c->usage);

	shell_printf(sh, "%s%s", c->name, gap);
	print_ways(sh, c->usage, left);
	if (at < SYNOPSIS)
		shell_printf(sh, "%*s", SYNOPSIS - at, "");
	else
		shell_printf(sh, "\n%*s", SYNOPSIS, "");
	print_help(sh, c->help);
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
