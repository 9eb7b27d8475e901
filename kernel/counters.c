/* SPDX-License-Identifier: MIT */
/*
 * counters.c - the command that prints the named counters
 *
 * In the control context. Other cores go on counting meanwhile: each value is whole, the sum is of
 * a moment that never was, and exact once traffic has stopped.
 */
#include "counter.h"

#include "shell.h"

#include <errno.h>
#include <string.h>

static const struct counter *counter_next(const char *name)
{
	const struct counter *next = NULL;

	set_for_each(c, counters)
		if (strcmp(c->name, name) > 0 && (!next || strcmp(c->name, next->name) < 0))
			next = c;
	return next;
}

static void print(struct shell *sh, const struct counter *c, bool by_core)
{
	uint64_t sum = 0;

	cpu_for_each(i)
		sum += counter_read(c, i);
	shell_printf(sh, "%-28s %12lu", c->name, (unsigned long)sum);
	if (by_core)
		cpu_for_each(i)
			shell_printf(sh, " %12lu", (unsigned long)counter_read(c, i));
	else
		shell_printf(sh, "  %s", c->help);
	shell_printf(sh, "\n");
}

static void print_head(struct shell *sh)
{
	shell_printf(sh, "%-28s %12s", "", "all");
	cpu_for_each(i)
		shell_printf(sh, "         CPU%-1u", i);
	shell_printf(sh, "\n");
}

static bool begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int run_counters(struct shell *sh, int n, const struct word *w)
{
	bool by_core = word_is(n, w, 1, "-c");
	int at = 1 + by_core;
	unsigned shown = 0;

	if (n > at + 1)
		return shell_expected(sh, at + 1, "the end of the line");
	for (const struct counter *c = counter_next(""); c; c = counter_next(c->name)) {
		if (n > at && !begins(c->name, w[at].s))
			continue;
		if (by_core && shown == 0)
			print_head(sh);
		print(sh, c, by_core);
		shown++;
	}
	if (n > at && shown == 0)
		return shell_expected(sh, at, "the name of a counter, or how some begin");
	return 0;
}

static void complete_counters(int n, const struct word *w, void (*add)(void *to, const char *s),
			      void *to)
{
	if (n == 1)
		add(to, "-c");
	if (n == 1 || (n == 2 && word_is(n, w, 1, "-c")))
		set_for_each(c, counters)
			add(to, c->name);
}

SHELL_COMMAND(cmd_counters, .name = "counters", .usage = "[-c] [NAME]",
	      .help = "the named counters, all or those that begin so; -c: by core",
	      .run = run_counters, .complete = complete_counters);
