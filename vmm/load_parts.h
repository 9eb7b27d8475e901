/* SPDX-License-Identifier: MIT */
/*
 * load_parts.h - between load.c (files, initrd, what every kernel finds) and the two kinds of
 * kernels, load_bzimage.c and load_pvh.c; the interface for all is in load.h
 *
 * All in the control context with the guest off: its memory belongs to whoever loads. A kernel's
 * file is trusted no further than the file and the memory reach.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load.h"

/* guest-physical, below 1 MiB; load.h has the map */
enum {
	LOAD_GDT = 0x500,
	LOAD_INFO = 0x7000, /* the zero page, or PVH's start info */
	LOAD_PAGE_TABLES = 0x9000,
	LOAD_CMDLINE = 0x20000,
	LOAD_EBDA = 0x9fc00, /* where a PC's BIOS keeps its data: RAM ends here */
};

/* more than any kernel asks for, and small enough to add up without wrapping */
#define LOAD_ADDRESS_MAX BIT(40)

struct load_file {
	const char *name;
	const uint8_t *data;
	size_t len;
};

/* one kernel on its way into one guest's memory */
struct load {
	struct vm *vm;
	char *why; /* a sentence, if it gets no further */
	size_t size;
	struct load_file kernel, initrd; /* initrd.len 0: none */
	uint64_t initrd_at;
};

/* of the guest's memory, as both protocols tell it: types are those of E820 */
struct load_region {
	uint64_t begin, end;
	uint32_t type;
};
enum { LOAD_REGIONS = 4 };

/* load_fail() - writes the sentence, "g0: ..."; returns @err. */
int load_fail(const struct load *l, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * load_place() - a place for the initrd, as high as RAM and @top (a kernel's first byte that it
 * may not take) allow; the kernel itself ends at @kernel_end. Checks that all fits, also without
 * an initrd. 0, or -ENOMEM.
 */
int load_place(struct load *l, uint64_t kernel_end, uint64_t top);
/*
 * load_begin() - the first MiB cleared, command line, ACPI tables and initrd in
 * place. Returns the first MiB.
 */
uint8_t *load_begin(struct load *l);
/* load_copy() - into RAM that is known to be there; packets go on meanwhile. */
void load_copy(const struct load *l, uint64_t gpa, const uint8_t *from, uint64_t len);
/* load_clear() - the same with zeroes. */
void load_clear(const struct load *l, uint64_t gpa, uint64_t len);
/* load_memory() - the guest's memory in ascending order; returns how many regions. */
unsigned load_memory(const struct load *l, struct load_region region[LOAD_REGIONS]);

/*
 * The kinds of kernels: is it one? And the rest of load_kernel(), in which nothing is
 * written before all is checked.
 */
int load_bzimage(struct load *l, struct vcpu_entry *entry);
bool load_is_elf(const struct load *l);
int load_pvh(struct load *l, struct vcpu_entry *entry);
