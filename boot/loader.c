/* SPDX-License-Identifier: MIT */
/*
 * loader.c - the two lists of struct boot_info, as each loader's reader fills them
 */
#include "loader.h"

void boot_region_add(struct boot_info *b, uint64_t base, uint64_t len, uint32_t type)
{
	if (b->nregions < BOOT_MAX_REGIONS)
		b->region[b->nregions++] = (struct boot_region){ base, len, type };
}

void boot_reserve(struct boot_info *b, uint64_t base, uint64_t len)
{
	if (b->nreserved < BOOT_MAX_RESERVED && len)
		b->reserved[b->nreserved++] = (struct boot_region){ base, len, BOOT_REGION_RAM };
}
