/* SPDX-License-Identifier: MIT */
/*
 * boot_info.h - what every boot loader tells Weir, in one form
 *
 * boot/pvh.c, boot/multiboot2.c and boot/efi.c fill it before anything else runs. What it points to
 * (the archive, GRUB's copy of the RSDP) is reserved, so it stays. All addresses are physical,
 * which here means they are pointers as well.
 */
#pragma once

#include <stdint.h>

enum { BOOT_MAX_REGIONS = 64, BOOT_MAX_RESERVED = 8 };

struct boot_region {
	uint64_t base; /* bytes */
	uint64_t len;  /* bytes */
	uint32_t type; /* as ACPI has it: 1 usable RAM, all else is not */
};

enum { BOOT_REGION_RAM = 1, BOOT_REGION_RESERVED = 2 };

struct boot_info {
	const char *loader;   /* "pvh", "multiboot2" or "efi" */
	uint64_t rsdp;        /* ACPI root pointer, 0 if the loader gave none */
	uint64_t archive;     /* the cpio archive; 0 if none was handed over */
	uint64_t archive_len; /* bytes */

	struct boot_region region[BOOT_MAX_REGIONS]; /* the memory map */
	unsigned nregions, regions_ignored;
	struct boot_region reserved[BOOT_MAX_RESERVED]; /* lies in usable RAM and must stay */
	unsigned nreserved;
};
