/* SPDX-License-Identifier: MIT */
/*
 * vpci.c - a guest's PCI bus: devices in their slots, and configuration space by
 * ports [PCI 3.2.2.3.2, 6.1]
 *
 * vpci_add() at a guest's creation, in the control context; vpci_reset() there or on a vCPU's core;
 * reads and writes on the vCPU's core while an exit is handled. All with vm->lock held, or with the
 * VM off. Owns struct vpci and config[] of its devices.
 */
#include "vpci.h"

#include "kernel/bits.h"
#include "kernel/console.h"
#include "vpci_parts.h"

#include <errno.h>

enum {
	HEADER_SIZE = 0x40, /* capabilities follow */
	PIN_INTA = 1,
	/* i440FX, an ordinary name for a host bridge */
	BRIDGE_VENDOR = 0x8086,
	BRIDGE_DEVICE = 0x1237,
	BRIDGE_CLASS = 0x06000002,
};

static uint64_t all_ones(unsigned size)
{
	return BITS(8 * size - 1, 0);
}

/* --- configuration space by ports [PCI 3.2.2.3.2] --- */

static struct vpci_dev *selected(const struct vpci *pci)
{
	uint32_t a = pci->address;
	unsigned slot = FIELD_GET(PCI_CF8_DEVICE, a);

	if (!(a & PCI_CF8_ENABLE) || a & (PCI_CF8_BUS | PCI_CF8_FUNCTION) || slot >= VPCI_DEVICES)
		return NULL;
	return pci->dev[slot];
}

static unsigned selected_register(const struct vpci *pci, uint64_t offset)
{
	return (pci->address & PCI_CF8_REGISTER) + offset % 4;
}

static bool is_address(uint64_t offset)
{
	return offset < VPCI_CONFIG_DATA - VPCI_CONFIG_ADDRESS;
}

uint64_t vpci_config_read(void *arg, uint64_t offset, unsigned size)
{
	struct vpci *pci = arg;
	struct vpci_dev *d = selected(pci);
	unsigned at = selected_register(pci, offset);

	/* anything but all of the address is another device's, that we do not have */
	if (is_address(offset))
		return offset == 0 && size == 4 ? pci->address : all_ones(size);
	if (!d)
		return all_ones(size);
	if (d->config_access)
		d->config_access(d, at, size, false);
	return vpci_get(d, at, size);
}

static void config_write(struct vpci_dev *d, unsigned at, unsigned size, uint32_t value)
{
	uint32_t mask = 0;

	memcpy(&mask, d->writable + at, size);
	vpci_put(d, at, size, (vpci_get(d, at, size) & ~mask) | (value & mask));
	vpci_bars_update(d);
	vpci_irq_update(d);
	if (d->config_access)
		d->config_access(d, at, size, true);
}

void vpci_config_write(void *arg, uint64_t offset, unsigned size, uint64_t value)
{
	struct vpci *pci = arg;
	struct vpci_dev *d = selected(pci);

	if (!is_address(offset)) {
		if (d)
			config_write(d, selected_register(pci, offset), size, value);
	} else if (offset == 0 && size == 4) {
		pci->address = value & (PCI_CF8_ENABLE | PCI_CF8_BUS | PCI_CF8_DEVICE |
					PCI_CF8_FUNCTION | PCI_CF8_REGISTER);
	}
}

/* --- devices come, and are reset --- */

unsigned vpci_add_cap(struct vpci_dev *d, const void *cap, unsigned len)
{
	unsigned at = d->cap_end;

	if (at + len > sizeof(d->config))
		panic("%s: no room for another PCI capability", d->name);
	memcpy(d->config + at, cap, len);
	d->config[at + PCI_CAP_NEXT] = 0;
	d->config[d->cap_last ? d->cap_last + PCI_CAP_NEXT : PCI_CAP_POINTER] = at;
	vpci_put(d, PCI_STATUS, 2, vpci_get(d, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
	d->cap_last = at;
	d->cap_end = ROUND_UP(at + len, 4u);
	return at;
}

/* header_init() - what no reset changes [PCI 6.1, 6.2]. */
static void header_init(struct vpci_dev *d)
{
	vpci_put(d, PCI_VENDOR_ID, 2, d->vendor);
	vpci_put(d, PCI_DEVICE_ID, 2, d->device);
	vpci_put(d, PCI_CLASS, 4, d->class);
	vpci_put(d, PCI_SUBSYSTEM_VENDOR_ID, 2, d->subsystem_vendor);
	vpci_put(d, PCI_SUBSYSTEM_ID, 2, d->subsystem);
	vpci_allow(d, PCI_COMMAND, 2,
		   PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
	vpci_bars_allow(d);
	if (d->slot == 0) /* a host bridge interrupts nobody */
		return;
	vpci_put(d, PCI_INTERRUPT_PIN, 1, PIN_INTA);
	vpci_allow(d, PCI_INTERRUPT_LINE, 1, 0xff);
}

static void dev_reset(struct vpci_dev *d)
{
	if (d->reset)
		d->reset(d);
	for (unsigned i = 0; i < sizeof(d->config); i++)
		d->config[i] &= ~d->writable[i];
	vpci_put(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	vpci_bars_go_home(d);
	if (d->config[PCI_INTERRUPT_PIN])
		vpci_put(d, PCI_INTERRUPT_LINE, 1, VPCI_INTX_PIN(d->slot));
	vpci_bars_update(d);
	vpci_irq_reset(d);
}

static void dev_init(struct vpci *pci, struct vpci_dev *d, unsigned slot)
{
	pci->dev[slot] = d;
	d->slot = slot;
	d->cap_end = HEADER_SIZE;
	header_init(d);
	vpci_msix_init(d);
	dev_reset(d);
}

int vpci_add(struct vpci *pci, struct vpci_dev *d)
{
	unsigned slot = 1;

	while (slot < VPCI_DEVICES && pci->dev[slot])
		slot++;
	if (slot == VPCI_DEVICES || !vpci_bars_place(pci, d))
		return -ENOSPC;
	dev_init(pci, d, slot);
	return 0;
}

void vpci_reset(struct vpci *pci)
{
	pci->address = 0;
	for (unsigned slot = 0; slot < VPCI_DEVICES; slot++)
		if (pci->dev[slot])
			dev_reset(pci->dev[slot]);
}

void vpci_init(struct vpci *pci, struct vm *vm)
{
	*pci = (struct vpci){
		.vm = vm,
		.io_next = VPCI_IO_BASE,
		.mem_next = VPCI_MEM_BASE,
		.bridge = {
			.name = "host-bridge",
			.vm = vm,
			.vendor = BRIDGE_VENDOR,
			.device = BRIDGE_DEVICE,
			.class = BRIDGE_CLASS,
		},
	};
	dev_init(pci, &pci->bridge, 0);
}
