/* SPDX-License-Identifier: MIT */
/*
 * drops.c - `drops`: packets that went nowhere since boot, by reason and port; and all reasons
 * there are. Control context.
 */
#include "port_snapshot.h"

#include "kernel/shell.h"
#include "drop_knob.h"

#include <errno.h>
#include <stdlib.h>

typedef unsigned long ul;

static uint64_t total_of(const struct port_snapshot *s, unsigned why)
{
	uint64_t n = 0;

	cpu_for_each(c)
		n += s->drop[c][why];
	return n;
}

/* One line a reason that has counted: all cores, then each port that dropped some of them. */
static void print_reason(struct shell *sh, const struct port_snapshot *s, unsigned why)
{
	uint64_t total = total_of(s, why);

	if (!total)
		return;
	shell_printf(sh, "%-16s %10lu  %s", drop_text[why].name, (ul)total, drop_text[why].text);
	port_for_each(i) {
		uint64_t n = s->behind[i][why];

		cpu_for_each(c)
			n += port_snapshot_cpu(s, i, c)->dropped_in[why] +
			     port_snapshot_cpu(s, i, c)->dropped_out[why];
		if (n)
			shell_printf(sh, " [%s %lu]", ports[i]->name, (ul)n);
	}
	shell_printf(sh, "\n");
}

static int print_counts(struct shell *sh)
{
	struct port_snapshot *s = port_snapshot();
	uint64_t total = 0;

	if (!s)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump");
	for (unsigned why = 0; why < DROP_N; why++) {
		print_reason(sh, s, why);
		total += total_of(s, why);
	}
	shell_printf(sh, "%-16s %10lu\n", "total", (ul)total);
	free(s);
	return 0;
}

static void print_knob(struct shell *sh, const struct drop_text *d, const struct port *port)
{
	shell_printf(sh, "%-16s  ", d->name);
	drop_knob_print(sh, d->knob, port);
	shell_printf(sh, "\n");
}

/* drops knobs [PORT] */
static int print_knobs(struct shell *sh, int n)
{
	struct port *match[PORT_MAX] = { NULL };

	if (n > 2 && port_words(sh, 2, match) < 1)
		return -EINVAL;
	if (n > 3)
		return shell_expected(sh, 3, "the end of the line");
	for (unsigned why = 0; why < DROP_N; why++)
		print_knob(sh, &drop_text[why], match[0]);
	for (unsigned i = 0; i < DEVICE_DROP_N; i++)
		print_knob(sh, &device_drop[i], match[0]);
	return 0;
}

static int run_drops(struct shell *sh, int n, const struct word *w)
{
	if (n == 1)
		return print_counts(sh);
	if (word_is(n, w, 1, "knobs"))
		return print_knobs(sh, n);
	return shell_expected(sh, 1, "knobs or the end of the line");
}

static void complete_drops(int n, const struct word *w, void (*add)(void *to, const char *s),
			   void *to)
{
	(void)w;
	if (n == 1)
		add(to, "knobs");
	port_for_each(i)
		if (n == 2)
			add(to, ports[i]->name);
}

SHELL_COMMAND(cmd_drops, .name = "drops", .usage = "[knobs [PORT]]",
	      .help = "packets that went nowhere, by reason and port; what can be turned for each",
	      .run = run_drops, .complete = complete_drops);
