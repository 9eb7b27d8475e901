/* SPDX-License-Identifier: MIT */
/* ip_segment.c - see ip_segment.h. On the core that has the packet. Owns nothing. */
#include "ip_segment.h"

#include "drivers/netdev.h"
#include "net/bytes.h"

enum { TCP_DOFF = 12 }; /* where TCP's header has its length */

uint32_t ip_segment_len(const struct pkt *p)
{
	uint32_t l4 = p->csum_start - ETH_HLEN;
	uint32_t hlen = p->gso_type == PKT_GSO_UDP_L4 ? UDP_HLEN
						      : (p->data[l4 + TCP_DOFF] >> 4) * 4;

	return l4 + hlen + p->gso_size;
}

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
