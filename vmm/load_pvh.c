/* SPDX-License-Identifier: MIT */
/*
 * load_pvh.c - a kernel as an ELF file with a PVH entry: vmlinux, and kernels that
 * were never packed [pvh.h]
 *
 * Called by load.c in the control context with the guest off. Owns nothing. ELF comes in two
 * widths; a file's header and segments are copied into the wider form, checked there, and nothing
 * of memory is written before all of them fit.
 */
#include "load_parts.h"

#include "kernel/bits.h"
#include "boot_params.h"
#include "pvh.h"
#include "vacpi.h"

#include <errno.h>
#include <string.h>

enum { SEGMENTS_MAX = 32 };

struct image {
	bool wide; /* ELF64 */
	uint64_t phoff;
	unsigned phentsize, phnum;
	struct elf64_segment segment[SEGMENTS_MAX];
	uint64_t entry; /* 0: no note tells of one */
	uint64_t end;   /* of what it takes of memory */
};

/* within() - has the file bytes [offset, offset + len)? */
static bool within(const struct load_file *f, uint64_t offset, uint64_t len)
{
	return offset <= f->len && len <= f->len - offset;
}

bool load_is_elf(const struct load *l)
{
	return l->kernel.len >= sizeof(struct elf_ident) &&
	       !memcmp(l->kernel.data, ELF_MAGIC, sizeof(ELF_MAGIC) - 1);
}

static int cut_off(const struct load *l, const char *what)
{
	return load_fail(l, -EINVAL, "kernel %s is cut off: its %s are not all there",
			 l->kernel.name, what);
}

/* image_header() - which width, and where the segments are listed. */
static int image_header(struct image *im, const struct load *l)
{
	const struct load_file *k = &l->kernel;
	struct elf32_header narrow;
	struct elf64_header wide;
	struct elf_ident id;

	memcpy(&id, k->data, sizeof(id));
	im->wide = id.class == ELF_CLASS_64;
	if (id.data != ELF_LITTLE_ENDIAN ||
	    id.machine != (im->wide ? ELF_MACHINE_X86_64 : ELF_MACHINE_386))
		return load_fail(l, -EINVAL, "kernel %s is an ELF file, but not for x86", k->name);
	if (k->len < (im->wide ? sizeof(wide) : sizeof(narrow)))
		return cut_off(l, "headers");
	if (im->wide) {
		memcpy(&wide, k->data, sizeof(wide));
		im->phoff = wide.phoff;
		im->phentsize = wide.phentsize;
		im->phnum = wide.phnum;
	} else {
		memcpy(&narrow, k->data, sizeof(narrow));
		im->phoff = narrow.phoff;
		im->phentsize = narrow.phentsize;
		im->phnum = narrow.phnum;
	}
	return 0;
}

static struct elf64_segment segment_at(const struct image *im, const uint8_t *p)
{
	struct elf64_segment wide;
	struct elf32_segment s;

	if (im->wide) {
		memcpy(&wide, p, sizeof(wide));
		return wide;
	}
	memcpy(&s, p, sizeof(s));
	return (struct elf64_segment){
		.type = s.type,
		.offset = s.offset,
		.paddr = s.paddr,
		.filesz = s.filesz,
		.memsz = s.memsz,
	};
}

static int image_segments(struct image *im, const struct load *l)
{
	size_t size = im->wide ? sizeof(struct elf64_segment) : sizeof(struct elf32_segment);
	const struct load_file *k = &l->kernel;

	if (im->phnum > SEGMENTS_MAX || (im->phnum && im->phentsize < size))
		return load_fail(l, -EINVAL,
				 "kernel %s is damaged: it has %u segments, told in %u bytes each",
				 k->name, im->phnum, im->phentsize);
	if (!within(k, im->phoff, (uint64_t)im->phnum * im->phentsize))
		return cut_off(l, "headers");
	for (unsigned i = 0; i < im->phnum; i++) {
		struct elf64_segment *s = &im->segment[i];

		*s = segment_at(im, k->data + im->phoff + i * im->phentsize);
		if ((s->type == ELF_LOAD || s->type == ELF_NOTE) &&
		    !within(k, s->offset, s->filesz))
			return cut_off(l, "segments");
	}
	return 0;
}

/*
 * read_note() - the note at @at, of which @left bytes are there; returns how long it
 * is, 0 if it is not whole.
 */
static uint64_t read_note(struct image *im, const uint8_t *at, uint64_t left)
{
	struct elf_note n;
	uint64_t name, desc;

	if (left < sizeof(n))
		return 0;
	memcpy(&n, at, sizeof(n));
	name = sizeof(n);
	desc = name + ROUND_UP((uint64_t)n.name_len, 4);
	if (desc + n.desc_len > left)
		return 0;
	if (n.type == NOTE_PHYS32_ENTRY && n.name_len == sizeof(NOTE_XEN) &&
	    !memcmp(at + name, NOTE_XEN, sizeof(NOTE_XEN)) &&
	    (n.desc_len == sizeof(uint32_t) || n.desc_len == sizeof(uint64_t)))
		memcpy(&im->entry, at + desc, n.desc_len);
	return MIN(desc + ROUND_UP((uint64_t)n.desc_len, 4), left);
}

static void image_notes(struct image *im, const struct load *l)
{
	for (unsigned i = 0; i < im->phnum; i++) {
		const struct elf64_segment *s = &im->segment[i];
		uint64_t at = 0, len = 1;

		if (s->type != ELF_NOTE)
			continue;
		for (; at < s->filesz && len; at += len)
			len = read_note(im, l->kernel.data + s->offset + at, s->filesz - at);
	}
}

/* image_extent() - where it will lie, and that its entry lies there too. */
static int image_extent(struct image *im, const struct load *l)
{
	const char *name = l->kernel.name;
	bool has_entry = false;

	for (unsigned i = 0; i < im->phnum; i++) {
		const struct elf64_segment *s = &im->segment[i];

		if (s->type != ELF_LOAD || !s->memsz)
			continue;
		if (s->paddr < MIB || s->paddr > LOAD_ADDRESS_MAX || s->memsz > LOAD_ADDRESS_MAX ||
		    s->filesz > s->memsz)
			return load_fail(l, -EINVAL,
					 "kernel %s is damaged: it wants %lu bytes loaded at 0x%lx",
					 name, (unsigned long)s->memsz, (unsigned long)s->paddr);
		im->end = MAX(im->end, s->paddr + s->memsz);
		has_entry |= im->entry - s->paddr < s->memsz;
	}
	if (!im->entry)
		return load_fail(l, -EINVAL, "kernel %s is an ELF file without a PVH entry", name);
	if (!has_entry)
		return load_fail(l, -EINVAL, "kernel %s is damaged: nothing stands at its entry",
				 name);
	return 0;
}

/* write_start_info() - and behind it the lists that it names. @low is the first MiB. */
static void write_start_info(uint8_t *low, const struct load *l)
{
	struct {
		struct hvm_start_info info;
		struct hvm_modlist_entry initrd;
		struct hvm_memmap_entry memory[LOAD_REGIONS];
	} *p = (void *)(low + LOAD_INFO);
	struct load_region region[LOAD_REGIONS];

	p->info = (struct hvm_start_info){
		.magic = START_INFO_MAGIC,
		.version = START_INFO_VERSION,
		.nr_modules = l->initrd.len ? 1 : 0,
		.modlist_paddr = l->initrd.len ? (uint8_t *)&p->initrd - low : 0,
		.cmdline_paddr = LOAD_CMDLINE,
		.rsdp_paddr = VACPI_TABLES,
		.memmap_paddr = (uint8_t *)p->memory - low,
		.memmap_entries = load_memory(l, region),
	};
	p->initrd = (struct hvm_modlist_entry){ l->initrd_at, l->initrd.len, 0, 0 };
	for (unsigned i = 0; i < p->info.memmap_entries; i++)
		p->memory[i] = (struct hvm_memmap_entry){
			.addr = region[i].begin,
			.size = region[i].end - region[i].begin,
			.type = region[i].type,
		};
}

static void copy_segments(const struct image *im, const struct load *l)
{
	for (unsigned i = 0; i < im->phnum; i++) {
		const struct elf64_segment *s = &im->segment[i];

		if (s->type != ELF_LOAD)
			continue;
		load_copy(l, s->paddr, l->kernel.data + s->offset, s->filesz);
		load_clear(l, s->paddr + s->filesz, s->memsz - s->filesz);
	}
}

int load_pvh(struct load *l, struct vcpu_entry *entry)
{
	struct image im = { 0 };
	int err = image_header(&im, l);

	if (!err)
		err = image_segments(&im, l);
	if (!err) {
		image_notes(&im, l);
		err = image_extent(&im, l);
	}
	if (!err)
		err = load_place(l, im.end, UINT64_C(1) << 32);
	if (err)
		return err;
	write_start_info(load_begin(l), l);
	copy_segments(&im, l);
	entry_protected(entry, im.entry, LOAD_INFO);
	return 0;
}
