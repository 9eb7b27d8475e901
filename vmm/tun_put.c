/* SPDX-License-Identifier: MIT */
/*
 * tun_put.c - to the guest: the one copy from a packet into its buffers
 *
 * Called by vhost_net.c's handle_rx on the worker's core, the vring's mutex held. Owns nothing.
 * Guest memory is only seen through struct virtq_seg, which virtq.c has checked.
 */
#include "tap.h"

#include "copy.h"
#include "virtio_hdr.h"

#include <errno.h>

/* of a guest's buffers that take as long to walk as a frame in one piece takes in all */
enum { PIECES_A_FRAME = 16 };

/* put_header() - of a plain frame: all zero but for num_buffers. */
static inline void put_header(uint8_t *to, uint16_t num_buffers)
{
	uint64_t zero = 0;
	uint32_t last = (uint32_t)num_buffers << 16; /* and csum_offset */

	__builtin_memcpy(to, &zero, sizeof(zero));
	__builtin_memcpy(to + sizeof(zero), &last, sizeof(last));
}

/* pop_to_write() - virtq_pop() of a buffer that must have pieces to write only. */
static inline int pop_to_write(struct virtq *vq, struct virtq_chain *c)
{
	int got = virtq_pop(vq, c);

	if (unlikely(got > 0 && c->nread))
		return virtq_break(vq, "a receive buffer that the device may not write");
	return got;
}

/* what is left of a frame to copy */
struct rest {
	const struct pkt *seg; /* NULL: nothing */
	uint32_t at;           /* bytes of seg that are copied */
};

static uint32_t rest_take(struct rest *r, uint8_t *to, uint32_t room)
{
	uint32_t len = MIN(room, r->seg->len - r->at);

	copy_frame(to, r->seg->data + r->at, len);
	r->at += len;
	if (r->at == r->seg->len)
		*r = (struct rest){ .seg = r->seg->next };
	return len;
}

/* put_chain() - as much of @r as fits into @c from byte @at on. Returns where it ends. */
static uint32_t put_chain(const struct virtq_chain *c, uint32_t at, struct rest *r)
{
	uint32_t end = at, skip = at;

	for (unsigned i = 0; i < c->nwrite && r->seg; i++) {
		const struct virtq_seg *s = &c->seg[i];
		uint32_t off = MIN(skip, s->len);

		skip -= off;
		while (off < s->len && r->seg) {
			uint32_t len = rest_take(r, s->p + off, s->len - off);

			off += len;
			end += len;
		}
	}
	return end;
}

/* put_header_bytes() - any header, wherever it lies. */
static void put_header_bytes(const struct virtq_chain *c, const struct virtio_net_hdr *hdr)
{
	const uint8_t *h = (const uint8_t *)hdr;
	unsigned done = 0;

	for (const struct virtq_seg *s = c->seg; done < sizeof(*hdr); s++)
		for (uint32_t off = 0; off < s->len && done < sizeof(*hdr);)
			s->p[off++] = h[done++];
}

/*
 * put_scattered() - a frame that is not plain, or that @first does not take in one piece: its
 * further pieces, and then, if it may be merged, further buffers. They are pushed when all of the
 * frame is in, else all are given back. The header comes last, since it counts the buffers.
 */
static __attribute__((noinline)) int put_scattered(const struct vhost_net *n, struct virtq *vq,
						   const struct pkt *p,
						   const struct virtq_chain *first)
{
	struct virtq_used_elem used[TAP_BUFFERS_MAX];
	struct virtio_net_hdr hdr;
	struct rest rest = { .seg = p };
	struct virtq_chain more;
	unsigned count = 0, pieces = first->nwrite;
	int got;

	if (first->write_bytes < VIRTIO_NET_HDR ||
	    (!n->mergeable && first->write_bytes - VIRTIO_NET_HDR < p->frame_len)) {
		virtq_unpop(vq, 1);
		return -EMSGSIZE;
	}
	used[count++] =
		(struct virtq_used_elem){ first->head, put_chain(first, VIRTIO_NET_HDR, &rest) };
	while (rest.seg) {
		if (count == TAP_BUFFERS_MAX || count == vq->size) {
			virtq_unpop(vq, count);
			return -EMSGSIZE;
		}
		got = pop_to_write(vq, &more);
		if (got <= 0) {
			virtq_unpop(vq, count);
			return got;
		}
		used[count++] = (struct virtq_used_elem){ more.head, put_chain(&more, 0, &rest) };
		pieces += more.nwrite;
	}
	virtio_hdr_from_pkt(&hdr, p, n->features);
	hdr.num_buffers = count;
	put_header_bytes(first, &hdr);
	for (unsigned i = 0; i < count; i++)
		virtq_push(vq, used[i].id, used[i].len);
	return 1 + pieces / PIECES_A_FRAME;
}

int tun_put_user(const struct vhost_net *n, struct virtq *vq, const struct pkt *p)
{
	uint32_t len = VIRTIO_NET_HDR + p->frame_len;
	struct virtq_chain c;
	int got = pop_to_write(vq, &c);

	if (unlikely(got <= 0))
		return got;
	if (unlikely(c.seg[0].len < len || p->flags))
		return put_scattered(n, vq, p, &c);
	put_header(c.seg[0].p, 1);
	copy_frame(c.seg[0].p + VIRTIO_NET_HDR, p->data, p->len);
	virtq_push(vq, c.head, len);
	return 1;
}
