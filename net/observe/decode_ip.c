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

enum { PROTO_IGMP = 2, PROTO_GRE = 47, PROTO_ESP = 50, PROTO_NONE = 59, PROTO_SCTP = 132 };

const char *decode_protocol(uint8_t proto)
{
	switch (proto) {
	case PROTO_HOPOPTS: return "Options";
	case PROTO_ICMP: return "ICMP";
	case PROTO_IGMP: return "IGMP";
	case PROTO_TCP: return "TCP";
	case PROTO_UDP: return "UDP";
	case PROTO_ROUTING: return "Routing";
	case PROTO_FRAGMENT: return "Fragment";
	case PROTO_GRE: return "GRE";
	case PROTO_ESP: return "ESP";
	case PROTO_AUTH: return "AH";
	case PROTO_ICMPV6: return "ICMPv6";
	case PROTO_NONE: return "no next header";
	case PROTO_SCTP: return "SCTP";
	default: return "unknown";
	}
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
		decode_ends(x.t, &ends, -1, -1);
		text_add(x.t, " ip-proto-%u %u", proto, (unsigned)x.len);
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
 * extension() - one header in front of what is carried; false if nothing more can be told. tcpdump says "HBH" and the
 * like; of what is in them it says more with -v, this does not.
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
	if (!decode_l4(x, &ends, next)) {
		decode_ends(x.t, &ends, -1, -1);
		text_add(x.t, " ip-proto-%u %u", next, (unsigned)x.len);
	}
}
