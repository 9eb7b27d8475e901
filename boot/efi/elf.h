/* SPDX-License-Identifier: MIT */
/*
 * elf.h - build/weir.elf as a file: is it whole, where does it want to lie,
 * where does the loader enter
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct elf_image {
	uint64_t base, end; /* physical, whole pages: all that it wants to lie in */
	uint64_t entry;     /* physical, from its note; see handover.h */
};

/*
 * elf_check() - fill @image from the @len bytes at @file; NULL, or what is wrong with
 * them. Reads nothing outside.
 */
const char *elf_check(const void *file, size_t len, struct elf_image *image);

/*
 * elf_place() - put the parts of a file that elf_check() passed to @to, which stands for
 * image->base, the rest zeroed.
 */
void elf_place(const void *file, const struct elf_image *image, void *to);
