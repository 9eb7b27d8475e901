/* SPDX-License-Identifier: MIT */
/* ip_addr.c - `ip addr`: Weir's own addresses, as iproute2 shows and sets them. Control context. */
#include "ip_words.h"

#include "net/ovs/vswitch.h"

#include <errno.h>
#include <string.h>

static const char *scope_of(const struct inet_addr *a)
{
	return inet_is_link_local(a) ? "link" : "global";
}

/* is_secondary() - does an earlier one of the port lie in the same network? */
static bool is_secondary(const struct inet_ifaddr *a)
{
	for (const struct inet_ifaddr *o = inet_addrs; o < a; o++)
		if (o->port == a->port && o->len == a->len &&
		    inet_in_prefix(&o->addr, &a->addr, a->len))
			return inet_is_v4(&a->addr);
	return false;
}

static void print_addr(struct shell *sh, const struct inet_ifaddr *a)
{
	bool v4 = inet_is_v4(&a->addr);
	char text[PREFIX_STR];

	ip_prefix_str(&a->addr, a->len, false, text);
	shell_printf(sh, "    inet%s %s scope %s %s%s\n", v4 ? "" : "6", text, scope_of(&a->addr),
		     is_secondary(a) ? "secondary " : "", v4 ? a->port->name : "");
	shell_printf(sh, "       valid_lft forever preferred_lft forever\n");
}

static bool has_any(const struct port *p, bool v4)
{
	inet_for_each(a)
	{
		if (a->port == p && inet_is_v4(&a->addr) == v4)
			return true;
	}
	return false;
}

static void print_port(struct shell *sh, const struct port *p, const struct ip_options *o)
{
	if (o->family != IP_BOTH && !has_any(p, o->family == IP_V4))
		return;
	ip_port_head(sh, p, false, o->family);
	for (int family = IP_V4; family <= IP_V6; family++) {
		inet_for_each(a)
		{
			if (a->port == p && inet_is_v4(&a->addr) == (family == IP_V4) &&
			    ip_shown(o, &a->addr))
				print_addr(sh, a);
		}
	}
}

static int addr_show(struct shell *sh, int i, const struct ip_options *o)
{
	struct port *match[PORT_MAX];
	int n = ip_read_devs(sh, i, match);

	for (int k = 0; k < n; k++)
		print_port(sh, match[k], o);
	return n < 0 ? n : 0;
}

/* no station can have it */
static bool is_unfit(const struct inet_addr *a)
{
	return inet_is_any(a) || inet_is_multicast(a) ||
	       (inet_is_v4(a) && (a->b[12] == 0 || a->b[12] == 127 || a->b[12] >= 224));
}

static int addr_add(struct shell *sh, int i, struct port *port, const struct inet_addr *a,
		    unsigned len)
{
	int err;

	if (is_unfit(a))
		return shell_expected(sh, i, "the address of one station");
	if (port->sw && !port->internal)
		return shell_error(sh, i, -EBUSY, "%s is in switch %s: its port %s takes addresses",
				   port->name, port->sw->name, port->sw->name);
	err = inet_add(port, a, len);
	if (err == -EEXIST)
		return shell_error(sh, i, err, "%s has that address already", port->name);
	return err ? shell_error(sh, i, err, "no more than %u addresses", INET_ADDRS_MAX) : 0;
}

static int addr_del(struct shell *sh, int i, struct port *port, const struct inet_addr *a,
		    unsigned len)
{
	int err = inet_del(port, a, len);

	return err ? shell_error(sh, i, err, "%s has no such address", port->name) : 0;
}

/* ADDRESS/LENGTH dev PORT, from word @i on */
static int addr_change(struct shell *sh, int i, const struct ip_options *o, bool add)
{
	struct inet_addr a;
	struct port *port;
	unsigned len;
	int err = ip_read_prefix(sh, i, o, false, &a, &len);

	if (err)
		return err;
	err = ip_read_its_dev(sh, i + 1, &port);
	if (err)
		return err;
	return add ? addr_add(sh, i, port, &a, len) : addr_del(sh, i, port, &a, len);
}

int ip_addr(struct shell *sh, int i, const struct ip_options *o)
{
	if (word_is(sh->nwords, sh->word, i, "add") || word_is(sh->nwords, sh->word, i, "del"))
		return addr_change(sh, i + 1, o, sh->word[i].s[0] == 'a');
	if (word_is(sh->nwords, sh->word, i, "show"))
		i++;
	return addr_show(sh, i, o);
}

static void print_config(struct shell *sh)
{
	char text[PREFIX_STR];

	inet_for_each(a)
	{
		if (a->automatic)
			continue;
		ip_prefix_str(&a->addr, a->len, false, text);
		shell_printf(sh, "ip addr add %s dev %s\n", text, a->port->name);
	}
}

CONFIG_SOURCE(config_addrs, .order = 42, .print = print_config);
