/* SPDX-License-Identifier: MIT */
/*
 * virtio_common.c - a device's status and its common configuration, by which a driver sets it up
 * [virtio 1.2 3.1, 4.1.4.3]
 *
 * Called by virtio_pci.c on the vCPU's core while an exit is handled, with vm->lock held;
 * virtio_needs_reset() on any core without it. Owns what struct virtio_pci calls "as the guest
 * programs it", and status.
 */
#include "virtio_parts.h"

#include "kernel/bits.h"
#include "virtio_regs.h"
#include "vm.h"

#include <stdio.h>

#define DRIVER_BITS                                                                     \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK | \
	 VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FAILED)

/* --- the device's status [virtio 1.2 2.1, 3.1.1] --- */

static void explain(struct virtio_pci *d, const char *why)
{
	snprintf(d->broken, sizeof(d->broken), "%s", why ? why : "unknown");
	d->needs_resets++;
}

/* Only a device that is driven can be in need, and only by a queue that is on. */
static bool may_complain(const struct virtio_pci *d, unsigned q)
{
	return d->status & VIRTIO_STATUS_DRIVER_OK && !(d->status & VIRTIO_STATUS_NEEDS_RESET) &&
	       d->queue[q].enabled;
}

void virtio_needs_reset(struct virtio_pci *d, unsigned q, const char *const *why)
{
	struct vm *vm = d->pci.vm;

	spin_lock(&vm->lock);
	if (may_complain(d, q) && *why) {
		atomic_fetch_or(&d->status, VIRTIO_STATUS_NEEDS_RESET);
		explain(d, *why);
		virtio_signal_config(d); /* [virtio 1.2 2.1.2] */
	}
	spin_unlock(&vm->lock);
}

static void queue_reset(struct virtio_queue *q)
{
	/*
	 * member by member: who signals reads the vector without the lock, and
	 * must not find a 0 in between
	 */
	q->vector = VIRTIO_NO_VECTOR;
	q->size = q->max;
	q->enabled = q->bad_size = false;
	q->desc = q->avail = q->used = 0;
}

void virtio_state_reset(struct virtio_pci *d)
{
	d->features = 0;
	d->offered_select = d->features_select = 0;
	d->queue_select = 0;
	d->config_vector = VIRTIO_NO_VECTOR;
	for (unsigned q = 0; q < d->nqueues; q++)
		queue_reset(&d->queue[q]);
	d->isr = 0;
	virtio_line_update(d);
	d->status = 0;
}

void virtio_reset(struct virtio_pci *d)
{
	d->resets += d->status != 0; /* many drivers begin with one too many */
	d->ops->stop(d);
	virtio_state_reset(d);
}

static bool features_acceptable(struct virtio_pci *d)
{
	if (d->features & ~d->offered || !(d->features & VIRTIO_F_VERSION_1))
		return false;
	return d->ops->features_ok(d, d->features);
}

/*
 * status_write() - the driver adds bits, step by step; it takes none away but by a reset. A step
 * that is refused leaves its bit 0, which the driver reads back [virtio 1.2 3.1.1].
 */
static void status_write(struct virtio_pci *d, uint8_t value)
{
	uint8_t add = value & DRIVER_BITS & ~d->status;

	if (value == 0) {
		virtio_reset(d);
		return;
	}
	if (add & VIRTIO_STATUS_FEATURES_OK && !features_acceptable(d))
		add &= ~VIRTIO_STATUS_FEATURES_OK;
	if (!((d->status | add) & VIRTIO_STATUS_FEATURES_OK) ||
	    d->status & VIRTIO_STATUS_NEEDS_RESET)
		add &= ~VIRTIO_STATUS_DRIVER_OK;
	/* first the bit: what the device does from now on may signal */
	atomic_fetch_or(&d->status, add);
	if (add & VIRTIO_STATUS_DRIVER_OK)
		virtio_serve(d);
}

/* --- common configuration [virtio 1.2 4.1.4.3] --- */

/* how wide an access at this offset is; 0: none is right */
static const uint8_t width_at[VIRTIO_COMMON_LEN] = {
	[VIRTIO_DEVICE_FEATURE_SELECT] = 4, [VIRTIO_DEVICE_FEATURE] = 4,
	[VIRTIO_DRIVER_FEATURE_SELECT] = 4, [VIRTIO_DRIVER_FEATURE] = 4,
	[VIRTIO_CONFIG_VECTOR] = 2,         [VIRTIO_NUM_QUEUES] = 2,
	[VIRTIO_DEVICE_STATUS] = 1,         [VIRTIO_CONFIG_GENERATION] = 1,
	[VIRTIO_QUEUE_SELECT] = 2,          [VIRTIO_QUEUE_SIZE] = 2,
	[VIRTIO_QUEUE_VECTOR] = 2,          [VIRTIO_QUEUE_ENABLE] = 2,
	[VIRTIO_QUEUE_NOTIFY_OFF] = 2,      [VIRTIO_QUEUE_DESC] = 4,
	[VIRTIO_QUEUE_DESC + 4] = 4,        [VIRTIO_QUEUE_DRIVER] = 4,
	[VIRTIO_QUEUE_DRIVER + 4] = 4,      [VIRTIO_QUEUE_DEVICE] = 4,
	[VIRTIO_QUEUE_DEVICE + 4] = 4,
};

/* halves of 64 bits: @i 0 is the lower one */
static uint32_t half(uint64_t v, unsigned i)
{
	return v >> (32 * i);
}

static void set_half(uint64_t *v, unsigned i, uint32_t value)
{
	*v = (*v & ~(BITS(31, 0) << (32 * i))) | (uint64_t)value << (32 * i);
}

static uint32_t queue_read(const struct virtio_pci *d, const struct virtio_queue *q,
			   unsigned offset)
{
	switch (offset) {
	case VIRTIO_QUEUE_SIZE: return q->size;
	case VIRTIO_QUEUE_VECTOR: return q->vector;
	case VIRTIO_QUEUE_ENABLE: return q->enabled;
	case VIRTIO_QUEUE_NOTIFY_OFF: return q - d->queue;
	case VIRTIO_QUEUE_DESC: return half(q->desc, 0);
	case VIRTIO_QUEUE_DESC + 4: return half(q->desc, 1);
	case VIRTIO_QUEUE_DRIVER: return half(q->avail, 0);
	case VIRTIO_QUEUE_DRIVER + 4: return half(q->avail, 1);
	case VIRTIO_QUEUE_DEVICE: return half(q->used, 0);
	case VIRTIO_QUEUE_DEVICE + 4: return half(q->used, 1);
	default: return 0;
	}
}

static uint32_t register_read(struct virtio_pci *d, unsigned offset)
{
	switch (offset) {
	case VIRTIO_DEVICE_FEATURE_SELECT: return d->offered_select;
	case VIRTIO_DEVICE_FEATURE:
		return d->offered_select < 2 ? half(d->offered, d->offered_select) : 0;
	case VIRTIO_DRIVER_FEATURE_SELECT: return d->features_select;
	case VIRTIO_DRIVER_FEATURE:
		return d->features_select < 2 ? half(d->features, d->features_select) : 0;
	case VIRTIO_CONFIG_VECTOR: return d->config_vector;
	case VIRTIO_NUM_QUEUES: return d->nqueues;
	case VIRTIO_DEVICE_STATUS: return d->status;
	case VIRTIO_CONFIG_GENERATION: return d->generation;
	case VIRTIO_QUEUE_SELECT: return d->queue_select;
	}
	return d->queue_select < d->nqueues ? queue_read(d, &d->queue[d->queue_select], offset) : 0;
}

/* A vector that the table does not have reads back as none [virtio 1.2 4.1.5.1.2]. */
static uint16_t vector_or_none(const struct virtio_pci *d, uint32_t value)
{
	return value < d->pci.nvectors ? value : VIRTIO_NO_VECTOR;
}

/*
 * queue_enable() - the driver has said all about the queue: look at its rings, remember it.
 * Between FEATURES_OK and DRIVER_OK only, that is when queues are set up [virtio 1.2 3.1.1]; at
 * any other time nothing happens.
 */
static void queue_enable(struct virtio_pci *d, struct virtio_queue *q)
{
	uint8_t status = d->status;
	const char *why = NULL;

	if (!(status & VIRTIO_STATUS_FEATURES_OK) ||
	    status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET))
		return;
	if (q->bad_size)
		why = "a queue size that is no power of two, or larger than offered";
	else if (!d->ops->queue_start(d, q - d->queue, &why))
		q->enabled = true;
	if (!q->enabled) {
		atomic_fetch_or(&d->status, VIRTIO_STATUS_NEEDS_RESET);
		explain(d, why);
	}
}

/* An enabled queue is as it is until a reset [virtio 1.2 4.1.4.3.2]; but its vector may change. */
static void queue_write(struct virtio_pci *d, struct virtio_queue *q, unsigned offset,
			uint32_t value)
{
	if (offset == VIRTIO_QUEUE_VECTOR)
		q->vector = vector_or_none(d, value);
	if (q->enabled)
		return;
	switch (offset) {
	case VIRTIO_QUEUE_SIZE:
		q->bad_size = !value || value & (value - 1) || value > q->max;
		if (!q->bad_size)
			q->size = value;
		break;
	case VIRTIO_QUEUE_ENABLE:
		if (value == 1)
			queue_enable(d, q);
		break;
	case VIRTIO_QUEUE_DESC: set_half(&q->desc, 0, value); break;
	case VIRTIO_QUEUE_DESC + 4: set_half(&q->desc, 1, value); break;
	case VIRTIO_QUEUE_DRIVER: set_half(&q->avail, 0, value); break;
	case VIRTIO_QUEUE_DRIVER + 4: set_half(&q->avail, 1, value); break;
	case VIRTIO_QUEUE_DEVICE: set_half(&q->used, 0, value); break;
	case VIRTIO_QUEUE_DEVICE + 4: set_half(&q->used, 1, value); break;
	}
}

/*
 * What was agreed by FEATURES_OK stands until a reset. Bits that were not offered are kept,
 * so that they are refused.
 */
static void features_write(struct virtio_pci *d, uint32_t value)
{
	if (d->features_select < 2 && !(d->status & VIRTIO_STATUS_FEATURES_OK))
		set_half(&d->features, d->features_select, value);
}

static void register_write(struct virtio_pci *d, unsigned offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_DEVICE_FEATURE_SELECT: d->offered_select = value; break;
	case VIRTIO_DRIVER_FEATURE_SELECT: d->features_select = value; break;
	case VIRTIO_DRIVER_FEATURE: features_write(d, value); break;
	case VIRTIO_CONFIG_VECTOR: d->config_vector = vector_or_none(d, value); break;
	case VIRTIO_DEVICE_STATUS: status_write(d, value); break;
	case VIRTIO_QUEUE_SELECT: d->queue_select = value; break;
	default:
		if (d->queue_select < d->nqueues)
			queue_write(d, &d->queue[d->queue_select], offset, value);
	}
}

static bool is_register(uint64_t offset, unsigned size)
{
	return offset < VIRTIO_COMMON_LEN && width_at[offset] == size;
}

uint64_t virtio_common_read(struct virtio_pci *d, uint64_t offset, unsigned size)
{
	if (size == 8)
		return virtio_common_read(d, offset, 4) | virtio_common_read(d, offset + 4, 4)
								  << 32;
	return is_register(offset, size) ? register_read(d, offset) : 0;
}

void virtio_common_write(struct virtio_pci *d, uint64_t offset, unsigned size, uint64_t value)
{
	if (size == 8) {
		virtio_common_write(d, offset, 4, half(value, 0));
		virtio_common_write(d, offset + 4, 4, half(value, 1));
	} else if (is_register(offset, size)) {
		register_write(d, offset, value);
	}
}
