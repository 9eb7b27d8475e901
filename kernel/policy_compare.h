/* SPDX-License-Identifier: MIT */
/* policy_compare.h - two policies of one queue on live traffic: `policy compare` */
#pragma once

#include "shell.h"

/* policy_compare() - the command, from word 2 on. 0 or a negative errno, having said why. */
int policy_compare(struct shell *sh);

/* what two are judged by */
struct policy_score {
	uint64_t packets, p99;
	unsigned busy;
};

/*
 * policy_second_is_better() - and *@because of what; NULL: there is nothing between
 * them, and the first stays.
 */
bool policy_second_is_better(const struct policy_score *a, const struct policy_score *b,
			     const char **because);
