/* SPDX-License-Identifier: MIT */
/* fake_guest.c - a guest's buses without a guest; fake_guest.h says what for */
#include "tests/unit/fake_guest.h"

#include "tests/unit/host.h"

#include <string.h>

#include "drivers/pci_regs.h"
#include "vmm/access.h"

struct vm guest;
struct vcpu guest_vcpu;
_Atomic unsigned guest_msi[256];
uint64_t guest_msi_address;
bool guest_line[VIOAPIC_PINS];

/* --- the interrupt controllers --- */

unsigned vlapic_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	assert_ptr_equal(vm, &guest);
	guest_msi_address = address;
	guest_msi[data & 0xff]++;
	return 1;
}

void vioapic_set(struct vioapic *io, unsigned pin, bool up)
{
	assert_ptr_equal(io, &guest.ioapic);
	assert_int_equal(guest.lock.locked, 1);
	assert_true(pin < VIOAPIC_PINS);
	guest_line[pin] = up;
}

uint64_t vlapic_mmio_read(struct vlapic *l, uint64_t offset, unsigned size)
{
	(void)l, (void)offset, (void)size;
	fail_msg("no test of a device reads the local APIC");
	return 0;
}

void vlapic_mmio_write(struct vlapic *l, uint64_t offset, unsigned size, uint64_t value)
{
	(void)l, (void)offset, (void)size, (void)value;
	fail_msg("no test of a device writes the local APIC");
}

/* --- the machine --- */

void guest_up(void)
{
	const struct bus_range config = { .base = VPCI_CONFIG_ADDRESS,
					  .len = 8,
					  .name = "pci",
					  .read = vpci_config_read,
					  .write = vpci_config_write,
					  .arg = &guest.pci };

	memset(&guest, 0, sizeof(guest));
	memset(&guest_vcpu, 0, sizeof(guest_vcpu));
	memset(guest_msi, 0, sizeof(guest_msi));
	memset(guest_line, 0, sizeof(guest_line));
	guest_vcpu.vm = &guest;
	guest.vcpu[0] = &guest_vcpu;
	guest.nvcpus = 1;
	bus_add(&guest.ports, &config);
	vpci_init(&guest.pci, &guest);
}

uint32_t in(uint64_t port, unsigned size)
{
	return pio_read(&guest_vcpu, port, size);
}

void out(uint64_t port, unsigned size, uint32_t value)
{
	pio_write(&guest_vcpu, port, size, value);
}

uint64_t load(uint64_t gpa, unsigned size)
{
	return mmio_read(&guest_vcpu, gpa, size);
}

void store(uint64_t gpa, unsigned size, uint64_t value)
{
	mmio_write(&guest_vcpu, gpa, size, value);
}

uint64_t holes(const struct bus *b)
{
	uint64_t n = b->holes_lost;

	for (unsigned i = 0; i < b->nholes; i++)
		n += b->hole[i].reads + b->hole[i].writes;
	return n;
}

/* --- configuration space --- */

static uint64_t select_register(unsigned slot, unsigned offset)
{
	out(PCI_CF8, 4, PCI_CF8_ENABLE | FIELD_PREP(PCI_CF8_DEVICE, slot) | (offset & 0xfc));
	return PCI_CFC + offset % 4;
}

uint32_t cfg(unsigned slot, unsigned offset, unsigned size)
{
	uint64_t port = select_register(slot, offset);

	return in(port, size);
}

void cfg_set(unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
	uint64_t port = select_register(slot, offset);

	out(port, size, value);
}

unsigned cfg_cap(unsigned slot, uint8_t id, unsigned nth)
{
	unsigned at = cfg(slot, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST ? cfg(slot, PCI_CAP_POINTER, 1)
								     : 0;

	for (unsigned hops = 0; at; at = cfg(slot, at + PCI_CAP_NEXT, 1)) {
		assert_true(hops++ < PCI_CAPS_MAX);
		assert_int_equal(at % 4, 0);
		if (cfg(slot, at + PCI_CAP_ID, 1) == id && nth-- == 0)
			return at;
	}
	return 0;
}

uint64_t cfg_bar(unsigned slot, unsigned i)
{
	uint32_t v = cfg(slot, PCI_BAR(i), 4);

	return v & (v & PCI_BAR_IO ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK);
}

void msix_program(uint64_t table, unsigned v, uint32_t data)
{
	uint64_t at = table + v * sizeof(struct msix_entry);

	store(at + offsetof(struct msix_entry, address_lo), 4, 0xfee01000);
	store(at + offsetof(struct msix_entry, address_hi), 4, 0);
	store(at + offsetof(struct msix_entry, data), 4, data);
	store(at + offsetof(struct msix_entry, control), 4, 0);
}

void msix_control(unsigned slot, uint16_t set, uint16_t clear)
{
	unsigned at = cfg_cap(slot, PCI_CAP_ID_MSIX, 0) + PCI_MSIX_CONTROL;

	cfg_set(slot, at, 2, (cfg(slot, at, 2) & ~clear) | set);
}
