/* SPDX-License-Identifier: MIT */
/*
 * msi.c - MSI-X and MSI as irq_chips
 *
 * Called by drivers when they set up and by kernel/irq.c when an interrupt is routed, on core 0.
 * Owns no state: an MSI-X interrupt is its table entry, an MSI is its function's capability.
 */
#include "msi.h"

#include "kernel/console.h"

#include <errno.h>

/* what x86 wants to see written, physical destination, fixed, edge [SDM 3A 11.11] */
#define MSI_ADDRESS      0xfee00000u
#define MSI_ADDRESS_DEST BITS(19, 12) /* APIC id of the core */
#define MSI_DATA_VECTOR  BITS(7, 0)

static uint32_t message_address(uint32_t apic_id)
{
	/* ids beyond a byte need interrupt remapping; Weir runs on MAX_CPUS cores */
	ASSERT(apic_id < 256);
	return MSI_ADDRESS | FIELD_PREP(MSI_ADDRESS_DEST, apic_id);
}

/* --- MSI-X [PCI 6.8.2] --- */

/* msix_flush() - a read pushes the writes before it to the device. */
static void msix_flush(volatile struct msix_entry *e)
{
	(void)e->control;
}

static void msix_mask(struct irq *irq)
{
	volatile struct msix_entry *e = irq->chip_data;

	e->control |= MSIX_ENTRY_MASKED;
	msix_flush(e);
	irq->masked = true;
}

static void msix_unmask(struct irq *irq)
{
	volatile struct msix_entry *e = irq->chip_data;

	e->control &= ~(uint32_t)MSIX_ENTRY_MASKED;
	msix_flush(e);
	irq->masked = false;
}

/*
 * an unmasked entry must not be changed; irq.c masks before it routes anew,
 * and a fresh entry is masked
 */
static void msix_route(struct irq *irq, uint32_t apic_id, uint8_t vector)
{
	volatile struct msix_entry *e = irq->chip_data;

	e->address_lo = message_address(apic_id);
	e->address_hi = 0;
	e->data = FIELD_PREP(MSI_DATA_VECTOR, vector);
	msix_flush(e);
}

const struct irq_chip msix_chip = {
	.name = "PCI-MSIX",
	.flow = "edge",
	.route = msix_route,
	.mask = msix_mask,
	.unmask = msix_unmask,
};

int msix_enable(struct msix *m, const struct pci_dev *pd)
{
	unsigned cap = pci_cap(pd, PCI_CAP_ID_MSIX);
	uint16_t control;
	uint32_t where;

	if (!cap)
		return -ENODEV;
	control = pci_read16(pd, cap + PCI_MSIX_CONTROL);
	where = pci_read32(pd, cap + PCI_MSIX_TABLE);
	m->pd = pd;
	m->n = FIELD_GET(PCI_MSIX_TABLE_SIZE, control) + 1;
	m->table = pci_map_bar(pd, FIELD_GET(PCI_MSIX_TABLE_BAR, where),
			       where & PCI_MSIX_TABLE_OFFSET, m->n * sizeof(struct msix_entry));
	if (!m->table)
		return -EINVAL;
	/* all masked while entries still hold whatever they hold, then each by its own bit */
	control |= PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL;
	pci_write16(pd, cap + PCI_MSIX_CONTROL, control);
	for (unsigned i = 0; i < m->n; i++)
		m->table[i].control = MSIX_ENTRY_MASKED;
	msix_flush(&m->table[0]);
	pci_write16(pd, cap + PCI_MSIX_CONTROL, control & ~PCI_MSIX_MASK_ALL);
	return 0;
}

void msix_disable(const struct pci_dev *pd)
{
	unsigned cap = pci_cap(pd, PCI_CAP_ID_MSIX);

	if (cap)
		pci_write16(pd, cap + PCI_MSIX_CONTROL,
			    pci_read16(pd, cap + PCI_MSIX_CONTROL) & ~PCI_MSIX_ENABLE);
}

void msix_irq_init(const struct msix *m, unsigned i, struct irq *irq)
{
	ASSERT(i < m->n);
	irq->chip = &msix_chip;
	irq->chip_data = (void *)&m->table[i];
	irq->dev = m->pd->name;
	irq->hwirq = i;
}

/* --- MSI [PCI 6.8.1] --- */

static void msi_set(struct irq *irq, bool on)
{
	const struct pci_dev *pd = irq->chip_data;
	unsigned cap = pci_cap(pd, PCI_CAP_ID_MSI);
	uint16_t control = pci_read16(pd, cap + PCI_MSI_CONTROL);
	unsigned mask = cap + (control & PCI_MSI_64BIT ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);

	/*
	 * where there is no mask bit, MSI off is the mask: INTx has been turned off,
	 * so nothing takes its place
	 */
	if (control & PCI_MSI_MASKING)
		pci_write32(pd, mask, on ? 0 : 1);
	if (on || !(control & PCI_MSI_MASKING))
		pci_write16(pd, cap + PCI_MSI_CONTROL,
			    on ? control | PCI_MSI_ENABLE : control & ~PCI_MSI_ENABLE);
	irq->masked = !on;
}

static void msi_mask(struct irq *irq)
{
	msi_set(irq, false);
}

static void msi_unmask(struct irq *irq)
{
	msi_set(irq, true);
}

static void msi_route(struct irq *irq, uint32_t apic_id, uint8_t vector)
{
	const struct pci_dev *pd = irq->chip_data;
	unsigned cap = pci_cap(pd, PCI_CAP_ID_MSI);
	bool wide = pci_read16(pd, cap + PCI_MSI_CONTROL) & PCI_MSI_64BIT;

	pci_write32(pd, cap + PCI_MSI_ADDRESS, message_address(apic_id));
	if (wide)
		pci_write32(pd, cap + PCI_MSI_ADDRESS_HI, 0);
	pci_write16(pd, cap + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32),
		    FIELD_PREP(MSI_DATA_VECTOR, vector));
}

const struct irq_chip msi_chip = {
	.name = "PCI-MSI",
	.flow = "edge",
	.route = msi_route,
	.mask = msi_mask,
	.unmask = msi_unmask,
};

void msi_disable(const struct pci_dev *pd)
{
	unsigned cap = pci_cap(pd, PCI_CAP_ID_MSI);

	if (cap)
		pci_write16(pd, cap + PCI_MSI_CONTROL,
			    pci_read16(pd, cap + PCI_MSI_CONTROL) &
				    ~(PCI_MSI_ENABLE | PCI_MSI_MULTI_ENABLE));
}

int msi_irq_init(struct pci_dev *pd, struct irq *irq)
{
	if (!pci_cap(pd, PCI_CAP_ID_MSI))
		return -ENODEV;
	msi_disable(pd);
	pci_command(pd, PCI_COMMAND_INTX_OFF, 0);
	irq->chip = &msi_chip;
	irq->chip_data = pd;
	irq->dev = pd->name;
	irq->hwirq = 0;
	return 0;
}
