/* SPDX-License-Identifier: MIT */
/*
 * skb.h - a frame, or a piece of one, in a buffer of 2 KiB
 *
 * Where the device put it is where the reply goes out from: in front of the frame there is
 * room for virtio's header.
 */
#pragma once

#include <stdint.h>

#include "virtio_regs.h"

enum {
	SKB_SIZE = 2048,
	SKB_ROOM = SKB_SIZE - 64,
	SKB_HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
	SKB_FRAME = SKB_ROOM - SKB_HEADER, /* of a frame, in its first buffer */
	SKBS = 2560,
};

struct net_device;

struct skb {
	struct skb *next;   /* in a queue */
	struct skb *frag;   /* the rest of the frame */
	uint8_t *data;      /* of the frame; in the first buffer behind the header */
	uint32_t len;       /* bytes of it here */
	uint32_t frame_len; /* bytes of it in all; the first buffer's */
	struct net_device *dev;
	uint8_t buf[] __attribute__((aligned(64)));
};

_Static_assert(offsetof(struct skb, buf) == SKB_SIZE - SKB_ROOM, "a buffer does not cross a page");

struct skb_queue {
	struct skb *head, **tail;
	unsigned n;
};

/*
 * skb_alloc() - one buffer, data behind the header; NULL: the pool is empty. skb_free() -
 * it and what hangs on it.
 */
struct skb *skb_alloc(void);
void skb_free(struct skb *skb);
/*
 * skb_alloc_frame() - buffers for a frame of @len bytes, lengths filled in;
 * NULL: not enough of them.
 */
struct skb *skb_alloc_frame(uint32_t len);
unsigned skb_available(void);

void skb_queue_init(struct skb_queue *q);
void skb_queue_tail(struct skb_queue *q, struct skb *skb);
struct skb *skb_dequeue(struct skb_queue *q);
