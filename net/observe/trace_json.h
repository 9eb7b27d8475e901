/* SPDX-License-Identifier: MIT */
/*
 * trace_json.h - a file of trace events on the host, as ui.perfetto.dev and chrome://tracing
 * open it [Trace Event Format]
 *
 * A line an event, sent in pieces while it is made. Times are TSC here and microseconds with
 * three digits there, of one clock, since boot. What Perfetto asks of such a file: a thread's
 * number is nobody else's, slices of a thread lie one in another or apart, a flow's events lie in
 * slices and in order of time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_JSON_PIECE = 4096, TRACE_JSON_LINE = 512 };

struct trace_json {
	int handle;      /* of the host's file */
	int err;         /* it takes no more */
	unsigned events; /* so far */
	uint64_t bytes;
	/* a moment by both clocks */
	uint64_t now_tsc, now_ns;
	unsigned n; /* bytes of buf */
	char buf[TRACE_JSON_PIECE + TRACE_JSON_LINE];
};

/* where an event belongs: a process and a thread of it */
struct trace_place {
	unsigned pid, tid;
};

/*
 * trace_json_begin() - a new file. 0 or what hostlink_create() says. trace_json_end() - it
 * is whole. 0 or an errno.
 */
int trace_json_begin(struct trace_json *j, const char *name);
int trace_json_end(struct trace_json *j);

/* trace_json_name() - of the process, or of the thread. */
void trace_json_name(struct trace_json *j, struct trace_place at, bool thread, const char *name);

/* trace_json_slice(), trace_json_instant() - @args is what stands in the braces, "" for nothing. */
void trace_json_slice(struct trace_json *j, struct trace_place at, uint64_t begin, uint64_t end,
		      const char *name, const char *args);
void trace_json_instant(struct trace_json *j, struct trace_place at, uint64_t tsc, const char *name,
			const char *args);

/*
 * trace_json_flow() - where flow @id is at @ns since boot: 's' it begins, 't'
 * it comes by, 'f' it ends.
 */
void trace_json_flow(struct trace_json *j, struct trace_place at, uint64_t ns, char phase,
		     unsigned id);

/* trace_json_ns() - TSC @tsc as nanoseconds since boot. */
uint64_t trace_json_ns(const struct trace_json *j, uint64_t tsc);
