/* SPDX-License-Identifier: MIT */
/*
 * forward.c - a router's part of IPv4 and IPv6 [RFC 1812 5, RFC 8200]
 *
 * On the core that has the packet. Owns nothing. What is passed on was `consumed` where it came in,
 * and is `originated` where it leaves.
 */
#include "forward.h"

#include "net/csum.h"
#include "icmp_error.h"
#include "ip_output.h"
#include "ipv4.h"
#include "ipv6.h"
#include "route.h"
#include "snmp.h"

enum { IPV4_TTL = 8, IPV6_HOP_LIMIT = 7 };

static bool may_forward(const struct inet_rx *rx)
{
	bool on = rx->v6 ? ip6_forwarding : ip_forward_on;

	return on && !rx->group && !inet_is_multicast(&rx->dst) && !inet_is_any(&rx->src) &&
	       !inet_is_link_local(&rx->src) && !inet_is_link_local(&rx->dst);
}

/* One hop less; IPv4's checksum is over that too. */
static void count_hop(struct inet_rx *rx)
{
	if (rx->v6) {
		rx->p->data[IPV6_HOP_LIMIT]--;
	} else {
		rx->p->data[IPV4_TTL]--;
		csum_ipv4(rx->p->data, rx->l4);
	}
}

static bool forbids_fragments(const struct inet_rx *rx)
{
	return rx->v6 || load16(rx->p->data + 6) & be16(IPV4_DF);
}

static void no_route(struct inet_rx *rx, const struct route *r)
{
	snmp_ip(rx->v6, IP_InNoRoutes);
	if (!r || r->type == ROUTE_UNREACHABLE) /* a black hole is silent */
		icmp_error(rx, r ? ICMP_ERR_HOST : ICMP_ERR_NET, 0);
	inet_drop(rx, DROP_IP_NO_ROUTE);
}

static void too_big(struct inet_rx *rx, const struct port *port)
{
	snmp_ip(rx->v6, rx->v6 ? IP_InTooBigErrors : IP_FragFails);
	icmp_error(rx, ICMP_ERR_TOO_BIG, port->mtu);
	inet_drop(rx, DROP_IP_TOO_BIG);
}

static void too_far(struct inet_rx *rx)
{
	snmp_ip(rx->v6, IP_InHdrErrors);
	icmp_error(rx, ICMP_ERR_TTL, 0);
	inet_drop(rx, DROP_IP_TTL);
}

static void not_ours(struct inet_rx *rx)
{
	snmp_ip(rx->v6, IP_InAddrErrors);
	inet_drop(rx, DROP_IP_NOT_OURS);
}

void ip_forward(struct inet_rx *rx)
{
	const struct route *r;

	if (!may_forward(rx)) {
		not_ours(rx);
		return;
	}
	if (rx->ttl <= 1) {
		too_far(rx);
		return;
	}
	r = route_lookup(&rx->dst, NULL);
	if (!r || r->type != ROUTE_UNICAST) {
		no_route(rx, r);
		return;
	}
	/* one packet would be one for each station there [RFC 2644] */
	if (inet_is_broadcast(&rx->dst, r->port)) {
		not_ours(rx);
		return;
	}
	if (!ip_fits(rx->p, r->port) && forbids_fragments(rx)) {
		too_big(rx, r->port);
		return;
	}
	snmp_ip(rx->v6, IP_OutForwDatagrams);
	count_hop(rx);
	ip_output(rx->p, r->port, route_next(r, &rx->dst));
}
