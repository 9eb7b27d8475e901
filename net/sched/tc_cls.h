/* SPDX-License-Identifier: MIT */
/* tc_cls.h - `tc filter`, and clsact among what `tc qdisc` knows, for who reads the command `tc` */
#pragma once

#include <stdbool.h>

#include "kernel/shell.h"

/*
 * tc_filter() - the words from @i on, behind "filter"; @counts: -s was given. 0
 * or a negative errno, said.
 */
int tc_filter(struct shell *sh, int i, bool counts);

/* tc_clsact_change() - add|del dev PORT clsact, from word @i on. 0 or a negative errno, said. */
int tc_clsact_change(struct shell *sh, int i);
