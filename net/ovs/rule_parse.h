/* SPDX-License-Identifier: MIT */
/* rule_parse.h - from ovs-ofctl's text to a rule */
#pragma once

#include <stdbool.h>

#include "kernel/shell.h"
#include "rules.h"
#include "vswitch.h"

/*
 * rule_parse() - words @first to the last of the command line are a rule for @sw:
 * "priority=100,ip,nw_src=10.0.0.0/8 actions=drop". Without @with_actions it is a match only, as
 * del-flows takes it: no priority either, which narrows no match.
 * Returns 0; -EINVAL having said which column is wrong and what was expected.
 */
int rule_parse(struct shell *sh, int first, const struct vswitch *sw, bool with_actions,
	       struct rule *rule);
