/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the rings behind the record points, and the command that shows them merged
 *
 * trace_record() is called on every core, in hard interrupts as well; each core owns its ring and
 * writes it with interrupts off. The command reads all rings from the control context while they
 * are being written: an entry carries the number of the record it holds, and one that changes under
 * the reader is left out.
 */
#include "trace.h"

#include "cpu.h"
#include "guest.h"
#include "irq.h"
#include "mem.h"
#include "park.h"
#include "shell.h"
#include "softirq.h"
#include "time.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHOW_DEFAULT = 50, /* entries */
	ARGS_TEXT = 80,
};

struct trace_entry {
	_Atomic uint64_t seq; /* number of the record from 1, 0 while it is written */
	uint64_t begin, end;
	uint64_t a, b;
	enum trace_point point;
};

struct trace_ring {
	/* by the owning core */
	_Atomic uint64_t written; /* records ever */
	struct trace_entry entry[TRACE_RING];
	/*
	 * by who wants it to stop, then by the owning core: records to come
	 * and one, 1: none; 0: no end
	 */
	_Atomic uint32_t left;
	/* by the control context */
	uint64_t cleared; /* records up to this one are not shown */
};

const struct trace_text trace_text[TRACE_N] = {
#define X(id, name, args) [TRACE_##id] = { name, args },
	TRACE_POINTS(X)
#undef X
};

unsigned trace_on;
static unsigned wanted; /* the knob */

void trace_set(bool on)
{
	wanted = on;
	if (on == !!(trace_on & TRACE_RECORD))
		return;
	cores_park();
	trace_on = (trace_on & ~TRACE_RECORD) | (on ? TRACE_RECORD : 0);
	set_for_each(w, trace_watchers)
		(*w)(on);
	cores_resume();
}

static void knob_turned(unsigned value)
{
	trace_set(value);
}

static const struct sysctl sysctl_trace SET_ENTRY(sysctls) = {
	.name = "kernel.trace",
	.value = &wanted,
	.max = 1,
	.changed = knob_turned,
	.help = "1: record points write to the trace rings",
};

void trace_stop_after(uint32_t n)
{
	cpu_for_each(i)
		if (cpus[i]->trace)
			atomic_store_explicit(&cpus[i]->trace->left, n ? n + 1 : 0,
					      memory_order_relaxed);
}

/* takes_more() - one more record? Its core. */
static bool takes_more(struct trace_ring *ring)
{
	uint32_t left = atomic_load_explicit(&ring->left, memory_order_relaxed);

	if (left > 1)
		atomic_store_explicit(&ring->left, left - 1, memory_order_relaxed);
	return left != 1;
}

void trace_record_span(enum trace_point p, uint64_t begin, uint64_t end, uint64_t a, uint64_t b)
{
	struct trace_ring *ring = this_cpu()->trace;
	struct trace_entry *e;
	uint64_t flags, n;

	if (!ring || !(trace_on & TRACE_RECORD) || !takes_more(ring))
		return;
	flags = irq_save(); /* a hard interrupt would write into the middle of our record */
	n = atomic_load_explicit(&ring->written, memory_order_relaxed);
	e = &ring->entry[n % TRACE_RING];
	atomic_store_explicit(&e->seq, 0, memory_order_relaxed);
	/* pairs with the fence in entry_read: who sees a new field sees that seq had gone */
	atomic_thread_fence(memory_order_release);
	e->begin = begin;
	e->end = end;
	e->point = p;
	e->a = a;
	e->b = b;
	/* pairs with the acquire in entry_read: who sees the number sees its fields */
	atomic_store_explicit(&e->seq, n + 1, memory_order_release);
	atomic_store_explicit(&ring->written, n + 1, memory_order_release);
	irq_restore(flags);
}

void trace_record(enum trace_point p, uint64_t a, uint64_t b)
{
	uint64_t now = rdtsc();

	trace_record_span(p, now, now, a, b);
}

/* entry_read() - record number @seq of core @cpu; false if it is gone. Any core. */
static bool entry_read(unsigned cpu, uint64_t seq, struct trace_event *r)
{
	struct trace_ring *ring = cpus[cpu]->trace;
	struct trace_entry *e = &ring->entry[(seq - 1) % TRACE_RING];

	if (seq <= ring->cleared)
		return false;
	if (atomic_load_explicit(&e->seq, memory_order_acquire) != seq)
		return false;
	*r = (struct trace_event){
		.begin = e->begin,
		.end = e->end,
		.a = e->a,
		.b = e->b,
		.point = e->point,
		.cpu = cpu,
	};
	/* pairs with the fence in trace_record */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&e->seq, memory_order_relaxed) == seq;
}

unsigned trace_collect(struct trace_event *r, unsigned max)
{
	struct trace_event newest[MAX_CPUS];
	uint64_t seq[MAX_CPUS]; /* of newest[i]; 0: this core has no more */
	unsigned n = 0;

	cpu_for_each(i) {
		seq[i] = cpus[i]->trace ? atomic_load(&cpus[i]->trace->written) : 0;
		if (seq[i] && !entry_read(i, seq[i], &newest[i]))
			seq[i] = 0;
	}
	for (; n < max; n++) {
		unsigned from = MAX_CPUS;

		cpu_for_each(i)
			if (seq[i] && (from == MAX_CPUS || newest[i].end > newest[from].end))
				from = i;
		if (from == MAX_CPUS)
			break;
		r[n] = newest[from];
		if (--seq[from] && !entry_read(from, seq[from], &newest[from]))
			seq[from] = 0; /* overwritten or cleared, and all before it as well */
	}
	return n;
}

void trace_arg(const struct trace_event *e, unsigned nr, char *text, size_t size)
{
	const struct guest_ops *guests = guest_attached();
	uint64_t v = nr ? e->b : e->a;

	if (e->point == TRACE_DROP && !nr && v < DROP_N)
		snprintf(text, size, "%s", drop_text[v].name);
	else if (e->point == TRACE_SOFTIRQ && v < SOFTIRQ_N)
		snprintf(text, size, "%s", softirq_name[v]);
	else if (e->point >= TRACE_TURN && !nr && guests && guests->vcpu_name)
		guests->vcpu_name(v, text, size);
	else if (e->point == TRACE_GUEST && nr && guests && guests->exit_name)
		snprintf(text, size, "%s", guests->exit_name(v));
	else
		snprintf(text, size, "%lu", (unsigned long)v);
}

void trace_args(const struct trace_event *e, char *text, size_t size)
{
	const char *args = trace_text[e->point].args;
	size_t first = strcspn(args, ",");
	char a[32], b[32];

	*text = 0;
	if (*args == '0')
		return;
	trace_arg(e, 0, a, sizeof(a));
	trace_arg(e, 1, b, sizeof(b));
	if (args[first])
		snprintf(text, size, "%.*s %s%s %s", (int)first, args, a, args + first, b);
	else
		snprintf(text, size, "%.*s %s", (int)first, args, a);
}

static void print(struct shell *sh, const struct trace_event *e, uint64_t now_tsc, uint64_t now_ns)
{
	unsigned long ns = now_ns - tsc_to_ns(now_tsc - e->end);
	unsigned long took = tsc_to_ns(e->end - e->begin);
	char args[ARGS_TEXT];

	trace_args(e, args, sizeof(args));
	shell_printf(sh, "%9lu.%03lu  cpu%-2u  %-18s %s", ns / 1000, ns % 1000, e->cpu,
		     trace_text[e->point].name, args);
	if (took)
		shell_printf(sh, " (%lu.%03lu us)", took / 1000, took % 1000);
	shell_printf(sh, "\n");
}

static int show(struct shell *sh, unsigned max)
{
	struct trace_event *e = malloc(max * sizeof(*e));
	uint64_t now_tsc, now_ns;
	unsigned n;

	if (!e)
		return shell_error(sh, 1, -ENOMEM, "no memory for %u records", max);
	n = trace_collect(e, max);
	now_tsc = rdtsc();
	now_ns = time_ns();
	while (n > 0)
		print(sh, &e[--n], now_tsc, now_ns);
	free(e);
	return 0;
}

static void clear(void)
{
	cpu_for_each(i)
		if (cpus[i]->trace)
			cpus[i]->trace->cleared = atomic_load(&cpus[i]->trace->written);
}

static void print_state(struct shell *sh)
{
	shell_printf(sh, "trace is %s; %d records a core are kept\n",
		     trace_on & TRACE_RECORD ? "on" : "off", TRACE_RING);
	cpu_for_each(i)
		if (cpus[i]->trace)
			shell_printf(sh, "cpu%-2u  %lu records written\n", i,
				     (unsigned long)atomic_load(&cpus[i]->trace->written));
}

static int expected_verb(struct shell *sh)
{
	char what[96] = "on, off, show";
	size_t n = strlen(what);

	set_for_each(c, trace_commands)
		n += snprintf(what + n, sizeof(what) - n, ", %s", c->what);
	snprintf(what + n, sizeof(what) - n, " or clear");
	return shell_expected(sh, 1, what);
}

static int run_trace(struct shell *sh, int n, const struct word *w)
{
	unsigned long max = SHOW_DEFAULT;
	bool is_show = word_is(n, w, 1, "show");

	set_for_each(c, trace_commands)
		if (c->takes(n, w))
			return c->run(sh, n, w);
	if (n > 2 + is_show)
		return shell_expected(sh, 2 + is_show, "the end of the line");
	if (n == 1)
		print_state(sh);
	else if (word_is(n, w, 1, "on") || word_is(n, w, 1, "off"))
		trace_set(word_is(n, w, 1, "on"));
	else if (word_is(n, w, 1, "clear"))
		clear();
	else if (!is_show)
		return expected_verb(sh);
	else if (n == 3 && shell_uint(sh, 2, 1, TRACE_RING * MAX_CPUS, &max))
		return -EINVAL;
	else
		return show(sh, max);
	return 0;
}

static void complete_trace(int n, const struct word *w, void (*add)(void *to, const char *s),
			   void *to)
{
	static const char *const verbs[] = { "on", "off", "show", "clear" };

	for (unsigned i = 0; n == 1 && i < ARRAY_SIZE(verbs); i++)
		add(to, verbs[i]);
	set_for_each(c, trace_commands)
		c->complete(n, w, add, to);
}

SHELL_COMMAND(
	cmd_trace, .name = "trace",
	.usage = "[on|off|show [N]|clear] | one [PORT[/QUEUE]] [--timeout SECONDS] | export FILE "
		 "[N] | path [on [N]|off|show|reset] | NIC regs [on|off|show [N]]",
	.help = "record points of all cores in order of time, in microseconds since boot; the "
		"next frame through every stage; the last moments as a file for Perfetto; how "
		"long the stages of a packet's way take; accesses to a NIC's registers",
	.run = run_trace, .complete = complete_trace);

void trace_init(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		if (cpus[i] && !cpus[i]->trace)
			cpus[i]->trace =
				mem_zalloc(sizeof(struct trace_ring), CACHE_LINE, "trace rings");
}
