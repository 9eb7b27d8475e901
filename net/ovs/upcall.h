/* SPDX-License-Identifier: MIT */
/* upcall.h - the slow path: a packet whose flow nobody knows */
#pragma once

#include <stdbool.h>

#include "net/flow.h"
#include "vswitch.h"

/*
 * upcall() - decide about @key, which came in by @port: learn the sender, ask the rules.
 * Fills @v; returns whether the verdict may be remembered. Any core.
 */
bool upcall(struct port *port, const struct flow_key *key, struct verdict *v);
/* upcall_peek() - what upcall() would say now; nothing is learnt. */
bool upcall_peek(struct port *port, const struct flow_key *key, struct verdict *v);
/*
 * upcall_peek_fdb() - the port that @key's target would be found behind, the sender learnt;
 * -1: unknown. Cores parked.
 */
int upcall_peek_fdb(const struct port *port, const struct flow_key *key);
