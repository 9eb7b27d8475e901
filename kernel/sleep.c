/* SPDX-License-Identifier: MIT */
/* sleep.c - `sleep`: time passes between two commands of a list. Control context. */
#include "control.h"
#include "shell.h"
#include "words.h"

#include <errno.h>

static int run_sleep(struct shell *sh, int n, const struct word *w)
{
	unsigned long ms;

	if (n < 2 || !words_seconds(w[1].s, &ms) || ms > 3600000)
		return shell_expected(sh, 1, "seconds, such as 2 or 0.25, up to 3600");
	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	return msleep_interruptible(ms) ? 0 : -EINTR;
}

SHELL_COMMAND(cmd_sleep, .name = "sleep", .usage = "SECONDS",
	      .help = "let so much time pass before the next command; Ctrl-C ends it",
	      .run = run_sleep);
