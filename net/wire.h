/* SPDX-License-Identifier: MIT */
/*
 * wire.h - numbers and byte order of what travels on a wire
 *
 * A header stands at any address, so loads go by memcpy: the built-in, which even a freestanding
 * compiler makes one instruction of. A be16 or be32 is kept as it came; only who prints or
 * computes turns it round.
 */
#pragma once

#include <stdint.h>
#include <string.h>

enum {
	ETH_P_8023_MIN = 0x0600, /* below it the field is a length [IEEE 802.3 3.2.6] */
	ETH_P_8023 = 0x05ff, /* what stands in a flow key for any such length, as in Open vSwitch */
	ETH_P_IP = 0x0800,
	ETH_P_ARP = 0x0806,
	ETH_P_VLAN = 0x8100,
	ETH_P_IPV6 = 0x86dd,
	ETH_P_QINQ = 0x88a8,

	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,

	/* IPv6 extension headers that have a length [RFC 8200 4, RFC 4302, RFC 6275] */
	PROTO_HOPOPTS = 0,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AUTH = 51,
	PROTO_DSTOPTS = 60,
	PROTO_MOBILITY = 135,

	VLAN_TAG = 4,      /* bytes */
	VLAN_VID = 0x0fff, /* VLAN id within the tag's TCI */
	IPV4_HLEN = 20,
	IPV6_HLEN = 40,
	TCP_HLEN = 20,
	UDP_HLEN = 8,
	ICMP_HLEN = 8,
	ICMPV6_HLEN = 4,
	ARP_HLEN = 8, /* what stands in front of the addresses */

	IPV4_DF = 0x4000, /* don't fragment */
	IPV4_MF = 0x2000, /* more fragments */
	IPV4_OFFSET = 0x1fff,
};

static inline uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store16(uint8_t *p, uint16_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void store32(uint8_t *p, uint32_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

/* from the wire and to it */
static inline uint16_t be16(uint16_t v)
{
	return __builtin_bswap16(v);
}

static inline uint32_t be32(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* a MAC address as a number: six bytes as they travel, the first one lowest */
static inline uint64_t mac_load(const uint8_t mac[6])
{
	return load32(mac) | (uint64_t)load16(mac + 4) << 32;
}

/* mac_is_group() - broadcast or multicast [IEEE 802 8.2.2] */
static inline int mac_is_group(uint64_t mac)
{
	return mac & 1;
}
