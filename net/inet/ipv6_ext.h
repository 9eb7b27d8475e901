/* SPDX-License-Identifier: MIT */
/* ipv6_ext.h - IPv6's extension headers [RFC 8200 4] */
#pragma once

#include "inet.h"

/* ipv6_hop_by_hop() - the one header that every router looks at. False: @rx was dropped for it. */
bool ipv6_hop_by_hop(struct inet_rx *rx);

/*
 * ipv6_deliver() - @rx is for Weir: through the headers in front of its
 * protocol to that. Takes rx->p.
 */
void ipv6_deliver(struct inet_rx *rx);
