/* SPDX-License-Identifier: MIT */
/* sink_cmd.c - `sink`: on, off, and what it counted, as a table or as CSV. Control context. */
#include "sink.h"

#include "kernel/shell.h"
#include "kernel/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ul;

enum { STREAMS_USUAL = 4 };

/* --- what it counted --- */

/* what to print of a sink, and how */
struct listing {
	struct shell *sh;
	bool csv, flows;
};

static void print_head(const struct listing *l)
{
	if (l->csv)
		shell_printf(l->sh,
			     "port,stream,flow,received,lost,reordered,duplicates,late,bytes,usec,"
			     "p50_ns,p90_ns,p99_ns,p99.9_ns,max_ns,unstamped\n");
	else
		shell_printf(l->sh, "%-10s %6s %5s %10s %8s %9s %6s %6s %10s %10s %10s %10s %10s\n",
			     "port", "stream", "flow", "received", "lost", "reordered", "dups",
			     "late", "p50 ns", "p90", "p99", "p99.9", "max");
}

static void print_count(const struct listing *l, const struct sink *k, unsigned stream,
			const char *flow, const struct sink_count *c)
{
	shell_printf(l->sh,
		     l->csv ? "%s,%u,%s,%lu,%lu,%lu,%lu,%lu"
			    : "%-10s %6u %5s %10lu %8lu %9lu %6lu %6lu",
		     k->port->name, stream, flow, (ul)c->received, (ul)c->lost, (ul)c->reordered,
		     (ul)c->duplicates, (ul)c->late);
}

static void print_latency(const struct listing *l, const struct sink_stream *s)
{
	const struct histogram *h = &s->latency;

	if (l->csv)
		shell_printf(l->sh, ",%lu,%lu", (ul)s->bytes,
			     (ul)tsc_to_ns(s->last - s->first) / 1000);
	shell_printf(l->sh, l->csv ? ",%lu,%lu,%lu,%lu,%lu" : " %10lu %10lu %10lu %10lu %10lu",
		     (ul)histogram_permille(h, 500), (ul)histogram_permille(h, 900),
		     (ul)histogram_permille(h, 990), (ul)histogram_permille(h, 999), (ul)h->max);
	if (l->csv)
		shell_printf(l->sh, ",%lu", (ul)s->unstamped);
	shell_printf(l->sh, "\n");
}

static void print_flows(const struct listing *l, const struct sink *k, unsigned stream,
			const struct sink_stream *s)
{
	for (unsigned f = 0; f < STREAM_FLOWS; f++) {
		char name[8];

		if (!s->flow[f].begun)
			continue;
		snprintf(name, sizeof(name), "%u", f);
		print_count(l, k, stream, name, &s->flow[f].count);
		shell_printf(l->sh, l->csv ? ",,,,,,,,\n" : "\n");
	}
}

/* printing takes longer than packets can wait, so of a copy */
static int print_stream(const struct listing *l, struct sink *k, unsigned stream)
{
	size_t size = sizeof(struct sink_stream) + STREAM_FLOWS * sizeof(struct sink_flow);
	struct sink_stream *s = malloc(size);
	struct sink_count total;

	if (!s)
		return shell_error(l->sh, 0, -ENOMEM, "no memory for a listing");
	spin_lock(&k->lock);
	memcpy(s, k->stream[stream], size);
	spin_unlock(&k->lock);
	total = sink_total(s);
	if (total.received || total.late) {
		print_count(l, k, stream, "all", &total);
		print_latency(l, s);
		if (l->flows)
			print_flows(l, k, stream, s);
	}
	free(s);
	return 0;
}

static int print_sink(const struct listing *l, struct sink *k)
{
	int err = 0;

	for (unsigned i = 0; i < STREAMS && !err; i++)
		if (k->stream[i])
			err = print_stream(l, k, i);
	if (!err && k->refused && !l->csv)
		shell_printf(l->sh, "%s: %lu of further streams; 'sink %s on streams N' has more\n",
			     k->port->name, (ul)k->refused, k->port->name);
	return err;
}

/* sink show [PORT] [flows] [csv] */
static int show(struct shell *sh)
{
	struct listing l = { .sh = sh };
	struct port *match[PORT_MAX];
	int i = 2, n, err = 0;

	if (i < sh->nwords && port_match(sh->word[i].s, match))
		n = port_match(sh->word[i++].s, match);
	else
		n = port_match("*", match);
	for (; i < sh->nwords; i++) {
		if (word_is(sh->nwords, sh->word, i, "flows"))
			l.flows = true;
		else if (word_is(sh->nwords, sh->word, i, "csv"))
			l.csv = true;
		else
			return shell_expected(sh, i,
					      i == 2 ? "a port, flows or csv" : "flows or csv");
	}
	print_head(&l);
	for (int p = 0; p < n && !err; p++)
		if (sink_of(match[p]))
			err = print_sink(&l, sink_of(match[p]));
	return err;
}

/* --- on, off --- */

/* sink PORT on|watch [streams N] */
static int turn_on(struct shell *sh, struct port **match, int n, bool watch)
{
	unsigned long streams = STREAMS_USUAL;
	int err = 0;

	if (sh->nwords > 3 && !word_is(sh->nwords, sh->word, 3, "streams"))
		return shell_expected(sh, 3, "streams or the end of the line");
	if (sh->nwords > 3)
		err = shell_uint(sh, 4, 1, STREAMS, &streams);
	if (!err && sh->nwords > 5)
		err = shell_expected(sh, 5, "the end of the line");
	for (int i = 0; i < n && !err; i++)
		if (sink_on(match[i], watch, streams))
			err = shell_error(sh, 1, -ENOMEM, "no memory for the sink of %s",
					  match[i]->name);
	return err;
}

static int sink(struct shell *sh, int n, const struct word *w)
{
	struct port *match[PORT_MAX];
	bool on = word_is(n, w, 2, "on"), watch = word_is(n, w, 2, "watch");
	bool off = word_is(n, w, 2, "off");
	int found;

	if (word_is(n, w, 1, "show"))
		return show(sh);
	if (n < 2 || !port_match(w[1].s, match))
		return shell_expected(sh, 1, "show or a port");
	found = port_match(w[1].s, match);
	if (on || watch)
		return turn_on(sh, match, found, watch);
	if (!off && !word_is(n, w, 2, "clear"))
		return shell_expected(sh, 2, "on, watch, off or clear");
	if (n > 3)
		return shell_expected(sh, 3, "the end of the line");
	for (int i = 0; i < found; i++) {
		if (off)
			sink_off(match[i]);
		else if (sink_of(match[i]))
			sink_clear(sink_of(match[i]));
	}
	return 0;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const char *const acts[] = { "on", "watch", "off", "clear" };
	bool showing = word_is(n, w, 1, "show");

	if (n == 1)
		add(to, "show");
	if (n == 1 || (n == 2 && showing))
		port_for_each(i)
			add(to, ports[i]->name);
	if (n >= 2 && showing) {
		add(to, "flows");
		add(to, "csv");
	} else if (n == 2) {
		for (unsigned i = 0; i < ARRAY_SIZE(acts); i++)
			add(to, acts[i]);
	} else if (n == 3) {
		add(to, "streams");
	}
}

SHELL_COMMAND(cmd_sink, .name = "sink",
	      .usage = "PORT on|watch [streams N] | PORT off|clear | show [PORT] [flows] [csv]",
	      .help = "what became of the packets of generators that arrive at a port", .run = sink,
	      .complete = complete);

static void config(struct shell *sh)
{
	port_for_each(i) {
		const struct sink *k = sink_of(ports[i]);
		unsigned streams = 0;

		if (!k)
			continue;
		while (streams < STREAMS && k->stream[streams])
			streams++;
		shell_printf(sh, "sink %s %s", ports[i]->name, k->watch ? "watch" : "on");
		if (streams != STREAMS_USUAL)
			shell_printf(sh, " streams %u", streams);
		shell_printf(sh, "\n");
	}
}

CONFIG_SOURCE(config_sink, .order = 44, .print = config);
