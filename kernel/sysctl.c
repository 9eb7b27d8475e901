/* SPDX-License-Identifier: MIT */
/*
 * sysctl.c - the command that reads and turns the knobs
 *
 * In the control context or at boot. A knob is one unsigned in the room that uses it; a single
 * store changes it, and the core that reads it next sees the new value. Names and output are those
 * of Linux's sysctl(8).
 */
#include "shell.h"

#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct sysctl *sysctl_find(const char *name, size_t len)
{
	set_for_each(s, sysctls)
		if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
			return s;
	return NULL;
}

static const struct sysctl *sysctl_next(const char *name)
{
	const struct sysctl *next = NULL;

	set_for_each(s, sysctls)
		if (strcmp(s->name, name) > 0 && (!next || strcmp(s->name, next->name) < 0))
			next = s;
	return next;
}

static void print_value(struct shell *sh, const struct sysctl *s)
{
	if (s->word)
		shell_printf(sh, "%s\n", s->word[*s->value]);
	else
		shell_printf(sh, "%u\n", *s->value);
}

static void print(struct shell *sh, const struct sysctl *s, bool value_only)
{
	if (!value_only)
		shell_printf(sh, "%s = ", s->name);
	print_value(sh, s);
}

/* find_word() - false if @value is none of its words; @what then tells which there are. */
static bool find_word(const struct sysctl *s, const char *value, unsigned long *v, char *what,
		      size_t size)
{
	size_t n = 0;

	for (*v = s->min; *v <= s->max; ++*v) {
		if (strcmp(s->word[*v], value) == 0)
			return true;
		n += snprintf(what + n, size - n, "%s%s",
			      !n            ? ""
			      : *v < s->max ? ", "
					    : " or ",
			      s->word[*v]);
	}
	return false;
}

static bool find_value(const struct sysctl *s, const char *value, unsigned long *v, char *what,
		       size_t size)
{
	if (s->word)
		return find_word(s, value, v, what, size);
	snprintf(what, size, "a number from %u to %u", s->min, s->max);
	return words_number(value, v) && *v >= s->min && *v <= s->max;
}

/* assign() - @value stands inside word @i. */
static int assign(struct shell *sh, int i, const struct sysctl *s, const char *value)
{
	unsigned col = sh->word[i].col + (value - sh->word[i].s);
	const char *why;
	unsigned long v;
	char what[64];

	if (!find_value(s, value, &v, what, sizeof(what)))
		return shell_expected_at(sh, col, what, *value ? value : NULL);
	why = s->refuse ? s->refuse(v) : NULL;
	if (why)
		return shell_error(sh, i, -EOPNOTSUPP, "%s", why);
	*(volatile unsigned *)s->value = v;
	if (s->changed)
		s->changed(v);
	return 0;
}

/* one() - NAME or NAME=VALUE, as word @i. */
static int one(struct shell *sh, int i, bool must_assign, bool value_only)
{
	const char *word = sh->word[i].s, *equals = strchr(word, '=');
	const struct sysctl *s = sysctl_find(word, equals ? (size_t)(equals - word) : strlen(word));
	int err = 0;

	if (!s)
		return shell_expected(sh, i, "the name of a knob ('sysctl -a' lists them)");
	if (must_assign && !equals)
		return shell_expected(sh, i, "NAME=VALUE");
	if (equals)
		err = assign(sh, i, s, equals + 1);
	if (!err && !sh->file) /* a line of weir.conf says nothing when it works */
		print(sh, s, value_only);
	return err;
}

static int run_sysctl(struct shell *sh, int n, const struct word *w)
{
	bool must_assign = word_is(n, w, 1, "-w"), value_only = word_is(n, w, 1, "-n");
	int first = 1 + (must_assign || value_only);

	if (word_is(n, w, 1, "-a")) {
		if (n > 2)
			return shell_expected(sh, 2, "the end of the line");
		for (const struct sysctl *s = sysctl_next(""); s; s = sysctl_next(s->name))
			print(sh, s, false);
		return 0;
	}
	if (n == first)
		return shell_expected(sh, first, "NAME, NAME=VALUE or -a");
	for (int i = first; i < n; i++) {
		int err = one(sh, i, must_assign, value_only);

		if (err)
			return err;
	}
	return 0;
}

static void complete_sysctl(int n, const struct word *w, void (*add)(void *to, const char *s),
			    void *to)
{
	char name[96];

	set_for_each(s, sysctls) {
		if (word_is(n, w, 1, "-w"))
			snprintf(name, sizeof(name), "%s=", s->name);
		else
			snprintf(name, sizeof(name), "%s", s->name);
		add(to, name);
	}
}

SHELL_COMMAND(cmd_sysctl, .name = "sysctl", .usage = "[-w|-n] NAME[=VALUE]... | -a",
	      .help = "read and turn the knobs", .run = run_sysctl, .complete = complete_sysctl);

/* all of them: a line for a knob that was never turned does no harm, and none is forgotten */
static void print_config(struct shell *sh)
{
	for (const struct sysctl *s = sysctl_next(""); s; s = sysctl_next(s->name)) {
		shell_printf(sh, "sysctl %s=", s->name);
		print_value(sh, s);
	}
}

CONFIG_SOURCE(config_sysctl, .order = 10, .print = print_config);
