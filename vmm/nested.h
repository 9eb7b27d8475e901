/* SPDX-License-Identifier: MIT */
/*
 * nested.h - the tables that turn guest-physical addresses into ours [APM2 15.25, SDM 3C 29.3]
 *
 * VT-x and SVM share the shape, four levels of 512 entries with pages of 2 MiB; the bits differ.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gpa.h"

struct nested_bits {
	uint64_t table; /* of an entry that points to a table */
	uint64_t page;  /* of a 4 KiB page */
	uint64_t large; /* besides, of a 2 MiB page */
};

/*
 * nested_build() - tables that map what @m has as RAM and nothing else, in pages of 2 MiB with a
 * tail of small ones. Returns the root, NULL if there is no memory for it.
 */
uint64_t *nested_build(const struct gpa_map *m, const struct nested_bits *bits);
/*
 * nested_map_page() - one page more, 4 KiB at @gpa, where nothing is mapped yet.
 * False without memory for it.
 */
bool nested_map_page(uint64_t *root, uint64_t gpa, uint64_t to, const struct nested_bits *bits);
