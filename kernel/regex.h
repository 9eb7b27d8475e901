/* SPDX-License-Identifier: MIT */
/*
 * regex.h - does a line match a regular expression?
 *
 * Of POSIX's extended ones: characters, `.`, `[a-z]`, `[^a-z]`, `\` in front of a character that is
 * meant as it is; `*`, `+` and `?` behind one of these; `^` and `$` at the ends; `|` between
 * several. No groups, no counts.
 */
#pragma once

#include <stdbool.h>

struct regex_flags {
	bool extended; /* `+`, `?` and `|` mean something; else as in grep without -E it is `\+`,
			  `\?` and `\|` that do */
	bool any_case;
};

/* regex_wrong() - what is not right about @re, or NULL. The next is for those that are. */
const char *regex_wrong(const char *re, struct regex_flags how);

/* regex_search() - does @re match somewhere in the @len bytes at @line? */
bool regex_search(const char *re, const char *line, unsigned len, struct regex_flags how);
