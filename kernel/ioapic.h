/* SPDX-License-Identifier: MIT */
/* ioapic.h - interrupt lines: ISA devices and PCI INTx, as an irq_chip */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "irq.h"

/* ioapic_init() - map every IOAPIC of the MADT and mask all pins. */
void ioapic_init(void);

/*
 * ioapic_irq_init() - make @irq stand for global interrupt @gsi; irq_request() comes next.
 * Returns 0, or -ENODEV if no IOAPIC has that pin.
 */
int ioapic_irq_init(struct irq *irq, unsigned gsi, bool level, bool active_low);

/* ioapic_isa_init() - the same for an ISA interrupt (4: COM1), as the MADT's overrides have it. */
int ioapic_isa_init(struct irq *irq, unsigned isa_irq);
