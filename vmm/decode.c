/* SPDX-License-Identifier: MIT */
/*
 * decode.c - prefixes, opcode, ModRM, SIB, displacement, immediate, in the order in
 * which they stand [SDM 2A 2.1]
 *
 * Called by emulate.c for an access to a device, and by a back end whose CPU does not tell where
 * the next instruction begins; on the vCPU's core. Owns nothing. The bytes are a copy already: the
 * guest cannot change them meanwhile.
 *
 * Each opcode is a line of one_byte() or two_bytes(). A read behind the last byte yields zeroes,
 * and whether there was one is looked at once, at the end.
 */
#include "decode.h"

#include "kernel/bits.h"
#include "vcpu.h"

#include <errno.h>

#define REX_W BIT(3) /* operands of 8 bytes */
#define REX_R BIT(2) /* bit 3 of ModRM.reg */
#define REX_X BIT(1) /* bit 3 of SIB.index */
#define REX_B BIT(0) /* bit 3 of ModRM.rm or SIB.base */

#define REX_MARK   BITS(7, 4) /* of a REX prefix: 4 */
#define ALU_OP     BITS(5, 3) /* of opcodes 00 to 3f */
#define ALU_FORM   BITS(2, 0)
#define ALU_TO_REG BIT(1)

#define MODRM_MOD BITS(7, 6)
#define MODRM_REG BITS(5, 3)
#define MODRM_RM  BITS(2, 0)
#define SIB_SCALE BITS(7, 6)
#define SIB_INDEX BITS(5, 3)
#define SIB_BASE  BITS(2, 0)

enum { ESCAPE = 0x0f, GROUP_7 = 0x01 }; /* 0f; 0f 01, whose third byte is as good as an opcode */
enum { MOD_DISP0, MOD_DISP8, MOD_DISP, MOD_REGISTER };
enum { RM_SIB = 4, RM_DISP = 5, RM_DISP_16 = 6, SIB_NONE = 4 };

struct decoder {
	const uint8_t *bytes;
	unsigned n, at; /* at > n: something was missing */
	enum insn_mode mode;
	uint8_t operand_size; /* 2, 4, 8 */
	uint8_t rex;          /* 0: none */
	bool lock, f3;
	uint8_t group; /* ModRM.reg, where it is a part of the opcode */
	uint8_t reg;   /* ModRM.reg with REX.R */
	struct insn *i;
};

static uint8_t peek(const struct decoder *d)
{
	return d->at < d->n ? d->bytes[d->at] : 0;
}

static uint8_t take(struct decoder *d)
{
	uint8_t b = peek(d);

	d->at++;
	return b;
}

/* take_le() - @size bytes, the lowest first, not extended */
static uint64_t take_le(struct decoder *d, unsigned size)
{
	uint64_t value = 0;

	for (unsigned k = 0; k < size; k++)
		value |= (uint64_t)take(d) << 8 * k;
	return value;
}

static uint64_t take_signed(struct decoder *d, unsigned size)
{
	unsigned unused = 64 - 8 * size;

	return (int64_t)(take_le(d, size) << unused) >> unused;
}

/*
 * take_imm() - an immediate for operands of @size; 8-byte operands have one of 4 [SDM 2A 2.2.1.5]
 */
static void take_imm(struct decoder *d, unsigned size)
{
	d->i->has_imm = true;
	d->i->imm = take_signed(d, MIN(size, 4));
}

/* --- prefixes [SDM 2A 2.1.1] --- */

/* In 64-bit mode the old four overrides mean nothing, nor do they undo FS or GS. */
static void override(struct decoder *d, enum segment segment)
{
	if (d->mode != INSN_64 || segment >= SEGMENT_FS)
		d->i->segment = segment;
}

/* legacy_prefix() - is @b one? Then it is noted. */
static bool legacy_prefix(struct decoder *d, uint8_t b)
{
	static const uint8_t wide[] = { [INSN_16] = 4, [INSN_32] = 2, [INSN_64] = 2 };
	static const uint8_t far[] = { [INSN_16] = 4, [INSN_32] = 2, [INSN_64] = 4 };

	switch (b) {
	case 0x26: override(d, SEGMENT_ES); return true;
	case 0x2e: override(d, SEGMENT_CS); return true;
	case 0x36: override(d, SEGMENT_SS); return true;
	case 0x3e: override(d, SEGMENT_DS); return true;
	case 0x64: override(d, SEGMENT_FS); return true;
	case 0x65: override(d, SEGMENT_GS); return true;
	case 0x66: d->operand_size = wide[d->mode]; return true;
	case 0x67: d->i->addr_size = far[d->mode]; return true;
	case 0xf0: d->lock = true; return true;
	case 0xf2:
	case 0xf3:
		d->i->rep = true; /* MOVS, STOS and LODS do not tell the two apart */
		d->f3 = b == 0xf3;
		return true;
	default: return false;
	}
}

/* REX counts only right before the opcode: a prefix behind it undoes it [SDM 2A 2.2.1] */
static void prefixes(struct decoder *d)
{
	for (;; d->at++) {
		uint8_t b = peek(d);

		if (d->mode == INSN_64 && FIELD_GET(REX_MARK, b) == 4)
			d->rex = b;
		else if (legacy_prefix(d, b))
			d->rex = 0;
		else
			break;
	}
	if (d->rex & REX_W)
		d->operand_size = 8;
}

/* --- the memory operand [SDM 2A 2.1.5] --- */

static void take_address_16(struct decoder *d, unsigned mod, unsigned rm)
{
	static const int8_t base[] = { GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
				       GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX };
	static const int8_t index[] = { GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI, -1, -1, -1, -1 };
	struct insn *i = d->i;

	if (mod == MOD_DISP0 && rm == RM_DISP_16) {
		i->disp = take_signed(d, 2);
		return;
	}
	i->base = base[rm];
	i->index = index[rm];
	if (mod != MOD_DISP0)
		i->disp = take_signed(d, mod == MOD_DISP8 ? 1 : 2);
}

static void take_sib(struct decoder *d, unsigned *mod)
{
	uint8_t sib = take(d);
	unsigned index = FIELD_GET(SIB_INDEX, sib) | (d->rex & REX_X ? 8 : 0);
	unsigned base = FIELD_GET(SIB_BASE, sib);
	struct insn *i = d->i;

	if (index != SIB_NONE) {
		i->index = index;
		i->scale = FIELD_GET(SIB_SCALE, sib);
	}
	if (*mod == MOD_DISP0 && base == RM_DISP)
		*mod = MOD_DISP; /* a displacement of 4 bytes in the base's place */
	else
		i->base = base | (d->rex & REX_B ? 8 : 0);
}

static void take_address_32(struct decoder *d, unsigned mod, unsigned rm)
{
	struct insn *i = d->i;

	if (rm == RM_SIB) {
		take_sib(d, &mod);
	} else if (mod == MOD_DISP0 && rm == RM_DISP) {
		i->rip_relative = d->mode == INSN_64; /* [SDM 2A 2.2.1.6] */
		mod = MOD_DISP;
	} else {
		i->base = rm | (d->rex & REX_B ? 8 : 0);
	}
	if (mod != MOD_DISP0)
		i->disp = take_signed(d, mod == MOD_DISP8 ? 1 : 4);
}

/* take_modrm() - false if it names a register where memory must be */
static bool take_modrm(struct decoder *d)
{
	uint8_t modrm = take(d);
	unsigned mod = FIELD_GET(MODRM_MOD, modrm), rm = FIELD_GET(MODRM_RM, modrm);

	d->group = FIELD_GET(MODRM_REG, modrm);
	d->reg = d->group | (d->rex & REX_R ? 8 : 0);
	if (mod == MOD_REGISTER)
		return false;
	if (d->i->addr_size == 2)
		take_address_16(d, mod, rm);
	else
		take_address_32(d, mod, rm);
	return true;
}

/* --- opcodes --- */

/* width() - of most opcodes bit 0 says: bytes, or the operand size [SDM 2D B.1.4.3] */
static uint8_t width(const struct decoder *d, uint8_t opcode)
{
	return opcode & BIT(0) ? d->operand_size : 1;
}

static bool other(struct decoder *d)
{
	d->i->op = INSN_OTHER;
	return true;
}

static bool other_sized(struct decoder *d, uint8_t opcode)
{
	d->i->size = MIN(width(d, opcode), 4);
	return other(d);
}

/*
 * in_register() - @i->reg is ModRM.reg, by the old names of byte registers where there is
 * no REX [SDM 2A table 3-1]
 */
static void in_register(struct decoder *d)
{
	struct insn *i = d->i;

	i->high_byte = i->reg_size == 1 && !d->rex && d->reg >= 4;
	i->reg = i->high_byte ? d->reg - 4 : d->reg;
}

/* of_register() - @op of memory and the register that ModRM.reg names */
static bool of_register(struct decoder *d, enum insn_op op, uint8_t size, bool to_memory)
{
	struct insn *i = d->i;

	i->op = op;
	i->size = i->reg_size = size;
	i->to_memory = to_memory;
	if (!take_modrm(d))
		return false;
	in_register(d);
	return true;
}

/* extending() - a load of @size bytes into a register of the operand size */
static bool extending(struct decoder *d, uint8_t size, bool sign)
{
	if (!of_register(d, INSN_LOAD, d->operand_size, false))
		return false;
	d->i->size = size;
	d->i->sign_extend = sign;
	return true;
}

/* of_imm() - @op of memory and an immediate of @imm_size, if ModRM.reg is @group */
static bool of_imm(struct decoder *d, enum insn_op op, uint8_t size, uint8_t imm_size,
		   uint8_t group)
{
	struct insn *i = d->i;

	i->op = op;
	i->size = i->reg_size = size;
	i->to_memory = true;
	if (!take_modrm(d) || d->group != group)
		return false;
	take_imm(d, imm_size);
	return true;
}

/*
 * alu_op() - bits 5 to 3 of 00 to 3f, and ModRM.reg of 80 to 83; false for
 * the two that add the carry
 */
static bool alu_op(unsigned code, enum insn_op *op)
{
	static const enum insn_op ops[] = { INSN_ADD, INSN_OR,  INSN_OTHER, INSN_OTHER,
					    INSN_AND, INSN_SUB, INSN_XOR,   INSN_CMP };

	*op = ops[code];
	return *op != INSN_OTHER;
}

/*
 * 00 to 3f: memory and register either way; the forms with the accumulator and an
 * immediate touch no memory
 */
static bool alu(struct decoder *d, uint8_t opcode)
{
	enum insn_op op;

	return alu_op(FIELD_GET(ALU_OP, opcode), &op) && FIELD_GET(ALU_FORM, opcode) < 4 &&
	       of_register(d, op, width(d, opcode), !(opcode & ALU_TO_REG));
}

static bool alu_imm(struct decoder *d, uint8_t opcode)
{
	uint8_t size = width(d, opcode), group = FIELD_GET(MODRM_REG, peek(d));
	enum insn_op op;

	return alu_op(group, &op) && of_imm(d, op, size, opcode == 0x83 ? 1 : size, group);
}

/* a0 to a3: the accumulator, and an address in the instruction */
static bool absolute(struct decoder *d, uint8_t opcode)
{
	struct insn *i = d->i;

	i->to_memory = opcode & BIT(1);
	i->op = i->to_memory ? INSN_STORE : INSN_LOAD;
	i->size = i->reg_size = width(d, opcode);
	i->reg = GPR_RAX;
	i->disp = take_le(d, i->addr_size);
	return true;
}

static bool string(struct decoder *d, enum insn_op op, uint8_t opcode)
{
	struct insn *i = d->i;

	i->op = op;
	i->size = i->reg_size = width(d, opcode);
	i->reg = GPR_RAX;
	i->to_memory = op != INSN_LODS;
	return true;
}

/* 0f 01: what a guest leaves to us of the instructions without operands */
static bool group_7(struct decoder *d)
{
	switch (take(d)) {
	case 0xc1: /* VMCALL */
	case 0xc8: /* MONITOR */
	case 0xc9: /* MWAIT */
	case 0xd1: /* XSETBV */
	case 0xd9: /* VMMCALL */
	case 0xf9: /* RDTSCP */ return other(d);
	default: return false;
	}
}

/* 0f 22 of CR8; ModRM.mod is not looked at [SDM 2B MOV - control registers] */
static bool mov_to_cr8(struct decoder *d)
{
	uint8_t modrm = take(d);

	if (FIELD_GET(MODRM_REG, modrm) || !(d->rex & REX_R))
		return false;
	d->i->reg = FIELD_GET(MODRM_RM, modrm) | (d->rex & REX_B ? 8 : 0);
	return other(d);
}

/* two_bytes() - behind 0f [SDM 2D table A-3] */
static bool two_bytes(struct decoder *d)
{
	uint8_t opcode = take(d);

	d->i->opcode = ESCAPE << 8 | opcode;
	switch (opcode) {
	case GROUP_7: return group_7(d);
	case 0x08: /* INVD */
	case 0x09: /* WBINVD */
	case 0x30: /* WRMSR */
	case 0x31: /* RDTSC */
	case 0x32: /* RDMSR */
	case 0xa2: /* CPUID */ return other(d);
	case 0x22: return mov_to_cr8(d);
	case 0xa3: return of_register(d, INSN_BT, d->operand_size, true);
	case 0xba: return of_imm(d, INSN_BT, d->operand_size, 1, 4);
	case 0xb6: return extending(d, 1, false);
	case 0xb7: return extending(d, 2, false);
	case 0xbe: return extending(d, 1, true);
	case 0xbf: return extending(d, 2, true);
	default: return false;
	}
}

/* one_byte() - by opcode [SDM 2D table A-2] */
static bool one_byte(struct decoder *d)
{
	uint8_t opcode = take(d), size = width(d, opcode);

	d->i->opcode = opcode;
	switch (opcode) {
	case ESCAPE: return two_bytes(d);
	case 0x00 ... 0x0e:
	case 0x10 ... 0x3f: return alu(d, opcode);
	case 0x63: /* MOVSXD; ARPL before 64-bit mode */
		return d->mode == INSN_64 && d->operand_size > 2 && extending(d, 4, true);
	case 0x6c ... 0x6f: /* INS, OUTS */ return other_sized(d, opcode);
	case 0x80:
	case 0x81:
	case 0x83: return alu_imm(d, opcode);
	case 0x84:
	case 0x85: return of_register(d, INSN_TEST, size, true);
	case 0x86:
	case 0x87: return of_register(d, INSN_XCHG, size, true);
	case 0x88:
	case 0x89: return of_register(d, INSN_STORE, size, true);
	case 0x8a:
	case 0x8b: return of_register(d, INSN_LOAD, size, false);
	case 0x90: /* PAUSE with F3; NOP, or XCHG of R8, without */
		return d->f3 && !(d->rex & REX_B) && other(d);
	case 0xa0 ... 0xa3: return absolute(d, opcode);
	case 0xa4:
	case 0xa5: return string(d, INSN_MOVS, opcode);
	case 0xaa:
	case 0xab: return string(d, INSN_STOS, opcode);
	case 0xac:
	case 0xad: return string(d, INSN_LODS, opcode);
	case 0xc6:
	case 0xc7: return of_imm(d, INSN_STORE, size, size, 0);
	case 0xe4 ... 0xe7: /* IN, OUT: the port in the instruction */
		d->i->has_imm = true;
		d->i->imm = take(d);
		return other_sized(d, opcode);
	case 0xec ... 0xef: /* IN, OUT: the port in DX */ return other_sized(d, opcode);
	case 0xf4: /* HLT */ return other(d);
	case 0xf6:
	case 0xf7: return of_imm(d, INSN_TEST, size, size, 0);
	default: return false;
	}
}

/* Only what reads, changes and writes memory may be locked, all else is #UD [SDM 2A LOCK]. */
static bool lockable(const struct insn *i)
{
	switch (i->op) {
	case INSN_AND:
	case INSN_OR:
	case INSN_XOR:
	case INSN_ADD:
	case INSN_SUB:
	case INSN_XCHG: return i->to_memory;
	default: return false;
	}
}

/* REP means something to strings alone; elsewhere it is a hint, or nothing */
static bool repeatable(const struct insn *i)
{
	return i->op == INSN_MOVS || i->op == INSN_STOS || i->op == INSN_LODS ||
	       (i->opcode >= 0x6c && i->opcode <= 0x6f);
}

int insn_decode(const uint8_t *bytes, unsigned n, enum insn_mode mode, struct insn *i)
{
	struct decoder d = {
		.bytes = bytes,
		.n = MIN(n, INSN_MAX),
		.mode = mode,
		.operand_size = mode == INSN_16 ? 2 : 4,
		.i = i,
	};

	*i = (struct insn){
		.addr_size = 2 << mode,
		.segment = -1,
		.base = -1,
		.index = -1,
	};
	prefixes(&d);
	if (!one_byte(&d) || d.at > d.n || (d.lock && !lockable(i)))
		return -EINVAL;
	i->rep &= repeatable(i);
	i->len = d.at;
	return 0;
}
