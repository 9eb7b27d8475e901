/* SPDX-License-Identifier: MIT */
/* vsctl.c - `ovs-vsctl`: which switches there are and which ports they join. Control context. */
#include "vswitch.h"

#include "kernel/shell.h"
#include "net/inet/internal.h"
#include "net/port.h"

#include <errno.h>
#include <string.h>

static int add_br(struct shell *sh, int n, const struct word *w)
{
	char name[SWITCH_NAME];
	struct vswitch *sw;
	int err = shell_name(sh, 2, name, sizeof(name));

	(void)n;
	(void)w;
	if (err)
		return err;
	if (switch_by_name(name))
		return shell_error(sh, 2, -EEXIST, "there is a switch %s already", name);
	if (port_by_name(name))
		return shell_error(sh, 2, -EEXIST, "%s is the name of a port", name);
	sw = switch_create(name);
	if (!sw)
		return shell_error(sh, 2, -ENOSPC, "no more than %u switches", SWITCH_MAX);
	if (internal_add(sw)) {
		switch_destroy(sw);
		return shell_error(sh, 2, -ENOSPC, "no more than %u ports", PORT_MAX - 1);
	}
	if (sw->held && sh->file)
		port_hold(sw->name);
	return 0;
}

static int del_br(struct shell *sh, int n, const struct word *w)
{
	struct vswitch *sw = switch_word(sh, 2);

	(void)n;
	(void)w;
	if (!sw)
		return -EINVAL;
	internal_del(sw);
	switch_destroy(sw);
	return 0;
}

/* a word may be a glob; ports that are in this switch already stay there */
static int add_ports(struct shell *sh, struct vswitch *sw, int i)
{
	struct port *match[PORT_MAX];
	int n = port_words(sh, i, match);

	for (int k = 0; k < n; k++)
		if (match[k]->sw && match[k]->sw != sw)
			return shell_error(sh, i, -EBUSY, "%s is in switch %s", match[k]->name,
					   match[k]->sw->name);
	for (int k = 0; k < n; k++) {
		if (match[k]->sw)
			continue;
		switch_add_port(sw, match[k]);
		if (sw->held && sh->file) /* by hand it may */
			port_hold(match[k]->name);
	}
	return n < 0 ? n : 0;
}

static int del_ports(struct shell *sh, struct vswitch *sw, int i)
{
	struct port *match[PORT_MAX];
	int n = port_words(sh, i, match);

	for (int k = 0; k < n; k++) {
		if (match[k]->internal)
			return shell_error(sh, i, -EINVAL, "%s goes with its switch only: del-br",
					   match[k]->name);
		if (match[k]->sw != sw)
			return shell_error(sh, i, -ENOENT, "%s is not in switch %s", match[k]->name,
					   sw->name);
		if (rules_send_to(&sw->rules, match[k]->id))
			return shell_error(sh, i, -EBUSY, "a rule of %s sends to %s", sw->name,
					   match[k]->name);
	}
	for (int k = 0; k < n; k++)
		switch_del_port(match[k]);
	return n < 0 ? n : 0;
}

static int each_port(struct shell *sh, int n,
		     int (*fn)(struct shell *sh, struct vswitch *sw, int i))
{
	struct vswitch *sw = switch_word(sh, 2);
	int err = 0;

	if (!sw)
		return -EINVAL;
	if (n < 4)
		return shell_expected(sh, 3, "a port");
	for (int i = 3; i < n && !err; i++)
		err = fn(sh, sw, i);
	return err;
}

static int add_port(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	return each_port(sh, n, add_ports);
}

static int del_port(struct shell *sh, int n, const struct word *w)
{
	(void)w;
	return each_port(sh, n, del_ports);
}

static int show(struct shell *sh, int n, const struct word *w)
{
	(void)n;
	(void)w;
	switch_for_each(i) {
		shell_printf(sh, "    Bridge %s\n", switches[i]->name);
		port_for_each(p) {
			if (ports[p]->sw != switches[i])
				continue;
			shell_printf(sh, "        Port %s\n            Interface %s\n",
				     ports[p]->name, ports[p]->name);
			if (ports[p]->internal)
				shell_printf(sh, "                type: internal\n");
		}
	}
	return 0;
}

static int list_br(struct shell *sh, int n, const struct word *w)
{
	(void)n;
	(void)w;
	switch_for_each(i)
		shell_printf(sh, "%s\n", switches[i]->name);
	return 0;
}

static int list_ports(struct shell *sh, int n, const struct word *w)
{
	struct vswitch *sw = switch_word(sh, 2);

	(void)n;
	(void)w;
	if (!sw)
		return -EINVAL;
	port_for_each(p)
		if (ports[p]->sw == sw && !ports[p]->internal)
			shell_printf(sh, "%s\n", ports[p]->name);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct shell *sh, int n, const struct word *w);
	int most; /* words, the command's own two included; 0: any number */
} verbs[] = {
	{ "add-br", add_br, 3 },         { "del-br", del_br, 3 }, { "add-port", add_port, 0 },
	{ "del-port", del_port, 0 },     { "show", show, 2 },     { "list-br", list_br, 2 },
	{ "list-ports", list_ports, 3 },
};

static int vsctl(struct shell *sh, int n, const struct word *w)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!word_is(n, w, 1, verbs[i].name))
			continue;
		if (verbs[i].most && n > verbs[i].most)
			return shell_expected(sh, verbs[i].most, "the end of the line");
		return verbs[i].run(sh, n, w);
	}
	return shell_expected(sh, 1,
			      "add-br, del-br, add-port, del-port, show, list-br or list-ports");
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (n == 1) {
		for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
			add(to, verbs[i].name);
	} else if (n == 2 && !word_is(n, w, 1, "add-br")) {
		switch_for_each(i)
			add(to, switches[i]->name);
	} else if (word_is(n, w, 1, "add-port") || word_is(n, w, 1, "del-port")) {
		port_for_each(i)
			add(to, ports[i]->name);
	}
}

SHELL_COMMAND(cmd_vsctl, .name = "ovs-vsctl",
	      .usage = "add-br BR | del-br BR | add-port BR PORT... | del-port BR PORT... | show | "
		       "list-br | list-ports BR",
	      .help = "make switches and put ports into them", .run = vsctl, .complete = complete);

static void print_config(struct shell *sh)
{
	switch_for_each(i) {
		shell_printf(sh, "ovs-vsctl add-br %s\n", switches[i]->name);
		port_for_each(p)
			if (ports[p]->sw == switches[i] && !ports[p]->internal)
				shell_printf(sh, "ovs-vsctl add-port %s %s\n", switches[i]->name,
					     ports[p]->name);
	}
}

CONFIG_SOURCE(config_switches, .order = 31, .print = print_config);
