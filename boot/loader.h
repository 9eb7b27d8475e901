/* SPDX-License-Identifier: MIT */
/* loader.h - one function a loader: its own structures in, struct boot_info out */
#pragma once

#include <stdint.h>

#include "kernel/boot_info.h"

enum {
	BOOT_DOOR_PVH = 0x50564821,        /* entry.S's mark */
	BOOT_DOOR_EFI = 0x20494645,        /* entry.S's mark */
	BOOT_DOOR_MULTIBOOT2 = 0x36d76289, /* multiboot2's, in eax */
};

/*
 * Each fills @b from what the loader left at @info; called once, before
 * anything else, on the boot core.
 */
void pvh_boot_info(struct boot_info *b, uint64_t info);
void multiboot2_boot_info(struct boot_info *b, uint64_t info);
void efi_boot_info(struct boot_info *b, uint64_t info);

/*
 * boot_region_add() - append to the memory map; what continues the region before it becomes part of
 * that. A region too many is memory not used, which is said once. boot_reserve() - append to the
 * list of what stays; one too many is a panic.
 */
void boot_region_add(struct boot_info *b, uint64_t base, uint64_t len, uint32_t type);
void boot_reserve(struct boot_info *b, uint64_t base, uint64_t len);
