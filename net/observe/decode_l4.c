/* SPDX-License-Identifier: MIT */
/*
 * decode_l4.c - UDP [RFC 768] and ICMPv6 [RFC 4443, RFC 4861] as text; TCP is
 * decode_tcp.c's, ICMP decode_icmp.c's
 *
 * Called by decode_ip.c. Owns nothing.
 */
#include "decode_parts.h"

#include "kernel/bits.h"
#include "net/addr.h"

enum {
	V6_UNREACHABLE = 1,
	V6_TOO_BIG = 2,
	V6_TIME_EXCEEDED = 3,
	V6_ECHO_REQUEST = 128,
	V6_ECHO_REPLY = 129,
	V6_ROUTER_SOLICITATION = 133,
	V6_ROUTER_ADVERTISEMENT = 134,
	V6_SOLICITATION = 135,
	V6_ADVERTISEMENT = 136,
	V6_LISTENER_REPORT = 143,
};

enum { ICMP_HEADER = 8, V6_TARGET = 24, V6_OPTION = 8 };

#define NA_ROUTER    BIT(7)
#define NA_SOLICITED BIT(6)
#define NA_OVERRIDE  BIT(5)

/* --- checksums --- */

static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (; n > 1; n -= 2, p += 2)
		sum += be16(load16(p));
	if (n)
		sum += *p << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

bool decode_sum(const struct part *x, const struct ends *ends, uint8_t proto, uint16_t *wrong)
{
	uint32_t sum = 0;

	if (ends && ends->fragment)
		return false;
	if (x->cap < x->len)
		return false;
	if (ends) {
		sum = sum_bytes(proto + x->len, ends->src, ends->size);
		sum = sum_bytes(sum, ends->dst, ends->size);
	}
	*wrong = (uint16_t)~fold(sum_bytes(sum, x->p, x->len));
	return true;
}

uint16_t decode_sum_right(uint16_t is, uint16_t wrong)
{
	return fold((uint32_t)is + wrong);
}

/* --- UDP --- */

static void udp_sum(const struct part *x, const struct ends *ends)
{
	uint16_t is = be16(load16(x->p + 6)), wrong;

	if (ends->fragment)
		return;
	if (!is && ends->size == 4)
		text_add(x->t, "[no cksum] ");
	else if (!decode_sum(x, ends, PROTO_UDP, &wrong))
		return;
	else if (wrong)
		text_add(x->t, "[bad udp cksum 0x%04x -> 0x%04x!] ", is,
			 decode_sum_right(is, wrong));
	else
		text_add(x->t, "[udp sum ok] ");
}

static void udp(struct part x, const struct ends *ends)
{
	uint32_t len;

	if (x.cap < UDP_HLEN) {
		decode_ends(x.t, ends, -1, -1);
		text_add(x.t, " [|udp]");
		return;
	}
	decode_ends(x.t, ends, be16(load16(x.p)), be16(load16(x.p + 2)));
	len = be16(load16(x.p + 4));
	if (len < UDP_HLEN) {
		text_add(x.t, "truncated-udplength %u", (unsigned)len);
		return;
	}
	if (x.d->verbose > (ends->size == 4) && len <= x.len) { /* as tcpdump: IPv4 from -vv on */
		x.len = len;
		x.cap = MIN(x.cap, len);
		udp_sum(&x, ends);
	}
	if (len > x.len && !ends->fragment)
		text_add(x.t, "UDP, bad length %u > %u", (unsigned)len - UDP_HLEN,
			 (unsigned)x.len - UDP_HLEN);
	else
		text_add(x.t, "UDP, length %u", (unsigned)len - UDP_HLEN);
}

/* --- ICMPv6 --- */

/* what a packet that did not arrive was for, in an error about it */
static void v6_unreachable(const struct part *x)
{
	static const char *const what[] = { "unreachable route", "unreachable prohibited",
					    "beyond scope", "unreachable address" };
	struct part in = part_behind(x, ICMP_HEADER);
	char dst[IP_STR];

	text_add(x->t, "destination unreachable, ");
	if (part_short(&in, IPV6_HLEN + 4, "icmp6"))
		return;
	ip6_str(in.p + 24, dst);
	if (x->p[1] < ARRAY_SIZE(what))
		text_add(x->t, "%s %s", what[x->p[1]], dst);
	else if (x->p[1] == 4 && (in.p[6] == PROTO_UDP || in.p[6] == PROTO_TCP))
		text_add(x->t, "unreachable port, %s %s port %u", dst,
			 in.p[6] == PROTO_UDP ? "udp" : "tcp", be16(load16(in.p + IPV6_HLEN + 2)));
	else
		text_add(x->t, "unknown unreach code (%u)", x->p[1]);
}

static void v6_options(struct part x)
{
	while (x.cap >= V6_OPTION && x.p[1]) {
		uint32_t size = x.p[1] * 8u;
		char mac[MAC_STR];

		if (x.cap < size)
			return;
		mac_str(x.p + 2, mac);
		if (x.p[0] == 1 || x.p[0] == 2)
			text_add(x.t, "\n\t  %s link-address option (%u), length %u (%u): %s",
				 x.p[0] == 1 ? "source" : "destination", x.p[0], (unsigned)size,
				 x.p[1], mac);
		else
			text_add(x.t, "\n\t  option (%u), length %u (%u)", x.p[0], (unsigned)size,
				 x.p[1]);
		if (x.d->verbose > 1)
			decode_hex(x.t, x.p + 2, size - 2, HEX_INSET);
		x = part_behind(&x, size);
	}
}

static void v6_neighbour(const struct part *x)
{
	bool asks = x->p[0] == V6_SOLICITATION;
	uint8_t flags = x->p[4];
	char target[IP_STR];

	text_add(x->t, "neighbor %s", asks ? "solicitation" : "advertisement");
	if (x->d->verbose)
		text_add(x->t, ", length %u", (unsigned)x->len);
	if (part_short(x, V6_TARGET, "icmp6"))
		return;
	ip6_str(x->p + 8, target);
	text_add(x->t, ", %s %s", asks ? "who has" : "tgt is", target);
	if (!x->d->verbose)
		return;
	if (!asks) {
		const char *comma = "";

		text_add(x->t, ", Flags [");
		if (flags & NA_ROUTER)
			text_add(x->t, "router"), comma = ", ";
		if (flags & NA_SOLICITED)
			text_add(x->t, "%ssolicited", comma), comma = ", ";
		if (flags & NA_OVERRIDE)
			text_add(x->t, "%soverride", comma), comma = ", ";
		text_add(x->t, "%s]", *comma ? "" : "none");
	}
	v6_options(part_behind(x, V6_TARGET));
}

static void v6_what(const struct part *x)
{
	switch (x->p[0]) {
	case V6_ECHO_REQUEST:
	case V6_ECHO_REPLY:
		text_add(x->t, "echo %s, id %u, seq %u",
			 x->p[0] == V6_ECHO_REPLY ? "reply" : "request", be16(load16(x->p + 4)),
			 be16(load16(x->p + 6)));
		break;
	case V6_UNREACHABLE: v6_unreachable(x); break;
	case V6_TOO_BIG:
		text_add(x->t, "packet too big, mtu %u", (unsigned)be32(load32(x->p + 4)));
		break;
	case V6_TIME_EXCEEDED: text_add(x->t, "time exceeded"); break;
	case V6_ROUTER_SOLICITATION: text_add(x->t, "router solicitation"); break;
	case V6_ROUTER_ADVERTISEMENT: text_add(x->t, "router advertisement"); break;
	case V6_SOLICITATION:
	case V6_ADVERTISEMENT: v6_neighbour(x); break;
	case V6_LISTENER_REPORT:
		text_add(x->t, "multicast listener report v2, %u group record(s)",
			 be16(load16(x->p + 6)));
		break;
	default: text_add(x->t, "unknown icmp6 type (%u)", x->p[0]);
	}
}

static void icmp6(struct part x, const struct ends *ends)
{
	uint16_t wrong = 0, is;

	decode_ends(x.t, ends, -1, -1);
	if (part_short(&x, ICMP_HEADER, "icmp6"))
		return;
	is = be16(load16(x.p + 2));
	if (x.d->verbose && decode_sum(&x, ends, PROTO_ICMPV6, &wrong)) {
		if (wrong)
			text_add(x.t, "[bad icmp6 cksum 0x%04x -> 0x%04x!] ", is,
				 decode_sum_right(is, wrong));
		else
			text_add(x.t, "[icmp6 sum ok] ");
	}
	text_add(x.t, "ICMP6, ");
	v6_what(&x);
	if (!x.d->verbose)
		text_add(x.t, ", length %u", (unsigned)x.len);
}

bool decode_l4(struct part x, const struct ends *ends, uint8_t proto)
{
	if (proto == PROTO_TCP)
		decode_tcp(x, ends);
	else if (proto == PROTO_UDP)
		udp(x, ends);
	else if (proto == PROTO_ICMP && ends->size == 4)
		decode_icmp(x, ends);
	else if (proto == PROTO_ICMPV6 && ends->size == 16)
		icmp6(x, ends);
	else
		return false;
	return true;
}
