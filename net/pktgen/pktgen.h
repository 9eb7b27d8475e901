/* SPDX-License-Identifier: MIT */
/*
 * pktgen.h - packets of our own making, by a port: how many, how fast, how long, of how many flows
 *
 * A generator belongs to a port and is work of one core: a timer of that core sends what is due, at
 * most PORT_BATCH packets, and gives the core back. What it sends passes the port's stage as any
 * packet does, so it is counted there (`originated`), and dropped there if the device has no room.
 * Names and defaults are those of Linux's pktgen where it has them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/stream.h"
#include "kernel/time.h"
#include "kernel/traffic.h"
#include "net/port.h"

enum { PKTGEN_HEAD_MAX = 66 }; /* Ethernet, a tag, IPv6, UDP */

/* set while it does not run */
struct pktgen_conf {
	struct traffic_conf traffic;
	uint64_t udp_src, udp_dst; /* flow i comes from udp_src + i */
	uint64_t vlan_id;          /* 0: no tag */
	uint64_t stream, core;
	uint32_t src_span; /* flow i comes from address i % src_span behind src */
	bool v6;
	uint8_t dst_mac[6], src_mac[6];
	uint8_t dst[16], src[16]; /* IPv4: the first four bytes */
};

struct pktgen {
	struct port *port;
	struct pktgen_conf conf;

	/* by the core that sends, and by the control context while it does not */
	struct timer timer;
	volatile bool running;
	volatile bool gone; /* its port is no more: it ends when its timer comes, and another begins
			       anew */
	uint8_t run;
	struct traffic traffic;
	uint64_t stopped; /* TSC */
	uint8_t head[PKTGEN_HEAD_MAX];
	uint32_t head_len, l3;
	uint32_t seq[STREAM_FLOWS];

	/* statistics of the last run */
	uint64_t sofar, bytes; /* offered to the port */
	uint64_t errors;       /* of these, the port had no room */
	uint64_t nobufs;       /* not even made: the pool was empty */
	uint64_t busy;         /* ticks spent on it */
};

/*
 * pktgen_of() - the generator of @port, NULL if it has none. pktgen_create() - make one; NULL: no
 * memory. Control context.
 */
struct pktgen *pktgen_of(const struct port *port);
struct pktgen *pktgen_create(struct port *port);
/* pktgen_port_gone() - @port will be no more. Cores parked. */
static inline void pktgen_port_gone(struct port *port)
{
	if (port->pktgen)
		port->pktgen->gone = true;
}

/* pktgen_default() - settings that `pktgen PORT` begins with. */
struct pktgen_conf pktgen_default(const struct port *port);

/* pktgen_min_size() - the shortest frame that holds what these settings want in it. */
unsigned pktgen_min_size(const struct pktgen_conf *c);
/* pktgen_core() - a core that may transmit on @port; 0 if none may. */
unsigned pktgen_core(const struct port *port);

/* On its core, at once. Control context; each does nothing if it runs, or does not. */
void pktgen_start(struct pktgen *g);
void pktgen_stop(struct pktgen *g);
