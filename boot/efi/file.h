/* SPDX-License-Identifier: MIT */
/* file.h - whole files of the volume that the loader was started from */
#pragma once

#include <efi.h>

struct file {
	void *data; /* in pages of their own: file_free() gives them back, else they stay */
	UINTN len;
};

/*
 * file_open_volume() - the volume that @loader was read from; EFI_UNSUPPORTED if that
 * has no files, as a network.
 */
EFI_STATUS file_open_volume(EFI_HANDLE loader);

/*
 * file_read() - all of the file at @path. EFI_NOT_FOUND, EFI_OUT_OF_RESOURCES,
 * EFI_END_OF_FILE for one cut short, ...
 */
EFI_STATUS file_read(CHAR16 *path, struct file *f);
void file_free(struct file *f);
