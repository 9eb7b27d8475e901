/* SPDX-License-Identifier: MIT */
/*
 * elf.c - the kernel's file, checked and laid out [System V ABI, ELF-64]
 *
 * Called by main.c of the loader, and by its unit test on the host: nothing here knows UEFI. The
 * file may be damaged or cut short, so each offset in it is bounded before it is used.
 */
#include "elf.h"

#include "handover.h"

#include <elf.h>
#include <string.h>

enum { PAGE = 4096, SEGMENTS_MAX = 16 };

#define IMAGE_LIMIT (UINT64_C(1) << 32) /* entry.S is linked, and enters, below 4 GiB */

static uint64_t up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static const Elf64_Phdr *segments(const void *file, unsigned *n)
{
	const Elf64_Ehdr *e = file;

	*n = e->e_phnum;
	return (const void *)((const char *)file + e->e_phoff);
}

static const char *check_header(const Elf64_Ehdr *e, size_t len)
{
	if (len < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return "it is no ELF file";
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64)
		return "it is no ELF file for x86-64";
	if (e->e_phentsize != sizeof(Elf64_Phdr) || !e->e_phnum || e->e_phnum > SEGMENTS_MAX)
		return "its program headers are damaged";
	if (e->e_phoff % 8 || e->e_phoff > len ||
	    len - e->e_phoff < e->e_phnum * sizeof(Elf64_Phdr))
		return "it ends before its program headers";
	return NULL;
}

static const char *check_segment(const Elf64_Phdr *p, size_t len)
{
	if (p->p_offset > len || len - p->p_offset < p->p_filesz)
		return "it ends inside a segment";
	if (p->p_type == PT_LOAD && (p->p_filesz > p->p_memsz || p->p_paddr >= IMAGE_LIMIT ||
				     p->p_memsz > IMAGE_LIMIT - p->p_paddr))
		return "a segment is damaged";
	return NULL;
}

/* find_note() - the address in our note among the @len bytes at @at; 0 if it is not there. */
static uint64_t find_note(const char *at, uint64_t len)
{
	while (len >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *n = (const void *)at;
		uint64_t name = sizeof(*n), desc = name + up(n->n_namesz, 4);
		uint64_t next = desc + up(n->n_descsz, 4);

		if (next > len)
			break;
		if (n->n_type == HANDOVER_NOTE && n->n_namesz == sizeof(HANDOVER_NOTE_NAME) &&
		    !memcmp(at + name, HANDOVER_NOTE_NAME, sizeof(HANDOVER_NOTE_NAME)) &&
		    n->n_descsz == sizeof(uint32_t))
			return *(const uint32_t *)(at + desc);
		at += next;
		len -= next;
	}
	return 0;
}

const char *elf_check(const void *file, size_t len, struct elf_image *image)
{
	const char *why = check_header(file, len);
	const Elf64_Phdr *p;
	unsigned n;

	if (why)
		return why;
	*image = (struct elf_image){ .base = UINT64_MAX };
	p = segments(file, &n);
	for (unsigned i = 0; i < n; i++) {
		why = check_segment(&p[i], len);
		if (why)
			return why;
		if (p[i].p_type == PT_NOTE && p[i].p_offset % 4 == 0 && !image->entry)
			image->entry = find_note((const char *)file + p[i].p_offset, p[i].p_filesz);
		if (p[i].p_type != PT_LOAD)
			continue;
		if (p[i].p_paddr < image->base)
			image->base = p[i].p_paddr & ~(uint64_t)(PAGE - 1);
		if (p[i].p_paddr + p[i].p_memsz > image->end)
			image->end = up(p[i].p_paddr + p[i].p_memsz, PAGE);
	}
	if (image->entry < image->base || image->entry >= image->end)
		return "it has no entry for this loader";
	return NULL;
}

void elf_place(const void *file, const struct elf_image *image, void *to)
{
	unsigned n;
	const Elf64_Phdr *p = segments(file, &n);

	memset(to, 0, image->end - image->base);
	for (unsigned i = 0; i < n; i++)
		if (p[i].p_type == PT_LOAD)
			memcpy((char *)to + (p[i].p_paddr - image->base),
			       (const char *)file + p[i].p_offset, p[i].p_filesz);
}
