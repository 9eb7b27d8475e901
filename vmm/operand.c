/* SPDX-License-Identifier: MIT */
/*
 * operand.c - registers and memory as an emulated instruction sees them
 *
 * Called by emulate.c on the vCPU's core. Owns nothing. A linear address is guest-controlled, and
 * so are the tables that translate it: what comes out is used through gpa.h, or asked of a device.
 *
 * Segment limits are not checked: the CPU did for the access that exited, and what follows in a
 * repeated one lies in the same segment of a guest that can hurt itself alone.
 */
#include "operand.h"

#include "access.h"
#include "gva.h"
#include "vm.h"

#include <errno.h>

uint64_t operand_reg(const struct vcpu *v, unsigned reg, unsigned size)
{
	return v->gpr[reg] & operand_mask(size);
}

void operand_set_reg(struct vcpu *v, unsigned reg, unsigned size, uint64_t value)
{
	uint64_t kept = size < 4 ? ~operand_mask(size) : 0;

	v->gpr[reg] = (v->gpr[reg] & kept) | (value & operand_mask(size));
}

/* --- addresses --- */

/* in_segment() - of 64-bit mode's segments only FS and GS have a base [SDM 3A 3.4.4] */
static uint64_t in_segment(const struct emulation *e, enum segment segment, uint64_t offset)
{
	uint64_t base = e->sregs.seg[segment].base;

	offset &= operand_mask(e->insn.addr_size);
	if (e->mode != INSN_64)
		return (uint32_t)(base + offset);
	return segment >= SEGMENT_FS ? base + offset : offset;
}

static enum segment data_segment(const struct emulation *e)
{
	const struct insn *i = &e->insn;

	if (i->segment >= 0)
		return i->segment;
	return i->base == GPR_RSP || i->base == GPR_RBP ? SEGMENT_SS : SEGMENT_DS;
}

/*
 * BT with the bit's number in a register goes as far from the operand as that says [SDM 2A 3.1.1.9]
 */
static uint64_t bit_distance(const struct emulation *e)
{
	const struct insn *i = &e->insn;
	int64_t bit;

	if (i->op != INSN_BT || i->has_imm)
		return 0;
	bit = operand_signed(e->v->gpr[i->reg], i->size);
	return (bit >> (3 + __builtin_ctz(i->size))) * i->size;
}

uint64_t operand_address(const struct emulation *e)
{
	const struct insn *i = &e->insn;
	uint64_t offset = i->disp + bit_distance(e);

	if (i->base >= 0)
		offset += e->v->gpr[i->base];
	if (i->index >= 0)
		offset += e->v->gpr[i->index] << i->scale;
	if (i->rip_relative)
		offset += e->v->rip + i->len;
	return in_segment(e, data_segment(e), offset);
}

uint64_t operand_source(const struct emulation *e)
{
	return in_segment(e, data_segment(e), e->v->gpr[GPR_RSI]);
}

uint64_t operand_destination(const struct emulation *e)
{
	return in_segment(e, SEGMENT_ES, e->v->gpr[GPR_RDI]);
}

/* --- places --- */

static uint64_t page_of(uint64_t address)
{
	return ROUND_DOWN(address, PAGE_SIZE);
}

void operand_know(struct emulation *e, uint64_t linear, uint64_t gpa, bool write)
{
	for (int k = 0; k <= write; k++) {
		e->page[k].known = true;
		e->page[k].linear = page_of(linear);
		e->page[k].gpa = page_of(gpa);
	}
}

/* translate() - the walk is done once a page, not once an access */
static int translate(struct emulation *e, uint64_t linear, bool write, uint64_t *gpa)
{
	if (!e->page[write].known || e->page[write].linear != page_of(linear)) {
		if (gva_data(e->v, &e->sregs, linear, write, gpa)) {
			e->refused = true;
			e->refused_write = write;
			e->refused_at = linear;
			return -EFAULT;
		}
		e->page[write].known = true;
		e->page[write].linear = page_of(linear);
		e->page[write].gpa = page_of(*gpa);
	}
	*gpa = e->page[write].gpa | linear % PAGE_SIZE;
	return 0;
}

int operand_find(struct emulation *e, uint64_t linear, unsigned size, bool write, struct place *p)
{
	const struct gpa_map *mem = &e->v->vm->mem;

	p->size = size;
	p->before = MIN(size, PAGE_SIZE - linear % PAGE_SIZE);
	if (translate(e, linear, write, &p->gpa))
		return -EFAULT;
	if (p->before == size)
		return 0;
	linear += p->before;
	if (e->mode != INSN_64)
		linear = (uint32_t)linear;
	if (translate(e, linear, write, &p->next) || !gpa_ptr(mem, p->gpa, p->before) ||
	    !gpa_ptr(mem, p->next, size - p->before))
		return -EFAULT;
	return 0;
}

int operand_fault(struct emulation *e)
{
	uint32_t error = 0;
	int err;

	if (!e->refused)
		return -EFAULT;
	err = gva_fault(e->v, &e->sregs, e->refused_at, e->refused_write, &error);
	if (err == -EAGAIN)
		return 0; /* the instruction runs again */
	if (err && err != -ERANGE)
		return -EFAULT;
	e->v->event = (struct vcpu_event){
		.type = EVENT_EXCEPTION,
		.vector = err ? EXCEPTION_GP : EXCEPTION_PF,
		.has_error = true,
		.error = err ? 0 : error,
		.cr2 = e->refused_at,
	};
	return 0;
}

uint64_t operand_load(struct vcpu *v, const struct place *p)
{
	const struct gpa_map *mem = &v->vm->mem;
	uint64_t value = 0;

	if (p->before < p->size) {
		gpa_read(mem, p->gpa, &value, p->before);
		gpa_read(mem, p->next, (uint8_t *)&value + p->before, p->size - p->before);
	} else if (!gpa_read(mem, p->gpa, &value, p->size)) {
		value = mmio_read(v, p->gpa, p->size);
	}
	return value;
}

void operand_store(struct vcpu *v, const struct place *p, uint64_t value)
{
	const struct gpa_map *mem = &v->vm->mem;

	value &= operand_mask(p->size);
	if (p->before < p->size) {
		gpa_write(mem, p->gpa, &value, p->before);
		gpa_write(mem, p->next, (uint8_t *)&value + p->before, p->size - p->before);
	} else if (!gpa_write(mem, p->gpa, &value, p->size)) {
		mmio_write(v, p->gpa, p->size, value);
	}
}
