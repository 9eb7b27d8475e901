/* SPDX-License-Identifier: MIT */
/*
 * fake_pci.h - configuration space for unit tests: functions with registers, BARs that
 * can be sized, capabilities
 *
 * Put behind drivers/pci.c by fake_pci_start(). A BAR holds a host address, so that what is mapped
 * there is memory of the test; fake_pci_memory() gives some that lies low enough for a 32-bit BAR.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/pci.h"

struct fake_pci_fn {
	bool present;
	uint16_t bdf;
	uint8_t cfg[256];
	uint32_t bar_mask[6]; /* address bits that the BAR has */
};

/* fake_pci_start() - no functions, no devices found; drivers/pci.c reaches this from now on. */
void fake_pci_start(void);
/* fake_pci_add() - a function; header type 0, class as given (24 bits). */
struct fake_pci_fn *fake_pci_add(uint16_t bdf, uint16_t vendor, uint16_t device, uint32_t class);
/* fake_pci_bar() - memory BAR @n of @size bytes at @p; @wide: 64-bit. */
void fake_pci_bar(struct fake_pci_fn *fn, unsigned n, void *p, uint32_t size, bool wide);
/* fake_pci_cap() - a capability at @at, in front of those added before. */
void fake_pci_cap(struct fake_pci_fn *fn, uint8_t at, uint8_t id);

void fake_pci_set16(struct fake_pci_fn *fn, unsigned off, uint16_t v);
void fake_pci_set32(struct fake_pci_fn *fn, unsigned off, uint32_t v);
uint16_t fake_pci_get16(const struct fake_pci_fn *fn, unsigned off);
uint32_t fake_pci_get32(const struct fake_pci_fn *fn, unsigned off);

/*
 * fake_pci_memory() - zeroed memory below 4 GiB, 1 MiB aligned; kept until the test program ends.
 */
void *fake_pci_memory(size_t bytes);

/*
 * BARs sized with decoding on since fake_pci_start(): a device would have answered
 * at an address not its own
 */
extern unsigned fake_pci_sized_while_on;
