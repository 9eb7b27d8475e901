/* SPDX-License-Identifier: MIT */
/*
 * route.h - which way an address lies: the longest prefix that matches
 *
 * One table, in the order of the search: longer prefixes first, of equal ones the smaller
 * metric. A route whose port is down is as if it were not there. Changes in the control
 * context with the cores parked.
 */
#pragma once

#include "inet.h"

enum { ROUTES_MAX = 256 };

enum route_type { ROUTE_UNICAST, ROUTE_UNREACHABLE, ROUTE_BLACKHOLE, ROUTE_TYPES };

extern const char *const route_type_name[ROUTE_TYPES];

struct route {
	struct inet_addr dst;
	uint8_t len; /* of the prefix, of 128 bits: INET_V4_BITS more than is written for IPv4 */
	bool v6;
	bool connected; /* goes with an address of the port's */
	uint8_t type;   /* enum route_type */
	uint32_t metric;
	struct port *port;    /* ROUTE_UNICAST */
	struct inet_addr via; /* inet_any: @dst is on the link */
	struct inet_addr src; /* inet_any: whichever the port has */
};

extern struct route routes[ROUTES_MAX];
extern unsigned nroutes;

#define route_for_each(r) for (struct route *r = routes; r < routes + nroutes; r++)

/*
 * route_lookup() - the route to @dst; NULL if there is none. @port: the only one to leave by, for
 * link-local addresses and groups; NULL: any. Any core, good until its loop turns.
 */
const struct route *route_lookup(const struct inet_addr *dst, const struct port *port);

/* route_next() - who takes packets for @dst over @r: the gateway, or @dst itself. */
static inline const struct inet_addr *route_next(const struct route *r, const struct inet_addr *dst)
{
	return inet_is_any(&r->via) ? dst : &r->via;
}

/* route_prefix() - @a with nothing behind its first @len bits of 128. */
struct inet_addr route_prefix(const struct inet_addr *a, unsigned len);
/*
 * route_source() - the address to send to @dst with over @r: the route's own, else one of
 * its port's; IPv4's choice goes by who is next, IPv6's by the destination, as in Linux.
 * NULL: the port has none.
 */
const struct inet_addr *route_source(const struct route *r, const struct inet_addr *dst);

/*
 * route_add() - 0, -EEXIST (same prefix and metric) or -ENOSPC. Control context; parks the cores.
 */
int route_add(const struct route *r);
/*
 * route_del() - the first that has the prefix of @r and, where @r says them, port, gateway
 * and metric. 0 or -ESRCH.
 */
int route_del(const struct route *r);
/*
 * route_connected() - an address of @port with a prefix of @len bits comes, or goes. Cores parked.
 */
void route_connected(struct port *port, const struct inet_addr *a, unsigned len, bool comes);
/* route_source_gone() - forget what speaks by @a, which is Weir's no more. Cores parked. */
void route_source_gone(const struct inet_addr *a);
/* route_port_gone() - forget what leads over @port. Cores parked. */
void route_port_gone(const struct port *port);
