/* SPDX-License-Identifier: MIT */
/*
 * udp.h - UDP [RFC 768], and the two old services that Weir has: echo [RFC
 * 862] and discard [RFC 863]
 */
#pragma once

#include "inet.h"

/* udp_rcv() - of either family; for inet_protos. */
void udp_rcv(struct inet_rx *rx);
