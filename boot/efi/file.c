/* SPDX-License-Identifier: MIT */
/*
 * file.c - reading files with the firmware's own file system [UEFI 2.10, 13.4, 13.5]
 *
 * Called by main.c of the loader. A file is read in pieces: there is firmware that does not
 * like many megabytes at once.
 */
#include "file.h"

#include <efilib.h>

enum { PIECE = 1 << 20 };

static EFI_FILE_PROTOCOL *root;

EFI_STATUS file_open_volume(EFI_HANDLE loader)
{
	EFI_LOADED_IMAGE *image;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_STATUS status = BS->HandleProtocol(loader, &LoadedImageProtocol, (void **)&image);

	if (!EFI_ERROR(status))
		status = BS->HandleProtocol(image->DeviceHandle, &FileSystemProtocol,
					    (void **)&volume);
	if (!EFI_ERROR(status))
		status = volume->OpenVolume(volume, &root);
	return status;
}

static EFI_STATUS read_pieces(EFI_FILE_PROTOCOL *from, struct file *f)
{
	for (UINTN at = 0; at < f->len;) {
		UINTN n = f->len - at < PIECE ? f->len - at : PIECE;
		EFI_STATUS status = from->Read(from, &n, (UINT8 *)f->data + at);

		if (EFI_ERROR(status))
			return status;
		if (!n)
			return EFI_END_OF_FILE;
		at += n;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS read_all(EFI_FILE_PROTOCOL *from, struct file *f)
{
	EFI_FILE_INFO *info = LibFileInfo(from);
	EFI_PHYSICAL_ADDRESS at;
	EFI_STATUS status;

	if (!info)
		return EFI_DEVICE_ERROR;
	f->len = info->FileSize;
	FreePool(info);
	status = BS->AllocatePages(AllocateAnyPages, EfiLoaderData, EFI_SIZE_TO_PAGES(f->len), &at);
	if (EFI_ERROR(status))
		return status;
	f->data = (void *)at;
	status = read_pieces(from, f);
	if (EFI_ERROR(status))
		file_free(f);
	return status;
}

EFI_STATUS file_read(CHAR16 *path, struct file *f)
{
	EFI_FILE_PROTOCOL *from;
	EFI_STATUS status = root->Open(root, &from, path, EFI_FILE_MODE_READ, 0);

	*f = (struct file){ 0 };
	if (EFI_ERROR(status))
		return status;
	status = read_all(from, f);
	from->Close(from);
	return status;
}

void file_free(struct file *f)
{
	if (f->data)
		BS->FreePages((EFI_PHYSICAL_ADDRESS)f->data, EFI_SIZE_TO_PAGES(f->len));
	*f = (struct file){ 0 };
}
