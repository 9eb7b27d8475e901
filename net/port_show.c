/* SPDX-License-Identifier: MIT */
/* port_show.c - what ports count: /proc/net/dev, `ports` and `drops`. Control context. */
#include "port.h"

#include "kernel/park.h"
#include "kernel/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long
	ul; /* for %lu: a uint64_t is one in the kernel, and something else on other machines */

static int show_dev(struct shell *sh, const char *star)
{
	(void)star;
	shell_printf(
		sh, "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs "
		    "drop fifo colls carrier compressed\n");
	port_for_each(i) {
		struct port *p = ports[i];
		struct port_cpu t = port_total(p);

		shell_printf(sh, "%6s: %7lu %7lu %4lu %4lu %4lu %5lu %10lu %9lu ", p->name,
			     (ul)t.in_bytes, (ul)t.in, (ul)port_rx_errors(p),
			     (ul)port_drops(t.dropped_in), (ul)port_stat(p, "rx_fifo_errors"),
			     (ul)port_stat(p, "rx_align_errors"), (ul)0,
			     (ul)port_stat(p, "rx_multicast"));
		shell_printf(sh, "%8lu %7lu %4lu %4lu %4lu %5lu %7lu %10lu\n", (ul)t.out_bytes,
			     (ul)t.out, (ul)port_stat(p, "tx_errors"),
			     (ul)port_drops(t.dropped_out), (ul)0, (ul)port_stat(p, "collisions"),
			     (ul)port_stat(p, "tx_carrier_errors"), (ul)0);
	}
	return 0;
}

PROC_FILE(proc_net_dev, .path = "/proc/net/dev", .help = "packets and bytes of each port",
	  .show = show_dev);

/* what all ports counted at one moment; printing takes longer than the cores can wait */
struct snapshot {
	struct port_cpu *cpu; /* [port * ncpus + cpu], ports from 1; on a cache line within mem */
	void *mem;
	uint64_t drop[DROP_N]; /* of all cores */
	char why[80];          /* the law does not hold there */
	bool conserved;
};

static int take_snapshot(struct shell *sh, struct snapshot *s)
{
	s->mem = malloc((nports + 1) * ncpus * sizeof(*s->cpu) + CACHE_LINE);
	if (!s->mem)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump");
	s->cpu = (struct port_cpu *)ROUND_UP((uintptr_t)s->mem, CACHE_LINE);
	cores_park();
	port_for_each(i)
		memcpy(&s->cpu[i * ncpus], ports[i]->cpu, ncpus * sizeof(*s->cpu));
	for (unsigned why = 0; why < DROP_N; why++) {
		s->drop[why] = 0;
		cpu_for_each(c)
			s->drop[why] += cpus[c]->drop[why];
	}
	s->conserved = port_conserved(s->why, sizeof(s->why));
	cores_resume();
	return 0;
}

static int show_ports(struct shell *sh, int n, const struct word *w)
{
	struct snapshot s;
	int err = n > 1 ? shell_expected(sh, 1, "the end of the line") : take_snapshot(sh, &s);

	(void)w;
	if (err)
		return err;
	shell_printf(sh, "port             core         in    created  forwarded    dropped |    "
			 "offered      taken"
			 "        out    dropped      given\n");
	port_for_each(i)
		cpu_for_each(c) {
			const struct port_cpu *t = &s.cpu[i * ncpus + c];

			shell_printf(sh,
				     "%-16s %4u %10lu %10lu %10lu %10lu | %10lu %10lu %10lu %10lu "
				     "%10lu\n",
				     ports[i]->name, c, (ul)t->in, (ul)t->created, (ul)t->forwarded,
				     (ul)port_drops(t->dropped_in), (ul)t->offered, (ul)t->taken,
				     (ul)t->out, (ul)port_drops(t->dropped_out), (ul)t->given);
		}
	free(s.mem);
	if (s.conserved)
		shell_printf(sh, "conservation: ok\n");
	else
		shell_printf(sh, "conservation: VIOLATED at %s\n", s.why);
	return s.conserved ? 0 : -EIO;
}

SHELL_COMMAND(cmd_ports, .name = "ports", .usage = "",
	      .help = "what enters, leaves and is dropped by port and core, and whether it adds up",
	      .run = show_ports);

/* One line a reason that has counted: all cores, then each port that dropped some of them. */
static void print_reason(struct shell *sh, const struct snapshot *s, unsigned why)
{
	if (!s->drop[why])
		return;
	shell_printf(sh, "%-16s %10lu  %s", drop_text[why].name, (ul)s->drop[why],
		     drop_text[why].text);
	port_for_each(i) {
		uint64_t n = 0;

		cpu_for_each(c)
			n += s->cpu[i * ncpus + c].dropped_in[why] +
			     s->cpu[i * ncpus + c].dropped_out[why];
		n += port_drops_behind(ports[i], why);
		if (n)
			shell_printf(sh, " [%s %lu]", ports[i]->name, (ul)n);
	}
	shell_printf(sh, "\n");
}

static int show_drops(struct shell *sh, int n, const struct word *w)
{
	struct snapshot s;
	uint64_t total = 0;
	int err = n > 1 ? shell_expected(sh, 1, "the end of the line") : take_snapshot(sh, &s);

	(void)w;
	if (err)
		return err;
	for (unsigned why = 0; why < DROP_N; why++) {
		print_reason(sh, &s, why);
		total += s.drop[why];
	}
	shell_printf(sh, "%-16s %10lu\n", "total", (ul)total);
	free(s.mem);
	return 0;
}

SHELL_COMMAND(cmd_drops, .name = "drops", .usage = "",
	      .help = "packets that went nowhere, by reason and port", .run = show_drops);
