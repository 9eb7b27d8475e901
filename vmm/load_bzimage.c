/* SPDX-License-Identifier: MIT */
/*
 * load_bzimage.c - a Linux kernel as it is packed, entered as its 64-bit boot
 * protocol wants it [boot.rst]
 *
 * Called by load.c in the control context with the guest off. Owns nothing.
 */
#include "load_parts.h"

#include "kernel/bits.h"
#include "boot_params.h"
#include "vacpi.h"

#include <errno.h>
#include <string.h>

/* one behind the other */
enum {
	PML4_AT = LOAD_PAGE_TABLES,
	PDPT_AT = PML4_AT + PAGE_SIZE,
	PD_AT = PDPT_AT + PAGE_SIZE, /* four of them */
};

/* page table entries [SDM 3A 4.5] */
#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PDE_LARGE   BIT(7) /* 2 MiB */
enum { PT_ENTRIES = 512, PD_PAGES = 4, LARGE_PAGE = 2 * MIB };

/*
 * flat segments, accessed [SDM 3A 3.4.5], where the protocol wants them:
 * __BOOT_CS 0x10, __BOOT_DS 0x18
 */
static const uint64_t gdt[] = {
	0, 0, UINT64_C(0x00af9b000000ffff), /* execute and read, 64-bit */
	UINT64_C(0x00cf93000000ffff),       /* read and write */
};

struct image {
	struct setup_header hdr; /* a copy, zero beyond what the file has */
	uint64_t code, code_len; /* what is loaded, in the file */
	uint64_t size;           /* what it takes of memory from pref_address on */
};

/* image_header() - the setup header, if this is a kernel that can be entered in 64-bit mode. */
static int image_header(struct image *im, const struct load *l)
{
	const struct load_file *k = &l->kernel;
	struct setup_header *h = &im->hdr;
	size_t end;

	if (k->len < SETUP_AT + sizeof(*h))
		return load_fail(l, -EINVAL, "kernel %s is no bzImage: it has %lu bytes", k->name,
				 (unsigned long)k->len);
	memcpy(h, k->data + SETUP_AT, sizeof(*h));
	if (h->boot_flag != BOOT_FLAG || h->header != HDRS)
		return load_fail(l, -EINVAL, "kernel %s is no bzImage: no HdrS at offset 0x202",
				 k->name);
	if (h->version < BOOT_VERSION)
		return load_fail(l, -EINVAL,
				 "kernel %s speaks boot protocol %u.%02u, 2.12 is needed", k->name,
				 h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADFLAG_LOADED_HIGH) || !(h->xloadflags & XLF_KERNEL_64))
		return load_fail(l, -EINVAL, "kernel %s has no 64-bit entry", k->name);
	end = offsetof(struct setup_header, header) + h->length;
	if (end < sizeof(*h)) /* what stands behind the header is code, not fields */
		memset((uint8_t *)h + end, 0, sizeof(*h) - end);
	return 0;
}

/* image_extent() - what of the file is loaded, and how much memory that takes. */
static int image_extent(struct image *im, const struct load *l)
{
	const struct setup_header *h = &im->hdr;
	const struct load_file *k = &l->kernel;

	im->code = ((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR;
	im->code_len = (uint64_t)h->syssize * 16;
	if (im->code + im->code_len > k->len)
		return load_fail(l, -EINVAL,
				 "kernel %s is cut off: its header tells of %lu bytes, it has %lu",
				 k->name, (unsigned long)(im->code + im->code_len),
				 (unsigned long)k->len);
	im->size = MAX(im->code_len, h->init_size);
	if (im->size <= ENTRY_64)
		return load_fail(l, -EINVAL,
				 "kernel %s is damaged: nothing stands at its 64-bit entry",
				 k->name);
	if (h->pref_address < MIB || h->pref_address > LOAD_ADDRESS_MAX ||
	    h->pref_address % PAGE_SIZE)
		return load_fail(l, -EINVAL, "kernel %s is damaged: it wants to be loaded at 0x%lx",
				 k->name, (unsigned long)h->pref_address);
	return 0;
}

/*
 * write_tables() - identity map of the first 4 GiB by 2 MiB pages, and the
 * GDT. @low is the first MiB.
 */
static void write_tables(uint8_t *low)
{
	uint64_t *pml4 = (uint64_t *)(low + PML4_AT), *pdpt = (uint64_t *)(low + PDPT_AT);
	uint64_t *pd = (uint64_t *)(low + PD_AT);

	pml4[0] = PDPT_AT | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < PD_PAGES; i++)
		pdpt[i] = (PD_AT + i * PAGE_SIZE) | PTE_PRESENT | PTE_WRITE;
	for (uint64_t i = 0; i < PD_PAGES * PT_ENTRIES; i++)
		pd[i] = i * LARGE_PAGE | PTE_PRESENT | PTE_WRITE | PDE_LARGE;
	memcpy(low + LOAD_GDT, gdt, sizeof(gdt));
}

static void write_zero_page(struct boot_params *zp, const struct image *im, const struct load *l)
{
	struct load_region region[LOAD_REGIONS];

	zp->hdr = im->hdr;
	zp->hdr.type_of_loader = LOADER_UNKNOWN;
	zp->hdr.cmd_line_ptr = LOAD_CMDLINE;
	zp->hdr.ramdisk_image = l->initrd.len ? l->initrd_at : 0;
	zp->hdr.ramdisk_size = l->initrd.len;
	zp->hdr.setup_data = 0;
	zp->acpi_rsdp_addr = VACPI_TABLES;
	zp->e820_entries = load_memory(l, region);
	for (unsigned i = 0; i < zp->e820_entries; i++)
		zp->e820_table[i] = (struct e820_entry){
			region[i].begin,
			region[i].end - region[i].begin,
			region[i].type,
		};
}

int load_bzimage(struct load *l, struct vcpu_entry *entry)
{
	struct image im;
	size_t words = strlen(l->vm->cmdline);
	uint8_t *low;
	int err = image_header(&im, l);

	if (!err)
		err = image_extent(&im, l);
	if (!err)
		err = load_place(l, im.hdr.pref_address + im.size,
				 (uint64_t)im.hdr.initrd_addr_max + 1);
	if (err)
		return err;
	if (words > im.hdr.cmdline_size)
		return load_fail(l, -EINVAL, "the command line has %lu bytes, kernel %s takes %u",
				 (unsigned long)words, l->kernel.name, im.hdr.cmdline_size);

	low = load_begin(l);
	write_tables(low);
	write_zero_page((struct boot_params *)(low + LOAD_INFO), &im, l);
	load_copy(l, im.hdr.pref_address, l->kernel.data + im.code, im.code_len);
	entry_long(entry, im.hdr.pref_address + ENTRY_64, LOAD_INFO, PML4_AT, LOAD_GDT,
		   sizeof(gdt) - 1);
	return 0;
}
