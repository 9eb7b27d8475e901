/* SPDX-License-Identifier: MIT */
/* frag_out.h - cutting packets that are too long for a link [RFC 791 2.3, RFC 8200 4.5] */
#pragma once

#include "inet.h"

/*
 * ip_fragment() - @p, from its IP header on and longer than @port takes, to
 * @next, in pieces. Takes @p.
 */
void ip_fragment(struct pkt *p, struct port *port, const struct inet_addr *next);
