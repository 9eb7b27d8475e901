/* SPDX-License-Identifier: MIT */
/* fake_pci.c - configuration space for unit tests; fake_pci.h says what it plays */
#include "fake_pci.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/acpi.h"
#include "kernel/bits.h"
#include "drivers/pci_regs.h"

enum { FUNCTIONS = 80, ALIGN = 1024 * 1024 };

__attribute__((weak)) struct acpi_info acpi;
unsigned fake_pci_sized_while_on;

static struct fake_pci_fn functions[FUNCTIONS];

static struct fake_pci_fn *find(uint16_t bdf)
{
	for (unsigned i = 0; i < FUNCTIONS; i++)
		if (functions[i].present && functions[i].bdf == bdf)
			return &functions[i];
	return NULL;
}

static uint32_t fake_read(uint16_t bdf, unsigned off, unsigned size)
{
	struct fake_pci_fn *fn = find(bdf);
	uint32_t v = UINT32_MAX;

	if (fn) {
		v = 0;
		memcpy(&v, fn->cfg + off, size);
	}
	return size == 4 ? v : v & (BIT(8 * size) - 1);
}

static void write_bar(struct fake_pci_fn *fn, unsigned n, uint32_t v)
{
	uint32_t type = fake_pci_get32(fn, PCI_BAR(n)) & ~fn->bar_mask[n] & 0xf;

	if (v == UINT32_MAX &&
	    fake_pci_get16(fn, PCI_COMMAND) & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO))
		fake_pci_sized_while_on++;
	fake_pci_set32(fn, PCI_BAR(n), (v & fn->bar_mask[n]) | type);
}

static void fake_write(uint16_t bdf, unsigned off, unsigned size, uint32_t v)
{
	struct fake_pci_fn *fn = find(bdf);

	if (!fn)
		return;
	if (off >= PCI_BAR(0) && off < PCI_BAR(PCI_NBARS))
		write_bar(fn, (off - PCI_BAR(0)) / 4, v);
	else
		memcpy(fn->cfg + off, &v, size);
}

static const struct pci_access fake = { .name = "fake", .read = fake_read, .write = fake_write };

void fake_pci_start(void)
{
	memset(functions, 0, sizeof(functions));
	memset(pci_devs, 0, sizeof(pci_devs));
	pci_ndevs = 0;
	fake_pci_sized_while_on = 0;
	pci_access = &fake;
}

struct fake_pci_fn *fake_pci_add(uint16_t bdf, uint16_t vendor, uint16_t device, uint32_t class)
{
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		struct fake_pci_fn *fn = &functions[i];

		if (fn->present)
			continue;
		fn->present = true;
		fn->bdf = bdf;
		fake_pci_set16(fn, PCI_VENDOR_ID, vendor);
		fake_pci_set16(fn, PCI_DEVICE_ID, device);
		fake_pci_set32(fn, PCI_CLASS, class << 8);
		return fn;
	}
	abort();
}

void fake_pci_bar(struct fake_pci_fn *fn, unsigned n, void *p, uint32_t size, bool wide)
{
	uint64_t addr = (uintptr_t)p;

	fn->bar_mask[n] = ~(size - 1);
	fake_pci_set32(fn, PCI_BAR(n), (uint32_t)addr | (wide ? PCI_BAR_TYPE_64 << 1 : 0));
	if (wide) {
		fn->bar_mask[n + 1] = UINT32_MAX;
		fake_pci_set32(fn, PCI_BAR(n + 1), addr >> 32);
	}
}

void fake_pci_cap(struct fake_pci_fn *fn, uint8_t at, uint8_t id)
{
	fake_pci_set16(fn, PCI_STATUS, fake_pci_get16(fn, PCI_STATUS) | PCI_STATUS_CAP_LIST);
	fn->cfg[at + PCI_CAP_ID] = id;
	fn->cfg[at + PCI_CAP_NEXT] = fn->cfg[PCI_CAP_POINTER];
	fn->cfg[PCI_CAP_POINTER] = at;
}

void fake_pci_set16(struct fake_pci_fn *fn, unsigned off, uint16_t v)
{
	memcpy(fn->cfg + off, &v, sizeof(v));
}

void fake_pci_set32(struct fake_pci_fn *fn, unsigned off, uint32_t v)
{
	memcpy(fn->cfg + off, &v, sizeof(v));
}

uint16_t fake_pci_get16(const struct fake_pci_fn *fn, unsigned off)
{
	uint16_t v;

	memcpy(&v, fn->cfg + off, sizeof(v));
	return v;
}

uint32_t fake_pci_get32(const struct fake_pci_fn *fn, unsigned off)
{
	uint32_t v;

	memcpy(&v, fn->cfg + off, sizeof(v));
	return v;
}

void *fake_pci_memory(size_t bytes)
{
	size_t len = ROUND_UP(bytes, (size_t)ALIGN) + ALIGN;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	if (p == MAP_FAILED)
		abort();
	return (void *)ROUND_UP((uintptr_t)p, (uintptr_t)ALIGN);
}
