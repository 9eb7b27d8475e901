/* SPDX-License-Identifier: MIT */
/*
 * inet_rig.h - Weir as a station behind fake ports, and packets for it
 *
 * Port N of fake_net.h, in no switch, has the MAC address of station 1 of its link, and the
 * addresses 10.0.N.1/24 and fd00:N::1/64. Packets are made from nothing, with sums by a code of the
 * rig's own, so that it can judge Weir's.
 */
#pragma once

#include "tests/unit/fake_net.h"

#include "net/inet/inet.h"

enum {
	RIG_MAC = 2
}; /* first byte of a station's MAC address: 02:00:00:00:PORT:STATION; Weir's is 02:...:PORT */

/*
 * inet_up() - @ports ports with addresses, one core. inet_down() - gives back
 * what waits, then net_down().
 */
void inet_up(unsigned ports);
void inet_down(void);

/* poll() - what internal ports have queued is seen to. */
void rig_poll(void);

/* so many seconds pass, and the clock of the room ticks in each */
void rig_seconds(unsigned n);

/* an IPv4 packet to be, and an IPv6 one; payload follows */
struct ip_spec {
	unsigned port;          /* it comes in by */
	uint8_t src[4], dst[4]; /* 0: station 9 of the port's link, and Weir's address there */
	unsigned proto, ttl;    /* 0: ICMP or ICMPv6, 64 */
	unsigned frag, id;      /* the whole field, offset in units and flags */
	unsigned options;       /* bytes of no operation in the header */
	bool bad_sum;
	bool to_all; /* Ethernet's broadcast */
};

void put_ip4(const struct ip_spec *s, const void *payload, unsigned len);
/* from fd00:PORT::9 to fd00:PORT::1, or to the group @group of fixed form if it is not NULL */
void put_ip6(unsigned port, unsigned next, unsigned hops, const uint8_t *group, const void *payload,
	     unsigned len);

/* an echo request in buf[], 8 + @n bytes; its length. v6: with the sum for put_ip6's addresses */
unsigned echo_request(uint8_t *buf, unsigned id, unsigned seq, unsigned n);
unsigned echo_request6(uint8_t *buf, unsigned port, unsigned n);
unsigned udp_datagram(uint8_t *buf, unsigned sport, unsigned dport, unsigned n);
/* sum16() - the Internet's checksum of @n bytes, the plain way */
unsigned sum16(const uint8_t *b, unsigned n, unsigned start);
unsigned sum16_v6(unsigned port, unsigned next, const uint8_t *b, unsigned n);

/*
 * station @host of the link of @port says that it has 10.0.PORT.host: an ARP
 * answer, or a question for Weir
 */
void put_arp(unsigned port, unsigned host, unsigned op, unsigned target);
/* it is known from now on: put_arp() of a question, and Weir's answer is taken off */
void meet(unsigned port, unsigned host);

/*
 * last_sent() - bytes of the packet that @port sent last but @back, in one piece;
 * *len. NULL: it sent fewer.
 */
const uint8_t *last_sent(unsigned port, unsigned back, unsigned *len);
