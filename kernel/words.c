/* SPDX-License-Identifier: MIT */
/*
 * words.c - splitting lines into words, and what else there is to know about a word
 *
 * Called by the shell, by weir.conf's reader and by completion, in the control context or at boot.
 * Owns nothing.
 */
#include "words.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { DISTANCE_LETTERS = 31 }; /* longest word that is compared letter by letter */

/* where the splitter stands */
struct scan {
	const char *line, *at;
	char *to; /* next byte of words.text */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* refuse() - the line is wrong at @s. */
static int refuse(struct words *ws, const char *line, const char *s, const char *expected,
		  const char *found)
{
	ws->bad_col = s - line + 1;
	ws->expected = expected;
	ws->found = found;
	return -EINVAL;
}

static bool is_end(char c)
{
	return c == ';' || c == '|';
}

/*
 * text_check() - nothing but text: a control character in a line is a damaged file or a terminal
 * gone mad.
 */
static int text_check(struct words *ws, const char *line)
{
	for (const char *s = line; *s; s++) {
		if ((unsigned char)*s < ' ' && *s != '\t')
			return refuse(ws, line, s, "text", "a control character");
		if (*s == 0x7f)
			return refuse(ws, line, s, "text", "a control character");
		if (s - line == SHELL_LINE_MAX - 1)
			return refuse(ws, line, s, "a line of at most 511 bytes", "more");
	}
	return 0;
}

/*
 * take_quoted() - copy what stands between the quotes; @sc stands on the first and ends behind the
 * second.
 */
static int take_quoted(struct words *ws, struct scan *sc)
{
	const char *open = sc->at++;
	const char *close = strchr(sc->at, *open);

	if (!close)
		return refuse(ws, sc->line, sc->at + strlen(sc->at),
			      *open == '"' ? "a closing \"" : "a closing '", NULL);
	memcpy(sc->to, sc->at, close - sc->at);
	sc->to += close - sc->at;
	sc->at = close + 1;
	return 0;
}

/* take_word() - copy one word; it never grows, so text[] is long enough. */
static int take_word(struct words *ws, struct scan *sc)
{
	struct word *w = &ws->w[ws->n];
	bool quoted = *sc->at == '"' || *sc->at == '\'';

	*w = (struct word){ .s = sc->to, .col = sc->at - sc->line + 1 + quoted };
	while (*sc->at && !is_blank(*sc->at) && !is_end(*sc->at)) {
		if (*sc->at == '"' || *sc->at == '\'') {
			int err = take_quoted(ws, sc);

			if (err)
				return err;
		} else {
			*sc->to++ = *sc->at++;
		}
	}
	*sc->to++ = 0;
	ws->n++;
	ws->end_col = sc->at - sc->line + 1;
	return 0;
}

int words_split(struct words *ws, const char *line, const char *at)
{
	struct scan sc = { .line = line, .at = at, .to = ws->text };
	int err = text_check(ws, line);

	ws->n = 0;
	ws->end_col = at - line + 1;
	ws->rest = NULL;
	ws->piped = false;
	while (!err) {
		while (is_blank(*sc.at))
			sc.at++;
		if (!*sc.at || *sc.at == '#')
			return 0;
		if (is_end(*sc.at)) {
			ws->piped = *sc.at == '|';
			ws->rest = sc.at + 1;
			return 0;
		}
		if (ws->n == SHELL_WORDS_MAX)
			return refuse(ws, line, sc.at, "at most 64 words", "more");
		err = take_word(ws, &sc);
	}
	return err;
}

_Static_assert(SHELL_LINE_MAX == 512 && SHELL_WORDS_MAX == 64,
	       "the messages above name the limits");

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool words_number(const char *s, unsigned long *out)
{
	unsigned base = 10;
	unsigned long v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = digit(*s);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	*out = v;
	return true;
}

bool words_seconds(const char *s, unsigned long *ms)
{
	static const unsigned scale[] = { 0, 100, 10, 1 };
	size_t n = strcspn(s, ".");
	const char *dot = s + n;
	unsigned long whole, part = 0;
	char first[8];

	if (n >= sizeof(first))
		return false;
	memcpy(first, s, n);
	first[n] = 0;
	if (!words_number(first, &whole))
		return false;
	if (*dot && (strlen(dot + 1) > 3 || !words_number(dot + 1, &part)))
		return false;
	*ms = whole * 1000 + (*dot ? part * scale[strlen(dot + 1)] : 0);
	return true;
}

void words_offer(const char *words, void (*add)(void *to, const char *s), void *to)
{
	char word[32];

	for (size_t n; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		memcpy(word, words, MIN(n, sizeof(word) - 1));
		word[MIN(n, sizeof(word) - 1)] = 0;
		add(to, word);
	}
}

bool words_offer_next(const struct words_next *table, size_t n, const char *word,
		      void (*add)(void *to, const char *s), void *to)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].after, word) == 0) {
			words_offer(table[i].words, add, to);
			return true;
		}
	}
	return false;
}

unsigned words_distance(const char *a, const char *b, unsigned max)
{
	unsigned row[DISTANCE_LETTERS +
		     1]; /* of the table of Wagner and Fischer: a[0..i) against b[0..j) */
	size_t la = strlen(a), lb = strlen(b);

	if (la > DISTANCE_LETTERS || lb > DISTANCE_LETTERS)
		return max + 1;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned corner = row[0]; /* row i-1, column j-1 */

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			unsigned change = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return MIN(row[lb], max + 1);
}
