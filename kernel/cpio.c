/* SPDX-License-Identifier: MIT */
/*
 * cpio.c - the newc reader
 *
 * Called on core 0 at boot, on memory that a loader filled: every number in it is checked before it
 * is used. An entry is a header of 110 characters, the name, padding to 4, the content, padding to
 * 4; an entry named TRAILER!!! ends the archive. What follows that is the loader's padding.
 */
#include "cpio.h"

#include "bits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	HEADER = 110,
	MAGIC = 6,
	FIELD = 8,      /* hexadecimal digits */
	FIELD_MODE = 1, /* by number, behind the magic */
	FIELD_FILESIZE = 6,
	FIELD_NAMESIZE = 11, /* the closing NUL included */
	NAME_MAX_BYTES = 4096,
	MODE_TYPE = 0170000,
	MODE_REGULAR = 0100000,
};

struct entry {
	const char *name; /* inside the archive, NUL-terminated */
	const char *data;
	size_t size;
	uint32_t mode;
	size_t next; /* offset of the entry behind it */
};

static char reason[128];

const char *cpio_reason(void)
{
	return reason;
}

static int __attribute__((format(printf, 2, 3))) damaged(size_t offset, const char *fmt, ...)
{
	int n = snprintf(reason, sizeof(reason),
			 "archive damaged at offset %lu: ", (unsigned long)offset);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason + n, sizeof(reason) - n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int field_get(const char *archive, size_t off, unsigned nr, uint32_t *out)
{
	size_t at = off + MAGIC + nr * FIELD;
	uint32_t v = 0;

	for (unsigned i = 0; i < FIELD; i++) {
		char c = archive[at + i], low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (low - 'a' + 10);
		else
			return damaged(at + i, "no hexadecimal digit in a header");
	}
	*out = v;
	return 0;
}

/* entry_read() - the entry whose header stands at @off; off <= len. */
static int entry_read(const char *archive, size_t len, size_t off, struct entry *e)
{
	uint32_t mode, filesize, namesize;
	size_t name = off + HEADER, data;

	if (len - off < HEADER)
		return damaged(off, "it ends where a header should stand");
	if (memcmp(archive + off, "070701", MAGIC))
		return damaged(off, "no header of the newc format (070701)");
	if (field_get(archive, off, FIELD_MODE, &mode) ||
	    field_get(archive, off, FIELD_FILESIZE, &filesize) ||
	    field_get(archive, off, FIELD_NAMESIZE, &namesize))
		return -EINVAL;
	if (namesize < 2 || namesize > NAME_MAX_BYTES)
		return damaged(off, "a name of %lu bytes", (unsigned long)namesize);
	if (len - name < namesize)
		return damaged(name, "it ends inside a name");
	if (memchr(archive + name, 0, namesize) != archive + name + namesize - 1)
		return damaged(name, "a name without its end");
	data = ROUND_UP(name + namesize, 4);
	if (data > len || len - data < filesize)
		return damaged(MIN(data, len), "it ends inside '%.32s', which has %lu bytes",
			       archive + name, (unsigned long)filesize);
	*e = (struct entry){ .name = archive + name,
			     .data = archive + data,
			     .size = filesize,
			     .mode = mode,
			     .next = ROUND_UP(data + filesize, 4) };
	return 0;
}

static bool name_matches(const char *have, const char *want)
{
	if (have[0] == '.' && have[1] == '/')
		have++;
	while (*have == '/')
		have++;
	return strcmp(have, want) == 0;
}

int cpio_find(const void *archive, size_t len, const char *name, const void **data, size_t *size)
{
	struct entry e = { 0 }, found = { 0 };

	reason[0] = 0;
	for (size_t off = 0;; off = e.next) {
		if (off > len) /* the content was whole, its padding was not */
			off = len;
		if (entry_read(archive, len, off, &e))
			return -EINVAL;
		if (strcmp(e.name, "TRAILER!!!") == 0)
			break;
		if ((e.mode & MODE_TYPE) == MODE_REGULAR && name_matches(e.name, name))
			found = e;
	}
	if (!found.name)
		return -ENOENT;
	*data = found.data;
	*size = found.size;
	return 0;
}
