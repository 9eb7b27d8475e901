/* SPDX-License-Identifier: MIT */
/*
 * trace_one_show.c - one frame's way as text to read aloud, in order of time
 *
 * Control context, on what trace_one.c wrote down. Three things are put in order by the clock: the
 * points that the frame came by, which carry what is known there (descriptors, key, flow); what was
 * recorded on the cores that had it while they had it; and the registers that these read and wrote
 * (both: trace_one_story.c).
 */

#include "kernel/time.h"
#include "drivers/netdev.h"
#include "decode.h"
#include "trace_one_flow.h"
#include "trace_one_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INDENT = 21,
	WIDTH = 100,
};

/* --- what the points carry --- */

static void say_queue(struct story *s, uint64_t tsc, unsigned cpu)
{
	say(s, tsc, cpu, true, "policy %s, at most %u packets of its turn (dev_weight)",
	    policy_name[s->one->policy], s->one->budget);
}

static void say_descriptor(struct story *s, uint64_t tsc, unsigned cpu)
{
	const struct trace_one *one = s->one;
	const struct netdev *dev = one->from->dev;
	char text[NETDEV_LOOK_TEXT];

	dev->look->rx_text(dev, &one->posted, text, sizeof(text));
	say(s, tsc, cpu, true, "receive descriptor %u of %u, before: %s",
	    (unsigned)one->posted.slot, (unsigned)one->posted.slots, text);
	dev->look->rx_text(dev, &one->back, text, sizeof(text));
	say(s, tsc, cpu, true, "receive descriptor %u of %u, after: %s", (unsigned)one->back.slot,
	    (unsigned)one->back.slots, text);
	if (one->policy == POLICY_IRQ)
		say(s, tsc, cpu, true,
		    "policy irq: its interrupt puts it in a backlog, which a softirq polls");
	say(s, tsc, cpu, true, "its buffer is at %p; the frame has %u of these and %u bytes",
	    one->back.buffer, one->nsegs, (unsigned)one->len);
}

static void say_tx_desc(struct story *s, uint64_t tsc, unsigned cpu, const struct netdev_desc *d,
			const char *when)
{
	const struct trace_one *one = s->one;
	char text[NETDEV_LOOK_TEXT];

	one->tx->look->tx_text(one->tx, d, text, sizeof(text));
	say(s, tsc, cpu, true, "transmit descriptor %u of %u of %s, %s: %s", (unsigned)d->slot,
	    (unsigned)d->slots, one->tx->queue[one->txq].name, when, text);
}

static void say_tx(struct story *s, uint64_t tsc, unsigned cpu)
{
	const struct trace_one *one = s->one;

	for (unsigned i = 0; i < one->ntx; i++)
		say_tx_desc(s, tsc, cpu, &one->tx_desc[i], "as written");
	for (unsigned i = 0; i < one->ntx_later; i++)
		say_tx_desc(s, tsc, cpu, &one->tx_later[i], "a while later");
	if (one->ntx_later && !one->tx_later[one->ntx_later - 1].reports)
		say(s, tsc, cpu, true,
		    "no status is written back: only every %uth asks for it (RS)",
		    one->tx->look->tx_report);
	if (!one->ntx_later)
		say(s, tsc, cpu, true, "a while later it was sent, and its descriptor free again");
}

static void say_lookup(struct story *s, uint64_t tsc, unsigned cpu)
{
	const struct trace_event *asked =
		story_first(s->one, TRACE_UPCALL, cpu, s->one->stamp.tsc[PATH_VPORT]);
	char text[STORY_TEXT - 16];

	trace_one_key(s->one, text, sizeof(text));
	say(s, tsc, cpu, true, "its key: %s", text);
	if (s->one->stamp.tsc[PATH_LOOKUP])
		say(s, tsc, cpu, true, "%s",
		    asked && asked->begin <= s->one->stamp.tsc[PATH_LOOKUP]
			    ? "no flow was known for it: an upcall decided, and made one"
			    : "a flow was known for it: no upcall");
	trace_one_actions(s->one, text, sizeof(text));
	say(s, tsc, cpu, true, "actions: %s", text);
}

/* say_more() - what is known where it came by @point. */
static void say_more(struct story *s, enum path_point point)
{
	uint64_t tsc = s->one->stamp.tsc[point];
	unsigned cpu = s->one->stamp.cpu[point];

	if (point == PATH_POLL)
		say_queue(s, tsc, cpu);
	else if (point == PATH_DESCRIPTOR && s->one->has_back)
		say_descriptor(s, tsc, cpu);
	else if (point == PATH_LOOKUP)
		say_lookup(s, tsc, cpu);
	else if (point == PATH_XMIT)
		say_tx(s, tsc, cpu);
}

static void say_points(struct story *s)
{
	const struct path_stamp *p = &s->one->stamp;

	for (unsigned i = 0; i < PATH_N; i++) {
		if (!p->tsc[i])
			continue;
		say(s, p->tsc[i], p->cpu[i], false, "* %s: %s", path_text[i].name,
		    path_text[i].text);
		say_more(s, i);
	}
	if (p->tsc[PATH_VPORT] && !p->tsc[PATH_LOOKUP]) /* dropped, or the verdict is not kept */
		say_lookup(s, p->tsc[PATH_VPORT], p->cpu[PATH_VPORT]);
}

/* --- the text --- */

/* parts stay behind the line that they belong to: they have its time, and were added next */
static int by_time(const void *a, const void *b)
{
	const struct story_line *x = a, *y = b;

	if (x->tsc != y->tsc)
		return x->tsc < y->tsc ? -1 : 1;
	return x->nr < y->nr ? -1 : 1;
}

static bool may_break(const char *s, int n)
{
	return s[n] == ' ' || (n && s[n - 1] == ',');
}

/* print_wrapped() - further lines begin where the first one's text did. */
static void print_wrapped(struct shell *sh, const char *s, unsigned indent)
{
	while (strlen(s) > WIDTH) {
		int n = WIDTH;

		while (n > 0 && !may_break(s, n))
			n--;
		if (!n)
			break;
		shell_printf(sh, "%.*s\n%*s", n, s, indent, "");
		s += n + (s[n] == ' ');
	}
	shell_printf(sh, "%s\n", s);
}

static void print_lines(struct shell *sh, const struct story *s, uint64_t first)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct story_line *l = &s->line[i];
		bool before = l->tsc < first;
		unsigned long ns = tsc_to_ns(before ? first - l->tsc : l->tsc - first);

		if (l->part)
			shell_printf(sh, "%*s", INDENT, "");
		else
			shell_printf(sh, "%c%6lu.%03lu us cpu%-2u ", before ? '-' : ' ', ns / 1000,
				     ns % 1000, l->cpu);
		print_wrapped(sh, l->text, INDENT);
	}
	if (s->lost)
		shell_printf(sh, "%u more lines were left out\n", s->lost);
}

static void print_head(struct shell *sh, const struct trace_one *one, uint64_t first, uint64_t last)
{
	static struct decode d;
	static char text[DECODE_TEXT];
	struct text t = { text, sizeof(text), 0 };
	unsigned long ns = tsc_to_ns(last - first);

	decode(&d, &t, one->frame, one->caplen, one->len);
	shell_printf(sh, "%s queue %u: %s\n", one->port->name, one->queue, text);
	shell_printf(sh,
		     "%lu.%03lu us from the first point to the last; times are since the first\n",
		     ns / 1000, ns % 1000);
}

void trace_one_show(struct shell *sh, const struct trace_one *one)
{
	struct story s = { .one = one, .line = malloc(STORY_LINES * sizeof(struct story_line)) };
	uint64_t first = UINT64_MAX, last = 0;

	for (unsigned i = 0; i < PATH_N; i++)
		if (one->stamp.tsc[i]) {
			first = MIN(first, one->stamp.tsc[i]);
			last = MAX(last, one->stamp.tsc[i]);
		}
	print_head(sh, one, first, last);
	if (!s.line) {
		shell_printf(sh, "no memory for more\n");
		return;
	}
	say_points(&s);
	story_records(&s);
	qsort(s.line, s.n, sizeof(*s.line), by_time);
	print_lines(sh, &s, first);
	free(s.line);
}
