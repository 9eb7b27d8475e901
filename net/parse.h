/* SPDX-License-Identifier: MIT */
/*
 * parse.h - from a frame to a flow key
 *
 * A switch does not verify checksums, IPv4's header checksum among them. Headers that do not
 * fit the frame and an IHL below 5 are dropped, each with its reason; wrong lengths and
 * versions are counted and passed on.
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
 * Returns PARSE_OK or the reason to drop it for. parse_peek() - the same for who is not the switch:
 * odd frames are counted once, by parse().
 */
enum drop_reason parse(const struct pkt *p, uint16_t in_port, struct flow_key *key);
enum drop_reason parse_peek(const struct pkt *p, uint16_t in_port, struct flow_key *key);

/*
 * The shortcuts take what nearly all frames are, without a call a header, and leave everything else
 * to parse(). Both are for UDP and TCP, without IP options or extension headers, no fragment, all
 * lengths right. They build the same key for the same frame as parse() does
 * (tests/unit/test_parse.c holds them against it).
 *
 * @data: the frame, PLAIN_MIN bytes of it in this buffer if it has as many; @frame: the packet's
 * word p->frame, so that a flag is a length too much; @tag: VLAN_TAG for frames with one tag, 0 for
 * those without, a constant; @w: the key's words; @in_port is read where it is needed, to keep no
 * register. They return false if it is anything else.
 *
 * But for the type, which they need not ask for, as it stands in the key: a frame of another type
 * that happens to look like IP behind it gets a key that no frame has, and so is found nowhere. For
 * parse() gives a protocol to IP alone, and to ARP, with a flag.
 */
#define PARSE_INLINE inline __attribute__((always_inline))

enum { PLAIN_MIN = 60 }; /* no NIC delivers less; a tag and both headers without options fit in */

/* plain_begins() - nothing but bytes, PLAIN_MIN at least, and a tag where there shall be one */
static PARSE_INLINE bool plain_begins(const uint8_t *data, uint64_t frame, unsigned tag)
{
	return likely(frame - PLAIN_MIN <= UINT16_MAX - PLAIN_MIN) &&
	       (!tag || likely(load16(data + 12) == be16(ETH_P_VLAN)));
}

/* plain_tcp() - does the header fit the @n bytes at @l4, TCP_HLEN of which are there? */
static PARSE_INLINE bool plain_tcp(const uint8_t *l4, uint64_t n)
{
	return (uint64_t)(l4[12] >> 4) * 4 <= n;
}

/*
 * plain_words() - the words that any key has: ports, protocol and addresses of the link.
 * @proto: in its upper byte
 */
static PARSE_INLINE void plain_words(const uint8_t *data, const uint8_t *l4,
				     const uint64_t *in_port, uint64_t flags, uint32_t proto,
				     unsigned tag, uint64_t *w)
{
	uint64_t tci = tag ? be16(load16(data + 14)) : 0;
	uint64_t type = load16(data + 12 + tag);

	w[0] = *in_port | (tag ? flags | KEY_VLAN : flags) << 16 | proto |
	       (uint64_t)load32(l4) << 32;
	w[1] = load64(data) << 16 | tci;
	w[2] = tag ? mac_load(data + 6) | type << 48 : load64(data + 6);
}

/*
 * The first word of an IPv4 header, as a number: version and IHL have to be so and no other, and
 * the total length below them between a header and what there is, all in one compare; TOS stands
 * between. The word behind the id: MF and offset are 0, then TTL, then the protocol.
 */
#define IPV4_HEAD_MASK 0xff00ffff
#define IPV4_HEAD      0x45000000
#define IPV4_FRAG_MASK 0xff00ff3f

static PARSE_INLINE bool plain_ipv4(const uint8_t *data, uint64_t frame, const uint64_t *in_port,
				    unsigned tag, uint64_t w[KEY_WORDS_SHORT])
{
	const uint8_t *l3 = data + 14 + tag, *l4 = l3 + IPV4_HLEN;
	uint32_t n = frame - 14 - tag - IPV4_HLEN; /* behind the header */
	uint32_t frag;

	if (!plain_begins(data, frame, tag))
		return false;
	if (unlikely((be32(load32(l3)) & IPV4_HEAD_MASK) - (IPV4_HEAD + IPV4_HLEN) > n))
		return false;
	frag = load32(l3 + 6) & IPV4_FRAG_MASK; /* nothing but the protocol, in the upper byte */
	if (unlikely(frag != PROTO_UDP << 24 && (frag != PROTO_TCP << 24 || !plain_tcp(l4, n))))
		return false;
	plain_words(data, l4, in_port, 0, frag, tag, w);
	w[3] = load64(l3 + 12);
	return true;
}

static PARSE_INLINE bool plain_ipv6(const uint8_t *data, uint64_t frame, const uint64_t *in_port,
				    unsigned tag, uint64_t w[KEY_WORDS])
{
	const uint8_t *l3 = data + 14 + tag, *l4 = l3 + IPV6_HLEN;
	uint64_t n = frame - 14 - tag - IPV6_HLEN; /* behind the header */
	uint32_t proto;

	if (!plain_begins(data, frame, tag))
		return false;
	if (unlikely(l3[0] >> 4 != 6 || be16(load16(l3 + 4)) > n || n < UDP_HLEN))
		return false;
	proto = l3[6];
	if (unlikely(proto != PROTO_UDP &&
		     (proto != PROTO_TCP || n < TCP_HLEN || !plain_tcp(l4, n))))
		return false;
	plain_words(data, l4, in_port, KEY_LONG, proto << 24, tag, w);
	w[3] = load64(l3 + 8);
	w[4] = load64(l3 + 16);
	w[5] = load64(l3 + 24);
	w[6] = load64(l3 + 32);
	return true;
}
