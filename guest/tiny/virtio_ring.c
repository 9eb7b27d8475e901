/* SPDX-License-Identifier: MIT */
/*
 * virtio_ring.c - descriptors, available ring, used ring [virtio 1.2 2.7]
 *
 * From the driver's poll and transmit, never from an interrupt but for vring_interrupt(). Each
 * index has one writer: avail_idx is ours, used->idx the device's. Four barriers, and each has
 * its reason at its place.
 */
#include "virtio_ring.h"

#include "cpu.h"

/* where the two events stand: behind the ring [2.7.6, 2.7.8] */
static volatile uint16_t *vring_used_event(struct virtqueue *vq)
{
	return &vq->vring.avail->ring[vq->vring.num];
}

static volatile uint16_t *vring_avail_event(struct virtqueue *vq)
{
	return (volatile uint16_t *)&vq->vring.used->ring[vq->vring.num];
}

/* vring_need_event() - did the index, going from @old to @new, pass @event? [2.7.7.2] */
static bool vring_need_event(uint16_t event, uint16_t new, uint16_t old)
{
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

void vring_new_virtqueue(struct virtqueue *vq, unsigned num)
{
	vq->vring = (struct vring){ num, vq->desc, &vq->avail, &vq->used };
	vq->free_head = 0;
	vq->num_free = num;
	vq->num_added = vq->avail_idx = vq->last_used_idx = 0;
	for (unsigned i = 0; i < num; i++) {
		vq->desc[i] = (struct vring_desc){ .next = i + 1 };
		vq->data[i] = NULL;
	}
	vq->avail.flags = vq->avail.idx = 0;
	vq->used.flags = vq->used.idx = 0;
	*vring_used_event(vq) = *vring_avail_event(vq) = 0;
}

/* fill() - one piece into descriptor @d */
static void fill(volatile struct vring_desc *d, const struct scatterlist *sg, bool in, bool more)
{
	d->addr = sg->addr;
	d->len = sg->len;
	d->flags = (in ? VRING_DESC_F_WRITE : 0) | (more ? VRING_DESC_F_NEXT : 0);
}

/* add_indirect() - all pieces in a table of their own, one descriptor in the ring */
static void add_indirect(struct virtqueue *vq, const struct scatterlist *sg, unsigned out,
			 unsigned total)
{
	unsigned head = vq->free_head;
	struct vring_desc *table = vq->indirect_table[head];

	for (unsigned i = 0; i < total; i++) {
		fill(&table[i], &sg[i], i >= out, i + 1 < total);
		table[i].next = i + 1;
	}
	vq->vring.desc[head].addr = physical(table);
	vq->vring.desc[head].len = total * sizeof(*table);
	vq->vring.desc[head].flags = VRING_DESC_F_INDIRECT;
	vq->free_head = vq->vring.desc[head].next;
	vq->num_free--;
}

static void add_chain(struct virtqueue *vq, const struct scatterlist *sg, unsigned out,
		      unsigned total)
{
	unsigned i = vq->free_head;

	for (unsigned n = 0; n < total; n++) {
		fill(&vq->vring.desc[i], &sg[n], n >= out, n + 1 < total);
		i = vq->vring.desc[i].next;
	}
	vq->free_head = i;
	vq->num_free -= total;
}

bool virtqueue_add(struct virtqueue *vq, const struct scatterlist *sg, unsigned out, unsigned in,
		   void *data)
{
	unsigned head = vq->free_head, total = out + in;
	bool indirect = vq->indirect && total > 1;

	if (vq->num_free < (indirect ? 1 : total))
		return false;
	if (indirect)
		add_indirect(vq, sg, out, total);
	else
		add_chain(vq, sg, out, total);
	vq->data[head] = data;
	vq->vring.avail->ring[vq->avail_idx % vq->vring.num] = head;
	wmb(); /* descriptors and ring entry before the index that shows them to the device */
	vq->vring.avail->idx = ++vq->avail_idx;
	vq->num_added++;
	vq->buffers++;
	return true;
}

void virtqueue_notify(struct virtqueue *vq)
{
	vq->kicks++;
	iowrite16(&vq->notify, 0, vq->index);
}

static bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	uint16_t new = vq->avail_idx, old = new - vq->num_added;

	/*
	 * Our index before a look at whether the device sleeps; the device writes that it sleeps
	 * before it looks at our index. So at least one of us sees the other.
	 */
	mb();
	vq->num_added = 0;
	if (vq->event)
		return vring_need_event(*vring_avail_event(vq), new, old);
	return !(vq->vring.used->flags & VRING_USED_F_NO_NOTIFY);
}

void virtqueue_kick(struct virtqueue *vq)
{
	if (virtqueue_kick_prepare(vq))
		virtqueue_notify(vq);
	else
		vq->suppressed++;
}

static bool more_used(const struct virtqueue *vq)
{
	return vq->last_used_idx != vq->vring.used->idx;
}

/* detach_buf() - the descriptors of @head are free again */
static void *detach_buf(struct virtqueue *vq, unsigned head)
{
	void *data = vq->data[head];
	unsigned i = head;

	vq->data[head] = NULL;
	vq->num_free++;
	while (vq->vring.desc[i].flags & VRING_DESC_F_NEXT) {
		i = vq->vring.desc[i].next;
		vq->num_free++;
	}
	vq->vring.desc[i].next = vq->free_head;
	vq->free_head = head;
	return data;
}

void *virtqueue_get_buf(struct virtqueue *vq, uint32_t *len)
{
	const volatile struct vring_used_elem *e;

	if (!more_used(vq))
		return NULL;
	rmb(); /* the index before the entry that it shows */
	e = &vq->vring.used->ring[vq->last_used_idx % vq->vring.num];
	if (len)
		*len = e->len;
	vq->last_used_idx++;
	return detach_buf(vq, e->id % vq->vring.num);
}

void *virtqueue_detach_unused_buf(struct virtqueue *vq)
{
	for (unsigned i = 0; i < vq->vring.num; i++) {
		void *data = vq->data[i];

		vq->data[i] = NULL;
		if (data)
			return data;
	}
	return NULL;
}

void virtqueue_disable_cb(struct virtqueue *vq)
{
	if (vq->event) /* just behind us: 65,535 buffers away */
		*vring_used_event(vq) = vq->last_used_idx - 1;
	else
		vq->vring.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

/* enable_cb() - an interrupt for the buffer at @event. true: it has not come in yet */
static bool enable_cb(struct virtqueue *vq, uint16_t event)
{
	if (vq->event)
		*vring_used_event(vq) = event;
	else
		vq->vring.avail->flags = 0;
	/* the wish before the last look at the index; the device does it the other way round */
	mb();
	return (uint16_t)(vq->vring.used->idx - vq->last_used_idx) <=
	       (uint16_t)(event - vq->last_used_idx);
}

bool virtqueue_enable_cb(struct virtqueue *vq)
{
	return enable_cb(vq, vq->last_used_idx);
}

bool virtqueue_enable_cb_delayed(struct virtqueue *vq)
{
	uint16_t outstanding = vq->avail_idx - vq->last_used_idx;

	return enable_cb(vq, vq->last_used_idx + outstanding * 3 / 4);
}

bool vring_interrupt(struct virtqueue *vq)
{
	if (!more_used(vq))
		return false;
	vq->interrupts++;
	if (vq->callback)
		vq->callback(vq);
	return true;
}
