/* SPDX-License-Identifier: MIT */
/*
 * watch.c - a line run again and again, on a screen of its own, until Ctrl-C
 *
 * In the control context. As Linux's watch: what has changed since the time before
 * may be shown in reverse.
 */
#include "capture.h"
#include "control.h"
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CLEAR   "\x1b[H\x1b[J"
#define REVERSE "\x1b[7m"
#define PLAIN   "\x1b[27m"

enum { MS_MIN = 100, MS_MAX = 3600 * 1000 };

struct watch {
	struct shell *sh;
	unsigned long ms;
	unsigned long same_max; /* -q: ends when so many times nothing has changed; 0: never */
	bool differences;       /* -d */
	char line[SHELL_LINE_MAX];
};

static size_t line_len(const char *s)
{
	return strcspn(s, "\n");
}

/* print_line() - a line, reversed where it isn't what @old has at the same place. */
static void print_line(struct shell *sh, const char *s, const char *old)
{
	size_t n = line_len(s), old_n = line_len(old);
	bool reverse = false;

	for (size_t i = 0; i < n; i++) {
		bool changed = i >= old_n || s[i] != old[i];

		if (changed != reverse)
			shell_printf(sh, "%s", changed ? REVERSE : PLAIN);
		reverse = changed;
		shell_printf(sh, "%c", s[i]);
	}
	shell_printf(sh, "%s\n", reverse ? PLAIN : "");
}

static const char *next_line(const char *s)
{
	s += line_len(s);
	return *s ? s + 1 : s;
}

static void print_differences(struct shell *sh, const char *s, const char *old)
{
	for (; *s; s = next_line(s), old = next_line(old))
		print_line(sh, s, old);
}

static void print(const struct watch *w, const char *text, const char *old)
{
	shell_printf(w->sh, CLEAR "Every %lu.%lus: %s\n\n", w->ms / 1000, w->ms % 1000 / 100,
		     w->line);
	if (w->differences && old)
		print_differences(w->sh, text, old);
	else
		shell_printf(w->sh, "%s", text);
}

static int watch(const struct watch *w)
{
	struct capture before = { 0 };
	unsigned long same = 0;
	int err;

	do {
		struct capture now = { 0 };
		struct shell inner = capture_shell(&now, w->sh);

		err = shell_exec(&inner, w->line);
		print(w, capture_text(&now), before.text);
		same = strcmp(capture_text(&now), capture_text(&before)) == 0 ? same + 1 : 0;
		capture_free(&before);
		before = now;
	} while (!err && (!w->same_max || same < w->same_max) && msleep_interruptible(w->ms));
	capture_free(&before);
	return err;
}

/*
 * take_value() - of an option, which stands behind its letter or in the next
 * word; *i moves on behind it.
 */
static const char *take_value(int n, const struct word *w, int *i)
{
	const char *s = w[*i].s + 2;

	if (!*s && *i + 1 < n)
		s = w[++*i].s;
	++*i;
	return s;
}

/* take_options() - returns the first word of the line to run. */
static int take_options(struct shell *sh, struct watch *t, int n, const struct word *w)
{
	int i = 1;

	while (i < n && w[i].s[0] == '-') {
		if (word_is(n, w, i, "-d")) {
			t->differences = true;
			i++;
		} else if (w[i].s[1] == 'n') {
			if (!words_seconds(take_value(n, w, &i), &t->ms) || t->ms > MS_MAX)
				return shell_expected(sh, i - 1,
						      "seconds, such as 2 or 0.25, up to 3600");
		} else if (w[i].s[1] == 'q') {
			if (!words_number(take_value(n, w, &i), &t->same_max))
				return shell_expected(sh, i - 1, "a number of times");
		} else {
			return shell_expected(sh, i, "-d, -n SECONDS, -q TIMES or a command");
		}
	}
	return i < n ? i : shell_expected(sh, i, "a command");
}

static int run_watch(struct shell *sh, int n, const struct word *w)
{
	struct watch t = { .sh = sh, .ms = 2000 };
	int i = take_options(sh, &t, n, w);
	size_t len = 0;

	if (i < 0)
		return i;
	t.ms = MAX(t.ms, (unsigned long)MS_MIN); /* as Linux's: nobody reads faster */
	for (; i < n; i++)                       /* no longer than the line that they stand on */
		len += snprintf(t.line + len, sizeof(t.line) - len, len ? " %s" : "%s", w[i].s);
	return watch(&t);
}

SHELL_COMMAND(cmd_watch, .name = "watch", .usage = "[-d] [-n SECONDS] [-q TIMES] COMMAND...",
	      .help = "run a line again and again, until Ctrl-C", .run = run_watch);
