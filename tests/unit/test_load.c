/* SPDX-License-Identifier: MIT */
/* links: vmm/load.c vmm/load_bzimage.c vmm/load_pvh.c vmm/entry.c kernel/archive.c kernel/cpio.c tests/unit/load_rig.c tests/unit/host.c */
/*
 * test_load.c - a kernel in a guest's memory as the boot protocol wants it, and a sentence for
 * each one that is refused
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/archive.h"
#include "tests/unit/load_rig.h"
#include "vmm/boot_params.h"
#include "vmm/load.h"
#include "vmm/vacpi.h"

enum { SETUP_SECTS = 2, CODE = (SETUP_SECTS + 1) * SECTOR, CODE_LEN = 0x3000 };
enum { KERNEL_AT = 16 * MIB, INIT_SIZE = 20 * MIB, KERNEL_LEN = CODE + CODE_LEN };
enum { ZERO_PAGE = 0x7000, GDT = 0x500 };

static uint8_t kernel[KERNEL_LEN], initrd[5 * MIB + 1];
static struct setup_header *hdr = (struct setup_header *)(kernel + SETUP_AT);

/* --- fixture --- */

static int start(void **state)
{
	(void)state;
	load_rig_start("vmlinuz", kernel, sizeof(kernel), initrd, sizeof(initrd));
	strcpy(vm.cmdline, "console=ttyS0 ip=10.0.0.2/24");
	memset(kernel, 0, sizeof(kernel));
	for (unsigned i = CODE; i < KERNEL_LEN; i++)
		kernel[i] = i * 7;
	*hdr = (struct setup_header){
		.setup_sects = SETUP_SECTS,
		.syssize = CODE_LEN / 16,
		.boot_flag = BOOT_FLAG,
		.length = 0x66,
		.header = HDRS,
		.version = 0x020f,
		.loadflags = LOADFLAG_LOADED_HIGH,
		.xloadflags = XLF_KERNEL_64,
		.initrd_addr_max = 0x7fffffff,
		.cmdline_size = 255,
		.pref_address = KERNEL_AT,
		.init_size = INIT_SIZE,
		.setup_data = 0xdead,
	};
	return 0;
}

static const struct boot_params *zero_page(void)
{
	return gpa_ptr(&vm.mem, ZERO_PAGE, sizeof(struct boot_params));
}

/* --- what a kernel finds --- */

static void the_kernel_lies_where_it_wants_to_and_is_entered_at_its_64_bit_entry(void **state)
{
	(void)state;
	loads();
	assert_memory_equal(gpa_ptr(&vm.mem, KERNEL_AT, CODE_LEN), kernel + CODE, CODE_LEN);
	assert_int_equal(*(uint8_t *)gpa_ptr(&vm.mem, KERNEL_AT + CODE_LEN, 1), 0xee);
	assert_int_equal(entry.rip, KERNEL_AT + 0x200);
	assert_int_equal(entry.gpr[GPR_RSI], ZERO_PAGE);
}

static void the_zero_page_tells_of_initrd_and_command_line(void **state)
{
	const struct setup_header *h;

	(void)state;
	loads();
	h = &zero_page()->hdr;
	assert_int_equal(h->header, HDRS);
	assert_int_equal(h->type_of_loader, 0xff);
	assert_string_equal(gpa_ptr(&vm.mem, h->cmd_line_ptr, 64), vm.cmdline);
	assert_int_equal(h->ramdisk_size, sizeof(initrd));
	assert_int_equal(h->ramdisk_image, ROUND_DOWN(64 * MIB - sizeof(initrd), PAGE_SIZE));
	assert_memory_equal(gpa_ptr(&vm.mem, h->ramdisk_image, sizeof(initrd)), initrd,
			    sizeof(initrd));
	assert_int_equal(h->setup_data, 0); /* the file's is nobody's address */
	assert_int_equal(zero_page()->acpi_rsdp_addr, VACPI_TABLES);
	assert_memory_equal(gpa_ptr(&vm.mem, VACPI_TABLES, 8), "RSD PTR ", 8);
}

static void packets_go_on_while_files_are_copied(void **state)
{
	(void)state;
	loads();
	/*
	 * a turn of the core loop for each MiB of the initrd, the begun one too, and one
	 * for the kernel's few bytes
	 */
	assert_int_equal(host_calls.yield, sizeof(initrd) / MIB + 1 + 1);
}

static void without_an_initrd_none_is_told(void **state)
{
	(void)state;
	vm.initrd[0] = 0;
	loads();
	assert_int_equal(zero_page()->hdr.ramdisk_image, 0);
	assert_int_equal(zero_page()->hdr.ramdisk_size, 0);
}

static void e820_is(unsigned i, uint64_t begin, uint64_t end, uint32_t type)
{
	const struct e820_entry *e = &zero_page()->e820_table[i];

	assert_true(i < zero_page()->e820_entries);
	assert_int_equal(e->addr, begin);
	assert_int_equal(e->addr + e->size, end);
	assert_int_equal(e->type, type);
}

static void the_memory_map_has_what_is_ram_and_no_more(void **state)
{
	(void)state;
	loads();
	assert_int_equal(zero_page()->e820_entries, 3);
	e820_is(0, 0, 0x9fc00, E820_RAM);
	e820_is(1, 0x9fc00, MIB, E820_RESERVED);
	e820_is(2, MIB, 64 * MIB, E820_RAM);
}

static void memory_above_the_hole_is_told_as_well(void **state)
{
	(void)state;
	/* as if 64 MiB were all that lies below, and 2 MiB of it above */
	vm.mem.low_end = 62 * MIB;
	vm.mem.high_end = GPA_HIGH_BEGIN + 2 * MIB;
	loads();
	assert_int_equal(zero_page()->e820_entries, 4);
	e820_is(2, MIB, 62 * MIB, E820_RAM);
	e820_is(3, GPA_HIGH_BEGIN, GPA_HIGH_BEGIN + 2 * MIB, E820_RAM);
}

static uint64_t walk(uint64_t va)
{
	const uint64_t *table = gpa_ptr(&vm.mem, entry.sregs.cr3, PAGE_SIZE);
	uint64_t pte = table[va >> 39];

	assert_true(pte & BIT(0));
	table = gpa_ptr(&vm.mem, pte & BITS(51, 12), PAGE_SIZE);
	pte = table[va >> 30 & 511];
	assert_true(pte & BIT(0));
	table = gpa_ptr(&vm.mem, pte & BITS(51, 12), PAGE_SIZE);
	pte = table[va >> 21 & 511];
	assert_int_equal(pte & BITS(11, 0), BIT(0) | BIT(1) | BIT(7)); /* writable, 2 MiB */
	return (pte & BITS(51, 21)) | (va & BITS(20, 0));
}

static void the_page_tables_map_4_gib_one_to_one(void **state)
{
	(void)state;
	loads();
	for (uint64_t va = 0x1234; va < BIT(32); va += 0x1ff000)
		assert_int_equal(walk(va), va);
}

static void the_gdt_has_code_at_0x10_and_data_at_0x18(void **state)
{
	const uint64_t *gdt;

	(void)state;
	loads();
	assert_int_equal(entry.sregs.gdt.base, GDT);
	assert_int_equal(entry.sregs.gdt.limit, 31);
	gdt = gpa_ptr(&vm.mem, GDT, 32);
	assert_int_equal(FIELD_GET(BITS(47, 40), gdt[2]), 0x9b); /* present, code, readable */
	assert_true(gdt[2] & BIT(53));                           /* 64-bit */
	assert_int_equal(FIELD_GET(BITS(47, 40), gdt[3]), 0x93); /* present, data, writable */
}

static void nothing_of_an_earlier_run_is_left_in_the_first_mib(void **state)
{
	(void)state;
	loads();
	for (unsigned at = 0x10000; at < 0x20000; at++)
		assert_int_equal(vm.mem.ram[at], 0);
	for (unsigned at = 0x9fc00; at < VACPI_TABLES; at++)
		assert_int_equal(vm.mem.ram[at], 0);
	assert_int_equal(vm.mem.ram[0x6fff], 0);
}

static void a_header_that_ends_early_brings_no_code_along(void **state)
{
	(void)state;
	hdr->length = 0x64 - 2; /* up to handover_offset, which is then something else */
	hdr->handover_offset = 0xcccccccc;
	loads();
	assert_int_equal(zero_page()->hdr.handover_offset, 0);
	assert_int_equal(zero_page()->hdr.init_size, INIT_SIZE);
}

/* --- what is refused --- */

static void what_is_not_in_the_archive_is_named(void **state)
{
	(void)state;
	strcpy(vm.kernel, "vmlinux");
	refuses(-ENOENT, "g0: no file vmlinux in the boot archive");
	strcpy(vm.kernel, "vmlinuz");
	strcpy(vm.initrd, "rd.gz");
	refuses(-ENOENT, "g0: no file rd.gz in the boot archive");
	assert_int_equal(load_exists("vmlinuz", why, sizeof(why)), 0);
	assert_int_equal(load_exists("x", why, sizeof(why)), -ENOENT);
	archive_init(NULL, 0);
	assert_int_equal(load_exists("vmlinuz", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "guest: no file vmlinuz: the boot handed over no archive");
	archive_init("rubbish", 7);
	assert_int_equal(load_exists("vmlinuz", why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "guest: no file vmlinuz: archive damaged at offset 0"));
}

static void what_is_no_kernel_is_refused(void **state)
{
	(void)state;
	hdr->header ^= 1;
	refuses(-EINVAL, "g0: kernel vmlinuz is no bzImage: no HdrS at offset 0x202");
	hdr->header ^= 1;
	hdr->boot_flag = 0;
	refuses(-EINVAL, "g0: kernel vmlinuz is no bzImage: no HdrS at offset 0x202");
	hdr->boot_flag = BOOT_FLAG;
	hdr->version = 0x0206;
	refuses(-EINVAL, "g0: kernel vmlinuz speaks boot protocol 2.06, 2.12 is needed");
	hdr->version = 0x020c;
	hdr->xloadflags = 0;
	refuses(-EINVAL, "g0: kernel vmlinuz has no 64-bit entry");
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->loadflags = 0;
	refuses(-EINVAL, "g0: kernel vmlinuz has no 64-bit entry");
}

static void a_damaged_kernel_is_refused(void **state)
{
	(void)state;
	hdr->syssize++;
	refuses(-EINVAL,
		"g0: kernel vmlinuz is cut off: its header tells of 13840 bytes, it has 13824");
	hdr->syssize = 0;
	hdr->init_size = 0;
	refuses(-EINVAL, "g0: kernel vmlinuz is damaged: nothing stands at its 64-bit entry");
	hdr->syssize = CODE_LEN / 16;
	hdr->pref_address = 0x8000;
	refuses(-EINVAL, "g0: kernel vmlinuz is damaged: it wants to be loaded at 0x8000");
	hdr->pref_address = UINT64_MAX - PAGE_SIZE + 1;
	refuses(-EINVAL,
		"g0: kernel vmlinuz is damaged: it wants to be loaded at 0xfffffffffffff000");
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n < KERNEL_LEN; n += n < 0x300 ? 1 : 97) {
		assert_int_equal(load_cut(n), -EINVAL);
		assert_memory_equal(why, "g0: kernel vmlinuz is ", 22);
	}
}

static void too_little_memory_is_told_in_mib(void **state)
{
	(void)state;
	memory(40);
	refuses(-ENOMEM,
		"g0: kernel vmlinuz with initrd rd needs 42 MiB of memory, the guest has 40");
	memory(42);
	loads();
	vm.initrd[0] = 0;
	memory(34);
	refuses(-ENOMEM, "g0: kernel vmlinuz needs 36 MiB of memory, the guest has 34");
	memory(36);
	loads();
}

static void memory_is_not_touched_by_a_refusal(void **state)
{
	(void)state;
	memory(40);
	assert_int_equal(load(), -ENOMEM);
	for (size_t at = 0; at < 40 * MIB; at += 511)
		assert_int_equal(vm.mem.ram[at], 0xee);
}

static void the_initrd_stays_below_what_the_kernel_can_reach(void **state)
{
	uint64_t top = 44 * MIB;

	(void)state;
	hdr->initrd_addr_max = top - 1;
	loads();
	assert_int_equal(zero_page()->hdr.ramdisk_image,
			 ROUND_DOWN(top - sizeof(initrd), PAGE_SIZE));
	hdr->initrd_addr_max = 40 * MIB - 1;
	refuses(-ENOMEM, "g0: initrd rd has 5242881 bytes, kernel vmlinuz takes that many only "
			 "below 0x2800000");
	hdr->initrd_addr_max = 0;
	assert_int_equal(load(), -ENOMEM);
}

static void a_command_line_that_the_kernel_cannot_take_is_refused(void **state)
{
	(void)state;
	hdr->cmdline_size = 27;
	refuses(-EINVAL, "g0: the command line has 28 bytes, kernel vmlinuz takes 27");
	hdr->cmdline_size = 28;
	loads();
}

static void a_short_buffer_for_the_reason_is_not_overrun(void **state)
{
	char *small = malloc(4);

	(void)state;
	hdr->header = 0;
	load();
	assert_int_equal(load_kernel(&vm, &entry, small, 4), -EINVAL);
	assert_string_equal(small, "g0:");
	free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			the_kernel_lies_where_it_wants_to_and_is_entered_at_its_64_bit_entry,
			start),
		cmocka_unit_test_setup(the_zero_page_tells_of_initrd_and_command_line, start),
		cmocka_unit_test_setup(packets_go_on_while_files_are_copied, start),
		cmocka_unit_test_setup(without_an_initrd_none_is_told, start),
		cmocka_unit_test_setup(the_memory_map_has_what_is_ram_and_no_more, start),
		cmocka_unit_test_setup(memory_above_the_hole_is_told_as_well, start),
		cmocka_unit_test_setup(the_page_tables_map_4_gib_one_to_one, start),
		cmocka_unit_test_setup(the_gdt_has_code_at_0x10_and_data_at_0x18, start),
		cmocka_unit_test_setup(nothing_of_an_earlier_run_is_left_in_the_first_mib, start),
		cmocka_unit_test_setup(a_header_that_ends_early_brings_no_code_along, start),
		cmocka_unit_test_setup(what_is_not_in_the_archive_is_named, start),
		cmocka_unit_test_setup(what_is_no_kernel_is_refused, start),
		cmocka_unit_test_setup(a_damaged_kernel_is_refused, start),
		cmocka_unit_test_setup(every_truncation_is_refused, start),
		cmocka_unit_test_setup(too_little_memory_is_told_in_mib, start),
		cmocka_unit_test_setup(memory_is_not_touched_by_a_refusal, start),
		cmocka_unit_test_setup(the_initrd_stays_below_what_the_kernel_can_reach, start),
		cmocka_unit_test_setup(a_command_line_that_the_kernel_cannot_take_is_refused,
				       start),
		cmocka_unit_test_setup(a_short_buffer_for_the_reason_is_not_overrun, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
