/* SPDX-License-Identifier: MIT */
/*
 * trace_one_story.c - what the cores did while they had a frame: what was recorded, and the
 * registers they read and wrote
 *
 * Control context, on what trace_one.c wrote down. A core has the frame from the beginning of
 * the interrupt or softirq in which it came by a point to the end of the last such; a guest's
 * core up to the end of its first run with it. Where other frames came at the same time, their
 * records stand among these.
 */
#include "trace_one_story.h"

#include "kernel/time.h"
#include "drivers/netdev.h"
#include "trace_export.h"

struct story_line *story_line(struct story *s, uint64_t tsc, unsigned cpu, bool part)
{
	static struct story_line nowhere;
	struct story_line *l = s->n < STORY_LINES ? &s->line[s->n] : &nowhere;

	s->lost += s->n == STORY_LINES;
	*l = (struct story_line){ .tsc = tsc, .nr = s->n, .cpu = cpu, .part = part };
	s->n += s->n < STORY_LINES;
	return l;
}

/* --- when each core had it --- */

static void widen(struct story *s, unsigned cpu, uint64_t from, uint64_t to)
{
	s->from[cpu] = MIN(s->from[cpu], from);
	s->to[cpu] = MAX(s->to[cpu], to);
}

static bool holds(const struct trace_event *e, unsigned cpu, uint64_t tsc)
{
	return e->cpu == cpu && e->begin <= tsc && tsc <= e->end;
}

/*
 * widen_to_spans() - the interrupt, the softirq and the poll in which core @cpu was then, from
 * their beginning to their end
 */
static void widen_to_spans(struct story *s, unsigned cpu, uint64_t tsc)
{
	widen(s, cpu, tsc, tsc);
	for (unsigned i = 0; i < s->one->events; i++) {
		const struct trace_event *e = &s->one->event[i];

		if ((e->point == TRACE_HARD_IRQ || e->point == TRACE_SOFTIRQ ||
		     e->point == TRACE_POLL) &&
		    holds(e, cpu, tsc))
			widen(s, cpu, e->begin, e->end);
	}
}

const struct trace_event *story_first(const struct trace_one *one, enum trace_point point,
				      unsigned cpu, uint64_t tsc)
{
	const struct trace_event *first = NULL;

	for (unsigned i = 0; i < one->events; i++) {
		const struct trace_event *e = &one->event[i];

		if (e->point == point && e->begin >= tsc && (cpu == MAX_CPUS || cpu == e->cpu) &&
		    (!first || e->begin < first->begin))
			first = e;
	}
	return first;
}

/* run_over_since() - the first entry of a guest that is over since TSC @tsc. NULL: none. */
static const struct trace_event *run_over_since(const struct trace_one *one, uint64_t tsc)
{
	const struct trace_event *first = NULL;

	for (unsigned i = 0; i < one->events; i++) {
		const struct trace_event *e = &one->event[i];

		if (e->point == TRACE_GUEST && e->end >= tsc && (!first || e->end < first->end))
			first = e;
	}
	return first;
}

/*
 * widen_to_guest() - the guest has it: from where that came out, if it ran, up to the end of its
 * first run with an interrupt for it. Where the CPU injects by itself there is no record of that,
 * and the first run is taken for it.
 */
static void widen_to_guest(struct story *s)
{
	uint64_t used = s->one->stamp.tsc[PATH_USED];
	const struct trace_event *inject, *run;

	if (!used)
		return;
	run = run_over_since(s->one, used);
	if (run)
		widen(s, run->cpu, MAX(run->begin, used), run->end);
	inject = story_first(s->one, TRACE_INJECT, MAX_CPUS, used);
	if (!inject)
		return;
	run = story_first(s->one, TRACE_GUEST, inject->cpu, inject->begin);
	widen(s, inject->cpu, inject->begin, run ? run->end : inject->end);
}

/* widen_to_kick() - it came out of a guest: from the end of that one's run before. */
static void widen_to_kick(struct story *s)
{
	uint64_t out = s->one->stamp.tsc[PATH_NETIF_RX];
	unsigned cpu = s->one->stamp.cpu[PATH_NETIF_RX];
	const struct trace_event *last = NULL;

	for (unsigned i = 0; out && i < s->one->events; i++) {
		const struct trace_event *e = &s->one->event[i];

		if (e->point == TRACE_GUEST && e->end <= out && (!last || e->end > last->end))
			last = e;
	}
	if (last && last->cpu == cpu)
		widen(s, cpu, last->end, out);
}

static void find_windows(struct story *s)
{
	const struct path_stamp *p = &s->one->stamp;

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		s->from[i] = UINT64_MAX;
		s->to[i] = 0;
	}
	for (unsigned i = 0; i < PATH_N; i++)
		if (p->tsc[i])
			widen_to_spans(s, p->cpu[i], p->tsc[i]);
	widen_to_guest(s);
	widen_to_kick(s);
}

static bool within(const struct story *s, unsigned cpu, uint64_t tsc)
{
	return tsc >= s->from[cpu] && tsc <= s->to[cpu];
}

/* --- what was recorded --- */

static void say_guest(struct story *s, const struct trace_event *e)
{
	char vcpu[32], why[32];

	trace_arg(e, 0, vcpu, sizeof(vcpu));
	trace_arg(e, 1, why, sizeof(why));
	if (within(s, e->cpu, e->begin))
		say(s, e->begin, e->cpu, false, "VM entry: %s runs", vcpu);
	say(s, e->end, e->cpu, false, "VM exit of %s: %s", vcpu, why);
}

static const char *port_name(uint64_t id)
{
	return id < PORT_MAX && ports[id] ? ports[id]->name : "no port";
}

/* say_batch() - a record of a port and a number, with a sentence for both: "%s", then "%u" */
static void say_batch(struct story *s, const struct trace_event *e, const char *before,
		      const char *behind)
{
	say(s, e->end, e->cpu, false, "%s%u %s%s", before, (unsigned)e->b, behind, port_name(e->a));
}

static void say_span(struct story *s, const struct trace_event *e, const char *what)
{
	unsigned long ns = tsc_to_ns(e->end - e->begin);
	char args[100];

	trace_args(e, args, sizeof(args));
	say(s, e->begin, e->cpu, false, "%s: %s; it takes %lu.%03lu us", what, args, ns / 1000,
	    ns % 1000);
}

static void say_poll(struct story *s, const struct trace_event *e)
{
	unsigned long ns = tsc_to_ns(e->end - e->begin);

	say(s, e->begin, e->cpu, false, "poll of %s: it takes %u packet%s, and %lu.%03lu us",
	    trace_queue(e->a), (unsigned)e->b, e->b == 1 ? "" : "s", ns / 1000, ns % 1000);
}

static void say_event(struct story *s, const struct trace_event *e)
{
	char args[100];

	trace_args(e, args, sizeof(args));
	switch (e->point) {
	case TRACE_HARD_IRQ: say_span(s, e, "hard interrupt"); break;
	case TRACE_SOFTIRQ: say_span(s, e, "softirq"); break;
	case TRACE_POLL: say_poll(s, e); break;
	case TRACE_GUEST: say_guest(s, e); break;
	case TRACE_RX: say_batch(s, e, "the switch has a batch of ", "from "); break;
	case TRACE_LOOKUP: say_batch(s, e, "", "looked up, from "); break;
	case TRACE_UPCALL:
		say(s, e->end, e->cpu, false,
		    "upcall: the slow path is asked, by rules and MAC table");
		break;
	case TRACE_XMIT: say_batch(s, e, "a batch of ", "goes to "); break;
	case TRACE_XCORE:
		say(s, e->end, e->cpu, false, "%u handed to core %u, which may transmit",
		    (unsigned)e->b, (unsigned)e->a);
		break;
	case TRACE_DROP:
		say(s, e->end, e->cpu, false, "drop: %s, frame of %u bytes: %s",
		    drop_text[e->a].name, (unsigned)e->b, drop_text[e->a].text);
		break;
	case TRACE_INJECT:
		say(s, e->end, e->cpu, false, "injected at the next entry: %s", args);
		break;
	default: say(s, e->end, e->cpu, false, "%s %s", trace_text[e->point].name, args);
	}
}

static void say_events(struct story *s)
{
	for (unsigned i = s->one->events; i-- > 0;) {
		const struct trace_event *e = &s->one->event[i];
		uint64_t at = e->point == TRACE_GUEST ? e->end : e->begin;

		if (e->point != TRACE_TURN && within(s, e->cpu, at))
			say_event(s, e);
	}
}

struct reg_lines {
	struct story *s;
	const struct netdev *dev;
};

static void say_reg(void *arg, uint64_t tsc, unsigned cpu, const char *text)
{
	const struct reg_lines *r = arg;

	if (within(r->s, cpu, tsc))
		say(r->s, tsc, cpu, false, "%s: %s", r->dev->name, text);
}

static void say_regs(struct story *s)
{
	netdev_for_each(i) {
		struct reg_lines r = { s, netdevs[i] };

		netdevs[i]->look->regs_each(netdevs[i], 0, UINT64_MAX, say_reg, &r);
	}
}

void story_records(struct story *s)
{
	find_windows(s);
	say_events(s);
	say_regs(s);
}
