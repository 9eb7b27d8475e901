/* SPDX-License-Identifier: MIT */
/*
 * port.h - a place where packets enter and leave the switch
 *
 * What is behind a port is hidden by struct port_ops: a NIC (nic.h), a guest's tap (vmm/tap.h), a
 * fake in tests. A NIC's port exists from boot on, a guest's from the moment it is created; at
 * first it is down and in no switch.
 *
 * The conservation law, for each port and core, exact whenever the cores are parked:
 *	ingress	in + created + steered_in = forwarded + dropped + consumed + steered_out + gro_held
 *	egress	offered + segments + taken = out + dropped + given + queued
 * and over all: forwarded + originated = offered; a port's steered_out - steered_in = packets in
 * backlogs, and its given - taken = packets waiting for another core. `created` are copies of
 * what came in, `consumed` what GRO merged into another packet and what Weir itself was sent,
 * `originated` what it sends itself, `segments` what GSO made of a packet beyond that one.
 * `given` and `taken` is what crosses to the core that owns the queue. `out` ends at the
 * device's ring: frames that a stalled transmitter throws away when it is reset stay in it, the
 * device counts them as tx_errors. A device that can say what became of each frame it took has a
 * law of its own: ops->audit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/cpu.h"
#include "kernel/drop.h"
#include "kernel/pkt.h"
#include "kernel/shell.h"

enum {
	PORT_MAX = 32, /* ids are 1 to 31, so that a set of ports is a word */
	PORT_NAME = 16,
	/* most packets that one poll takes, and that one core stages for one port */
	PORT_BATCH = 64,
};

/*
 * what stands between a device and its handler, port->rx_extra; and between a stage and
 * a device, port->tx_extra
 */
enum port_extra {
	PORT_GRO = BIT(0),
	PORT_RPS = BIT(1),
	PORT_TAPS = BIT(2),
	PORT_FILTER = BIT(3),
	PORT_STAMP = BIT(4),
	PORT_LOCAL = BIT(5), /* in no switch, but it has addresses */
	PORT_QDISC = BIT(6), /* packets wait, or a rate is set */
	PORT_SINK = BIT(7),  /* numbered packets are looked at: sink.h */
};

struct gro;
struct pktgen;
struct maddrs;
struct port;
struct qdisc;
struct rps;
struct vswitch;

struct port_ops {
	/*
	 * on the core that owns @q: up to @n chains in order, @frames the sum of their words
	 * pkt->frame; returns how many were taken, the caller keeps the rest
	 */
	unsigned (*tx_batch)(struct port *port, unsigned q, struct pkt **pkts, unsigned n,
			     uint64_t frames);
	/* the rest in the control context, cores parked; 0 or a negative errno */
	int (*set_up)(struct port *port, bool up);
	/*
	 * program port->mtu, mac, promisc, allmulti, groups and whether it is in a
	 * switch; 0 or a negative errno
	 */
	int (*set_mode)(struct port *port);
	/* the key that its device hashes flows by, TOEPLITZ_KEY bytes; NULL: it does not */
	const uint8_t *(*rss_key)(struct port *port);
	/* receive queues in use; NULL: one */
	unsigned (*queues)(struct port *port);
	/* for port_stat(); may be NULL */
	uint64_t (*stat)(struct port *port, const char *name);
	/* is all accounted for that tx_batch ever took? Cores parked; may be NULL */
	bool (*audit)(struct port *port);
	/*
	 * what the device dropped by itself, with reasons: [DROP_N]; of what tx_batch took, or
	 * before poll. May be NULL
	 */
	const uint64_t *(*drops)(struct port *port);
	/*
	 * lines of `explain`: what becomes of @p, given to tx_batch; it only looks.
	 * Cores parked; may be NULL
	 */
	void (*explain)(struct port *port, const struct pkt *p, struct shell *sh);
};

/* of one port, by one core */
struct port_cpu {
	/* ingress mouth */
	_Alignas(CACHE_LINE) uint64_t in;
	uint64_t in_bytes;
	uint64_t created;   /* copies, those included that were dropped for want of a buffer */
	uint64_t forwarded; /* staged for some port */
	uint64_t consumed;  /* merged into another packet, or Weir's own */
	uint64_t gro_held;  /* wait in GRO now; who holds and who lets go may be two cores */
	uint64_t steered_in,
		steered_out; /* from another core's receive to this one's backlog, and away */
	uint64_t dropped_in[DROP_N];
	/* egress mouth */
	uint64_t offered;        /* staged by this core */
	uint64_t originated;     /* of these, sent by Weir itself: no port's forwarded has them */
	uint64_t segments;       /* more packets than were staged, cut out of long ones */
	uint64_t queued;         /* wait in the queueing discipline now */
	uint64_t taken;          /* from other cores, that cannot transmit */
	uint64_t out, out_bytes; /* given to the device */
	uint64_t given;          /* to the core that can */
	uint64_t dropped_out[DROP_N];
};

struct port {
	/* read by every batch, written while the cores are parked */
	const struct port_ops *ops;
	struct port_cpu *cpu;     /* [ncpus] */
	struct vswitch *sw;       /* NULL: in none */
	const int8_t *txq_of_cpu; /* queue that a core may transmit on; -1 for none of its own */
	uint16_t id;              /* from 1; OpenFlow's port number */
	uint16_t mtu;
	uint32_t features;     /* NETDEV_TX_CSUM and so on: what ops->tx_batch takes */
	enum drop_reason full; /* why tx_batch takes no more */
	bool up;               /* as the operator set it */
	bool accepts;          /* up and in a switch: what comes in is looked up */
	bool (*has_link)(struct port *port); /* NULL: always */
	volatile bool ready;                 /* up, and with link; by core 0 */
	bool rx_direct;             /* accepts, and nothing stands between device and switch */
	volatile bool direct;       /* ready, and nothing stands between stage and device */
	uint8_t rx_extra, tx_extra; /* enum port_extra; almost always 0 */

	/* control context */
	char name[PORT_NAME];
	uint8_t mac[6], perm_mac[6];
	bool promisc;         /* as the operator set it; a port in a switch is promiscuous anyhow */
	bool allmulti;        /* the same for groups alone */
	bool groups_overflow; /* more groups than a device's table holds: it takes all, as with
				 allmulti */
	bool internal;        /* a switch's own: Weir's protocols are behind it */
	bool held;            /* named by a line of the config that failed: stays down */
	void *priv;           /* of ops */
	struct qdisc *qdisc;  /* NULL: never had one */
	struct gro *gro;      /* NULL: it has none */
	struct maddrs *groups; /* maddr.h; NULL: never had one */
	struct rps *rps;       /* NULL: never steered; changes while the cores are parked */
	struct pktgen *pktgen; /* NULL: never had one */
};

extern struct port *ports[PORT_MAX]; /* by id; NULL where there is none, as at [0] */
extern unsigned nports;              /* highest id in use */

#define port_for_each(i)                       \
	for (unsigned i = 1; i <= nports; i++) \
		if (ports[i])

/*
 * port_add() - give @port an id and a place in ports[]; name, ops, full, mtu, mac, txq_of_cpu and
 * priv are set. Returns 0 or -ENOSPC. At boot, or in the control context with the cores parked.
 */
int port_add(struct port *port);

/*
 * port_del() - @port, down and in no switch, is no more: nothing waits for it, and it has no rule.
 * What stood at it goes, and its id is free; what it counted stays in the law. Control context,
 * cores parked.
 */
void port_del(struct port *port);

struct port *port_by_name(const char *name);
/* port_names() - call add for each port's name: the stars of files under /sys/class/net. */
void port_names(void (*add)(void *to, const char *s), void *to);
/*
 * port_match() - ports whose name is @glob ('*' and '?'; a number is an id), up to PORT_MAX into
 * out[]; returns how many.
 */
unsigned port_match(const char *glob, struct port **out);
/*
 * port_words() - the same for word @i of a command line, for shell commands; says what is
 * wrong. -EINVAL if none match.
 */
int port_words(struct shell *sh, int i, struct port **out);
/* port_offer() - for completion: call add for each port's name. */
void port_offer(void (*add)(void *to, const char *s), void *to);

/* Control context; they park the cores. 0 or a negative errno. */
int port_set_up(struct port *port, bool up);
int port_set_mtu(struct port *port, unsigned mtu);
int port_set_mac(struct port *port, const uint8_t mac[6]);
int port_set_promisc(struct port *port, bool on);
int port_set_allmulti(struct port *port, bool on);
/* port_set_groups() - port->groups or groups_overflow has changed. */
int port_set_groups(struct port *port);
/*
 * port_set_extra() - which of @mask stand between @port and its handler, and between
 * its stages and its device.
 */
void port_set_extra(struct port *port, uint8_t mask, uint8_t rx, uint8_t tx);
/* port_set_switch() - into @sw, or out of any with NULL. */
void port_set_switch(struct port *port, struct vswitch *sw);

/* port_link_changed() - the link of @port came or went. Core 0. */
void port_link_changed(struct port *port);

/*
 * port_hold() - take down the ports that @word matches, and keep them so till the operator says
 * otherwise: config_run(). A number matches the port with that id, whatever it meant in its line:
 * rather a port too many than one too few.
 */
void port_hold(const char *word);

/* port_queues() - receive queues in use. */
unsigned port_queues(struct port *port);
/* port_total() - counters of all cores in one; exact while they are parked. */
struct port_cpu port_total(const struct port *port);
/*
 * ports_in() - packets that have ever come in, by whichever port; never less
 * than before. Any context.
 */
uint64_t ports_in(void);

/* port_drops() - dropped_in or dropped_out, all reasons. */
uint64_t port_drops(const uint64_t v[DROP_N]);
/* port_drops_behind() - so many the device dropped for reason @why, which no mouth counts. */
uint64_t port_drops_behind(const struct port *port, enum drop_reason why);
/* port_stat() - what the device itself counts, by ethtool's name; 0 if it does not. */
uint64_t port_stat(struct port *port, const char *name);
/* port_rx_errors() - damaged frames, which NICs count by kind. */
uint64_t port_rx_errors(struct port *port);

/* port_conserved() - does the law hold everywhere? If not, @why says where. Cores parked. */
bool port_conserved(char *why, size_t size);

static inline struct port_cpu *port_here(const struct port *port)
{
	return &port->cpu[this_cpu()->id];
}

/*
 * port_drop_in() - a packet that came in by @port goes nowhere. It counted as forwarded until now.
 */
void port_drop_in(struct port *port, struct pkt *p, enum drop_reason why);
/* port_drop_out() - one that was offered to @port or taken from another core does not leave. */
void port_drop_out(struct port *port, struct pkt *p, enum drop_reason why);
