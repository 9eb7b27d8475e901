/* SPDX-License-Identifier: MIT */
/*
 * decode_icmp.c - ICMP [RFC 792, RFC 950, RFC 1122 3.2.2.1, RFC 1812 5.2.7] as text
 *
 * Called by decode_l4.c. Owns nothing.
 */
#include "decode_parts.h"

#include "kernel/bits.h"
#include "net/addr.h"

enum {
	ECHO_REPLY = 0,
	UNREACHABLE = 3,
	SOURCE_QUENCH = 4,
	REDIRECT = 5,
	ECHO_REQUEST = 8,
	TIME_EXCEEDED = 11,
	PARAMETER_PROBLEM = 12,
	TIME_STAMP = 13,
	MASK_REPLY = 18,
};

enum { UNREACHABLE_PROTOCOL = 2, UNREACHABLE_PORT = 3, UNREACHABLE_TOO_BIG = 4 };
enum { ICMP_HEADER = 8 };

/* what is said of the destination, by code: in front of its address, and behind it */
static const char *const reach[16][2] = {
	[0] = { "net ", "" },
	[1] = { "host ", "" },
	[UNREACHABLE_TOO_BIG] = { "", " - need to frag" },
	[5] = { "", " - source route failed" },
	[6] = { "net ", " - unknown" },
	[7] = { "host ", " - unknown" },
	[8] = { "", " - source host isolated" },
	[9] = { "net ", " - admin prohibited" },
	[10] = { "host ", " - admin prohibited" },
	[11] = { "net ", " - tos prohibited" },
	[12] = { "host ", " - tos prohibited" },
	[13] = { "host ", " - admin prohibited filter" },
	[14] = { "host ", " - host precedence violation" },
	[15] = { "host ", " - precedence cutoff" },
};

/* types of which no more is told */
static const char *const name_of[] = {
	[SOURCE_QUENCH] = "source quench", [10] = "router solicitation",
	[15] = "information request",      [16] = "information reply",
	[17] = "address mask request",
};

static void port_unreachable(const struct part *x, const struct part *in, const char *dst)
{
	uint32_t ihl = (in->p[0] & 15) * 4;
	uint8_t proto = in->p[9];

	if (part_short(in, ihl + 4, "icmp"))
		return;
	text_add(x->t, "%s %s port %u unreachable", dst,
		 proto == PROTO_UDP   ? "udp"
		 : proto == PROTO_TCP ? "tcp"
				      : decode_protocol(proto),
		 be16(load16(in->p + ihl + 2)));
}

/*
 * unreachable() - what could not be reached; the packet that tried stands behind the header,
 * if enough of it is there.
 */
static void unreachable(const struct part *x)
{
	struct part in = part_behind(x, ICMP_HEADER);
	uint16_t mtu = be16(load16(x->p + 6));
	uint8_t code = x->p[1];
	char dst[IP_STR];

	if (part_short(&in, IPV4_HLEN, "icmp"))
		return;
	ip4_str(load32(in.p + 16), dst);
	if (code == UNREACHABLE_PROTOCOL)
		text_add(x->t, "%s protocol %u unreachable", dst, in.p[9]);
	else if (code == UNREACHABLE_PORT)
		port_unreachable(x, &in, dst);
	else if (code < ARRAY_SIZE(reach))
		text_add(x->t, "%s%s unreachable%s", reach[code][0], dst, reach[code][1]);
	else
		text_add(x->t, "%s unreachable - #%u", dst, code);
	if (code == UNREACHABLE_TOO_BIG && mtu)
		text_add(x->t, " (mtu %u)", mtu);
}

/* redirect() - by which gateway the packet behind the header had better gone */
static void redirect(const struct part *x)
{
	static const char *const how[][2] = {
		{ "", "net " }, { "", "host " }, { "-tos", "net " }, { "-tos", "host " }
	};
	struct part in = part_behind(x, ICMP_HEADER);
	char dst[IP_STR], gateway[IP_STR];
	uint8_t code = x->p[1];

	if (part_short(&in, IPV4_HLEN, "icmp"))
		return;
	ip4_str(load32(in.p + 16), dst);
	ip4_str(load32(x->p + 4), gateway);
	if (code < ARRAY_SIZE(how))
		text_add(x->t, "redirect%s %s to %s%s", how[code][0], dst, how[code][1], gateway);
	else
		text_add(x->t, "redirect-#%u %s to %s", code, dst, gateway);
}

static void time_exceeded(const struct part *x)
{
	uint8_t code = x->p[1];

	if (code > 1)
		text_add(x->t, "time exceeded-#%u", code);
	else
		text_add(x->t, code ? "ip reassembly time exceeded" : "time exceeded in-transit");
}

static void parameter_problem(const struct part *x)
{
	if (x->p[1])
		text_add(x->t, "parameter problem - code %u", x->p[1]);
	else
		text_add(x->t, "parameter problem - octet %u", x->p[4]);
}

static void icmp_what(const struct part *x)
{
	unsigned id = be16(load16(x->p + 4)), seq = be16(load16(x->p + 6));
	uint8_t type = x->p[0];

	switch (type) {
	case ECHO_REQUEST:
	case ECHO_REPLY:
		text_add(x->t, "echo %s, id %u, seq %u", type == ECHO_REPLY ? "reply" : "request",
			 id, seq);
		break;
	case UNREACHABLE: unreachable(x); break;
	case REDIRECT: redirect(x); break;
	case TIME_EXCEEDED: time_exceeded(x); break;
	case PARAMETER_PROBLEM: parameter_problem(x); break;
	case TIME_STAMP: text_add(x->t, "time stamp query id %u seq %u", id, seq); break;
	case MASK_REPLY:
		if (!part_short(x, ICMP_HEADER + 4, "icmp"))
			text_add(x->t, "address mask is 0x%08x",
				 (unsigned)be32(load32(x->p + ICMP_HEADER)));
		break;
	default:
		if (type < ARRAY_SIZE(name_of) && name_of[type])
			text_add(x->t, "%s", name_of[type]);
		else
			text_add(x->t, "type-#%u", type);
	}
}

static bool carries_packet(uint8_t type)
{
	return type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT ||
	       type == TIME_EXCEEDED || type == PARAMETER_PROBLEM;
}

/*
 * quote() - what an error is about. There are no errors about errors [RFC 1122 3.2.2], or
 * only to be decoded for ever.
 */
static void quote(struct part x)
{
	if (x.d->quoted)
		return;
	if (x.cap >= IPV4_HLEN)
		x.len = be16(load16(x.p + 2)); /* only its beginning is there */
	text_add(x.t, "\n\t");
	x.d->quoted = true;
	decode_ipv4(x);
	x.d->quoted = false;
}

void decode_icmp(struct part x, const struct ends *ends)
{
	uint16_t wrong = 0, is;

	decode_ends(x.t, ends, -1, -1);
	if (part_short(&x, ICMP_HEADER, "icmp"))
		return;
	text_add(x.t, "ICMP ");
	icmp_what(&x);
	text_add(x.t, ", length %u", (unsigned)x.len);
	if (!x.d->verbose)
		return;
	is = be16(load16(x.p + 2));
	if (!ends->fragment && decode_sum(&x, NULL, 0, &wrong) && wrong)
		text_add(x.t, " (wrong icmp cksum %x (->%x)!)", is, decode_sum_right(is, wrong));
	if (carries_packet(x.p[0]))
		quote(part_behind(&x, ICMP_HEADER));
}
