/* SPDX-License-Identifier: MIT */
/*
 * apic.h - the local APIC: end of interrupt, interrupts between cores, the
 * one-shot timer [SDM 3A 11]
 *
 * x2APIC by MSR where the CPU has it, else xAPIC by MMIO; both behind the same functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "x86.h"

extern bool apic_x2;             /* MSRs, not MMIO */
extern volatile uint32_t *xapic; /* else its registers */
extern bool apic_tsc_deadline;   /* the timer compares with the TSC itself */

void apic_init(void);     /* choose the mode, mask the 8259s; core 0, once */
void apic_init_cpu(void); /* enable on this core */
uint32_t apic_id(void);   /* of this core */

#define APIC_EOI 0x0b0

/* apic_eoi() - the last word of each interrupt, and so inline. */
static inline void apic_eoi(void)
{
	if (apic_x2)
		wrmsr(MSR_X2APIC + APIC_EOI / 16, 0);
	else
		xapic[APIC_EOI / 4] = 0;
}

void apic_ipi(uint32_t apic_id, uint8_t vector);
void apic_nmi(uint32_t apic_id);
/*
 * apic_init_ipi(), apic_startup_ipi() - INIT and STARTUP to a core; @page: 4 KiB
 * page number where it begins.
 */
void apic_init_ipi(uint32_t apic_id);
void apic_startup_ipi(uint32_t apic_id, uint8_t page);

/*
 * apic_timer_count() - raw timer, divided by 1: start it with @count;
 * apic_timer_left() - what is left of it.
 */
void apic_timer_count(uint32_t count);
uint32_t apic_timer_left(void);
/* apic_timer_mode() - choose TSC-deadline or one-shot on this core, vector unmasked. */
void apic_timer_mode(void);
