/* SPDX-License-Identifier: MIT */
/*
 * tc_filter.h - the ingress hook of a port: programs that say which packets come no further
 *
 * Linux's clsact qdisc with cls_bpf filters and a gact action. A packet is shown to the filters
 * of its port by their preference, lowest first; the first whose program wants it decides. Who
 * is wanted by none goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf.h"
#include "port.h"

enum tc_action { TC_ACT_OK, TC_ACT_SHOT };

enum {
	TC_FILTERS_MAX = 64, /* a port */
	TC_FILE = 48,        /* bytes of a file's name */
	/* of a filter that names none; the next such one goes in front of all */
	TC_PREF_FIRST = 49152,
};

struct tc_filter {
	struct tc_filter *next; /* by preference, then by age */
	struct bpf_prog *prog;
	char file[TC_FILE]; /* of the boot archive, that the program came from; or "" */
	enum tc_action action;
	uint16_t pref;
	uint32_t handle; /* tells those of one preference apart, from 1 */
	struct tc_hits {
		uint64_t packets, bytes;
	} hits[MAX_CPUS]; /* by each core */
};

/*
 * tc_filter_ingress() - let @port's filters look at pkts[]; returns how many go on, which
 * are pkts[] then. Any core.
 */
unsigned tc_filter_ingress(struct port *port, struct pkt **pkts, unsigned n);

/* Control context; what changes the lists parks the cores. */

/*
 * tc_clsact() - is there a hook at @port? tc_clsact_set() - make one, or take
 * it away with its filters.
 */
bool tc_clsact(const struct port *port);
void tc_clsact_set(struct port *port, bool on);

/* tc_filter_first() - the filters of @port, linked by next. */
const struct tc_filter *tc_filter_first(const struct port *port);

/*
 * tc_filter_add() - @f, from malloc, and its program are the hook's from now on. 0 or
 * -ENOSPC. pref 0: see above.
 */
int tc_filter_add(struct port *port, struct tc_filter *f);

/*
 * tc_filter_del() - all of @pref, or of any with 0; only @handle, unless that is 0.
 * Returns how many there were.
 */
unsigned tc_filter_del(struct port *port, unsigned pref, unsigned handle);
