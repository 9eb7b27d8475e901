/* SPDX-License-Identifier: MIT */
/*
 * stream.h - what a generator puts behind the UDP header, so that a sink can say
 * what became of each packet
 *
 * Weir's pktgen and the tiny guest's write it, Weir's sink reads it. With Ethernet, IPv4 and UDP in
 * front it fills the shortest frame there is: 14 + 20 + 8 + 18 = 60 bytes. All that a sink cannot
 * see is how many were sent behind the last one that came.
 */
#pragma once

#include <stdint.h>

#include "bits.h"

#define STREAM_MAGIC      UINT32_C(0x57454900) /* "WEI" */
#define STREAM_MAGIC_MASK BITS(31, 8)
#define STREAM_RUN        BITS(7, 0) /* one up with each start: a new run counts from 0 */

#define STREAM_ID   BITS(15, 12) /* of a generator */
#define STREAM_FLOW BITS(11, 0)  /* within it */

enum { STREAMS = 16, STREAM_FLOWS = 4096 };

/* all members in the order of the wire */
struct stream_hdr {
	uint32_t magic;
	uint16_t id;
	uint32_t seq;   /* of its flow, from 0 */
	uint64_t stamp; /* TSC when it was built; 0: none */
} __attribute__((packed));

_Static_assert(sizeof(struct stream_hdr) == 18, "the shortest frame has no more room");
