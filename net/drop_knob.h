/* SPDX-License-Identifier: MIT */
/* drop_knob.h - the knob of a drop reason as a line to type: kernel/drop.h's column, filled in */
#pragma once

#include "port.h"

/*
 * drop_knob_print() - @knob for @port, with the value in force: typed as it stands, a number
 * changes nothing. What @port, which may be NULL, does not tell stays in capitals.
 */
void drop_knob_print(struct shell *sh, const char *knob, const struct port *port);
