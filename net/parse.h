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
 * parse() - the key of frame @p that came in by port @in_port; sets p->port, p->vlan_tci and p->l3.
 * Looks at the first buffer only. Returns PARSE_OK or the reason to drop it for.
 */
enum drop_reason parse(struct pkt *p, uint16_t in_port, struct flow_key *key);

enum { PLAIN_MIN = 14 + IPV4_HLEN + TCP_HLEN };

/* what of bytes 14 to 21 makes a header plain: version 4, IHL 5, no fragment */
#define PLAIN_MASK UINT64_C(0xff3f0000000000ff)
#define PLAIN_IPV4 UINT64_C(0x0000000000000045)

/*
 * parse_plain() - what nearly all frames are: untagged IPv4 without options, no fragment, UDP or TCP, lengths right.
 * @data: frame of @len bytes, PLAIN_MIN of them in this buffer if the frame has as many; @w: the key's four words.
 * Returns false if it is anything else: parse() then sees to it, and both build the same key.
 */
static inline bool parse_plain(const uint8_t *data, uint32_t len, uint64_t in_port,
			       uint64_t w[KEY_WORDS_SHORT])
{
	uint64_t proto;

	if (unlikely(len < PLAIN_MIN))
		return false;
	if (unlikely(load16(data + 12) != be16(ETH_P_IP)))
		return false;
	if (unlikely((load64(data + 14) & PLAIN_MASK) != PLAIN_IPV4))
		return false;
	/* header <= total length <= what there is, in one compare: below, the difference wraps */
	if (unlikely((uint32_t)be16(load16(data + 16)) - IPV4_HLEN > len - 14 - IPV4_HLEN))
		return false;
	proto = data[23];
	if (proto != PROTO_UDP) {
		uint32_t tcp_len = (uint32_t)(data[46] >> 4) * 4;

		if (proto != PROTO_TCP || tcp_len > len - 14 - IPV4_HLEN)
			return false;
	}
	w[0] = in_port | (uint64_t)load32(data + 34) << 32;
	w[1] = load64(data) << 16 | proto; /* destination */
	w[2] = load64(data + 6);           /* source and type */
	w[3] = load64(data + 26);
	return true;
}
