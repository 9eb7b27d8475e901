/* SPDX-License-Identifier: MIT */
/*
 * gbe_offload.h - what a frame asks of the chip beside being carried: a checksum, a
 * tag, to be cut into segments
 *
 * A packet says it by flags and offsets (kernel/pkt.h), a chip wants it as a context descriptor in
 * front of the frame's own. gbe_offload_of() reads the packet once, checks it against its bytes,
 * and leaves struct gbe_offload, from which each kind of descriptor is made (igb_tx.c, e1000_tx.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gbe.h"

/* flags of a packet that ask for something */
#define GBE_TX_ASKS (PKT_CSUM_PARTIAL | PKT_VLAN | PKT_GSO)

struct gbe_offload {
	bool csum; /* of TCP or UDP, l3 to header_len valid */
	bool tso;  /* mss valid */
	bool tag;  /* tci valid */
	bool ipv6, tcp;
	uint8_t l3, l4;     /* bytes in front of these headers */
	uint8_t csum_at;    /* where the checksum goes */
	uint8_t header_len; /* bytes of all headers */
	uint16_t mss;       /* of payload a segment */
	uint16_t tci;
	uint32_t payload; /* bytes behind the headers */
};

/*
 * gbe_offload_of() - what @p asks for. False if it is what its bytes do not
 * have: it cannot be sent.
 */
bool gbe_offload_of(const struct pkt *p, struct gbe_offload *o);
/*
 * gbe_offload_take_length_out() - of a frame to be cut, out of the pseudo header's sum, and IPv4's
 * checksum: the chip puts in those of each segment. Once, when it is certain to be sent.
 */
void gbe_offload_take_length_out(struct pkt *p, const struct gbe_offload *o);

/* gbe_tx_refuse() - drop it; counted among tx_errors. Owning core. */
void gbe_tx_refuse(struct gbe_tx *tx, struct pkt *p);
