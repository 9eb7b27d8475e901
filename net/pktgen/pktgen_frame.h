/* SPDX-License-Identifier: MIT */
/*
 * pktgen_frame.h - the packets that a generator sends: headers once a run, the rest once a packet
 */
#pragma once

struct pkt;
struct pktgen;

/* pktgen_frame_init() - all headers of a run, as far as its packets have them in common. */
void pktgen_frame_init(struct pktgen *g);

/*
 * pktgen_frame() - the next packet: whose turn it is, how long, numbered and
 * stamped. NULL: no buffer.
 */
struct pkt *pktgen_frame(struct pktgen *g);

/* pktgen_sample() - the first packet of a run that does not take place. NULL: no buffer. */
struct pkt *pktgen_sample(struct pktgen *g);
