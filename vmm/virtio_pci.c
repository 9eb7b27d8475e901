/* SPDX-License-Identifier: MIT */
/*
 * virtio_pci.c - virtio's PCI transport, modern drivers only
 *
 * Registers are read and written on the vCPU's core while an exit is handled, with vm->lock held.
 * Doorbells come on that core without it, signals on any core. Owns struct virtio_pci; what a
 * device does with a queue is behind its ops.
 */
#include "virtio_pci.h"

#include "kernel/bits.h"
#include "drivers/pci_regs.h"
#include "virtio_parts.h"
#include "virtio_regs.h"
#include "vm.h"

#include <string.h>

enum { BAR_NOTIFY_PORTS, BAR_REGISTERS, BAR_NOTIFY_MEMORY };

/* in BAR_REGISTERS; the MSI-X table in a page of its own [PCI 6.8.2] */
enum {
	COMMON_AT = 0x0000,
	ISR_AT = 0x0400,
	DEVICE_AT = 0x0800,
	MSIX_AT = 0x1000,
	MSIX_PBA_AT = 0x1800,
	REGISTERS_SIZE = 0x2000,
};

/* a place for each queue to ring, so that what is written there need not be looked at */
enum { NOTIFY_MULTIPLIER = 4, NOTIFY_LEN = VIRTIO_QUEUES * NOTIFY_MULTIPLIER };
enum { NOTIFY_PORTS = 16, NOTIFY_MEMORY = PAGE_SIZE };

static struct virtio_pci *of_pci(struct vpci_dev *pd)
{
	return container_of(pd, struct virtio_pci, pci);
}

/* --- signals --- */

/* With vm->lock held, by whoever sets or clears a bit of ISR: so the line never stays behind it. */
void virtio_line_update(struct virtio_pci *d)
{
	vpci_intx_locked(&d->pci, d->isr);
}

/*
 * A signal may come late, when the device was reset meanwhile. A reset holds vm->lock: for whoever
 * looks under it too, the reset has come before, and there is nothing to signal, or it will come,
 * and clears what is set here.
 */
static bool is_driven(const struct virtio_pci *d)
{
	return d->status & VIRTIO_STATUS_DRIVER_OK;
}

/* vm->lock held */
static void isr_raise(struct virtio_pci *d, uint8_t why)
{
	atomic_fetch_or(&d->isr, why);
	virtio_line_update(d);
}

static void vector_signal(struct virtio_pci *d, uint16_t vector)
{
	if (vector != VIRTIO_NO_VECTOR)
		vpci_signal(&d->pci, vector);
}

void virtio_signal_queue(struct virtio_pci *d, unsigned q)
{
	struct vm *vm = d->pci.vm;

	if (d->pci.msix_on) {
		if (is_driven(d)) /* a reset just now leaves it no vector */
			vector_signal(d, d->queue[q].vector);
		return;
	}
	spin_lock(&vm->lock);
	if (is_driven(d))
		isr_raise(d, VIRTIO_ISR_QUEUE);
	spin_unlock(&vm->lock);
}

void virtio_signal_config(struct virtio_pci *d)
{
	if (!is_driven(d))
		return;
	isr_raise(d, VIRTIO_ISR_CONFIG); /* with MSI-X too [virtio 1.2 4.1.4.5.1] */
	if (d->pci.msix_on)
		vector_signal(d, d->config_vector);
}

/* --- BAR_REGISTERS --- */

static void machine_reset(struct vpci_dev *pd)
{
	virtio_reset(of_pci(pd));
}

/* Reading says why the line is up, and takes it down [virtio 1.2 4.1.4.5]. */
static uint8_t isr_read(struct virtio_pci *d)
{
	uint8_t isr = atomic_exchange(&d->isr, 0);

	virtio_line_update(d);
	return isr;
}

static uint64_t device_read(struct virtio_pci *d, uint64_t offset, unsigned size)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size && offset + i < d->config_len; i++)
		v |= (uint64_t)d->ops->config_read(d, offset + i) << (8 * i);
	return v;
}

static uint64_t registers_read(struct vpci_dev *pd, uint64_t offset, unsigned size)
{
	struct virtio_pci *d = of_pci(pd);

	if (offset >= MSIX_AT)
		return vpci_msix_read(pd, offset, size);
	if (offset >= DEVICE_AT)
		return device_read(d, offset - DEVICE_AT, size);
	if (offset == ISR_AT)
		return isr_read(d);
	return virtio_common_read(d, offset, size);
}

/* Device configuration is for reading only [virtio 1.2 5.1.4], ISR as well. */
static void registers_write(struct vpci_dev *pd, uint64_t offset, unsigned size, uint64_t value)
{
	if (offset >= MSIX_AT)
		vpci_msix_write(pd, offset, size, value);
	else
		virtio_common_write(of_pci(pd), offset, size, value);
}

/* --- doorbells [virtio 1.2 4.1.5.2] --- */

static uint64_t notify_read(struct vpci_dev *pd, uint64_t offset, unsigned size)
{
	(void)pd, (void)offset, (void)size;
	return 0;
}

/* vm->lock is not held. */
static void notify_write(struct vpci_dev *pd, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_pci *d = of_pci(pd);
	unsigned q = offset / NOTIFY_MULTIPLIER;
	uint8_t status = d->status;

	(void)size, (void)value;
	if (unlikely(q >= d->nqueues))
		return;
	if (unlikely(!(status & VIRTIO_STATUS_DRIVER_OK) || status & VIRTIO_STATUS_NEEDS_RESET)) {
		atomic_fetch_add_explicit(&d->early_kicks, 1, memory_order_relaxed);
		return;
	}
	d->ops->kick(d, q);
}

/* --- bus mastering [PCI 6.2.2] --- */

void virtio_serve(struct virtio_pci *d)
{
	if (!is_driven(d))
		return;
	if (d->pci.config[PCI_COMMAND] & PCI_COMMAND_MASTER)
		d->ops->driver_ok(d);
	else
		d->ops->hold(d);
}

/* --- the window in configuration space [virtio 1.2 4.1.4.9] --- */

/* through_window() - the access that the capability describes; @data is what is read or written. */
static void through_window(struct virtio_pci *d, const struct virtio_pci_cap *cap, bool write,
			   uint32_t *data)
{
	const struct vpci_bar *b = &d->pci.bar[cap->bar];
	struct vm *vm = d->pci.vm;

	if (!write) {
		*data = b->read(&d->pci, cap->offset, cap->length);
		return;
	}
	if (b->unlocked) /* a doorbell has it otherwise than configuration space */
		spin_unlock(&vm->lock);
	b->write(&d->pci, cap->offset, cap->length, *data);
	if (b->unlocked)
		spin_lock(&vm->lock);
}

static bool window_is_sane(const struct virtio_pci *d, const struct virtio_pci_cap *cap)
{
	if (cap->bar >= VPCI_BARS || d->pci.bar[cap->bar].kind == VPCI_BAR_NONE)
		return false;
	if (cap->length != 1 && cap->length != 2 && cap->length != 4)
		return false;
	return cap->offset % cap->length == 0 && cap->offset < d->pci.bar[cap->bar].size;
}

static void window_access(struct virtio_pci *d, unsigned offset, unsigned size, bool write)
{
	uint8_t *config = d->pci.config;
	unsigned data_at = d->window + offsetof(struct virtio_pci_cfg_cap, data);
	struct virtio_pci_cap cap; /* guest-controlled, a copy */
	uint32_t data;

	if (offset + size <= data_at || offset >= data_at + sizeof(data))
		return;
	memcpy(&cap, config + d->window, sizeof(cap));
	if (!window_is_sane(d, &cap))
		return;
	memcpy(&data, config + data_at, sizeof(data));
	through_window(d, &cap, write, &data);
	memcpy(config + data_at, &data, sizeof(data));
}

static void config_access(struct vpci_dev *pd, unsigned offset, unsigned size, bool write)
{
	struct virtio_pci *d = of_pci(pd);

	if (write && offset <= PCI_COMMAND && offset + size > PCI_COMMAND)
		virtio_serve(d);
	window_access(d, offset, size, write);
}

/* --- set-up --- */

static void cap_add(struct virtio_pci *d, unsigned type, unsigned bar, uint32_t offset,
		    uint32_t len)
{
	const struct virtio_pci_cap cap = {
		.vendor = PCI_CAP_ID_VENDOR,
		.len = sizeof(cap),
		.type = type,
		.bar = bar,
		.offset = offset,
		.length = len,
	};

	vpci_add_cap(&d->pci, &cap, sizeof(cap));
}

static void notify_cap_add(struct virtio_pci *d)
{
	const struct virtio_pci_notify_cap cap = {
		.cap = {
			.vendor = PCI_CAP_ID_VENDOR,
			.len = sizeof(cap),
			.type = VIRTIO_CAP_NOTIFY,
			.bar = d->mmio_notify ? BAR_NOTIFY_MEMORY : BAR_NOTIFY_PORTS,
			.length = NOTIFY_LEN,
		},
		.multiplier = NOTIFY_MULTIPLIER,
	};

	vpci_add_cap(&d->pci, &cap, sizeof(cap));
}

static void window_cap_add(struct virtio_pci *d)
{
	const struct virtio_pci_cfg_cap cap = {
		.cap = { .vendor = PCI_CAP_ID_VENDOR, .len = sizeof(cap), .type = VIRTIO_CAP_PCI },
	};
	uint8_t *writable;

	d->window = vpci_add_cap(&d->pci, &cap, sizeof(cap));
	writable = d->pci.writable + d->window;
	writable[offsetof(struct virtio_pci_cap, bar)] = 0xff;
	memset(writable + offsetof(struct virtio_pci_cap, offset), 0xff, sizeof(cap.cap.offset));
	memset(writable + offsetof(struct virtio_pci_cap, length), 0xff, sizeof(cap.cap.length));
	memset(writable + offsetof(struct virtio_pci_cfg_cap, data), 0xff, sizeof(cap.data));
}

static void bars_init(struct virtio_pci *d)
{
	const struct vpci_bar notify = {
		.kind = d->mmio_notify ? VPCI_BAR_MEM32 : VPCI_BAR_IO,
		.size = d->mmio_notify ? NOTIFY_MEMORY : NOTIFY_PORTS,
		.unlocked = true,
		.read = notify_read,
		.write = notify_write,
	};

	d->pci.bar[d->mmio_notify ? BAR_NOTIFY_MEMORY : BAR_NOTIFY_PORTS] = notify;
	d->pci.bar[BAR_REGISTERS] = (struct vpci_bar){
		.kind = VPCI_BAR_MEM32,
		.size = REGISTERS_SIZE,
		.read = registers_read,
		.write = registers_write,
	};
}

int virtio_pci_add(struct virtio_pci *d, struct vm *vm, uint16_t device_type, unsigned vectors)
{
	struct vpci_dev *pd = &d->pci;
	int err;

	pd->vm = vm;
	pd->vendor = pd->subsystem_vendor = VIRTIO_PCI_VENDOR;
	pd->device = pd->subsystem = VIRTIO_PCI_DEVICE(device_type);
	pd->class |= VIRTIO_PCI_REVISION;
	pd->nvectors = vectors;
	pd->msix_bar = BAR_REGISTERS;
	pd->msix_table = MSIX_AT;
	pd->msix_pba = MSIX_PBA_AT;
	pd->config_access = config_access;
	bars_init(d);
	err = vpci_add(&vm->pci, pd);
	if (err)
		return err;
	/*
	 * where to find what; a driver takes the first of a type that it can
	 * use [virtio 1.2 4.1.4.1]
	 */
	cap_add(d, VIRTIO_CAP_COMMON, BAR_REGISTERS, COMMON_AT, VIRTIO_COMMON_LEN);
	notify_cap_add(d);
	cap_add(d, VIRTIO_CAP_ISR, BAR_REGISTERS, ISR_AT, 1);
	cap_add(d, VIRTIO_CAP_DEVICE, BAR_REGISTERS, DEVICE_AT, d->config_len);
	window_cap_add(d);
	virtio_state_reset(d);
	pd->reset = machine_reset;
	return 0;
}
