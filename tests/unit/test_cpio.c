/* SPDX-License-Identifier: MIT */
/* links: kernel/cpio.c */
/*
 * test_cpio.c - the archive reader: finds what is there, refuses damage with its offset, survives
 * any bytes
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpio.h"

enum { REGULAR = 0100644, DIRECTORY = 040755, SYMLINK = 0120777 };

static char archive[4096];
static size_t len;
static const void *data;
static size_t size;

static void pad(void)
{
	while (len % 4)
		archive[len++] = 0;
}

static void add(const char *name, unsigned mode, const char *text)
{
	unsigned n = strlen(text), namesize = strlen(name) + 1;
	char header[111];

	snprintf(header, sizeof(header),
		 "070701%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0, 0, 1, 0,
		 n, 0, 0, 0, 0, namesize, 0);
	memcpy(archive + len, header, 110);
	len += 110;
	memcpy(archive + len, name, strlen(name) + 1);
	len += strlen(name) + 1;
	pad();
	memcpy(archive + len, text, n);
	len += n;
	pad();
}

static int start(void **state)
{
	(void)state;
	memset(archive, 0xee, sizeof(archive));
	len = 0;
	return 0;
}

static void three_files(void)
{
	add("bzImage", REGULAR, "kernel");
	add("weir.conf", REGULAR, "ip link set nic0 up\n");
	add("initrd", REGULAR, "x");
	add("TRAILER!!!", 0, "");
}

/* look() - from a heap block of exactly @n bytes, so that a read beyond it is seen. */
static int look(const char *name, size_t n)
{
	static char *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	memcpy(copy, archive, n);
	data = NULL;
	size = 0;
	return cpio_find(copy, n, name, &data, &size);
}

static void found(const char *text)
{
	assert_int_equal(size, strlen(text));
	assert_memory_equal(data, text, size);
}

static void damaged(size_t n, const char *reason)
{
	assert_int_equal(look("weir.conf", n), -EINVAL);
	assert_string_equal(cpio_reason(), reason);
	assert_null(data);
}

static void finds_each_file_with_its_bytes(void **state)
{
	(void)state;
	three_files();
	assert_int_equal(look("weir.conf", len), 0);
	found("ip link set nic0 up\n");
	assert_int_equal(look("bzImage", len), 0);
	found("kernel");
	assert_int_equal(look("initrd", len), 0);
	found("x");
}

static void says_when_it_is_not_there(void **state)
{
	(void)state;
	three_files();
	assert_int_equal(look("weir.con", len), -ENOENT);
	assert_int_equal(look("TRAILER!!!", len), -ENOENT);
	assert_string_equal(cpio_reason(), "");
}

static void takes_an_empty_file_and_an_empty_archive(void **state)
{
	(void)state;
	add("weir.conf", REGULAR, "");
	add("TRAILER!!!", 0, "");
	assert_int_equal(look("weir.conf", len), 0);
	assert_int_equal(size, 0);
	len = 0;
	add("TRAILER!!!", 0, "");
	assert_int_equal(look("weir.conf", len), -ENOENT);
}

static void ignores_a_leading_dot_or_slash_of_names(void **state)
{
	(void)state;
	add(".", DIRECTORY, "");
	add("./weir.conf", REGULAR, "one");
	add("/etc", REGULAR, "two");
	add("TRAILER!!!", 0, "");
	assert_int_equal(look("weir.conf", len), 0);
	found("one");
	assert_int_equal(look("etc", len), 0);
	found("two");
}

static void takes_the_last_of_a_name_and_only_regular_files(void **state)
{
	(void)state;
	add("weir.conf", REGULAR, "old");
	add("weir.conf", REGULAR, "new");
	add("weir.conf", SYMLINK, "elsewhere");
	add("dir", DIRECTORY, "");
	add("TRAILER!!!", 0, "");
	assert_int_equal(look("weir.conf", len), 0);
	found("new");
	assert_int_equal(look("dir", len), -ENOENT);
}

static void ignores_what_stands_behind_the_trailer(void **state)
{
	(void)state;
	three_files();
	assert_int_equal(look("weir.conf", len + 777), 0);
}

static void refuses_what_is_no_archive(void **state)
{
	(void)state;
	memcpy(archive,
	       "\x7f"
	       "ELF",
	       4);
	damaged(4096, "archive damaged at offset 0: no header of the newc format (070701)");
	damaged(0, "archive damaged at offset 0: it ends where a header should stand");
}

static void refuses_a_digit_that_is_none(void **state)
{
	(void)state;
	three_files();
	archive[6 + 6 * 8 + 3] = 'g'; /* of the first file's size */
	damaged(len, "archive damaged at offset 57: no hexadecimal digit in a header");
}

static void refuses_a_size_beyond_the_end(void **state)
{
	(void)state;
	three_files();
	memcpy(archive + 6 + 6 * 8, "FFFFFFFF", 8);
	damaged(len, "archive damaged at offset 120: it ends inside 'bzImage', which has "
		     "4294967295 bytes");
}

static void refuses_names_without_end_or_of_no_length(void **state)
{
	(void)state;
	three_files();
	archive[110 + 7] = 'x';
	damaged(len, "archive damaged at offset 110: a name without its end");
	archive[110 + 7] = 0;
	archive[110 + 3] = 0; /* ends too early: two names in one */
	damaged(len, "archive damaged at offset 110: a name without its end");
	archive[110 + 3] = 'a';
	memcpy(archive + 6 + 11 * 8, "00000001", 8);
	damaged(len, "archive damaged at offset 0: a name of 1 bytes");
	memcpy(archive + 6 + 11 * 8, "FFFFFFFF", 8);
	damaged(len, "archive damaged at offset 0: a name of 4294967295 bytes");
}

static void refuses_every_truncation(void **state)
{
	(void)state;
	three_files();
	for (size_t n = 0; n < len; n++) {
		assert_int_equal(look("weir.conf", n), -EINVAL);
		assert_non_null(strstr(cpio_reason(), "archive damaged at offset "));
	}
}

static void survives_any_damage(void **state)
{
	char good[sizeof(archive)];
	size_t whole;

	(void)state;
	three_files();
	whole = len;
	memcpy(good, archive, sizeof(good));
	srand(1);
	for (int turn = 0; turn < 20000; turn++) {
		int err;

		memcpy(archive, good, sizeof(good));
		for (int i = rand() % 4; i >= 0; i--)
			archive[rand() % whole] = rand() % 2 ? rand()
							     : "0123456789abcdefF"[rand() % 17];
		err = look("weir.conf", whole - (rand() % 3 ? 0 : rand() % whole));
		assert_true(err == 0 || err == -ENOENT || err == -EINVAL);
		if (err == 0 && size) /* inside the block: ASan sees if not */
			assert_true(((const char *)data)[0] + ((const char *)data)[size - 1] <
				    1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_each_file_with_its_bytes, start),
		cmocka_unit_test_setup(says_when_it_is_not_there, start),
		cmocka_unit_test_setup(takes_an_empty_file_and_an_empty_archive, start),
		cmocka_unit_test_setup(ignores_a_leading_dot_or_slash_of_names, start),
		cmocka_unit_test_setup(takes_the_last_of_a_name_and_only_regular_files, start),
		cmocka_unit_test_setup(ignores_what_stands_behind_the_trailer, start),
		cmocka_unit_test_setup(refuses_what_is_no_archive, start),
		cmocka_unit_test_setup(refuses_a_digit_that_is_none, start),
		cmocka_unit_test_setup(refuses_a_size_beyond_the_end, start),
		cmocka_unit_test_setup(refuses_names_without_end_or_of_no_length, start),
		cmocka_unit_test_setup(refuses_every_truncation, start),
		cmocka_unit_test_setup(survives_any_damage, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
