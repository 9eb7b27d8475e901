/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI functions of bus 0, by ports 0xcf8 and 0xcfc; BARs are as the firmware left
 * them [PCI 3.0 3.2.2.3, 6]
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"

#define PCI_VENDOR_ID       0x00
#define PCI_DEVICE_ID       0x02
#define PCI_COMMAND         0x04
#define PCI_COMMAND_IO      BIT(0)
#define PCI_COMMAND_MEMORY  BIT(1)
#define PCI_COMMAND_MASTER  BIT(2)
#define PCI_STATUS          0x06
#define PCI_STATUS_CAP_LIST BIT(4)
#define PCI_BAR(n)          (0x10 + 4 * (n))
#define BAR_IO              BIT(0)
#define BAR_TYPE            BITS(2, 1)
#define BAR_TYPE_64         2
#define PCI_CAP_POINTER     0x34
#define PCI_CAP_ID_VENDOR   0x09
#define PCI_CAP_ID_MSIX     0x11

#define MSIX_CONTROL      0x02 /* 16 */
#define MSIX_TABLE_SIZE   BITS(10, 0)
#define MSIX_ENABLE       BIT(15)
#define MSIX_TABLE        0x04 /* 32 */
#define MSIX_TABLE_BAR    BITS(2, 0)
#define MSIX_TABLE_OFFSET BITS(31, 3)

struct pci_dev {
	uint8_t slot;
	uint16_t device;
	volatile uint8_t *msix; /* the table; NULL: no MSI-X */
	unsigned msix_cap, msix_size;
};

/* a place of a device, in memory or in ports, as Linux's ioread and iowrite know it */
struct region {
	volatile uint8_t *mem; /* NULL: ports */
	uint16_t port;
	uint32_t len;
};

uint8_t pci_read8(const struct pci_dev *d, unsigned off);
uint16_t pci_read16(const struct pci_dev *d, unsigned off);
uint32_t pci_read32(const struct pci_dev *d, unsigned off);
void pci_write16(const struct pci_dev *d, unsigned off, uint16_t v);
void pci_write32(const struct pci_dev *d, unsigned off, uint32_t v);

/*
 * pci_find() - the next function behind *slot with this vendor and device;
 * false: there are no more.
 */
bool pci_find(struct pci_dev *d, uint8_t *slot, uint16_t vendor, uint16_t device);
/*
 * pci_next_cap() - the first capability @id (from = 0), or the next one
 * behind offset @from; 0: none.
 */
unsigned pci_next_cap(const struct pci_dev *d, unsigned from, uint8_t id);
/* pci_region() - @len bytes at @off of BAR @bar; false: no such BAR, or it stands nowhere. */
bool pci_region(const struct pci_dev *d, unsigned bar, uint32_t off, uint32_t len,
		struct region *r);

/*
 * msix_init() - find the table. msix_enable() - the function as a whole on or off. msix_set()
 * - entry @n sends @vector.
 */
void msix_init(struct pci_dev *d);
void msix_enable(const struct pci_dev *d, bool on);
void msix_set(const struct pci_dev *d, unsigned n, unsigned vector);

uint8_t ioread8(const struct region *r, unsigned off);
uint16_t ioread16(const struct region *r, unsigned off);
uint32_t ioread32(const struct region *r, unsigned off);
void iowrite8(const struct region *r, unsigned off, uint8_t v);
void iowrite16(const struct region *r, unsigned off, uint16_t v);
void iowrite32(const struct region *r, unsigned off, uint32_t v);
