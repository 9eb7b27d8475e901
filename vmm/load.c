/* SPDX-License-Identifier: MIT */
/*
 * load.c - a kernel's file, an initrd and a command line become a guest's memory; what
 * all kinds of kernels share
 *
 * Called at each start of a guest, in the control context, while its vCPUs are off: memory belongs
 * to nobody else. Kernel and initrd come from the boot archive. Owns nothing.
 */
#include "load.h"

#include "kernel/archive.h"
#include "kernel/control.h"
#include "boot_params.h"
#include "load_parts.h"
#include "vacpi.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int __attribute__((format(printf, 5, 0)))
vfail(const char *who, char *why, size_t size, int err, const char *fmt, va_list ap)
{
	int n = snprintf(why, size, "%s: ", who);

	if (n >= 0 && (size_t)n < size)
		vsnprintf(why + n, size - n, fmt, ap);
	return err;
}

int load_fail(const struct load *l, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(l->vm->name, l->why, l->size, err, fmt, ap);
	va_end(ap);
	return err;
}

static int __attribute__((format(printf, 5, 6)))
fail(const char *who, char *why, size_t size, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(who, why, size, err, fmt, ap);
	va_end(ap);
	return err;
}

/* find() - f->name in the archive; for @who. */
static int find(struct load_file *f, const char *who, char *why, size_t size)
{
	const void *data;
	int err;

	err = archive_file(f->name, &data, &f->len);
	if (err)
		return fail(who, why, size, err, "%s", archive_reason());
	f->data = data;
	return 0;
}

int load_exists(const char *name, char *why, size_t size)
{
	struct load_file f = { .name = name };

	return find(&f, "guest", why, size);
}

/* --- what both kinds of kernels need --- */

int load_place(struct load *l, uint64_t kernel_end, uint64_t top)
{
	const struct load_file *k = &l->kernel, *rd = &l->initrd;
	const struct gpa_map *mem = &l->vm->mem;
	uint64_t needed;

	kernel_end = ROUND_UP(kernel_end, PAGE_SIZE);
	needed = ROUND_UP(kernel_end + ROUND_UP(rd->len, PAGE_SIZE), MIB);
	top = MIN(mem->low_end, top);
	if (needed > mem->low_end)
		return load_fail(
			l, -ENOMEM, "kernel %s%s%s needs %lu MiB of memory, the guest has %lu",
			k->name, rd->len ? " with initrd " : "", rd->len ? rd->name : "",
			(unsigned long)(needed / MIB), (unsigned long)(mem->low_end / MIB));
	if (rd->len > top || ROUND_DOWN(top - rd->len, PAGE_SIZE) < kernel_end)
		return load_fail(
			l, -ENOMEM,
			"initrd %s has %lu bytes, kernel %s takes that many only below 0x%lx",
			rd->name, (unsigned long)rd->len, k->name, (unsigned long)top);
	l->initrd_at = ROUND_DOWN(top - rd->len, PAGE_SIZE);
	return 0;
}

void load_copy(const struct load *l, uint64_t gpa, const uint8_t *from, uint64_t len)
{
	for (uint64_t at = 0; at < len; at += MIB) {
		gpa_write(&l->vm->mem, gpa + at, from + at, MIN(len - at, (uint64_t)MIB));
		yield();
	}
}

void load_clear(const struct load *l, uint64_t gpa, uint64_t len)
{
	for (uint64_t at = 0; at < len; at += MIB) {
		uint64_t piece = MIN(len - at, (uint64_t)MIB);

		memset(gpa_ptr(&l->vm->mem, gpa + at, piece), 0, piece);
		yield();
	}
}

uint8_t *load_begin(struct load *l)
{
	uint8_t *low = gpa_ptr(&l->vm->mem, 0, MIB);

	memset(low, 0, MIB); /* nothing of an earlier run */
	strcpy((char *)low + LOAD_CMDLINE, l->vm->cmdline);
	vacpi_build(l->vm);
	load_copy(l, l->initrd_at, l->initrd.data, l->initrd.len);
	return low;
}

unsigned load_memory(const struct load *l, struct load_region region[LOAD_REGIONS])
{
	const struct gpa_map *mem = &l->vm->mem;
	const struct load_region all[LOAD_REGIONS] = {
		{ 0, LOAD_EBDA, E820_RAM },
		{ LOAD_EBDA, MIB, E820_RESERVED },
		{ MIB, mem->low_end, E820_RAM },
		{ GPA_HIGH_BEGIN, mem->high_end, E820_RAM },
	};
	unsigned n = 0;

	for (unsigned i = 0; i < LOAD_REGIONS; i++)
		if (all[i].begin < all[i].end)
			region[n++] = all[i];
	return n;
}

int load_kernel(struct vm *vm, struct vcpu_entry *entry, char *why, size_t size)
{
	struct load l = {
		.vm = vm,
		.why = why,
		.size = size,
		.kernel.name = vm->kernel,
		.initrd.name = vm->initrd,
	};
	int err = find(&l.kernel, vm->name, why, size);

	if (!err && vm->initrd[0])
		err = find(&l.initrd, vm->name, why, size);
	if (err)
		return err;
	return load_is_elf(&l) ? load_pvh(&l, entry) : load_bzimage(&l, entry);
}
