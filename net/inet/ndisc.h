/* SPDX-License-Identifier: MIT */
/*
 * ndisc.h - IPv6's neighbour discovery [RFC 4861]: who has an address, and that Weir has one
 *
 * Solicitations and advertisements of neighbours. Routers are not looked for, and whether a new
 * address is free is not asked: routes and addresses are the operator's.
 */
#pragma once

#include "inet.h"

/* ndisc_rcv() - an ICMPv6 message of @type 133 to 137, its checksum right. Takes rx->p. */
void ndisc_rcv(struct inet_rx *rx, unsigned type);

/*
 * ndisc_solicit() - ask for @target on the link of @port: its group, or the station
 * itself if @mac is not NULL.
 */
void ndisc_solicit(struct port *port, const struct inet_addr *target, const uint8_t *mac);
