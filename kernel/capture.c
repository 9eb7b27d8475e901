/* SPDX-License-Identifier: MIT */
/*
 * capture.c - a text that grows while a command speaks
 *
 * In the control context or at boot. Owns the text, from the heap. When that is full the text ends
 * with a line that says so.
 */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST = 1024 };

static const char cut[] = "... (cut: no memory)\n";

/* grow() - room for @n more bytes, and always for the last line and its NUL. */
static bool grow(struct capture *c, size_t n)
{
	size_t want = c->n + n + sizeof(cut), room = MAX(2 * c->room, (size_t)FIRST);
	char *text;

	if (want <= c->room)
		return true;
	text = realloc(c->text, MAX(want, room));
	if (!text)
		return false;
	c->text = text;
	c->room = MAX(want, room);
	return true;
}

static void add(struct capture *c, const char *s, size_t n)
{
	memcpy(c->text + c->n, s, n);
	c->n += n;
	c->text[c->n] = 0;
}

static void keep(struct shell *sh, const char *s, size_t n)
{
	struct capture *c = sh->arg;

	if (c->cut)
		return;
	if (grow(c, n)) {
		add(c, s, n);
	} else {
		c->cut = true;
		if (c->text)
			add(c, cut, sizeof(cut) - 1);
	}
}

struct shell capture_shell(struct capture *c, const struct shell *sh)
{
	struct shell inner = *sh;

	inner.write = keep;
	inner.arg = c;
	return inner;
}

const char *capture_text(const struct capture *c)
{
	return c->text ? c->text : "";
}

void capture_free(struct capture *c)
{
	free(c->text);
	*c = (struct capture){ 0 };
}
