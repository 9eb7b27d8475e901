/* SPDX-License-Identifier: MIT */
/*
 * lineedit.c - line editing with history and completion
 *
 * Called by the terminal in the control context, a byte at a time. Owns nothing but the struct
 * lineedit it is given, and knows nothing of consoles: bytes go in, bytes come out by write().
 * Every change of the line is one splice(), which redraws from where the line changes to its end.
 */
#include "lineedit.h"

#include <stdio.h>
#include <string.h>

#define CTRL(c) ((c)&0x1f)

enum {
	KEY_ESCAPE = 0x1b,
	KEY_DELETE = 0x7f, /* what the Backspace key sends */
	PARAM_MAX = 999,
	MODIFIER_ALT = 3, /* xterm's: CSI 1 ; 3 C */
	MODIFIER_CTRL = 5,
	LINE_ROOM = SHELL_LINE_MAX - 1,
};

/* --- the screen --- */

static void out(struct lineedit *e, const char *s, size_t n)
{
	if (n)
		e->write(s, n);
}

static void out_str(struct lineedit *e, const char *s)
{
	out(e, s, strlen(s));
}

static void bell(struct lineedit *e)
{
	out_str(e, "\a");
}

static unsigned columns(const struct lineedit *e)
{
	return e->columns ? *e->columns : 0;
}

/*
 * screen_pos() - columns from the left end of the row where the prompt begins, rows counted
 * through.
 */
static unsigned screen_pos(const struct lineedit *e, unsigned at)
{
	return strlen(e->prompt) + at;
}

/*
 * draw() - write line[from..to), the cursor standing at from. A terminal that has filled its last
 * column waits there for the next character; one more and a step back takes the cursor to the next
 * row, where we count it to be.
 */
static void draw(struct lineedit *e, unsigned from, unsigned to)
{
	char over[2] = { to < e->len ? e->line[to] : ' ', '\b' };

	out(e, e->line + from, to - from);
	if (columns(e) && from < to && screen_pos(e, to) % columns(e) == 0)
		out(e, over, sizeof(over));
}

/* step_back() - move the cursor from @from to @to, left of it; over rows if the line wraps. */
static void step_back(struct lineedit *e, unsigned from, unsigned to)
{
	unsigned width = columns(e), col = screen_pos(e, to);
	char seq[32];

	if (width && screen_pos(e, from) / width != screen_pos(e, to) / width) {
		unsigned rows = screen_pos(e, from) / width - screen_pos(e, to) / width;

		out(e, seq, snprintf(seq, sizeof(seq), "\x1b[%uA\r", rows));
		col %= width;
		if (col)
			out(e, seq, snprintf(seq, sizeof(seq), "\x1b[%uC", col));
	} else if (from - to > 4) {
		out(e, seq, snprintf(seq, sizeof(seq), "\x1b[%uD", from - to));
	} else {
		out(e, "\b\b\b\b", from - to);
	}
}

static void move(struct lineedit *e, unsigned to)
{
	if (to < e->cursor)
		step_back(e, e->cursor, to);
	else
		draw(e, e->cursor, to);
	e->cursor = to;
}

/* --- the line --- */

/*
 * splice() - put @n characters in place of line[at..at+del), leave the cursor behind them. False:
 * no room.
 */
static bool splice(struct lineedit *e, unsigned at, unsigned del, const char *s, unsigned n)
{
	unsigned tail = e->len - at - del;

	if (at + n + tail > LINE_ROOM) {
		bell(e);
		e->refused = true;
		return false;
	}
	move(e, at);
	memmove(e->line + at + n, e->line + at + del, tail);
	memcpy(e->line + at, s, n);
	e->len = at + n + tail;
	e->line[e->len] = 0;
	draw(e, at, e->len);
	if (del > n)
		out_str(e, "\x1b[J");
	e->cursor = e->len;
	move(e, at + n);
	if (e->len == 0)
		e->refused = false;
	return true;
}

static void cut(struct lineedit *e, unsigned from, unsigned to)
{
	if (from < to)
		splice(e, from, to - from, "", 0);
	else
		bell(e);
}

static unsigned word_left(const struct lineedit *e)
{
	unsigned at = e->cursor;

	while (at > 0 && e->line[at - 1] == ' ')
		at--;
	while (at > 0 && e->line[at - 1] != ' ')
		at--;
	return at;
}

static unsigned word_right(const struct lineedit *e)
{
	unsigned at = e->cursor;

	while (at < e->len && e->line[at] == ' ')
		at++;
	while (at < e->len && e->line[at] != ' ')
		at++;
	return at;
}

/* --- history --- */

const char *lineedit_recall(const struct lineedit *e, unsigned back)
{
	if (back == 0 || back > e->entered || back > LINEEDIT_HISTORY)
		return NULL;
	return e->history[(e->entered - back) % LINEEDIT_HISTORY];
}

void lineedit_remember(struct lineedit *e)
{
	const char *last = lineedit_recall(e, 1);

	if (e->len == 0 || (last && strcmp(last, e->line) == 0))
		return;
	strcpy(e->history[e->entered++ % LINEEDIT_HISTORY], e->line);
}

/* go_back() - show the line @back lines ago; 0 is the one that was being typed. */
static void go_back(struct lineedit *e, unsigned back)
{
	const char *s = back ? lineedit_recall(e, back) : e->draft;

	if (!s) {
		bell(e);
		return;
	}
	if (e->recall == 0)
		strcpy(e->draft, e->line);
	splice(e, 0, e->len, s, strlen(s));
	e->recall = back;
}

static void go_forward(struct lineedit *e)
{
	if (e->recall)
		go_back(e, e->recall - 1);
	else
		bell(e);
}

/* --- completion --- */

/* what is being completed, handed through struct names */
struct tab {
	const struct lineedit *e;
	unsigned start; /* of the word under the cursor */
};

static void offer(void *arg, void (*add)(void *to, const char *s), void *to)
{
	const struct tab *t = arg;

	t->e->offer(t->e, t->start, add, to);
}

/*
 * redraw() - prompt and line once more, below whatever has been written; the cursor where it was.
 */
static void redraw(struct lineedit *e)
{
	unsigned cursor = e->cursor;

	out_str(e, e->prompt);
	draw(e, 0, e->len);
	e->cursor = e->len;
	move(e, cursor);
}

static void list(struct lineedit *e, const struct names *names, const char *prefix)
{
	char name[NAME_SIZE] = "";

	out_str(e, "\n");
	while (names_next(names, prefix, name, name)) {
		out_str(e, name);
		out_str(e, "  ");
	}
	out_str(e, "\n");
	redraw(e);
}

/* complete() - as far as all candidates agree; a second Tab in a row lists them. */
static void complete(struct lineedit *e)
{
	struct tab tab = { .e = e, .start = e->cursor };
	struct names names = { .offer = offer, .arg = &tab };
	char common[NAME_SIZE], prefix[NAME_SIZE];
	bool second = e->after_tab;
	unsigned count, have;

	e->after_tab = false;
	while (tab.start > 0 && e->line[tab.start - 1] != ' ')
		tab.start--;
	have = e->cursor - tab.start;
	if (!e->offer || have >= sizeof(prefix)) {
		bell(e);
		return;
	}
	memcpy(prefix, e->line + tab.start, have);
	prefix[have] = 0;
	count = names_common(&names, prefix, common);
	if (count == 1 && !strchr("/=", common[strlen(common) - 1]) &&
	    strlen(common) + 1 < NAME_SIZE)
		strcat(common, " ");
	if (count && strlen(common) > have) {
		splice(e, e->cursor, 0, common + have, strlen(common) - have);
	} else if (count > 1 && second) {
		list(e, &names, prefix);
	} else {
		bell(e);
		e->after_tab = count > 1;
	}
}

/* --- keys --- */

static void left(struct lineedit *e, unsigned to)
{
	if (e->cursor > 0)
		move(e, to);
	else
		bell(e);
}

static void right(struct lineedit *e, unsigned to)
{
	if (e->cursor < e->len)
		move(e, to);
	else
		bell(e);
}

/* arrow() - the last byte of ESC [ … and ESC O …, where arrows, Home and End mean the same. */
static void arrow(struct lineedit *e, unsigned char c, bool by_words)
{
	switch (c) {
	case 'A': go_back(e, e->recall + 1); break;
	case 'B': go_forward(e); break;
	case 'C': right(e, by_words ? word_right(e) : e->cursor + 1); break;
	case 'D': left(e, by_words ? word_left(e) : e->cursor - 1); break;
	case 'H': move(e, 0); break;
	case 'F': move(e, e->len); break;
	default: break; /* no bell: terminals report all sorts of things */
	}
}

/* tilde() - ESC [ number ~ */
static void tilde(struct lineedit *e)
{
	switch (e->param[0]) {
	case 1:
	case 7: move(e, 0); break;
	case 3: cut(e, e->cursor, MIN(e->cursor + 1, e->len)); break;
	case 4:
	case 8: move(e, e->len); break;
	default: break;
	}
}

static void alt(struct lineedit *e, unsigned char c)
{
	switch (c) {
	case 'b': left(e, word_left(e)); break;
	case 'f': right(e, word_right(e)); break;
	case 'd': cut(e, e->cursor, word_right(e)); break;
	default: break;
	}
}

/* csi() - inside ESC [ : numbers parted by semicolons, then one byte from @ to ~. [ECMA-48 5.4] */
static void csi(struct lineedit *e, unsigned char c)
{
	unsigned *number = &e->param[MIN(e->params, 1)];

	if (c >= '0' && c <= '9') {
		*number = MIN(*number * 10 + c - '0', PARAM_MAX);
	} else if (c == ';') {
		e->params++;
	} else if (c >= '@') {
		e->escape = ESCAPE_NONE;
		if (c == '~')
			tilde(e);
		else
			arrow(e, c, e->param[1] == MODIFIER_CTRL || e->param[1] == MODIFIER_ALT);
	}
}

/* escaped() - a printable byte inside an escape sequence. */
static void escaped(struct lineedit *e, unsigned char c)
{
	enum lineedit_escape was = e->escape;

	if (was == ESCAPE_CSI) {
		csi(e, c);
		return;
	}
	e->escape = ESCAPE_NONE;
	e->param[0] = e->param[1] = e->params = 0;
	if (was == ESCAPE_SS3)
		arrow(e, c, false);
	else if (c == '[')
		e->escape = ESCAPE_CSI;
	else if (c == 'O')
		e->escape = ESCAPE_SS3;
	else
		alt(e, c);
}

static enum lineedit_event control_key(struct lineedit *e, unsigned char c)
{
	switch (c) {
	case '\n':
	case '\r':
		move(e, e->len);
		out_str(e, "\n");
		return e->refused ? LINEEDIT_TOO_LONG : LINEEDIT_LINE;
	case CTRL('C'): out_str(e, "^C\n"); return LINEEDIT_CANCELLED;
	case KEY_ESCAPE: e->escape = ESCAPE_SEEN; break;
	case KEY_DELETE:
	case CTRL('H'): cut(e, e->cursor ? e->cursor - 1 : 0, e->cursor); break;
	case CTRL('D'): cut(e, e->cursor, MIN(e->cursor + 1, e->len)); break;
	case CTRL('K'): cut(e, e->cursor, e->len); break;
	case CTRL('U'): cut(e, 0, e->cursor); break;
	case CTRL('W'): cut(e, word_left(e), e->cursor); break;
	case CTRL('A'): move(e, 0); break;
	case CTRL('E'): move(e, e->len); break;
	case CTRL('B'): left(e, e->cursor - 1); break;
	case CTRL('F'): right(e, e->cursor + 1); break;
	case CTRL('P'): go_back(e, e->recall + 1); break;
	case CTRL('N'): go_forward(e); break;
	case CTRL('I'): complete(e); return LINEEDIT_NONE;
	case CTRL('L'):
		out_str(e, "\x1b[H\x1b[2J");
		redraw(e);
		break;
	default: bell(e); break;
	}
	e->after_tab = false;
	return LINEEDIT_NONE;
}

enum lineedit_event lineedit_key(struct lineedit *e, unsigned char c)
{
	bool after_cr = e->after_cr;

	e->after_cr = c == '\r';
	if (c == '\n' && after_cr)
		return LINEEDIT_NONE;
	if (c >= ' ' && c < KEY_DELETE) {
		e->after_tab = false;
		if (e->escape)
			escaped(e, c);
		else
			splice(e, e->cursor, 0, (const char *)&c, 1);
		return LINEEDIT_NONE;
	}
	/*
	 * a sequence that breaks off means nothing, and the byte that broke it means what it always
	 * does
	 */
	e->escape = ESCAPE_NONE;
	return control_key(e, c);
}

void lineedit_begin(struct lineedit *e)
{
	e->len = e->cursor = e->recall = 0;
	e->line[0] = 0;
	e->refused = e->after_tab = false;
	out_str(e, e->prompt);
}
