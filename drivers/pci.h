/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI functions: finding them, reaching their registers, matching drivers
 *
 * Configuration space is reached by ECAM where ACPI's MCFG offers it, else by ports 0xCF8 and
 * 0xCFC. The firmware has assigned all BARs and bridge windows; Weir checks them and never assigns
 * anew.
 *
 * Context: the control context or boot, core 0. Configuration reads and
 * writes may come from any core.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PCI_MAX_DEVICES = 64, PCI_NBARS = 6 };

struct pci_driver;

/* what the firmware put into a BAR, and how much the device decodes [PCI 6.2.5.1] */
struct pci_bar {
	uint64_t addr; /* physical; a port in I/O space */
	uint64_t size; /* bytes, a power of two; 0: no such BAR */
	bool io;
	bool wide; /* 64-bit: takes the next BAR as well */
};

struct pci_dev {
	uint16_t bdf; /* bus 15:8, device 7:3, function 2:0 */
	uint16_t vendor, device;
	uint16_t subvendor, subdevice; /* type 0 only */
	uint32_t class;                /* class 23:16, subclass 15:8, interface 7:0 */
	uint8_t revision;
	uint8_t layout;                  /* 0 device, 1 bridge */
	char name[16];                   /* "0000:01:00.0" */
	const struct pci_driver *driver; /* NULL: nobody's */
	struct pci_bar bar[PCI_NBARS]; /* type 0 only; learnt by pci_init(), before anything drives
					  the device */
};

struct pci_id {
	uint16_t vendor, device;
};

struct pci_driver {
	const char *name;
	const struct pci_id *ids; /* ends with { 0, 0 } */
	/* take the function; 0, or a negative errno having said why */
	int (*probe)(struct pci_dev *pd);
};

/* one way to reach configuration space; @size is 1, 2 or 4 bytes, @off aligned to it */
struct pci_access {
	const char *name; /* "ECAM", "CF8" */
	uint32_t (*read)(uint16_t bdf, unsigned off, unsigned size);
	void (*write)(uint16_t bdf, unsigned off, unsigned size, uint32_t v);
};

extern const struct pci_access pci_ecam, pci_cf8;
extern const struct pci_access *pci_access; /* the one in use; tests put their own */

extern struct pci_dev pci_devs[PCI_MAX_DEVICES];
extern unsigned pci_ndevs;

/* pci_init() - choose the access and find every function, behind bridges too. */
void pci_init(void);

/*
 * pci_probe() - offer every function that has no driver yet to drivers[0..n-1], in
 * the order they were found.
 */
void pci_probe(const struct pci_driver *const *drivers, size_t n);

uint16_t pci_read16(const struct pci_dev *pd, unsigned off);
uint32_t pci_read32(const struct pci_dev *pd, unsigned off);
void pci_write16(const struct pci_dev *pd, unsigned off, uint16_t v);
void pci_write32(const struct pci_dev *pd, unsigned off, uint32_t v);

/* pci_command() - set and clear bits of the command register. */
void pci_command(const struct pci_dev *pd, uint16_t set, uint16_t clear);

/* pci_cap() - offset of the first capability @id, 0 if there is none. [PCI 6.7] */
unsigned pci_cap(const struct pci_dev *pd, uint8_t id);

/*
 * pci_map_bar() - map @len bytes at @off of memory BAR @n, uncached.
 * Returns NULL, having said why: no memory BAR, not assigned by the firmware, too small,
 * beyond what can be mapped.
 */
void *pci_map_bar(const struct pci_dev *pd, unsigned n, uint64_t off, size_t len);
