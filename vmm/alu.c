/* SPDX-License-Identifier: MIT */
/*
 * alu.c - what an emulated instruction computes
 *
 * Called by emulate.c on the vCPU's core. Owns nothing, touches nothing: values
 * in, value and flags out.
 */
#include "alu.h"

/* status() - the flags that a result has by itself */
static uint64_t status(uint64_t result, unsigned size)
{
	uint64_t flags = 0;

	result &= BITS(8 * size - 1, 0);
	if (!result)
		flags |= RFLAGS_ZF;
	if (result >> (8 * size - 1))
		flags |= RFLAGS_SF;
	if (!__builtin_parity((uint8_t)result))
		flags |= RFLAGS_PF;
	return flags;
}

/*
 * carries() - bit n of @out is what goes from bit n to the next, carry or borrow; bit n of
 * @overflow is set if it is the sign's and came out wrong.
 */
static uint64_t carries(uint64_t out, uint64_t overflow, unsigned size)
{
	unsigned sign = 8 * size - 1;
	uint64_t flags = 0;

	if (out & BIT(sign))
		flags |= RFLAGS_CF;
	if (out & BIT(3))
		flags |= RFLAGS_AF;
	if (overflow & BIT(sign))
		flags |= RFLAGS_OF;
	return flags;
}

uint64_t alu_compute(enum insn_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
	uint64_t r, moved = 0;

	switch (op) {
	case INSN_AND:
	case INSN_TEST: r = a & b; break;
	case INSN_OR: r = a | b; break;
	case INSN_XOR: r = a ^ b; break;
	case INSN_ADD:
		r = a + b;
		moved = carries((a & b) | ((a | b) & ~r), (a ^ r) & (b ^ r), size);
		break;
	default: /* SUB, CMP */
		r = a - b;
		moved = carries((~a & b) | ((~a | b) & r), (a ^ b) & (a ^ r), size);
		break;
	}
	*flags = status(r, size) | moved;
	return r;
}
