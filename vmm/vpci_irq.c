/* SPDX-License-Identifier: MIT */
/*
 * vpci_irq.c - how a device interrupts its guest: a line to the IOAPIC, or messages to local
 * APICs [PCI 2.2.6, 6.8.2]
 *
 * vpci_signal() on any core, vm->lock not needed; the rest with it held, mostly on the vCPU's
 * core while it writes the MSI-X table. Owns vectors, messages and pending bits of struct
 * vpci_dev, and vpci->intx_up.
 */
#include "vpci_parts.h"

#include "kernel/bits.h"

/* --- INTx [PCI 2.2.6] --- */

/*
 * One device a pin, so the line is the device's alone. With MSI-X on there
 * is no INTx [PCI 6.8.3.3].
 */
static void intx_update(struct vpci_dev *d)
{
	struct vpci *pci = &d->vm->pci;
	bool asks = d->intx_wanted && !d->msix_on;
	bool up = asks && !(vpci_command(d) & PCI_COMMAND_INTX_OFF);
	uint32_t status = vpci_get(d, PCI_STATUS, 2) & ~PCI_STATUS_INTX;

	vpci_put(d, PCI_STATUS, 2, status | (asks ? PCI_STATUS_INTX : 0));
	if (up == !!(pci->intx_up & BIT(d->slot)))
		return;
	pci->intx_up ^= BIT(d->slot);
	d->intx += up;
	vioapic_set(&d->vm->ioapic, VPCI_INTX_PIN(d->slot), up);
}

void vpci_intx_locked(struct vpci_dev *d, bool up)
{
	d->intx_wanted = up;
	intx_update(d);
}

/* --- MSI-X [PCI 6.8.2] --- */

static void msix_send(struct vpci_dev *d, unsigned v)
{
	uint64_t message = atomic_load_explicit(&d->message[v], memory_order_relaxed);

	atomic_fetch_add_explicit(&d->signalled[v], 1, memory_order_relaxed);
	vlapic_msi(d->vm, message >> 32, (uint32_t)message);
}

/* Of all who see that it is open and pending, one takes the pending bit and sends. */
static void msix_send_pending(struct vpci_dev *d, unsigned v)
{
	if (atomic_fetch_and(&d->msix_pending, ~(uint32_t)BIT(v)) & BIT(v))
		msix_send(d, v);
}

static bool msix_is_open(struct vpci_dev *d, unsigned v)
{
	/*
	 * acquire: pairs with the store in vpci_irq_update(); the message is the
	 * one that it was opened with
	 */
	return atomic_load_explicit(&d->msix_open, memory_order_acquire) & BIT(v);
}

/*
 * vpci_irq_update() - after whatever decides which vectors may be sent: control word,
 * mask bits, bus mastering.
 *
 * A message lies in one word, written before its vector opens, so a core that signals
 * meanwhile sends the old one or the new one and never half of each. A device that may not
 * write memory sends no MSI either.
 */
void vpci_irq_update(struct vpci_dev *d)
{
	uint32_t control = d->msix_cap ? vpci_get(d, d->msix_cap + PCI_MSIX_CONTROL, 2) : 0;
	bool on = control & PCI_MSIX_ENABLE;
	bool may_send = on && !(control & PCI_MSIX_MASK_ALL) &&
			vpci_command(d) & PCI_COMMAND_MASTER;
	uint32_t open = 0;

	for (unsigned v = 0; v < d->nvectors && may_send; v++) {
		const struct vpci_vector *entry = &d->vector[v];

		/* behind 4 GiB there is no interrupt controller: such a message goes nowhere */
		if (entry->control & MSIX_ENTRY_MASKED || entry->address >> 32)
			continue;
		d->message[v] = entry->address << 32 | entry->data;
		open |= BIT(v);
	}
	d->msix_on = on;
	if (!on)
		d->msix_pending = 0;
	/*
	 * a full barrier, pairs with the one in vpci_signal(): open before looking what is pending
	 */
	d->msix_open = open;
	for (unsigned v = 0; v < d->nvectors; v++)
		if (open & BIT(v))
			msix_send_pending(d, v);
	intx_update(d);
}

void vpci_signal(struct vpci_dev *d, unsigned vector)
{
	if (vector >= d->nvectors)
		return;
	if (likely(msix_is_open(d, vector))) {
		msix_send(d, vector);
		return;
	}
	/*
	 * a full barrier, pairs with the one in vpci_irq_update(): pending before
	 * looking whether it has opened
	 */
	atomic_fetch_or(&d->msix_pending, (uint32_t)BIT(vector));
	if (msix_is_open(d, vector))
		msix_send_pending(d, vector);
}

static void *msix_entry(struct vpci_dev *d, uint64_t offset, unsigned size)
{
	uint64_t at = offset - d->msix_table; /* huge in front of it */

	/* whole dwords and qwords [PCI 6.8.2] */
	if ((size != 4 && size != 8) || at % size || at >= d->nvectors * sizeof(*d->vector))
		return NULL;
	return (uint8_t *)d->vector + at;
}

uint64_t vpci_msix_read(struct vpci_dev *d, uint64_t offset, unsigned size)
{
	const void *from = msix_entry(d, offset, size);
	uint64_t v = 0;

	if (from)
		memcpy(&v, from, size);
	else if (offset == d->msix_pba)
		v = d->msix_pending;
	return v;
}

void vpci_msix_write(struct vpci_dev *d, uint64_t offset, unsigned size, uint64_t value)
{
	void *to = msix_entry(d, offset, size);

	if (!to)
		return;
	memcpy(to, &value, size);
	for (unsigned v = 0; v < d->nvectors; v++)
		d->vector[v].control &= MSIX_ENTRY_MASKED;
	vpci_irq_update(d);
}

_Static_assert(sizeof(struct vpci_vector) == sizeof(struct msix_entry), "as the guest sees it");

void vpci_msix_init(struct vpci_dev *d)
{
	const struct {
		uint8_t id, next;
		uint16_t control;
		uint32_t table, pba;
	} cap = {
		.id = PCI_CAP_ID_MSIX,
		.control = FIELD_PREP(PCI_MSIX_TABLE_SIZE, d->nvectors - 1),
		.table = d->msix_table | FIELD_PREP(PCI_MSIX_TABLE_BAR, d->msix_bar),
		.pba = d->msix_pba | FIELD_PREP(PCI_MSIX_TABLE_BAR, d->msix_bar),
	};

	if (d->nvectors == 0)
		return;
	d->msix_cap = vpci_add_cap(d, &cap, sizeof(cap));
	vpci_allow(d, d->msix_cap + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
}

void vpci_irq_reset(struct vpci_dev *d)
{
	for (unsigned v = 0; v < VPCI_VECTORS; v++)
		d->vector[v] = (struct vpci_vector){ .control = MSIX_ENTRY_MASKED };
	d->intx_wanted = false;
	vpci_irq_update(d);
}
