/* SPDX-License-Identifier: MIT */
/*
 * trace_packets.c - stamped packets in an exported trace: their stages, and
 * through which slices they came
 *
 * Called by trace_export.c in the control context, on its copy; owns nothing. A row says when its
 * packet was where and on which core; the slice that the core was in just then is where the arrow
 * passes.
 */
#include "trace_export.h"

#include "kernel/bits.h"
#include "net/port.h"

#include <stdio.h>

enum { STAGE_TEXT = 160 };

struct hop {
	const struct trace_event *slice;
	uint64_t tsc; /* when the packet was there */
};

/* slice_at() - the innermost slice that core @cpu was in at @tsc. NULL: no record of it is left. */
static const struct trace_event *slice_at(const struct trace_export *x, unsigned cpu, uint64_t tsc)
{
	const struct trace_event *best = NULL;

	for (unsigned i = 0; i < x->events; i++) {
		const struct trace_event *e = &x->event[i];

		if (e->cpu != cpu || e->point == TRACE_GUEST || !trace_is_span(e) ||
		    tsc < e->begin || tsc > e->end)
			continue;
		if (!best || e->end - e->begin < best->end - best->begin)
			best = e;
	}
	return best;
}

/* entry_after() - the first entry of a guest on core @cpu from @tsc on. */
static const struct trace_event *entry_after(const struct trace_export *x, unsigned cpu,
					     uint64_t tsc)
{
	const struct trace_event *first = NULL;

	for (unsigned i = 0; i < x->events; i++) {
		const struct trace_event *e = &x->event[i];

		if (e->point == TRACE_GUEST && e->cpu == cpu && e->begin >= tsc &&
		    (!first || e->begin < first->begin))
			first = e;
	}
	return first;
}

/* add_hop() - to hop[n], unless the packet is in that slice already. Returns how many there are. */
static unsigned add_hop(struct hop *hop, unsigned n, const struct trace_event *slice, uint64_t tsc)
{
	if (!slice || (n && hop[n - 1].slice == slice))
		return n;
	hop[n] = (struct hop){ slice, tsc };
	return n + 1;
}

/* hops_of() - the slices that @s passed, in order: at most one a point, and the guest's own. */
static unsigned hops_of(const struct trace_export *x, const struct path_stamp *s, struct hop *hop)
{
	const struct trace_event *entry;
	unsigned n = 0;

	for (unsigned i = 0; i < PATH_N; i++)
		if (s->tsc[i])
			n = add_hop(hop, n, slice_at(x, s->cpu[i], s->tsc[i]), s->tsc[i]);
	if (!s->tsc[PATH_INJECT])
		return n;
	entry = entry_after(x, s->cpu[PATH_INJECT], s->tsc[PATH_INJECT]);
	return add_hop(hop, n, entry, entry ? entry->begin : 0);
}

static void name(struct trace_export *x, unsigned i)
{
	const struct path_stamp *s = &x->row[i];
	char text[TRACE_NAME];

	snprintf(text, sizeof(text), "%u of %s/%u, %u bytes", (unsigned)s->number,
		 ports[s->port] ? ports[s->port]->name : "?", s->queue, (unsigned)s->len);
	trace_json_name(&x->json, trace_packet(i), true, text);
}

/*
 * say_arrow() - through @n slices, two at least. Perfetto takes the slice that was opened last, so
 * each event stands right behind its slice's beginning, where no other has been opened; but never
 * before the one in front of it.
 */
static void say_arrow(struct trace_export *x, unsigned row, const struct hop *hop, unsigned n)
{
	uint64_t before = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t there = trace_json_ns(&x->json, hop[i].tsc);
		uint64_t ns = MIN(trace_json_ns(&x->json, hop[i].slice->begin) + 1, there);

		before = ns < before ? there : ns;
		trace_json_flow(&x->json, trace_place_of(hop[i].slice), before,
				!i          ? 's'
				: i + 1 < n ? 't'
					    : 'f',
				row + 1);
	}
	x->arrows++;
}

/* say_stages() - a track of its own: from each point to the next. */
static void say_stages(struct trace_export *x, unsigned row)
{
	const struct path_stamp *s = &x->row[row];
	uint64_t before = 0;

	for (unsigned i = 0; i < PATH_N; i++) {
		char what[STAGE_TEXT];

		if (!s->tsc[i])
			continue;
		snprintf(what, sizeof(what), "\"core\":%u,\"is\":\"%s\"", s->cpu[i],
			 path_text[i].text);
		if (before)
			trace_json_slice(&x->json, trace_packet(row), before, s->tsc[i],
					 path_text[i].name, what);
		before = s->tsc[i];
	}
}

void trace_say_packets(struct trace_export *x)
{
	struct hop hop[PATH_N + 1];

	if (x->rows)
		trace_json_name(&x->json, trace_packet(0), false, "stamped packets");
	for (unsigned i = 0; i < x->rows && x->json.err >= 0; i++) {
		unsigned n = hops_of(x, &x->row[i], hop);

		name(x, i);
		say_stages(x, i);
		if (n > 1)
			say_arrow(x, i, hop, n);
	}
}
