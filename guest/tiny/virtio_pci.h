/* SPDX-License-Identifier: MIT */
/*
 * virtio_pci.h - virtio over PCI: finding the registers, features, queues and their
 * interrupts [virtio 1.2 3.1, 4.1]
 *
 *	virtio_dev_probe ► vp_modern_probe ► vp_finalize_features ► (driver: vp_find_vqs) ► virtio_device_ready
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci.h"
#include "virtio_ring.h"

enum { VP_QUEUES = 3 };

#define PCI_VENDOR_ID_VIRTIO 0x1af4
#define PCI_DEVICE_ID_NET    0x1041 /* 0x1040 + device type [4.1.2.1] */

/* a queue that the driver wants */
struct vq_info {
	const char *name;
	vq_callback_t *callback;
};

struct virtio_device {
	struct pci_dev pci;
	unsigned id; /* from 0: its interrupt vectors follow from it */
	struct region common, isr, device, notify;
	uint32_t notify_off_multiplier;
	uint64_t offered, features;
	unsigned nvqs;
	struct virtqueue *vq[VP_QUEUES]; /* the driver's */
	unsigned nvectors;               /* MSI-X vectors in use; 0: INTx */
	bool ready;                      /* DRIVER_OK was written */
	volatile uint64_t config_changes;
};

/*
 * vp_modern_probe() - the capabilities; then reset, ACKNOWLEDGE, DRIVER. false:
 * not a device that we know.
 */
bool vp_modern_probe(struct virtio_device *vdev);
/*
 * vp_finalize_features() - what is offered and in @wanted; false: the device refused them, or
 * it is none of version 1.
 */
bool vp_finalize_features(struct virtio_device *vdev, uint64_t wanted);
/*
 * vp_find_vqs() - set up vdev->vq[0..nvqs-1] with at most @max_vectors MSI-X vectors: one for
 * each queue that calls back and one for the configuration; else two, one for all queues; else
 * INTx. false: not even so.
 */
bool vp_find_vqs(struct virtio_device *vdev, const struct vq_info *info, unsigned nvqs,
		 unsigned max_vectors);
void virtio_device_ready(struct virtio_device *vdev);
/*
 * vp_reset() - the device forgets everything and touches nothing of ours any more.
 * false: it doesn't say so.
 */
bool vp_reset(struct virtio_device *vdev);

uint8_t vp_get_status(struct virtio_device *vdev);
void vp_add_status(struct virtio_device *vdev, uint8_t bits);
/*
 * vp_setup_vq() - queue @index into the device at these addresses, @num
 * descriptors. false: it refused.
 */
bool vp_setup_vq(struct virtio_device *vdev, unsigned index, unsigned num, uint64_t desc,
		 uint64_t avail, uint64_t used);
/* vp_set_features() - write @features and FEATURES_OK; false: the bit did not stay. */
bool vp_set_features(struct virtio_device *vdev, uint64_t features);
