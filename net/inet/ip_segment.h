/* SPDX-License-Identifier: MIT */
/*
 * ip_segment.h - long packets, PKT_GSO, where they cannot stay whole: for a service of
 * Weir's own, or as fragments
 */
#pragma once

#include <stdint.h>

#include "net/gso.h"

/*
 * ip_segment_begin() - take @p apart, which has PKT_GSO: from its IP header on, in front of
 * which its Ethernet header still lies. ip_segment_next() - the next segment, from its IP
 * header on; else as gso_next().
 */
void ip_segment_begin(struct gso *g, struct pkt *p);
struct pkt *ip_segment_next(struct gso *g);

/*
 * ip_segment_len() - of the longest, from its IP header on, while @p is still whole [Linux:
 * skb_gso_network_seglen()].
 */
uint32_t ip_segment_len(const struct pkt *p);
