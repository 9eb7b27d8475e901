/* SPDX-License-Identifier: MIT */
/*
 * boot_params.h - what a Linux kernel and its loader tell each other
 * [Documentation/x86/boot.rst, zero-page.rst]
 *
 * The setup header stands at 0x1f1 of the kernel's file and, copied, at 0x1f1 of the zero page.
 * Names are the protocol's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/bits.h"

struct setup_header {
	uint8_t setup_sects; /* 512-byte sectors of real-mode code behind the first; 0 means 4 */
	uint16_t root_flags;
	uint32_t syssize; /* of the rest of the file, in 16 bytes */
	uint16_t ram_size, vid_mode, root_dev;
	uint16_t boot_flag; /* BOOT_FLAG */
	uint8_t jump;
	uint8_t length;  /* of the header, counted from the next byte */
	uint32_t header; /* HDRS */
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg, kernel_version;
	uint8_t type_of_loader; /* written by the loader */
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image, ramdisk_size; /* written by the loader */
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver, ext_loader_type;
	uint32_t cmd_line_ptr;    /* written by the loader */
	uint32_t initrd_addr_max; /* last byte that the initrd may take */
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel, min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size; /* at most, less the end of string */
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset, payload_length;
	uint64_t setup_data;
	uint64_t pref_address; /* where it wants to lie */
	uint32_t init_size;    /* memory it needs from there on until it can look for itself */
	uint32_t handover_offset;
} __attribute__((packed));

#define BOOT_FLAG    0xaa55
#define HDRS         UINT32_C(0x53726448) /* "HdrS" */
#define BOOT_VERSION 0x020c               /* the first that knows of a 64-bit entry */

#define LOADFLAG_LOADED_HIGH BIT(0) /* a bzImage, not a zImage */
#define XLF_KERNEL_64        BIT(0) /* has a 64-bit entry at ENTRY_64 */

enum { SETUP_AT = 0x1f1, SECTOR = 512, ENTRY_64 = 0x200, LOADER_UNKNOWN = 0xff };

enum { E820_RAM = 1, E820_RESERVED = 2, E820_MAX = 128 };

struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

/* the zero page */
struct boot_params {
	uint8_t unused1[0x70];
	uint64_t acpi_rsdp_addr;
	uint8_t unused2[0x1e8 - 0x78];
	uint8_t e820_entries;
	uint8_t unused3[SETUP_AT - 0x1e9];
	struct setup_header hdr;
	uint8_t unused4[0x2d0 - SETUP_AT - sizeof(struct setup_header)];
	struct e820_entry e820_table[E820_MAX];
	uint8_t unused5[0x1000 - 0x2d0 - E820_MAX * sizeof(struct e820_entry)];
} __attribute__((packed));

_Static_assert(offsetof(struct boot_params, hdr.header) == 0x202, "boot.rst");
_Static_assert(offsetof(struct boot_params, hdr.cmd_line_ptr) == 0x228, "boot.rst");
_Static_assert(offsetof(struct boot_params, hdr.xloadflags) == 0x236, "boot.rst");
_Static_assert(offsetof(struct boot_params, hdr.pref_address) == 0x258, "boot.rst");
_Static_assert(offsetof(struct boot_params, hdr.handover_offset) == 0x264, "boot.rst");
_Static_assert(offsetof(struct boot_params, e820_table) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct boot_params) == 0x1000, "zero-page.rst");
