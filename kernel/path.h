/* SPDX-License-Identifier: MIT */
/*
 * path.h - when a packet came by where: the record points of its way, in and out
 *
 * One packet in so many is stamped: PKT_STAMPED says that p->stamp has a row for it, and each stage
 * that it passes writes down the time. Such a packet is not plain, so it leaves the shortcuts by
 * the compare that is made anyhow, and nothing is asked of the others. Which packet that is, is
 * decided once a batch by whoever receives it (net/path.c).
 *
 * The points are those of the articles on Linux's path, under their names there. The device does
 * not say when it wrote a descriptor: DESCRIPTOR is when the poll had it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pkt.h"

/* in the order in which a packet can meet them */
#define PATH_POINTS(X)                                                                     \
	X(HARD_IRQ, "hard_irq", "the queue's interrupt, if one brought it")                \
	X(POLL, "poll", "its queue's poll began")                                          \
	X(DESCRIPTOR, "descriptor_done", "out of the ring")                                \
	X(NETIF_RX, "netif_rx_ni", "out of a guest's ring")                                \
	X(RECEIVE, "__netif_receive_skb", "behind RPS, on the core that has it")           \
	X(VPORT, "ovs_vport_receive", "behind taps and ingress filter, before the lookup") \
	X(LOOKUP, "ovs_dp_process_packet", "its flow is known")                            \
	X(SEND, "ovs_vport_send", "actions done: staged for a port")                       \
	X(XMIT, "netdev_start_xmit", "given to the NIC")                                   \
	X(QUEUE, "tun_net_xmit", "in the queue in front of a guest")                       \
	X(WORKER, "handle_rx", "taken out of it by the worker")                            \
	X(USED, "vhost_add_used", "the guest can see it")                                  \
	X(INJECT, "inject_irq", "the guest is entered with the interrupt for it")

enum path_point {
#define X(id, name, text) PATH_##id,
	PATH_POINTS(X)
#undef X
		PATH_N
};

struct path_text {
	const char *name, *text;
};

extern const struct path_text path_text[PATH_N];

/* one packet's times */
struct path_stamp {
	/* whose it is; a row is used again, and a packet that was overtaken finds another one's */
	const struct pkt *owner;
	uint64_t tsc[PATH_N]; /* 0: did not come by */
	uint32_t number;      /* of the stamped packets of its core, from 1 */
	uint32_t len;
	uint16_t port; /* id of the port it came in by */
	uint8_t queue;
	uint8_t cpu[PATH_N]; /* that wrote each */
};

/* a row, for when the packet may be gone: whoever's it is next has another number */
struct path_row {
	struct path_stamp *stamp; /* NULL: none */
	uint32_t number;
};

enum { PATH_STAMPS = 4096 }; /* rows of a core */

/* of one core */
struct path_cpu {
	uint32_t taken;   /* rows ever; the newest is stamp[(taken - 1) % PATH_STAMPS] */
	uint32_t evicted; /* marks that found the row to be another packet's */
	/* whose packets the interrupt is for that this core asks for just now */
	struct path_row signal;
	struct path_stamp stamp[PATH_STAMPS];
};

extern struct path_cpu *path_of_cpu[MAX_CPUS]; /* NULL until paths are first traced */

/*
 * Writing a time is all that a stage does; what they come to is reckoned by who asks
 * (net/observe/path_trace.c), from the rows that are still there.
 */

/* path_begin() - @p, received by @port and @queue, is stamped from now on; it has no point yet. */
void path_begin(struct pkt *p, unsigned port, unsigned queue);
/*
 * path_begin_in() - the same in a row of the caller's own, who has one such packet at a
 * time. In hard interrupts too.
 */
void path_begin_in(struct path_stamp *s, struct pkt *p, unsigned port, unsigned queue);

/*
 * path_mark_at() - it came by @point at TSC @tsc. path_mark() - it does now;
 * nothing if it is not stamped.
 */
void path_mark_at(const struct pkt *p, enum path_point point, uint64_t tsc);
void path_mark_now(const struct pkt *p, enum path_point point);

static inline void path_mark(const struct pkt *p, enum path_point point)
{
	if (unlikely(p->flags & PKT_STAMPED))
		path_mark_now(p, point);
}

/*
 * For the last steps, where the packet is gone and only its row is left: path_row() - @p's row, or
 * NULL if it is not stamped. path_mark_row() - the packet that the row was for when it bore @number
 * came by @point now; NULL: nothing.
 */
struct path_row path_row(const struct pkt *p);
void path_mark_row(struct path_row row, enum path_point point);

/*
 * path_read() - what @row's packet has by now, into *@s. False: it has no row, or that is another
 * packet's already. Any core.
 */
bool path_read(struct path_row row, struct path_stamp *s);

/*
 * path_signal() - interrupts that this core posts now are for @row's packet.
 * path_signalled() - whose this one is.
 */
void path_signal(struct path_row row);
struct path_row path_signalled(void);

/*
 * path_start() - rows for each core, empty. 0 or -ENOMEM. path_reset() - all counts from zero.
 * Control context, cores parked.
 */
int path_start(void);
void path_reset(void);
