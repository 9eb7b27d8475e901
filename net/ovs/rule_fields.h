/* SPDX-License-Identifier: MIT */
/*
 * rule_fields.h - what ovs-ofctl can match, as tables
 *
 * A field has a name, a way to write its value, a place in the flow key, and what must be matched
 * beside it for it to mean anything. rule_parse.c reads by these tables and rule_str.c prints by
 * them, so the two cannot disagree.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "rules.h"

/* how a field's value is written */
enum form {
	FORM_PORT, /* port number or name */
	FORM_VLAN, /* VLAN id, or 0xffff for untagged */
	FORM_MAC,
	FORM_U8,
	FORM_BE16,
	FORM_IP4, /* address[/length] */
	FORM_IP6,
};

/* what else the rule must match */
enum need { NEED_NOTHING, NEED_IP4, NEED_ARP, NEED_IP6, NEED_IP, NEED_PORTS, NEED_ICMP };

struct field {
	const char *name;
	enum form form;
	unsigned offset; /* in struct flow_key */
	enum need need;
};

/* one word for a type and perhaps a protocol */
struct shorthand {
	const char *name;
	uint16_t type;
	uint8_t proto; /* 0: any */
};

/* an action that is one word */
struct plain_action {
	const char *name;
	enum rule_action action;
};

enum { FIELDS = 17, SHORTHANDS = 9, PLAIN_ACTIONS = 4 };

extern const struct field fields[FIELDS];
extern const struct shorthand shorthands[SHORTHANDS]; /* those with a protocol first */
extern const struct plain_action plain_actions[PLAIN_ACTIONS];
extern const char *const need_text[]; /* by enum need: what is missing, for a person */

/* is_met() - does @m match what @need asks for? */
bool is_met(const struct rule_match *m, enum need need);
