/* SPDX-License-Identifier: MIT */
/*
 * top.h - pages of `top`: what happened in the last seconds, again and again
 *
 * A page takes a snapshot of counters, some time passes, it takes another one and prints the
 * difference. Control context.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shell.h"

struct top_page {
	const char *name; /* the word behind `top`; "" for none */
	/* a snapshot, of malloc(), which top frees; NULL: no memory */
	void *(*take)(void);
	void (*print)(struct shell *sh, const void *from, const void *to);
	/* it will be looked at from now on, or no more; may be NULL */
	void (*watch)(bool on);
};

SET_DECLARE(const struct top_page, top_pages);
#define TOP_PAGE(id, ...) static const struct top_page id SET_ENTRY(top_pages) = { __VA_ARGS__ }

/*
 * top_head() - what each page begins with; @tsc: how long it was looked at,
 * in ticks. No end of line.
 */
void top_head(struct shell *sh, uint64_t tsc);

/* top_share() - @part of @whole in thousandths, rounded; 1000 at most, and 0 of nothing. */
unsigned top_share(uint64_t part, uint64_t whole);
