/* SPDX-License-Identifier: MIT */
/*
 * gbe_trace.h - recorded accesses to a NIC's registers: gbe_trace.c records them,
 * gbe_trace_cmd.c is `trace nic0 regs`
 *
 * The first accesses are kept and what finds no room is counted: who wants to see a reset does
 * not want to lose it to the traffic behind it. One like the one before, as in a wait for a
 * bit, is counted with that.
 */
#pragma once

#include "gbe.h"

enum { GBE_TRACE_RECORDS = 4096 };

struct gbe_access {
	uint64_t tsc;
	uint32_t off, value;
	_Atomic uint32_t again; /* so often more, one behind the other */
	uint8_t cpu;
	bool write;
	_Atomic bool done; /* all of it is written */
};

struct gbe_trace {
	_Atomic uint32_t n; /* accesses so far; those beyond GBE_TRACE_RECORDS are lost */
	struct gbe_access access[GBE_TRACE_RECORDS];
};

/*
 * gbe_trace_use() - accesses go into @t from now on; NULL: nowhere. Control
 * context; parks the cores.
 */
void gbe_trace_use(struct gbe *gbe, struct gbe_trace *t);

/* gbe_trace_kept() - how many @t has; those that are not done yet are to be left out. */
uint32_t gbe_trace_kept(const struct gbe_trace *t);
