/* SPDX-License-Identifier: MIT */
/*
 * trace_json.c - see trace_json.h. Called by trace_export.c in the control context; owns nothing.
 */
#include "trace_json.h"

#include "kernel/hostlink.h"
#include "kernel/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void send(struct trace_json *j)
{
	if (j->n && j->err >= 0)
		j->err = hostlink_write(j->handle, j->buf, j->n);
	j->bytes += j->n;
	j->n = 0;
}

static void __attribute__((format(printf, 2, 3))) add(struct trace_json *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	j->n += vsnprintf(j->buf + j->n, sizeof(j->buf) - j->n, fmt, ap);
	va_end(ap);
}

/* open_event() - up to its place; the event before gets its comma. */
static void open_event(struct trace_json *j, char phase, struct trace_place at)
{
	if (j->n >= TRACE_JSON_PIECE)
		send(j);
	add(j, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u", j->events++ ? ",\n" : "", phase, at.pid,
	    at.tid);
}

static void add_us(struct trace_json *j, const char *key, uint64_t ns)
{
	add(j, ",\"%s\":%lu.%03lu", key, (unsigned long)ns / 1000, (unsigned long)ns % 1000);
}

/* names are ours: ports, guests, stages; a guest's may hold what JSON wants masked */
static void add_name(struct trace_json *j, const char *name)
{
	add(j, ",\"name\":\"");
	for (; *name && j->n < sizeof(j->buf) - TRACE_JSON_LINE / 2; name++)
		if ((unsigned char)*name >= ' ' && *name != '"' && *name != '\\')
			j->buf[j->n++] = *name;
	add(j, "\"");
}

uint64_t trace_json_ns(const struct trace_json *j, uint64_t tsc)
{
	return j->now_ns - tsc_to_ns(j->now_tsc - tsc);
}

int trace_json_begin(struct trace_json *j, const char *name)
{
	j->handle = hostlink_create(name);
	if (j->handle < 0)
		return j->handle;
	j->now_tsc = rdtsc();
	j->now_ns = time_ns();
	add(j, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	return 0;
}

int trace_json_end(struct trace_json *j)
{
	int err;

	add(j, "\n]}\n");
	send(j);
	err = hostlink_close(j->handle);
	return j->err < 0 ? j->err : err;
}

void trace_json_name(struct trace_json *j, struct trace_place at, bool thread, const char *name)
{
	open_event(j, 'M', at);
	add(j, ",\"name\":\"%s\",\"args\":{", thread ? "thread_name" : "process_name");
	add(j, "\"of\":%u", thread ? at.tid : at.pid);
	add_name(j, name);
	add(j, "}}");
}

void trace_json_slice(struct trace_json *j, struct trace_place at, uint64_t begin, uint64_t end,
		      const char *name, const char *args)
{
	uint64_t from = trace_json_ns(j, begin);

	open_event(j, 'X', at);
	add_us(j, "ts", from);
	add_us(j, "dur", trace_json_ns(j, end) - from);
	add_name(j, name);
	add(j, ",\"args\":{%s}}", args);
}

void trace_json_instant(struct trace_json *j, struct trace_place at, uint64_t tsc, const char *name,
			const char *args)
{
	open_event(j, 'i', at);
	add_us(j, "ts", trace_json_ns(j, tsc));
	add_name(j, name);
	add(j, ",\"s\":\"t\",\"args\":{%s}}", args);
}

void trace_json_flow(struct trace_json *j, struct trace_place at, uint64_t ns, char phase,
		     unsigned id)
{
	open_event(j, phase, at);
	add_us(j, "ts", ns);
	/* an end binds to the slice that it lies in only if told so, the others do anyhow */
	add(j, ",\"id\":%u,\"cat\":\"packet\",\"name\":\"packet\"%s}", id,
	    phase == 'f' ? ",\"bp\":\"e\"" : "");
}
