/* SPDX-License-Identifier: MIT */
/* load_rig.c - what a kernel is loaded with in unit tests; load_rig.h says of what it consists */
#include "load_rig.h"

#include "tests/unit/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/archive.h"
#include "vmm/vacpi.h"

struct vm vm;
struct vcpu_entry entry;
char why[160];

static struct file {
	const char *name;
	const void *data;
	size_t len;
} file[2]; /* the kernel, the initrd */
static char *archive;
static size_t archive_len;

void vacpi_build(struct vm *v)
{
	memcpy(gpa_ptr(&v->mem, VACPI_TABLES, 8), "RSD PTR ", 8);
}

static void add(const char *name, const void *data, size_t size)
{
	size_t n = archive_len;

	archive = realloc(archive, n + 256 + size);
	memset(archive + n, 0, 256 + size);
	n += sprintf(archive + n, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", 1,
		     0100644, 0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0);
	strcpy(archive + n, name);
	n = ROUND_UP(n + strlen(name) + 1, 4);
	if (size)
		memcpy(archive + n, data, size);
	archive_len = ROUND_UP(n + size, 4);
}

void memory(unsigned mib)
{
	free(vm.mem.ram);
	gpa_map_init(&vm.mem, aligned_alloc(2 * MIB, (size_t)mib * MIB), (uint64_t)mib * MIB);
	memset(vm.mem.ram, 0xee, (size_t)mib * MIB);
}

void load_rig_start(const char *name, const void *kernel, size_t len, uint8_t *rd, size_t rd_len)
{
	host_cores(1);
	memory(64);
	strcpy(vm.name, "g0");
	strcpy(vm.kernel, name);
	strcpy(vm.initrd, "rd");
	for (size_t i = 0; i < rd_len; i++)
		rd[i] = i * 13;
	file[0] = (struct file){ name, kernel, len };
	file[1] = (struct file){ "rd", rd, rd_len };
}

int load_cut(size_t len)
{
	archive_len = 0;
	add(file[0].name, file[0].data, len);
	add(file[1].name, file[1].data, file[1].len);
	add("TRAILER!!!", NULL, 0);
	archive_init(archive, archive_len);
	why[0] = 0;
	return load_kernel(&vm, &entry, why, sizeof(why));
}

int load(void)
{
	return load_cut(file[0].len);
}

void loads(void)
{
	int err = load();

	assert_string_equal(why, "");
	assert_int_equal(err, 0);
}

void refuses(int err, const char *sentence)
{
	assert_int_equal(load(), err);
	assert_string_equal(why, sentence);
}
