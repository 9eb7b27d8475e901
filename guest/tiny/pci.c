/* SPDX-License-Identifier: MIT */
/*
 * pci.c - configuration space, capabilities, BARs, the MSI-X table. At
 * set-up, by the drivers' probe.
 */
#include "pci.h"

#include "apic.h"
#include "cpu.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_ENABLE  BIT(31)
#define CONFIG_DATA    0xcfc

enum { SLOTS = 32, CAPS_MAX = 48 }; /* more capabilities than 48: the list runs in a circle */

/* an entry of the MSI-X table [PCI 3.0 6.8.2] */
enum {
	MSIX_ADDRESS = 0,
	MSIX_ADDRESS_HI = 4,
	MSIX_DATA = 8,
	MSIX_ENTRY_CONTROL = 12,
	MSIX_ENTRY = 16
};
#define MSI_DEST(id) (APIC_BASE | (uint32_t)(id) << 12)

/* select() - the port behind which register @off stands */
static uint16_t select(const struct pci_dev *d, unsigned off)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | d->slot << 11 | ROUND_DOWN(off, 4));
	return CONFIG_DATA + off % 4;
}

uint8_t pci_read8(const struct pci_dev *d, unsigned off)
{
	return inb(select(d, off));
}

uint16_t pci_read16(const struct pci_dev *d, unsigned off)
{
	return inw(select(d, off));
}

uint32_t pci_read32(const struct pci_dev *d, unsigned off)
{
	return inl(select(d, off));
}

void pci_write16(const struct pci_dev *d, unsigned off, uint16_t v)
{
	outw(select(d, off), v);
}

void pci_write32(const struct pci_dev *d, unsigned off, uint32_t v)
{
	outl(select(d, off), v);
}

bool pci_find(struct pci_dev *d, uint8_t *slot, uint16_t vendor, uint16_t device)
{
	while (++*slot < SLOTS) {
		*d = (struct pci_dev){ .slot = *slot, .device = device };
		if (pci_read16(d, PCI_VENDOR_ID) == vendor &&
		    pci_read16(d, PCI_DEVICE_ID) == device)
			return true;
	}
	return false;
}

unsigned pci_next_cap(const struct pci_dev *d, unsigned from, uint8_t id)
{
	unsigned at = from ? from + 1U : PCI_CAP_POINTER;

	if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	for (int i = 0; i < CAPS_MAX; i++) {
		unsigned cap = pci_read8(d, at) & ~3U;

		if (!cap || pci_read8(d, cap) == id)
			return cap;
		at = cap + 1;
	}
	return 0;
}

bool pci_region(const struct pci_dev *d, unsigned bar, uint32_t off, uint32_t len, struct region *r)
{
	uint32_t low = pci_read32(d, PCI_BAR(bar));
	uint64_t base = low & BITS(31, 4);

	*r = (struct region){ .len = len };
	if (low & BAR_IO) {
		r->port = (low & BITS(15, 2)) + off;
		return low & BITS(15, 2);
	}
	if (FIELD_GET(BAR_TYPE, low) == BAR_TYPE_64)
		base |= (uint64_t)pci_read32(d, PCI_BAR(bar + 1)) << 32;
	if (base)
		r->mem = ioremap(base + off, len);
	return r->mem;
}

void msix_init(struct pci_dev *d)
{
	unsigned cap = pci_next_cap(d, 0, PCI_CAP_ID_MSIX);
	struct region r;
	uint32_t table;

	d->msix = NULL;
	d->msix_size = 0;
	if (!cap)
		return;
	d->msix_cap = cap;
	d->msix_size = FIELD_GET(MSIX_TABLE_SIZE, pci_read16(d, cap + MSIX_CONTROL)) + 1;
	table = pci_read32(d, cap + MSIX_TABLE);
	if (pci_region(d, FIELD_GET(MSIX_TABLE_BAR, table), table & MSIX_TABLE_OFFSET,
		       d->msix_size * MSIX_ENTRY, &r))
		d->msix = r.mem;
}

void msix_enable(const struct pci_dev *d, bool on)
{
	if (d->msix)
		pci_write16(d, d->msix_cap + MSIX_CONTROL, on ? MSIX_ENABLE : 0);
}

void msix_set(const struct pci_dev *d, unsigned n, unsigned vector)
{
	volatile uint8_t *entry = d->msix + n * MSIX_ENTRY;

	writel(entry + MSIX_ADDRESS, MSI_DEST(apic_id()));
	writel(entry + MSIX_ADDRESS_HI, 0);
	writel(entry + MSIX_DATA, vector);
	writel(entry + MSIX_ENTRY_CONTROL, 0); /* not masked */
}

uint8_t ioread8(const struct region *r, unsigned off)
{
	return r->mem ? readb(r->mem + off) : inb(r->port + off);
}

uint16_t ioread16(const struct region *r, unsigned off)
{
	return r->mem ? readw(r->mem + off) : inw(r->port + off);
}

uint32_t ioread32(const struct region *r, unsigned off)
{
	return r->mem ? readl(r->mem + off) : inl(r->port + off);
}

void iowrite8(const struct region *r, unsigned off, uint8_t v)
{
	if (r->mem)
		writeb(r->mem + off, v);
	else
		outb(r->port + off, v);
}

void iowrite16(const struct region *r, unsigned off, uint16_t v)
{
	if (r->mem)
		writew(r->mem + off, v);
	else
		outw(r->port + off, v);
}

void iowrite32(const struct region *r, unsigned off, uint32_t v)
{
	if (r->mem)
		writel(r->mem + off, v);
	else
		outl(r->port + off, v);
}
