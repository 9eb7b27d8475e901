/* SPDX-License-Identifier: MIT */
/*
 * ipv6_ext.c - IPv6's extension headers, of packets for Weir
 *
 * On the core that has the packet. Owns nothing. In each step rx->l4 is where the header in
 * question begins, and rx->next the byte before it that names it.
 */
#include "ipv6_ext.h"

#include "net/bytes.h"
#include "frag.h"
#include "icmp_error.h"
#include "snmp.h"

enum {
	PROTO_NONE = 59, /* nothing behind the header */
	EXT_MAX = 8,     /* headers that are followed; nobody has good use for more */
	FRAG_HLEN = 8,
	PAYLOAD_MAX = 65535,

	OPT_PAD1 = 0,
	OPT_ACTION = 0xc0, /* what to do with an option that is unknown [RFC 8200 4.2] */
	OPT_SKIP = 0x00,
	OPT_DROP = 0x40,
	OPT_TELL = 0x80,     /* drop it, and say so */
	OPT_TELL_ONE = 0xc0, /* the same, but not to who sent it to a group */
};

/* Drop it, having said at which byte it is wrong. */
static bool refuse(struct inet_rx *rx, enum icmp_why why, uint32_t at, bool silent)
{
	snmp_ip(true, IP_InHdrErrors);
	if (!silent)
		icmp_error(rx, why, at);
	inet_drop(rx, DROP_IPV6_EXT_BAD);
	return false;
}

/* the header at rx->l4, of length @n, is seen to */
static void step_over(struct inet_rx *rx, uint32_t n)
{
	rx->next = rx->l4;
	rx->proto = rx->p->data[rx->l4];
	rx->l4 += n;
}

/* Bytes of the header at rx->l4, which are in the first buffer; 0: they are not there. */
static uint32_t ext_len(const struct inet_rx *rx)
{
	uint32_t n;

	if (rx->l4 + 8 > rx->p->len)
		return 0;
	n = (rx->p->data[rx->l4 + 1] + UINT32_C(1)) * 8;
	return rx->l4 + n <= rx->p->len ? n : 0;
}

/* Weir knows no options, so all depends on what they say is to be done then. False: dropped. */
static bool options(struct inet_rx *rx)
{
	uint32_t n = ext_len(rx), i = rx->l4 + 2, end = rx->l4 + n;
	const uint8_t *b = rx->p->data;

	if (!n)
		return refuse(rx, ICMP_ERR_PARAM, rx->l4 + 1, false);
	while (i < end) {
		if (b[i] == OPT_PAD1) {
			i++;
			continue;
		}
		if (i + 2 > end || i + 2 + b[i + 1] > end)
			return refuse(rx, ICMP_ERR_PARAM, i, false);
		if ((b[i] & OPT_ACTION) != OPT_SKIP)
			return refuse(rx, ICMP_ERR_OPTION, i,
				      (b[i] & OPT_ACTION) == OPT_DROP ||
					      ((b[i] & OPT_ACTION) == OPT_TELL_ONE && !rx->to_us));
		i += 2 + b[i + 1];
	}
	step_over(rx, n);
	return true;
}

bool ipv6_hop_by_hop(struct inet_rx *rx)
{
	return rx->proto != PROTO_HOPOPTS || options(rx);
}

/* A route through further stations: Weir is none of them [RFC 5095]. */
static bool routing(struct inet_rx *rx)
{
	uint32_t n = ext_len(rx);

	if (!n)
		return refuse(rx, ICMP_ERR_PARAM, rx->l4 + 1, false);
	if (rx->p->data[rx->l4 + 3])
		return refuse(rx, ICMP_ERR_PARAM, rx->l4 + 2, false);
	step_over(rx, n);
	return true;
}

/* The whole packet has no fragment header: what stood in front of it moves up. */
static void remove_header(struct inet_rx *rx)
{
	uint32_t before = rx->l4 - FRAG_HLEN;
	uint8_t *b = rx->p->data;

	b[rx->next] = b[before];
	rx->proto = b[before];
	memmove(b + FRAG_HLEN, b, before);
	bytes_pull(rx->p, FRAG_HLEN);
	rx->l4 = before;
}

/* False: it waits, or was dropped. */
static bool fragment(struct inet_rx *rx)
{
	const uint8_t *h = rx->p->data + rx->l4;
	struct frag_info info;
	uint32_t len;
	uint16_t field;

	if (rx->l4 + FRAG_HLEN > rx->p->len)
		return refuse(rx, ICMP_ERR_PARAM, rx->l4, false);
	field = be16(load16(h + 2));
	info = (struct frag_info){ be32(load32(h + 4)), field & ~7U, field & 1 };
	len = rx->p->frame_len - rx->l4 - FRAG_HLEN;
	if (info.more && len % 8)
		return refuse(rx, ICMP_ERR_PARAM, 4, false); /* the length in the header */
	if (rx->l4 - IPV6_HLEN + info.off + len > PAYLOAD_MAX)
		return refuse(rx, ICMP_ERR_PARAM, rx->l4 + 2, false); /* the offset */
	rx->l4 += FRAG_HLEN;
	if (!frag_add(rx, &info))
		return false;
	remove_header(rx);
	return true;
}

void ipv6_deliver(struct inet_rx *rx)
{
	for (unsigned i = 0; i < EXT_MAX; i++) {
		bool on;

		switch (rx->proto) {
		case PROTO_DSTOPTS: on = options(rx); break;
		case PROTO_ROUTING: on = routing(rx); break;
		case PROTO_FRAGMENT: on = fragment(rx); break;
		case PROTO_NONE: inet_done(rx); return;
		default: inet_deliver(rx); return;
		}
		if (!on)
			return;
	}
	refuse(rx, ICMP_ERR_PROTO, rx->next, false);
}
