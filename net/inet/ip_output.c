/* SPDX-License-Identifier: MIT */
/*
 * ip_output.c - packets on their way down
 *
 * On the core that has the packet, or sends one of its own. Owns nothing. ip_output() is where what
 * Weir sends and what it passes on come together, as in Linux; fragments are made in frag_out.c.
 */
#include "ip_output.h"

#include "net/bytes.h"
#include "frag_out.h"
#include "ip_segment.h"
#include "ipv4.h"
#include "ipv6.h"
#include "local.h"
#include "neigh.h"
#include "snmp.h"

const struct route *inet_route(const struct inet_tx *tx)
{
	return route_lookup(&tx->dst, inet_is_link_local(&tx->dst) ? tx->port : NULL);
}

bool ip_fits(const struct pkt *p, const struct port *port)
{
	return p->frame_len <= port->mtu || (p->flags & PKT_GSO && ip_segment_len(p) <= port->mtu);
}

/*
 * A frame of a wire is a chain of a few buffers, and reassembly makes
 * longer ones. NULL: no buffers.
 */
static struct pkt *compact(struct pkt *p)
{
	struct pkt *copy;

	if (likely(p->nsegs <= PKT_MAX_SEGS) || p->flags & PKT_GSO) /* which is not cut yet */
		return p;
	copy = bytes_copy(p, 0, p->frame_len);
	if (copy)
		pkt_free(p);
	return copy;
}

static void no_buffer(struct pkt *p, struct port *port)
{
	local_send_drop(port, p, DROP_LOCAL_NO_BUFFER);
}

/*
 * Its segments do not fit either: each goes in fragments of its own [Linux:
 * ip_finish_output_gso()].
 */
static void output_segments(struct pkt *p, struct port *port, const struct inet_addr *next)
{
	struct gso g;

	ip_segment_begin(&g, p);
	while ((p = ip_segment_next(&g)))
		ip_output(p, port, next);
	if (g.rest)
		no_buffer(g.rest, port);
}

void ip_output(struct pkt *p, struct port *port, const struct inet_addr *next)
{
	struct pkt *out;

	if (!ip_fits(p, port)) {
		(p->flags & PKT_GSO ? output_segments : ip_fragment)(p, port, next);
		return;
	}
	out = compact(p);
	if (out)
		neigh_output(port, next, out);
	else
		no_buffer(p, port);
}

/* To ourselves: no link, no neighbour; whoever sent it gets the answer before this returns. */
static void loop_back(struct pkt *p, const struct inet_tx *tx, struct port *port)
{
	struct inet_rx rx = {
		.port = port,
		.p = p,
		.src = tx->src,
		.dst = tx->dst,
		.proto = tx->proto,
		.ttl = 64,
		.v6 = !inet_is_v4(&tx->dst),
		.to_us = true,
	};

	rx.l4 = rx.v6 ? IPV6_HLEN : IPV4_HLEN;
	inet_deliver(&rx);
}

static void push(struct pkt *p, const struct inet_tx *tx)
{
	if (inet_is_v4(&tx->dst))
		ipv4_push(p, tx);
	else
		ipv6_push(p, tx);
}

/*
 * Where @tx leaves, and who is next on that link; false: there is no way. A group is on
 * the link that was named.
 */
static bool find_way(const struct inet_tx *tx, struct port **port, const struct inet_addr **next)
{
	const struct route *r;

	*port = tx->port;
	*next = &tx->dst;
	if (inet_is_multicast(&tx->dst))
		return true;
	r = inet_route(tx);
	if (!r || r->type != ROUTE_UNICAST)
		return false;
	*port = r->port;
	*next = route_next(r, &tx->dst);
	return true;
}

void inet_send(struct pkt *p, const struct inet_tx *tx)
{
	const struct inet_ifaddr *own = inet_local(&tx->dst, tx->port);
	bool v6 = !inet_is_v4(&tx->dst);
	const struct inet_addr *next;
	struct port *port;

	p->flags &= PKT_CHAIN;
	snmp_ip(v6, IP_OutRequests);
	if (own) {
		push(p, tx);
		loop_back(p, tx, own->port);
	} else if (find_way(tx, &port, &next)) {
		push(p, tx);
		ip_output(p, port, next);
	} else {
		snmp_ip(v6, IP_OutNoRoutes);
		local_send_drop(tx->port, p, DROP_IP_UNROUTED);
	}
}
