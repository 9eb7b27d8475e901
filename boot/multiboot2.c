/* SPDX-License-Identifier: MIT */
/*
 * multiboot2.c - what GRUB leaves: the Multiboot2 boot information, a list of tags
 *
 * The block and the module are reserved; the RSDP that GRUB hands over is a copy inside the block.
 */
#include "loader.h"

#include "kernel/bits.h"

struct mb2_tag {
	uint32_t type;
	uint32_t size;
};

enum { /* Multiboot2 specification 2.0, section 3.6 */
       MB2_END = 0,
       MB2_CMDLINE = 1,
       MB2_MODULE = 3,
       MB2_MMAP = 6,
       MB2_ACPI_OLD = 14,
       MB2_ACPI_NEW = 15,
};

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start;
	uint32_t end;
};

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entry_size;
	uint32_t entry_version;
};

struct mb2_mmap_entry {
	uint64_t addr;
	uint64_t len;
	uint32_t type;
	uint32_t reserved;
};

static void take_mmap(struct boot_info *b, const struct mb2_mmap *m)
{
	for (uint32_t at = sizeof(*m); m->entry_size && at + m->entry_size <= m->tag.size;
	     at += m->entry_size) {
		const struct mb2_mmap_entry *e = (const void *)((const char *)m + at);

		boot_region_add(b, e->addr, e->len, e->type);
	}
}

static void take_module(struct boot_info *b, const struct mb2_module *m)
{
	if (b->archive) /* one archive holds everything; a second module is not ours */
		return;
	b->archive = m->start;
	b->archive_len = m->end - m->start;
	boot_reserve(b, m->start, m->end - m->start);
}

void multiboot2_boot_info(struct boot_info *b, uint64_t info)
{
	uint32_t total = *(const uint32_t *)info;
	uint64_t at = info + 8;

	b->loader = "multiboot2";
	boot_reserve(b, info, total);
	while (at + sizeof(struct mb2_tag) <= info + total) {
		const struct mb2_tag *t = (const void *)at;

		switch (t->type) {
		case MB2_END: return;
		case MB2_MODULE: take_module(b, (const void *)t); break;
		case MB2_MMAP: take_mmap(b, (const void *)t); break;
		case MB2_ACPI_OLD:
			if (!b->rsdp)
				b->rsdp = (uint64_t)(t + 1);
			break;
		case MB2_ACPI_NEW: b->rsdp = (uint64_t)(t + 1); break;
		}
		at += ROUND_UP(MAX(t->size, 8u), 8u);
	}
}
