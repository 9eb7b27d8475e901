/* SPDX-License-Identifier: MIT */
/*
 * load.c - puts a Linux kernel into a guest's memory the way its 64-bit boot protocol wants it [boot.rst]
 *
 * Called at each start of a guest, in the control context, while its vCPUs are off: memory belongs to nobody else. The
 * kernel's file comes from the boot archive, as the initrd does; its header is trusted no further than the file and the
 * memory reach.
 */
#include "load.h"

#include "kernel/bits.h"
#include "kernel/control.h"
#include "kernel/cpio.h"
#include "boot_params.h"
#include "vacpi.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* guest-physical, below 1 MiB; load.h has the map */
enum {
	GDT_AT = 0x500,
	ZERO_PAGE_AT = 0x7000,
	PML4_AT = 0x9000,
	PDPT_AT = 0xa000,
	PD_AT = 0xb000, /* four of them */
	CMDLINE_AT = 0x20000,
	EBDA = 0x9fc00, /* where a PC's BIOS keeps its data: RAM ends here */
};

/* more than any kernel asks for, and small enough to add up without wrapping */
#define ADDRESS_MAX BIT(40)

/* page table entries [SDM 3A 4.5] */
#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PDE_LARGE   BIT(7) /* 2 MiB */
enum { PT_ENTRIES = 512, PD_PAGES = 4, LARGE_PAGE = 2 * MIB };

/* flat segments, accessed [SDM 3A 3.4.5], where the protocol wants them: __BOOT_CS 0x10, __BOOT_DS 0x18 */
static const uint64_t gdt[] = {
	0, 0, UINT64_C(0x00af9b000000ffff), /* execute and read, 64-bit */
	UINT64_C(0x00cf93000000ffff),       /* read and write */
};

struct image {
	const char *name;
	const uint8_t *file;
	size_t len;
	struct setup_header hdr; /* a copy, zero beyond what the file has */
	uint64_t code, code_len; /* what is loaded, in the file */
	uint64_t size;           /* what it takes of memory from pref_address on */
};

struct initrd {
	const char *name;
	const void *file;
	size_t len;
	uint64_t addr;
};

/* who is told why */
struct report {
	const char *who;
	char *why;
	size_t size;
};

static const void *archive;
static size_t archive_len;

static int __attribute__((format(printf, 3, 4)))
fail(const struct report *r, int err, const char *fmt, ...)
{
	int n = snprintf(r->why, r->size, "%s: ", r->who);
	va_list ap;

	if (n < 0 || (size_t)n >= r->size)
		return err;
	va_start(ap, fmt);
	vsnprintf(r->why + n, r->size - n, fmt, ap);
	va_end(ap);
	return err;
}

static int find(const struct report *r, const char *name, const void **data, size_t *len)
{
	int err = archive ? cpio_find(archive, archive_len, name, data, len) : -ENOENT;

	if (!archive)
		return fail(r, err, "no file %s: the boot handed over no archive", name);
	if (err == -ENOENT)
		return fail(r, err, "no file %s in the boot archive", name);
	if (err)
		return fail(r, err, "no file %s: %s", name, cpio_reason());
	return 0;
}

/* image_header() - the setup header, if this is a kernel that can be entered in 64-bit mode. */
static int image_header(struct image *im, const struct report *r)
{
	struct setup_header *h = &im->hdr;
	size_t end;

	if (im->len < SETUP_AT + sizeof(*h))
		return fail(r, -EINVAL, "kernel %s is no bzImage: it has %lu bytes", im->name,
			    (unsigned long)im->len);
	memcpy(h, im->file + SETUP_AT, sizeof(*h));
	if (h->boot_flag != BOOT_FLAG || h->header != HDRS)
		return fail(r, -EINVAL, "kernel %s is no bzImage: no HdrS at offset 0x202",
			    im->name);
	if (h->version < BOOT_VERSION)
		return fail(r, -EINVAL, "kernel %s speaks boot protocol %u.%02u, 2.12 is needed",
			    im->name, h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADFLAG_LOADED_HIGH) || !(h->xloadflags & XLF_KERNEL_64))
		return fail(r, -EINVAL, "kernel %s has no 64-bit entry", im->name);
	end = offsetof(struct setup_header, header) + h->length;
	if (end < sizeof(*h)) /* what stands behind the header is code, not fields */
		memset((uint8_t *)h + end, 0, sizeof(*h) - end);
	return 0;
}

/* image_extent() - what of the file is loaded, and how much memory that takes. */
static int image_extent(struct image *im, const struct report *r)
{
	const struct setup_header *h = &im->hdr;

	im->code = ((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR;
	im->code_len = (uint64_t)h->syssize * 16;
	if (im->code + im->code_len > im->len)
		return fail(r, -EINVAL,
			    "kernel %s is cut off: its header tells of %lu bytes, it has %lu",
			    im->name, (unsigned long)(im->code + im->code_len),
			    (unsigned long)im->len);
	im->size = MAX(im->code_len, h->init_size);
	if (im->size <= ENTRY_64)
		return fail(r, -EINVAL, "kernel %s is damaged: nothing stands at its 64-bit entry",
			    im->name);
	if (h->pref_address < MIB || h->pref_address > ADDRESS_MAX || h->pref_address % PAGE_SIZE)
		return fail(r, -EINVAL, "kernel %s is damaged: it wants to be loaded at 0x%lx",
			    im->name, (unsigned long)h->pref_address);
	return 0;
}

static int image_open(struct image *im, const struct report *r)
{
	const void *file;
	int err = find(r, im->name, &file, &im->len);

	if (err)
		return err;
	im->file = file;
	err = image_header(im, r);
	return err ? err : image_extent(im, r);
}

/*
 * initrd_place() - as high as low memory and the kernel allow. Checks that kernel and initrd fit, also without an initrd
 * (of length 0).
 */
static int initrd_place(struct initrd *rd, const struct image *im, const struct gpa_map *mem,
			const struct report *r)
{
	uint64_t kernel_end = ROUND_UP(im->hdr.pref_address + im->size, PAGE_SIZE);
	uint64_t needed = ROUND_UP(kernel_end + ROUND_UP(rd->len, PAGE_SIZE), MIB);
	uint64_t top = MIN(mem->low_end, (uint64_t)im->hdr.initrd_addr_max + 1);

	if (needed > mem->low_end)
		return fail(r, -ENOMEM, "kernel %s%s%s needs %lu MiB of memory, the guest has %lu",
			    im->name, rd->len ? " with initrd " : "", rd->len ? rd->name : "",
			    (unsigned long)(needed / MIB), (unsigned long)(mem->low_end / MIB));
	if (rd->len > top || ROUND_DOWN(top - rd->len, PAGE_SIZE) < kernel_end)
		return fail(r, -ENOMEM,
			    "initrd %s has %lu bytes, kernel %s takes that many only below 0x%lx",
			    rd->name, (unsigned long)rd->len, im->name, (unsigned long)top);
	rd->addr = ROUND_DOWN(top - rd->len, PAGE_SIZE);
	return 0;
}

/* write_tables() - identity map of the first 4 GiB by 2 MiB pages, and the GDT. @low is the first MiB. */
static void write_tables(uint8_t *low)
{
	uint64_t *pml4 = (uint64_t *)(low + PML4_AT), *pdpt = (uint64_t *)(low + PDPT_AT);
	uint64_t *pd = (uint64_t *)(low + PD_AT);

	pml4[0] = PDPT_AT | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < PD_PAGES; i++)
		pdpt[i] = (PD_AT + i * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < PD_PAGES * PT_ENTRIES; i++)
		pd[i] = i * LARGE_PAGE | PTE_PRESENT | PTE_WRITE | PDE_LARGE;
	memcpy(low + GDT_AT, gdt, sizeof(gdt));
}

static void add_e820(struct boot_params *zp, uint64_t begin, uint64_t end, uint32_t type)
{
	if (begin < end)
		zp->e820_table[zp->e820_entries++] =
			(struct e820_entry){ begin, end - begin, type };
}

/* copy_file() - into RAM that is known to be there. Tens of MiB, and packets go on meanwhile. */
static void copy_file(const struct gpa_map *mem, uint64_t gpa, const uint8_t *from, uint64_t len)
{
	for (uint64_t at = 0; at < len; at += MIB) {
		gpa_write(mem, gpa + at, from + at, MIN(len - at, (uint64_t)MIB));
		yield();
	}
}

static void write_zero_page(struct boot_params *zp, const struct image *im, const struct initrd *rd,
			    const struct gpa_map *mem)
{
	zp->hdr = im->hdr;
	zp->hdr.type_of_loader = LOADER_UNKNOWN;
	zp->hdr.cmd_line_ptr = CMDLINE_AT;
	zp->hdr.ramdisk_image = rd->len ? rd->addr : 0;
	zp->hdr.ramdisk_size = rd->len;
	zp->hdr.setup_data = 0;
	zp->acpi_rsdp_addr = VACPI_TABLES;
	add_e820(zp, 0, EBDA, E820_RAM);
	add_e820(zp, EBDA, MIB, E820_RESERVED);
	add_e820(zp, MIB, mem->low_end, E820_RAM);
	add_e820(zp, GPA_HIGH_BEGIN, mem->high_end, E820_RAM);
}

void load_archive(const void *a, size_t len)
{
	archive = a;
	archive_len = len;
}

int load_exists(const char *name, char *why, size_t size)
{
	struct report r = { "guest", why, size };
	const void *data;
	size_t len;

	return find(&r, name, &data, &len);
}

int load_linux(struct vm *vm, struct vcpu_entry *entry, char *why, size_t size)
{
	struct report r = { vm->name, why, size };
	struct image im = { .name = vm->kernel };
	struct initrd rd = { .name = vm->initrd };
	uint8_t *low;
	int err = image_open(&im, &r);

	if (!err && rd.name[0])
		err = find(&r, rd.name, &rd.file, &rd.len);
	if (!err)
		err = initrd_place(&rd, &im, &vm->mem, &r);
	if (err)
		return err;
	if (strlen(vm->cmdline) > im.hdr.cmdline_size)
		return fail(&r, -EINVAL, "the command line has %lu bytes, kernel %s takes %u",
			    (unsigned long)strlen(vm->cmdline), im.name, im.hdr.cmdline_size);

	low = gpa_ptr(&vm->mem, 0, MIB);
	memset(low, 0, MIB); /* nothing of an earlier run */
	write_tables(low);
	write_zero_page((struct boot_params *)(low + ZERO_PAGE_AT), &im, &rd, &vm->mem);
	strcpy((char *)low + CMDLINE_AT, vm->cmdline);
	vacpi_build(vm);
	copy_file(&vm->mem, im.hdr.pref_address, im.file + im.code, im.code_len);
	copy_file(&vm->mem, rd.addr, rd.file, rd.len);
	entry_long(entry, im.hdr.pref_address + ENTRY_64, ZERO_PAGE_AT, PML4_AT, GDT_AT,
		   sizeof(gdt) - 1);
	return 0;
}
