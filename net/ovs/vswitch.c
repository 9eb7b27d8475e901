/* SPDX-License-Identifier: MIT */
/*
 * vswitch.c - which switches there are, and the ports that they join
 *
 * In the control context. Owns the switches; their ports and rules change
 * while the cores are parked.
 */
#include "vswitch.h"

#include "kernel/park.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64 };

struct vswitch *switches[SWITCH_MAX];

/*
 * words of lines that failed, of switches perhaps that a later line makes; when
 * there is no more room, of any
 */
static char held[HELD_MAX][SWITCH_NAME];
static unsigned nheld;

static bool is_held(const char *name)
{
	for (unsigned i = 0; i < nheld; i++)
		if (!strcmp(held[i], name))
			return true;
	return nheld == HELD_MAX;
}

static void hold_ports(const struct vswitch *sw)
{
	port_for_each(i)
		if (ports[i]->sw == sw)
			port_hold(ports[i]->name);
}

void switch_hold(const char *word)
{
	struct vswitch *sw = switch_by_name(word);

	if (sw) {
		sw->held = true;
		hold_ports(sw);
	} else if (strlen(word) < SWITCH_NAME && !is_held(word)) {
		strcpy(held[nheld++], word);
	}
}

struct vswitch *switch_by_name(const char *name)
{
	switch_for_each(i)
		if (!strcmp(switches[i]->name, name))
			return switches[i];
	return NULL;
}

struct vswitch *switch_word(struct shell *sh, int i)
{
	struct vswitch *sw = i < sh->nwords ? switch_by_name(sh->word[i].s) : NULL;

	if (!sw)
		shell_expected(sh, i, "a switch");
	return sw;
}

struct vswitch *switch_create(const char *name)
{
	const struct rule learning = { .action = { RULE_NORMAL } };
	struct vswitch *sw = NULL;

	for (unsigned i = 0; i < SWITCH_MAX && !sw; i++) {
		if (switches[i])
			continue;
		sw = calloc(1, sizeof(*sw));
		if (!sw)
			return NULL;
		sw->id = i;
		sw->held = is_held(name);
		snprintf(sw->name, sizeof(sw->name), "%s", name);
		rules_add(&sw->rules,
			  &learning); /* without a free slot it has no rule, and drops say so */
		switches[i] = sw;
	}
	return sw;
}

void switch_add_port(struct vswitch *sw, struct port *port)
{
	cores_park();
	sw->ports |= BIT(port->id);
	port_set_switch(port, sw);
	cores_resume();
}

void switch_del_port(struct port *port)
{
	cores_park();
	port->sw->ports &= ~BIT(port->id);
	port_set_switch(port, NULL);
	cores_resume();
}

void switch_destroy(struct vswitch *sw)
{
	port_for_each(i)
		if (ports[i]->sw == sw)
			switch_del_port(ports[i]);
	rules_del(&sw->rules, NULL);
	switches[sw->id] = NULL; /* in no batch: its ports left it while the cores were parked */
	free(sw);
}
