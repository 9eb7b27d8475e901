/* SPDX-License-Identifier: MIT */
/* rule_str.h - a rule as ovs-ofctl writes it */
#pragma once

#include "rules.h"

enum { RULE_STR = 400 };

/* rule_str() - priority, match and actions, as rule_parse() takes them and ovs-ofctl dump-flows shows them. */
void rule_str(const struct rule *rule, char buf[RULE_STR]);
