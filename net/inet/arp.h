/* SPDX-License-Identifier: MIT */
/* arp.h - the MAC address behind an IPv4 address [RFC 826] */
#pragma once

#include "inet.h"

/* arp_rcv() - @p, from its Ethernet header on, came in by @port. */
void arp_rcv(struct port *port, struct pkt *p);

/*
 * arp_solicit() - ask for @target on the link of @port: all stations, or the one at
 * @mac if that is not NULL.
 */
void arp_solicit(struct port *port, const struct inet_addr *target, const uint8_t *mac);
