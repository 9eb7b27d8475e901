/* SPDX-License-Identifier: MIT */
/*
 * gbe_names.h - registers of the gigabit NICs and their bits by name, as the datasheets have
 * them; for who shows them
 */
#pragma once

#include <stddef.h>

#include "gbe.h"

/*
 * gbe_reg_name() - that of the register at @off, as in "EITR(3)", into buf[size]; its offset
 * in hex if Weir has none.
 */
void gbe_reg_name(const struct gbe *gbe, uint32_t off, char *buf, size_t size);
/*
 * gbe_reg_follows() - is the register at @next, in an array of registers, the
 * one behind that at @off?
 */
bool gbe_reg_follows(const struct gbe *gbe, uint32_t off, uint32_t next);
/*
 * gbe_reg_bits() - what the value @v of that register says, as in " SPEED=2 LU", into buf[size]:
 * bits that are set, fields that are not 0, and as a number what has no name. Empty for a
 * register that is one number.
 */
void gbe_reg_bits(const struct gbe *gbe, uint32_t off, uint32_t v, char *buf, size_t size);
