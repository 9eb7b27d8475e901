/* SPDX-License-Identifier: MIT */
/*
 * decode.c - a frame as text: Ethernet, its tags, ARP, and what is not known
 *
 * Called by tcpdump.c for each packet that it prints, in the control context. Owns nothing.
 */
#include "decode.h"

#include "kernel/bits.h"
#include "net/addr.h"
#include "decode_parts.h"

#include <string.h>

enum { ETH_HEADER = 14, TCI_AND_TYPE = 4 };

#define TCI_PCP BITS(15, 13)
#define TCI_DEI BIT(12)
#define TCI_VID BITS(11, 0)

static const char *type_name(uint16_t type)
{
	switch (type) {
	case ETH_P_IP: return "IPv4";
	case ETH_P_ARP: return "ARP";
	case ETH_P_VLAN: return "802.1Q";
	case ETH_P_QINQ: return "802.1Q-QinQ";
	case ETH_P_IPV6: return "IPv6";
	default: return "Unknown";
	}
}

static bool type_is_known(uint16_t type)
{
	return strcmp(type_name(type), "Unknown");
}

/* --- hex --- */

static void hex_line(struct text *t, const uint8_t *p, uint32_t at, uint32_t n, enum decode_hex how)
{
	text_add(t, how == HEX_INSET ? "\n\t    0x%04x: " : "\n\t0x%04x: ", (unsigned)at);
	for (uint32_t i = 0; i < n; i++)
		text_add(t, i % 2 ? "%02x" : " %02x", p[at + i]);
	if (how != HEX_ASCII)
		return;
	for (uint32_t i = n; i < DECODE_HEX_LINE; i++)
		text_add(t, i % 2 ? "  " : "   ");
	text_add(t, "  ");
	for (uint32_t i = 0; i < n; i++)
		text_add(t, "%c", p[at + i] > ' ' && p[at + i] < 0x7f ? p[at + i] : '.');
}

void decode_hex(struct text *t, const uint8_t *p, uint32_t n, enum decode_hex how)
{
	for (uint32_t at = 0; at < n; at += DECODE_HEX_LINE)
		hex_line(t, p, at, MIN(n - at, (uint32_t)DECODE_HEX_LINE), how);
}

/* --- ARP [RFC 826] --- */

enum { ARP_REQUEST = 1, ARP_REPLY, RARP_REQUEST, RARP_REPLY, INARP_REQUEST = 8, INARP_REPLY };
enum { ARP_ETHERNET = 1, ARP_IPV4_ETH = 28 };

static void arp_question(struct text *t, const uint8_t *p)
{
	static const uint8_t nobody[6];
	char tpa[IP_STR], spa[IP_STR], mac[MAC_STR];

	ip4_str(load32(p + 24), tpa);
	ip4_str(load32(p + 14), spa);
	mac_str(p + 18, mac);
	text_add(t, "Request who-has %s", tpa);
	if (memcmp(p + 18, nobody, sizeof(nobody)))
		text_add(t, " (%s)", mac);
	text_add(t, " tell %s", spa);
}

static void arp_answer(struct text *t, const uint8_t *p)
{
	char spa[IP_STR], mac[MAC_STR];

	ip4_str(load32(p + 14), spa);
	mac_str(p + 8, mac);
	text_add(t, "Reply %s is-at %s", spa, mac);
}

/*
 * RARP [RFC 903] and InARP [RFC 2390]: who has a hardware address, or which
 * protocol address goes with it
 */
static void arp_reverse(struct text *t, const uint8_t *p, uint16_t op)
{
	char sha[MAC_STR], tha[MAC_STR], spa[IP_STR], tpa[IP_STR];

	mac_str(p + 8, sha);
	mac_str(p + 18, tha);
	ip4_str(load32(p + 14), spa);
	ip4_str(load32(p + 24), tpa);
	if (op == RARP_REQUEST || op == INARP_REQUEST)
		text_add(t, "%s Request who-is %s tell %s",
			 op == RARP_REQUEST ? "Reverse" : "Inverse", tha, sha);
	else if (op == RARP_REPLY)
		text_add(t, "Reverse Reply %s at %s", tha, tpa);
	else
		text_add(t, "Inverse Reply %s at %s", sha, spa);
}

static bool arp_is_usual(const uint8_t *p)
{
	return be16(load16(p + 2)) == ETH_P_IP && p[4] == 6 && p[5] == 4;
}

/* arp_kinds() - of which hardware and which protocol the addresses are, and how long */
static void arp_kinds(struct text *t, const uint8_t *p)
{
	uint16_t hardware = be16(load16(p)), protocol = be16(load16(p + 2));

	if (hardware == ARP_ETHERNET)
		text_add(t, "Ethernet (len %u), ", p[4]);
	else
		text_add(t, "Unknown Hardware (%u) (len %u), ", hardware, p[4]);
	if (type_is_known(protocol))
		text_add(t, "%s (len %u)", type_name(protocol), p[5]);
	else
		text_add(t, "Unknown Protocol (0x%04x) (len %u)", protocol, p[5]);
}

static void arp(struct part x)
{
	uint16_t op;

	if (!x.d->link)
		text_add(x.t, "ARP, ");
	if (part_short(&x, ARP_HLEN, "arp") || part_short(&x, ARP_IPV4_ETH, "arp"))
		return;
	op = be16(load16(x.p + 6));
	if (!arp_is_usual(x.p) || x.d->verbose)
		arp_kinds(x.t, x.p);
	if (arp_is_usual(x.p)) {
		text_add(x.t, x.d->verbose ? ", " : "");
		switch (op) {
		case ARP_REQUEST: arp_question(x.t, x.p); break;
		case ARP_REPLY: arp_answer(x.t, x.p); break;
		case RARP_REQUEST:
		case RARP_REPLY:
		case INARP_REQUEST:
		case INARP_REPLY: arp_reverse(x.t, x.p, op); break;
		default:
			text_add(x.t, "Unknown (%u) ", op);
			decode_hex(x.t, x.p, x.cap, HEX_ASCII); /* with -X twice, as tcpdump */
			return;
		}
	}
	text_add(x.t, ", length %u", (unsigned)x.len);
}

/* --- Ethernet [IEEE 802.3 3.1.1, 802.1Q 9.3] --- */

static void addresses(struct text *t, const uint8_t *frame)
{
	char src[MAC_STR], dst[MAC_STR];

	mac_str(frame, dst);
	mac_str(frame + 6, src);
	text_add(t, "%s > %s, ", src, dst);
}

static void say_type(struct text *t, uint16_t type)
{
	text_add(t, "ethertype %s (0x%04x), ", type_name(type), type);
}

static void say_length(struct text *t, uint16_t type, uint32_t len)
{
	text_add(t, "ethertype %s (0x%04x), length %u: ", type_name(type), type, (unsigned)len);
}

/* vlan() - one tag; returns the type behind it, 0 if the frame ends before that. */
static uint16_t vlan(struct part *x)
{
	uint16_t tci, type;

	if (part_short(x, TCI_AND_TYPE, "vlan"))
		return 0;
	tci = be16(load16(x->p));
	type = be16(load16(x->p + 2));
	if (x->d->link) {
		text_add(x->t, "vlan %u, p %u%s, ", (unsigned)FIELD_GET(TCI_VID, tci),
			 (unsigned)FIELD_GET(TCI_PCP, tci), tci & TCI_DEI ? ", DEI" : "");
		say_type(x->t, type);
	}
	*x = part_behind(x, TCI_AND_TYPE);
	return type;
}

static void unknown(struct part x, const uint8_t *frame, uint16_t type, uint32_t len)
{
	if (!x.d->link) {
		addresses(x.t, frame);
		if (type >= ETH_P_8023_MIN)
			say_length(x.t, type, len);
	}
	if (type < ETH_P_8023_MIN)
		text_add(x.t, "802.3, length %u: ", type);
	if (!x.d->dumped)
		decode_hex(x.t, x.p, x.cap, HEX_ASCII);
}

uint32_t decode(struct decode *d, struct text *t, const uint8_t *frame, uint32_t caplen,
		uint32_t len)
{
	struct part x = { d, t, frame, caplen, len };
	uint16_t type;

	if (part_short(&x, ETH_HEADER, "ether"))
		return caplen;
	type = be16(load16(frame + 12));
	x = part_behind(&x, ETH_HEADER);
	if (d->link) {
		addresses(t, frame);
		if (type >= ETH_P_8023_MIN)
			say_length(t, type, len);
	}
	while (type == ETH_P_VLAN || type == ETH_P_QINQ)
		type = vlan(&x);
	switch (type) {
	case 0: break;
	case ETH_P_IP: decode_ipv4(x); break;
	case ETH_P_IPV6: decode_ipv6(x); break;
	case ETH_P_ARP: arp(x); break;
	default: unknown(x, frame, type, len);
	}
	return x.p - frame;
}
