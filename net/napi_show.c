/* SPDX-License-Identifier: MIT */
/* napi_show.c - `napi`: interrupts, polls and batch sizes of each queue. Control context. */
#include "kernel/netif_rx.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "drivers/netdev.h"

typedef unsigned long ul;

static void print_napi(struct shell *sh, const struct napi *n)
{
	static const char *const bin[] = {
		"0", "1", "2-3", "4-7", "8-15", "16-31", "32-63", "64+"
	};

	shell_printf(sh, "%s: core %u, napi %u\n", n->name, (unsigned)n->cpu, (unsigned)n->id);
	shell_printf(sh, "  irqs %lu (while scheduled %lu, while disabled %lu, stray %lu)\n",
		     (ul)n->irqs, (ul)n->irqs_while_scheduled, (ul)n->irqs_while_disabled,
		     (ul)n->irqs_stray);
	shell_printf(sh, "  polls %lu (empty %lu), packets %lu, completes %lu, rechecks %lu\n",
		     (ul)napi_polls(n), (ul)n->batch_hist[0], (ul)n->packets, (ul)n->completes,
		     (ul)n->rechecks);
	if (n->policy && n->policy->rx)
		shell_printf(sh, "  backlog of its interrupt: waiting %u, dropped %lu\n",
			     netif_rx_waiting(n->policy->rx), (ul)netif_rx_dropped(n->policy->rx));
	shell_printf(sh, "  batches");
	for (unsigned i = 0; i < ARRAY_SIZE(bin); i++)
		shell_printf(sh, " %s:%lu", bin[i], (ul)n->batch_hist[i]);
	shell_printf(sh, "\n");
}

static int napi(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	netdev_for_each(d)
		for (unsigned q = 0; q < netdevs[d]->nqueues; q++)
			print_napi(sh, &netdevs[d]->queue[q].napi);
	return 0;
}

SHELL_COMMAND(cmd_napi, .name = "napi", .usage = "",
	      .help = "interrupts, polls and batch sizes of each queue", .run = napi);
