/* SPDX-License-Identifier: MIT */
/*
 * vpci_parts.h - between vpci.c, vpci_bar.c and vpci_irq.c
 *
 * config[] is the truth: whatever a device does (decoding, bases, MSI-X) is derived from its bytes
 * after each write. All with vm->lock held, or with the VM off.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "drivers/pci_regs.h"
#include "vm.h"

/* bytes of configuration space, @size 1, 2 or 4 */
static inline uint32_t vpci_get(const struct vpci_dev *d, unsigned offset, unsigned size)
{
	uint32_t v = 0;

	memcpy(&v, d->config + offset, size);
	return v;
}

static inline void vpci_put(struct vpci_dev *d, unsigned offset, unsigned size, uint32_t v)
{
	memcpy(d->config + offset, &v, size);
}

/* vpci_allow() - the guest may write these bits. */
static inline void vpci_allow(struct vpci_dev *d, unsigned offset, unsigned size, uint32_t bits)
{
	memcpy(d->writable + offset, &bits, size);
}

static inline uint32_t vpci_command(const struct vpci_dev *d)
{
	return vpci_get(d, PCI_COMMAND, 2);
}

/*
 * vpci_bars_place() - a home for each of d's BARs, naturally aligned; false if a window is full,
 * and then nothing is taken.
 */
bool vpci_bars_place(struct vpci *pci, struct vpci_dev *d);
/*
 * vpci_bars_allow() - the bits that the guest may write; vpci_bars_go_home() - config[] says what
 * vpci_bars_place() chose.
 */
void vpci_bars_allow(struct vpci_dev *d);
void vpci_bars_go_home(struct vpci_dev *d);
/* vpci_bars_update() - on the buses where config[] says, or off them. */
void vpci_bars_update(struct vpci_dev *d);

/*
 * vpci_msix_init() - the capability, if d has vectors. vpci_irq_reset() -
 * table masked, nothing wanted.
 */
void vpci_msix_init(struct vpci_dev *d);
void vpci_irq_reset(struct vpci_dev *d);
/*
 * vpci_irq_update() - after whatever decides what may be sent: control word,
 * mask bits, command register.
 */
void vpci_irq_update(struct vpci_dev *d);
