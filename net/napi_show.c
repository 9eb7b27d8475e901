/* SPDX-License-Identifier: MIT */
/*
 * napi_show.c - `napi`: interrupts, polls and batch sizes of each queue; measured, how long packets
 * wait for a poll, how often it comes and how many it finds. Control context.
 */
#include "kernel/histogram.h"
#include "kernel/napi_measure.h"
#include "kernel/netif_rx.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "drivers/netdev.h"

#include <errno.h>

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
		     (ul)napi_polls(n), (ul)n->polls_took[0], (ul)n->packets, (ul)n->completes,
		     (ul)n->rechecks);
	if (n->policy && n->policy->rx)
		shell_printf(sh, "  backlog of its interrupt: waiting %u, dropped %lu\n",
			     netif_rx_waiting(n->policy->rx), (ul)netif_rx_dropped(n->policy->rx));
	if (n->policy && (n->policy->storm.storms || n->policy->rate.moves))
		shell_printf(sh, "  storms %lu, moves while adaptive %lu\n",
			     (ul)n->policy->storm.storms, (ul)n->policy->rate.moves);
	shell_printf(sh, "  batches");
	for (unsigned i = 0; i < ARRAY_SIZE(bin); i++)
		shell_printf(sh, " %s:%lu", bin[i],
			     (ul)napi_polls_between(n, BIT(i) / 2, i ? BIT(i) - 1 : 0));
	shell_printf(sh, "\n");
}

static void print_histogram(struct shell *sh, const struct napi *n, const char *what,
			    const struct histogram *h)
{
	shell_printf(sh, "%s, %s: %lu", n->name, what, (ul)h->count);
	if (h->count)
		shell_printf(sh, ", half of them up to %lu, 99 of 100 up to %lu, at most %lu",
			     (ul)histogram_percentile(h, 50), (ul)histogram_percentile(h, 99),
			     (ul)h->max);
	shell_printf(sh, "\n");
	histogram_bars(sh, h);
}

static void print_measured(struct shell *sh, const struct napi *n, const struct napi_measure *m)
{
	print_histogram(sh, n, "nanoseconds a packet waited for its poll", &m->wait);
	print_histogram(sh, n, "nanoseconds from poll to poll", &m->interval);
	print_histogram(sh, n, "buffers with packets that a poll found", &m->depth);
}

/* for_each() - each queue in use; ends with the first that fails. */
static int for_each(struct shell *sh, int (*fn)(struct shell *sh, struct napi *n))
{
	netdev_for_each(d)
		for (unsigned q = 0; q < netdevs[d]->nqueues; q++) {
			int err = fn(sh, &netdevs[d]->queue[q].napi);

			if (err)
				return err;
		}
	return 0;
}

/* a copy made between two polls: so the batches add up to the polls, and to the packets */
static int show_one(struct shell *sh, struct napi *n)
{
	struct napi copy;

	cores_park();
	copy = *n;
	cores_resume();
	print_napi(sh, &copy);
	return 0;
}

static int histogram_one(struct shell *sh, struct napi *n)
{
	struct napi_measure copy;

	if (!n->policy->measure)
		return 0;
	cores_park();
	copy = *n->policy->measure;
	cores_resume();
	print_measured(sh, n, &copy);
	return 0;
}

static int measure_one(struct shell *sh, struct napi *n)
{
	if (napi_measure_on(n->policy))
		return shell_error(sh, 1, -ENOMEM, "no memory for histograms");
	return 0;
}

static int measure_no_more(struct shell *sh, struct napi *n)
{
	(void)sh;
	napi_measure_off(n->policy);
	return 0;
}

static int napi(struct shell *sh, int n, const struct word *w)
{
	bool measure = word_is(n, w, 1, "measure");

	if (n == 1)
		return for_each(sh, show_one);
	if (!measure && !word_is(n, w, 1, "histogram"))
		return shell_expected(sh, 1, "measure, histogram or the end of the line");
	if (n > 2 + measure)
		return shell_expected(sh, 2 + measure, "the end of the line");
	if (!measure)
		return for_each(sh, histogram_one);
	if (word_is(n, w, 2, "on"))
		return for_each(sh, measure_one);
	if (word_is(n, w, 2, "off"))
		return for_each(sh, measure_no_more);
	return shell_expected(sh, 2, "on or off");
}

static void complete_napi(int n, const struct word *w, void (*add)(void *to, const char *s),
			  void *to)
{
	if (n == 1) {
		add(to, "measure");
		add(to, "histogram");
	}
	if (n == 2 && word_is(n, w, 1, "measure")) {
		add(to, "on");
		add(to, "off");
	}
}

SHELL_COMMAND(cmd_napi, .name = "napi", .usage = "[measure on|off | histogram]",
	      .help = "interrupts, polls and batch sizes of each queue, and how long packets wait",
	      .run = napi, .complete = complete_napi);
