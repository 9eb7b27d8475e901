/* SPDX-License-Identifier: MIT */
/*
 * main.c - BOOTX64.EFI: a menu, the kernel and an archive from the EFI system
 * partition, and into Weir
 *
 * The firmware calls efi_main() on one core with boot services on. All messages go to the
 * firmware's console, which is the screen, the serial line or both; Weir itself then speaks on the
 * first serial port. What is missing or damaged is said in a sentence: without an archive Weir
 * starts with no config, without a kernel the firmware goes on with what it has.
 */
#include <efi.h>
#include <efilib.h>

#include "elf.h"
#include "file.h"
#include "handover.h"
#include "settings.h"

enum {
	TICKS = 10,      /* looks at the keyboard a second */
	MAP_GROWTH = 16, /* descriptors that our own allocations may add */
	EXIT_TRIES = 8,  /* the map may be stale by then: an event came between */
};

#define SECOND 1000000 /* in the microseconds of Stall() */

#define KERNEL   L"\\boot\\weir.elf"
#define SETTINGS L"\\boot\\weir.cfg"

/* --- the menu --- */

static struct settings read_settings(void)
{
	struct settings s = settings_usual;
	struct settings_error error;
	struct file f;

	if (EFI_ERROR(file_read(SETTINGS, &f)))
		return s; /* it need not be there */
	settings_parse(f.data, f.len, &s, &error);
	if (error.line)
		Print(L"weir.cfg:%d: expected %a, found '%a'\r\n", error.line, error.expected,
		      error.found);
	file_free(&f);
	return s;
}

/* get_choice() - a key of the menu that was pressed, if any: then true. */
static BOOLEAN get_choice(unsigned *chosen)
{
	EFI_INPUT_KEY key;

	while (!EFI_ERROR(ST->ConIn->ReadKeyStroke(ST->ConIn, &key))) {
		if (key.UnicodeChar == L'\r')
			return TRUE;
		if (key.UnicodeChar >= L'1' && key.UnicodeChar < L'1' + nentries) {
			*chosen = key.UnicodeChar - L'1';
			return TRUE;
		}
	}
	return FALSE;
}

/*
 * menu() - which entry it shall be. Other keys do not stop the clock: a noisy serial line must not
 * keep Weir from starting.
 */
static const struct entry *menu(struct settings s)
{
	Print(L"\r\nWeir\r\n");
	for (unsigned i = 0; i < nentries; i++)
		Print(L"  %d  %a: %a\r\n", i + 1, entries[i].name, entries[i].title);
	Print(L"Press 1 to %d. In %d s, or by Enter: %a\r\n", nentries, s.timeout,
	      entries[s.chosen].name);
	for (unsigned t = 0; t < s.timeout * TICKS && !get_choice(&s.chosen); t++)
		BS->Stall(SECOND / TICKS);
	return &entries[s.chosen];
}

/* --- what Weir is given --- */

/*
 * load_kernel() - at the addresses that it is linked for, which must be free;
 * @entry is where its door is.
 */
static EFI_STATUS load_kernel(UINT64 *entry)
{
	struct elf_image image;
	struct file f;
	EFI_PHYSICAL_ADDRESS at;
	EFI_STATUS status = file_read(KERNEL, &f);
	const char *why;

	if (EFI_ERROR(status)) {
		Print(L"weir: %s cannot be read (%r)\r\n", KERNEL, status);
		return status;
	}
	why = elf_check(f.data, f.len, &image);
	if (why) {
		Print(L"weir: %s is damaged: %a\r\n", KERNEL, why);
		file_free(&f);
		return EFI_LOAD_ERROR;
	}
	at = image.base;
	status = BS->AllocatePages(AllocateAddress, EfiLoaderCode,
				   EFI_SIZE_TO_PAGES(image.end - image.base), &at);
	if (EFI_ERROR(status))
		Print(L"weir: the firmware does not give away memory from %lx to %lx, "
		      L"where the kernel must lie (%r)\r\n",
		      image.base, image.end, status);
	else
		elf_place(f.data, &image, (void *)at);
	*entry = image.entry;
	file_free(&f);
	return status;
}

static void load_archive(const struct entry *e, struct file *f)
{
	CHAR16 path[64];
	EFI_STATUS status;

	SPrint(path, sizeof(path), L"\\boot\\%a", e->archive);
	status = file_read(path, f);
	if (EFI_ERROR(status))
		Print(L"weir: %s cannot be read (%r); Weir starts without it\r\n", path, status);
}

static UINT64 find_rsdp(void)
{
	static const EFI_GUID acpi1 = ACPI_TABLE_GUID, acpi2 = ACPI_20_TABLE_GUID;
	UINT64 rsdp = 0;

	for (UINTN i = 0; i < ST->NumberOfTableEntries; i++) {
		EFI_CONFIGURATION_TABLE *t = &ST->ConfigurationTable[i];

		if (!CompareMem(&t->VendorGuid, &acpi2, sizeof(acpi2)))
			return (UINT64)t->VendorTable;
		if (!CompareMem(&t->VendorGuid, &acpi1, sizeof(acpi1)))
			rsdp = (UINT64)t->VendorTable;
	}
	return rsdp;
}

/* --- the way out --- */

/*
 * make_handover() - the block, with room for the memory map behind it, where entry.S reaches
 * it; NULL, having said why.
 */
static struct efi_handover *make_handover(const struct file *archive)
{
	EFI_PHYSICAL_ADDRESS at = HANDOVER_LIMIT;
	UINTN len = 0, key, step = 0;
	UINT32 version;
	EFI_STATUS status;
	struct efi_handover *h;

	BS->GetMemoryMap(&len, NULL, &key, &step, &version); /* too small: it says what it takes */
	len += MAP_GROWTH * step;
	status = BS->AllocatePages(AllocateMaxAddress, EfiLoaderData,
				   EFI_SIZE_TO_PAGES(sizeof(*h) + len), &at);
	if (EFI_ERROR(status)) {
		Print(L"weir: no memory for the firmware's memory map (%r)\r\n", status);
		return NULL;
	}
	h = (struct efi_handover *)at;
	*h = (struct efi_handover){
		.rsdp = find_rsdp(),
		.archive = (UINT64)archive->data,
		.archive_len = archive->len,
		.map = (UINT64)(h + 1),
		.map_len = len,
	};
	return h;
}

/*
 * leave_firmware() - end boot services with the map that is true at that moment [UEFI 2.10, 7.4.6].
 * Between map and end nothing may be allocated, nor printed; after a first try that fails only
 * these two services are left.
 */
static EFI_STATUS leave_firmware(EFI_HANDLE loader, struct efi_handover *h)
{
	UINTN room = h->map_len;
	EFI_STATUS status = EFI_ABORTED;

	for (unsigned i = 0; i < EXIT_TRIES && EFI_ERROR(status); i++) {
		UINTN key, step, len = room;
		UINT32 version;

		status = BS->GetMemoryMap(&len, (void *)h->map, &key, &step, &version);
		if (EFI_ERROR(status))
			return status;
		h->map_len = len;
		h->map_step = step;
		status = BS->ExitBootServices(loader, key);
	}
	return status;
}

static EFI_STATUS start(EFI_HANDLE loader, const struct entry *e)
{
	struct efi_handover *h;
	struct file archive;
	UINT64 entry;
	EFI_STATUS status = load_kernel(&entry);

	if (EFI_ERROR(status))
		return status;
	load_archive(e, &archive);
	h = make_handover(&archive);
	if (!h)
		return EFI_OUT_OF_RESOURCES;
	Print(L"weir: %a; Weir goes on at the first serial port, 115200 baud\r\n", e->name);
	status = leave_firmware(loader, h);
	if (EFI_ERROR(status))
		return status;
	((void(__attribute__((sysv_abi)) *)(struct efi_handover *))entry)(h);
	return EFI_ABORTED; /* never reached */
}

EFI_STATUS efi_main(EFI_HANDLE loader, EFI_SYSTEM_TABLE *table)
{
	EFI_STATUS status;

	InitializeLib(loader, table);
	status = file_open_volume(loader);
	if (EFI_ERROR(status)) {
		Print(L"weir: there are no files where this was started from (%r)\r\n", status);
		return status;
	}
	return start(loader, menu(read_settings()));
}
