/* SPDX-License-Identifier: MIT */
/*
 * cpio.h - the archive that a boot is handed: cpio in its "newc" format, as Linux's initramfs
 *
 * The whole archive is walked at each look, up to its trailer: one that is damaged behind the file
 * that was asked for is refused all the same, since nobody knows what else is damaged.
 */
#pragma once

#include <stddef.h>

/*
 * cpio_find() - where the regular file @name lies inside @archive; the last one if there are
 * several, as if they had been unpacked in turn. A leading ./ or / of the archive's names is
 * ignored.
 * @data, @size: the content, inside the archive, and its bytes. Left alone on failure.
 * Returns 0; -ENOENT if there is no such file; -EINVAL if the archive is damaged: cpio_reason()
 * says where.
 */
int cpio_find(const void *archive, size_t len, const char *name, const void **data, size_t *size);

/*
 * cpio_reason() - why cpio_find() last refused an archive: a sentence that names the offset. Core
 * 0.
 */
const char *cpio_reason(void);
