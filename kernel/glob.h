/* SPDX-License-Identifier: MIT */
/*
 * glob.h - names that an operator means by one word: '*' stands for anything, '?' for one character
 */
#pragma once

#include <stdbool.h>

static inline bool glob_match(const char *glob, const char *s)
{
	for (; *glob && *glob != '*'; glob++, s++)
		if (!*s || (*glob != '?' && *glob != *s))
			return false;
	if (!*glob)
		return !*s;
	do {
		if (glob_match(glob + 1, s))
			return true;
	} while (*s++);
	return false;
}
