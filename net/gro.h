/* SPDX-License-Identifier: MIT */
/*
 * gro.h - generic receive offload: frames of one flow become one long packet
 *
 * What a queue brings is held for a moment. Frames that continue a held one, headers alike and the
 * next bytes of the stream, are hung on to it; what comes out is a packet with PKT_GSO, looked up,
 * switched and given to a guest once instead of forty times (Linux: dev_gro_receive(),
 * tcp_gro_receive(), udp_gro_receive()). It can be cut into the very frames that it was made of:
 * net/gso.h. No byte of payload is copied.
 *
 * TCP by default, UDP with rx-udp-gro-forwarding, on ports that have it switched on (`ethtool -K
 * nic0 gro on`). A flow is held until something ends it, until its queue is polled and found empty,
 * or for two polls: gro_poll_end().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"

struct port;

enum {
	GRO_HASH_BUCKETS = 8, /* Linux's numbers */
	MAX_GRO_SKBS = 8,     /* flows a bucket */
	GRO_POLLS = 2,        /* that a flow is held for */
};

struct gro; /* what the queues of one port hold */

/* gro_create() - what a port needs for it, port->gro. At boot. */
struct gro *gro_create(void);

/*
 * gro_set() - from now on hold and merge what comes in by @port: TCP, or UDP too, or nothing.
 * Control context, cores parked.
 */
void gro_set(struct port *port, bool on, bool udp);

/*
 * gro_receive() - a batch that netif_receive() counted, from queue @queue: held,
 * merged, or passed on at once.
 */
void gro_receive(struct port *port, unsigned queue, struct pkt **pkts, unsigned n);

/*
 * gro_poll_end() - a poll of the queue is over. @all: it found the ring empty, and nothing says
 * when the next one comes, so what is held goes on now; else only what has been held for GRO_POLLS.
 */
void gro_poll_end(struct port *port, unsigned queue, bool all);

/*
 * gro_settle() - what is held of all queues goes on now, here, before one of them
 * moves or ends. Cores parked.
 */
void gro_settle(struct port *port);

/* what GRO would do with a frame */
enum gro_fate {
	GRO_FOREIGN, /* of no flow that it knows: goes on at once */
	GRO_UNSOUND, /* cannot be merged: goes on at once, and what is held of its flow before it */
	GRO_FINAL,   /* the same, as its flags end a flow */
	GRO_HELD,    /* the first of its flow; what is held of it goes on before */
	GRO_MERGED,
	GRO_MERGED_LAST, /* and all of them go on */
};

/*
 * gro_peek() - what gro_receive() would do with @p, and how many frames are *@held
 * of its flow. Cores parked.
 */
enum gro_fate gro_peek(const struct port *port, unsigned queue, struct pkt *p, unsigned *held);

/* gro_held() - frames that @port holds. Exact while the cores are parked. */
unsigned gro_held(const struct port *port);
