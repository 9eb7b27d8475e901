/* SPDX-License-Identifier: MIT */
/*
 * trace_export.c - `trace export`: the last moments as a file on the host that opens in Perfetto
 *
 * Control context. A copy of the last records and of the rows of stamped packets is made first,
 * with the cores parked for the rows; what happens while it is sent does not change it. Threads
 * are the cores, the vCPUs and, a track each, the stamped packets. A packet is an arrow through
 * the slices that it passed.
 */
#include "trace_export.h"

#include "kernel/console.h"
#include "kernel/hostlink.h"
#include "kernel/park.h"
#include "drivers/netdev.h"
#include "net/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECORDS_DEFAULT = 1000,
	REPORT_EVERY = 500, /* records */
	ARGS_TEXT = 128,
};

/* --- places --- */

/*
 * first_of() - of the guests' records, where is the first that agrees with @e in its vCPU's
 * number but for @shift bits?
 */
static const struct trace_event *first_of(const struct trace_export *x, const struct trace_event *e,
					  unsigned shift)
{
	const struct trace_event *f = x->event;

	while (f->point != TRACE_GUEST || f->a >> shift != e->a >> shift)
		f++;
	return f;
}

/* name_vcpus() - each that a record is of, once, and each guest. */
static void name_vcpus(struct trace_export *x)
{
	for (unsigned i = 0; i < x->events; i++) {
		const struct trace_event *e = &x->event[i];
		char name[TRACE_NAME];

		if (e->point != TRACE_GUEST)
			continue;
		trace_arg(e, 0, name, sizeof(name));
		if (first_of(x, e, 0) == e)
			trace_json_name(&x->json, trace_vcpu(e->a), true, name);
		name[strcspn(name, "/")] = 0;
		if (first_of(x, e, VCPU_BITS) == e)
			trace_json_name(&x->json, trace_vcpu(e->a), false, name);
	}
}

static void name_all(struct trace_export *x)
{
	char name[TRACE_NAME];

	trace_json_name(&x->json, trace_core(0), false, "cores");
	cpu_for_each(i) {
		snprintf(name, sizeof(name), "cpu%u", i);
		trace_json_name(&x->json, trace_core(i), true, name);
	}
	name_vcpus(x);
}

/* --- records --- */

const char *trace_queue(unsigned id)
{
	netdev_for_each(i)
		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
			if (netdevs[i]->queue[q].napi.id == id)
				return netdevs[i]->queue[q].name;
	return "a backlog, or a link";
}

static bool names_a_port(const struct trace_event *e)
{
	return !strncmp(trace_text[e->point].args, "port", 4) && e->a < PORT_MAX && ports[e->a];
}

static void arg(const struct trace_event *e, unsigned nr, char *text, size_t size)
{
	if (e->point == TRACE_POLL && !nr)
		snprintf(text, size, "%s", trace_queue(e->a));
	else if (names_a_port(e) && !nr)
		snprintf(text, size, "%s", ports[e->a]->name);
	else
		trace_arg(e, nr, text, size);
}

/* args() - as members of an object: "vector":"64","irq number":"5" */
static void args(const struct trace_event *e, char *text, size_t size)
{
	const char *keys = trace_text[e->point].args;
	int first = strcspn(keys, ",");
	char value[TRACE_NAME];
	size_t n;

	*text = 0;
	if (*keys == '0')
		return;
	arg(e, 0, value, sizeof(value));
	n = snprintf(text, size, "\"%.*s\":\"%s\"", first, keys, value);
	if (!keys[first])
		return;
	arg(e, 1, value, sizeof(value));
	snprintf(text + n, size - n, ",\"%s\":\"%s\"", keys + first + 2, value);
}

/* what a slice is called: by what differs from one to the next, so that Perfetto colours it */
static void name_event(const struct trace_event *e, char *name, size_t size)
{
	char what[32];

	arg(e, e->point == TRACE_GUEST, what, sizeof(what));
	if (e->point == TRACE_SOFTIRQ || e->point == TRACE_TURN)
		snprintf(name, size, "%s", what);
	else if (e->point == TRACE_POLL || e->point == TRACE_DROP)
		snprintf(name, size, "%s %s", trace_text[e->point].name, what);
	else if (e->point == TRACE_GUEST)
		snprintf(name, size, "guest, out by %s", what);
	else
		snprintf(name, size, "%s", trace_text[e->point].name);
}

static void say_event(struct trace_export *x, const struct trace_event *e)
{
	char name[TRACE_NAME], what[ARGS_TEXT];

	name_event(e, name, sizeof(name));
	args(e, what, sizeof(what));
	if (trace_is_span(e))
		trace_json_slice(&x->json, trace_place_of(e), e->begin, e->end, name, what);
	else
		trace_json_instant(&x->json, trace_place_of(e), e->end, name, what);
}

/*
 * say_events() - the newest first: of two that begin in the same nanosecond the
 * outer one is said first.
 */
static void say_events(struct trace_export *x)
{
	for (unsigned i = 0; i < x->events && x->json.err >= 0; i++) {
		say_event(x, &x->event[i]);
		if (i % REPORT_EVERY || !i)
			continue;
		shell_printf(x->sh, "%u of %u records\n", i, x->events);
		if (!x->sh->file && console_interrupted()) {
			x->stopped = true;
			x->events = i + 1; /* no arrow leads to what is not there */
		}
	}
}

/* --- the copy --- */

static uint64_t began(const struct path_stamp *s)
{
	unsigned i = 0;

	while (i < PATH_N - 1 && !s->tsc[i])
		i++;
	return s->tsc[i];
}

/* copy_rows() - of each core the newest that began since @since. */
static void copy_rows(struct trace_export *x, uint64_t since)
{
	unsigned share = TRACE_ROWS / ncpus;

	cores_park();
	cpu_for_each(i) {
		const struct path_cpu *c = path_of_cpu[i];

		for (unsigned k = 1; c && k <= MIN(c->taken, share); k++) {
			const struct path_stamp *s = &c->stamp[(c->taken - k) % PATH_STAMPS];

			if (began(s) < since)
				break;
			x->row[x->rows++] = *s;
		}
	}
	cores_resume();
}

static void copy(struct trace_export *x, unsigned max)
{
	uint64_t since;

	x->events = trace_collect(x->event, max);
	if (!x->events)
		return;
	since = x->event[0].begin;
	for (unsigned i = 0; i < x->events; i++)
		since = MIN(since, x->event[i].begin);
	copy_rows(x, since);
}

/* --- the command --- */

static int export(struct trace_export *x, const char *name)
{
	int err = trace_json_begin(&x->json, name);

	if (err < 0)
		return shell_error(x->sh, 2, err, "no file %s: %s", name, hostlink_reason());
	name_all(x);
	say_events(x);
	trace_say_packets(x);
	err = trace_json_end(&x->json);
	if (err < 0)
		return shell_error(x->sh, 2, err, "%s is not whole: %s", name, hostlink_reason());
	shell_printf(x->sh,
		     "%s: %u records%s, %u stamped packets, %u of them as arrows, %lu bytes\n",
		     name, x->events, x->stopped ? ", stopped before the oldest" : "", x->rows,
		     x->arrows, (unsigned long)x->json.bytes);
	return 0;
}

static int copy_and_export(struct trace_export *x, const char *name, unsigned max)
{
	copy(x, max);
	if (!x->events)
		return shell_error(x->sh, 0, -ENOENT,
				   "nothing was recorded: 'trace on' first, and 'trace path on' "
				   "for arrows");
	return export(x, name);
}

/* trace export NAME [N] */
static int run(struct shell *sh, int n, const struct word *w)
{
	unsigned long max = RECORDS_DEFAULT;
	struct trace_export *x;
	int err = -ENOMEM;

	if (n < 3)
		return shell_expected(sh, 2, "a file's name");
	if (n > 4)
		return shell_expected(sh, 4, "the end of the line");
	if (n == 4 && shell_uint(sh, 3, 1, TRACE_RING * MAX_CPUS, &max))
		return -EINVAL;
	x = calloc(1, sizeof(*x));
	if (x)
		x->event = malloc(max * sizeof(*x->event));
	if (x && x->event) {
		x->sh = sh;
		err = copy_and_export(x, w[2].s, max);
	} else {
		shell_error(sh, 0, -ENOMEM, "no memory for %lu records", max);
	}
	if (x)
		free(x->event);
	free(x);
	return err;
}

static bool takes(int n, const struct word *w)
{
	return word_is(n, w, 1, "export");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	(void)w;
	if (n == 1)
		add(to, "export");
}

TRACE_COMMAND(trace_export, .what = "export", .takes = takes, .run = run, .complete = complete);
