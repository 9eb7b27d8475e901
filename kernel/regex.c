/* SPDX-License-Identifier: MIT */
/*
 * regex.c - Kernighan's matcher, with sets and alternatives
 *
 * Called by grep, in the control context. Owns nothing. A repeated atom is tried at its longest
 * first and then shorter, one loop and one level of recursion for each `*` of the expression.
 */
#include "regex.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* one alternative of the expression and the line it is tried on */
struct search {
	const char *re_end, *line, *end;
	struct regex_flags how;
};

/* atom_len() - bytes of the expression that stand for one character. */
static size_t atom_len(const char *re)
{
	const char *s = re + 1;

	if (*re == '\\' && *s)
		return 2;
	if (*re != '[')
		return 1;
	if (*s == '^')
		s++;
	if (*s == ']') /* the first of a set is no end of it */
		s++;
	while (*s && *s != ']')
		s++;
	return s + 1 - re;
}

/*
 * operator_at() - is this one of the signs @which, which are written with a \ unless
 * extended? Its length, or 0.
 */
static size_t operator_at(const char *re, const char *end, const char *which, bool extended)
{
	if (extended)
		return re < end && strchr(which, *re) ? 1 : 0;
	return end - re >= 2 && *re == '\\' && strchr(which, re[1]) ? 2 : 0;
}

static int folded(char c, bool any_case)
{
	return any_case ? tolower((unsigned char)c) : (unsigned char)c;
}

/* in_set() - @re stands on the `[`, @len bytes to behind the `]`. */
static bool in_set(const char *re, size_t len, char c, bool any_case)
{
	const char *s = re + 1, *end = re + len - 1;
	bool wanted = *s != '^', found = false;
	int v = folded(c, any_case);

	for (s += !wanted; s < end; s++) {
		int lo = folded(*s, any_case), hi = lo;

		if (s + 2 < end && s[1] == '-') {
			hi = folded(s[2], any_case);
			s += 2;
		}
		found |= lo <= v && v <= hi;
	}
	return found == wanted;
}

static bool atom_matches(const struct search *q, const char *re, size_t len, const char *s)
{
	if (s == q->end)
		return false;
	if (*re == '[')
		return in_set(re, len, *s, q->how.any_case);
	if (*re == '.')
		return true;
	return folded(re[len - 1], q->how.any_case) == folded(*s, q->how.any_case);
}

static bool match_here(const struct search *q, const char *re, const char *s);

/* match_times() - at least @least and at most @most of the atom, then what follows at @rest. */
static bool match_times(const struct search *q, const char *re, size_t len, size_t least,
			size_t most, const char *rest, const char *s)
{
	size_t n = 0;

	while (n < most && atom_matches(q, re, len, s + n))
		n++;
	for (; n + 1 > least; n--) {
		if (match_here(q, rest, s + n))
			return true;
		if (n == 0)
			break;
	}
	return false;
}

static bool match_here(const struct search *q, const char *re, const char *s)
{
	while (re < q->re_end) {
		size_t len = atom_len(re), sign;
		const char *next = re + len;

		if (*re == '$' && next == q->re_end)
			return s == q->end;
		if (next < q->re_end && *next == '*')
			return match_times(q, re, len, 0, q->end - s, next + 1, s);
		sign = operator_at(next, q->re_end, "+?", q->how.extended);
		if (sign && next[sign - 1] == '+')
			return match_times(q, re, len, 1, q->end - s, next + sign, s);
		if (sign)
			return match_times(q, re, len, 0, 1, next + sign, s);
		if (!atom_matches(q, re, len, s))
			return false;
		re = next;
		s++;
	}
	return true;
}

static bool match_alternative(const struct search *q, const char *re)
{
	if (re < q->re_end && *re == '^')
		return match_here(q, re + 1, q->line);
	for (const char *s = q->line; s <= q->end; s++)
		if (match_here(q, re, s))
			return true;
	return false;
}

/* alternative_end() - where the `|` behind @re stands, or the expression ends. */
static const char *alternative_end(const char *re, bool extended)
{
	const char *end = re + strlen(re);

	while (re < end && !operator_at(re, end, "|", extended))
		re += atom_len(re);
	return re;
}

const char *regex_wrong(const char *re, struct regex_flags how)
{
	const char *end = re + strlen(re);

	for (; re < end; re += atom_len(re)) {
		if (*re == '[' && re + atom_len(re) > end)
			return "a [ without its ]";
		if (*re == '\\' && !re[1])
			return "a \\ with nothing behind it";
		if (operator_at(re, end, "(){", how.extended))
			return "a group or a count, and neither is known here";
	}
	return NULL;
}

bool regex_search(const char *re, const char *line, unsigned len, struct regex_flags how)
{
	struct search q = { .line = line, .end = line + len, .how = how };

	for (;;) {
		size_t sign;

		q.re_end = alternative_end(re, how.extended);
		if (match_alternative(&q, re))
			return true;
		sign = operator_at(q.re_end, q.re_end + strlen(q.re_end), "|", how.extended);
		if (!sign)
			return false;
		re = q.re_end + sign;
	}
}
