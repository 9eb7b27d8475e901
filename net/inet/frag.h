/* SPDX-License-Identifier: MIT */
/*
 * frag.h - fragments put together again, for packets that are for Weir [RFC 791 3.2, RFC 8200 4.5]
 *
 * What is known about missing parts of packets is somebody else's memory to fill, so all of it is
 * limited: buffers of each family (ipfrag_high_thresh), fragments of a packet, time
 * (ipfrag_time). Fragments that overlap are nothing an honest sender makes: the packet goes [RFC
 * 5722]. The same one twice is harmless.
 */
#pragma once

#include "inet.h"

enum { FRAG_BUFFERS_MAX = 2048, FRAG_OF_ONE_MAX = 128 };

struct frag_info {
	uint32_t id;
	uint32_t off; /* of the payload in the whole one's, bytes */
	bool more;    /* it is not the last */
};

/*
 * frag_add() - @rx is a fragment: rx->l4 says where its payload begins, and what stands before it
 * in the first fragment stands before the whole. Takes rx->p. Returns true if it was the one that
 * was missing: rx->p is the whole packet then.
 */
bool frag_add(struct inet_rx *rx, const struct frag_info *info);

/* frag_buffers() - that fragments hold now, of one family. */
unsigned frag_buffers(bool v6);

void frag_tick(void); /* once a second, core 0: give up what is too old */
/* frag_port_gone() - give up what came in by @port. Cores parked. */
void frag_port_gone(const struct port *port);
void frag_init(void);
