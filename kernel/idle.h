/* SPDX-License-Identifier: MIT */
/*
 * idle.h - what a core does while it has nothing to do: HLT, MWAIT or spin
 *
 * HLT sleeps until an interrupt; whoever wakes the core from elsewhere sends one. MWAIT sleeps
 * until a line of memory is written, the one where others raise softirqs, or an interrupt comes; a
 * spinning core reads that line again and again. Both are woken by the write alone, so no IPI is
 * sent to them (Linux: TIF_POLLING_NRFLAG).
 */
#pragma once

#include "cpu.h"

enum idle_mode { IDLE_HLT, IDLE_MWAIT, IDLE_SPIN, IDLE_MODES };

extern unsigned idle_mode; /* sysctl kernel.idle */

/*
 * idle_otherwise() - the core loop's sleep where that is not HLT: by idle_mode, and for a core that
 * polls in each turn, whatever that says, one PAUSE. Interrupts are off and nothing is pending;
 * they are on when it returns.
 */
void idle_otherwise(struct cpu *c);
