/* SPDX-License-Identifier: MIT */
/* tc.c - `tc`: traffic control, as iproute2 says it. Control context. */
#include "kernel/words.h"
#include "net/port.h"
#include "tc_cls.h"
#include "tc_qdisc.h"

#include <string.h>

static int run_tc(struct shell *sh, int n, const struct word *w)
{
	bool counts = word_is(n, w, 1, "-s");
	int i = counts ? 2 : 1;

	if (word_is(n, w, i, "qdisc") && word_is(n, w, i + 4, "clsact"))
		return tc_clsact_change(sh, i + 1);
	if (word_is(n, w, i, "qdisc"))
		return tc_qdisc(sh, i + 1, counts);
	if (word_is(n, w, i, "filter"))
		return tc_filter(sh, i + 1, counts);
	return shell_expected(sh, i, counts ? "qdisc or filter" : "-s, qdisc or filter");
}

static const struct words_next behind_a_word[] = {
	{ "tc", "-s qdisc filter" },
	{ "-s", "qdisc filter" },
	{ "qdisc", "show add replace change del" },
	{ "filter", "show add del" },
	{ "show", "dev" },
	{ "add", "dev" },
	{ "replace", "dev" },
	{ "change", "dev" },
	{ "del", "dev" },
	{ "root", "pfifo fq_codel tbf" },
	{ "parent", "1:1" },
	{ "1:1", "pfifo fq_codel" },
	{ "pfifo", "limit" },
	{ "fq_codel", "limit flows quantum target interval ecn noecn" },
	{ "tbf", "rate" },
	{ "ingress", "pref bpf" },
	{ "bpf", "bytecode bytecode-file" },
	{ "action", "drop ok pass" },
};

/* behind a word and its value */
static const struct words_next behind_a_value[] = {
	{ "rate", "burst" },
	{ "pref", "bpf" },
	{ "bytecode", "action" },
	{ "bytecode-file", "action" },
};

static void complete_tc(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	const char *last = w[n - 1].s, *before = n > 1 ? w[n - 2].s : "";
	bool filter = word_is(n, w, 1, "filter") || word_is(n, w, 2, "filter");

	if (!strcmp(last, "dev"))
		port_offer(add, to);
	else if (!strcmp(before, "dev"))
		words_offer(filter ? "ingress" : "root parent clsact", add, to);
	else if (!words_offer_next(behind_a_word, ARRAY_SIZE(behind_a_word), last, add, to))
		words_offer_next(behind_a_value, ARRAY_SIZE(behind_a_value), before, add, to);
}

SHELL_COMMAND(
	cmd_tc, .name = "tc",
	.usage = "[-s] qdisc [show [dev PORT]] | qdisc add|replace|change|del dev PORT root|parent "
		 "1:1 KIND ... | "
		 "qdisc add|del dev PORT clsact | [-s] filter show|add|del dev PORT ingress [pref "
		 "N] "
		 "[bpf bytecode PROGRAM|bytecode-file FILE action drop|ok|pass]",
	.help = "queueing disciplines: where packets wait that may not leave at once; filters: "
		"what comes no further than its port",
	.run = run_tc, .complete = complete_tc);
