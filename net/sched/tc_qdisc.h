/* SPDX-License-Identifier: MIT */
/* tc_qdisc.h - `tc qdisc`, for who reads the command `tc` */
#pragma once

#include <stdbool.h>

#include "kernel/shell.h"
#include "net/port.h"

/*
 * tc_qdisc() - the words of the line from @i on, behind "qdisc"; @counts: -s was given. 0
 * or a negative errno, said.
 */
int tc_qdisc(struct shell *sh, int i, bool counts);

/*
 * tc_qdisc_print() - place, kind and options of what @port has, as `tc qdisc
 * change dev PORT` takes them.
 */
void tc_qdisc_print(struct shell *sh, const struct port *port);
