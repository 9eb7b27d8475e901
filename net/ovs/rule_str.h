/* SPDX-License-Identifier: MIT */
/* rule_str.h - a rule as ovs-ofctl writes it */
#pragma once

#include "kernel/shell.h"
#include "rules.h"

/*
 * The longest that a rule can become is 433 bytes: two IPv6 prefixes and sixteen times output:nicN.
 * With the words of `show config` in front of it that is still a line the shell takes.
 */
enum { RULE_STR = SHELL_LINE_MAX };

/*
 * rule_str() - priority, match and actions, as rule_parse() takes them and
 * ovs-ofctl dump-flows shows them.
 */
void rule_str(const struct rule *rule, char buf[RULE_STR]);
