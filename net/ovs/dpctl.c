/* SPDX-License-Identifier: MIT */
/* dpctl.c - `ovs-dpctl`: what the fast path knows. Control context. */
#include "net/flow.h"

#include "kernel/park.h"
#include "kernel/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* a flow as it was when the cores stood still; printing takes longer than they can wait */
struct row {
	struct flow_key key;
	struct flow_stat total;
	uint32_t idle; /* seconds */
	uint32_t ports;
	uint16_t reason;
};

struct snapshot {
	struct row *row;
	unsigned n, max;
};

static void take_row(struct flow *f, void *arg)
{
	struct snapshot *s = arg;

	if (s->n == s->max)
		return;
	s->row[s->n++] = (struct row){
		.key = f->key,
		.total = flow_total(f),
		.idle = fdb_tick_now() - f->used,
		.ports = f->verdict.ports,
		.reason = f->verdict.reason,
	};
}

static void print_row(struct shell *sh, const struct row *r)
{
	char key[320], used[24] = "never";

	key_str(&r->key, key, sizeof(key));
	if (r->total.packets)
		snprintf(used, sizeof(used), "%u.000s", (unsigned)r->idle);
	shell_printf(sh, "%s, packets:%lu, bytes:%lu, used:%s, actions:", key,
		     (unsigned long)r->total.packets, (unsigned long)r->total.bytes, used);
	for (uint32_t left = r->ports; left; left &= left - 1)
		shell_printf(sh, "%s%u", left == r->ports ? "" : ",", __builtin_ctz(left));
	if (r->ports)
		shell_printf(sh, "\n");
	else
		shell_printf(sh, "drop(%s)\n", drop_text[r->reason].name);
}

static int dump_flows(struct shell *sh)
{
	struct snapshot s = { .max = flow_count() +
				     64 }; /* some may be added before the cores are parked */

	s.row = malloc(s.max * sizeof(*s.row));
	if (!s.row)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump of %u flows", s.max);
	cores_park();
	flow_for_each(take_row, &s);
	cores_resume();
	for (unsigned i = 0; i < s.n; i++)
		print_row(sh, &s.row[i]);
	free(s.row);
	return 0;
}

static int show(struct shell *sh)
{
	uint64_t lookups = 0, misses = 0, upcalls = 0, lost = 0;

	cores_park();
	cpu_for_each(i) {
		lookups -= emc_of_cpu[i]->keyless;
		misses += emc_of_cpu[i]->misses;
		upcalls += emc_of_cpu[i]->upcalls;
		lost += emc_of_cpu[i]->lost;
	}
	port_for_each(i)
		lookups += port_total(ports[i]).in;
	cores_resume();
	shell_printf(sh, "weir@dp:\n  lookups: hit:%lu missed:%lu lost:%lu\n  flows: %u\n",
		     (unsigned long)(lookups - upcalls), (unsigned long)upcalls,
		     (unsigned long)lost, flow_count());
	shell_printf(sh, "  cache: hit:%lu missed:%lu\n", (unsigned long)(lookups - misses),
		     (unsigned long)misses);
	port_for_each(i)
		shell_printf(sh, "  port %u: %s\n", i, ports[i]->name);
	return 0;
}

static int dpctl(struct shell *sh, int n, const struct word *w)
{
	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	if (word_is(n, w, 1, "show"))
		return show(sh);
	if (word_is(n, w, 1, "dump-flows"))
		return dump_flows(sh);
	return shell_expected(sh, 1, "show or dump-flows");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	(void)w;
	if (n == 1) {
		add(to, "show");
		add(to, "dump-flows");
	}
}

SHELL_COMMAND(cmd_dpctl, .name = "ovs-dpctl", .usage = "show | dump-flows",
	      .help = "flows that the fast path knows", .run = dpctl, .complete = complete);
