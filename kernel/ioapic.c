/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - redirection of interrupt lines [82093AA datasheet, 3.2]
 *
 * Called at set-up and when an interrupt moves, by the control context; mask and unmask from the
 * line's handler too, on whatever core takes it. Owns the registers of all IOAPICs.
 */
#include "ioapic.h"

#include "acpi.h"
#include "bits.h"
#include "lock.h"
#include "mem.h"

#include <errno.h>

#define IOREGSEL       0x00
#define IOWIN          0x10
#define IOAPICVER      0x01
#define MAX_ENTRY      BITS(23, 16)
#define IOREDTBL(n)    (0x10 + 2 * (n)) /* low half; high half follows */
#define RTE_LOW_ACTIVE BIT(13)
#define RTE_LEVEL      BIT(15)
#define RTE_MASKED     BIT(16)
#define RTE_DEST_SHIFT 24 /* in the high half */

enum { NO_GSI = -1, MAX_LINES = 256 };

struct line {
	volatile uint32_t *regs;
	unsigned pin;
	uint32_t mode; /* trigger and polarity */
};

static struct spinlock
	lock; /* guards the pair of registers that selects and reads or writes; interrupts off */
static struct line lines[MAX_LINES]; /* by GSI; regs NULL where there is none */

static uint32_t io_read(volatile uint32_t *regs, unsigned reg)
{
	regs[IOREGSEL / 4] = reg;
	return regs[IOWIN / 4];
}

static void io_write(volatile uint32_t *regs, unsigned reg, uint32_t v)
{
	regs[IOREGSEL / 4] = reg;
	regs[IOWIN / 4] = v;
}

static uint64_t ioapic_lock(void)
{
	uint64_t flags = irq_save();

	spin_lock(&lock);
	return flags;
}

static void ioapic_unlock(uint64_t flags)
{
	spin_unlock(&lock);
	irq_restore(flags);
}

static void line_route(struct irq *irq, uint32_t apic_id, uint8_t vector)
{
	struct line *l = irq->chip_data;
	uint64_t flags = ioapic_lock();

	/*
	 * as an edge first: that forgets a level interrupt whose end goes by the old
	 * vector, and would never come
	 */
	io_write(l->regs, IOREDTBL(l->pin), RTE_MASKED | vector);
	io_write(l->regs, IOREDTBL(l->pin) + 1, apic_id << RTE_DEST_SHIFT);
	io_write(l->regs, IOREDTBL(l->pin), l->mode | RTE_MASKED | vector);
	ioapic_unlock(flags);
}

static void line_set_mask(struct irq *irq, uint32_t mask)
{
	struct line *l = irq->chip_data;
	uint64_t flags = ioapic_lock();
	uint32_t low = io_read(l->regs, IOREDTBL(l->pin));

	io_write(l->regs, IOREDTBL(l->pin), (low & ~(uint32_t)RTE_MASKED) | mask);
	ioapic_unlock(flags);
}

static void line_mask(struct irq *irq)
{
	line_set_mask(irq, RTE_MASKED);
}

static void line_unmask(struct irq *irq)
{
	line_set_mask(irq, 0);
}

static const struct irq_chip ioapic_edge = {
	.name = "IO-APIC",
	.flow = "edge",
	.route = line_route,
	.mask = line_mask,
	.unmask = line_unmask,
};

static const struct irq_chip ioapic_level = {
	.name = "IO-APIC",
	.flow = "fasteoi", /* the local APIC's EOI reaches the IOAPIC by itself */
	.route = line_route,
	.mask = line_mask,
	.unmask = line_unmask,
};

void ioapic_init(void)
{
	for (unsigned i = 0; i < acpi.nioapics; i++) {
		volatile uint32_t *regs = mmio_map(acpi.ioapic[i].base, PAGE_SIZE);
		unsigned last = FIELD_GET(MAX_ENTRY, io_read(regs, IOAPICVER));

		for (unsigned pin = 0; pin <= last; pin++) {
			unsigned gsi = acpi.ioapic[i].gsi_base + pin;

			io_write(regs, IOREDTBL(pin), RTE_MASKED);
			if (gsi < MAX_LINES)
				lines[gsi] = (struct line){ .regs = regs, .pin = pin };
		}
	}
}

int ioapic_irq_init(struct irq *irq, unsigned gsi, bool level, bool active_low)
{
	if (gsi >= MAX_LINES || !lines[gsi].regs)
		return -ENODEV;
	lines[gsi].mode = (level ? RTE_LEVEL : 0) | (active_low ? RTE_LOW_ACTIVE : 0);
	irq->chip = level ? &ioapic_level : &ioapic_edge;
	irq->chip_data = &lines[gsi];
	irq->dev = NULL;
	irq->hwirq = lines[gsi].pin;
	return 0;
}

int ioapic_isa_init(struct irq *irq, unsigned isa_irq)
{
	for (unsigned i = 0; i < acpi.noverrides; i++)
		if (acpi.override[i].irq == isa_irq)
			return ioapic_irq_init(
				irq, acpi.override[i].gsi,
				FIELD_GET(ACPI_OVERRIDE_TRIGGER, acpi.override[i].flags) == 3,
				FIELD_GET(ACPI_OVERRIDE_POLARITY, acpi.override[i].flags) == 3);
	return ioapic_irq_init(irq, isa_irq, false, false);
}
