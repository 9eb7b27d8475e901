/* SPDX-License-Identifier: MIT */
/*
 * efi.c - what BOOTX64.EFI leaves (boot/efi/): a block with the firmware's memory
 * map as it was at the end
 *
 * What boot services and the loader had is free now [UEFI 2.10, 7.2, table 7.10]; of the loader's
 * own only the archive must stay, since the block and the map are read here and never again.
 */
#include "loader.h"

#include "kernel/bits.h"
#include "efi/handover.h"

enum { /* memory types, UEFI 2.10, 7.2.1 */
       EFI_LOADER_CODE = 1,
       EFI_LOADER_DATA = 2,
       EFI_BOOT_SERVICES_CODE = 3,
       EFI_BOOT_SERVICES_DATA = 4,
       EFI_CONVENTIONAL = 7,
};

#define EFI_PAGE 4096

struct efi_memory_descriptor { /* 7.2.3 */
	uint32_t type;
	uint32_t pad;
	uint64_t physical_start;
	uint64_t virtual_start;
	uint64_t pages;
	uint64_t attribute;
};

_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "EFI_MEMORY_DESCRIPTOR");

static uint32_t region_type(uint32_t efi_type)
{
	switch (efi_type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL: return BOOT_REGION_RAM;
	default: return BOOT_REGION_RESERVED;
	}
}

void efi_boot_info(struct boot_info *b, uint64_t info)
{
	const struct efi_handover *h = (const void *)info;

	b->loader = "efi";
	b->rsdp = h->rsdp;
	b->archive = h->archive;
	b->archive_len = h->archive_len;
	boot_reserve(b, h->archive, h->archive_len);
	for (uint64_t at = 0; h->map_step && at + h->map_step <= h->map_len; at += h->map_step) {
		const struct efi_memory_descriptor *d = (const void *)(h->map + at);

		boot_region_add(b, d->physical_start, d->pages * EFI_PAGE, region_type(d->type));
	}
}
