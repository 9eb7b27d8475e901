/* SPDX-License-Identifier: MIT */
/* port_show.c - what ports count: /proc/net/dev and `ports`. Control context. */
#include "port_snapshot.h"

#include "kernel/shell.h"

#include <errno.h>
#include <stdlib.h>

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

static int show_ports(struct shell *sh, int n, const struct word *w)
{
	struct port_snapshot *s;
	bool conserved;

	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	s = port_snapshot();
	if (!s)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump");
	shell_printf(sh, "port             core         in    created  forwarded    dropped |    "
			 "offered      taken"
			 "        out    dropped      given\n");
	port_for_each(i)
		cpu_for_each(c) {
			const struct port_cpu *t = port_snapshot_cpu(s, i, c);

			shell_printf(sh,
				     "%-16s %4u %10lu %10lu %10lu %10lu | %10lu %10lu %10lu %10lu "
				     "%10lu\n",
				     ports[i]->name, c, (ul)t->in, (ul)t->created, (ul)t->forwarded,
				     (ul)port_drops(t->dropped_in), (ul)t->offered, (ul)t->taken,
				     (ul)t->out, (ul)port_drops(t->dropped_out), (ul)t->given);
		}
	conserved = s->conserved;
	if (conserved)
		shell_printf(sh, "conservation: ok\n");
	else
		shell_printf(sh, "conservation: VIOLATED at %s\n", s->why);
	free(s);
	return conserved ? 0 : -EIO;
}

SHELL_COMMAND(cmd_ports, .name = "ports", .usage = "",
	      .help = "what enters, leaves and is dropped by port and core, and whether it adds up",
	      .run = show_ports);
