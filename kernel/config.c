/* SPDX-License-Identifier: MIT */
/*
 * config.c - weir.conf: reading it, and printing the one that would rebuild what runs now
 *
 * config_run() is called once at boot on core 0; `show config` in the control context. Owns
 * nothing. A line that fails does not stop those behind it, but what it names must stay down, so
 * its words are handed to the caller.
 */
#include "shell.h"

#include "words.h"

#include <errno.h>
#include <string.h>

/* fail_words() - tell @failed every word of a line, also of one that is no line of words at all. */
static void fail_words(const char *line, size_t len, void (*failed)(const char *word))
{
	static const char parts[] = " \t\"',=:;|"; /* in_port=nic0 and output:nic0 name a port */
	char word[SHELL_LINE_MAX];
	size_t at = 0;

	while (at < len) {
		size_t n = 0;

		while (at + n < len && !memchr(parts, line[at + n], sizeof(parts)))
			n++;
		if (n && line[at] == '#')
			return;
		if (n && n < sizeof(word)) {
			memcpy(word, line + at, n);
			word[n] = 0;
			failed(word);
		}
		at += n + 1;
	}
}

/* run_line() - one line of the file, not terminated. */
static int run_line(struct shell *sh, const char *line, size_t len)
{
	const char *nul = memchr(line, 0, len);
	char copy[SHELL_LINE_MAX];

	if (nul)
		return shell_expected_at(sh, nul - line + 1, "text", "a zero byte");
	if (len >= sizeof(copy))
		return shell_expected_at(sh, sizeof(copy), "a line of at most 511 bytes", "more");
	memcpy(copy, line, len);
	copy[len] = 0;
	return shell_exec(sh, copy);
}

unsigned config_run(struct shell *sh, const char *file, const char *text, size_t len,
		    void (*failed)(const char *word))
{
	struct shell caller = *sh;
	const char *end = text + len;
	unsigned failures = 0;

	sh->file = file;
	for (sh->line = 1; text < end; sh->line++) {
		const char *newline = memchr(text, '\n', end - text);
		const char *eol = newline ? newline : end;
		size_t n = eol - text;

		if (n && text[n - 1] == '\r')
			n--;
		if (run_line(sh, text, n)) {
			failures++;
			if (failed)
				fail_words(text, n, failed);
		}
		text = eol + 1;
	}
	sh->file = caller.file;
	sh->line = caller.line;
	return failures;
}

/* next_source() - the one that prints after @last: by order, then as linked. */
static const struct config_source *next_source(const struct config_source *last)
{
	const struct config_source *next = NULL;

	set_for_each(c, configs) {
		if (last && (c->order < last->order || (c->order == last->order && c <= last)))
			continue;
		if (!next || c->order < next->order)
			next = c;
	}
	return next;
}

static int run_show(struct shell *sh, int n, const struct word *w)
{
	if (!word_is(n, w, 1, "config"))
		return shell_expected(sh, 1, "'config'");
	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	for (const struct config_source *c = NULL; (c = next_source(c));)
		c->print(sh);
	return 0;
}

static void complete_show(int n, const struct word *w, void (*add)(void *to, const char *s),
			  void *to)
{
	(void)w;
	if (n == 1)
		add(to, "config");
}

SHELL_COMMAND(cmd_show, .name = "show", .usage = "config",
	      .help = "the lines of a weir.conf that would rebuild what runs now", .run = run_show,
	      .complete = complete_show);
