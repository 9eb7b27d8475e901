/* SPDX-License-Identifier: MIT */
/* links: vmm/load.c vmm/load_bzimage.c vmm/load_pvh.c vmm/entry.c kernel/archive.c kernel/cpio.c tests/unit/load_rig.c tests/unit/host.c */
/*
 * test_load_pvh.c - an ELF kernel in a guest's memory as PVH wants it, and a sentence
 * for each that is refused
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/load_rig.h"
#include "vmm/boot_params.h"
#include "vmm/load.h"
#include "vmm/pvh.h"
#include "vmm/vacpi.h"

enum { CODE_AT = 16 * MIB, CODE_LEN = 2 * MIB + 5, BSS = 3 * MIB + 100, DATA_AT = 24 * MIB };
enum { ENTRY = CODE_AT + 0x140, RD_LEN = MIB + 1 };
enum { NOTES = 0x200, CODE = 0x1000, DATA = CODE + CODE_LEN, FILE_LEN = DATA + 64 };
enum { SEGMENTS = 3 };

static uint8_t *file, initrd[RD_LEN];
static struct elf64_header *wide;
static struct elf32_header *narrow;
static struct elf64_segment *seg;
static struct elf_note *note;

/* --- fixture --- */

static void identify(uint8_t class, uint16_t machine)
{
	struct elf_ident *id = (struct elf_ident *)file;

	*id = (struct elf_ident){ .class = class, .data = 1, .version = 1, .type = 2 };
	memcpy(id->magic, ELF_MAGIC, 4);
	id->machine = machine;
}

/* write_note() - behind another one, as a linker puts them. */
static void write_note(void)
{
	struct elf_note *other = (struct elf_note *)(file + NOTES);

	*other = (struct elf_note){ 3, 7, NOTE_PHYS32_ENTRY }; /* a Go build's, say */
	memcpy(other + 1, "Go", 3);
	note = (struct elf_note *)(file + NOTES + sizeof(*other) + 4 + 8);
	*note = (struct elf_note){ sizeof(NOTE_XEN), 4, NOTE_PHYS32_ENTRY };
	memcpy(note + 1, NOTE_XEN, sizeof(NOTE_XEN));
	*((uint32_t *)(note + 1) + 1) = ENTRY;
}

static int start(void **state)
{
	(void)state;
	free(file);
	file = calloc(1, FILE_LEN);
	load_rig_start("vmlinux", file, FILE_LEN, initrd, sizeof(initrd));
	strcpy(vm.cmdline, "console=ttyS0");
	for (unsigned i = CODE; i < FILE_LEN; i++)
		file[i] = i * 7 + 1;
	identify(ELF_CLASS_64, ELF_MACHINE_X86_64);
	wide = (struct elf64_header *)file;
	wide->phoff = 64;
	wide->phentsize = sizeof(*seg);
	wide->phnum = SEGMENTS;
	seg = (struct elf64_segment *)(file + 64);
	seg[0] = (struct elf64_segment){ .type = ELF_LOAD,
					 .offset = CODE,
					 .vaddr = UINT64_MAX - CODE_AT,
					 .paddr = CODE_AT,
					 .filesz = CODE_LEN,
					 .memsz = CODE_LEN + BSS };
	seg[1] = (struct elf64_segment){ .type = ELF_NOTE, .offset = NOTES, .filesz = 0x40 };
	seg[2] = (struct elf64_segment){
		.type = ELF_LOAD, .offset = DATA, .paddr = DATA_AT, .filesz = 64, .memsz = 64
	};
	write_note();
	return 0;
}

/* narrow_it() - the same file as ELF32. */
static void narrow_it(void)
{
	struct elf64_segment was[SEGMENTS];
	struct elf32_segment *s;

	memcpy(was, seg, sizeof(was));
	memset(file, 0, NOTES);
	identify(ELF_CLASS_32, ELF_MACHINE_386);
	narrow = (struct elf32_header *)file;
	narrow->phoff = 52;
	narrow->phentsize = sizeof(*s);
	narrow->phnum = SEGMENTS;
	s = (struct elf32_segment *)(file + 52);
	for (unsigned i = 0; i < SEGMENTS; i++)
		s[i] = (struct elf32_segment){ .type = was[i].type,
					       .offset = was[i].offset,
					       .paddr = was[i].paddr,
					       .filesz = was[i].filesz,
					       .memsz = was[i].memsz };
}

static const struct hvm_start_info *info(void)
{
	return gpa_ptr(&vm.mem, entry.gpr[GPR_RBX], sizeof(struct hvm_start_info));
}

/* --- what a kernel finds --- */

static void segments_lie_at_their_physical_addresses(void **state)
{
	(void)state;
	loads();
	assert_memory_equal(gpa_ptr(&vm.mem, CODE_AT, CODE_LEN), file + CODE, CODE_LEN);
	for (unsigned at = CODE_LEN; at < CODE_LEN + BSS; at++)
		assert_int_equal(vm.mem.ram[CODE_AT + at], 0);
	assert_int_equal(vm.mem.ram[CODE_AT + CODE_LEN + BSS], 0xee);
	assert_memory_equal(gpa_ptr(&vm.mem, DATA_AT, 64), file + DATA, 64);
	assert_int_equal(vm.mem.ram[CODE_AT - 1], 0xee);
}

static void it_is_entered_in_protected_mode_without_paging(void **state)
{
	(void)state;
	loads();
	assert_int_equal(entry.rip, ENTRY);
	assert_true(entry.sregs.cr0 & BIT(0));
	assert_false(entry.sregs.cr0 & BIT(31));
	assert_int_equal(entry.sregs.efer, 0);
	assert_false(entry.sregs.seg[SEGMENT_CS].attr & SEG_L);
	assert_true(entry.sregs.seg[SEGMENT_CS].attr & SEG_DB);
}

static void start_info_tells_of_command_line_initrd_and_tables(void **state)
{
	const struct hvm_modlist_entry *m;

	(void)state;
	loads();
	assert_int_equal(info()->magic, START_INFO_MAGIC);
	assert_int_equal(info()->version, 1);
	assert_int_equal(info()->rsdp_paddr, VACPI_TABLES);
	assert_string_equal(gpa_ptr(&vm.mem, info()->cmdline_paddr, 64), vm.cmdline);
	assert_int_equal(info()->nr_modules, 1);
	m = gpa_ptr(&vm.mem, info()->modlist_paddr, sizeof(*m));
	assert_int_equal(m->paddr, ROUND_DOWN(64 * MIB - RD_LEN, PAGE_SIZE));
	assert_int_equal(m->size, RD_LEN);
	assert_memory_equal(gpa_ptr(&vm.mem, m->paddr, RD_LEN), initrd, RD_LEN);
	vm.initrd[0] = 0;
	loads();
	assert_int_equal(info()->nr_modules, 0);
	assert_int_equal(info()->modlist_paddr, 0);
}

static void the_memory_map_has_what_is_ram_and_no_more(void **state)
{
	const struct hvm_memmap_entry *e;

	(void)state;
	loads();
	assert_int_equal(info()->memmap_entries, 3);
	e = gpa_ptr(&vm.mem, info()->memmap_paddr, 3 * sizeof(*e));
	assert_int_equal(e[0].addr, 0);
	assert_int_equal(e[0].size, 0x9fc00);
	assert_int_equal(e[0].type, E820_RAM);
	assert_int_equal(e[1].type, E820_RESERVED);
	assert_int_equal(e[2].addr, MIB);
	assert_int_equal(e[2].size, 63 * MIB);
	assert_int_equal(e[2].type, E820_RAM);
}

static void a_32_bit_file_is_loaded_alike(void **state)
{
	(void)state;
	narrow_it();
	loads();
	assert_int_equal(entry.rip, ENTRY);
	assert_memory_equal(gpa_ptr(&vm.mem, CODE_AT, CODE_LEN), file + CODE, CODE_LEN);
	assert_memory_equal(gpa_ptr(&vm.mem, DATA_AT, 64), file + DATA, 64);
}

static void an_entry_of_eight_bytes_is_taken(void **state)
{
	(void)state;
	note->desc_len = 8;
	loads();
	assert_int_equal(entry.rip, ENTRY);
}

/* --- what is refused --- */

static void a_file_without_a_note_is_refused(void **state)
{
	static const char none[] = "g0: kernel vmlinux is an ELF file without a PVH entry";

	(void)state;
	note->type = 17;
	refuses(-EINVAL, none);
	note->type = NOTE_PHYS32_ENTRY;
	memcpy(note + 1, "Xan", 4);
	refuses(-EINVAL, none);
	memcpy(note + 1, NOTE_XEN, 4);
	note->desc_len = 2;
	refuses(-EINVAL, none);
	note->desc_len = UINT32_MAX;
	refuses(-EINVAL, none);
	note->desc_len = 4;
	note->name_len = UINT32_MAX;
	refuses(-EINVAL, none);
	note->name_len = 4;
	seg[1].type = 0;
	refuses(-EINVAL, none);
}

static void a_file_for_another_machine_is_refused(void **state)
{
	(void)state;
	identify(ELF_CLASS_64, 183);
	refuses(-EINVAL, "g0: kernel vmlinux is an ELF file, but not for x86");
}

static void a_damaged_file_is_refused(void **state)
{
	(void)state;
	*((uint32_t *)(note + 1) + 1) = CODE_AT - 1;
	refuses(-EINVAL, "g0: kernel vmlinux is damaged: nothing stands at its entry");
	*((uint32_t *)(note + 1) + 1) = ENTRY;
	seg[2].paddr = 0x8000;
	refuses(-EINVAL, "g0: kernel vmlinux is damaged: it wants 64 bytes loaded at 0x8000");
	seg[2].paddr = UINT64_MAX - 10;
	refuses(-EINVAL, "g0: kernel vmlinux is damaged: it wants 64 bytes loaded at "
			 "0xfffffffffffffff5");
	seg[2].paddr = DATA_AT;
	seg[2].memsz = UINT64_MAX;
	assert_int_equal(load_cut(FILE_LEN), -EINVAL);
	seg[2].memsz = 63; /* less than the file has */
	assert_int_equal(load_cut(FILE_LEN), -EINVAL);
	seg[2].memsz = 64;
	seg[2].offset = UINT64_MAX - 8;
	refuses(-EINVAL, "g0: kernel vmlinux is cut off: its segments are not all there");
	seg[2].offset = DATA;
	wide->phoff = UINT64_MAX - 8;
	refuses(-EINVAL, "g0: kernel vmlinux is cut off: its headers are not all there");
	wide->phoff = 64;
	wide->phnum = 0xffff;
	refuses(-EINVAL, "g0: kernel vmlinux is damaged: it has 65535 segments, told in 56 bytes "
			 "each");
	wide->phnum = SEGMENTS;
	wide->phentsize = 55;
	assert_int_equal(load_cut(FILE_LEN), -EINVAL);
	wide->phentsize = 56;
	wide->phnum = 0;
	assert_int_equal(load_cut(FILE_LEN), -EINVAL);
	wide->phnum = SEGMENTS;
	loads();
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t n = 0; n < FILE_LEN; n += n < 0x300 ? 1 : 49999) {
		assert_int_equal(load_cut(n), -EINVAL);
		assert_memory_equal(why, "g0: kernel vmlinux is ", 22);
	}
}

static void too_little_memory_is_told_and_nothing_is_touched(void **state)
{
	(void)state;
	memory(24);
	refuses(-ENOMEM,
		"g0: kernel vmlinux with initrd rd needs 26 MiB of memory, the guest has 24");
	for (size_t at = 0; at < 24 * MIB; at += 511)
		assert_int_equal(vm.mem.ram[at], 0xee);
	memory(26);
	loads();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(segments_lie_at_their_physical_addresses, start),
		cmocka_unit_test_setup(it_is_entered_in_protected_mode_without_paging, start),
		cmocka_unit_test_setup(start_info_tells_of_command_line_initrd_and_tables, start),
		cmocka_unit_test_setup(the_memory_map_has_what_is_ram_and_no_more, start),
		cmocka_unit_test_setup(a_32_bit_file_is_loaded_alike, start),
		cmocka_unit_test_setup(an_entry_of_eight_bytes_is_taken, start),
		cmocka_unit_test_setup(a_file_without_a_note_is_refused, start),
		cmocka_unit_test_setup(a_file_for_another_machine_is_refused, start),
		cmocka_unit_test_setup(a_damaged_file_is_refused, start),
		cmocka_unit_test_setup(every_truncation_is_refused, start),
		cmocka_unit_test_setup(too_little_memory_is_told_and_nothing_is_touched, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
