/* SPDX-License-Identifier: MIT */
/*
 * grep.c - lines that match: of what the command in front of a | said, or of a
 * file under /proc and /sys
 *
 * In the control context or at boot. A file is what `cat` prints of it.
 */
#include "capture.h"
#include "procfs.h"
#include "regex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct grep {
	const char *re;
	struct regex_flags how;
	bool others, count; /* -v, -c */
};

static void filter(struct shell *sh, const struct grep *g, const char *text)
{
	unsigned found = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (regex_search(g->re, text, len, g->how) != g->others) {
			found++;
			if (!g->count)
				shell_printf(sh, "%.*s\n", (int)len, text);
		}
		text += len + (text[len] == '\n');
	}
	if (g->count)
		shell_printf(sh, "%u\n", found);
}

static int filter_file(struct shell *sh, const struct grep *g, int i)
{
	struct capture said = { 0 };
	struct shell inner = capture_shell(&said, sh);
	int err = procfs_show(&inner, i);

	if (err)
		shell_printf(sh, "%s", capture_text(&said));
	else
		filter(sh, g, capture_text(&said));
	capture_free(&said);
	return err;
}

/*
 * take_options() - `-vicE`, together or apart; `-e` in front of the pattern says no
 * more than that it is one.
 */
static int take_options(struct shell *sh, struct grep *g, int n, const struct word *w)
{
	int i = 1;

	for (; i < n && w[i].s[0] == '-' && w[i].s[1]; i++) {
		if (strcmp(w[i].s, "-e") == 0)
			return i + 1;
		for (const char *s = w[i].s + 1; *s; s++) {
			if (*s == 'v')
				g->others = true;
			else if (*s == 'i')
				g->how.any_case = true;
			else if (*s == 'c')
				g->count = true;
			else if (*s == 'E')
				g->how.extended = true;
			else
				return shell_expected(sh, i, "-v, -i, -c, -E or -e");
		}
	}
	return i;
}

static int run_grep(struct shell *sh, int n, const struct word *w)
{
	struct grep g = { .how.extended = strcmp(w[0].s, "egrep") == 0 };
	int i = take_options(sh, &g, n, w);
	const char *wrong;
	int err = 0;

	if (i < 0)
		return i;
	if (i >= n)
		return shell_expected(sh, i, "a pattern");
	g.re = w[i].s;
	wrong = regex_wrong(g.re, g.how);
	if (wrong)
		return shell_error(sh, i, -EINVAL, "'%s' has %s", g.re, wrong);
	if (++i == n && !sh->input)
		return shell_expected(sh, i, "a file, or a command and a | in front of grep");
	if (i == n)
		filter(sh, &g, sh->input);
	for (; i < n && !err; i++)
		err = filter_file(sh, &g, i);
	return err;
}

static void complete_grep(int n, const struct word *w, void (*add)(void *to, const char *s),
			  void *to)
{
	(void)w;
	if (n > 1)
		procfs_offer("/", 1, add, to);
}

SHELL_COMMAND(cmd_grep, .name = "grep", .usage = "[-vicE] PATTERN [PATH...]",
	      .help = "lines that match, of files or of what stands in front of a |",
	      .run = run_grep, .complete = complete_grep);
SHELL_COMMAND(cmd_egrep, .name = "egrep", .usage = "[-vic] PATTERN [PATH...]",
	      .help = "grep -E: + ? and | mean something in the pattern", .run = run_grep,
	      .complete = complete_grep);
