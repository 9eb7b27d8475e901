/* SPDX-License-Identifier: MIT */
/*
 * fake_igb.h - an 82576 for unit tests: a register file and what stands behind it
 *
 * The real driver reaches it through gbe_read() and gbe_write(), which on the host lead here. It
 * does what the datasheet says, at once, unless one of its knobs has it misbehave: what QEMU's
 * model cannot play (overruns that are counted, a head that stands still, a done bit that comes
 * late, a length that cannot be) it plays on request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/igb.h"
#include "fake_gbe.h"

/*
 * the rings' registers, as the datasheet has them [82576 8.10, 8.12]; the driver counts
 * from where its table says
 */
#define IGB_RDBAL(q) (0x0c000 + 0x40 * (q))
#define IGB_RDLEN(q) (0x0c008 + 0x40 * (q))
#define IGB_RDH(q)   (0x0c010 + 0x40 * (q))
#define IGB_RDT(q)   (0x0c018 + 0x40 * (q))
#define IGB_RQDPC(q) (0x0c030 + 0x40 * (q))
#define IGB_TDBAL(q) (0x0e000 + 0x40 * (q))
#define IGB_TDLEN(q) (0x0e008 + 0x40 * (q))
#define IGB_TDH(q)   (0x0e010 + 0x40 * (q))
#define IGB_TDT(q)   (0x0e018 + 0x40 * (q))

enum { FAKE_IGB_SENT = FAKE_GBE_SENT };

/* fake_igb_power_on() - registers at their defaults, knobs off, log empty. */
void fake_igb_power_on(struct fake_gbe *f);

/*
 * fake_igb_rx() - a frame of @len bytes comes in for queue @q, byte i holds (uint8_t)(first + i).
 * Returns false if there were too few descriptors: nothing is written, ICR.RXO is raised.
 */
bool fake_igb_rx(struct fake_gbe *f, unsigned q, uint32_t len, uint8_t first);
/*
 * fake_igb_rx_raw() - hand back one descriptor with this status and length;
 * @silent: without an interrupt.
 */
bool fake_igb_rx_raw(struct fake_gbe *f, unsigned q, uint32_t status, uint16_t len, bool silent);
/* fake_igb_rx_done() - the DD bit of the descriptor before the head comes at last. */
void fake_igb_rx_done(struct fake_gbe *f, unsigned q);

/*
 * fake_igb_cause() - causes of ICR, a link change among them; fake_igb_link() - the
 * link changes and says so.
 */
void fake_igb_cause(struct fake_gbe *f, uint32_t causes);
void fake_igb_link(struct fake_gbe *f, bool up);
/* fake_igb_tick() - time has gone by: vectors that were throttled may be due. */
void fake_igb_tick(struct fake_gbe *f);
/* fake_igb_raise() - bits of EICR; what is unmasked is sent. */
void fake_igb_raise(struct fake_gbe *f, uint32_t vectors);

/* fake_igb_writes(), fake_igb_wrote() - what was written, as fake_gbe.h says. */
static inline unsigned fake_igb_writes(const struct fake_gbe *f, uint32_t off, unsigned from)
{
	return fake_gbe_writes(f, off, from);
}

static inline int fake_igb_wrote(const struct fake_gbe *f, uint32_t off, uint32_t bits,
				 unsigned from)
{
	return fake_gbe_wrote(f, off, bits, from);
}
