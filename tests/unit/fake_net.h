/* SPDX-License-Identifier: MIT */
/*
 * fake_net.h - ports without NICs, and frames to feed them
 *
 * net_up() gives a machine of some cores with fake ports p1, p2, ... which keep what is sent to
 * them. Frames are built by shape; host n has MAC 02:00:00:00:00:n and addresses 10.0.0.n and
 * fd00::n.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/softirq.h"
#include "net/port.h"
#include "net/receive.h"

enum { FAKE_PORTS = 6, FAKE_SENT = 2048 };

struct fake_port {
	struct port port;
	int8_t txq_of_cpu[MAX_CPUS];
	bool link;
	unsigned room; /* how many more packets its ring takes */
	struct pkt *sent[FAKE_SENT];
	unsigned nsent, calls; /* packets and tx_batch() calls */
	int refuse;            /* what set_up returns */
};

extern struct fake_port fake[FAKE_PORTS + 1]; /* by port id */

/*
 * net_up() - tables, pools and @ports ports, each up and with a queue for every core; in no switch.
 */
void net_up(unsigned cores, unsigned ports);
/*
 * net_down() - what the ports sent and what waits goes back to the pools; checks that
 * nothing is missing there.
 */
void net_down(void);
/* net_switch() - a switch of all ports, with its first rule. */
struct vswitch *net_switch(void);

/*
 * net_settle() - run the softirqs that were raised, and turn every core's loop so that QSBR frees.
 */
void net_settle(void);
/* net_softirq() - run one now, raised or not, on the core that this thread plays. */
void net_softirq(enum softirq nr);
/* net_second() - so many seconds pass: the clock of ageing. */
void net_second(unsigned n);

/* the frame being built; frame_*() start it, the pkt comes from this core's pool */
struct pkt *frame_raw(const void *bytes, unsigned len);
/* @from to @to, 60 bytes; to 255 is broadcast */
struct pkt *frame_udp(unsigned from, unsigned to, unsigned sport, unsigned dport);
struct pkt *frame_tcp(unsigned from, unsigned to, unsigned sport, unsigned dport);
struct pkt *frame_arp(unsigned from, unsigned to);
struct pkt *frame_udp6(unsigned from, unsigned to, unsigned sport, unsigned dport);
/* frame_tag() - put a tag of @tpid and @tci in. */
struct pkt *frame_tag(struct pkt *p, unsigned tpid, unsigned tci);

/* put() - one packet comes in by port @id. */
void put(unsigned id, struct pkt *p);
/* put_batch() - several of them at once. */
void put_batch(unsigned id, struct pkt **pkts, unsigned n);
/* sent() - how many packets port @id has sent since net_up(), or the last time it was asked. */
unsigned sent(unsigned id);
/*
 * dropped() - how many of this reason on all cores, and by all ports' own counts, which must agree.
 */
unsigned dropped(enum drop_reason why);
/* conserved() - the law holds, else the test fails and says where. */
void conserved(void);

/*
 * net_knob() - the value behind a sysctl of the linked files; fails the test if
 * there is none of that name.
 */
unsigned *net_knob(const char *name);
