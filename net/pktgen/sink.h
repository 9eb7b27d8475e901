/* SPDX-License-Identifier: MIT */
/*
 * sink.h - what became of numbered packets: a port's sink reads what
 * generators wrote (kernel/stream.h)
 *
 * It stands where the port's handler does, behind RPS, taps and filter, and takes the frames that
 * carry a struct stream_hdr, or only looks at them (`watch`). Everything else passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/histogram.h"
#include "kernel/lock.h"
#include "kernel/stream.h"
#include "net/port.h"

/* what is said of a flow, and of a stream as the sum of its flows */
struct sink_count {
	uint64_t received;   /* each number once */
	uint64_t lost;       /* numbers left out so far */
	uint64_t reordered;  /* came behind a higher number; not lost then */
	uint64_t duplicates; /* came again */
	uint64_t late; /* SINK_WINDOW or more behind: it cannot be told whether it came before.
			  Stays lost */
};

enum { SINK_WINDOW = 64 };

struct sink_flow {
	struct sink_count count;
	uint64_t seen; /* bit i: number next - 1 - i has come */
	uint64_t next; /* one above the highest */
	uint8_t run;
	bool begun;
};

struct sink_stream {
	uint64_t bytes;
	uint64_t first, last;     /* TSC when the first and the last came */
	uint64_t unstamped;       /* or stamped by another clock: no latency */
	struct histogram latency; /* ns, from the stamp to here */
	struct sink_flow flow[];  /* [STREAM_FLOWS] */
};

struct sink {
	struct port *port;
	bool watch;           /* look and let pass */
	struct spinlock lock; /* of all below: flows come by any core. Once a batch */
	uint64_t refused;     /* of a stream that there is no memory for */
	struct sink_stream *stream[STREAMS];
};

/* sink_of() - the sink of @port; NULL: none. */
struct sink *sink_of(const struct port *port);
/*
 * sink_on() - from now on; @streams of them are kept apart. Goes on counting if it is on. 0 or
 * -ENOMEM. Control context.
 */
int sink_on(struct port *port, bool watch, unsigned streams);
/*
 * sink_off() - no longer, and forget what was counted. sink_clear() - count from zero;
 * numbers go on. Control context.
 */
void sink_off(struct port *port);
void sink_clear(struct sink *s);

/* sink_total() - of all flows of @s. */
struct sink_count sink_total(const struct sink_stream *s);

/*
 * sink_input() - look at @n packets that came in by @port, take those that are its own and leave
 * the others in pkts[] in their order; returns how many. With PORT_SINK set.
 */
unsigned sink_input(struct port *port, struct pkt **pkts, unsigned n);
