/* SPDX-License-Identifier: MIT */
/*
 * lineedit.h - a line being typed, on a stream of bytes that may hold anything
 *
 * Keys are those of readline: arrows, Home, End, Delete, ^A ^B ^D ^E ^F ^H ^K ^L ^N ^P ^U ^W, Alt
 * and Ctrl with the arrows by words, Tab. What is no key and no printable ASCII rings the bell and
 * changes nothing. The prompt is written once a line (and after ^L or a list of completions), so
 * that a script can wait for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "names.h"
#include "shell.h"

enum { LINEEDIT_HISTORY = 32 };

enum lineedit_event {
	LINEEDIT_NONE,      /* go on typing */
	LINEEDIT_LINE,      /* Enter: the line is in line[] until lineedit_begin() */
	LINEEDIT_TOO_LONG,  /* Enter, but characters were refused: line[] is not what was typed */
	LINEEDIT_CANCELLED, /* ^C */
};

enum lineedit_escape { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_CSI, ESCAPE_SS3 };

struct lineedit {
	/* by the owner, before lineedit_begin */
	const char *prompt;
	void (*write)(const char *s, size_t n);
	/* offer all words that may stand at @start of the line; NULL for no completion */
	void (*offer)(const struct lineedit *e, unsigned start,
		      void (*add)(void *to, const char *s), void *to);
	const unsigned *columns; /* the terminal's width; 0: unknown, lines are taken not to wrap */

	/* the line */
	char line[SHELL_LINE_MAX]; /* always ended by a NUL */
	unsigned len, cursor;
	bool refused; /* a character found no room since the line was last empty */

	/* the stream */
	enum lineedit_escape escape;
	unsigned param[2], params; /* of a CSI sequence: key and modifier, semicolons so far */
	bool after_cr;             /* a newline now belongs to the Enter before */
	bool after_tab; /* the last key was a Tab that changed nothing: the next one lists */

	/* lines entered, a ring by number */
	char history[LINEEDIT_HISTORY][SHELL_LINE_MAX];
	unsigned entered; /* lines ever put into it */
	unsigned recall;  /* 0: the line is new; else how many lines back it was fetched from */
	char draft[SHELL_LINE_MAX]; /* the new line, while an old one is looked at */
};

/* lineedit_begin() - an empty line behind a fresh prompt. */
void lineedit_begin(struct lineedit *e);
/*
 * lineedit_key() - one byte of the stream. After anything but LINEEDIT_NONE the owner calls
 * lineedit_begin().
 */
enum lineedit_event lineedit_key(struct lineedit *e, unsigned char c);
/*
 * lineedit_remember() - put line[] into the history, unless it is empty or the same as the one
 * before.
 */
void lineedit_remember(struct lineedit *e);
/*
 * lineedit_recall() - the line entered @back lines ago, from 1; NULL if the history does not reach
 * that far.
 */
const char *lineedit_recall(const struct lineedit *e, unsigned back);
