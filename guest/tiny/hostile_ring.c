/* SPDX-License-Identifier: MIT */
/*
 * hostile_ring.c - chains that no driver may make [virtio 1.2 2.7]
 *
 * Called by hostile.c with the device up and no poll running: descriptors and
 * indices are overwritten.
 */
#include "hostile.h"

#include "cpu.h"

enum { STORM = 10000 };

static uint8_t scrap[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct vring_desc table[VRING_MAX] __attribute__((aligned(16)));

/* way() - the flag of a buffer that the queue is for */
static uint16_t way(const struct virtqueue *vq)
{
	return vq->index == VQ_RX ? VRING_DESC_F_WRITE : 0;
}

static void piece(struct virtqueue *vq, unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
		  uint16_t next)
{
	vq->vring.desc[i].addr = addr;
	vq->vring.desc[i].len = len;
	vq->vring.desc[i].flags = flags;
	vq->vring.desc[i].next = next;
}

/*
 * expose() - @head is available. For receive, where all entries are already: each of them is @head
 */
static void expose(struct virtqueue *vq, uint16_t head)
{
	if (vq->index == VQ_RX) {
		for (unsigned i = 0; i < vq->vring.num; i++)
			vq->vring.avail->ring[i] = head;
	} else {
		vq->vring.avail->ring[vq->avail_idx % vq->vring.num] = head;
		wmb();
		vq->vring.avail->idx = ++vq->avail_idx;
	}
	virtqueue_notify(vq);
}

/* one() - a chain of one piece */
static void one(struct virtqueue *vq, uint64_t addr, uint32_t len, uint16_t flags)
{
	piece(vq, 0, addr, len, flags, 0);
	expose(vq, 0);
}

static void loop(struct virtqueue *vq)
{
	piece(vq, 0, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, 1);
	piece(vq, 1, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, 0);
	expose(vq, 0);
}

static void self(struct virtqueue *vq)
{
	one(vq, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT);
}

static void chain(struct virtqueue *vq, unsigned n, uint32_t len)
{
	for (unsigned i = 0; i < n; i++)
		piece(vq, i, physical(scrap), len, way(vq) | (i + 1 < n ? VRING_DESC_F_NEXT : 0),
		      i + 1);
	expose(vq, 0);
}

static void long_chain(struct virtqueue *vq)
{
	chain(vq, vq->vring.num, 16);
}

static void huge(struct virtqueue *vq)
{
	chain(vq, 32, PAGE_SIZE);
}

static void range(struct virtqueue *vq)
{
	expose(vq, vq->vring.num + 5);
}

static void next(struct virtqueue *vq)
{
	piece(vq, 0, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, vq->vring.num + 3);
	expose(vq, 0);
}

static void hole(struct virtqueue *vq)
{
	one(vq, HOLE, 64, way(vq));
}

static void end(struct virtqueue *vq)
{
	one(vq, physical(scrap), UINT32_MAX, way(vq));
}

static void wrap(struct virtqueue *vq)
{
	one(vq, UINT64_MAX - 15, 64, way(vq));
}

static void zero(struct virtqueue *vq)
{
	one(vq, physical(scrap), 0, way(vq));
}

static void order(struct virtqueue *vq)
{
	piece(vq, 0, physical(scrap), 64, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	piece(vq, 1, physical(scrap), 64, 0, 0);
	expose(vq, 0);
}

static void wrong_way(struct virtqueue *vq)
{
	one(vq, physical(scrap), 2048, way(vq) ^ VRING_DESC_F_WRITE);
}

static void jump(struct virtqueue *vq)
{
	vq->avail_idx += vq->vring.num + 1;
	vq->vring.avail->idx = vq->avail_idx;
	virtqueue_notify(vq);
}

static void back(struct virtqueue *vq)
{
	/*
	 * one short of what the device has taken already, which of a
	 * receive queue is nothing at all
	 */
	vq->avail_idx -= vq->index == VQ_RX ? vq->vring.num + 1 : 1;
	vq->vring.avail->idx = vq->avail_idx;
	virtqueue_notify(vq);
}

static void twice(struct virtqueue *vq)
{
	one(vq, physical(scrap), 2048, way(vq));
	expose(vq, 0);
}

static void short_frame(struct virtqueue *vq)
{
	one(vq, physical(scrap), 5, way(vq));
}

static void header(struct virtqueue *vq)
{
	one(vq, physical(scrap), SKB_HEADER, way(vq));
}

/* segmentation that was never negotiated */
static void gso(struct virtqueue *vq)
{
	struct virtio_net_hdr_mrg_rxbuf *h = (void *)(scrap + PAGE_SIZE);

	*h = (struct virtio_net_hdr_mrg_rxbuf){ .flags = 1,
						.gso_type = 1,
						.hdr_len = 54,
						.gso_size = 1,
						.csum_start = 0xfff0,
						.csum_offset = 0xfff0 };
	one(vq, physical(h), PAGE_SIZE, way(vq));
}

static void storm(struct virtqueue *vq)
{
	for (unsigned i = 0; i < STORM; i++)
		virtqueue_notify(vq);
}

/* --- indirect tables --- */

static void entry(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t to)
{
	table[i] = (struct vring_desc){ addr, len, flags, to };
}

static void indirect(struct virtqueue *vq, uint64_t addr, uint32_t len, uint16_t flags)
{
	one(vq, addr, len, VRING_DESC_F_INDIRECT | flags);
}

static void nested(struct virtqueue *vq)
{
	entry(0, physical(&table[1]), sizeof(table[0]), VRING_DESC_F_INDIRECT, 0);
	entry(1, physical(scrap), 64, way(vq), 0);
	indirect(vq, physical(table), sizeof(table[0]), 0);
}

static void indirect_next(struct virtqueue *vq)
{
	entry(0, physical(scrap), 64, way(vq), 0);
	piece(vq, 1, physical(scrap), 64, way(vq), 0);
	piece(vq, 0, physical(table), sizeof(table[0]), VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT,
	      1);
	expose(vq, 0);
}

static void indirect_size(struct virtqueue *vq)
{
	entry(0, physical(scrap), 64, way(vq), 0);
	indirect(vq, physical(table), sizeof(table[0]) + 1, 0);
}

static void indirect_empty(struct virtqueue *vq)
{
	indirect(vq, physical(table), 0, 0);
}

static void indirect_loop(struct virtqueue *vq)
{
	entry(0, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, 1);
	entry(1, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, 0);
	indirect(vq, physical(table), 2 * sizeof(table[0]), 0);
}

static void indirect_range(struct virtqueue *vq)
{
	entry(0, physical(scrap), 64, way(vq) | VRING_DESC_F_NEXT, 7);
	indirect(vq, physical(table), 2 * sizeof(table[0]), 0);
}

static void indirect_hole(struct virtqueue *vq)
{
	indirect(vq, HOLE, 4 * sizeof(table[0]), 0);
}

const struct abuse hostile_rings[] = {
	{ .name = "loop", .help = "two descriptors that point to each other", .ring = loop },
	{ .name = "self", .help = "a descriptor that points to itself", .ring = self },
	{ .name = "long", .help = "a chain of all descriptors", .ring = long_chain },
	{ .name = "huge", .help = "a frame of 128 KiB", .ring = huge },
	{ .name = "range", .help = "a head beyond the table", .ring = range },
	{ .name = "next", .help = "a next beyond the table", .ring = next },
	{ .name = "hole", .help = "a buffer where there is no memory", .ring = hole },
	{ .name = "end", .help = "a buffer that runs out of memory", .ring = end },
	{ .name = "wrap", .help = "a buffer over the end of the address space", .ring = wrap },
	{ .name = "zero", .help = "a buffer of no bytes", .ring = zero },
	{ .name = "order", .help = "a writable piece before a readable one", .ring = order },
	{ .name = "wrong-way",
	  .help = "readable where writable is wanted, or the reverse",
	  .ring = wrong_way },
	{ .name = "jump", .help = "the available index runs ahead of the ring", .ring = jump },
	{ .name = "back", .help = "the available index goes back", .ring = back },
	{ .name = "twice", .help = "one buffer available twice", .ring = twice },
	{ .name = "short", .help = "a frame shorter than its header", .ring = short_frame },
	{ .name = "header", .help = "a header without a frame", .ring = header },
	{ .name = "gso", .help = "a segmented frame, not negotiated", .ring = gso },
	{ .name = "storm", .help = "10,000 kicks for nothing", .ring = storm },
	{ .name = "nested",
	  .help = "an indirect table in an indirect table",
	  .ring = nested,
	  .indirect = true },
	{ .name = "indirect-next",
	  .help = "INDIRECT and NEXT in one descriptor",
	  .ring = indirect_next,
	  .indirect = true },
	{ .name = "indirect-size",
	  .help = "an indirect table of 17 bytes",
	  .ring = indirect_size,
	  .indirect = true },
	{ .name = "indirect-empty",
	  .help = "an indirect table of no bytes",
	  .ring = indirect_empty,
	  .indirect = true },
	{ .name = "indirect-loop",
	  .help = "a loop in an indirect table",
	  .ring = indirect_loop,
	  .indirect = true },
	{ .name = "indirect-range",
	  .help = "a next beyond the indirect table",
	  .ring = indirect_range,
	  .indirect = true },
	{ .name = "indirect-hole",
	  .help = "an indirect table where there is no memory",
	  .ring = indirect_hole,
	  .indirect = true },
	{ .name = "indirect-unasked",
	  .help = "an indirect table, not negotiated",
	  .ring = indirect_loop },
	{ 0 },
};
