/* SPDX-License-Identifier: MIT */
/* ipv4.h - IPv4 [RFC 791]: what comes in, and the header of what goes out */
#pragma once

#include "inet.h"

extern unsigned ip_forward_on, ip_default_ttl; /* sysctl net.ipv4.ip_forward, ip_default_ttl */

/* ipv4_rcv() - @p, from its Ethernet header on, came in by @port. */
void ipv4_rcv(struct port *port, struct pkt *p);

struct inet_tx;

/* ipv4_push() - put the header in front of @p, no fragment and without options. */
void ipv4_push(struct pkt *p, const struct inet_tx *tx);
