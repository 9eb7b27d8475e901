/* SPDX-License-Identifier: MIT */
/*
 * gro_merge.c - when a frame continues another one, and what the two are then
 *
 * Called by gro.c on the core that owns the queue. Owns nothing. The rules are those of Linux's
 * inet_gro_receive(), ipv6_gro_receive(), tcp_gro_receive() and udp_gro_receive_segment(), with one
 * more: what is merged must come out of GSO as the same bytes.
 */
#include "gro_merge.h"

#include "csum.h"
#include "wire.h"

enum {
	L3_MAX = 14 + VLAN_TAG, /* one tag in the bytes, and one may stand aside */
	TCP_FLAGS = 13,         /* offset of the byte */
	TCP_FIN = BIT(0),
	TCP_SYN = BIT(1),
	TCP_RST = BIT(2),
	TCP_PSH = BIT(3),
	TCP_URG = BIT(5),
	TCP_CWR = BIT(7),
	TCP_ONCE = TCP_FIN | TCP_PSH, /* may come with the last one */
	TCP_ENDS = TCP_URG | TCP_PSH | TCP_RST | TCP_SYN | TCP_FIN | TCP_CWR,
	UDP_SEGMENTS_MAX = 64, /* Linux: UDP_GRO_CNT_MAX */
};

static const uint8_t *l3_of(const struct gro_frame *f)
{
	return f->p->data + f->h.l3;
}

static bool is_ipv4(const struct gso_headers *h)
{
	return h->l4 - h->l3 == IPV4_HLEN;
}

/* --- looking at a frame --- */

/*
 * ip_is_sound() - no options or extensions, and the packet ends with the frame;
 * the IPv4 checksum is right.
 */
static bool ip_is_sound(const struct gro_frame *f)
{
	const uint8_t *ip = l3_of(f);
	uint32_t len = f->p->frame_len - f->h.l3;

	if (ip[0] >> 4 == 4)
		return is_ipv4(&f->h) && be16(load16(ip + 2)) == len &&
		       csum_fold(csum_add(0, ip, IPV4_HLEN)) == 0xffff;
	return f->h.l4 - f->h.l3 == IPV6_HLEN && IPV6_HLEN + (uint32_t)be16(load16(ip + 4)) == len;
}

/* l4_is_sound() - the checksum is right, and there is one; UDP's length is the packet's. */
static bool l4_is_sound(const struct gro_frame *f)
{
	const uint8_t *ip = l3_of(f), *l4 = f->p->data + f->h.l4;
	uint32_t len = f->p->frame_len - f->h.l4;
	uint64_t sum;

	if (f->h.type == PKT_GSO_UDP_L4 && (be16(load16(l4 + 4)) != len || !load16(l4 + 6)))
		return false;
	if (f->p->flags & PKT_CSUM_OK)
		return true;
	if (is_ipv4(&f->h))
		sum = csum_pseudo4(ip + 12, ip[9], len);
	else
		sum = csum_pseudo6(ip + 8, ip[6], len);
	return csum_fold(csum_add(sum, l4, len)) == 0xffff;
}

/* flow_hash() - the NIC's own, or addresses and ports. */
static uint32_t flow_hash(const struct gro_frame *f)
{
	const uint8_t *l4 = f->p->data + f->h.l4;

	if (f->p->flags & PKT_HASH)
		return f->p->hash;
	/* the eight bytes before the ports are addresses, or the end of one */
	return (load64(l4 - 8) + load32(l4)) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

bool gro_look(struct gro_frame *f, struct pkt *p, bool udp)
{
	const uint8_t *tcp;

	if (p->flags & ~(PKT_HASH | PKT_VLAN | PKT_CSUM_OK | PKT_CHAIN) ||
	    !gso_headers(p->data, p->len, &f->h) || (f->h.type == PKT_GSO_UDP_L4 && !udp))
		return false;
	f->p = p;
	f->hash = flow_hash(f);
	f->payload = p->frame_len - f->h.len;
	f->sound = !p->next && f->payload && f->h.l3 <= L3_MAX && ip_is_sound(f) && l4_is_sound(f);
	tcp = p->data + f->h.l4;
	f->holds = f->sound && (f->h.type == PKT_GSO_UDP_L4 || !(tcp[TCP_FLAGS] & TCP_ENDS));
	return true;
}

/* --- the same flow, and its next frame --- */

static bool same_tag(const struct pkt *a, const struct pkt *b)
{
	return !((a->flags ^ b->flags) & PKT_VLAN) &&
	       (!(a->flags & PKT_VLAN) || a->vlan_tci == b->vlan_tci);
}

bool gro_same_flow(const struct gro_flow *f, const struct gro_frame *frame)
{
	const uint8_t *a = f->p->data, *b = frame->p->data;
	uint32_t l3 = f->h.l3, addresses = is_ipv4(&f->h) ? 12 : 8;

	return f->hash == frame->hash && f->h.type == frame->h.type && l3 == frame->h.l3 &&
	       f->h.l4 == frame->h.l4 && !memcmp(a, b, l3) && same_tag(f->p, frame->p) &&
	       /* addresses, and the ports behind them */
	       !memcmp(a + l3 + addresses, b + l3 + addresses, f->h.l4 + 4 - l3 - addresses);
}

/* fixed_id() - have all the same IPv4 identification? The second frame tells. */
static bool fixed_id(const struct gro_flow *f, const uint8_t *a, const uint8_t *b)
{
	return f->count > 1 ? f->fixed_id
			    : be16(load16(a + 6)) & IPV4_DF && load16(a + 4) == load16(b + 4);
}

/*
 * same_ipv4() - type of service, time to live and DF alike, and the
 * identification is the next one's.
 */
static bool same_ipv4(const struct gro_flow *f, const uint8_t *a, const uint8_t *b)
{
	uint16_t step = be16(load16(b + 4)) - be16(load16(a + 4));

	return a[1] == b[1] && a[8] == b[8] && load16(a + 6) == load16(b + 6) &&
	       step == (fixed_id(f, a, b) ? 0 : f->count);
}

/* same_ipv6() - traffic class, flow label and hop limit. */
static bool same_ipv6(const uint8_t *a, const uint8_t *b)
{
	return load32(a) == load32(b) && a[7] == b[7];
}

/*
 * next_tcp() - the next bytes; acknowledgement, header length, flags, window, urgent
 * pointer and options alike.
 */
static bool next_tcp(const struct gro_flow *f, const struct gro_frame *frame)
{
	const uint8_t *a = f->p->data + f->h.l4, *b = frame->p->data + f->h.l4;

	return frame->payload <= f->size && f->h.len == frame->h.len &&
	       be32(load32(b + 4)) == be32(load32(a + 4)) + f->payload &&
	       !memcmp(a + 8, b + 8, 5) && !((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~TCP_ONCE) &&
	       load16(a + 14) == load16(b + 14) && !memcmp(a + 18, b + 18, f->h.len - f->h.l4 - 18);
}

static bool continues(const struct gro_flow *f, const struct gro_frame *frame)
{
	const uint8_t *a = f->p->data + f->h.l3, *b = l3_of(frame);

	if (!frame->sound || f->p->nsegs == PKT_GSO_SEGS ||
	    f->h.len - f->h.l3 + f->payload + frame->payload >= GSO_MAX_SIZE)
		return false;
	if (f->h.type == PKT_GSO_UDP_L4 ? frame->payload > f->size || f->count == UDP_SEGMENTS_MAX
					: !next_tcp(f, frame))
		return false;
	return is_ipv4(&f->h) ? same_ipv4(f, a, b) : same_ipv6(a, b);
}

void gro_begin(struct gro_flow *f, const struct gro_frame *frame, uint32_t polls)
{
	*f = (struct gro_flow){ .p = frame->p,
				.last = frame->p,
				.h = frame->h,
				.hash = frame->hash,
				.payload = frame->payload,
				.size = frame->payload,
				.count = 1,
				.since = polls };
}

bool gro_continues(const struct gro_flow *f, struct gro_frame *frame)
{
	uint8_t flags = 0;

	if (f->h.type != PKT_GSO_UDP_L4)
		flags = frame->p->data[frame->h.l4 + TCP_FLAGS];
	frame->ends = frame->payload < f->size || f->p->nsegs + 1 == PKT_GSO_SEGS ||
		      flags & TCP_ENDS;
	return continues(f, frame);
}

bool gro_merge(struct gro_flow *f, struct gro_frame *frame)
{
	struct pkt *p = frame->p, *first = f->p;

	if (!gro_continues(f, frame))
		return false;
	f->fixed_id = is_ipv4(&f->h) && fixed_id(f, first->data + f->h.l3, l3_of(frame));
	if (f->h.type != PKT_GSO_UDP_L4)
		first->data[f->h.l4 + TCP_FLAGS] |= p->data[f->h.l4 + TCP_FLAGS] & TCP_ONCE;
	p->data += f->h.len;
	p->len -= f->h.len;
	f->last->next = p;
	f->last = p;
	f->payload += frame->payload;
	f->count++;
	first->nsegs++;
	first->frame_len += frame->payload;
	first->flags |= PKT_CHAIN;
	return true;
}

/* --- what comes out --- */

void gro_complete(struct gro_flow *f)
{
	uint8_t *ip = f->p->data + f->h.l3, *l4 = f->p->data + f->h.l4;
	uint32_t l4_len = f->h.len - f->h.l4 + f->payload;
	struct pkt *p = f->p;
	uint64_t sum;

	if (is_ipv4(&f->h)) {
		store16(ip + 2, be16(IPV4_HLEN + l4_len));
		csum_ipv4(ip, IPV4_HLEN);
		sum = csum_pseudo4(ip + 12, ip[9], l4_len);
	} else {
		store16(ip + 4, be16(l4_len));
		sum = csum_pseudo6(ip + 8, ip[6], l4_len);
	}
	if (f->h.type == PKT_GSO_UDP_L4)
		store16(l4 + 4, be16(l4_len));
	store16(l4 + f->h.csum_field, csum_fold(sum));
	p->flags = (p->flags & ~PKT_CSUM_OK) | PKT_GSO | PKT_CSUM_PARTIAL |
		   (f->fixed_id ? PKT_GSO_FIXEDID : 0);
	p->gso_size = f->size;
	p->gso_type = f->h.type;
	p->csum_start = f->h.l4;
	p->csum_offset = f->h.csum_field;
}
