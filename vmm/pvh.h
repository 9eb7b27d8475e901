/* SPDX-License-Identifier: MIT */
/*
 * pvh.h - an ELF file that says where its PVH entry is, and what it finds there [ELF 1.2 and its
 * 64-bit form; Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h and
 * elfnote.h]
 *
 * The entry is 32-bit protected mode without paging, EBX at struct hvm_start_info.
 * All addresses are physical.
 */
#pragma once

#include <stdint.h>

/* --- ELF --- */

#define ELF_MAGIC "\177ELF"

enum { ELF_CLASS_32 = 1, ELF_CLASS_64 = 2, ELF_LITTLE_ENDIAN = 1 };
enum { ELF_MACHINE_386 = 3, ELF_MACHINE_X86_64 = 62 };
enum { ELF_LOAD = 1, ELF_NOTE = 4 };

struct elf_ident {
	uint8_t magic[4], class, data, version, unused[9];
	uint16_t type, machine;
};

struct elf32_header {
	struct elf_ident ident;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum;
};

struct elf64_header {
	struct elf_ident ident;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum;
};

struct elf32_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct elf64_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
	uint32_t name_len, desc_len, type; /* name and description follow, each padded to 4 bytes */
};

#define NOTE_XEN "Xen"
enum { NOTE_PHYS32_ENTRY = 18 }; /* 4 or 8 bytes: the entry */

/* --- what the kernel finds --- */

enum { START_INFO_MAGIC = 0x336ec578, START_INFO_VERSION = 1 };

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type; /* as E820 has it */
	uint32_t reserved;
};

_Static_assert(sizeof(struct elf32_segment) == 32, "ELF, program header");
_Static_assert(sizeof(struct elf64_segment) == 56, "ELF-64, program header");
_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info, version 1");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "start_info, module list");
_Static_assert(sizeof(struct hvm_memmap_entry) == 24, "start_info, memory map");
