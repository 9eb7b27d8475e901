/* SPDX-License-Identifier: MIT */
/*
 * trace.h - record points, always compiled in
 *
 * Each core writes its own ring, oldest entries are overwritten. Off, a point costs a load and
 * a branch; whether a batch is recorded is decided once a batch. A point is an instant, or,
 * where somebody looked at the clock before, a span that ends there. Spans that are not worth
 * even the branch are recorded by functions that stand in the place of others while records
 * are kept: TRACE_WATCHER.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"
#include "shell.h"

#define TRACE_POINTS(X)                                \
	X(HARD_IRQ, "hard_irq", "vector, irq number")  \
	X(SOFTIRQ, "softirq", "action")                \
	X(POLL, "poll", "napi, packets taken")         \
	X(RX, "rx", "port, packets")                   \
	X(LOOKUP, "lookup", "port, packets looked up") \
	X(UPCALL, "upcall", "port, flow hash")         \
	X(XMIT, "netdev_start_xmit", "port, packets")  \
	X(DROP, "drop", "reason, frame length")        \
	X(LINK, "link", "port, up")                    \
	X(TIMER, "timer", "0, 0")                      \
	X(XCORE, "xcore", "to core, packets")          \
	X(TURN, "vcpu_enter", "vcpu")                  \
	X(GUEST, "guest", "vcpu, exit")                \
	X(INJECT, "inject_irq", "vcpu, vector")

enum trace_point {
#define X(id, name, args) TRACE_##id,
	TRACE_POINTS(X)
#undef X
		TRACE_N
};

/* what record points are looked at for */
enum { TRACE_RECORD = BIT(0), TRACE_TIME_IRQS = BIT(8) };

extern unsigned trace_on;

/*
 * trace_record() - now. trace_record_span() - from TSC @begin to @end, by the
 * core that it happened on.
 */
void trace_record(enum trace_point p, uint64_t a, uint64_t b);
void trace_record_span(enum trace_point p, uint64_t begin, uint64_t end, uint64_t a, uint64_t b);

static inline void trace(enum trace_point p, uint64_t a, uint64_t b)
{
	/* its first byte is 0 or 1, and a byte is compared with a constant where it lies */
	if (__builtin_expect(*(const uint8_t *)&trace_on, 0))
		trace_record(p, a, b);
}

/* trace_recording() - are records kept? For who looks at the clock only then. */
static inline bool trace_recording(void)
{
	return __builtin_expect(*(const uint8_t *)&trace_on, 0);
}

/*
 * a function that is told, with the cores parked, that records are kept from now on, or no longer
 */
typedef void (*trace_watcher)(bool on);

SET_DECLARE(const trace_watcher, trace_watchers);
#define TRACE_WATCHER(fn) static const trace_watcher fn##_entry SET_ENTRY(trace_watchers) = fn

/* a record as who reads them sees it */
struct trace_event {
	uint64_t begin, end; /* TSC; the same, but for a span */
	uint64_t a, b;       /* what the point's text names */
	enum trace_point point;
	unsigned cpu;
};

enum { TRACE_RING = 1024 }; /* records a core */

struct trace_text {
	const char *name, *args; /* names of a and b, a comma between; none, or 0: of no meaning */
};

extern const struct trace_text trace_text[TRACE_N];

/* trace_set() - keep records from now on, or no longer. Control context; parks the cores. */
void trace_set(bool on);

/*
 * trace_stop_after() - each core keeps @n more records and then no further ones, so that what is
 * there stays; 0: all again. Any core.
 */
void trace_stop_after(uint32_t n);

/*
 * trace_collect() - the last @max records of all cores into e[], the newest first. Returns
 * how many. Control context.
 */
unsigned trace_collect(struct trace_event *e, unsigned max);

/* trace_arg() - argument @nr, 0 or 1, as who knows names for it writes it. */
void trace_arg(const struct trace_event *e, unsigned nr, char *text, size_t size);

/* trace_args() - what @e's arguments are, in words. */
void trace_args(const struct trace_event *e, char *text, size_t size);

/*
 * What else can be traced, by the room that knows of it: `trace WORD...` with other words
 * than on, off, show, clear.
 */
struct trace_command {
	const char *what;                           /* its first word: "path", "a NIC's name" */
	bool (*takes)(int n, const struct word *w); /* is this line its? */
	int (*run)(struct shell *sh, int n, const struct word *w);
	void (*complete)(int n, const struct word *w, void (*add)(void *to, const char *s),
			 void *to);
};

SET_DECLARE(const struct trace_command, trace_commands);
#define TRACE_COMMAND(id, ...) \
	static const struct trace_command id SET_ENTRY(trace_commands) = { __VA_ARGS__ }

void trace_init(void); /* after the pools: a ring for each core */
