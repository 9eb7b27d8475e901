/* SPDX-License-Identifier: MIT */
/*
 * trace.h - record points, always compiled in
 *
 * Each core writes its own ring, oldest entries are overwritten. Off, a point costs a load and a branch; whether a
 * batch is recorded is decided once a batch.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "shell.h"

#define TRACE_POINTS(X)                                \
	X(HARD_IRQ, "hard_irq", "vector, irq number")  \
	X(POLL, "poll", "napi, packets taken")         \
	X(RX, "rx", "port, packets")                   \
	X(LOOKUP, "lookup", "port, packets looked up") \
	X(UPCALL, "upcall", "port, flow hash")         \
	X(XMIT, "netdev_start_xmit", "port, packets")  \
	X(DROP, "drop", "reason, frame length")        \
	X(LINK, "link", "port, up")                    \
	X(TIMER, "timer", "0, 0")                      \
	X(XCORE, "xcore", "to core, packets")

enum trace_point {
#define X(id, name, args) TRACE_##id,
	TRACE_POINTS(X)
#undef X
		TRACE_N
};

/* what record points are looked at for */
enum { TRACE_RECORD = BIT(0), TRACE_TIME_IRQS = BIT(1) };

extern unsigned trace_on; /* sysctl kernel.trace is its TRACE_RECORD */

void trace_record(enum trace_point p, uint64_t a, uint64_t b);

static inline void trace(enum trace_point p, uint64_t a, uint64_t b)
{
	/* its first byte is 0 or 1, and a byte is compared with a constant where it lies */
	if (__builtin_expect(*(const uint8_t *)&trace_on, 0))
		trace_record(p, a, b);
}

/*
 * What else can be traced, by the room that knows of it: `trace WORD...` with other words than on, off, show, clear.
 */
struct trace_command {
	bool (*takes)(int n, const struct word *w); /* is this line its? */
	int (*run)(struct shell *sh, int n, const struct word *w);
	void (*complete)(int n, const struct word *w, void (*add)(void *to, const char *s),
			 void *to);
};

SET_DECLARE(const struct trace_command, trace_commands);
#define TRACE_COMMAND(id, ...) \
	static const struct trace_command id SET_ENTRY(trace_commands) = { __VA_ARGS__ }

void trace_init(void); /* after the pools: a ring for each core */
