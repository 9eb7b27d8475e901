/* SPDX-License-Identifier: MIT */
/*
 * shell.c - one line in, words out, the command called; and how anyone answers who asked
 *
 * Called by the terminal (terminal.c), by weir.conf's reader (config.c) and by commands, in the
 * control context or at boot. Owns nothing: what a line is about stands in the struct shell of
 * whoever asked.
 */
#include "shell.h"

#include "capture.h"
#include "console.h"
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 256,    /* most answers fit; longer ones take a buffer from the heap */
	CARET_MAX = 79, /* behind this column a line may have wrapped: no ^ under it */
	MISSPELT = 2,   /* letters that may be wrong for "did you mean" */
};

void shell_to_console(struct shell *sh, const char *s, size_t n)
{
	(void)sh;
	console_write_wait(s, n);
}

static void say(struct shell *sh, const char *s, size_t n)
{
	sh->wrote = true;
	sh->write(sh, s, n);
}

/*
 * say_long() - what is longer than a piece, from the heap; or cut, and saying so, if that is full.
 */
static void say_long(struct shell *sh, char *piece, size_t n, const char *fmt, va_list ap)
{
	static const char cut[] = "... (cut: no memory)\n";
	char *s = malloc(n + 1);

	if (!s) {
		say(sh, piece, PIECE - 1);
		say(sh, cut, sizeof(cut) - 1);
		return;
	}
	vsnprintf(s, n + 1, fmt, ap);
	say(sh, s, n);
	free(s);
}

void shell_printf(struct shell *sh, const char *fmt, ...)
{
	char piece[PIECE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	if (n < PIECE) {
		say(sh, piece, MAX(n, 0));
		return;
	}
	va_start(ap, fmt);
	say_long(sh, piece, n, fmt, ap);
	va_end(ap);
}

/*
 * say_where() - file, line and column; on the terminal a ^ under the column while the line still
 * stands above.
 */
static void say_where(struct shell *sh, unsigned col)
{
	unsigned on_screen = sh->prompt_len + col;

	if (sh->file) {
		shell_printf(sh, "%s:%u:%u: ", sh->file, sh->line, col);
		return;
	}
	if (sh->prompt_len && !sh->wrote && on_screen <= CARET_MAX)
		shell_printf(sh, "%*s\n", (int)on_screen, "^");
	shell_printf(sh, "col %u: ", col);
}

static unsigned word_col(const struct shell *sh, int i)
{
	return i >= 0 && i < sh->nwords ? sh->word[i].col : sh->end_col;
}

int shell_expected_at(struct shell *sh, unsigned col, const char *what, const char *found)
{
	say_where(sh, col);
	if (found)
		shell_printf(sh, "expected %s, found '%s'\n", what, found);
	else
		shell_printf(sh, "expected %s, found the end of the line\n", what);
	return -EINVAL;
}

int shell_expected(struct shell *sh, int i, const char *what)
{
	return shell_expected_at(sh, word_col(sh, i), what,
				 i >= 0 && i < sh->nwords ? sh->word[i].s : NULL);
}

int shell_error(struct shell *sh, int i, int err, const char *fmt, ...)
{
	char text[PIECE];
	va_list ap;
	int n;

	say_where(sh, word_col(sh, i));
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < PIECE) {
		say(sh, text, MAX(n, 0));
	} else {
		va_start(ap, fmt);
		say_long(sh, text, n, fmt, ap);
		va_end(ap);
	}
	say(sh, "\n", 1);
	return err;
}

int shell_uint(struct shell *sh, int i, unsigned long lo, unsigned long hi, unsigned long *out)
{
	unsigned long v;
	char what[64];

	if (i < sh->nwords && words_number(sh->word[i].s, &v) && v >= lo && v <= hi) {
		*out = v;
		return 0;
	}
	snprintf(what, sizeof(what), "a number from %lu to %lu", lo, hi);
	return shell_expected(sh, i, what);
}

int shell_name(struct shell *sh, int i, char *to, size_t size)
{
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	size_t n = 0;
	char what[64];

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.-", s[n])))
		n++;
	if (!isalpha((unsigned char)s[0]) || s[n] || n >= size) {
		snprintf(what, sizeof(what), "a name of at most %u letters and digits",
			 (unsigned)size - 1);
		return shell_expected(sh, i, what);
	}
	strcpy(to, s);
	return 0;
}

const struct command *command_find(const char *name)
{
	set_for_each(c, commands)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const struct command *command_next(const char *name)
{
	const struct command *next = NULL;

	set_for_each(c, commands)
		if (strcmp(c->name, name) > 0 && (!next || strcmp(c->name, next->name) < 0))
			next = c;
	return next;
}

/*
 * command_meant() - the one that differs least from @name, or NULL if half of it would have to
 * change.
 */
static const struct command *command_meant(const char *name)
{
	const struct command *meant = NULL;
	unsigned least = MISSPELT + 1;

	set_for_each(c, commands) {
		unsigned d = words_distance(name, c->name, MISSPELT);

		if (d < least && 2 * d <= strlen(name)) {
			least = d;
			meant = c;
		}
	}
	return meant;
}

static int unknown_command(struct shell *sh, const struct word *w)
{
	const struct command *meant = command_meant(w->s);

	if (sh->file)
		say_where(sh, w->col);
	shell_printf(sh, "unknown command '%s' (try 'help')", w->s);
	if (meant)
		shell_printf(sh, "; did you mean '%s'?", meant->name);
	shell_printf(sh, "\n");
	return -ENOENT;
}

static int run_words(struct shell *sh, const struct words *ws)
{
	const struct command *c = command_find(ws->w[0].s);

	if (!c)
		return unknown_command(sh, &ws->w[0]);
	return c->run(sh, ws->n, ws->w);
}

/*
 * run_captured() - what the command says goes to @said; if it fails, to who typed the
 * line, as then it says why.
 */
static int run_captured(struct shell *sh, const struct words *ws, struct capture *said)
{
	struct shell inner = capture_shell(said, sh);
	int err = run_words(&inner, ws);

	if (err)
		say(sh, capture_text(said), said->n);
	return err;
}

static int split(struct shell *sh, struct words *ws, const char *line, const char *at)
{
	int err = words_split(ws, line, at);

	sh->word = ws->w;
	sh->nwords = ws->n;
	sh->end_col = ws->end_col;
	if (err)
		return shell_expected_at(sh, ws->bad_col, ws->expected, ws->found);
	if (!ws->n && (ws->piped || sh->input))
		return shell_expected(sh, 0, "a command");
	return 0;
}

/*
 * run_pipe() - the command at *at, and those that a | joins to it; *at moves on
 * behind them, or is NULL.
 */
static int run_pipe(struct shell *sh, const char *line, const char **at)
{
	struct capture input = { 0 };
	struct words ws;
	int err;

	sh->input = NULL;
	do {
		struct capture said = { 0 };

		err = split(sh, &ws, line, *at);
		*at = ws.rest;
		if (!err && ws.n)
			err = ws.piped ? run_captured(sh, &ws, &said) : run_words(sh, &ws);
		capture_free(&input);
		input = said;
		sh->input = capture_text(&input);
	} while (!err && ws.piped);
	capture_free(&input);
	return err;
}

int shell_exec(struct shell *sh, const char *line)
{
	struct shell caller = *sh; /* a command may run lines of its own */
	const char *at = line;
	int err = 0;

	sh->wrote = false;
	while (at && !err)
		err = run_pipe(sh, line, &at);
	sh->input = caller.input;
	sh->word = caller.word;
	sh->nwords = caller.nwords;
	sh->end_col = caller.end_col;
	return err;
}
