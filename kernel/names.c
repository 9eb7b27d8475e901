/* SPDX-License-Identifier: MIT */
/*
 * names.c - sorting without memory
 *
 * Called by completion and by ls, in the control context. Owns nothing.
 */
#include "names.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* number_order() - compare the digits that begin *a and *b, and step over them. */
static int number_order(const char **a, const char **b)
{
	const char *x = *a, *y = *b;
	size_t nx, ny;

	while (is_digit(**a))
		++*a;
	while (is_digit(**b))
		++*b;
	while (*x == '0' && x + 1 < *a)
		x++;
	while (*y == '0' && y + 1 < *b)
		y++;
	nx = *a - x;
	ny = *b - y;
	if (nx != ny)
		return nx < ny ? -1 : 1;
	return memcmp(x, y, nx);
}

int names_order(const char *a, const char *b)
{
	const char *x = a, *y = b;

	while (*x && *y) {
		int order;

		if (is_digit(*x) && is_digit(*y)) {
			order = number_order(&x, &y);
		} else {
			order = (unsigned char)*x - (unsigned char)*y;
			x++;
			y++;
		}
		if (order)
			return order;
	}
	if (*x || *y)
		return *x ? 1 : -1;
	return strcmp(a, b); /* 01 and 1 are no duplicates */
}

struct search {
	const char *prefix, *after;
	char best[NAME_SIZE];
	bool found;
};

static void consider(void *to, const char *s)
{
	struct search *se = to;

	if (!*s || strlen(s) >= NAME_SIZE || strncmp(s, se->prefix, strlen(se->prefix)) != 0)
		return;
	if (*se->after && names_order(s, se->after) <= 0)
		return;
	if (se->found && names_order(s, se->best) >= 0)
		return;
	strcpy(se->best, s);
	se->found = true;
}

bool names_next(const struct names *names, const char *prefix, const char *after,
		char name[NAME_SIZE])
{
	struct search se = { .prefix = prefix, .after = after };

	names->offer(names->arg, consider, &se);
	if (se.found)
		strcpy(name, se.best);
	return se.found;
}

unsigned names_common(const struct names *names, const char *prefix, char common[NAME_SIZE])
{
	char name[NAME_SIZE] = "";
	unsigned count = 0;

	common[0] = 0;
	while (names_next(names, prefix, name, name)) {
		size_t same = 0;

		if (count++ == 0)
			strcpy(common, name);
		while (common[same] && common[same] == name[same])
			same++;
		common[same] = 0;
	}
	return count;
}
