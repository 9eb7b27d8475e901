/* SPDX-License-Identifier: MIT */
/*
 * top_drops.c - `top drops`: why packets go nowhere just now, the most frequent reason
 * first, and the knob for each
 *
 * Control context. A line a reason and port, of all that have ever counted. Ports count what they
 * drop by core. What is dropped behind a port, in a guest's queue say, and what no port knows of,
 * the cores alone count: such a line names all cores that counted more of the reason than the
 * ports.
 */
#include "kernel/top.h"
#include "kernel/time.h"
#include "net/drop_knob.h"
#include "net/port_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned long ul;

enum { REASONS = DROP_N + DEVICE_DROP_N, CORES_STR = 64 };

struct row {
	unsigned reason;       /* enum drop_reason; from DROP_N on a device's */
	unsigned port;         /* 0: no port knows of it */
	uint32_t cores;        /* that counted it; none: the device did */
	uint64_t count, since; /* since boot, and since the snapshot before */
};

/* --- what is in a snapshot --- */

static uint64_t of_port(const struct port_snapshot *s, unsigned why, unsigned port, unsigned cpu)
{
	const struct port_cpu *c = port_snapshot_cpu(s, port, cpu);

	return c->dropped_in[why] + c->dropped_out[why];
}

/* of_cpu() - at the mouths of @port; with 0 what core @cpu counted beyond all mouths. */
static uint64_t of_cpu(const struct port_snapshot *s, unsigned why, unsigned port, unsigned cpu)
{
	uint64_t n = s->drop[cpu][why];

	if (port)
		return of_port(s, why, port, cpu);
	for (unsigned i = 1; i <= s->nports; i++)
		n -= of_port(s, why, i, cpu);
	return n;
}

static uint64_t count_of(const struct port_snapshot *s, unsigned reason, unsigned port)
{
	uint64_t n = port && reason < DROP_N ? s->behind[port][reason] : 0;

	if (reason >= DROP_N)
		return s->device[port][reason - DROP_N];
	cpu_for_each(c)
		n += of_cpu(s, reason, port, c);
	for (unsigned i = 1; !port && i <= s->nports; i++)
		n -= s->behind[i][reason];
	return n;
}

/* what came since; a port that went took its counts along */
static uint64_t since(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint32_t cores_of(const struct port_snapshot *from, const struct port_snapshot *to,
			 unsigned why, unsigned port)
{
	uint32_t cores = 0;

	cpu_for_each(c)
		if (since(of_cpu(from, why, port, c), of_cpu(to, why, port, c)))
			cores |= BIT(c);
	if (port && since(from->behind[port][why], to->behind[port][why]))
		cores |= cores_of(from, to, why, 0);
	return cores;
}

/* --- rows --- */

static unsigned collect(const struct port_snapshot *from, const struct port_snapshot *to,
			struct row *rows)
{
	unsigned n = 0;

	for (unsigned reason = 0; reason < REASONS; reason++)
		for (unsigned port = 0; port <= to->nports; port++) {
			struct row *r = &rows[n];

			r->count = count_of(to, reason, port);
			if (!r->count)
				continue;
			r->reason = reason;
			r->port = port;
			r->since = since(count_of(from, reason, port), r->count);
			r->cores = reason < DROP_N ? cores_of(from, to, reason, port) : 0;
			n++;
		}
	return n;
}

/*
 * the most frequent one first; of equal ones that which has counted more, then in
 * the order of kernel/drop.h
 */
static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->since != y->since)
		return x->since > y->since ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->reason != y->reason ? (int)(x->reason - y->reason) : (int)(x->port - y->port);
}

static void cores_str(uint32_t cores, char text[CORES_STR])
{
	size_t n = 0;

	snprintf(text, CORES_STR, "-");
	cpu_for_each(c)
		if (cores & BIT(c) && n < CORES_STR)
			n += snprintf(text + n, CORES_STR - n, n ? ",%u" : "%u", c);
}

static void print_row(struct shell *sh, const struct row *r, uint64_t all, uint64_t ns)
{
	const struct drop_text *what = r->reason < DROP_N ? &drop_text[r->reason]
							  : &device_drop[r->reason - DROP_N];
	const struct port *port = r->port ? ports[r->port] : NULL;
	unsigned part = r->reason < DROP_N ? top_share(r->since, all) : 0;
	char cores[CORES_STR];

	cores_str(r->cores, cores);
	shell_printf(sh, "%-16s %-10s %-5s %10lu %9lu %4u.%u  ", what->name,
		     port ? port->name : "-", cores, (ul)r->count,
		     (ul)((r->since * 1000000 + ns / 2000) / (ns / 1000)), part / 10, part % 10);
	drop_knob_print(sh, what->knob, port);
	shell_printf(sh, "\n");
}

/* --- the page --- */

static void *take(void)
{
	struct port_snapshot *s = port_snapshot();

	if (s)
		port_snapshot_devices(s);
	return s;
}

static void print(struct shell *sh, const void *before, const void *now)
{
	const struct port_snapshot *from = before, *to = now;
	struct row *rows = malloc((to->nports + 1) * REASONS * sizeof(*rows));
	uint64_t all = 0, tsc = to->tsc - from->tsc;
	unsigned n;

	if (!rows) {
		shell_error(sh, 0, -ENOMEM, "no memory for the reasons");
		return;
	}
	n = collect(from, to, rows);
	for (unsigned i = 0; i < n; i++)
		all += rows[i].reason < DROP_N ? rows[i].since : 0;
	top_head(sh, tsc);
	shell_printf(sh, ", %lu packets dropped\n", (ul)all);
	shell_printf(sh, "%-16s %-10s %-5s %10s %9s %6s  %s\n", "REASON", "PORT", "CORES", "COUNT",
		     "RATE", "%DROP", "KNOB");
	qsort(rows, n, sizeof(*rows), compare);
	for (unsigned i = 0; i < n; i++)
		print_row(sh, &rows[i], all, MAX(tsc_to_ns(tsc), UINT64_C(1000)));
	free(rows);
}

TOP_PAGE(page_drops, .name = "drops", .take = take, .print = print);
