/* SPDX-License-Identifier: MIT */
/*
 * fpu.h - x87, SSE and AVX state, XCR0, debug registers and TSC_AUX of guests [SDM 1 13, APM2 15.5]
 *
 * Weir itself uses none of them, so what a guest left in the registers stays there while Weir runs,
 * and is switched only when a core turns to another vCPU.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* fpu_probe() - has this machine what fpu_load() and fpu_put() switch with, XSAVE and TSC_AUX? */
bool fpu_probe(void);
/* fpu_init_cpu() - switch on what is switched. On each core, once, behind fpu_probe(). */
void fpu_init_cpu(void);

/* fpu_xcr0_mask() - bits of XCR0 that a guest may set. */
uint64_t fpu_xcr0_mask(void);

/* fpu_reset() - as after RESET; v is no core's current vCPU. */
void fpu_reset(struct vcpu *v);
/* fpu_load(), fpu_put() - v becomes, or ceases to be, this core's current vCPU. */
void fpu_load(struct vcpu *v);
void fpu_put(struct vcpu *v);
