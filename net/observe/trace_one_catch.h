/* SPDX-License-Identifier: MIT */
/*
 * trace_one_catch.h - between those who look out for the frame of `trace one`, and
 * trace_one.c, which hands it on
 */
#pragma once

#include "trace_one.h"

/*
 * trace_one_claim() - a frame came in by @queue of @port: is it the one, and this core's?
 * Then whoever asks fills in what is returned, and calls trace_one_have() with its row, or
 * trace_one_unclaim() if it came to nothing. NULL: it is not. On the core that received it,
 * in the hard interrupt too.
 */
struct trace_one *trace_one_claim(const struct port *port, unsigned queue);
void trace_one_have(struct path_row its);
void trace_one_unclaim(void);

/*
 * trace_one_write() - write down what @p is, before anything is done with
 * it. For who has claimed it.
 */
void trace_one_write(struct port *port, unsigned queue, const struct pkt *p);

/*
 * trace_one_nic.c: trace_one_watch_nics() - look out in all NICs' queues, or
 * no longer. Cores parked.
 */
void trace_one_watch_nics(bool on);
