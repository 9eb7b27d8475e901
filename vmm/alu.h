/* SPDX-License-Identifier: MIT */
/*
 * alu.h - arithmetic and the flags that it leaves [SDM 1 3.4.3]
 */
#pragma once

#include <stdint.h>

#include "kernel/bits.h"
#include "decode.h"

#define RFLAGS_CF BIT(0)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_RF BIT(16)
#define ALU_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/*
 * alu_compute() - @a op @b for AND, OR, XOR, ADD, SUB, CMP and TEST; the lowest @size bytes
 * count, of the result as well. *flags: ALU_FLAGS as they are afterwards; AF is clear where the
 * CPU leaves it undefined.
 */
uint64_t alu_compute(enum insn_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags);
