/* SPDX-License-Identifier: MIT */
/* sleep.c - `sleep`: time passes between two commands of a list. Control context. */
#include "control.h"
#include "shell.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

/* "2", "0.25": as milliseconds */
static bool read_seconds(const char *s, unsigned long *ms)
{
	static const unsigned scale[] = { 0, 100, 10, 1 };
	const char *dot = strchr(s, '.');
	unsigned long whole, part = 0;
	char first[8];

	if (!dot)
		dot = s + strlen(s);
	snprintf(first, sizeof(first), "%.*s", (int)(dot - s), s);
	if (dot - s >= (long)sizeof(first) || !words_number(first, &whole))
		return false;
	if (*dot && (strlen(dot + 1) > 3 || !words_number(dot + 1, &part)))
		return false;
	*ms = whole * 1000 + (*dot ? part * scale[strlen(dot + 1)] : 0);
	return true;
}

static int run_sleep(struct shell *sh, int n, const struct word *w)
{
	unsigned long ms;

	if (n < 2 || !read_seconds(w[1].s, &ms) || ms > 3600000)
		return shell_expected(sh, 1, "seconds, such as 2 or 0.25, up to 3600");
	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	msleep(ms);
	return 0;
}

SHELL_COMMAND(cmd_sleep, .name = "sleep", .usage = "SECONDS",
	      .help = "let so much time pass before the next command", .run = run_sleep);
