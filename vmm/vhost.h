/* SPDX-License-Identifier: MIT */
/*
 * vhost.h - the worker between a guest's virtqueues and its tap, in the steps
 * that Linux's vhost-net has
 *
 *	life	vhost_net_open ► vhost_set_owner ► vhost_set_features ► vhost_set_vring_num, _addr, _base, _kick, _call
 *		► vhost_net_set_backend			(the other way round: vhost_net_stop)
 *	out	kick (a port write) ► vhost_poll_queue ► vhost_worker ► handle_tx ► tun_get_user ► switch_input
 *	in	xmit_flush ► tun_net_xmit ► vhost_poll_queue ► vhost_worker ► handle_rx ► vhost_signal ► vlapic_post
 *
 * The worker is SOFTIRQ_VHOST on the core that owns it; its work list is that core's. A
 * vring's mutex keeps set-up, which runs where the guest's vCPU runs, away from the worker; it
 * is held by nobody for long.
 *
 * A kick is an exit, so as few as possible are asked for; how, is a vring's policy
 * (kernel/policy.h). While it is served kicks are off. As it begins, adaptive: one that gave work
 * and ran empty is looked at once more after the guest has run (vhost_guest_left); only when that
 * finds nothing is the guest asked to kick again. So are the transmit rings of a guest that was
 * just given frames, those that answer such. Where worker and vCPU have different cores the guest
 * is asked as soon as the ring is empty.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/histogram.h"
#include "kernel/lock.h"
#include "kernel/path.h"
#include "kernel/pkt.h"
#include "kernel/policy.h"
#include "kernel/turn.h"
#include "net/port.h"
#include "virtq.h"

struct vm;
struct vhost_net;

/* as virtio-net numbers its queues: receiveq1, transmitq1 */
enum { VHOST_RX, VHOST_TX, VHOST_VRINGS };
enum {
	VHOST_TAP_QUEUE = 1000, /* buffers, at most: tap.h */
	VHOST_WEIGHT = 256,     /* packets and bytes of one round: Linux's numbers */
	VHOST_BYTE_WEIGHT = 0x80000,
	VHOST_ROWS = 8, /* stamped packets of one round whose end is written down */
};

/* an entry of a core's work list */
struct vhost_work {
	void (*fn)(struct vhost_work *w);
	struct vhost_work *next;
	_Atomic bool queued;
};

/*
 * of a ring that is measured: nanoseconds that a frame can have waited at most, one count a frame
 */
struct vhost_measure {
	void (*fn)(struct vhost_work *w); /* the ring's work itself */
	/*
	 * TSC since when somebody knows of what waits: a kick, or a frame for the
	 * guest; 0: nobody. By any core
	 */
	_Atomic uint64_t told;
	uint64_t ended; /* TSC: the last round; by the worker's core, as the rest */
	struct histogram wait;
};

struct vhost_vring {
	struct vhost_work work;
	struct policy_queue policy; /* "tap0/tx"; POLICY_ADAPTIVE at first */
	struct spinlock mutex;      /* guards vq and what set-up changes */
	struct vhost_net *net;
	struct virtq vq;
	bool backend; /* served: between set_backend and stop */
	bool shares;  /* POLICY_ADAPTIVE, and the guest runs on the worker's core */
	void (*call)(void *arg, unsigned index); /* interrupt the guest; index: which vring */
	void *call_arg;

	/* by the worker's core */
	struct turn_work turn; /* busyloop, poll: to be looked at in the next turn of the loop */
	unsigned busyloop_timeout; /* microseconds */
	uint64_t busy_until;       /* TSC */
	bool polling;              /* kicks are off; to be looked at when the guest has run */
	bool expected;             /* that is because the guest was given frames */
	bool polled;  /* nobody told of anything: the look that comes is one of polls */
	bool answers; /* it had something since, or when it was last expected to */
	struct vhost_vring *poll_next;
	struct vhost_measure *measure;  /* NULL: not measured. Changes while the cores are parked */
	struct vhost_measure *measured; /* kept for the next time */
	/*
	 * stamped packets of this round: they have not been shown to the
	 * guest yet, or not signalled
	 */
	struct path_row row[VHOST_ROWS];
	unsigned nrows;

	/* statistics: kicks by the vCPUs' cores, the rest by the worker's */
	uint64_t kicks;          /* doorbells; two at once may count as one */
	uint64_t polls;          /* looks after the guest had run, or by busyloop and poll */
	uint64_t empty;          /* of these, found nothing */
	uint64_t packets, bytes; /* frames taken or delivered; bytes without headers */
	uint64_t signals;        /* interrupts asked for; vq.suppressed: not wanted */
	uint64_t reweighs;       /* rounds that ended with work left */
};

struct vhost_net {
	struct vhost_vring vring[VHOST_VRINGS];
	struct vm *vm;
	struct port *port;
	unsigned cpu;   /* the worker's core; owns the port's queue */
	bool same_core; /* the guest's vCPUs run there as well */
	uint64_t features;
	bool mergeable; /* a frame may span several buffers */
	/*
	 * A ring's driver did what none may: the device tells the guest. call() and broken() come
	 * on the worker's core, no lock held; late ones may come just after the vring was stopped.
	 */
	void (*broken)(void *arg, unsigned index, const char *why);
	void *broken_arg;
	/*
	 * does the guest want this frame (RX mode, MAC table)? Read-only, on the
	 * worker's core; may be NULL
	 */
	bool (*wants)(void *arg, const uint8_t *frame);

	/* the tap: a queue on the worker's core. See tap.h */
	struct pkt **queue;
	uint32_t queue_head, queue_tail; /* run freely, and count buffers */
	_Atomic bool purge;              /* what waits is for a driver that is gone; by set-up */
	struct pkt_holder holder;
	int8_t txq_of_cpu[MAX_CPUS];
	/* conservation: taken from the switch = delivered + dropped by reason + queued */
	uint64_t taken, delivered, dropped[DROP_N];
};

/*
 * vhost_net_open() - make the guest's port. Control context, at creation; @n is zeroed but for
 * broken and wants, which are the device's. 0, -EEXIST: there is such a port, -ENOSPC: no more
 * ports, -ENOMEM. @name, @mac, @mtu are the port's; @cpu is the worker's core.
 */
int vhost_net_open(struct vhost_net *n, struct vm *vm, const char *name, const uint8_t mac[6],
		   unsigned mtu, unsigned cpu);

/*
 * The rest on the vCPU's core while an exit is handled, or in the control context with the VM off.
 */
void vhost_set_owner(struct vhost_net *n);
void vhost_set_features(struct vhost_net *n, uint64_t features);
/*
 * vhost_set_offloads() - which packets the driver takes whole from now on: the
 * GUEST_ ones of @features.
 */
void vhost_set_offloads(struct vhost_net *n, uint64_t features);
/*
 * vhost_set_vring() - num, addr, base in one: 0, or -EINVAL with a reason in
 * vring->vq.broken. The vring is stopped.
 */
int vhost_set_vring(struct vhost_net *n, unsigned index, unsigned size, uint64_t desc,
		    uint64_t avail, uint64_t used);
void vhost_set_vring_call(struct vhost_net *n, unsigned index,
			  void (*call)(void *arg, unsigned index), void *arg);
/*
 * vhost_net_set_backend() - from now on the vring is served; looks at once for what
 * was made available before.
 */
void vhost_net_set_backend(struct vhost_net *n, unsigned index);
/*
 * vhost_net_stop_vring() - from now on nobody touches its memory. vhost_net_stop() - all; the
 * worker purges the tap's queue.
 */
void vhost_net_stop_vring(struct vhost_net *n, unsigned index);
void vhost_net_stop(struct vhost_net *n);

/*
 * vhost_kick() - the guest rang the doorbell of @index. vCPU's core, vm->lock not held.
 * Harmless before DRIVER_OK.
 */
void vhost_kick(struct vhost_net *n, unsigned index);

/*
 * vhost_guest_left() - a vCPU of core @cpu, this one, went back to the core loop: it sleeps, its
 * slice is over, or there is work. The vrings that wait for this are put on the work list.
 */
void vhost_guest_left(unsigned cpu);

/* vhost_init() - registers SOFTIRQ_VHOST. */
void vhost_init(void);

/* --- between vhost.c, vhost_net.c and tap.c: on the worker's core --- */

/* vhost_poll_queue() - have @v served. Any context of any core but hard interrupts. */
void vhost_poll_queue(struct vhost_vring *v);
/*
 * vhost_serve() - one round of handle() under the mutex, then tell the guest; handle()
 * returns whether work is left.
 */
void vhost_serve(struct vhost_vring *v, bool (*handle)(struct vhost_vring *v));
/*
 * vhost_wait() - @v has no more buffers, and had @took in this round: arrange for the next look.
 * Returns true if one came in meanwhile. Mutex held.
 */
bool vhost_wait(struct vhost_vring *v, unsigned took);
/* vhost_measure(), vhost_waits() - a ring's policy_ops: vhost_measure.c. */
int vhost_measure(struct policy_queue *q, bool on);
const struct histogram *vhost_waits(const struct policy_queue *q);
void vhost_told_now(struct vhost_vring *v);

/* vhost_told() - there is something in @v from now on. Any core. */
static inline void vhost_told(struct vhost_vring *v)
{
	if (unlikely(v->measure))
		vhost_told_now(v);
}

/* vhost_wait_otherwise() - the same where nobody waits for the guest's end: vhost_policy.c. */
bool vhost_wait_otherwise(struct vhost_vring *v, unsigned took);
/* vhost_policy_init() - @v, whose port is known, is a queue like others. */
void vhost_policy_init(struct vhost_vring *v);
/* vhost_policy_shares() - policy or cores have changed: v->shares. */
void vhost_policy_shares(struct vhost_vring *v);
/*
 * vhost_expect() - the guest may answer by @v: if it did so the last time, it need not kick. Takes
 * v's mutex; a receive ring's may be held, no other.
 */
void vhost_expect(struct vhost_vring *v);

/* handle_tx_kick(), handle_rx_kick() - the work of the two vrings. */
void handle_tx_kick(struct vhost_work *w);
void handle_rx_kick(struct vhost_work *w);
