/* SPDX-License-Identifier: MIT */
/*
 * loader.c - the two lists of struct boot_info, as each loader's reader fills them
 */
#include "loader.h"

#include "kernel/console.h"

void boot_region_add(struct boot_info *b, uint64_t base, uint64_t len, uint32_t type)
{
	if (b->nregions < BOOT_MAX_REGIONS)
		b->region[b->nregions++] = (struct boot_region){ base, len, type };
}

void boot_reserve(struct boot_info *b, uint64_t base, uint64_t len)
{
	if (!len)
		return;
	if (b->nreserved == BOOT_MAX_RESERVED)
		panic("the loader left more pieces in memory than %d", BOOT_MAX_RESERVED);
	b->reserved[b->nreserved++] = (struct boot_region){ base, len, BOOT_REGION_RAM };
}
