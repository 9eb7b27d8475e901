/* SPDX-License-Identifier: MIT */
/* fake_ioapic.c - interrupt pins for unit tests; fake_ioapic.h says what they play */
#include "fake_ioapic.h"

#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/ioapic.h"

struct fake_ioapic_pin fake_ioapic[FAKE_IOAPIC_PINS];

static bool delivering;

/* deliver() - a handler is not interrupted: what comes meanwhile waits until it has returned. */
static void deliver(struct fake_ioapic_pin *pin)
{
	unsigned before = pin->interrupts;

	if (delivering)
		return;
	delivering = true;
	while (pin->irq && !pin->masked && pin->sources && !pin->unheard) {
		unsigned was = host_play(pin->irq->cpu);

		if (pin->interrupts++ - before == FAKE_IOAPIC_STORM)
			fail_msg("pin %u: nobody silences its device",
				 (unsigned)(pin - fake_ioapic));
		pin->irq->handler(pin->irq->arg);
		host_play(was);
	}
	delivering = false;
}

static void pin_route(struct irq *irq, uint32_t apic_id, uint8_t vector)
{
	(void)irq;
	(void)apic_id;
	(void)vector;
}

static void pin_mask(struct irq *irq)
{
	((struct fake_ioapic_pin *)irq->chip_data)->masked = true;
}

static void pin_unmask(struct irq *irq)
{
	struct fake_ioapic_pin *pin = irq->chip_data;

	pin->masked = false;
	deliver(pin);
}

static const struct irq_chip pins = {
	.name = "fake pins",
	.route = pin_route,
	.mask = pin_mask,
	.unmask = pin_unmask,
};

int ioapic_irq_init(struct irq *irq, unsigned gsi, bool level, bool active_low)
{
	struct fake_ioapic_pin *pin = &fake_ioapic[gsi];

	if (gsi >= FAKE_IOAPIC_PINS)
		return -ENODEV;
	pin->irq = irq;
	pin->level = level;
	pin->active_low = active_low;
	irq->chip = &pins;
	irq->chip_data = pin;
	return 0;
}

void fake_ioapic_start(void)
{
	memset(fake_ioapic, 0, sizeof(fake_ioapic));
	for (unsigned i = 0; i < FAKE_IOAPIC_PINS; i++)
		fake_ioapic[i].masked = true;
	delivering = false;
}

void fake_ioapic_set(unsigned gsi, unsigned source, bool up)
{
	struct fake_ioapic_pin *pin = &fake_ioapic[gsi];

	if (!pin->sources)
		pin->unheard = up && !pin->irq;
	pin->sources = up ? pin->sources | 1u << source : pin->sources & ~(1u << source);
	deliver(pin);
}
