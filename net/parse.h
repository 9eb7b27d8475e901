/* SPDX-License-Identifier: MIT */
/*
 * parse.h - from a frame to a flow key
 *
 * A switch does not verify checksums, IPv4's header checksum among them. Headers that do not fit the frame and an
 * IHL below 5 are dropped, each with its reason; wrong lengths and versions are counted and passed on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/drop.h"
#include "kernel/pkt.h"
#include "key.h"
#include "wire.h"

#define PARSE_OK DROP_N

/*
 * parse() - the key of frame @p that came in by port @in_port. Looks at the first buffer only.
 * Returns PARSE_OK or the reason to drop it for.
 */
enum drop_reason parse(const struct pkt *p, uint16_t in_port, struct flow_key *key);

/*
 * Two shortcuts take what nearly all frames are, without a call a header, and leave everything else to parse(). All
 * three build the same key for the same frame (tests/unit/test_parse.c holds them against each other).
 */
enum { PLAIN_MIN = 60 }; /* no NIC delivers less; a tag and both headers without options fit in */

/* what of an IPv4 header's first 8 bytes makes it plain: version 4, IHL 5, no fragment */
#define PLAIN_MASK UINT64_C(0xff3f0000000000ff)
#define PLAIN_IPV4 UINT64_C(0x0000000000000045)

/* plain_ipv4() - no options, no fragment, total length right, in the @n bytes at @l3 */
static inline bool plain_ipv4(const uint8_t *l3, uint32_t n)
{
	if (unlikely((load64(l3) & PLAIN_MASK) != PLAIN_IPV4))
		return false;
	/* header <= total length <= what there is, in one compare: below, the difference wraps */
	return likely((uint32_t)be16(load16(l3 + 2)) - IPV4_HLEN <= n - IPV4_HLEN);
}

/* plain_l4() - UDP or TCP whose header fits the @n bytes at @l4, TCP_HLEN of which are there */
static inline bool plain_l4(uint64_t proto, const uint8_t *l4, uint32_t n)
{
	return likely(proto == PROTO_UDP) ||
	       (proto == PROTO_TCP && (uint32_t)(l4[12] >> 4) * 4 <= n);
}

/*
 * parse_plain() - untagged IPv4 without options, no fragment, UDP or TCP, lengths right.
 * @data: the frame, PLAIN_MIN bytes of it in this buffer if it has as many; @len: its word pkt->frame, so that one with a
 * flag, whose tag may stand aside, is longer than any; @w: the key's four words. Returns false if it is anything else.
 */
static inline bool parse_plain(const uint8_t *data, uint64_t len, uint64_t in_port,
			       uint64_t w[KEY_WORDS_SHORT])
{
	uint64_t proto;

	/* below PLAIN_MIN the difference wraps */
	if (unlikely(len - PLAIN_MIN > UINT16_MAX || load16(data + 12) != be16(ETH_P_IP)))
		return false;
	if (!plain_ipv4(data + 14, len - 14))
		return false;
	proto = data[23];
	if (!plain_l4(proto, data + 34, len - 34))
		return false;
	w[0] = in_port | (uint64_t)load32(data + 34) << 32;
	w[1] = load64(data) << 16 | proto; /* destination */
	w[2] = load64(data + 6);           /* source and type */
	w[3] = load64(data + 26);
	return true;
}

/* IPv6 without extension headers, version and length right, UDP or TCP, in the @n bytes at @l3 */
static inline bool plain_ipv6(const uint8_t *l3, uint32_t n)
{
	uint8_t next = l3[6];

	if (n < IPV6_HLEN + UDP_HLEN || l3[0] >> 4 != 6 || be16(load16(l3 + 4)) > n - IPV6_HLEN)
		return false;
	return next == PROTO_UDP ||
	       (n >= IPV6_HLEN + TCP_HLEN && plain_l4(next, l3 + IPV6_HLEN, n - IPV6_HLEN));
}

/*
 * parse_usual() - the same with one tag, or IPv6 without extension headers, or both.
 * Fills all words of @key. Returns false if it is anything else.
 */
static inline bool parse_usual(const uint8_t *data, uint32_t len, uint16_t in_port,
			       struct flow_key *key)
{
	uint64_t flags = 0, tci = 0, proto;
	const uint8_t *l3 = data + 14, *l4;
	uint16_t type;

	if (len < PLAIN_MIN)
		return false;
	type = load16(data + 12);
	if (type == be16(ETH_P_VLAN)) {
		flags = KEY_VLAN;
		tci = be16(load16(data + 14));
		type = load16(data + 16);
		l3 += VLAN_TAG;
	}
	if (type == be16(ETH_P_IPV6)) {
		if (!plain_ipv6(l3, len - (l3 - data)))
			return false;
		flags |= KEY_LONG;
		proto = l3[6];
		l4 = l3 + IPV6_HLEN;
		key->w[3] = load64(l3 + 8);
		key->w[4] = load64(l3 + 16);
		key->w[5] = load64(l3 + 24);
		key->w[6] = load64(l3 + 32);
	} else {
		proto = l3[9];
		l4 = l3 + IPV4_HLEN;
		if (type != be16(ETH_P_IP) || !plain_ipv4(l3, len - (l3 - data)) ||
		    !plain_l4(proto, l4, len - (l4 - data)))
			return false;
		key->w[3] = load64(l3 + 12);
		key->w[4] = key->w[5] = key->w[6] = 0;
	}
	key->w[0] = in_port | tci << 16 | (uint64_t)load32(l4) << 32;
	key->w[1] = load64(data) << 16 | flags << 8 | proto;
	key->w[2] = mac_load(data + 6) | (uint64_t)type << 48;
	return true;
}
