/* SPDX-License-Identifier: MIT */
/*
 * ip_output.h - packets on their way down: header, route, fragments where they must be, neighbour
 */
#pragma once

#include "inet.h"
#include "route.h"

/* what goes into the header, and which way */
struct inet_tx {
	struct inet_addr src, dst;
	struct port *port; /* the link of a link-local @dst; and who counts it if there is no way */
	uint8_t proto;
	uint8_t ttl; /* 0: the default */
	uint8_t tos; /* or traffic class */
	bool df;     /* IPv4: no fragments */
};

/*
 * inet_route() - as route_lookup() for @tx->dst, which is no group: by @tx->port
 * alone if it is link-local.
 */
const struct route *inet_route(const struct inet_tx *tx);

/*
 * inet_send() - @p, from its protocol's header on and complete, to @tx->dst. To an address of
 * Weir's own it comes back up at once.
 */
void inet_send(struct pkt *p, const struct inet_tx *tx);

/*
 * ip_output() - @p, from its IP header on, to @next on the link of @port; in fragments if it is too
 * long, segment by segment.
 */
void ip_output(struct pkt *p, struct port *port, const struct inet_addr *next);

/*
 * ip_fits() - may @p, from its IP header on, leave by @port as it is, or as the segments
 * that it is to be cut into?
 */
bool ip_fits(const struct pkt *p, const struct port *port);
