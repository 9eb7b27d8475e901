/* SPDX-License-Identifier: MIT */
/*
 * drop_knob.c - see drop_knob.h. Control context. Who adds a knob with an N that is no
 * sysctl's adds where N is read
 */
#include "drop_knob.h"

#include "drivers/netdev.h"
#include "net/ovs/vswitch.h"
#include "net/sched/tc_qdisc.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_STR = 16 };

/* --- N --- */

static unsigned mtu_of(const struct port *port)
{
	return port->mtu;
}

static unsigned rx_ring_of(const struct port *port)
{
	return ((const struct netdev *)port->priv)->rx_ring_size;
}

static unsigned tx_ring_of(const struct port *port)
{
	return ((const struct netdev *)port->priv)->tx_ring_size;
}

/* what stands before N, and where its value is */
static const struct {
	const char *before;
	bool of_a_nic;
	unsigned (*value)(const struct port *port);
} values[] = {
	{ "ip link set DEV mtu ", false, mtu_of },
	{ "ethtool -G DEV rx ", true, rx_ring_of },
	{ "ethtool -G DEV tx ", true, tx_ring_of },
};

static bool sysctl_value(const char *knob, unsigned *v)
{
	static const char verb[] = "sysctl ";
	const char *name = knob + strlen(verb);
	const struct sysctl *s = NULL;

	if (!strncmp(knob, verb, strlen(verb)))
		s = sysctl_find(name, strcspn(name, "="));
	if (s)
		*v = *s->value;
	return s;
}

static bool port_value(const char *knob, size_t before, const struct port *port, unsigned *v)
{
	for (unsigned i = 0; port && i < ARRAY_SIZE(values); i++) {
		if (values[i].of_a_nic && !port->ops->rss_key)
			continue;
		if (strlen(values[i].before) == before &&
		    !strncmp(values[i].before, knob, before)) {
			*v = values[i].value(port);
			return true;
		}
	}
	return false;
}

/* --- the line --- */

/* the switch of @port, or one that it could be put into */
static const char *switch_of(const struct port *port)
{
	if (port && port->sw)
		return port->sw->name;
	switch_for_each(i)
		return switches[i]->name;
	return "BR";
}

static bool word_at(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && !strncmp(s, word, len);
}

/*
 * print_capitals() - the @len capitals at @s within @knob stand for something, or for themselves.
 */
static void print_capitals(struct shell *sh, const char *knob, const char *s, size_t len,
			   const struct port *port)
{
	unsigned v;

	if (word_at(s, len, "DEV") && port)
		shell_printf(sh, "%s", port->name);
	else if (word_at(s, len, "BR"))
		shell_printf(sh, "%s", switch_of(port));
	else if (word_at(s, len, "QDISC") && port)
		tc_qdisc_print(sh, port);
	else if (word_at(s, len, "N") &&
		 (sysctl_value(knob, &v) || port_value(knob, s - knob, port, &v)))
		shell_printf(sh, "%u", v);
	else
		shell_printf(sh, "%.*s", (int)len, s);
}

void drop_knob_print(struct shell *sh, const char *knob, const struct port *port)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool literal = *knob == '-';

	for (const char *s = knob; *s;) {
		size_t plain = literal ? strlen(s) : strcspn(s, capitals);
		size_t len = strspn(s + plain, capitals);

		shell_printf(sh, "%.*s", (int)plain, s);
		s += plain;
		if (len)
			print_capitals(sh, knob, s, len, port);
		s += len;
	}
}
