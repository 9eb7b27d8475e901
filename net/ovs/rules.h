/* SPDX-License-Identifier: MIT */
/*
 * rules.h - what the operator wants done with packets, in the words of ovs-ofctl
 *
 * Each switch has a list of rules, highest priority first; the first that matches decides, and
 * among equals the older one. Rules are looked at on the slow path only. They change in the control
 * context with the cores parked.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/flow.h"
#include "net/key.h"

enum { RULES_MAX = 256, RULE_PRIORITY_DEFAULT = 32768, RULE_ACTIONS_MAX = 16 };

/* one step of an action list; RULE_OUTPUT + port id for a port */
enum rule_action {
	RULE_END,     /* nothing: the list ends. Empty: drop */
	RULE_NORMAL,  /* as a learning switch does */
	RULE_FLOOD,   /* all ports but the one it came in by */
	RULE_ALL,     /* the same; OpenFlow's other word for it */
	RULE_IN_PORT, /* back where it came from */
	RULE_OUTPUT,
};

struct rule_match {
	struct flow_key value, mask; /* (key & mask) == value; value has no bit outside mask */
};

struct rule {
	struct rule_match match;
	uint16_t priority;
	uint8_t action[RULE_ACTIONS_MAX];
	uint64_t made;     /* time_ns() */
	struct rule *next; /* of this switch, in order */
	uint32_t serial;   /* of this use of the slot; 0 while it is free */
	_Atomic uint64_t packets,
		bytes; /* of flows that are gone and of packets that went without one */
};

/* the rules of one switch */
struct rules {
	struct rule *first;
	unsigned n;
};

/* rules_find() - the rule that decides about @key, or NULL. Slow path. */
struct rule *rules_find(const struct rules *rules, const struct flow_key *key);

/* rules_send_to() - does one of them name port @id in its actions? Control context. */
bool rules_send_to(const struct rules *rules, unsigned id);

struct rule_ref rule_ref(const struct rule *rule);

/* rule_count() - so many packets went by it, if it is still there. Any core. */
void rule_count(struct rule_ref ref, uint64_t packets, uint64_t bytes);

/*
 * rules_total() - by rule_ref.index: what is gone and what flows still count. Exact with the
 * cores parked, which they are.
 */
void rules_total(struct flow_stat totals[RULES_MAX]);

/*
 * rules_add() - put a copy of match, priority and actions of @rule into the list; an equal match of
 * equal priority is replaced, as in OpenFlow. Returns 0; -ENOSPC if RULES_MAX are in use. Parks the
 * cores, invalidates the flows.
 */
int rules_add(struct rules *rules, const struct rule *rule);
/*
 * rules_del() - remove all that are as narrow as @match or narrower (NULL: all); returns how
 * many. Parks, invalidates.
 */
unsigned rules_del(struct rules *rules, const struct rule_match *match);
