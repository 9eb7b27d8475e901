/* SPDX-License-Identifier: MIT */
/*
 * handover.h - what BOOTX64.EFI leaves for Weir, known to both
 *
 * It enters at the address in the kernel's ELF note HANDOVER_NOTE ("Weir", type 1): 64-bit mode,
 * the firmware's identity map and stack, interrupts off, boot services left, rdi pointing here.
 * Entry.S has only 32 bits for that pointer, and a map of 4 GiB until paging_init(): so this block
 * and the memory map lie below 4 GiB, the archive wherever it likes.
 */
#pragma once

#include <stdint.h>

#define HANDOVER_NOTE      1
#define HANDOVER_NOTE_NAME "Weir"
#define HANDOVER_LIMIT     UINT64_C(0xffffffff)

struct efi_handover {
	uint64_t rsdp;        /* of the configuration table; 0 if there is none */
	uint64_t archive;     /* 0 if none was found */
	uint64_t archive_len; /* bytes */
	uint64_t map;         /* EFI_MEMORY_DESCRIPTORs, as they were when boot services ended */
	uint64_t map_len;     /* bytes, all of them */
	uint64_t map_step;    /* bytes, from one to the next; firmware may make them longer */
};
