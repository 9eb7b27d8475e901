/* SPDX-License-Identifier: MIT */
/*
 * inet.h - what happens to a frame: ARP, ICMP echo, UDP to its socket; or, in the
 * bench's modes, none of it
 *
 *	netif_receive_skb ► arp_rcv
 *			  ► ip_rcv ► icmp_rcv
 *				   ► udp_rcv ► sk_data_ready
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "skb.h"

struct ethhdr {
	uint8_t dest[6], source[6];
	uint16_t proto;
} __attribute__((packed));

struct iphdr {
	uint8_t version_ihl, tos;
	uint16_t tot_len, id, frag_off;
	uint8_t ttl, protocol;
	uint16_t check;
	uint32_t saddr, daddr;
} __attribute__((packed));

struct udphdr {
	uint16_t source, dest, len, check;
} __attribute__((packed));

enum { ETH_HLEN = 14, IP_HLEN = 20, UDP_HLEN = 8, HEADERS = ETH_HLEN + IP_HLEN + UDP_HLEN };
enum { FRAME_MIN = 60 }; /* without its checksum: what is shorter is padded */

enum rx_mode {
	MODE_STACK,   /* as above */
	MODE_FORWARD, /* every frame goes out by the other of two NICs */
	MODE_ECHO_L2, /* every frame goes back, addresses swapped */
};

extern enum rx_mode rx_mode;
extern const char *const rx_mode_names[3];

extern struct inet_stats {
	uint64_t arp, icmp, udp, forwarded, echoed;
	uint64_t dropped; /* not for us, malformed, no socket */
} inet_stats;

static inline uint16_t be16(uint16_t v)
{
	return __builtin_bswap16(v);
}

static inline uint32_t be32(uint32_t v)
{
	return __builtin_bswap32(v);
}

/* netif_receive_skb() - a frame from a driver; takes it. */
void netif_receive_skb(struct skb *skb);

/*
 * neigh_lookup() - who is @ip on @dev's wire? Asks and waits if need be; false: no
 * answer. Not from a poll.
 */
bool neigh_lookup(struct net_device *dev, uint32_t ip, uint8_t mac[6]);
/* arp_send() - ask for @ip; 0: announce ourselves. */
bool arp_send(struct net_device *dev, uint32_t ip);
/*
 * udp_header() - all headers in front of a frame's payload, checksums included; the
 * payload is there already.
 */
void udp_header(struct skb *skb, struct net_device *dev, const uint8_t mac[6], uint32_t ip,
		uint16_t source, uint16_t dest);
