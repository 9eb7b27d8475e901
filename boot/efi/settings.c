/* SPDX-License-Identifier: MIT */
/*
 * settings.c - the loader's entries and its settings file
 *
 * Called by main.c of the loader, and by its unit test on the host: nothing here knows UEFI.
 */
#include "settings.h"

#include <stdbool.h>
#include <string.h>

enum { TIMEOUT_MAX = 3600 };

const struct entry entries[] = {
	{ "demo", "a Linux guest that serves a page, behind a switch", "linux.cpio" },
	{ "switch", "every NIC in one switch, no guests", "switch.cpio" },
	{ "selftest", "Weir checks itself, says PASS or FAIL, and powers off", "selftest.cpio" },
};
const unsigned nentries = sizeof(entries) / sizeof(entries[0]);

const struct settings settings_usual = { .timeout = 5, .chosen = 0 };

struct word {
	const char *s;
	size_t n;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* next_word() - take the first word off [*at, end); it is empty when there is none. */
static struct word next_word(const char **at, const char *end)
{
	struct word w;

	while (*at < end && is_space(**at))
		(*at)++;
	w.s = *at;
	while (*at < end && !is_space(**at))
		(*at)++;
	w.n = *at - w.s;
	return w;
}

static bool word_is(struct word w, const char *s)
{
	return w.n == strlen(s) && !memcmp(w.s, s, w.n);
}

/* get_number() - a decimal number up to TIMEOUT_MAX. */
static bool get_number(struct word w, unsigned *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < w.n; i++) {
		if (w.s[i] < '0' || w.s[i] > '9')
			return false;
		v = 10 * v + (w.s[i] - '0');
		if (v > TIMEOUT_MAX)
			return false;
	}
	*out = v;
	return w.n > 0;
}

static bool get_entry(struct word w, unsigned *out)
{
	for (unsigned i = 0; i < nentries; i++)
		if (word_is(w, entries[i].name)) {
			*out = i;
			return true;
		}
	return false;
}

/* parse_line() - NULL, or what was expected in place of *@found. */
static const char *parse_line(const char *at, const char *end, struct settings *s,
			      struct word *found)
{
	struct word key = next_word(&at, end);
	struct settings new = *s;

	*found = key;
	if (!key.n)
		return NULL;
	if (!word_is(key, "timeout") && !word_is(key, "default"))
		return "timeout or default";
	*found = next_word(&at, end);
	if (word_is(key, "timeout") && !get_number(*found, &new.timeout))
		return "a number of seconds from 0 to 3600";
	if (word_is(key, "default") && !get_entry(*found, &new.chosen))
		return "demo, switch or selftest";
	*found = next_word(&at, end);
	if (found->n)
		return "the end of the line";
	*s = new;
	return NULL;
}

static void note_error(struct settings_error *error, unsigned line, const char *expected,
		       struct word found)
{
	size_t n = found.n < sizeof(error->found) ? found.n : sizeof(error->found) - 1;

	if (error->line)
		return;
	error->line = line;
	error->expected = expected;
	memcpy(error->found, found.s, n);
	error->found[n] = 0;
}

void settings_parse(const char *text, size_t len, struct settings *s, struct settings_error *error)
{
	const char *end = text + len;

	*error = (struct settings_error){ 0 };
	for (unsigned line = 1; text < end; line++) {
		const char *newline = memchr(text, '\n', end - text);
		const char *eol = newline ? newline : end;
		const char *comment = memchr(text, '#', eol - text);
		struct word found;
		const char *expected = parse_line(text, comment ? comment : eol, s, &found);

		if (expected)
			note_error(error, line, expected, found);
		text = eol + 1;
	}
}
