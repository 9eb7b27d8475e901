/* SPDX-License-Identifier: MIT */
/*
 * maddr.c - see maddr.h. Control context; what a device is told it is told with the cores
 * parked. Owns port->groups.
 */
#include "maddr.h"

#include "inet.h"
#include "ipv6.h"
#include "neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct maddr *find(struct maddrs *m, const uint8_t *mac)
{
	for (unsigned i = 0; m && i < m->n; i++)
		if (!memcmp(m->entry[i].mac, mac, ETH_ALEN))
			return &m->entry[i];
	return NULL;
}

/* entry_of() - of @mac, a new one if there is none; NULL: no memory. */
static struct maddr *entry_of(struct port *port, const uint8_t *mac)
{
	struct maddr *e = find(port->groups, mac);

	if (e)
		return e;
	if (!port->groups)
		port->groups = calloc(1, sizeof(*port->groups));
	if (!port->groups)
		return NULL;
	e = &port->groups->entry[port->groups->n++];
	*e = (struct maddr){ .users = 0 };
	memcpy(e->mac, mac, ETH_ALEN);
	return e;
}

/* forget_unused() - nobody needs them any more. */
static void forget_unused(struct maddrs *m)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->n; i++)
		if (m->entry[i].fixed || m->entry[i].users)
			m->entry[kept++] = m->entry[i];
	m->n = kept;
}

/* --- what Weir's own addresses need --- */

/* join() - one more address needs group @a; false: no memory. */
static bool join(struct port *port, const struct inet_addr *a)
{
	uint64_t group = neigh_group_mac(a);
	uint8_t mac[ETH_ALEN];
	struct maddr *e;

	memcpy(mac, &group, ETH_ALEN); /* as mac_load() had it */
	e = entry_of(port, mac);
	if (e)
		e->users++;
	return e;
}

/*
 * all routers' too, though only with forwarding: a knob turns without a word, and
 * a filter may let more in
 */
static bool join_for(const struct inet_ifaddr *i)
{
	static const struct inet_addr hosts = { .b = { [10] = 0xff, 0xff, 224, [15] = 1 } };
	static const struct inet_addr nodes = { .b = { 0xff, 2, [15] = 1 } };
	static const struct inet_addr routers = { .b = { 0xff, 2, [15] = 2 } };
	struct inet_addr solicited = ipv6_solicited_node(&i->addr);

	if (inet_is_v4(&i->addr))
		return join(i->port, &hosts);
	return join(i->port, &nodes) && join(i->port, &routers) && join(i->port, &solicited);
}

/*
 * follow() - the device is told what port->groups and Weir's addresses come
 * to. 0 or a negative errno.
 */
static int follow(struct port *port)
{
	bool missing = false; /* one that there was no memory for */

	for (unsigned i = 0; port->groups && i < port->groups->n; i++)
		port->groups->entry[i].users = 0;
	if (port->groups)
		forget_unused(port->groups);
	inet_for_each(i)
	{
		if (i->port == port && !join_for(i))
			missing = true;
	}
	port->groups_overflow = missing || (port->groups && port->groups->n > NETDEV_GROUPS);
	return port_set_groups(port);
}

void maddr_follow(struct port *port)
{
	follow(port);
}

/* --- the operator's --- */

static unsigned fixed(const struct maddrs *m)
{
	unsigned n = 0;

	for (unsigned i = 0; m && i < m->n; i++)
		n += m->entry[i].fixed;
	return n;
}

int maddr_add(struct port *port, const uint8_t mac[ETH_ALEN])
{
	struct maddr *e = find(port->groups, mac);

	if (e && e->fixed)
		return -EEXIST;
	if (fixed(port->groups) == MADDRS_FIXED)
		return -ENOSPC;
	e = entry_of(port, mac);
	if (!e)
		return -ENOMEM;
	e->fixed = true;
	return follow(port);
}

int maddr_del(struct port *port, const uint8_t mac[ETH_ALEN])
{
	struct maddr *e = find(port->groups, mac);

	if (!e || !e->fixed)
		return -ENOENT;
	e->fixed = false;
	return follow(port);
}
