/* SPDX-License-Identifier: MIT */
/*
 * pci.c - find PCI functions, reach their registers, hand them to drivers
 *
 * Called at boot by drivers_init() and by lspci, on core 0; configuration accesses also by msi.c.
 * Owns the list of functions. It sets memory decoding and bus mastering for a driver's function and
 * changes nothing else that the firmware has set.
 */
#include "pci.h"

#include "kernel/acpi.h"
#include "kernel/console.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/mem.h"
#include "kernel/selftest.h"
#include "kernel/x86.h"
#include "pci_regs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PCI_NO_VENDOR = 0xffff, ECAM_BUS = 1 << 20 };

#define MMIO_LIMIT \
	BIT(46) /* half of what 48-bit addresses reach; firmware puts nothing behind it */

const struct pci_access *pci_access;
struct pci_dev pci_devs[PCI_MAX_DEVICES];
unsigned pci_ndevs;

static unsigned ignored;     /* functions beyond PCI_MAX_DEVICES */
static uint8_t bus_seen[32]; /* a bit a bus: bridges that point in a circle are followed once */

/* --- the two ways into configuration space --- */

static volatile void *ecam_at(uint16_t bdf, unsigned off)
{
	return (volatile uint8_t *)(uintptr_t)acpi.ecam + ((uint64_t)bdf << 12) + off;
}

static uint32_t ecam_read(uint16_t bdf, unsigned off, unsigned size)
{
	volatile void *p = ecam_at(bdf, off);

	switch (size) {
	case 1: return *(volatile uint8_t *)p;
	case 2: return *(volatile uint16_t *)p;
	default: return *(volatile uint32_t *)p;
	}
}

static void ecam_write(uint16_t bdf, unsigned off, unsigned size, uint32_t v)
{
	volatile void *p = ecam_at(bdf, off);

	switch (size) {
	case 1: *(volatile uint8_t *)p = v; break;
	case 2: *(volatile uint16_t *)p = v; break;
	default: *(volatile uint32_t *)p = v; break;
	}
}

static struct spinlock cf8_lock; /* guards the pair of ports: address, then data */

static uint64_t cf8_begin(uint16_t bdf, unsigned off)
{
	uint64_t flags = irq_save();

	spin_lock(&cf8_lock);
	outl(PCI_CF8, PCI_CF8_ENABLE | (uint32_t)bdf << 8 | (off & 0xfc));
	return flags;
}

static void cf8_end(uint64_t flags)
{
	spin_unlock(&cf8_lock);
	irq_restore(flags);
}

static uint32_t cf8_read(uint16_t bdf, unsigned off, unsigned size)
{
	uint64_t flags = cf8_begin(bdf, off);
	uint16_t port = PCI_CFC + (off & 3);
	uint32_t v;

	switch (size) {
	case 1: v = inb(port); break;
	case 2: v = inw(port); break;
	default: v = inl(port); break;
	}
	cf8_end(flags);
	return v;
}

static void cf8_write(uint16_t bdf, unsigned off, unsigned size, uint32_t v)
{
	uint64_t flags = cf8_begin(bdf, off);
	uint16_t port = PCI_CFC + (off & 3);

	switch (size) {
	case 1: outb(port, v); break;
	case 2: outw(port, v); break;
	default: outl(port, v); break;
	}
	cf8_end(flags);
}

const struct pci_access pci_ecam = { .name = "ECAM", .read = ecam_read, .write = ecam_write };
const struct pci_access pci_cf8 = { .name = "CF8", .read = cf8_read, .write = cf8_write };

static uint8_t pci_read8(const struct pci_dev *pd, unsigned off)
{
	return pci_access->read(pd->bdf, off, 1);
}

uint16_t pci_read16(const struct pci_dev *pd, unsigned off)
{
	return pci_access->read(pd->bdf, off, 2);
}

uint32_t pci_read32(const struct pci_dev *pd, unsigned off)
{
	return pci_access->read(pd->bdf, off, 4);
}

void pci_write16(const struct pci_dev *pd, unsigned off, uint16_t v)
{
	pci_access->write(pd->bdf, off, 2, v);
}

void pci_write32(const struct pci_dev *pd, unsigned off, uint32_t v)
{
	pci_access->write(pd->bdf, off, 4, v);
}

void pci_command(const struct pci_dev *pd, uint16_t set, uint16_t clear)
{
	pci_write16(pd, PCI_COMMAND, (pci_read16(pd, PCI_COMMAND) & ~clear) | set);
}

/* --- capabilities and BARs --- */

unsigned pci_cap(const struct pci_dev *pd, uint8_t id)
{
	unsigned at;

	if (!(pci_read16(pd, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_read8(pd, PCI_CAP_POINTER) & ~3u;
	for (unsigned i = 0; at >= 0x40 && i < PCI_CAPS_MAX; i++) {
		if (pci_read8(pd, at + PCI_CAP_ID) == id)
			return at;
		at = pci_read8(pd, at + PCI_CAP_NEXT) & ~3u;
	}
	return 0;
}

/* bar_swap() - write @v into a BAR for a moment; returns what could be read back then. */
static uint32_t bar_swap(const struct pci_dev *pd, unsigned n, uint32_t v)
{
	uint32_t was = pci_read32(pd, PCI_BAR(n)), seen;

	pci_write32(pd, PCI_BAR(n), v);
	seen = pci_read32(pd, PCI_BAR(n));
	pci_write32(pd, PCI_BAR(n), was);
	return seen;
}

/*
 * learn_bar() - size BAR @n [PCI 6.2.5.1]; decoding is off, since all ones
 * stand in it for a moment.
 */
static struct pci_bar learn_bar(const struct pci_dev *pd, unsigned n)
{
	uint32_t lo = pci_read32(pd, PCI_BAR(n)), ones = bar_swap(pd, n, UINT32_MAX);
	struct pci_bar bar = { .io = lo & PCI_BAR_IO };
	uint64_t bits;

	if (bar.io) {
		bits = (ones & PCI_BAR_IO_MASK) | ~(uint64_t)UINT16_MAX;
		bar.addr = lo & PCI_BAR_IO_MASK;
	} else {
		bits = (ones & PCI_BAR_MEM_MASK) | ~(uint64_t)UINT32_MAX;
		bar.addr = lo & PCI_BAR_MEM_MASK;
		bar.wide = FIELD_GET(PCI_BAR_TYPE, lo) == PCI_BAR_TYPE_64 && n + 1 < PCI_NBARS;
	}
	if (bar.wide) {
		bits = (uint64_t)bar_swap(pd, n + 1, UINT32_MAX) << 32 | (uint32_t)bits;
		bar.addr |= (uint64_t)pci_read32(pd, PCI_BAR(n + 1)) << 32;
	}
	bar.size = ones & (bar.io ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK) ? ~bits + 1 : 0;
	return bar;
}

static void learn_bars(struct pci_dev *pd)
{
	uint16_t command = pci_read16(pd, PCI_COMMAND);

	pci_command(pd, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	for (unsigned n = 0; n < PCI_NBARS; n++) {
		pd->bar[n] = learn_bar(pd, n);
		n += pd->bar[n].wide;
	}
	pci_write16(pd, PCI_COMMAND, command);
}

void *pci_map_bar(const struct pci_dev *pd, unsigned n, uint64_t off, size_t len)
{
	struct pci_bar bar = { 0 };
	const char *why = NULL;

	if (n < PCI_NBARS)
		bar = pd->bar[n];
	if (!bar.size || bar.io)
		why = "is no memory";
	else if (!bar.addr)
		why = "was not assigned by the firmware";
	else if (off > bar.size || len > bar.size - off)
		why = "is smaller than the device's registers";
	else if (bar.addr >= MMIO_LIMIT || bar.size > MMIO_LIMIT - bar.addr)
		why = "lies beyond what can be mapped";
	if (why) {
		kprintf("pci %s: BAR %u %s; the device is not used\n", pd->name, n, why);
		return NULL;
	}
	return mmio_map(bar.addr + off, len);
}

/* --- finding functions --- */

static void scan_bus(unsigned bus);

static void add_function(uint16_t bdf)
{
	struct pci_dev probe = { .bdf = bdf }, *pd = &probe;

	if (pci_ndevs < PCI_MAX_DEVICES)
		pd = &pci_devs[pci_ndevs++];
	else
		ignored++;
	*pd = (struct pci_dev){
		.bdf = bdf,
		.vendor = pci_read16(&probe, PCI_VENDOR_ID),
		.device = pci_read16(&probe, PCI_DEVICE_ID),
		.class = pci_read32(&probe, PCI_CLASS) >> 8,
		.revision = pci_read8(&probe, PCI_REVISION),
		.layout = pci_read8(&probe, PCI_HEADER_TYPE) & PCI_HEADER_LAYOUT,
	};
	snprintf(pd->name, sizeof(pd->name), "0000:%02x:%02x.%x", bdf >> 8, bdf >> 3 & 31, bdf & 7);
	if (pd->layout == 0) {
		pd->subvendor = pci_read16(pd, PCI_SUBSYSTEM_VENDOR_ID);
		pd->subdevice = pci_read16(pd, PCI_SUBSYSTEM_ID);
		learn_bars(pd);
	} else if (pd->layout == 1) {
		scan_bus(pci_read8(pd, PCI_SECONDARY_BUS));
	}
}

/*
 * scan_bus() - every function of a bus, and of the buses behind it. Each bus once,
 * so the depth is bounded.
 */
static void scan_bus(unsigned bus)
{
	if (bus_seen[bus / 8] & BIT(bus % 8))
		return;
	bus_seen[bus / 8] |= BIT(bus % 8);
	if (pci_access == &pci_ecam) {
		if (bus < acpi.ecam_bus_start || bus > acpi.ecam_bus_end)
			return;
		mmio_map(acpi.ecam + (uint64_t)bus * ECAM_BUS, ECAM_BUS);
	}
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		const struct pci_dev fn0 = { .bdf = bus << 8 | (devfn & ~7u) };
		const struct pci_dev fn = { .bdf = bus << 8 | devfn };

		if (devfn & 7 && !(pci_read8(&fn0, PCI_HEADER_TYPE) & PCI_HEADER_MULTI))
			continue;
		if (pci_read16(&fn, PCI_VENDOR_ID) != PCI_NO_VENDOR)
			add_function(fn.bdf);
		else if (!(devfn & 7))
			devfn |= 7; /* no function 0: no device */
	}
}

void pci_init(void)
{
	if (!pci_access)
		pci_access = acpi.ecam ? &pci_ecam : &pci_cf8;
	memset(bus_seen, 0, sizeof(bus_seen));
	pci_ndevs = ignored = 0;
	scan_bus(0);
	kprintf("pci: %u functions by %s\n", pci_ndevs, pci_access->name);
	if (ignored)
		kprintf("pci: %u more are ignored, the list holds %u\n", ignored, PCI_MAX_DEVICES);
}

static bool matches(const struct pci_driver *drv, const struct pci_dev *pd)
{
	for (const struct pci_id *id = drv->ids; id->vendor; id++)
		if (id->vendor == pd->vendor && id->device == pd->device)
			return true;
	return false;
}

void pci_probe(const struct pci_driver *const *drivers, size_t n)
{
	for (unsigned i = 0; i < pci_ndevs; i++) {
		struct pci_dev *pd = &pci_devs[i];

		for (size_t d = 0; d < n && !pd->driver; d++)
			if (matches(drivers[d], pd) && drivers[d]->probe(pd) == 0)
				pd->driver = drivers[d];
	}
}

/* every function's ids read both ways, ECAM and CF8; without ECAM there is nothing to compare */
static int selftest(struct shell *sh)
{
	int err = 0;

	(void)sh;
	if (!acpi.ecam)
		return -ENODEV;
	for (unsigned i = 0; i < pci_ndevs; i++) {
		uint32_t a = pci_ecam.read(pci_devs[i].bdf, PCI_VENDOR_ID, 4);
		uint32_t b = pci_cf8.read(pci_devs[i].bdf, PCI_VENDOR_ID, 4);

		if (a == b)
			continue;
		kprintf("pci %s: ECAM reads %08x, CF8 reads %08x\n", pci_devs[i].name, a, b);
		err = -EIO;
	}
	return err;
}

SELFTEST(selftest_pci, .name = "pci", .help = "ECAM and 0xCF8 read the same ids", .run = selftest);
