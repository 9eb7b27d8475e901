/* SPDX-License-Identifier: MIT */
/*
 * gso.c - cutting a long packet into segments, headers and all
 *
 * Called by validate.c, on the core that stages the packet. Owns nothing: all state is in
 * the caller's struct gso.
 *
 * Linux: skb_mac_gso_segment(), inet_gso_segment(), tcp_gso_segment(), __udp_gso_segment().
 */
#include "gso.h"

#include "csum.h"
#include "wire.h"

enum {
	TAGS_MAX = 2,
	EXTENSIONS_MAX = 8, /* of IPv6 */
	TCP_CSUM_FIELD = 16,
	UDP_CSUM_FIELD = 6,
	TCP_FLAGS = 13, /* offset of the byte */
	TCP_FIN = BIT(0),
	TCP_PSH = BIT(3),
	TCP_CWR = BIT(7),
};

_Static_assert((unsigned)GSO_HEADERS_MAX + VLAN_TAG <= PKT_HEADROOM, "a tag still fits");

/* --- where the headers are --- */

static bool is_tag(uint16_t type)
{
	return type == be16(ETH_P_VLAN) || type == be16(ETH_P_QINQ);
}

/*
 * find_l3() - sets h->l3; the type of what is there, in the order of the
 * wire, 0 if it is beyond @n.
 */
static uint16_t find_l3(const uint8_t *frame, uint32_t n, struct gso_headers *h)
{
	unsigned tags = 0;

	for (h->l3 = 14; h->l3 <= n; h->l3 += VLAN_TAG) {
		uint16_t type = load16(frame + h->l3 - 2);

		if (!is_tag(type) || tags++ == TAGS_MAX)
			return type;
	}
	return 0;
}

/* ipv4_proto() - sets h->l4; the protocol there, -1 if none that can be cut. */
static int ipv4_proto(const uint8_t *ip, uint32_t n, struct gso_headers *h)
{
	uint32_t ihl;

	if (n < IPV4_HLEN || ip[0] >> 4 != 4)
		return -1;
	ihl = (ip[0] & 0xf) * 4;
	if (ihl < IPV4_HLEN || ihl > n || be16(load16(ip + 6)) & (IPV4_MF | IPV4_OFFSET))
		return -1;
	h->l4 = h->l3 + ihl;
	return ip[9];
}

/*
 * ipv6_proto() - the same. Extension headers are copied into each segment, as they are part
 * of what stands in front.
 */
static int ipv6_proto(const uint8_t *ip, uint32_t n, struct gso_headers *h)
{
	uint32_t at = IPV6_HLEN;
	uint8_t next;

	if (n < IPV6_HLEN || ip[0] >> 4 != 6)
		return -1;
	next = ip[6];
	for (unsigned i = 0;
	     next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_DSTOPTS; i++) {
		if (i == EXTENSIONS_MAX || n < at + 8)
			return -1;
		next = ip[at];
		at += (ip[at + 1] + 1) * 8;
	}
	h->l4 = h->l3 + at;
	return next;
}

bool gso_headers(const uint8_t *frame, uint32_t n, struct gso_headers *h)
{
	uint16_t type = find_l3(frame, n, h);
	int proto = -1;

	if (type == be16(ETH_P_IP))
		proto = ipv4_proto(frame + h->l3, n - h->l3, h);
	else if (type == be16(ETH_P_IPV6))
		proto = ipv6_proto(frame + h->l3, n - h->l3, h);
	if (proto == PROTO_UDP) {
		h->type = PKT_GSO_UDP_L4;
		h->csum_field = UDP_CSUM_FIELD;
		h->len = h->l4 + UDP_HLEN;
	} else if (proto == PROTO_TCP && n >= h->l4 + (uint32_t)TCP_HLEN) {
		uint32_t doff = (frame[h->l4 + 12] >> 4) * 4;

		h->type = type == be16(ETH_P_IP) ? PKT_GSO_TCPV4 : PKT_GSO_TCPV6;
		h->csum_field = TCP_CSUM_FIELD;
		h->len = h->l4 + doff;
		if (doff < TCP_HLEN)
			return false;
	} else {
		return false;
	}
	return h->len <= n && h->len <= GSO_HEADERS_MAX;
}

/* --- the headers of a segment; @p is one's first byte --- */

static bool is_ipv4(const struct gso *g)
{
	return g->header[g->h.l3] >> 4 == 4;
}

static void put_ipv4(const struct gso *g, uint8_t *p, uint32_t len)
{
	uint32_t id = be16(load16(p + 4));

	if (!(g->like.flags & PKT_GSO_FIXEDID))
		id += g->done;
	store16(p + 2, be16(len));
	store16(p + 4, be16(id));
	csum_ipv4(p, g->h.l4 - g->h.l3);
}

static void put_ipv6(uint8_t *p, uint32_t len)
{
	store16(p + 4, be16(len - IPV6_HLEN));
}

/*
 * What is about the beginning of the whole stands in the first segment alone, what is
 * about its end in the last.
 */
static void put_tcp(const struct gso *g, uint8_t *p, bool last)
{
	store32(p + 4, be32(be32(load32(p + 4)) + g->done * g->like.gso_size));
	if (g->done)
		p[TCP_FLAGS] &= ~TCP_CWR;
	if (!last)
		p[TCP_FLAGS] &= ~(TCP_FIN | TCP_PSH);
}

static void put_udp(uint8_t *p, uint32_t len)
{
	store16(p + 4, be16(len));
}

/*
 * put_pseudo() - what PKT_CSUM_PARTIAL finds in the checksum's field, for @len bytes from
 * TCP's or UDP's header on.
 */
static void put_pseudo(const struct gso *g, uint8_t *frame, uint32_t len)
{
	uint8_t proto = g->h.type == PKT_GSO_UDP_L4 ? PROTO_UDP : PROTO_TCP;
	const uint8_t *ip = frame + g->h.l3;
	uint64_t sum = is_ipv4(g) ? csum_pseudo4(ip + 12, proto, len)
				  : csum_pseudo6(ip + 8, proto, len);

	store16(frame + g->h.l4 + g->h.csum_field, csum_fold(sum));
}

static void put_headers(struct gso *g, struct pkt *p, uint32_t payload)
{
	const struct gso_headers *h = &g->h;
	uint32_t l4_len = h->len - h->l4 + payload;

	p->data -= h->len;
	p->len += h->len;
	p->frame_len += h->len;
	memcpy(p->data, g->header, h->len);
	if (is_ipv4(g))
		put_ipv4(g, p->data + h->l3, h->l4 - h->l3 + l4_len);
	else
		put_ipv6(p->data + h->l3, h->l4 - h->l3 + l4_len);
	if (h->type == PKT_GSO_UDP_L4)
		put_udp(p->data + h->l4, l4_len);
	else
		put_tcp(g, p->data + h->l4, payload == g->left);
	put_pseudo(g, p->data, l4_len);
}

/* --- the payload of a segment: a chain with room for the headers in front --- */

/* drop_empty() - buffers of which nothing is left. */
static void drop_empty(struct gso *g)
{
	while (g->rest && !g->rest->len) {
		struct pkt *empty = g->rest;

		g->rest = empty->next;
		empty->next = NULL;
		pkt_free_seg(empty);
	}
}

/*
 * take_whole() - the next @len bytes, if they end with a buffer; NULL if not. What lay
 * in front of them is gone.
 */
static struct pkt *take_whole(struct gso *g, uint32_t len)
{
	struct pkt *first = g->rest, *last = first;
	uint32_t n = first->len, nsegs = 1;

	if (first->data - (uint8_t *)(first + 1) < g->h.len)
		return NULL;
	for (; n < len; nsegs++) {
		last = last->next;
		n += last->len;
	}
	if (n > len)
		return NULL;
	g->rest = last->next;
	last->next = NULL;
	first->nsegs = nsegs;
	return first;
}

/* fill() - move the next @len bytes, no more than a buffer holds, into @to. */
static void fill(struct gso *g, struct pkt *to, uint32_t len)
{
	to->data = pkt_buf(to);
	to->len = len;
	for (uint32_t at = 0; at < len;) {
		uint32_t n = MIN(len - at, (uint32_t)g->rest->len);

		memcpy(to->data + at, g->rest->data, n);
		g->rest->data += n;
		g->rest->len -= n;
		at += n;
		drop_empty(g);
	}
}

/*
 * take_copy() - the next @len bytes in fresh buffers; NULL if there are too few, and
 * some of the bytes are gone.
 */
static struct pkt *take_copy(struct gso *g, uint32_t len)
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
		fill(g, p, MIN(left, (uint32_t)PKT_BUF_SIZE));
		left -= p->len;
		*link = p;
		link = &p->next;
	}
	first->nsegs = nsegs;
	return first;
}

/* inherit() - all that a segment is beside its bytes. */
static void inherit(const struct gso *g, struct pkt *p, uint32_t len)
{
	const struct pkt *like = &g->like;

	p->frame_len = len;
	p->flags = (like->flags & (PKT_HASH | PKT_VLAN)) | PKT_CSUM_PARTIAL |
		   (p->next ? PKT_CHAIN : 0);
	p->rx_queue = like->rx_queue;
	p->in_port = like->in_port;
	p->out_port = like->out_port;
	p->hash = like->hash;
	p->vlan_tci = like->vlan_tci;
	p->csum_start = like->csum_start;
	p->csum_offset = like->csum_offset;
}

void gso_begin(struct gso *g, struct pkt *p, const struct gso_headers *h)
{
	g->h = *h;
	g->like = *p;
	g->left = p->frame_len - g->h.len;
	g->done = 0;
	memcpy(g->header, p->data, g->h.len);
	p->data += g->h.len;
	p->len -= g->h.len;
	g->rest = p;
	drop_empty(g);
}

struct pkt *gso_next(struct gso *g)
{
	uint32_t len = MIN(g->left, (uint32_t)g->like.gso_size);
	struct pkt *p;

	if (!g->left)
		return NULL;
	p = take_whole(g, len);
	if (!p)
		p = take_copy(g, len);
	if (!p) {
		g->rest->frame = g->left;
		return NULL;
	}
	inherit(g, p, len);
	put_headers(g, p, len);
	g->left -= len;
	g->done++;
	return p;
}
