/* SPDX-License-Identifier: MIT */
/*
 * decode.h - the few instructions that touch a device's memory [SDM 2A 2, 2B, 2C]
 *
 * Pure: bytes in, a struct insn out. What it does not know it refuses, and the guest ends
 * with a report of the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { INSN_MAX = 15 };
enum insn_mode { INSN_16, INSN_32, INSN_64 };

enum insn_op {
	INSN_LOAD,  /* register = memory */
	INSN_STORE, /* memory = register or immediate */
	INSN_MOVS,  /* memory = memory; one of both is the device's */
	INSN_STOS,
	INSN_LODS,
	INSN_AND,
	INSN_OR,
	INSN_XOR,
	INSN_ADD,
	INSN_SUB, /* memory op= source, or register op= memory */
	INSN_CMP,
	INSN_TEST,
	INSN_BT,
	INSN_XCHG,
	INSN_OTHER, /* not of memory, or INS and OUTS: length and opcode, and what is said below */
};

struct insn {
	enum insn_op op;
	uint16_t opcode;  /* without prefixes; 0x0f00 and the second byte where there are two */
	uint8_t len;      /* bytes of all of it */
	uint8_t size;     /* bytes of memory; of the port for IN, OUT, INS and OUTS */
	uint8_t reg_size; /* bytes of the register that a load fills */
	uint8_t reg;      /* general register, source or destination; MOV to CR8: its source */
	bool high_byte;   /* AH, CH, DH, BH: reg is 0 to 3 */
	bool has_imm, sign_extend, rep;
	bool to_memory;    /* memory is the first operand; CMP, TEST and BT leave it as it is */
	uint8_t addr_size; /* 2, 4, 8 */
	int8_t segment;    /* override, as enum segment; -1: none */
	uint64_t imm;      /* sign-extended, but for a port */

	/* where the memory is, but for strings: base + (index << scale) + disp, cut to addr_size */
	int8_t base, index; /* general registers; -1: none */
	uint8_t scale;
	bool rip_relative; /* the base is the next instruction */
	uint64_t disp;     /* sign-extended */
};

/*
 * insn_decode() - the instruction at @bytes, of which @n are there. 0, or -EINVAL: not
 * one of these, or not whole.
 */
int insn_decode(const uint8_t *bytes, unsigned n, enum insn_mode mode, struct insn *i);
