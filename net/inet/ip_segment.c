/* SPDX-License-Identifier: MIT */
/* ip_segment.c - see ip_segment.h. On the core that has the packet. Owns nothing. */
#include "ip_segment.h"

#include "drivers/netdev.h"
#include "net/bytes.h"

void ip_segment_begin(struct gso *g, struct pkt *p)
{
	struct gso_headers h;

	bytes_push(p, ETH_HLEN); /* the flags' offsets count from the frame's first byte */
	if (gso_headers(p->data, p->len, &h)) {
		gso_begin(g, p, &h);
	} else { /* nobody makes such; it is what is left over */
		g->rest = p;
		g->left = g->done = 0;
	}
}

struct pkt *ip_segment_next(struct gso *g)
{
	struct pkt *p = gso_next(g);

	if (p)
		bytes_pull(p, ETH_HLEN);
	return p;
}
