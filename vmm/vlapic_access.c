/* SPDX-License-Identifier: MIT */
/*
 * vlapic_access.c - how a guest reads and writes its local APIC: memory, MSRs, and the
 * way from one to the other
 *
 * Called on the vCPU's core while an exit is handled, vm->lock not held. One table says what
 * may be done to which register in which mode. What may not: in x2APIC mode it is a #GP, in
 * xAPIC mode it reads 0, writes nothing, and is an error in ESR if there is no such register
 * [SDM 3A 11.5.3, 11.12.1.3].
 */
#include "vlapic_parts.h"

#include "vcpu.h"

#include <errno.h>

/* access in xAPIC mode, in x2APIC mode, in both */
enum {
	R1 = 1,
	W1 = 2,
	R2 = 4,
	W2 = 8,
	R = R1 | R2,
	W = W1 | W2,
	RW = R | W,
};

#define LVT_READ_ONLY (LVT_STATUS | LVT_REMOTE_IRR)
#define LVT_ANY       (LVT_VECTOR | LVT_STATUS | LVT_MASKED)
#define LVT_LINT      (LVT_ANY | LVT_MODE | LVT_LOW_ACTIVE | LVT_REMOTE_IRR | LVT_LEVEL)
#define ICR_BITS      (ICR_VECTOR | ICR_MODE | ICR_LOGICAL | ICR_ASSERT | ICR_LEVEL | ICR_SHORTHAND)

#define REG(offset)    [(offset) / 16]
#define REGS_8(offset) [(offset) / 16 ...(offset) / 16 + VLAPIC_WORDS - 1]

static const struct {
	uint8_t access;
	uint32_t bits; /* that a write may have set; the others are reserved */
} rule[APIC_REGS] = {
	/* clang-format off */
	REG(APIC_ID)            = { R },
	REG(APIC_VERSION)       = { R },
	REG(APIC_TPR)           = { RW, BITS(7, 0) },
	REG(APIC_APR)           = { R1 },
	REG(APIC_PPR)           = { R },
	REG(APIC_EOI)           = { W, 0 },
	REG(APIC_RRD)           = { R1 },
	REG(APIC_LDR)           = { R | W1, LDR_XAPIC },
	REG(APIC_DFR)           = { R1 | W1, DFR_MODEL },
	REG(APIC_SVR)           = { RW, SVR_VECTOR | SVR_ENABLE | SVR_FOCUS },
	REGS_8(APIC_ISR)        = { R },
	REGS_8(APIC_TMR)        = { R },
	REGS_8(APIC_IRR)        = { R },
	REG(APIC_ESR)           = { RW, 0 },
	REG(APIC_ICR)           = { RW, ICR_BITS },
	REG(APIC_ICR_HIGH)      = { R1 | W1, ICR_HIGH_DEST },
	REG(APIC_LVT_TIMER)     = { RW, LVT_ANY | TIMER_MODE },
	REG(APIC_LVT_THERMAL)   = { RW, LVT_ANY | LVT_MODE },
	REG(APIC_LVT_PERF)      = { RW, LVT_ANY | LVT_MODE },
	REG(APIC_LVT_LINT0)     = { RW, LVT_LINT },
	REG(APIC_LVT_LINT1)     = { RW, LVT_LINT },
	REG(APIC_LVT_ERROR)     = { RW, LVT_ANY },
	REG(APIC_TIMER_INITIAL) = { RW, UINT32_MAX },
	REG(APIC_TIMER_CURRENT) = { R },
	REG(APIC_TIMER_DIVIDE)  = { RW, DIVIDE_LOW | DIVIDE_HIGH },
	REG(APIC_SELF_IPI)      = { W2, BITS(7, 0) },
	/* clang-format on */
};

/* integrated APIC, six entries in its table; suppression of EOI broadcasts is not offered */
#define VERSION (FIELD_PREP(VERSION_NUMBER, 0x14) | FIELD_PREP(VERSION_MAX_LVT, 5))

static bool allowed(uint32_t reg, unsigned access)
{
	return reg < APIC_REGS * 16 && (rule[reg / 16].access & access);
}

/* --- registers, in either mode --- */

/* lvt_entry() - where an entry is kept that is nothing but kept. */
static uint32_t *lvt_entry(struct vlapic *l, uint32_t reg)
{
	switch (reg) {
	case APIC_LVT_TIMER: return &l->lvt_timer;
	case APIC_LVT_THERMAL: return &l->lvt_thermal;
	case APIC_LVT_PERF: return &l->lvt_perf;
	case APIC_LVT_LINT0: return &l->lvt_lint0;
	case APIC_LVT_LINT1: return &l->lvt_lint1;
	default: return &l->lvt_error;
	}
}

static uint32_t word_of(const _Atomic uint32_t *words, uint32_t offset)
{
	return atomic_load_explicit(&words[offset / 16], memory_order_relaxed);
}

static uint32_t reg_read(struct vlapic *l, uint32_t reg)
{
	bool x2 = vlapic_mode(l) == APIC_MODE_X2APIC;
	uint32_t id = l->vcpu->id;

	switch (reg) {
	case APIC_ID: return x2 ? id : FIELD_PREP(XAPIC_ID, id);
	case APIC_VERSION: return VERSION;
	case APIC_TPR: return l->tpr;
	case APIC_PPR: return vlapic_ppr(l);
	case APIC_LDR: return x2 ? vlapic_x2_ldr(id) : l->ldr;
	case APIC_DFR: return l->dfr;
	case APIC_SVR: return l->svr;
	case APIC_ISR ... APIC_TMR - 16: return l->isr[(reg - APIC_ISR) / 16];
	case APIC_TMR ... APIC_IRR - 16: return word_of(l->tmr, reg - APIC_TMR);
	case APIC_IRR ... APIC_ESR - 16: return word_of(l->irr, reg - APIC_IRR);
	case APIC_ESR: return l->esr;
	case APIC_ICR: return l->icr_low;
	case APIC_ICR_HIGH: return l->icr_high;
	case APIC_LVT_TIMER ... APIC_LVT_ERROR: return *lvt_entry(l, reg);
	case APIC_TIMER_INITIAL: return l->timer_initial;
	case APIC_TIMER_CURRENT: return vlapic_timer_current(l);
	case APIC_TIMER_DIVIDE: return l->timer_divide;
	}
	return 0;
}

static void lvt_write(struct vlapic *l, uint32_t reg, uint32_t value)
{
	value &= ~LVT_READ_ONLY;
	if (!vlapic_enabled(l))
		value |= LVT_MASKED;
	if (reg == APIC_LVT_TIMER)
		vlapic_timer_lvt(l, value);
	else
		*lvt_entry(l, reg) = value;
}

/*
 * svr_write() - switched off by software, all local interrupts are masked [11.4.7.2];
 * what waits already stays.
 */
static void svr_write(struct vlapic *l, uint32_t value)
{
	atomic_store_explicit(&l->svr, value, memory_order_relaxed);
	if (value & SVR_ENABLE)
		return;
	for (uint32_t reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 16)
		*lvt_entry(l, reg) |= LVT_MASKED;
}

static void icr_write(struct vlapic *l, uint32_t dest, uint32_t value)
{
	l->icr_low = value;
	vlapic_ipi(l, dest, value);
}

/* reg_write() - @value has no reserved bit set. */
static void reg_write(struct vlapic *l, uint32_t reg, uint32_t value)
{
	switch (reg) {
	case APIC_TPR: l->tpr = value; break;
	case APIC_EOI: vlapic_eoi(l); break;
	case APIC_LDR: atomic_store_explicit(&l->ldr, value, memory_order_relaxed); break;
	case APIC_DFR:
		atomic_store_explicit(&l->dfr, value | ~DFR_MODEL, memory_order_relaxed);
		break;
	case APIC_SVR: svr_write(l, value); break;
	case APIC_ESR:
		l->esr = atomic_exchange_explicit(&l->esr_next, 0, memory_order_relaxed);
		break;
	case APIC_ICR: icr_write(l, FIELD_GET(ICR_HIGH_DEST, l->icr_high), value); break;
	case APIC_ICR_HIGH: l->icr_high = value; break;
	case APIC_LVT_TIMER ... APIC_LVT_ERROR: lvt_write(l, reg, value); break;
	case APIC_TIMER_INITIAL: vlapic_timer_initial(l, value); break;
	case APIC_TIMER_DIVIDE: vlapic_timer_divide(l, value); break;
	case APIC_SELF_IPI:
		vlapic_ipi(l, 0, FIELD_PREP(ICR_SHORTHAND, SHORTHAND_SELF) | value);
		break;
	}
}

/* --- xAPIC: memory [11.4.1] --- */

/*
 * an access that is not within the four bytes of a register is undefined: it
 * reads 0 and writes nothing
 */
uint64_t vlapic_mmio_read(struct vlapic *l, uint64_t offset, unsigned size)
{
	uint32_t reg = ROUND_DOWN(offset, 16);
	unsigned byte = offset % 16;
	uint64_t mask = BITS(size * 8 - 1, 0);

	if (vlapic_mode(l) != APIC_MODE_XAPIC)
		return mask;
	if (!allowed(reg, R1 | W1)) {
		vlapic_error(l, ESR_REGISTER);
		return 0;
	}
	if (byte + size > sizeof(uint32_t) || !allowed(reg, R1))
		return 0;
	return reg_read(l, reg) >> byte * 8 & mask;
}

void vlapic_mmio_write(struct vlapic *l, uint64_t offset, unsigned size, uint64_t value)
{
	uint32_t reg = ROUND_DOWN(offset, 16);

	if (vlapic_mode(l) != APIC_MODE_XAPIC)
		return;
	if (!allowed(reg, R1 | W1))
		vlapic_error(l, ESR_REGISTER);
	else if (offset == reg && size == sizeof(uint32_t) && allowed(reg, W1))
		reg_write(l, reg, value & rule[reg / 16].bits);
}

/* --- xAPIC or x2APIC, by the CPU's own hand --- */

void vlapic_to_page(struct vlapic *l, uint32_t *page)
{
	for (uint32_t reg = 0; reg < APIC_REGS * 16; reg += 16) {
		bool words = reg >= APIC_ISR && reg < APIC_ESR;

		if (!words && allowed(reg, R))
			page[reg / sizeof(uint32_t)] = reg_read(l, reg);
	}
}

void vlapic_written(struct vlapic *l, uint32_t offset, uint32_t value)
{
	uint32_t reg = ROUND_DOWN(offset, 16);

	if (allowed(reg, vlapic_mode(l) == APIC_MODE_X2APIC ? W2 : W1))
		reg_write(l, reg, value & rule[reg / 16].bits);
}

/* --- x2APIC: MSRs [11.12.1] --- */

static int x2_read(struct vlapic *l, uint32_t reg, uint64_t *value)
{
	if (vlapic_mode(l) != APIC_MODE_X2APIC || !allowed(reg, R2))
		return -EINVAL;
	*value = reg_read(l, reg);
	if (reg == APIC_ICR) /* the one that is 64 bits */
		*value |= (uint64_t)l->icr_high << 32;
	return 0;
}

static int x2_write(struct vlapic *l, uint32_t reg, uint64_t value)
{
	if (vlapic_mode(l) != APIC_MODE_X2APIC || !allowed(reg, W2))
		return -EINVAL;
	if ((uint32_t)value & ~rule[reg / 16].bits)
		return -EINVAL;
	if (reg == APIC_ICR) {
		l->icr_high = value >> 32;
		icr_write(l, l->icr_high, value);
		return 0;
	}
	if (value >> 32)
		return -EINVAL;
	reg_write(l, reg, value);
	return 0;
}

/* may_become[] - BIT(mode) for each that can follow by one write [11.12.5, figure 11-26] */
static const uint8_t may_become[] = {
	[APIC_MODE_OFF] = BIT(APIC_MODE_OFF) | BIT(APIC_MODE_XAPIC),
	[APIC_MODE_INVALID] = 0,
	[APIC_MODE_XAPIC] = BIT(APIC_MODE_OFF) | BIT(APIC_MODE_XAPIC) | BIT(APIC_MODE_X2APIC),
	[APIC_MODE_X2APIC] = BIT(APIC_MODE_OFF) | BIT(APIC_MODE_X2APIC),
};

static int base_write(struct vlapic *l, uint64_t value)
{
	unsigned mode = FIELD_GET(APIC_BASE_MODE, value);

	if (value & ~(APIC_BASE_BSP | APIC_BASE_MODE | APIC_BASE_ADDRESS) ||
	    !(may_become[vlapic_mode(l)] & BIT(mode)))
		return -EINVAL;
	value = (value & ~APIC_BASE_BSP) | (l->apic_base & APIC_BASE_BSP);
	atomic_store_explicit(&l->apic_base, value, memory_order_relaxed);
	if (mode == APIC_MODE_OFF)
		vlapic_clear(l);
	return 0;
}

int vlapic_rdmsr(struct vlapic *l, uint32_t index, uint64_t *value)
{
	switch (index) {
	case MSR_TSC_DEADLINE: *value = l->tsc_deadline; return 0;
	case MSR_APIC_BASE: *value = l->apic_base; return 0;
	default: return x2_read(l, (index - MSR_X2APIC) * 16, value);
	}
}

int vlapic_wrmsr(struct vlapic *l, uint32_t index, uint64_t value)
{
	switch (index) {
	case MSR_TSC_DEADLINE: vlapic_timer_deadline(l, value); return 0;
	case MSR_APIC_BASE: return base_write(l, value);
	default: return x2_write(l, (index - MSR_X2APIC) * 16, value);
	}
}
