/* SPDX-License-Identifier: MIT */
/*
 * explain.h - the parts of `explain`: in by a port, up to whoever takes it, and out by another one
 *
 * Each part prints a line a stage, in the order that a packet meets them, and only looks: nothing
 * is learnt, counted, begun or sent. Control context, cores parked.
 */
#pragma once

#include <stdint.h>

#include "kernel/drop.h"
#include "kernel/shell.h"
#include "net/port.h"

enum { EXPLAIN_FRAME_MAX = PKT_BUF_SIZE };

/*
 * explain_frame() - the frame that words 2 and on of the line give, into @frame; its
 * length, or an error, said.
 */
int explain_frame(struct shell *sh, uint8_t *frame);

/* explain_stage() - the name of a stage, where its line begins. */
void explain_stage(struct shell *sh, const char *name);
/* explain_drop() - the rest of the line of the stage where it ends, and that line's end. */
void explain_drop(struct shell *sh, enum drop_reason why);
/* explain_taps() - the line of those that look on at @where of @port, if anybody does. */
void explain_taps(struct shell *sh, const struct port *port, const struct pkt *p, unsigned where);

/*
 * explain_in() - from the wire, or the guest, to the handler of @port. The core that has it
 * then; -1: it came to an end.
 */
int explain_in(struct shell *sh, struct port *port, struct pkt *p);

/* explain_out() - out by @port, from core @cpu; it is @len bytes long then. */
void explain_out(struct shell *sh, struct port *port, const struct pkt *p, uint32_t len,
		 unsigned cpu);
