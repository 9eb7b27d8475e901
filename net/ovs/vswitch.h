/* SPDX-License-Identifier: MIT */
/*
 * vswitch.h - a switch: ports and rules. Its functions are the control context's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/shell.h"
#include "net/port.h"
#include "rules.h"

enum { SWITCH_MAX = 8, SWITCH_NAME = 16 };

struct vswitch {
	uint32_t ports; /* BIT(port id); written while the cores are parked */
	struct rules rules;
	unsigned id; /* 0 to SWITCH_MAX - 1 */
	bool held;   /* named by a line of the config that failed: ports that the config adds are
			held */
	char name[SWITCH_NAME];
};

extern struct vswitch *switches[SWITCH_MAX]; /* by id; NULL where there is none */

#define switch_for_each(i)                        \
	for (unsigned i = 0; i < SWITCH_MAX; i++) \
		if (switches[i])

struct vswitch *switch_by_name(const char *name);
/*
 * switch_word() - the same for word @i of a command line; says what was expected if there is none.
 */
struct vswitch *switch_word(struct shell *sh, int i);
/* switch_create() - with one rule, priority=0 actions=NORMAL. NULL if there are SWITCH_MAX. */
struct vswitch *switch_create(const char *name);
void switch_destroy(struct vswitch *sw);
void switch_add_port(struct vswitch *sw, struct port *port);
void switch_del_port(struct port *port);
/*
 * switch_hold() - if @word is a switch, or becomes one later: port_hold() each of its ports.
 * Without the line that failed it may pass what it should not. For config_run().
 */
void switch_hold(const char *word);
