/* SPDX-License-Identifier: MIT */
/* archive.h - the boot archive, for whoever needs a file of it: guests' kernels, filter programs */
#pragma once

#include <stddef.h>

/*
 * archive_init() - @archive, of @len bytes, is what the boot handed over; NULL if
 * nothing. Once, on core 0.
 */
void archive_init(const void *archive, size_t len);

/*
 * archive_file() - where file @name lies inside. 0, or -ENOENT or -EINVAL, and archive_reason() is
 * a sentence about why. Core 0.
 */
int archive_file(const char *name, const void **data, size_t *len);
const char *archive_reason(void);
