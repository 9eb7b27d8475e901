/* SPDX-License-Identifier: MIT */
/* code.h - machine code, byte for byte, run with registers of one's choice, for checks */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "trap.h"

enum {
	CODE_MAX = 64,
	CODE_UNDEFINED = 0x06, /* a byte that no instruction of 64-bit mode begins with */
};

/* code_registers() - as a start: interrupts off, ring 0, a stack. */
struct trap_frame code_registers(void);
/*
 * code_run() - the @n bytes at @bytes, once in the middle of a page or, with @across, over a page's
 * end, beginning with the registers of @f. What stands behind them is undefined. Returns where #UD
 * came, 0 being their begin: @n if all went well; or -1 if it was another exception. Both left
 * their registers in caught.
 */
int code_run(const uint8_t *bytes, unsigned n, bool across, struct trap_frame *f);
/* code_at() - where the code will begin. */
uint64_t code_at(unsigned n, bool across);

struct code_case {
	const char *name;
	uint8_t n, bytes[12];
};

/* code_one() - run @c from *@f; NULL if it ended behind its last byte, or what was seen. */
const char *code_one(const struct code_case *c, bool across, const struct trap_frame *f);
/*
 * code_each() - all of @c in both places, and @holds() (NULL: nothing) of each behind it;
 * what the first of them says.
 */
const char *code_each(const struct code_case *c, unsigned cases, const struct trap_frame *f,
		      const char *(*holds)(const struct code_case *c));
