/* SPDX-License-Identifier: MIT */
/*
 * fake_e1000e.h - an 82574L for unit tests: a register file and what stands behind it
 *
 * The real driver reaches it through gbe_read() and gbe_write(), which on the host lead here. It
 * does what the datasheet says, at once; with MSI-X where the driver has programmed IVAR, else all
 * causes come by one interrupt.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drivers/e1000e.h"
#include "fake_gbe.h"

enum { FAKE_E1000E_VECTORS = 5 };

/* the rings' registers, as the datasheet has them [82574 10.2.5, 10.2.6] */
#define E1000E_RDBAL(q) (0x2800 + 0x100 * (q))
#define E1000E_RDLEN(q) (0x2808 + 0x100 * (q))
#define E1000E_RDH(q)   (0x2810 + 0x100 * (q))
#define E1000E_RDT(q)   (0x2818 + 0x100 * (q))
#define E1000E_TDBAL(q) (0x3800 + 0x100 * (q))
#define E1000E_TDLEN(q) (0x3808 + 0x100 * (q))
#define E1000E_TDT(q)   (0x3818 + 0x100 * (q))

/* fake_e1000e_power_on() - registers at their defaults, knobs off, log empty. */
void fake_e1000e_power_on(struct fake_gbe *f);
/*
 * fake_e1000e_rx() - a frame for queue @q; false if it waits in the chip: too few
 * descriptors, or the receiver is off.
 */
bool fake_e1000e_rx(struct fake_gbe *f, unsigned q, uint32_t len, uint8_t first);
/* fake_e1000e_rx_raw() - hand back one descriptor with this status and length. */
bool fake_e1000e_rx_raw(struct fake_gbe *f, unsigned q, uint32_t status, uint16_t len);
/* fake_e1000e_cause() - causes of ICR, fake_e1000e_link() - the link changes and says so. */
void fake_e1000e_cause(struct fake_gbe *f, uint32_t causes);
void fake_e1000e_link(struct fake_gbe *f, bool up);
