/* SPDX-License-Identifier: MIT */
/* tc.c - `tc`: traffic control, as iproute2 says it. Control context. */
#include "tc_cls.h"
#include "tc_qdisc.h"

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

static void complete_tc(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const char *const words[] = {
		"-s",    "qdisc",    "filter",        "add",    "replace", "del",
		"show",  "dev",      "root",          "parent", "clsact",  "ingress",
		"pfifo", "fq_codel", "tbf",           "rate",   "burst",   "limit",
		"bpf",   "bytecode", "bytecode-file", "action", "pref"
	};

	(void)w;
	for (unsigned i = 0; n > 0 && i < ARRAY_SIZE(words); i++)
		add(to, words[i]);
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
