/* SPDX-License-Identifier: MIT */
/*
 * tap.h - a guest's port, the queue behind it, and the copy between packets and buffers
 *
 * Only the worker's core transmits to the port (txq_of_cpu), so the queue needs no lock: xmit.c
 * brings what comes from other cores there. One copy a frame each way.
 */
#pragma once

#include "drivers/netdev.h"
#include "vhost.h"
#include "virtio_hdr.h"

enum {
	VIRTIO_NET_HDR = sizeof(struct virtio_net_hdr),
	TAP_SLOTS = 2048, /* a power of two; VHOST_TAP_QUEUE of them are used, and a long frame's */
	TAP_FRAME_MAX = ETH_HLEN + 2 * VLAN_HLEN + 9000,
	TAP_LONG_MAX = ETH_HLEN + 2 * VLAN_HLEN + 65535, /* of what is to be cut */
	TAP_BUFFERS_MAX = VIRTQ_SEGS_MAX                 /* that a merged frame may span */
};

/*
 * tap_open() - the port and its queue. 0 or a negative errno, as vhost_net_open().
 *
 * The queue is counted in packet buffers: a frame takes as many slots as it has, of which the first
 * says where it is. It holds VHOST_TAP_QUEUE of them, or its part of a third of a core's pool, if
 * that is less: 256 with four taps.
 */
int tap_open(struct vhost_net *n, const char *name, const uint8_t mac[6], unsigned mtu);

/* tap_queued() - buffers that wait. tap_frames() - in how many frames: a walk, for audits. */
static inline unsigned tap_queued(const struct vhost_net *n)
{
	return n->queue_head - n->queue_tail;
}

unsigned tap_frames(const struct vhost_net *n);

/* tap_peek() - the packet that waits longest, NULL if none does. */
static inline struct pkt *tap_peek(const struct vhost_net *n)
{
	return tap_queued(n) ? n->queue[n->queue_tail % TAP_SLOTS] : NULL;
}

/* tap_take() - that packet, which now is the caller's. */
static inline struct pkt *tap_take(struct vhost_net *n)
{
	struct pkt *p = n->queue[n->queue_tail % TAP_SLOTS];

	n->queue_tail += p->nsegs;
	return p;
}

/* tap_delivered() - that packet was copied to the guest. */
static inline void tap_delivered(struct vhost_net *n)
{
	n->delivered++;
	pkt_free(tap_take(n));
}

/*
 * tap_drop() - that packet goes nowhere. tap_purge_first() - because it was meant for
 * another driver, or the same with other offloads. tap_purge() - nor do others, until at
 * most @keep buffers wait.
 */
void tap_drop(struct vhost_net *n, enum drop_reason why);
void tap_purge_first(struct vhost_net *n);
void tap_purge(struct vhost_net *n, unsigned keep);

/*
 * tap_share() - buffers that may wait in a tap, as things are. tap_explain() -
 * port->ops->explain: tap_explain.c.
 */
unsigned tap_share(void);
void tap_explain(struct port *port, const struct pkt *p, struct shell *sh);

/* --- tun_get.c, tun_put.c --- */

/*
 * tun_get_user() - the frame that the guest put into @c, which has pieces to read only, as a
 * packet. Returns NULL if it was dropped: counted at the port's ingress mouth as one that came in.
 */
struct pkt *tun_get_user(struct vhost_net *n, const struct virtq_chain *c);

/*
 * tun_put_user() - copy @p into the next buffers of @vq and push them; the caller publishes.
 * Returns what it costs of the weight, 1 for a frame in few pieces, or 0: too few buffers now,
 * -EMSGSIZE: never enough of them, -EINVAL: the queue broke.
 */
int tun_put_user(const struct vhost_net *n, struct virtq *vq, const struct pkt *p);
