/* SPDX-License-Identifier: MIT */
/*
 * route.c - the routes
 *
 * route_lookup() runs on any core, the rest in the control context with the cores parked. Owns the
 * table. A router with a full view of the Internet wants a trie (Linux: fib_trie); a host between a
 * few networks has a handful of prefixes, and walking them in order is quicker and plainer.
 */
#include "route.h"

#include "kernel/park.h"

#include <errno.h>

const char *const route_type_name[ROUTE_TYPES] = { "unicast", "unreachable", "blackhole" };

struct route routes[ROUTES_MAX];
unsigned nroutes;

static bool is_usable(const struct route *r, const struct port *port)
{
	if (r->type != ROUTE_UNICAST)
		return !port;
	return r->port->up && (!port || r->port == port);
}

const struct route *route_lookup(const struct inet_addr *dst, const struct port *port)
{
	bool v6 = !inet_is_v4(dst);

	route_for_each(r)
	{
		if (r->v6 == v6 && inet_in_prefix(dst, &r->dst, r->len) && is_usable(r, port))
			return r;
	}
	return NULL;
}

const struct inet_addr *route_source(const struct route *r, const struct inet_addr *dst)
{
	if (!inet_is_any(&r->src))
		return &r->src;
	return inet_source(r->port, r->v6 ? dst : route_next(r, dst));
}

struct inet_addr route_prefix(const struct inet_addr *a, unsigned len)
{
	struct inet_addr p = { 0 };

	memcpy(p.b, a->b, len / 8);
	if (len % 8)
		p.b[len / 8] = a->b[len / 8] & (0xff00 >> len % 8);
	return p;
}

static bool same_prefix(const struct route *a, const struct route *b)
{
	return a->v6 == b->v6 && a->len == b->len && inet_equal(&a->dst, &b->dst);
}

/* Does @a stand in front of @b? */
static bool is_before(const struct route *a, const struct route *b)
{
	return a->len != b->len ? a->len > b->len : a->metric < b->metric;
}

static int insert(const struct route *r)
{
	struct route *at = routes;

	if (nroutes == ROUTES_MAX)
		return -ENOSPC;
	while (at < routes + nroutes && !is_before(r, at))
		at++;
	memmove(at + 1, at, (char *)(routes + nroutes) - (char *)at);
	*at = *r;
	at->dst = route_prefix(&r->dst, r->len);
	nroutes++;
	return 0;
}

static void take_out(struct route *r)
{
	nroutes--;
	memmove(r, r + 1, (char *)(routes + nroutes) - (char *)r);
}

int route_add(const struct route *r)
{
	struct route want = *r;
	int err = 0;

	want.dst = route_prefix(&r->dst, r->len);
	route_for_each(o)
	{
		if (same_prefix(o, &want) && o->metric == want.metric)
			return -EEXIST;
	}
	cores_park();
	err = insert(&want);
	cores_resume();
	return err;
}

static bool is_meant(const struct route *o, const struct route *r)
{
	return same_prefix(o, r) && (!r->port || o->port == r->port) &&
	       (inet_is_any(&r->via) || inet_equal(&o->via, &r->via)) &&
	       (!r->metric || o->metric == r->metric);
}

int route_del(const struct route *r)
{
	struct route want = *r;

	want.dst = route_prefix(&r->dst, r->len);
	route_for_each(o)
	{
		if (!is_meant(o, &want))
			continue;
		cores_park();
		take_out(o);
		cores_resume();
		return 0;
	}
	return -ESRCH;
}

void route_connected(struct port *port, const struct inet_addr *a, unsigned len, bool comes)
{
	bool v6 = !inet_is_v4(a);
	struct route want = {
		.dst = route_prefix(a, len), .len = len, .v6 = v6, .connected = true
	};

	if (!v6 && len == 128)
		return; /* a network of one station has no link to be on */
	want.port = port;
	want.metric = v6 ? 256 : 0; /* as Linux has it */
	want.src = v6 ? inet_any : *a;
	if (comes) {
		insert(&want); /* without room for it the address has no route, and `ip route` shows
				  that */
		return;
	}
	route_for_each(r)
	{
		if (r->connected && r->port == port && same_prefix(r, &want) &&
		    (v6 || inet_equal(&r->src, a))) {
			take_out(r);
			return;
		}
	}
}

void route_source_gone(const struct inet_addr *a)
{
	struct route *r = routes;

	while (r < routes + nroutes) {
		if (inet_equal(&r->src, a))
			take_out(r);
		else
			r++;
	}
}

void route_port_gone(const struct port *port)
{
	struct route *r = routes;

	while (r < routes + nroutes) {
		if (r->port == port)
			take_out(r);
		else
			r++;
	}
}
