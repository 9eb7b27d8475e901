/* SPDX-License-Identifier: MIT */
/*
 * icmp_error.h - telling a sender why its packet did not arrive, within the limits that keep
 * that from being a nuisance
 */
#pragma once

#include "inet.h"

enum icmp_why {
	ICMP_ERR_NET,     /* no route */
	ICMP_ERR_HOST,    /* a route, but nobody there */
	ICMP_ERR_PROTO,   /* nobody takes that protocol; IPv6: its parameter problem */
	ICMP_ERR_PORT,    /* nor that port */
	ICMP_ERR_TOO_BIG, /* @info: the MTU that it met */
	ICMP_ERR_TTL,
	ICMP_ERR_FRAG_TIME, /* fragments are missing */
	ICMP_ERR_PARAM,     /* @info: offset of what is wrong */
	ICMP_ERR_OPTION,    /* the same of an option that is unknown */
	ICMP_ERR_N
};

/* icmp_error() - about @rx, which stays the caller's. Says nothing where a standard forbids it. */
void icmp_error(const struct inet_rx *rx, enum icmp_why why, uint32_t info);

/*
 * icmp_host_unreachable() - @p, from its IP header on, would have left by @port,
 * but nobody answers there.
 */
void icmp_host_unreachable(struct port *port, struct pkt *p);

void icmp_error_init(void);
