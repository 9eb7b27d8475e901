/* SPDX-License-Identifier: MIT */
/*
 * virtio_pci.h - virtio over PCI: capabilities, common configuration,
 * notification, ISR [virtio 1.2 4.1]
 *
 * BARs: 0 notify (I/O ports), 1 common, ISR, device configuration, MSI-X table and PBA, 2 notify
 * (memory; instead of 0). A device fills in its half (struct virtio_dev_ops) and adds the function
 * to the bus. Guarded by vm->lock but for doorbells and signals.
 *
 * Lock order: vm->lock, then the locks that a device's ops take (a vring's mutex). So signals,
 * which may take vm->lock, come with none of them held.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vpci.h"

enum { VIRTIO_QUEUES = 3, VIRTIO_NO_VECTOR = 0xffff };

#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER      2
#define VIRTIO_STATUS_DRIVER_OK   4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED      128

struct virtio_pci;

/* all but kick: on the vCPU's core, vm->lock held */
struct virtio_dev_ops {
	/*
	 * the driver wrote FEATURES_OK: may it have @features? They are VERSION_1 and
	 * offered. [virtio 1.2 3.1.1]
	 */
	bool (*features_ok)(struct virtio_pci *d, uint64_t features);
	/* queue_enable: 0, or -EINVAL and a sentence in *why: NEEDS_RESET */
	int (*queue_start)(struct virtio_pci *d, unsigned q, const char **why);
	/* serve the queues that are enabled; comes again after each hold(), and maybe between */
	void (*driver_ok)(struct virtio_pci *d);
	/*
	 * the function may not be bus master: returns when nobody touches the guest's
	 * memory, until driver_ok()
	 */
	void (*hold)(struct virtio_pci *d);
	/* reset: returns when nobody touches the guest's memory */
	void (*stop)(struct virtio_pci *d);
	/* a doorbell of a device with DRIVER_OK; vm->lock not held */
	void (*kick)(struct virtio_pci *d, unsigned q);
	uint8_t (*config_read)(struct virtio_pci *d, unsigned offset);
};

struct virtio_queue {
	uint16_t size, max;
	_Atomic uint16_t vector; /* read by whoever signals */
	bool enabled;
	bool bad_size; /* the last size written was refused: the driver has another in mind */
	uint64_t desc, avail, used; /* guest-physical, as written */
};

struct virtio_pci {
	struct vpci_dev pci;
	/* by the device, before virtio_pci_add(); pci.name and pci.class as well, queue[].max */
	const struct virtio_dev_ops *ops;
	uint64_t offered;
	unsigned nqueues, config_len;
	bool mmio_notify;

	/* as the guest programs it */
	uint64_t features; /* as accepted by the driver */
	uint32_t offered_select, features_select;
	uint16_t queue_select;
	struct virtio_queue queue[VIRTIO_QUEUES];
	unsigned window; /* offset of the PCI_CFG capability */

	/* also by doorbells and signals, from any core */
	_Atomic uint8_t status, isr, generation;
	_Atomic uint16_t config_vector;
	_Atomic uint64_t early_kicks;
	uint64_t resets, needs_resets;
	char broken[80]; /* why it last needed a reset */
};

/*
 * virtio_pci_add() - as a function of @vm's bus, with @vectors MSI-X vectors. 0 or -ENOSPC. VM off.
 */
int virtio_pci_add(struct virtio_pci *d, struct vm *vm, uint16_t device_type, unsigned vectors);
/*
 * virtio_signal_queue() - used buffers. Any core, no lock held. virtio_signal_config() - a changed
 * configuration. Any core, vm->lock held. A device that was reset meanwhile signals nothing.
 */
void virtio_signal_queue(struct virtio_pci *d, unsigned q);
void virtio_signal_config(struct virtio_pci *d);
/*
 * virtio_needs_reset() - the driver did with queue @q what none may: *@why. Any core, no lock held.
 * A complaint that comes late is none: *@why is looked at when no reset and no set-up can come
 * between, and the latter makes it NULL.
 */
void virtio_needs_reset(struct virtio_pci *d, unsigned q, const char *const *why);
