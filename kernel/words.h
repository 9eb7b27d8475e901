/* SPDX-License-Identifier: MIT */
/*
 * words.h - a line of text as words, each with the column it stands at
 *
 * Blanks (space and tab) part words. '…' and "…" quote, and may stand inside a word; nothing is
 * special within them, not even a backslash. A # at the start of a word begins a comment. A ; or a
 * | ends a command, and another may follow on the line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "shell.h"

struct words {
	struct word w[SHELL_WORDS_MAX];
	int n;
	unsigned end_col; /* one past the last word */

	const char *rest; /* of the line, behind a ; or a |; NULL if neither ended these words */
	bool piped;       /* it was a | */

	/* of a line that was refused */
	unsigned bad_col;
	const char *expected; /* what should have stood at bad_col */
	const char *found;    /* what did; NULL for the end of the line */

	char text[SHELL_LINE_MAX]; /* the words, each ended by a NUL */
};

/*
 * words_split() - take @line apart, from @at on, to the end of one command. Columns count bytes of
 * the line from 1; a word that opens with a quote stands where the quote's content does, so that a
 * column inside the word is col plus offset.
 * Returns 0; -EINVAL if it is no line of words: bad_col, expected and found then say why, and
 * w[0..n-1] are the words in front of that.
 */
int words_split(struct words *ws, const char *line, const char *at);

/*
 * words_number() - decimal, or hexadecimal with 0x, and nothing else. Returns false if @s is no
 * such number.
 */
bool words_number(const char *s, unsigned long *out);

/*
 * words_seconds() - "2", "0.25", at most three digits behind the point: as milliseconds.
 * False if @s is nothing such.
 */
bool words_seconds(const char *s, unsigned long *ms);

/* for completion: what may stand behind a word, parted by blanks */
struct words_next {
	const char *after, *words;
};

/* words_offer() - call add for each word of @words. */
void words_offer(const char *words, void (*add)(void *to, const char *s), void *to);
/*
 * words_offer_next() - for those that may stand behind @word, if the table[@n] knows it; does it?
 */
bool words_offer_next(const struct words_next *table, size_t n, const char *word,
		      void (*add)(void *to, const char *s), void *to);

/*
 * words_distance() - letters to add, drop or change to make @b of @a; more than @max is told as
 * @max + 1.
 */
unsigned words_distance(const char *a, const char *b, unsigned max);
