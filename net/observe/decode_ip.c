/* SPDX-License-Identifier: MIT */
/*
 * decode_ip.c - IPv4 [RFC 791] and IPv6 [RFC 8200] as text
 *
 * Called by decode.c, and by decode_l4.c for the packet that an ICMP error is about. Owns nothing.
 */
#include "decode_parts.h"

#include "kernel/bits.h"
#include "net/addr.h"

#define IPV4_RSVD 0x8000
#define IPV4_DF   0x4000
#define TOS_ECN   BITS(1, 0)

#define IPV6_VERSION BITS(31, 28)
#define IPV6_CLASS   BITS(27, 20)
#define IPV6_LABEL   BITS(19, 0)

enum { PROTO_NONE = 59 };

/* [IANA, Protocol Numbers], in tcpdump's words; numbers that are not there it calls unknown */
static const char *const protocol[256] = {
	[0] = "Options",
	[1] = "ICMP",
	[2] = "IGMP",
	[4] = "IPIP",
	[6] = "TCP",
	[8] = "EGP",
	[9] = "IGRP",
	[17] = "UDP",
	[33] = "DCCP",
	[41] = "IPv6",
	[43] = "Routing",
	[44] = "Fragment",
	[46] = "RSVP",
	[47] = "GRE",
	[50] = "ESP",
	[51] = "AH",
	[55] = "Mobile IP",
	[58] = "ICMPv6",
	[62] = "Mobile IP (old)",
	[88] = "EIGRP",
	[89] = "OSPF",
	[103] = "PIM",
	[108] = "Compressed IP",
	[112] = "VRRP",
	[113] = "PGM",
	[132] = "SCTP",
	[135] = "Mobility",
	[143] = "Ethernet",
};

const char *decode_protocol(uint8_t proto)
{
	return protocol[proto] ? protocol[proto] : "unknown";
}

void decode_ends(struct text *t, const struct ends *ends, int sport, int dport)
{
	char src[IP_STR], dst[IP_STR];

	if (ends->said) {
		if (sport >= 0)
			text_add(t, "%d > %d: ", sport, dport);
		return;
	}
	if (ends->size == 4) {
		ip4_str(load32(ends->src), src);
		ip4_str(load32(ends->dst), dst);
	} else {
		ip6_str(ends->src, src);
		ip6_str(ends->dst, dst);
	}
	if (sport < 0)
		text_add(t, "%s > %s: ", src, dst);
	else
		text_add(t, "%s.%d > %s.%d: ", src, sport, dst, dport);
}

/* decode_other() - a protocol that is not known here: its number, and how much of it there is */
static void decode_other(const struct part *x, const struct ends *ends, uint8_t proto)
{
	decode_ends(x->t, ends, -1, -1);
	if (proto == PROTO_NONE)
		text_add(x->t, "no next header");
	else
		text_add(x->t, " ip-proto-%u %u", proto, (unsigned)x->len);
}

/* --- IPv4 --- */

static const char *ecn(uint8_t tos)
{
	static const char *const name[] = { "", ",ECT(1)", ",ECT(0)", ",CE" };

	return name[FIELD_GET(TOS_ECN, tos)];
}

static const char *flags(uint16_t frag)
{
	bool df = frag & IPV4_DF;

	if (frag & IPV4_RSVD)
		return frag & IPV4_MF ? df ? "+, DF, rsvd" : "+, rsvd" : df ? "DF, rsvd" : "rsvd";
	return frag & IPV4_MF ? df ? "+, DF" : "+" : df ? "DF" : "none";
}

/* header_v4() - what -v adds, for a header of @ihl bytes. */
static void header_v4(const struct part *x, uint32_t ihl)
{
	uint16_t frag = be16(load16(x->p + 6)), sum = be16(load16(x->p + 10));
	struct part header = { x->d, x->t, x->p, ihl, ihl };
	uint16_t wrong;

	text_add(x->t,
		 "(tos 0x%x%s, ttl %u, id %u, offset %u, flags [%s], proto %s (%u), length %u",
		 x->p[1], ecn(x->p[1]), x->p[8], be16(load16(x->p + 4)), (frag & IPV4_OFFSET) * 8,
		 flags(frag), decode_protocol(x->p[9]), x->p[9], be16(load16(x->p + 2)));
	if (ihl > IPV4_HLEN)
		text_add(x->t, ", options (%u bytes)", (unsigned)ihl - IPV4_HLEN);
	decode_sum(&header, NULL, 0, &wrong);
	if (wrong)
		text_add(x->t, ", bad cksum %x (->%x)!", sum, decode_sum_right(sum, wrong));
	text_add(x->t, ")\n    ");
}

void decode_ipv4(struct part x)
{
	uint32_t ihl, total;
	uint16_t frag;
	struct ends ends;
	uint8_t proto;

	if (x.cap && x.p[0] >> 4 != 4) {
		text_add(x.t, "IP%u%s", x.p[0] >> 4,
			 x.p[0] >> 4 == 6 ? ", wrong link-layer encapsulation (invalid)"
					  : " (invalid)");
		return;
	}
	if (!x.d->link)
		text_add(x.t, "IP ");
	if (part_short(&x, IPV4_HLEN, "ip"))
		return;
	ihl = (x.p[0] & 15) * 4;
	total = be16(load16(x.p + 2));
	frag = be16(load16(x.p + 6));
	proto = x.p[9];
	if (ihl < IPV4_HLEN) {
		text_add(x.t, "bad-hlen %u", (unsigned)ihl);
		return;
	}
	if (total < ihl) {
		text_add(x.t, "bad-len %u", (unsigned)total);
		return;
	}
	if (total > x.len)
		text_add(x.t, "truncated-ip - %u bytes missing! ", (unsigned)(total - x.len));
	if (part_short(&x, ihl, "ip"))
		return;
	if (x.d->verbose)
		header_v4(&x, ihl);
	ends = (struct ends){ x.p + 12, x.p + 16, 4, frag & (IPV4_MF | IPV4_OFFSET), false };
	x.len = total;
	x.cap = MIN(x.cap, total);
	x = part_behind(&x, ihl);
	if (frag & IPV4_OFFSET) {
		decode_ends(x.t, &ends, -1, -1);
		text_add(x.t, "ip-proto-%u", proto);
	} else if (!decode_l4(x, &ends, proto)) {
		decode_other(&x, &ends, proto);
	}
}

/* --- IPv6 --- */

static void header_v6(const struct part *x)
{
	uint32_t word = be32(load32(x->p));

	text_add(x->t, "(");
	if (FIELD_GET(IPV6_CLASS, word))
		text_add(x->t, "class 0x%02x, ", (unsigned)FIELD_GET(IPV6_CLASS, word));
	if (FIELD_GET(IPV6_LABEL, word))
		text_add(x->t, "flowlabel 0x%05x, ", (unsigned)FIELD_GET(IPV6_LABEL, word));
	text_add(x->t, "hlim %u, next-header %s (%u) payload length: %u) ", x->p[7],
		 decode_protocol(x->p[6]), x->p[6], be16(load16(x->p + 4)));
}

/*
 * extension() - one header in front of what is carried; false if nothing more can be told. tcpdump
 * says "HBH" and the like; of what is in them it says more with -v, this does not.
 */
static bool extension(struct part *x, struct ends *ends, uint8_t *next)
{
	static const char *const name[] = {
		[PROTO_HOPOPTS] = "HBH ", [PROTO_ROUTING] = "RT6 ", [PROTO_DSTOPTS] = "DSTOPT "
	};
	uint32_t size;

	if (part_short(x, 8, "ip6ext"))
		return false;
	if (*next == PROTO_FRAGMENT) {
		uint16_t where = be16(load16(x->p + 2));

		text_add(x->t, "frag (");
		if (x->d->verbose)
			text_add(x->t, "0x%08x:", (unsigned)be32(load32(x->p + 4)));
		text_add(x->t, "%u|%u)", where & 0xfff8u, (unsigned)x->len - 8);
		ends->fragment = true;
		if (where & 0xfff8u)
			return false;
		text_add(x->t, " ");
		size = 8;
	} else {
		text_add(x->t, "%s", name[*next]);
		size = (x->p[1] + 1u) * 8;
		if (part_short(x, size, "ip6ext"))
			return false;
	}
	*next = x->p[0];
	*x = part_behind(x, size);
	return true;
}

static bool is_extension(uint8_t next)
{
	return next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_FRAGMENT ||
	       next == PROTO_DSTOPTS;
}

void decode_ipv6(struct part x)
{
	struct ends ends;
	uint32_t payload;
	uint8_t next;

	if (!x.d->link)
		text_add(x.t, "IP6 ");
	if (part_short(&x, IPV6_HLEN, "ip6"))
		return;
	if (x.p[0] >> 4 != 6) {
		text_add(x.t, "version error: %u != 6", x.p[0] >> 4);
		return;
	}
	payload = be16(load16(x.p + 4));
	if (payload > x.len - IPV6_HLEN)
		text_add(x.t, "truncated-ip6 - %u bytes missing!",
			 (unsigned)(payload + IPV6_HLEN - x.len));
	if (x.d->verbose)
		header_v6(&x);
	next = x.p[6];
	ends = (struct ends){ x.p + 8, x.p + 24, 16, false, false };
	x.len = IPV6_HLEN + payload;
	x.cap = MIN(x.cap, x.len);
	x = part_behind(&x, IPV6_HLEN);
	if (is_extension(next)) {
		decode_ends(x.t, &ends, -1, -1);
		ends.said = true;
	}
	while (is_extension(next))
		if (!extension(&x, &ends, &next))
			return;
	if (!decode_l4(x, &ends, next))
		decode_other(&x, &ends, next);
}
