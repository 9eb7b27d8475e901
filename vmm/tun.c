/* SPDX-License-Identifier: MIT */
/*
 * tun.c - the one copy each way between packets and a guest's buffers
 *
 * Called by vhost_net.c's handlers on the worker's core, the vring's mutex held. Owns nothing.
 *
 * Guest memory is only seen through struct virtq_seg, which virtq.c has checked. Its bytes may change while they are
 * copied: the header is read once, of the frame only the copy is looked at.
 */
#include "tap.h"

#include "kernel/trace.h"
#include "copy.h"

#include <errno.h>

_Static_assert(VIRTIO_NET_HDR == 12 && offsetof(struct virtio_net_hdr, num_buffers) == 10,
	       "[virtio 1.2 5.1.6]");
_Static_assert(TAP_FRAME_MAX <= PKT_MAX_SEGS * PKT_BUF_SIZE, "a frame is a chain");

/* of a guest's buffers that take as long to walk as a frame in one piece takes in all */
enum { PIECES_A_FRAME = 16 };

/* --- from the guest --- */

/* came_to_nothing() - what the guest sent came in by its port and is dropped there, without ever having been a packet. */
static __attribute__((noinline, cold)) struct pkt *
came_to_nothing(struct vhost_net *n, uint32_t bytes, enum drop_reason why)
{
	struct port_cpu *c = port_here(n->port);

	c->in++;
	c->dropped_in[why]++;
	drop_count(why);
	trace(TRACE_DROP, why, bytes);
	return NULL;
}

/* chain_read() - @len bytes of what is to read in @c, from byte @at on; they are there. */
static void chain_read(const struct virtq_chain *c, uint32_t at, uint8_t *to, uint32_t len)
{
	for (const struct virtq_seg *s = c->seg; len; s++) {
		uint32_t part;

		if (at >= s->len) {
			at -= s->len;
			continue;
		}
		part = MIN(len, s->len - at);
		copy_frame(to, s->p + at, part);
		to += part;
		len -= part;
		at = 0;
	}
}

/* header_is_plain() - no offload was negotiated, so the header asks for none: flags and gso_type are 0. */
static inline bool header_is_plain(const struct virtq_chain *c)
{
	uint8_t asks[2];

	if (likely(c->seg[0].len >= sizeof(asks)))
		__builtin_memcpy(asks, c->seg[0].p, sizeof(asks));
	else
		chain_read(c, 0, asks, sizeof(asks));
	return !(asks[0] | asks[1]);
}

/* alloc_chain() - buffers for @len bytes, their lengths set; NULL, and none taken, if there are too few. */
static struct pkt *alloc_chain(uint32_t len)
{
	struct pkt *first = NULL, **link = &first;
	unsigned nsegs = 0;

	for (uint32_t left = len; left; nsegs++) {
		struct pkt *p = pkt_alloc();

		if (!p) {
			if (first)
				pkt_free(first);
			return NULL;
		}
		p->data = pkt_buf(p);
		p->len = MIN(left, (uint32_t)PKT_BUF_SIZE);
		left -= p->len;
		*link = p;
		link = &p->next;
	}
	first->nsegs = nsegs;
	first->frame_len = len;
	first->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

/* get_scattered() - the same as below for a frame in several pieces, or for several buffers of ours. */
static __attribute__((noinline)) struct pkt *get_scattered(const struct virtq_chain *c,
							   uint32_t len)
{
	struct pkt *p = alloc_chain(len);
	uint32_t at = VIRTIO_NET_HDR;

	seg_for_each(seg, p) {
		chain_read(c, at, seg->data, seg->len);
		at += seg->len;
	}
	return p;
}

static inline struct pkt *get_plain(const struct virtq_chain *c, uint32_t len)
{
	struct pkt *p = pkt_alloc();

	if (unlikely(!p))
		return NULL;
	p->data = pkt_buf(p);
	pkt_begin(p, len);
	copy_frame(p->data, c->seg[0].p + VIRTIO_NET_HDR, len);
	return p;
}

struct pkt *tun_get_user(struct vhost_net *n, const struct virtq_chain *c)
{
	/* wraps when there is not even a header: then it is too long */
	uint32_t len = c->read_bytes - VIRTIO_NET_HDR;
	struct pkt *p;

	if (unlikely(len < ETH_HLEN || len > TAP_FRAME_MAX || !header_is_plain(c)))
		return came_to_nothing(n, c->read_bytes, DROP_GUEST_MALFORMED);
	p = likely(c->nread == 1 && len <= PKT_BUF_SIZE) ? get_plain(c, len)
							 : get_scattered(c, len);
	return likely(p) ? p : came_to_nothing(n, c->read_bytes, DROP_GUEST_NO_BUFFER);
}

/* --- to the guest --- */

/* put_header() - all zero but for num_buffers. */
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

/* put_header_bytes() - the header where it does not lie in one piece. */
static void put_header_bytes(const struct virtq_chain *c, uint16_t num_buffers)
{
	uint8_t h[VIRTIO_NET_HDR];
	unsigned done = 0;

	put_header(h, num_buffers);
	for (const struct virtq_seg *s = c->seg; done < sizeof(h); s++)
		for (uint32_t off = 0; off < s->len && done < sizeof(h);)
			s->p[off++] = h[done++];
}

/*
 * put_scattered() - a frame that @first does not take in one piece: its further pieces, and then, if it may be merged,
 * further buffers. They are pushed when all of the frame is in, else all are given back. The header comes last, since
 * it counts the buffers.
 */
static __attribute__((noinline)) int put_scattered(const struct vhost_net *n, struct virtq *vq,
						   const struct pkt *p,
						   const struct virtq_chain *first)
{
	struct virtq_used_elem used[TAP_BUFFERS_MAX];
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
	put_header_bytes(first, count);
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
	if (unlikely(c.seg[0].len < len || p->next))
		return put_scattered(n, vq, p, &c);
	put_header(c.seg[0].p, 1);
	copy_frame(c.seg[0].p + VIRTIO_NET_HDR, p->data, p->len);
	virtq_push(vq, c.head, len);
	return 1;
}
