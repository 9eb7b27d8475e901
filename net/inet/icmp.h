/* SPDX-License-Identifier: MIT */
/* icmp.h - ICMP and ICMPv6 messages that come in [RFC 792, RFC 4443] */
#pragma once

#include "inet.h"

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAM_PROBLEM = 12,

	ICMP6_DEST_UNREACH = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAM_PROBLEM = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGH_SOLICIT = 135,
	ICMP6_NEIGH_ADVERT = 136,
};

/* icmp_rcv() - of either family; for inet_protos. */
void icmp_rcv(struct inet_rx *rx);

/*
 * icmp_send() - @p, from its ICMP header on but for the checksum, to @dst from @src, by
 * @port where that matters.
 */
struct inet_tx;
void icmp_send(struct pkt *p, const struct inet_tx *tx);
