/* SPDX-License-Identifier: MIT */
/*
 * mem.c - boot memory: free extents of RAM, each eaten from its start
 *
 * Called at set-up by one core at a time (core 0 waits while another one starts), so there is
 * no lock. Owns the extents.
 */
#include "mem.h"

#include "bits.h"
#include "console.h"

#include <string.h>

/* what Weir takes without guests, measured with two NICs: said when it is not there */
enum { NEED_MIB = 16, NEED_MIB_A_CORE = 8 };

#define LOW_MEMORY \
	0x100000 /* below 1 MiB lives the firmware; only the cores' trampoline goes there */

extern char _start_text[], _end[];

static struct extent {
	uint64_t base, end;
} extents[BOOT_MAX_REGIONS + BOOT_MAX_RESERVED + 1];
static unsigned nextents;
static uint64_t total;

static void extent_add(uint64_t base, uint64_t end)
{
	base = ROUND_UP(base, (uint64_t)PAGE_SIZE);
	end = ROUND_DOWN(end, (uint64_t)PAGE_SIZE);
	if (base < end && nextents < ARRAY_SIZE(extents))
		extents[nextents++] = (struct extent){ base, end };
}

/* extent_cut() - take [base, end) out of every extent; what remains on both sides stays. */
static void extent_cut(uint64_t base, uint64_t end)
{
	unsigned n = nextents;

	base = ROUND_DOWN(base, (uint64_t)PAGE_SIZE);
	end = ROUND_UP(end, (uint64_t)PAGE_SIZE);
	for (unsigned i = 0; i < n; i++) {
		struct extent e = extents[i];

		if (end <= e.base || base >= e.end)
			continue;
		extents[i].end = MAX(e.base, base); /* may leave nothing */
		extent_add(end, e.end);
	}
}

void mem_init(const struct boot_info *b)
{
	for (unsigned i = 0; i < b->nregions; i++) {
		const struct boot_region *r = &b->region[i];

		if (r->type != BOOT_REGION_RAM)
			continue;
		total += r->len;
		extent_add(r->base, r->base + r->len);
	}
	extent_cut(0, LOW_MEMORY);
	extent_cut((uint64_t)_start_text, (uint64_t)_end);
	for (unsigned i = 0; i < b->nreserved; i++)
		extent_cut(b->reserved[i].base, b->reserved[i].base + b->reserved[i].len);
}

void *mem_try_alloc(size_t bytes, size_t align)
{
	for (unsigned i = 0; i < nextents; i++) {
		uint64_t at = ROUND_UP(extents[i].base, (uint64_t)align);

		if (at > extents[i].end || extents[i].end - at < bytes)
			continue;
		/*
		 * what alignment skipped is lost: of a page at most, but
		 * for a guest's RAM, of 2 MiB
		 */
		extents[i].base = at + bytes;
		return (void *)at;
	}
	return NULL;
}

void mem_exhausted(size_t bytes, const char *what)
{
	panic("out of memory: no %lu KiB left for %s; %lu of %lu MiB are free. Weir takes %d MiB "
	      "and %d more for each core, guests not counted. Give the machine more RAM",
	      (unsigned long)bytes >> 10, what, (unsigned long)mem_free() >> 20,
	      (unsigned long)total >> 20, NEED_MIB, NEED_MIB_A_CORE);
}

void *mem_alloc(size_t bytes, size_t align, const char *what)
{
	void *p = mem_try_alloc(bytes, align);

	if (!p)
		mem_exhausted(bytes, what);
	return p;
}

void *mem_zalloc(size_t bytes, size_t align, const char *what)
{
	return memset(mem_alloc(bytes, align, what), 0, bytes);
}

uint64_t mem_total(void)
{
	return total;
}

uint64_t mem_free(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nextents; i++)
		if (extents[i].end > extents[i].base)
			sum += extents[i].end - extents[i].base;
	return sum;
}
