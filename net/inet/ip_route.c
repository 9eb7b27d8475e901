/* SPDX-License-Identifier: MIT */
/* ip_route.c - `ip route`: as iproute2 shows, sets and explains routes. Control context. */
#include "ip_words.h"

#include "ip_output.h"
#include "route.h"

#include <errno.h>
#include <string.h>

/* the part of a route that says where it leads; the same words add it again */
static void print_way(struct shell *sh, const struct route *r)
{
	char text[IP_STR];

	if (r->type != ROUTE_UNICAST)
		return;
	if (!inet_is_any(&r->via)) {
		inet_str(&r->via, text);
		shell_printf(sh, "via %s ", text);
	}
	shell_printf(sh, "dev %s ", r->port->name);
}

static void print_src(struct shell *sh, const struct inet_addr *src)
{
	char text[IP_STR];

	if (inet_is_any(src))
		return;
	inet_str(src, text);
	shell_printf(sh, "src %s ", text);
}

static void print_source(struct shell *sh, const struct route *r)
{
	print_src(sh, &r->src);
	if (r->metric)
		shell_printf(sh, "metric %u ", r->metric);
}

static void print_dst(struct shell *sh, const struct route *r)
{
	char text[PREFIX_STR];

	if (r->type != ROUTE_UNICAST)
		shell_printf(sh, "%s ", route_type_name[r->type]);
	ip_prefix_str(&r->dst, r->len, true, text);
	shell_printf(sh, "%s ", r->len == (r->v6 ? 0 : INET_V4_BITS) ? "default" : text);
}

static void print_route(struct shell *sh, const struct route *r)
{
	print_dst(sh, r);
	print_way(sh, r);
	if (r->v6 && r->type != ROUTE_UNICAST)
		shell_printf(sh, "dev lo ");
	if (r->connected)
		shell_printf(sh, "proto kernel ");
	if (r->connected && !r->v6)
		shell_printf(sh, "scope link ");
	print_source(sh, r);
	if (r->type == ROUTE_UNICAST && !r->port->ready)
		shell_printf(sh, r->port->up ? "linkdown " : "dead ");
	shell_printf(sh, "%s\n", r->v6 ? "pref medium" : "");
}

/*
 * is_shown_before() - as Linux walks its tries: IPv4 by address, of equal ones the longer prefix;
 * of IPv6 what a prefix holds before it.
 */
static bool is_shown_before(const struct route *a, const struct route *b)
{
	unsigned shorter = MIN(a->len, b->len);

	if (a->v6 ? inet_in_prefix(&a->dst, &b->dst, shorter) : inet_equal(&a->dst, &b->dst))
		return a->len != b->len ? a->len > b->len : a->metric < b->metric;
	return memcmp(a->dst.b, b->dst.b, sizeof(a->dst.b)) < 0;
}

/*
 * is_again() - it came with a further address of the same network: to Linux a
 * secondary one, which brings none.
 */
static bool is_again(const struct route *r)
{
	for (const struct route *o = routes; r->connected && o < r; o++)
		if (o->connected && o->port == r->port && o->v6 == r->v6 && o->len == r->len &&
		    inet_equal(&o->dst, &r->dst))
			return true;
	return false;
}

static int route_show(struct shell *sh, int i, const struct ip_options *o)
{
	const struct route *list[ROUTES_MAX];
	unsigned n = 0;

	if (i < sh->nwords)
		return shell_expected(sh, i,
				      word_is(sh->nwords, sh->word, i - 1, "show")
					      ? "the end of the line"
					      : "show, add, del, get or the end of the line");
	route_for_each(r)
	{
		unsigned at = n;

		if (r->v6 != (o->family == IP_V6) || is_again(r))
			continue;
		for (; at && is_shown_before(r, list[at - 1]); at--)
			list[at] = list[at - 1];
		list[at] = r;
		n++;
	}
	for (unsigned k = 0; k < n; k++)
		print_route(sh, list[k]);
	return 0;
}

/* one word and its value in `ip route add` */
static int read_option(struct shell *sh, int i, struct route *r)
{
	unsigned long metric;
	int err;

	if (word_is(sh->nwords, sh->word, i, "via"))
		return ip_read_addr(sh, i + 1, &r->via);
	if (word_is(sh->nwords, sh->word, i, "dev"))
		return ip_read_dev(sh, i + 1, &r->port);
	if (word_is(sh->nwords, sh->word, i, "src"))
		return ip_read_addr(sh, i + 1, &r->src);
	if (!word_is(sh->nwords, sh->word, i, "metric"))
		return shell_expected(sh, i, "via, dev, src, metric or the end of the line");
	err = shell_uint(sh, i + 1, 0, UINT32_MAX, &metric);
	r->metric = metric;
	return err;
}

/*
 * [unreachable|blackhole] PREFIX [via A] [dev P] [src A] [metric N]; *@at: the word of the prefix
 */
static int read_route(struct shell *sh, int i, const struct ip_options *o, struct route *r, int *at)
{
	struct inet_addr prefix;
	unsigned len;
	int err;

	*r = (struct route){ 0 };
	for (unsigned type = 1; type < ROUTE_TYPES; type++)
		if (word_is(sh->nwords, sh->word, i, route_type_name[type]))
			r->type = type;
	*at = i + (r->type != ROUTE_UNICAST);
	err = ip_read_prefix(sh, *at, o, true, &r->dst, &len);
	r->len = len;
	for (i = *at + 1; !err && i < sh->nwords; i += 2)
		err = read_option(sh, i, r);
	if (err)
		return err;
	r->v6 = !inet_is_v4(&r->dst);
	prefix = route_prefix(&r->dst, r->len);
	if (!r->v6 && !inet_equal(&prefix, &r->dst)) /* as in Linux, where one of IPv6 is cut off */
		return shell_error(sh, *at, -EINVAL, "the address goes on behind its prefix");
	return 0;
}

/* By which port the gateway is reached, where nobody said. NULL: it is not on any link of ours. */
static struct port *port_of_gateway(const struct route *r)
{
	const struct route *to = route_lookup(&r->via, r->port);

	return to && to->type == ROUTE_UNICAST && inet_is_any(&to->via) ? to->port : NULL;
}

static int check_way(struct shell *sh, int at, struct route *r)
{
	bool gateway = !inet_is_any(&r->via);

	if (r->type != ROUTE_UNICAST)
		return gateway || r->port ? shell_error(sh, at, -EINVAL, "%s leads nowhere",
							route_type_name[r->type])
					  : 0;
	if (gateway && inet_is_v4(&r->via) == r->v6)
		return shell_error(sh, at, -EINVAL, "gateway and prefix are of different families");
	if (gateway && !(r->port = port_of_gateway(r)))
		return shell_error(sh, at, -ENETUNREACH, "the gateway is on no link of Weir's");
	if (!r->port)
		return shell_expected(sh, sh->nwords, "via ADDRESS or dev PORT");
	if (!inet_is_any(&r->src) && !inet_local(&r->src, NULL))
		return shell_error(sh, at, -EINVAL, "the source is no address of Weir's");
	return 0;
}

static int add(struct shell *sh, int i, const struct ip_options *o)
{
	struct route r;
	int at, err = read_route(sh, i, o, &r, &at);

	if (!err)
		err = check_way(sh, at, &r);
	if (err)
		return err;
	if (r.v6 && !r.metric)
		r.metric = 1024; /* as Linux has it */
	err = route_add(&r);
	if (err == -EEXIST)
		return shell_error(sh, at, err, "there is such a route already");
	return err ? shell_error(sh, at, err, "no more than %u routes", ROUTES_MAX) : 0;
}

static int del(struct shell *sh, int i, const struct ip_options *o)
{
	struct route r;
	int at, err = read_route(sh, i, o, &r, &at);

	if (err)
		return err;
	err = route_del(&r);
	return err ? shell_error(sh, at, err, "there is no such route") : 0;
}

/* print_got() - the way to @dst, @text in words, over @r: a line, and of IPv4 another one. */
static void print_got(struct shell *sh, const struct route *r, const struct inet_addr *dst,
		      const char *text)
{
	const struct inet_addr *src = route_source(r, dst);
	bool all = inet_is_broadcast(dst, r->port);

	shell_printf(sh, "%s%s %s", all ? "broadcast " : "", text, r->v6 ? "from :: " : "");
	print_way(sh, r);
	if (r->v6 && r->connected)
		shell_printf(sh, "proto kernel ");
	if (src)
		print_src(sh, src);
	if (r->v6)
		shell_printf(sh, "metric %u pref medium\n", r->metric);
	else
		shell_printf(sh, "uid 0 \n    cache %s\n", all ? "<local,brd> " : "");
}

static int get(struct shell *sh, int i)
{
	struct inet_tx tx = { 0 };
	const struct inet_ifaddr *own;
	const struct route *r;
	char text[IP_STR];
	int err = ip_read_addr(sh, i, &tx.dst);

	if (err)
		return err;
	if (i + 1 < sh->nwords)
		return shell_expected(sh, i + 1, "the end of the line");
	inet_str(&tx.dst, text);
	own = inet_local(&tx.dst, NULL);
	if (own) {
		shell_printf(sh,
			     inet_is_v4(&tx.dst)
				     ? "local %s dev lo src %s uid 0 \n    cache <local> \n"
				     : "local %s from :: dev lo table local proto kernel src %s "
				       "metric 0 pref medium\n",
			     text, text);
		return 0;
	}
	r = inet_route(&tx);
	if (!r || r->type == ROUTE_UNREACHABLE)
		return shell_error(sh, i, -ENETUNREACH, "%s is unreachable", text);
	if (r->type == ROUTE_BLACKHOLE)
		return shell_error(sh, i, -EINVAL, "%s leads into a black hole", text);
	print_got(sh, r, &tx.dst, text);
	return 0;
}

int ip_route(struct shell *sh, int i, const struct ip_options *o)
{
	if (word_is(sh->nwords, sh->word, i, "add"))
		return add(sh, i + 1, o);
	if (word_is(sh->nwords, sh->word, i, "del"))
		return del(sh, i + 1, o);
	if (word_is(sh->nwords, sh->word, i, "get"))
		return get(sh, i + 1);
	if (word_is(sh->nwords, sh->word, i, "show"))
		i++;
	return route_show(sh, i, o);
}

static void print_config(struct shell *sh)
{
	route_for_each(r)
	{
		if (r->connected)
			continue;
		shell_printf(sh, "ip %sroute add ", r->v6 ? "-6 " : "");
		print_dst(sh, r);
		print_way(sh, r);
		print_source(sh, r);
		shell_printf(sh, "\n");
	}
}

CONFIG_SOURCE(config_routes, .order = 43, .print = print_config);
