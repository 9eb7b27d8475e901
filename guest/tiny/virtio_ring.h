/* SPDX-License-Identifier: MIT */
/*
 * virtio_ring.h - the driver's half of a split virtqueue [virtio 1.2 2.7]; names are Linux's
 *
 *	virtqueue_add ► virtqueue_kick ► (device) ► vring_interrupt ► callback ► virtqueue_get_buf
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci.h"
#include "virtio_regs.h"

enum { VIRTQUEUE_SG_MAX = 8 };

struct virtio_device;
struct virtqueue;

typedef void vq_callback_t(struct virtqueue *vq);

struct scatterlist {
	uint64_t addr; /* physical */
	uint32_t len;
};

struct virtqueue {
	/* shared with the device; volatile: the used ring changes under us */
	struct vring {
		unsigned num;
		volatile struct vring_desc *desc;
		volatile struct vring_avail *avail;
		volatile struct vring_used *used;
	} vring;

	struct virtio_device *vdev;
	unsigned index;
	const char *name;
	vq_callback_t *callback; /* NULL: never interrupts */
	bool event, indirect;    /* negotiated */
	struct region notify;    /* its doorbell */

	uint16_t free_head; /* descriptors that are free hang together by next */
	uint16_t num_free;
	uint16_t num_added;     /* buffers since the last kick */
	uint16_t avail_idx;     /* as published */
	uint16_t last_used_idx; /* next to look at */
	void *data[VRING_MAX];  /* whose a chain is, by its head */
	struct vring_desc indirect_table[VRING_MAX][VIRTQUEUE_SG_MAX];

	/* statistics */
	uint64_t buffers, kicks, suppressed, interrupts;

	/* the memory of the vring */
	struct vring_desc desc[VRING_MAX] __attribute__((aligned(PAGE_SIZE)));
	struct vring_avail avail __attribute__((aligned(PAGE_SIZE)));
	struct vring_used used __attribute__((aligned(PAGE_SIZE)));
};

/* vring_new_virtqueue() - an empty queue of @num descriptors, a power of two, at most VRING_MAX. */
void vring_new_virtqueue(struct virtqueue *vq, unsigned num);

/*
 * virtqueue_add() - make one buffer available: @out pieces that the device reads, then @in
 * pieces that it writes. @data comes back from virtqueue_get_buf(). false, and nothing done: not
 * enough descriptors are free.
 */
bool virtqueue_add(struct virtqueue *vq, const struct scatterlist *sg, unsigned out, unsigned in,
		   void *data);
/*
 * virtqueue_kick() - ring the doorbell, if the device wants it rung for what was
 * added since the last time.
 */
void virtqueue_kick(struct virtqueue *vq);
/* virtqueue_notify() - ring it in any case. */
void virtqueue_notify(struct virtqueue *vq);

/*
 * virtqueue_get_buf() - the next buffer that the device is through with; NULL: none. *len: bytes
 * that it wrote, may be NULL.
 */
void *virtqueue_get_buf(struct virtqueue *vq, uint32_t *len);
/*
 * virtqueue_detach_unused_buf() - one that it never used, the device being reset; NULL: that was
 * all, the queue is done for.
 */
void *virtqueue_detach_unused_buf(struct virtqueue *vq);

/* virtqueue_disable_cb() - no more interrupts, please; a hint. */
void virtqueue_disable_cb(struct virtqueue *vq);
/*
 * virtqueue_enable_cb() - interrupts again. false: a buffer came in meanwhile, whose interrupt
 * may never come: look again.
 * virtqueue_enable_cb_delayed() - the same for when three quarters of what is outstanding are used.
 */
bool virtqueue_enable_cb(struct virtqueue *vq);
bool virtqueue_enable_cb_delayed(struct virtqueue *vq);

/* vring_interrupt() - the queue's interrupt: calls back if something was used. Returns whether. */
bool vring_interrupt(struct virtqueue *vq);
