/* SPDX-License-Identifier: MIT */
/*
 * key.h - what makes frames one flow
 *
 * The key names a flow by what Open vSwitch calls dl_*, nw_* and tp_*. It is laid out so that most
 * of its words are one load each: addresses and type stay in wire order. An IPv6 key has seven
 * words that count, any other four.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/bits.h"

enum { KEY_WORDS = 7, KEY_WORDS_SHORT = 4 };

enum key_flags {
	KEY_VLAN = BIT(0),       /* tagged; vlan_tci says how */
	KEY_FRAG_FIRST = BIT(1), /* first fragment: the ports are there */
	KEY_FRAG_LATER = BIT(2), /* a later one: the ports are 0 */
	KEY_LONG = BIT(3),       /* IPv6: all seven words count */
	KEY_ARP = BIT(4), /* so that nothing but IP has both a protocol and none of these two */
};

struct flow_key {
	union {
		uint64_t w[KEY_WORDS];
		struct {
			/* w[0] */
			uint16_t in_port; /* port id */
			uint8_t flags;    /* enum key_flags */
			uint8_t nw_proto; /* ARP: low byte of the operation */
			uint16_t tp_src;  /* be16; ICMP: type */
			uint16_t tp_dst;  /* be16; ICMP: code */
			/* w[1] */
			uint16_t vlan_tci; /* host order; 0 if untagged */
			uint8_t dl_dst[6];
			/* w[2] */
			uint8_t dl_src[6];
			uint16_t dl_type; /* be16, behind the outer tag */
			/* w[3], or w[3] to w[6] */
			union {
				struct {
					uint32_t src, dst; /* be32; ARP: spa and tpa */
				} ip4;
				struct {
					uint8_t src[16], dst[16];
				} ip6;
			};
		};
	};
};

_Static_assert(sizeof(struct flow_key) == KEY_WORDS * 8, "the words are all there is");
_Static_assert(offsetof(struct flow_key, flags) == 2 && offsetof(struct flow_key, nw_proto) == 3 &&
		       offsetof(struct flow_key, vlan_tci) == 8 &&
		       offsetof(struct flow_key, dl_src) == 16 &&
		       offsetof(struct flow_key, ip4) == 24,
	       "fields stand in the words that plain_ipv4() builds");

/* key_str() - @key as ovs-dpctl prints it, into buf[size]. Returns the length. */
unsigned key_str(const struct flow_key *key, char *buf, unsigned size);

/* this CPU has no CRC32; said by key_init(), at boot */
extern bool key_no_crc32;
void key_init(void);

/* crc32c() - go on with @crc over eight bytes, by the instruction for it [SDM 2A, CRC32] */
static inline uint64_t crc32c(uint64_t crc, uint64_t word)
{
	__asm__("crc32q %1, %0" : "+r"(crc) : "rm"(word));
	return crc;
}

/*
 * key_hash_words() - 32 bits, by CRC-32C, as Open vSwitch and DPDK have it: an instruction a word.
 * Of four words, or of all seven if it is @is_long. One key has another hash under each @seed.
 */
static inline uint64_t key_hash_words(uint32_t seed, const uint64_t w[], bool is_long)
{
	uint64_t h = crc32c(crc32c(crc32c(crc32c(seed, w[0]), w[1]), w[2]), w[3]);

	return is_long ? crc32c(crc32c(crc32c(h, w[4]), w[5]), w[6]) : h;
}

/* key_hash_by_hand() - the same without that instruction: some hundred others a word. */
uint64_t key_hash_by_hand(uint32_t seed, const uint64_t w[], bool is_long);

/* key_hash() - by that which this CPU has. */
static inline uint32_t key_hash(uint32_t seed, const struct flow_key *key)
{
	bool is_long = key->flags & KEY_LONG;

	return unlikely(key_no_crc32) ? key_hash_by_hand(seed, key->w, is_long)
				      : key_hash_words(seed, key->w, is_long);
}

static inline bool key_equal_words(const uint64_t a[], const uint64_t b[], bool is_long)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] &&
	       (!is_long || (a[4] == b[4] && a[5] == b[5] && a[6] == b[6]));
}

static inline bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return key_equal_words(a->w, b->w, a->flags & KEY_LONG);
}
