/* SPDX-License-Identifier: MIT */
/* links: boot/efi/elf.c tests/unit/host.c */
/*
 * test_efi_elf.c - the kernel's file as BOOTX64.EFI sees it: whole, damaged
 * anywhere, cut short anywhere
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "boot/efi/elf.h"
#include "boot/efi/handover.h"

enum { BASE = 0x200000, TEXT_AT = 0x200, DATA_AT = 0x300, NOTE_AT = 0x100, SIZE = 0x380 };

struct note {
	Elf64_Nhdr header;
	char name[8];
	uint32_t entry;
};

/* a small kernel: text, data with .bss, two notes of which the second is ours */
static struct kernel {
	Elf64_Ehdr e;
	Elf64_Phdr p[3];
	uint8_t rest[SIZE - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr)];
} file;

static struct elf_image image;

static void *at(unsigned offset)
{
	return (char *)&file + offset;
}

static int start(void **state)
{
	struct note notes[2] = {
		{ { 4, 4, 18 }, "Xen", 0x1234 },
		{ { sizeof(HANDOVER_NOTE_NAME), 4, HANDOVER_NOTE }, HANDOVER_NOTE_NAME, BASE + 8 },
	};

	(void)state;
	memset(&file, 0, sizeof(file));
	memcpy(file.e.e_ident, ELFMAG, SELFMAG);
	file.e.e_ident[EI_CLASS] = ELFCLASS64;
	file.e.e_machine = EM_X86_64;
	file.e.e_phoff = sizeof(file.e);
	file.e.e_phentsize = sizeof(Elf64_Phdr);
	file.e.e_phnum = 3;
	file.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_offset = TEXT_AT,
				  .p_paddr = BASE,
				  .p_filesz = 0x100,
				  .p_memsz = 0x100 };
	file.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				  .p_offset = DATA_AT,
				  .p_paddr = BASE + 0x1000,
				  .p_filesz = 0x80,
				  .p_memsz = 0x1001 };
	/*
	 * the Xen note has a name of 4 bytes: its second half is where the
	 * first one's description goes
	 */
	memcpy(at(NOTE_AT), &notes[0].header, sizeof(notes[0].header));
	memcpy(at(NOTE_AT + 12), "Xen", 4);
	memcpy(at(NOTE_AT + 16), &notes[0].entry, 4);
	memcpy(at(NOTE_AT + 20), &notes[1], sizeof(notes[1]));
	file.p[2] = (Elf64_Phdr){ .p_type = PT_NOTE,
				  .p_offset = NOTE_AT,
				  .p_filesz = 20 + sizeof(notes[1]) };
	memset(at(TEXT_AT), 0x11, 0x100);
	memset(at(DATA_AT), 0x22, 0x80);
	return 0;
}

/* check() - the first @len bytes, in a block of exactly that size. */
static const char *check(size_t len)
{
	char *copy = malloc(len ? len : 1);
	const char *why;

	memcpy(copy, &file, len);
	why = elf_check(copy, len, &image);
	free(copy);
	return why;
}

static void a_whole_one_says_where_it_lies_and_where_it_is_entered(void **state)
{
	(void)state;
	assert_null(check(SIZE));
	assert_int_equal(image.base, BASE);
	assert_int_equal(image.end, BASE + 0x3000); /* a byte of .bss takes a page */
	assert_int_equal(image.entry, BASE + 8);
}

static void its_parts_are_placed_and_the_rest_is_zero(void **state)
{
	uint8_t *to = malloc(0x3000);

	(void)state;
	memset(to, 0xee, 0x3000);
	assert_null(check(SIZE));
	elf_place(&file, &image, to);
	for (unsigned i = 0; i < 0x3000; i++)
		assert_int_equal(to[i], i < 0x100 ? 0x11 : i >= 0x1000 && i < 0x1080 ? 0x22 : 0);
	free(to);
}

static void one_cut_short_is_refused_wherever_it_ends(void **state)
{
	(void)state;
	for (size_t len = 0; len < SIZE; len++)
		assert_non_null(check(len));
	assert_string_equal(check(3), "it is no ELF file");
	assert_string_equal(check(sizeof(file.e)), "it ends before its program headers");
	assert_string_equal(check(SIZE - 1), "it ends inside a segment");
}

static void other_files_are_told_apart(void **state)
{
	(void)state;
	file.e.e_machine = EM_AARCH64;
	assert_string_equal(check(SIZE), "it is no ELF file for x86-64");
	file.e.e_machine = EM_X86_64;
	file.e.e_ident[EI_CLASS] = ELFCLASS32;
	assert_string_equal(check(SIZE), "it is no ELF file for x86-64");
	file.e.e_ident[0] = 0;
	assert_string_equal(check(SIZE), "it is no ELF file");
}

static void numbers_that_wrap_around_are_refused(void **state)
{
	static const uint64_t far[] = { UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63, SIZE + 8 };

	(void)state;
	for (unsigned i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		start(NULL);
		file.e.e_phoff = far[i];
		assert_non_null(check(SIZE));
		start(NULL);
		file.p[0].p_offset = far[i];
		assert_string_equal(check(SIZE), "it ends inside a segment");
		start(NULL);
		file.p[0].p_filesz = far[i];
		assert_string_equal(check(SIZE), "it ends inside a segment");
		start(NULL);
		file.p[2].p_filesz = far[i];
		assert_string_equal(check(SIZE), "it ends inside a segment");
	}
	for (unsigned i = 0; i < 3; i++) {
		start(NULL);
		file.p[0].p_memsz = far[i];
		assert_string_equal(check(SIZE), "a segment is damaged");
		start(NULL);
		file.p[0].p_paddr = far[i];
		assert_string_equal(check(SIZE), "a segment is damaged");
	}
	start(NULL);
	file.p[0].p_memsz = 0xff; /* less than the file has of it */
	assert_string_equal(check(SIZE), "a segment is damaged");
}

static void without_its_note_it_has_no_entry(void **state)
{
	static const char none[] = "it has no entry for this loader";
	Elf64_Nhdr *ours = at(NOTE_AT + 20);

	(void)state;
	ours->n_type = 2;
	assert_string_equal(check(SIZE), none);
	start(NULL);
	memcpy(at(NOTE_AT + 20 + 12), "Wear", 5);
	assert_string_equal(check(SIZE), none);
	start(NULL);
	ours->n_namesz = UINT32_MAX; /* longer than all notes */
	assert_string_equal(check(SIZE), none);
	start(NULL);
	ours->n_descsz = UINT32_MAX;
	assert_string_equal(check(SIZE), none);
	start(NULL);
	*(uint32_t *)at(NOTE_AT + 20 + 20) = BASE + 0x3000; /* right behind the image */
	assert_string_equal(check(SIZE), none);
	start(NULL);
	file.p[0].p_type = file.p[1].p_type = PT_NULL; /* nothing to load at all */
	assert_string_equal(check(SIZE), none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_one_says_where_it_lies_and_where_it_is_entered,
				       start),
		cmocka_unit_test_setup(its_parts_are_placed_and_the_rest_is_zero, start),
		cmocka_unit_test_setup(one_cut_short_is_refused_wherever_it_ends, start),
		cmocka_unit_test_setup(other_files_are_told_apart, start),
		cmocka_unit_test_setup(numbers_that_wrap_around_are_refused, start),
		cmocka_unit_test_setup(without_its_note_it_has_no_entry, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
