/* SPDX-License-Identifier: MIT */
/* ofctl.c - `ovs-ofctl`: the rules of a switch. Control context. */
#include "rule_parse.h"

#include "kernel/park.h"
#include "kernel/time.h"
#include "rule_str.h"

#include <errno.h>
#include <stdlib.h>

static int add_flow(struct shell *sh, struct vswitch *sw, int n)
{
	struct rule rule;
	int err;

	if (n < 4)
		return shell_expected(sh, 3, "a rule: FIELD=VALUE,... actions=ACTION,...");
	err = rule_parse(sh, 3, sw, true, &rule);
	if (err)
		return err;
	if (rules_add(&sw->rules, &rule))
		return shell_error(sh, 3, -ENOSPC, "no more than %u rules, all switches together",
				   RULES_MAX);
	return 0;
}

static int del_flows(struct shell *sh, struct vswitch *sw, int n)
{
	struct rule rule;
	int err = n > 3 ? rule_parse(sh, 3, sw, false, &rule) : 0;

	if (err)
		return err;
	rules_del(&sw->rules, n > 3 ? &rule.match : NULL);
	return 0;
}

static int dump_flows(struct shell *sh, struct vswitch *sw, int n)
{
	struct flow_stat *totals;

	if (n > 3)
		return shell_expected(sh, 3, "the end of the line");
	totals = malloc(RULES_MAX * sizeof(*totals));
	if (!totals)
		return shell_error(sh, 0, -ENOMEM, "no memory for a dump");
	cores_park();
	rules_total(totals);
	cores_resume();
	for (struct rule *r = sw->rules.first; r;
	     r = r->next) { /* only this context changes the list */
		struct flow_stat total = totals[rule_ref(r).index];
		uint64_t ms = (time_ns() - r->made) / 1000000;
		char text[RULE_STR];

		rule_str(r, text);
		shell_printf(sh,
			     " cookie=0x0, duration=%lu.%03lus, table=0, n_packets=%lu, "
			     "n_bytes=%lu, %s\n",
			     (unsigned long)(ms / 1000), (unsigned long)(ms % 1000),
			     (unsigned long)total.packets, (unsigned long)total.bytes, text);
	}
	free(totals);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct shell *sh, struct vswitch *sw, int n);
} verbs[] = {
	{ "add-flow", add_flow },
	{ "del-flows", del_flows },
	{ "dump-flows", dump_flows },
};

static int ofctl(struct shell *sh, int n, const struct word *w)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct vswitch *sw;

		if (!word_is(n, w, 1, verbs[i].name))
			continue;
		sw = switch_word(sh, 2);
		return sw ? verbs[i].run(sh, sw, n) : -EINVAL;
	}
	return shell_expected(sh, 1, "add-flow, del-flows or dump-flows");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	(void)w;
	if (n == 1) {
		for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
			add(to, verbs[i].name);
	} else if (n == 2) {
		switch_for_each(i)
			add(to, switches[i]->name);
	}
}

SHELL_COMMAND(cmd_ofctl, .name = "ovs-ofctl",
	      .usage = "add-flow BR \"FIELD=VALUE,... actions=ACTION,...\" | del-flows BR [MATCH] "
		       "| dump-flows BR",
	      .help = "rules: what a switch does with which packets", .run = ofctl,
	      .complete = complete);

static void print_rules(struct shell *sh, const struct vswitch *sw)
{
	char text[RULE_STR];

	shell_printf(sh, "ovs-ofctl del-flows %s\n", sw->name);
	for (const struct rule *r = sw->rules.first; r; r = r->next) {
		rule_str(r, text);
		shell_printf(sh, "ovs-ofctl add-flow %s \"%s\"\n", sw->name, text);
	}
}

static void print_config(struct shell *sh)
{
	switch_for_each(i)
		print_rules(sh, switches[i]);
}

CONFIG_SOURCE(config_rules, .order = 40, .print = print_config);
