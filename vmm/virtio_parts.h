/* SPDX-License-Identifier: MIT */
/*
 * virtio_parts.h - between virtio_pci.c and virtio_common.c; all with vm->lock
 * held, or with the VM off
 */
#pragma once

#include "virtio_pci.h"

/*
 * virtio_common_read(), virtio_common_write() - registers of the common configuration; wrong
 * widths read 0, write nothing.
 */
uint64_t virtio_common_read(struct virtio_pci *d, uint64_t offset, unsigned size);
void virtio_common_write(struct virtio_pci *d, uint64_t offset, unsigned size, uint64_t value);

/*
 * virtio_reset() - when it returns nobody touches the guest's memory, and status
 * reads 0 [virtio 1.2 2.4.1].
 */
void virtio_reset(struct virtio_pci *d);
/*
 * virtio_state_reset() - the second half of it: registers as a driver finds them
 * after a reset; counters stay.
 */
void virtio_state_reset(struct virtio_pci *d);

/*
 * virtio_serve() - DRIVER_OK or bus mastering may have changed: the device serves its queues, which
 * lie in the guest's memory, as long as both are there.
 */
void virtio_serve(struct virtio_pci *d);

/* virtio_line_update() - after setting or clearing a bit of ISR: INTx follows it. */
void virtio_line_update(struct virtio_pci *d);
