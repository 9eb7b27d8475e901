/* SPDX-License-Identifier: MIT */
/*
 * fake_e1000.h - an 82540EM for unit tests: a register file and what stands behind it
 *
 * The real driver reaches it through gbe_read() and gbe_write(), which on the host lead here. It
 * does what the manual says, at once, unless one of its knobs has it misbehave. Its interrupt is a
 * level: up while a cause is enabled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/e1000.h"
#include "fake_gbe.h"

enum { FAKE_E1000_SENT = FAKE_GBE_SENT };

/*
 * the rings' registers, as the manual has them [8254x 13.4.25 on]; the driver counts
 * from where its table says
 */
enum {
	E1000_RDBAL = 0x2800,
	E1000_RDLEN = 0x2808,
	E1000_RDH = 0x2810,
	E1000_RDT = 0x2818,
	E1000_TDBAL = 0x3800,
	E1000_TDLEN = 0x3808,
	E1000_TDH = 0x3810,
	E1000_TDT = 0x3818,
};

/*
 * fake_e1000_power_on() - registers at their defaults, knobs off, log empty; the
 * EEPROM's address ends in @last.
 */
void fake_e1000_power_on(struct fake_gbe *f, uint8_t last);

/*
 * fake_e1000_rx() - a frame of @len bytes comes in, byte i holds (uint8_t)(first + i). Returns
 * false if there were too few descriptors, nothing is written and ICR.RXO is raised; or if it is
 * longer than the chip takes.
 */
bool fake_e1000_rx(struct fake_gbe *f, uint32_t len, uint8_t first);
/*
 * fake_e1000_rx_raw() - hand back one descriptor with this status and errors and length;
 * @silent: without a cause.
 */
bool fake_e1000_rx_raw(struct fake_gbe *f, uint32_t status, uint16_t len, bool silent);

/* fake_e1000_cause() - causes of ICR; fake_e1000_link() - the link changes and says so. */
void fake_e1000_cause(struct fake_gbe *f, uint32_t causes);
void fake_e1000_link(struct fake_gbe *f, bool up);

/* fake_e1000_writes(), fake_e1000_wrote() - what was written, as fake_gbe.h says. */
static inline unsigned fake_e1000_writes(const struct fake_gbe *f, uint32_t off, unsigned from)
{
	return fake_gbe_writes(f, off, from);
}

static inline int fake_e1000_wrote(const struct fake_gbe *f, uint32_t off, uint32_t bits,
				   unsigned from)
{
	return fake_gbe_wrote(f, off, bits, from);
}
