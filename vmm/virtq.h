/* SPDX-License-Identifier: MIT */
/*
 * virtq.h - the device's half of a split virtqueue [virtio 1.2 2.7]
 *
 * Descriptor table and available ring are guest-controlled: every index, address, length and flag
 * is read once and bounded before it is used. What no driver may do (a loop, an index beyond the
 * table, a hole in memory, a jump of the available index) breaks the queue: it takes nothing more
 * until it is reset, and says why.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gpa.h"

enum { VIRTQ_SIZE_MAX = 256, VIRTQ_SEGS_MAX = 64 };

#define VIRTQ_DESC_F_NEXT     1
#define VIRTQ_DESC_F_WRITE    2
#define VIRTQ_DESC_F_INDIRECT 4

#define VIRTQ_AVAIL_F_NO_INTERRUPT 1
#define VIRTQ_USED_F_NO_NOTIFY     1

/* packed: an indirect table may stand at any address */
struct __attribute__((packed)) virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct virtq_used_elem {
	uint32_t id, len;
};

/* where the parts of both rings stand, in 16-bit words [2.7.6, 2.7.8] */
enum { VIRTQ_FLAGS, VIRTQ_IDX, VIRTQ_RING };

/* a piece of a buffer, checked: all of it is the guest's RAM */
struct virtq_seg {
	uint8_t *p;
	uint32_t len;
};

/*
 * what the driver made available as one buffer: device-readable pieces first,
 * then device-writable ones
 */
struct virtq_chain {
	uint16_t head;
	unsigned nread, nwrite;
	uint32_t read_bytes, write_bytes;
	struct virtq_seg seg[VIRTQ_SEGS_MAX]; /* [nread + nwrite] */
};

struct virtq {
	/* set while the queue is off */
	const struct gpa_map *mem;
	const volatile struct virtq_desc *desc; /* guest-controlled */
	volatile uint16_t *avail; /* flags, idx, ring[size], used_event; guest-controlled */
	volatile uint16_t *used;  /* flags, idx, ring[size] of 8 bytes, avail_event */
	uint16_t size;            /* descriptors, a power of two */
	bool indirect, event_idx; /* negotiated; the caller's to set, before virtq_start() */

	/* by whoever serves it */
	uint16_t last_avail; /* next to take; wraps by itself */
	uint16_t avail_seen; /* the driver's index as last read */
	uint16_t used_idx;   /* next to give back; published by virtq_publish() */
	uint16_t signalled;  /* used_idx at the last look whether to signal */
	bool notify_on;      /* the driver was told to kick */
	const char *broken;  /* why the queue takes nothing more; NULL: it is well */
	uint64_t suppressed; /* signals that the driver did not want */
};

/*
 * virtq_start() - rings at guest-physical addresses, @size descriptors, starting at index @base;
 * the driver is told to kick. Returns 0, or -EINVAL and a reason in vq->broken: size no power of
 * two, misaligned, not all in RAM.
 */
int virtq_start(struct virtq *vq, const struct gpa_map *mem, unsigned size, uint64_t desc,
		uint64_t avail, uint64_t used, uint16_t base);

/* virtq_break() - the driver did what none may: nothing more is taken. Returns -EINVAL. */
int virtq_break(struct virtq *vq, const char *why);

/*
 * virtq_more() - is a buffer available? One read of the driver's index when
 * the last look found none.
 */
bool virtq_more(struct virtq *vq);
/*
 * virtq_pop() - the next buffer. 1: @c is filled; 0: none; -EINVAL: the queue
 * broke, vq->broken says why.
 */
int virtq_pop(struct virtq *vq, struct virtq_chain *c);

/* virtq_unpop() - give the last @n popped back untouched. */
static inline void virtq_unpop(struct virtq *vq, unsigned n)
{
	vq->last_avail -= n;
}

/* virtq_push() - buffer @head is used, @len bytes were written into it. */
static inline void virtq_push(struct virtq *vq, uint16_t head, uint32_t len)
{
	volatile struct virtq_used_elem *ring =
		(volatile struct virtq_used_elem *)(vq->used + VIRTQ_RING);
	volatile struct virtq_used_elem *e = &ring[vq->used_idx++ & (vq->size - 1)];

	e->id = head;
	e->len = len;
}

/* virtq_publish() - the driver sees all that were pushed. */
static inline void virtq_publish(struct virtq *vq)
{
	/*
	 * release: pairs with the driver's read barrier behind its look at the index;
	 * buffers and ring come first
	 */
	__atomic_store_n(&vq->used[VIRTQ_IDX], vq->used_idx, __ATOMIC_RELEASE);
}

/* virtq_should_signal() - after publishing: does the driver want an interrupt for it? [2.7.7] */
bool virtq_should_signal(struct virtq *vq);
/*
 * virtq_notify_on() - ask for a kick at the next buffer that has not been seen yet, again after
 * each kick. Returns true if one came in meanwhile: look again, its kick may never come.
 * virtq_notify_off() - no more kicks, please.
 */
bool virtq_notify_on(struct virtq *vq);
void virtq_notify_off(struct virtq *vq);
