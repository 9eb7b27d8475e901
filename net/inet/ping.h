/* SPDX-License-Identifier: MIT */
/* ping.h - `ping`: what comes back to it. On the core that has the packet. */
#pragma once

#include "inet.h"

/* ping_reply() - @rx is an echo reply. It stays the caller's. */
void ping_reply(const struct inet_rx *rx);

/*
 * ping_error() - an ICMP error of @type and @code came from @from (inet_any: Weir itself) about
 * packet @p, whose IP header begins at @off and of which there may be no more than that and eight
 * bytes. @p stays the caller's.
 */
void ping_error(const struct inet_addr *from, bool v6, unsigned type, unsigned code,
		const struct pkt *p, uint32_t off);
