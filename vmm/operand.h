/* SPDX-License-Identifier: MIT */
/*
 * operand.h - what an emulated instruction names: registers, linear addresses,
 * and the places behind these
 *
 * On the vCPU's core while an exit is handled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "vcpu.h"

/* an instruction that is carried out */
struct emulation {
	struct vcpu *v;
	struct vcpu_sregs sregs;
	enum insn_mode mode;
	struct insn insn;
	/*
	 * linear page to physical page as the hardware had it when it exited:
	 * [0] to read, [1] to write
	 */
	struct {
		bool known;
		uint64_t linear, gpa;
	} page[2];
	/* the access that the guest's own tables do not allow, if there was one */
	bool refused, refused_write;
	uint64_t refused_at;
};

/* where an operand lies: in one page, or in RAM on both sides of a page's end */
struct place {
	uint64_t gpa, next;    /* next: of the part behind the page's end */
	unsigned size, before; /* bytes; before the page's end */
};

/* operand_mask() - the bits of an operand of @size bytes. */
static inline uint64_t operand_mask(unsigned size)
{
	return ~UINT64_C(0) >> (64 - 8 * size);
}

/* operand_signed() - the lowest @size bytes of @value, sign-extended. */
static inline int64_t operand_signed(uint64_t value, unsigned size)
{
	return (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size);
}

/*
 * operand_reg(), operand_set_reg() - the lowest @size bytes of general register @reg. A write of 4
 * bytes clears the upper half, one of 1 or 2 leaves the rest as it is [SDM 1 3.4.1.1].
 */
uint64_t operand_reg(const struct vcpu *v, unsigned reg, unsigned size);
void operand_set_reg(struct vcpu *v, unsigned reg, unsigned size, uint64_t value);

/* operand_address() - linear address of the memory operand. */
uint64_t operand_address(const struct emulation *e);
/* operand_source(), operand_destination() - of a string: at rSI, and at rDI in ES. */
uint64_t operand_source(const struct emulation *e);
uint64_t operand_destination(const struct emulation *e);
/* operand_know() - the page of @linear is that of @gpa, for reading, or for both. */
void operand_know(struct emulation *e, uint64_t linear, uint64_t gpa, bool write);

/*
 * operand_find() - @size bytes at @linear. 0, or -EFAULT: not mapped, or across a page's
 * end with a device in it.
 * operand_fault() - after that: the guest takes the page fault or #GP that its CPU would
 * have. -EFAULT: none of them.
 * operand_load(), operand_store() - what is found there: RAM, or a device.
 */
int operand_find(struct emulation *e, uint64_t linear, unsigned size, bool write, struct place *p);
int operand_fault(struct emulation *e);
uint64_t operand_load(struct vcpu *v, const struct place *p);
void operand_store(struct vcpu *v, const struct place *p, uint64_t value);
