/* SPDX-License-Identifier: MIT */
/*
 * vlapic_parts.h - between vlapic.c (what waits and what is served), vlapic_access.c (registers),
 * vlapic_ipi.c (who is meant) and vlapic_timer.c; the interface for all is in vlapic.h
 *
 * All on the vCPU's core, but for the first three, which any core may ask.
 */
#pragma once

#include "vlapic.h"
#include "vlapic_regs.h"

/* relaxed: a guest that changes its mode while it is sent to gets one or the other */
static inline unsigned vlapic_mode(const struct vlapic *l)
{
	return FIELD_GET(APIC_BASE_MODE, atomic_load_explicit(&l->apic_base, memory_order_relaxed));
}

/* an APIC that is off altogether is as after reset, so this bit tells of both */
static inline bool vlapic_enabled(const struct vlapic *l)
{
	return atomic_load_explicit(&l->svr, memory_order_relaxed) & SVR_ENABLE;
}

/* vlapic_x2_ldr() - in x2APIC mode the logical ID follows from the ID [SDM 3A 11.12.10.2]. */
static inline uint32_t vlapic_x2_ldr(uint32_t id)
{
	return FIELD_PREP(LDR_X2_CLUSTER, id >> 4) | BIT(id & 0xf);
}

/* vlapic_ppr() - the priority that a vector must exceed to be taken. */
uint8_t vlapic_ppr(const struct vlapic *l);
/*
 * vlapic_eoi() - the highest vector in service is done; of a level-triggered one the
 * IOAPIC learns. Takes vm->lock.
 */
void vlapic_eoi(struct vlapic *l);
/* vlapic_local() - something that entry @lvt of the local vector table stands for has happened. */
void vlapic_local(struct vlapic *l, uint32_t lvt);
/* vlapic_error() - note @esr_bit, and interrupt if the guest wants that. */
void vlapic_error(struct vlapic *l, uint32_t esr_bit);

/* vlapic_ipi() - send what @icr, low half, says to @dest; 32 bits, all ones are all. */
void vlapic_ipi(struct vlapic *l, uint32_t dest, uint32_t icr);

/* the timer's registers are written */
void vlapic_timer_lvt(struct vlapic *l, uint32_t lvt);
void vlapic_timer_initial(struct vlapic *l, uint32_t ticks);
void vlapic_timer_divide(struct vlapic *l, uint32_t dcr);
void vlapic_timer_deadline(struct vlapic *l, uint64_t guest_tsc);
/* vlapic_timer_current() - ticks that are left; 0 if it does not run. */
uint32_t vlapic_timer_current(const struct vlapic *l);
/* vlapic_timer_init() - what its kernel timer does. */
void vlapic_timer_init(struct vlapic *l);
