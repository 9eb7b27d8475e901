/* SPDX-License-Identifier: MIT */
/*
 * trace_export.h - what `trace export` writes: a copy of records and rows, and where
 * each belongs in the file
 *
 * Processes are the cores, the stamped packets and each guest; threads of them are
 * a core, a packet, a vCPU.
 */
#pragma once

#include "kernel/path.h"
#include "kernel/shell.h"
#include "kernel/trace.h"
#include "trace_json.h"

enum { TRACE_ROWS = 64, TRACE_NAME = 48 };

struct trace_export {
	struct shell *sh;
	struct trace_json json;
	struct trace_event *event; /* the newest first */
	unsigned events;
	struct path_stamp row[TRACE_ROWS];
	unsigned rows, arrows;
	bool stopped;
};

/* and where their threads' numbers begin: no two threads may have the same */
enum { PID_CORES = 1, PID_PACKETS = 2, PID_GUESTS = 10 };
enum { TID_CORES = 1, TID_GUESTS = 1000, TID_PACKETS = 1 << 20, VCPU_BITS = 8 };

static inline struct trace_place trace_core(unsigned cpu)
{
	return (struct trace_place){ PID_CORES, TID_CORES + cpu };
}

/* trace_vcpu() - @nr as record points number them: guest, then vCPU. */
static inline struct trace_place trace_vcpu(unsigned nr)
{
	return (struct trace_place){ PID_GUESTS + (nr >> VCPU_BITS), TID_GUESTS + nr };
}

static inline struct trace_place trace_packet(unsigned row)
{
	return (struct trace_place){ PID_PACKETS, TID_PACKETS + row };
}

static inline struct trace_place trace_place_of(const struct trace_event *e)
{
	return e->point == TRACE_GUEST ? trace_vcpu(e->a) : trace_core(e->cpu);
}

static inline bool trace_is_span(const struct trace_event *e)
{
	return e->point == TRACE_HARD_IRQ || e->point == TRACE_SOFTIRQ || e->point == TRACE_POLL ||
	       e->point == TRACE_TURN || e->point == TRACE_GUEST;
}

/*
 * trace_queue() - the name of the NIC's queue whose NAPI instance has number @id;
 * else what else there is.
 */
const char *trace_queue(unsigned id);

/*
 * trace_say_packets() - each row as a track of its stages, and as an arrow through the slices
 * that it passed: x->arrows.
 */
void trace_say_packets(struct trace_export *x);
