/* SPDX-License-Identifier: MIT */
/*
 * maddr.h - the groups that a port listens to, by their Ethernet addresses
 *
 * The operator adds some (`ip maddr`), and those follow that Weir's addresses on the port need: all
 * hosts, all nodes and routers, and where each IPv6 address is asked for [RFC 1112, RFC 2464 7, RFC
 * 4291 2.7.1]. A NIC filters by them while it is in no switch and neither promisc nor allmulticast;
 * a switch takes everything. It has a table of NETDEV_GROUPS: while there are more, it takes all
 * groups, as Linux's drivers do then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/netdev.h"
#include "net/port.h"
#include "inet.h"

enum {
	MADDRS_FIXED = 128, /* most of the operator's, for each port */
	/* most that Weir's addresses need: one of its own each, and three for all */
	MADDRS_OWN = INET_ADDRS_MAX + 3,
};

struct maddr {
	uint8_t mac[ETH_ALEN];
	bool fixed;     /* by the operator */
	unsigned users; /* addresses of Weir's that need it */
};

struct maddrs {
	unsigned n;
	struct maddr entry[MADDRS_FIXED + MADDRS_OWN];
};

/*
 * Control context; they park the cores. maddr_add() - 0, -EEXIST, -ENOSPC or -ENOMEM;
 * maddr_del() - 0 or -ENOENT.
 */
int maddr_add(struct port *port, const uint8_t mac[ETH_ALEN]);
int maddr_del(struct port *port, const uint8_t mac[ETH_ALEN]);

/* maddr_follow() - Weir's addresses on @port have changed. Control context. */
void maddr_follow(struct port *port);
