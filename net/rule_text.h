/* SPDX-License-Identifier: MIT */
/* rule_text.h - rules as ovs-ofctl writes them, read and printed */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/shell.h"
#include "rules.h"
#include "switch.h"

enum { RULE_STR = 400 };

/*
 * rule_parse() - words @first to the last of the command line are a rule for @sw: "priority=100,ip,nw_src=10.0.0.0/8
 * actions=drop". Without @with_actions it is a match only, as del-flows takes it.
 * Returns 0; -EINVAL having said which column is wrong and what was expected.
 */
int rule_parse(struct shell *sh, int first, const struct vswitch *sw, bool with_actions,
	       struct rule *rule);

/* rule_str() - priority, match and actions, as rule_parse() takes them and ovs-ofctl dump-flows shows them. */
void rule_str(const struct rule *rule, char buf[RULE_STR]);
