/* SPDX-License-Identifier: MIT */
/*
 * internal.h - a switch's internal port: the switch on one side, Weir's own protocols on the other
 *
 * Open vSwitch's port LOCAL, named as its bridge. What the switch sends there waits in a queue of
 * the core that sent it, until that core polls it by NAPI (Linux: netif_rx and process_backlog);
 * every core may send, so nothing crosses.
 */
#pragma once

#include "net/port.h"
#include "net/ovs/vswitch.h"

/*
 * internal_add() - the internal port of @sw: down, without an address. 0 or -ENOSPC. Control
 * context; parks the cores.
 */
int internal_add(struct vswitch *sw);
/*
 * internal_del() - it goes, with its addresses. Its id is free again. Control
 * context; parks the cores.
 */
void internal_del(struct vswitch *sw);
/* internal_port() - that of @sw, NULL if it has none. */
struct port *internal_port(const struct vswitch *sw);

/*
 * internal_drop() - Weir dropped one of the packets that it was given by @port.
 * On the core that has it.
 */
void internal_drop(struct port *port, enum drop_reason why);

void internal_init(void);
