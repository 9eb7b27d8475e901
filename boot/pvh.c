/* SPDX-License-Identifier: MIT */
/*
 * pvh.c - what QEMU's -kernel leaves: struct hvm_start_info of the Xen PVH boot protocol
 *
 * The block itself, the module list and the archive lie in RAM that the memory map calls usable, so
 * each is reserved here before the first allocation.
 */
#include "loader.h"

struct hvm_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr; /* version 1 and up */
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct hvm_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info, version 1");

void pvh_boot_info(struct boot_info *b, uint64_t info)
{
	const struct hvm_start_info *si = (const void *)info;
	const struct hvm_memmap_entry *map = (const void *)si->memmap_paddr;

	b->loader = "pvh";
	b->rsdp = si->rsdp_paddr;
	boot_reserve(b, info, sizeof(*si));
	if (si->version >= 1) {
		boot_reserve(b, si->memmap_paddr, si->memmap_entries * sizeof(*map));
		for (uint32_t i = 0; i < si->memmap_entries; i++)
			boot_region_add(b, map[i].addr, map[i].size, map[i].type);
	}
	if (si->nr_modules) {
		const struct hvm_modlist_entry *mod = (const void *)si->modlist_paddr;

		b->archive = mod->paddr;
		b->archive_len = mod->size;
		boot_reserve(b, si->modlist_paddr, si->nr_modules * sizeof(*mod));
		boot_reserve(b, mod->paddr, mod->size);
	}
}
