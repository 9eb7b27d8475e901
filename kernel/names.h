/* SPDX-License-Identifier: MIT */
/*
 * names.h - names that someone offers, in order
 *
 * Who knows names calls add() for each, in any order and more than once if need be; who wants them
 * sorted asks for the next one behind the last. It takes no memory, and there are never more than
 * some dozens.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NAME_SIZE = 96 }; /* bytes with the NUL; longer names are not offered */

struct names {
	void (*offer)(void *arg, void (*add)(void *to, const char *s), void *to);
	void *arg;
};

/* names_order() - as strcmp, but numbers inside count as numbers: 9 before 10. */
int names_order(const char *a, const char *b);

/*
 * names_next() - the first name behind @after that begins with @prefix, into name[]. @after may be
 * name itself. "" as @after begins. Returns false if there is none.
 */
bool names_next(const struct names *names, const char *prefix, const char *after,
		char name[NAME_SIZE]);

/*
 * names_common() - how many begin with @prefix (each counted once), and into common[] what all
 * these begin with.
 */
unsigned names_common(const struct names *names, const char *prefix, char common[NAME_SIZE]);
