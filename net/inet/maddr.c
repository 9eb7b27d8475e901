/* SPDX-License-Identifier: MIT */
/* maddr.c - see maddr.h. Control context; what a device is told it is told with the cores parked. Owns port->groups. */
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

/* entry_of() - of @mac, a new one if there is none; NULL: @err says why. */
static struct maddr *entry_of(struct port *port, const uint8_t *mac, int *err)
{
	struct maddr *e = find(port->groups, mac);

	if (e)
		return e;
	if (!port->groups)
		port->groups = calloc(1, sizeof(*port->groups));
	*err = port->groups ? -ENOSPC : -ENOMEM;
	if (!port->groups || port->groups->n == NETDEV_GROUPS)
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

int maddr_add(struct port *port, const uint8_t mac[ETH_ALEN])
{
	int err = 0;
	struct maddr *e = entry_of(port, mac, &err);

	if (!e)
		return err;
	if (e->fixed)
		return -EEXIST;
	e->fixed = true;
	return port_set_groups(port);
}

int maddr_del(struct port *port, const uint8_t mac[ETH_ALEN])
{
	struct maddr *e = find(port->groups, mac);

	if (!e || !e->fixed)
		return -ENOENT;
	e->fixed = false;
	forget_unused(port->groups);
	return port_set_groups(port);
}

/* --- what Weir's own addresses need --- */

/* join() - one more address needs group @a. Without room the NIC does not listen: `ip maddr` shows it is not there. */
static void join(struct port *port, const struct inet_addr *a)
{
	uint64_t group = neigh_group_mac(a);
	uint8_t mac[ETH_ALEN];
	struct maddr *e;
	int err;

	memcpy(mac, &group, ETH_ALEN); /* as mac_load() had it */
	e = entry_of(port, mac, &err);
	if (e)
		e->users++;
}

/* all routers' too, though only with forwarding: a knob turns without a word, and a filter may let more in */
static void join_for(const struct inet_ifaddr *i)
{
	static const struct inet_addr hosts = { .b = { [10] = 0xff, 0xff, 224, [15] = 1 } };
	static const struct inet_addr nodes = { .b = { 0xff, 2, [15] = 1 } };
	static const struct inet_addr routers = { .b = { 0xff, 2, [15] = 2 } };
	struct inet_addr solicited = ipv6_solicited_node(&i->addr);

	if (inet_is_v4(&i->addr)) {
		join(i->port, &hosts);
		return;
	}
	join(i->port, &nodes);
	join(i->port, &routers);
	join(i->port, &solicited);
}

void maddr_follow(struct port *port)
{
	for (unsigned i = 0; port->groups && i < port->groups->n; i++)
		port->groups->entry[i].users = 0;
	inet_for_each(i)
	{
		if (i->port == port)
			join_for(i);
	}
	if (!port->groups)
		return;
	forget_unused(port->groups);
	port_set_groups(port);
}
