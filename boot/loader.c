/* SPDX-License-Identifier: MIT */
/*
 * loader.c - the two lists of struct boot_info, as each loader's reader fills them
 */
#include "loader.h"

#include "kernel/console.h"

#include <stddef.h>

void boot_region_add(struct boot_info *b, uint64_t base, uint64_t len, uint32_t type)
{
	struct boot_region *last = b->nregions ? &b->region[b->nregions - 1] : NULL;

	if (last && last->type == type && last->base + last->len == base)
		last->len += len;
	else if (b->nregions < BOOT_MAX_REGIONS)
		b->region[b->nregions++] = (struct boot_region){ base, len, type };
	else if (!b->regions_ignored++)
		kprintf("boot: the memory map has more than %d pieces; the rest is not used\n",
			BOOT_MAX_REGIONS);
}

void boot_reserve(struct boot_info *b, uint64_t base, uint64_t len)
{
	if (!len)
		return;
	if (b->nreserved == BOOT_MAX_RESERVED)
		panic("the loader left more pieces in memory than %d", BOOT_MAX_RESERVED);
	b->reserved[b->nreserved++] = (struct boot_region){ base, len, BOOT_REGION_RAM };
}
