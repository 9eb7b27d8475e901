/* SPDX-License-Identifier: MIT */
/*
 * neigh.h - neighbours: the MAC address behind an IP address, asked for, kept, doubted, given up
 *
 * One table for ARP and IPv6's neighbour discovery, with the states of RFC 4861 7.3.2
 * that Linux has for both:
 *
 *	INCOMPLETE	asked; packets wait, at most unres_qlen of them
 *	REACHABLE	it has answered lately: for 0.5 to 1.5 times base_reachable_time
 *	STALE		it may have changed; good enough to send, which makes it
 *	DELAY		for delay_first_probe_time: something may come from it by itself; else
 *	PROBE		asked under the address that it had
 *	FAILED		no answer to mcast_solicit or ucast_solicit questions; what waited is dropped
 *	PERMANENT	the operator said so
 *
 * To send to a neighbour takes one load of one word and no lock; what changes a state takes the
 * table's lock. Time is looked at once a second, on core 0.
 */
#pragma once

#include <stdatomic.h>

#include "kernel/qsbr.h"
#include "inet.h"

enum { NEIGH_MAX = 1024, NEIGH_WAITING_MAX = 512 };

enum nud {
	NUD_INCOMPLETE,
	NUD_REACHABLE,
	NUD_STALE,
	NUD_DELAY,
	NUD_PROBE,
	NUD_FAILED,
	NUD_PERMANENT,
	NUD_STATES
};

extern const char *const nud_name[NUD_STATES];

/* neigh_group_mac() - the Ethernet address of a group, as mac_load() has it. */
uint64_t neigh_group_mac(const struct inet_addr *a);

/*
 * neigh_output() - @p, from its IP header on, to @next on the link of @port, as soon as
 * its MAC address is known.
 */
void neigh_output(struct port *port, const struct inet_addr *next, struct pkt *p);

/* what somebody's message says of a neighbour */
enum neigh_news {
	NEIGH_HEARD = BIT(0),    /* it spoke to us: make an entry if there is none */
	NEIGH_ANSWERED = BIT(1), /* to a question of ours: it is reachable */
	NEIGH_OVERRIDE = BIT(2), /* what we knew may be wrong */
	NEIGH_ROUTER = BIT(3),
};

/* neigh_update() - @addr on the link of @port is at @mac. On the core that has the message. */
void neigh_update(struct port *port, const struct inet_addr *addr, const uint8_t mac[6],
		  unsigned news);

struct neigh_row {
	struct inet_addr addr;
	struct port *port;
	uint8_t mac[6];
	enum nud state;
	bool router;
	unsigned waiting;
};

/* Control context. neigh_rows() - up to @max into rows[]; returns how many there are. */
unsigned neigh_rows(struct neigh_row *rows, unsigned max);
/* neigh_set() - for good. 0 or -ENOSPC. */
int neigh_set(struct port *port, const struct inet_addr *addr, const uint8_t mac[6]);
/* neigh_del() - forget it. 0 or -ENOENT. */
int neigh_del(struct port *port, const struct inet_addr *addr);
/*
 * neigh_flush() - forget all of @port (NULL: of any), the permanent ones only
 * if @all. Returns how many.
 */
unsigned neigh_flush(const struct port *port, bool all);

void neigh_tick(void);
void neigh_init(void);
