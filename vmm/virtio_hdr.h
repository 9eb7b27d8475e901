/* SPDX-License-Identifier: MIT */
/*
 * virtio_hdr.h - what virtio-net's header says of a frame, and what a packet says of itself
 *
 * Linux: virtio_net_hdr_to_skb(), virtio_net_hdr_from_skb(). On the way out of a guest the header
 * is guest-controlled: these functions get a copy, and check it against the features and the frame.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"
#include "net/gso.h"

/* in front of each frame [virtio 1.2 5.1.6]; little-endian */
struct virtio_net_hdr {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers; /* that the frame spans, on the way in */
};

/*
 * virtio_hdr_allowed() - may a driver with @features send such a header? It
 * asks for nothing else then.
 */
bool virtio_hdr_allowed(const struct virtio_net_hdr *hdr, uint64_t features);

/* virtio_hdr_fits() - of one that asks for segments: is it about the headers that the frame has? */
bool virtio_hdr_fits(const struct virtio_net_hdr *hdr, const struct gso_headers *h);

/*
 * virtio_hdr_to_pkt() - PKT_CSUM_PARTIAL, if asked for. False: the checksum's place is not
 * in the first buffer of @p.
 */
bool virtio_hdr_to_pkt(const struct virtio_net_hdr *hdr, struct pkt *p);

/*
 * virtio_hdr_from_pkt() - all of @hdr but num_buffers, which is 0, for a driver with
 * @features that takes @p so.
 */
void virtio_hdr_from_pkt(struct virtio_net_hdr *hdr, const struct pkt *p, uint64_t features);

/* virtio_hdr_features() - enum netdev_feature: the packets that a driver with @features takes. */
uint32_t virtio_hdr_features(uint64_t features);
