/* SPDX-License-Identifier: MIT */
/*
 * parse.c - the whole parser: tags, options, fragments, extension headers, damage
 *
 * Called by the switch for each frame that the shortcuts of parse.h do not know, on the core that
 * received it. Owns nothing. What is wrong so that a NIC would not send it is a drop here: QEMU's
 * igb says "sent" and sends nothing for a header that it cannot parse.
 */
#include "parse.h"

#include "kernel/counter.h"

enum { IPV6_MAX_EXT = 8 }; /* extension headers followed; a chain that is longer counts as broken */

COUNTER(bad_ip_len, "net.bad_ip_len", "IP packets with a wrong length, forwarded");
COUNTER(bad_ip_version, "net.bad_ip_version", "IP packets with a wrong version, forwarded");

/* the bytes from some header on: @n in the first buffer, @all in the frame */
struct view {
	const uint8_t *p;
	uint32_t n;
	uint32_t all;
	bool count; /* what is odd */
};

static struct view skip(struct view v, uint32_t bytes)
{
	return (struct view){ v.p + bytes, v.n - bytes, v.all - bytes, v.count };
}

static bool is_icmp(const struct flow_key *key)
{
	return key->nw_proto == (key->flags & KEY_LONG ? PROTO_ICMPV6 : PROTO_ICMP);
}

static enum drop_reason parse_l4(struct flow_key *key, struct view v)
{
	if (key->nw_proto == PROTO_TCP) {
		if (v.n < TCP_HLEN || (uint32_t)(v.p[12] >> 4) * 4 > v.n)
			return DROP_PARSE_TCP;
	} else if (key->nw_proto == PROTO_UDP) {
		if (v.n < UDP_HLEN)
			return DROP_PARSE_UDP;
	} else if (is_icmp(key)) {
		if (v.n < (key->flags & KEY_LONG ? ICMPV6_HLEN : ICMP_HLEN))
			return DROP_PARSE_ICMP;
		key->tp_src = be16(v.p[0]);
		key->tp_dst = be16(v.p[1]);
		return PARSE_OK;
	} else {
		return PARSE_OK;
	}
	key->tp_src = load16(v.p);
	key->tp_dst = load16(v.p + 2);
	return PARSE_OK;
}

static enum drop_reason parse_ipv4(struct flow_key *key, struct view v)
{
	uint32_t ihl = v.n ? (v.p[0] & 0xf) * 4 : IPV4_HLEN;
	uint32_t total, frag;

	if (ihl < IPV4_HLEN)
		return DROP_PARSE_IPV4_IHL;
	if (v.n < ihl)
		return DROP_PARSE_IPV4;
	total = be16(load16(v.p + 2));
	frag = be16(load16(v.p + 6));
	if (total < ihl || total > v.all)
		counter_add(&bad_ip_len, v.count);
	if (v.p[0] >> 4 != 4)
		counter_add(&bad_ip_version, v.count);
	key->nw_proto = v.p[9];
	key->ip4.src = load32(v.p + 12);
	key->ip4.dst = load32(v.p + 16);
	if (frag & IPV4_OFFSET) {
		key->flags |= KEY_FRAG_LATER;
		return PARSE_OK;
	}
	if (frag & IPV4_MF)
		key->flags |= KEY_FRAG_FIRST;
	return parse_l4(key, skip(v, ihl));
}

static bool is_extension(uint8_t type)
{
	return type == PROTO_HOPOPTS || type == PROTO_ROUTING || type == PROTO_FRAGMENT ||
	       type == PROTO_AUTH || type == PROTO_DSTOPTS || type == PROTO_MOBILITY;
}

/* bytes of the extension header of @type at @v; 0 if it does not fit */
static uint32_t extension_len(uint8_t type, struct view v)
{
	uint32_t len;

	if (v.n < 8)
		return 0;
	if (type == PROTO_FRAGMENT) /* a reserved byte, sent as 0 [RFC 8200 4.5]; QEMU's igb takes
				       it for a length */
		len = v.p[1] ? UINT32_MAX : 8;
	else if (type == PROTO_AUTH)
		len = (v.p[1] + 2) * 4; /* the odd one: words less two [RFC 4302 2.2] */
	else
		len = (v.p[1] + 1) * 8;
	return len <= v.n ? len : 0;
}

static enum drop_reason parse_ipv6(struct flow_key *key, struct view v)
{
	unsigned hops = 0;
	uint8_t next;

	key->flags |= KEY_LONG;
	if (v.n < IPV6_HLEN)
		return DROP_PARSE_IPV6;
	if (be16(load16(v.p + 4)) > v.all - IPV6_HLEN)
		counter_add(&bad_ip_len, v.count);
	if (v.p[0] >> 4 != 6)
		counter_add(&bad_ip_version, v.count);
	__builtin_memcpy(&key->ip6, v.p + 8, sizeof(key->ip6));
	next = v.p[6];
	v = skip(v, IPV6_HLEN);
	while (is_extension(next)) {
		uint32_t len = extension_len(next, v);

		if (!len || hops++ == IPV6_MAX_EXT)
			return DROP_PARSE_IPV6_EXT;
		if (next == PROTO_FRAGMENT) {
			/* offset 13 bits, reserved 2, more 1 */
			uint32_t frag = be16(load16(v.p + 2));

			if (frag >> 3) {
				key->flags |= KEY_FRAG_LATER;
				key->nw_proto = v.p[0];
				return PARSE_OK;
			}
			if (frag & 1)
				key->flags |= KEY_FRAG_FIRST;
		}
		next = v.p[0];
		v = skip(v, len);
	}
	key->nw_proto = next;
	return parse_l4(key, v);
}

static enum drop_reason parse_arp(struct flow_key *key, struct view v)
{
	if (v.n < ARP_HLEN || v.n < ARP_HLEN + 2u * (v.p[4] + v.p[5]))
		return DROP_PARSE_ARP;
	/*
	 * Ethernet and IPv4, six and four bytes [RFC 826]; anything else is forwarded
	 * by its MAC addresses alone
	 */
	if (load16(v.p) != be16(1) || load16(v.p + 2) != be16(ETH_P_IP) || v.p[4] != 6 ||
	    v.p[5] != 4)
		return PARSE_OK;
	key->flags |= KEY_ARP;
	key->nw_proto = v.p[6] ? 0 : v.p[7];
	key->ip4.src = load32(v.p + 14);
	key->ip4.dst = load32(v.p + 24);
	return PARSE_OK;
}

static enum drop_reason parse_l3(struct flow_key *key, uint16_t type, struct view v)
{
	switch (be16(type)) {
	case ETH_P_IP: return parse_ipv4(key, v);
	case ETH_P_IPV6: return parse_ipv6(key, v);
	case ETH_P_ARP: return parse_arp(key, v);
	default: return PARSE_OK;
	}
}

static bool is_tag(uint16_t type)
{
	return type == be16(ETH_P_VLAN) || type == be16(ETH_P_QINQ);
}

/*
 * Behind a second tag nothing is part of the key, but NICs look there when
 * they send: it must be sound.
 */
static enum drop_reason check_inner(const struct flow_key *key, struct view v)
{
	struct flow_key scratch = *key;

	return parse_l3(&scratch, load16(v.p + 2), skip(v, VLAN_TAG));
}

static enum drop_reason parse_frame(const struct pkt *p, uint16_t in_port, struct flow_key *key,
				    bool count)
{
	struct view v = { p->data, p->len, p->frame_len, count };
	bool aside = p->flags & PKT_VLAN; /* the NIC has taken the outer tag out */
	uint16_t type;

	for (unsigned i = 0; i < KEY_WORDS;
	     i++) /* word by word: else the compiler takes a string instruction */
		key->w[i] = 0;
	key->in_port = in_port;
	if (v.n < 14)
		return DROP_PARSE_ETH;
	__builtin_memcpy(key->dl_dst, v.p, sizeof(key->dl_dst));
	__builtin_memcpy(key->dl_src, v.p + 6, sizeof(key->dl_src));
	type = load16(v.p + 12);
	v = skip(v, 14);
	if (aside) {
		key->vlan_tci = p->vlan_tci;
		key->flags |= KEY_VLAN;
	}
	if (is_tag(type)) {
		uint16_t inner = v.n < VLAN_TAG ? 0 : load16(v.p + 2);
		unsigned tags = !aside && is_tag(inner) ? 2 : 1;

		if (v.n < tags * VLAN_TAG)
			return DROP_PARSE_VLAN;
		if (!aside) {
			key->vlan_tci = be16(load16(v.p));
			key->flags |= KEY_VLAN;
			type = inner;
			v = skip(v, VLAN_TAG);
		}
	}
	key->dl_type = be16(type) < ETH_P_8023_MIN ? be16(ETH_P_8023) : type;
	if (is_tag(type))
		return check_inner(key, v);
	return parse_l3(key, type, v);
}

enum drop_reason parse(const struct pkt *p, uint16_t in_port, struct flow_key *key)
{
	return parse_frame(p, in_port, key, true);
}

enum drop_reason parse_peek(const struct pkt *p, uint16_t in_port, struct flow_key *key)
{
	return parse_frame(p, in_port, key, false);
}
