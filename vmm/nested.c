/* SPDX-License-Identifier: MIT */
/*
 * nested.c - see nested.h. Runs when a guest is created; the tables never change
 * afterwards, so nothing is flushed.
 */
#include "nested.h"

#include "kernel/mem.h"

#include <string.h>

enum { LEVELS = 4, PER_TABLE = 512 };

#define LARGE_PAGE UINT64_C(0x200000)
#define TABLE_ADDR BITS(51, 12)

static uint64_t *table_new(void)
{
	uint64_t *t = mem_try_alloc(PAGE_SIZE, PAGE_SIZE);

	if (t)
		memset(t, 0, PAGE_SIZE);
	return t;
}

/*
 * entry_at() - the entry for @gpa at @level (1: 4 KiB, 2: 2 MiB); makes the tables
 * above. NULL without memory.
 */
static uint64_t *entry_at(uint64_t *root, uint64_t gpa, int level, const struct nested_bits *bits)
{
	uint64_t *table = root;

	for (int l = LEVELS;; l--) {
		uint64_t *e = &table[(gpa >> (12 + 9 * (l - 1))) & (PER_TABLE - 1)];

		if (l == level)
			return e;
		if (!*e) {
			uint64_t *below = table_new();

			if (!below)
				return NULL;
			*e = (uint64_t)below | bits->table;
		}
		table = (uint64_t *)(*e & TABLE_ADDR);
	}
}

static bool map(uint64_t *root, uint64_t gpa, uint64_t end, uint64_t to,
		const struct nested_bits *bits)
{
	while (gpa < end) {
		bool large = end - gpa >= LARGE_PAGE;
		uint64_t *e = entry_at(root, gpa, large ? 2 : 1, bits);
		uint64_t size = large ? LARGE_PAGE : PAGE_SIZE;

		if (!e)
			return false;
		*e = to | bits->page | (large ? bits->large : 0);
		gpa += size;
		to += size;
	}
	return true;
}

uint64_t *nested_build(const struct gpa_map *m, const struct nested_bits *bits)
{
	uint64_t *root = table_new();
	uint64_t ram = (uint64_t)m->ram;

	if (root && map(root, 0, m->low_end, ram, bits) &&
	    map(root, GPA_HIGH_BEGIN, m->high_end, ram + m->low_end, bits))
		return root;
	return NULL;
}

bool nested_map_page(uint64_t *root, uint64_t gpa, uint64_t to, const struct nested_bits *bits)
{
	return map(root, gpa, gpa + PAGE_SIZE, to, bits);
}
