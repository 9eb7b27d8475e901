/* SPDX-License-Identifier: MIT */
/*
 * trace_one.h - the next frame, and all that is known of its way: trace_one.c catches it,
 * trace_one_cmd.c waits for it and follows it, trace_one_show.c tells of it
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/path.h"
#include "kernel/policy.h"
#include "kernel/shell.h"
#include "kernel/trace.h"
#include "drivers/netdev_look.h"
#include "net/port.h"

enum { TRACE_ONE_TX = 10 }; /* descriptors of a frame that are shown, a context's included */

/* the frame that was caught; by the core that received it, then by the control context */
struct trace_one {
	struct port *port;
	unsigned queue;
	/* of a NIC's; NULL for a guest's port */
	struct netdev_queue *from;
	enum policy policy;
	unsigned budget;
	/* the descriptor as it was posted, and as it came back */
	bool has_back;
	struct netdev_desc posted, back;

	/* it */
	const struct pkt *pkt; /* not to be followed: it may be another's by now */
	uint32_t len, flags, hash;
	uint16_t caplen, vlan_tci;
	uint8_t nsegs;
	uint8_t frame[PKT_BUF_SIZE]; /* its first buffer */

	/*
	 * where it was to be sent: that ring's descriptors, as they were written, and a while later
	 */
	struct netdev *tx;
	unsigned txq, ntx, ntx_later;
	struct netdev_desc tx_desc[TRACE_ONE_TX], tx_later[TRACE_ONE_TX];

	/* when it was where, and everything that was recorded meanwhile, the newest first */
	struct path_stamp stamp;
	struct trace_event *event;
	unsigned events;
};

/*
 * trace_one.c: trace_one_arm() - the next frame that comes in by @port, NULL: any, and its queue
 * @queue, negative: any, is caught; records are kept and registers traced from now on. 0 or
 * -ENOMEM. trace_one_disarm() - everything is as it was before, records are kept if @recorded.
 * Control context; they park the cores.
 */
int trace_one_arm(struct port *port, int queue);
void trace_one_disarm(bool recorded);

/* trace_one_caught() - what was caught, and its row in *@row; NULL: nothing yet. */
struct trace_one *trace_one_caught(struct path_row *row);

/* trace_one_show() - @one's way as text, in order of time. Control context. */
void trace_one_show(struct shell *sh, const struct trace_one *one);
