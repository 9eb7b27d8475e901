/* SPDX-License-Identifier: MIT */
/*
 * taps.h - who looks on: a copy of each packet that passes a port, for whoever opened a tap there
 *
 * As Linux's packet sockets: what comes in is shown first to the taps of all devices (ptype_all),
 * then to those of its own, then it goes on to filter and handler; what goes out is shown when its
 * device is about to get it. A tap may ask for what is dropped as well. Its filter runs where the
 * packet is; what it takes is copied, up to the snapshot length, into the tap's ring of that core,
 * and a ring that is full counts. No packet is held, and none waits.
 *
 * Nobody pays for taps that are not open: port->rx_extra and tx_extra say so once a batch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/path.h"
#include "kernel/pkt.h"
#include "bpf.h"
#include "port.h"

/* what a tap is shown, a set; in a record, which of them it was */
enum tap_where {
	TAP_IN = BIT(0),
	TAP_OUT = BIT(1),
	TAP_DROP_IN = BIT(2), /* what is dropped before it is anybody's to send */
	TAP_DROP_OUT = BIT(3),
	TAP_DROPS = TAP_DROP_IN | TAP_DROP_OUT,
};

/* what is kept of a packet; caplen bytes of the frame follow */
struct tap_record {
	uint32_t size; /* from here to the next record, a multiple of 8 */
	uint32_t len;  /* of the frame, as on a wire: a tag that a NIC took out stands in it */
	uint32_t caplen;
	uint16_t port;         /* id; 0 for what is dropped where no port is known */
	uint8_t where;         /* enum tap_where */
	uint8_t queue;         /* that it was received by, where that is known */
	enum drop_reason drop; /* of TAP_DROPS */
	uint32_t cpu;
	uint64_t ns;         /* since boot */
	uint64_t id;         /* of this record: no other of its tap has it */
	struct path_row row; /* of one that is stamped: where it has been, and will have been */
	uint8_t frame[];
};

struct tap_ring;

struct packet_tap {
	/* set by whoever opens it */
	struct port *port;             /* NULL: of all devices */
	const struct bpf_prog *filter; /* NULL: takes everything */
	uint32_t snaplen;
	uint8_t where;
	/* by taps.c */
	struct packet_tap *next;
	struct tap_ring *ring[MAX_CPUS];
};

/* how many packets the filter took; of these, how many found the ring full */
struct tap_stats {
	uint64_t received, dropped;
};

/* bytes: the longest frame of a wire fits; one that is yet to be cut may find it too small */
enum { TAPS_RING_MIN = 64 * 1024 };

/*
 * taps_open() - from now on @tap gets what it asks for, into a ring of @bytes a core (a
 * power of two, TAPS_RING_MIN and more). taps_close() - no longer; what it has may still be
 * taken. taps_free() - its rings go back to the heap. 0 or -ENOMEM. Control context; the
 * cores are parked for a moment.
 */
int taps_open(struct packet_tap *tap, uint32_t bytes);
void taps_close(struct packet_tap *tap);
void taps_free(struct packet_tap *tap);

/*
 * taps_peek() - the oldest record of all cores, NULL if there is none. taps_next() - done
 * with it. Control context.
 */
const struct tap_record *taps_peek(struct packet_tap *tap);
void taps_next(struct packet_tap *tap, const struct tap_record *r);

struct tap_stats taps_stats(const struct packet_tap *tap);

/* how many look on at a place: at all ports, at one; and how many of these want a packet */
struct taps_count {
	unsigned all, own, want;
};

/* taps_count() - of @p at @where of @port. Control context, cores parked. */
struct taps_count taps_count(const struct port *port, const struct pkt *p, enum tap_where where);

/*
 * taps_rx() - what came in by @port, before filter and handler; taps_tx() - what its device
 * is about to get. Any core.
 */
void taps_rx(struct port *port, struct pkt **pkts, unsigned n);
void taps_tx(struct port *port, struct pkt **pkts, unsigned n);
