/* SPDX-License-Identifier: MIT */
/*
 * gso.h - generic segmentation: long packets cut into frames that a wire takes
 *
 * A packet with PKT_GSO (kernel/pkt.h says what that is) comes from GRO or from a guest that
 * leaves the cutting to its device. It crosses Weir whole, and is cut where it leaves by a device
 * that cannot: net/validate.c.
 *
 * Payload is not copied where a segment's part of it is buffers of its own: headers are put
 * in front of it. So who makes such packets lets each segment begin a buffer; what GRO
 * merges lies so by itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"

enum {
	GSO_HEADERS_MAX = PKT_HEADROOM - 4, /* bytes; a tag may still come to them */
	GSO_MAX_SIZE = 65536,               /* Linux: gro_max_size; no IP packet is as long */
};

/* where the headers of a frame stand, in bytes from its first */
struct gso_headers {
	uint16_t l3, l4;
	uint16_t len;       /* of all of them */
	uint8_t type;       /* enum pkt_gso */
	uint8_t csum_field; /* where the checksum stands in TCP's or UDP's header */
};

/*
 * gso_headers() - of a frame whose first @n bytes lie at @frame. False if it is not TCP or UDP that
 * could be cut: a fragment, more than two tags, headers that do not fit @n or GSO_HEADERS_MAX.
 */
bool gso_headers(const uint8_t *frame, uint32_t n, struct gso_headers *h);

/* a packet that is being cut */
struct gso {
	struct pkt *rest; /* payload that is left, without headers; NULL: none */
	struct pkt like;  /* what its segments inherit */
	struct gso_headers h;
	uint32_t left; /* bytes of payload */
	uint32_t done; /* segments */
	uint8_t header[PKT_HEADROOM];
};

/* gso_begin() - take @p apart, which has PKT_GSO, and headers that gso_headers() found. */
void gso_begin(struct gso *g, struct pkt *p, const struct gso_headers *h);

/*
 * gso_next() - the next segment, its checksum still PKT_CSUM_PARTIAL. NULL: there is none. If
 * g->rest is not NULL then, this core's pool had no buffer; that packet is the caller's to drop.
 */
struct pkt *gso_next(struct gso *g);
