/* SPDX-License-Identifier: MIT */
/*
 * neigh_control.c - what the operator sees of neighbours and does to them.
 * Control context. Owns nothing.
 */
#include "neigh_table.h"

#include "local.h"

#include <errno.h>

unsigned neigh_rows(struct neigh_row *rows, unsigned max)
{
	unsigned n = 0;

	spin_lock(&neigh_lock);
	neigh_for_each(e)
	{
		if (!e->linked)
			continue;
		if (n < max) {
			rows[n] = (struct neigh_row){ .addr = e->addr,
						      .port = e->port,
						      .state = neigh_state(e),
						      .router = e->router,
						      .waiting = e->nwaiting };
			neigh_mac(e, rows[n].mac);
		}
		n++;
	}
	spin_unlock(&neigh_lock);
	return n;
}

int neigh_set(struct port *port, const struct inet_addr *addr, const uint8_t mac[6])
{
	struct waiting *list = NULL;
	struct neigh *n;

	spin_lock(&neigh_lock);
	n = neigh_find(port, addr);
	if (!n)
		n = neigh_make(port, addr);
	if (n) {
		neigh_set_word(n, mac_load(mac), NUD_PERMANENT);
		list = neigh_detach(n);
	}
	spin_unlock(&neigh_lock);
	neigh_send_list(port, mac_load(mac), list);
	local_flush();
	return n ? 0 : -ENOSPC;
}

static void forget(struct neigh *n)
{
	struct waiting *list = NULL;
	struct port *port = n->port;

	spin_lock(&neigh_lock);
	if (n->linked) { /* another core may have made room meanwhile */
		list = neigh_detach(n);
		neigh_retire(n);
	}
	spin_unlock(&neigh_lock);
	neigh_fail_list(port, list);
}

int neigh_del(struct port *port, const struct inet_addr *addr)
{
	struct neigh *n = neigh_find(port, addr);

	if (!n)
		return -ENOENT;
	forget(n);
	local_flush();
	return 0;
}

unsigned neigh_flush(const struct port *port, bool all)
{
	unsigned n = 0;

	neigh_for_each(e)
	{
		if (!e->linked || (port && e->port != port))
			continue;
		if (!all && neigh_state(e) == NUD_PERMANENT)
			continue;
		forget(e);
		n++;
	}
	local_flush();
	return n;
}
