/* SPDX-License-Identifier: MIT */
/*
 * emulate.c - carry out the instruction that reached for a device
 *
 * Called for EXIT_MMIO and for INS and OUTS of EXIT_IO, on the vCPU's core. The CPU tells
 * the address and whether it was a write; everything else stands in the instruction, which
 * is fetched, decoded, and must fit what the CPU told: another vCPU may have changed the
 * bytes since. Owns nothing.
 *
 * Both ends of a string are looked up before anything is read, so an element is done or not begun:
 * a device never loses a byte to a page that turns out to be missing.
 */
#include "emulate.h"

#include "access.h"
#include "alu.h"
#include "backend.h"
#include "gva.h"
#include "operand.h"
#include "vm.h"

#include <errno.h>

enum { REP_BYTES = 4096 }; /* of a repeated string, an exit */

/* INS and OUTS: 6c to 6f */
#define OPCODE_INS    0x6c
#define OPCODE_OUTS   0x6e
#define OPCODE_STRING BITS(15, 1) /* without the bit that says bytes or not */

/* --- one operand in memory --- */

static bool writes_memory(const struct insn *i)
{
	switch (i->op) {
	case INSN_STORE:
	case INSN_MOVS:
	case INSN_STOS:
	case INSN_XCHG: return true;
	case INSN_AND:
	case INSN_OR:
	case INSN_XOR:
	case INSN_ADD:
	case INSN_SUB: return i->to_memory;
	default: return false;
	}
}

static bool reads_memory(const struct insn *i)
{
	return i->op != INSN_STORE && i->op != INSN_STOS && i->op != INSN_OTHER;
}

/* The register operand: of the old byte registers the upper four are second bytes. */
static uint64_t get_reg(const struct emulation *e)
{
	const struct insn *i = &e->insn;

	if (i->high_byte)
		return operand_reg(e->v, i->reg, 2) >> 8;
	return operand_reg(e->v, i->reg, i->reg_size);
}

static void set_reg(struct emulation *e, uint64_t value)
{
	const struct insn *i = &e->insn;

	if (i->high_byte)
		operand_set_reg(e->v, i->reg, 2,
				operand_reg(e->v, i->reg, 1) | (value & 0xff) << 8);
	else
		operand_set_reg(e->v, i->reg, i->reg_size, value);
}

static uint64_t other_operand(const struct emulation *e)
{
	return e->insn.has_imm ? e->insn.imm : get_reg(e);
}

static void arithmetic(struct emulation *e, const struct place *p)
{
	const struct insn *i = &e->insn;
	uint64_t memory = operand_load(e->v, p), other = other_operand(e), result, flags;

	if (i->to_memory)
		result = alu_compute(i->op, memory, other, i->size, &flags);
	else
		result = alu_compute(i->op, other, memory, i->size, &flags);
	e->v->rflags = (e->v->rflags & ~ALU_FLAGS) | flags;
	if (i->op == INSN_CMP || i->op == INSN_TEST)
		return;
	if (i->to_memory)
		operand_store(e->v, p, result);
	else
		set_reg(e, result);
}

static void bit_test(struct emulation *e, const struct place *p)
{
	uint64_t bit = other_operand(e) % (8 * e->insn.size);
	uint64_t carry = operand_load(e->v, p) & BIT(bit) ? RFLAGS_CF : 0;

	e->v->rflags = (e->v->rflags & ~RFLAGS_CF) | carry;
}

static void load(struct emulation *e, const struct place *p)
{
	uint64_t value = operand_load(e->v, p);

	set_reg(e, e->insn.sign_extend ? (uint64_t)operand_signed(value, e->insn.size) : value);
}

static void exchange(struct emulation *e, const struct place *p)
{
	uint64_t memory = operand_load(e->v, p);

	operand_store(e->v, p, get_reg(e));
	set_reg(e, memory);
}

static int carry_out(struct emulation *e)
{
	const struct insn *i = &e->insn;
	struct place p;

	if (operand_find(e, operand_address(e), i->size, writes_memory(i), &p))
		return -EINVAL;
	switch (i->op) {
	case INSN_LOAD: load(e, &p); break;
	case INSN_STORE: operand_store(e->v, &p, other_operand(e)); break;
	case INSN_XCHG: exchange(e, &p); break;
	case INSN_BT: bit_test(e, &p); break;
	default: arithmetic(e, &p); break;
	}
	return 0;
}

/* --- strings --- */

/* what moves where: from memory, port or RAX to memory, port or RAX */
struct string {
	bool from_memory, to_memory;
	bool in, out;
	uint16_t port;
};

static void advance(struct emulation *e, enum gpr reg)
{
	struct vcpu *v = e->v;
	uint64_t step = v->rflags & RFLAGS_DF ? -(uint64_t)e->insn.size : e->insn.size;

	operand_set_reg(v, reg, e->insn.addr_size, v->gpr[reg] + step);
}

/* element() - one of them. 0, or -EFAULT and nothing done. */
static int element(struct emulation *e, const struct string *s)
{
	unsigned size = e->insn.size;
	struct vcpu *v = e->v;
	struct place from, to;
	uint64_t value;

	if (s->from_memory && operand_find(e, operand_source(e), size, false, &from))
		return -EFAULT;
	if (s->to_memory && operand_find(e, operand_destination(e), size, true, &to))
		return -EFAULT;
	if (s->from_memory) {
		value = operand_load(v, &from);
		advance(e, GPR_RSI);
	} else {
		value = s->in ? pio_read(v, s->port, size) : operand_reg(v, GPR_RAX, size);
	}
	if (s->to_memory) {
		operand_store(v, &to, value);
		advance(e, GPR_RDI);
	} else if (s->out) {
		pio_write(v, s->port, size, value);
	} else {
		operand_set_reg(v, GPR_RAX, size, value);
	}
	return 0;
}

/*
 * repeat() - 0: all elements are done; -EAGAIN: rip stays, more are due. That also where a later
 * one is not mapped: the guest comes back to that one. -EINVAL if it is the first.
 */
static int repeat(struct emulation *e, const struct string *s)
{
	const struct insn *i = &e->insn;
	unsigned most = REP_BYTES / i->size;
	uint64_t left;

	if (!i->rep)
		return element(e, s) ? -EINVAL : 0;
	left = operand_reg(e->v, GPR_RCX, i->addr_size);
	for (unsigned n = 0; left; n++) {
		if (n == most || vcpu_is_called(e->v)) /* it may have written to its power switch */
			return -EAGAIN;
		if (element(e, s))
			return n ? -EAGAIN : -EINVAL;
		operand_set_reg(e->v, GPR_RCX, i->addr_size, --left);
	}
	return 0;
}

/* --- an exit --- */

/* begin() - fetch and decode what stands at rip; 0 or -EINVAL. */
static int begin(struct emulation *e, uint8_t bytes[INSN_MAX], unsigned *n)
{
	backend->get_sregs(e->v, &e->sregs);
	e->mode = gva_mode(&e->sregs);
	*n = gva_fetch(e->v, &e->sregs, bytes, INSN_MAX);
	return insn_decode(bytes, *n, e->mode, &e->insn);
}

static void step_over(struct emulation *e)
{
	uint64_t next = e->v->rip + e->insn.len;

	e->v->rflags &= ~RFLAGS_RF;
	vcpu_step_to(e->v, e->mode == INSN_64 ? next : (uint32_t)next);
}

static bool is_string(const struct insn *i)
{
	return i->op == INSN_MOVS || i->op == INSN_STOS || i->op == INSN_LODS;
}

/* The operand whose access exited. */
static uint64_t exited_at(const struct emulation *e)
{
	if (!is_string(&e->insn))
		return operand_address(e);
	return e->v->exit.mmio.write ? operand_destination(e) : operand_source(e);
}

/*
 * fits() - does the instruction make the access that the CPU told of: not of RAM, in that
 * direction, at that offset? Its page then needs no walk, the CPU has done it.
 */
static bool fits(struct emulation *e)
{
	const struct insn *i = &e->insn;
	bool write = e->v->exit.mmio.write;
	uint64_t gpa = e->v->exit.mmio.gpa, linear;

	if (e->v->exit.mmio.fetch || !(write ? writes_memory(i) : reads_memory(i)))
		return false;
	linear = exited_at(e);
	if (linear % PAGE_SIZE != gpa % PAGE_SIZE || gpa_ptr(&e->v->vm->mem, gpa, 1))
		return false;
	operand_know(e, linear, gpa, write);
	return true;
}

/*
 * finish() - on behind it, or once more, or into the fault that the guest's
 * own CPU would have taken
 */
static int finish(struct emulation *e, int err)
{
	if (!err)
		step_over(e);
	if (err == -EAGAIN || (err && !operand_fault(e)))
		return 0;
	return err;
}

/*
 * begin_fetched() - the same with what the CPU itself had fetched, where it tells; that may be
 * less than the instruction.
 */
static int begin_fetched(struct emulation *e, uint8_t bytes[INSN_MAX], unsigned *n)
{
	*n = backend->fetched ? backend->fetched(e->v, bytes) : 0;
	if (!*n)
		return begin(e, bytes, n);
	backend->get_sregs(e->v, &e->sregs);
	e->mode = gva_mode(&e->sregs);
	return insn_decode(bytes, *n, e->mode, &e->insn) ? begin(e, bytes, n) : 0;
}

int emulate_mmio(struct vcpu *v, uint8_t bytes[INSN_MAX], unsigned *n)
{
	struct emulation e = { .v = v };
	struct string s;

	if (begin_fetched(&e, bytes, n) || !fits(&e))
		return -EINVAL;
	if (!is_string(&e.insn))
		return finish(&e, carry_out(&e));
	s = (struct string){
		.from_memory = e.insn.op != INSN_STOS,
		.to_memory = e.insn.op != INSN_LODS,
	};
	return finish(&e, repeat(&e, &s));
}

int emulate_string_io(struct vcpu *v)
{
	struct emulation e = { .v = v };
	bool in = v->exit.io.in;
	uint8_t bytes[INSN_MAX];
	unsigned n;
	struct string s = {
		.from_memory = !in,
		.to_memory = in,
		.in = in,
		.out = !in,
		.port = v->exit.io.port,
	};

	if (begin(&e, bytes, &n) ||
	    (e.insn.opcode & OPCODE_STRING) != (in ? OPCODE_INS : OPCODE_OUTS) ||
	    e.insn.size != v->exit.io.size)
		return -EINVAL;
	return finish(&e, repeat(&e, &s));
}
