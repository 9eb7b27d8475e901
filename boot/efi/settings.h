/* SPDX-License-Identifier: MIT */
/*
 * settings.h - the entries of the menu, and \boot\weir.cfg, which says which
 * of them is taken and when
 */
#pragma once

#include <stddef.h>

struct entry {
	const char *name;    /* what weir.cfg calls it */
	const char *title;   /* what the menu says of it */
	const char *archive; /* the file in \boot that Weir is given */
};

extern const struct entry entries[];
extern const unsigned nentries;

struct settings {
	unsigned timeout; /* seconds that the menu waits; 0: it does not */
	unsigned chosen;  /* index of the entry that is taken then */
};

extern const struct settings settings_usual;

/*
 * what is wrong with a line: @found, as far as it fits, stands where @expected
 * should; @line 0 if nothing is
 */
struct settings_error {
	unsigned line;
	const char *expected;
	char found[32];
};

/*
 * settings_parse() - the lines `timeout SECONDS` and `default NAME`, in any order, with
 * comments behind #. A line that is wrong changes nothing; the first such is told in @error.
 * @text need not end with NUL.
 */
void settings_parse(const char *text, size_t len, struct settings *s, struct settings_error *error);
