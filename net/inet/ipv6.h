/* SPDX-License-Identifier: MIT */
/* ipv6.h - IPv6 [RFC 8200]: what comes in, and the header of what goes out */
#pragma once

#include "inet.h"

extern unsigned ip6_forwarding; /* sysctl net.ipv6.conf.all.forwarding */

/* ipv6_rcv() - @p, from its Ethernet header on, came in by @port. */
void ipv6_rcv(struct port *port, struct pkt *p);

struct inet_tx;

/* ipv6_push() - put the header in front of @p. */
void ipv6_push(struct pkt *p, const struct inet_tx *tx);

/*
 * ipv6_solicited_node() - the group in which the station with address @a can be
 * asked for [RFC 4291 2.7.1].
 */
struct inet_addr ipv6_solicited_node(const struct inet_addr *a);
