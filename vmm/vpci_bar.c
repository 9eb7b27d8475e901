/* SPDX-License-Identifier: MIT */
/*
 * vpci_bar.c - BARs: where a device answers on its guest's buses [PCI 6.2.5]
 *
 * Called by vpci.c, at creation in the control context and after each write to configuration space
 * on the vCPU's core. Owns what struct vpci_bar calls "by vpci.c" and the ranges of devices on
 * vm->ports and vm->memory.
 */
#include "vpci_parts.h"

#include "kernel/bits.h"

enum {
	ADDRESS_BITS = 52, /* no guest has more: a base behind it is a driver measuring the size */
	MEM_BAR_ALIGN = PAGE_SIZE, /* of BARs that we place: two devices share no page */
};

#define IO_LAST UINT64_C(0xffff)

static uint64_t bar_read(void *arg, uint64_t offset, unsigned size)
{
	struct vpci_bar *b = arg;

	return b->read(b->dev, offset, size);
}

static void bar_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	struct vpci_bar *b = arg;

	b->write(b->dev, offset, size, value);
}

static struct bus *bar_bus(const struct vpci_bar *b)
{
	struct vm *vm = b->dev->vm;

	return b->kind == VPCI_BAR_IO ? &vm->ports : &vm->memory;
}

static uint64_t bar_programmed(const struct vpci_dev *d, unsigned i)
{
	uint64_t low = vpci_get(d, PCI_BAR(i), 4);

	switch (d->bar[i].kind) {
	case VPCI_BAR_IO: return low & PCI_BAR_IO_MASK;
	case VPCI_BAR_MEM32: return low & PCI_BAR_MEM_MASK;
	case VPCI_BAR_MEM64:
		return (uint64_t)vpci_get(d, PCI_BAR(i + 1), 4) << 32 | (low & PCI_BAR_MEM_MASK);
	default: return 0;
	}
}

/*
 * Nothing answers at 0, and nothing where no address leads: all ones are
 * written to learn a BAR's size.
 */
static bool bar_decodes(const struct vpci_dev *d, unsigned i, uint64_t base)
{
	bool io = d->bar[i].kind == VPCI_BAR_IO;
	uint64_t last = base + d->bar[i].size - 1;

	if (!(vpci_command(d) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return false;
	return base && last <= (io ? IO_LAST : BITS(ADDRESS_BITS - 1, 0));
}

/* bar_update() - on the bus where config[] says, or off it. */
static void bar_update(struct vpci_dev *d, unsigned i)
{
	struct vpci_bar *b = &d->bar[i];
	uint64_t base = bar_programmed(d, i);
	bool on = bar_decodes(d, i, base);

	if (b->mapped && (!on || b->base != base)) {
		bus_del(bar_bus(b), b->base, b);
		b->mapped = false;
	}
	if (on && !b->mapped) {
		const struct bus_range r = { .base = base,
					     .len = b->size,
					     .name = d->name,
					     .read = bar_read,
					     .write = bar_write,
					     .arg = b,
					     .unlocked = b->unlocked };

		b->mapped = !bus_add(bar_bus(b), &r);
	}
	b->base = base;
}

void vpci_bars_update(struct vpci_dev *d)
{
	for (unsigned i = 0; i < VPCI_BARS; i++)
		if (d->bar[i].kind != VPCI_BAR_NONE)
			bar_update(d, i);
}

static void bar_go_home(struct vpci_dev *d, unsigned i)
{
	const struct vpci_bar *b = &d->bar[i];

	switch (b->kind) {
	case VPCI_BAR_NONE: break;
	case VPCI_BAR_IO: vpci_put(d, PCI_BAR(i), 4, b->home | PCI_BAR_IO); break;
	case VPCI_BAR_MEM32: vpci_put(d, PCI_BAR(i), 4, b->home); break;
	case VPCI_BAR_MEM64:
		vpci_put(d, PCI_BAR(i), 4, b->home | FIELD_PREP(PCI_BAR_TYPE, PCI_BAR_TYPE_64));
		vpci_put(d, PCI_BAR(i + 1), 4, b->home >> 32);
		break;
	}
}

/* The bits below its size read as zero, by that the guest learns the size. */
static void bar_allow(struct vpci_dev *d, unsigned i)
{
	const struct vpci_bar *b = &d->bar[i];

	if (b->kind == VPCI_BAR_NONE)
		return;
	vpci_allow(d, PCI_BAR(i), 4, ~(b->size - 1));
	if (b->kind == VPCI_BAR_MEM64)
		vpci_allow(d, PCI_BAR(i + 1), 4, UINT32_MAX);
}

bool vpci_bars_place(struct vpci *pci, struct vpci_dev *d)
{
	uint64_t io = pci->io_next, mem = pci->mem_next;

	for (unsigned i = 0; i < VPCI_BARS; i++) {
		struct vpci_bar *b = &d->bar[i];
		uint64_t *next = b->kind == VPCI_BAR_IO ? &io : &mem;
		uint32_t align = b->kind == VPCI_BAR_IO ? b->size : MAX(b->size, MEM_BAR_ALIGN);

		if (b->kind == VPCI_BAR_NONE)
			continue;
		b->dev = d;
		b->home = ROUND_UP(*next, align);
		*next = b->home + b->size;
	}
	if (io > VPCI_IO_BASE + VPCI_IO_SIZE || mem > VPCI_MEM_BASE + VPCI_MEM_SIZE)
		return false;
	pci->io_next = io;
	pci->mem_next = mem;
	return true;
}

void vpci_bars_allow(struct vpci_dev *d)
{
	for (unsigned i = 0; i < VPCI_BARS; i++)
		bar_allow(d, i);
}

void vpci_bars_go_home(struct vpci_dev *d)
{
	for (unsigned i = 0; i < VPCI_BARS; i++)
		bar_go_home(d, i);
}
