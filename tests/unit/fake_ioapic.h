/* SPDX-License-Identifier: MIT */
/*
 * fake_ioapic.h - interrupt pins for unit tests, in the place of kernel/ioapic.c:
 * level-triggered, several sources a pin
 *
 * As in QEMU, a pin that rises while it still stands as an edge, masked, as the reset leaves it, is
 * not heard until it rises again. While a pin is up and unmasked its handler is called again and
 * again, on the core that it is routed to: who does not silence its device hangs, and a test fails
 * after FAKE_IOAPIC_STORM calls.
 */
#pragma once

#include <stdbool.h>

#include "kernel/irq.h"

enum { FAKE_IOAPIC_PINS = 24, FAKE_IOAPIC_STORM = 5000 };

struct fake_ioapic_pin {
	struct irq *irq; /* NULL: nobody has asked for it */
	bool level, active_low, masked;
	unsigned sources; /* a bit each that holds it up */
	bool unheard;     /* went up before anybody asked for it: nothing comes until it falls and
			     rises */
	unsigned interrupts; /* delivered */
};

extern struct fake_ioapic_pin fake_ioapic[FAKE_IOAPIC_PINS];

/* fake_ioapic_start() - all pins free, masked and down. */
void fake_ioapic_start(void);
/* fake_ioapic_set() - source @source, 0 to 31, pulls pin @gsi up or lets go of it. */
void fake_ioapic_set(unsigned gsi, unsigned source, bool up);
