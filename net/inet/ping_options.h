/* SPDX-License-Identifier: MIT */
/* ping_options.h - what the words behind `ping` ask for; for ping.c alone */
#pragma once

#include "kernel/shell.h"
#include "inet.h"

struct ping_options {
	unsigned long count, size, interval_ms, ttl, wait_ms;
	bool df;
	const char *name; /* of @dst, as typed */
	struct inet_addr dst;
	struct port *port; /* to leave by; NULL: by the route */
};

/*
 * ping_read_line() - the whole line of @sh; says what was expected if it is wrong. 0 or
 * -EINVAL. Control context.
 */
int ping_read_line(struct shell *sh, struct ping_options *o);
