/* SPDX-License-Identifier: MIT */
/*
 * tun_get.c - from the guest: the one copy from its buffers into a packet
 *
 * Called by vhost_net.c's handle_tx on the worker's core, the vring's mutex held. Owns nothing.
 *
 * Guest memory is only seen through struct virtq_seg, which virtq.c has checked. Its bytes
 * may change while they are copied: a header is copied once and then looked at, of the frame
 * only the copy is looked at.
 */
#include "tap.h"

#include "kernel/trace.h"
#include "copy.h"
#include "virtio_hdr.h"

_Static_assert(VIRTIO_NET_HDR == 12 && offsetof(struct virtio_net_hdr, num_buffers) == 10,
	       "[virtio 1.2 5.1.6]");
_Static_assert(TAP_FRAME_MAX <= PKT_MAX_SEGS * PKT_BUF_SIZE, "a frame is a chain");
_Static_assert(TAP_LONG_MAX <= PKT_GSO_SEGS * PKT_BUF_SIZE, "and so is one that is to be cut");

enum { SEGMENTS_MAX = 8191 };

enum nothing { MALFORMED, NO_BUFFER };

/*
 * came_to_nothing() - what the guest sent came in by its port and is dropped there, without
 * ever having been a packet.
 */
static __attribute__((noinline, cold)) struct pkt *came_to_nothing(struct vhost_net *n,
								   uint32_t bytes, enum nothing how)
{
	enum drop_reason why = how == MALFORMED ? DROP_GUEST_MALFORMED : DROP_GUEST_NO_BUFFER;
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

/* header_is_plain() - it asks for no offload: flags and gso_type are 0. */
static inline bool header_is_plain(const struct virtq_chain *c)
{
	uint8_t asks[2];

	if (likely(c->seg[0].len >= sizeof(asks)))
		__builtin_memcpy(asks, c->seg[0].p, sizeof(asks));
	else
		chain_read(c, 0, asks, sizeof(asks));
	return !(asks[0] | asks[1]);
}

/*
 * alloc_chain() - buffers for @len bytes, their lengths set; NULL, and none
 * taken, if there are too few.
 */
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

/*
 * get_scattered() - the same as below for a frame in several pieces, or for
 * several buffers of ours.
 */
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

/* --- frames that leave something to the device --- */

/*
 * unit_of() - how much payload a buffer gets, of a frame that is to be cut into parts of @gso_size:
 * whole parts, so that cutting need not copy (net/gso.h), unless that takes too many buffers. Of
 * parts longer than a buffer: 0.
 */
static uint32_t unit_of(uint32_t payload, uint32_t gso_size)
{
	uint32_t of_a_part = (gso_size + PKT_BUF_SIZE - 1) / PKT_BUF_SIZE;
	uint32_t unit = of_a_part > 1 ? 0 : PKT_BUF_SIZE / gso_size * gso_size;
	uint32_t buffers = unit ? payload / unit : payload / gso_size * of_a_part + of_a_part;

	return buffers < PKT_GSO_SEGS ? unit : PKT_BUF_SIZE;
}

/* share_of() - bytes for the buffer that begins @at bytes into the payload. */
static uint32_t share_of(uint32_t at, uint32_t unit, uint32_t gso_size)
{
	return unit ? unit : MIN((uint32_t)PKT_BUF_SIZE, gso_size - at % gso_size);
}

/*
 * get_payload() - @len bytes from byte @from of @c on, laid out for parts of
 * @gso_size; NULL: too few buffers.
 */
static struct pkt *get_payload(const struct virtq_chain *c, uint32_t from, uint32_t len,
			       uint32_t gso_size)
{
	uint32_t unit = unit_of(len, gso_size), at = 0;
	struct pkt *first = NULL, **link = &first;
	unsigned nsegs = 0;

	for (; at < len; nsegs++) {
		struct pkt *p = pkt_alloc();

		if (!p) {
			if (first)
				pkt_free(first);
			return NULL;
		}
		p->data = pkt_buf(p);
		p->len = MIN(len - at, share_of(at, unit, gso_size));
		chain_read(c, from + at, p->data, p->len);
		at += p->len;
		*link = p;
		link = &p->next;
	}
	first->nsegs = nsegs;
	first->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

/*
 * too_many() - cutting it would take longer than a round of softirqs may, a guest holding up all
 * others. TCP's shortest segments, 8 bytes beside its options (Linux: tcp_min_snd_mss), are as many
 * as that.
 */
static bool too_many(uint32_t payload, uint32_t gso_size)
{
	return (payload - 1) / gso_size >= SEGMENTS_MAX;
}

/*
 * get_long() - a frame that the device is to cut; only @head, a copy of how it
 * begins, is trusted to stay.
 */
static struct pkt *get_long(const struct virtq_chain *c, uint32_t len,
			    const struct virtio_net_hdr *hdr, enum nothing *how)
{
	uint8_t head[GSO_HEADERS_MAX];
	struct gso_headers h;
	struct pkt *p;

	*how = MALFORMED;
	chain_read(c, VIRTIO_NET_HDR, head, MIN(len, (uint32_t)sizeof(head)));
	if (!gso_headers(head, MIN(len, (uint32_t)sizeof(head)), &h) || h.len == len ||
	    !virtio_hdr_fits(hdr, &h) || too_many(len - h.len, hdr->gso_size))
		return NULL;
	*how = NO_BUFFER;
	p = get_payload(c, VIRTIO_NET_HDR + h.len, len - h.len, hdr->gso_size);
	if (!p)
		return NULL;
	p->data -= h.len;
	p->len += h.len;
	p->frame_len = len;
	memcpy(p->data, head, h.len);
	virtio_hdr_to_pkt(hdr, p);
	if (len - h.len > hdr->gso_size) {
		p->flags |= PKT_GSO;
		p->gso_size = hdr->gso_size;
		p->gso_type = h.type;
	}
	return p;
}

/* get_partial() - a frame whose checksum the device is to finish, or none that was there before. */
static struct pkt *get_partial(const struct virtq_chain *c, uint32_t len,
			       const struct virtio_net_hdr *hdr, enum nothing *how)
{
	struct pkt *p;

	*how = MALFORMED;
	if (len > TAP_FRAME_MAX)
		return NULL;
	*how = NO_BUFFER;
	p = get_scattered(c, len);
	if (!p || virtio_hdr_to_pkt(hdr, p))
		return p;
	*how = MALFORMED;
	pkt_free(p);
	return NULL;
}

static __attribute__((noinline)) struct pkt *
get_offloaded(struct vhost_net *n, const struct virtq_chain *c, uint32_t len)
{
	struct virtio_net_hdr hdr = { 0 };
	enum nothing how = MALFORMED;
	struct pkt *p = NULL;

	if (len >= ETH_HLEN && len <= TAP_LONG_MAX) {
		chain_read(c, 0, (uint8_t *)&hdr, sizeof(hdr));
		if (!virtio_hdr_allowed(&hdr, n->features))
			p = NULL;
		else if (hdr.gso_type)
			p = get_long(c, len, &hdr, &how);
		else
			p = get_partial(c, len, &hdr, &how);
	}
	return p ? p : came_to_nothing(n, c->read_bytes, how);
}

struct pkt *tun_get_user(struct vhost_net *n, const struct virtq_chain *c)
{
	/* wraps when there is not even a header: then it is too long */
	uint32_t len = c->read_bytes - VIRTIO_NET_HDR;
	struct pkt *p;

	if (unlikely(len < ETH_HLEN || len > TAP_FRAME_MAX || !header_is_plain(c)))
		return get_offloaded(n, c, len);
	p = likely(c->nread == 1 && len <= PKT_BUF_SIZE) ? get_plain(c, len)
							 : get_scattered(c, len);
	return likely(p) ? p : came_to_nothing(n, c->read_bytes, NO_BUFFER);
}
