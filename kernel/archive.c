/* SPDX-License-Identifier: MIT */
/*
 * archive.c - where the boot archive is, and why a file of it is not to be had.
 * Core 0; owns the address.
 */
#include "archive.h"

#include "cpio.h"

#include <errno.h>
#include <stdio.h>

static const void *archive;
static size_t archive_len;
static char reason[256];

void archive_init(const void *a, size_t len)
{
	archive = a;
	archive_len = len;
}

int archive_file(const char *name, const void **data, size_t *len)
{
	int err = archive ? cpio_find(archive, archive_len, name, data, len) : -ENOENT;

	if (!archive)
		snprintf(reason, sizeof(reason), "no file %s: the boot handed over no archive",
			 name);
	else if (err == -ENOENT)
		snprintf(reason, sizeof(reason), "no file %s in the boot archive", name);
	else if (err)
		snprintf(reason, sizeof(reason), "no file %s: %s", name, cpio_reason());
	return err;
}

const char *archive_reason(void)
{
	return reason;
}
