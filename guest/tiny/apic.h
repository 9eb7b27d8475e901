/* SPDX-License-Identifier: MIT */
/* apic.h - the local APIC, as xAPIC or x2APIC, its timer, and the IOAPIC [SDM 3A 11, 82093AA] */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"

/* offsets of the xAPIC; in x2APIC mode register offset/16 is an MSR */
#define APIC_ID            0x020
#define APIC_VERSION       0x030
#define APIC_TPR           0x080
#define APIC_PPR           0x0a0
#define APIC_EOI           0x0b0
#define APIC_LDR           0x0d0
#define APIC_SVR           0x0f0
#define SVR_ENABLE         BIT(8)
#define APIC_ISR           0x100
#define APIC_ICR           0x300
#define ICR_LOWEST         (UINT64_C(1) << 8)
#define ICR_NMI            (UINT64_C(4) << 8)
#define ICR_INIT           (UINT64_C(5) << 8)
#define ICR_STARTUP        (UINT64_C(6) << 8)
#define ICR_LOGICAL        BIT(11)
#define ICR_ASSERT         BIT(14)
#define ICR_SELF           BIT(18)
#define ICR_ALL            BIT(19)
#define ICR_OTHERS         (BIT(18) | BIT(19))
#define APIC_ICR_HIGH      0x310
#define APIC_LVT_TIMER     0x320
#define LVT_MASKED         BIT(16)
#define LVT_ONE_SHOT       0
#define LVT_PERIODIC       BIT(17)
#define LVT_TSC_DEADLINE   BIT(18)
#define APIC_LVT_LINT0     0x350
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0
#define DIVIDE_BY_1        0xb

#define APIC_BASE   UINT64_C(0xfee00000)
#define IOAPIC_BASE UINT64_C(0xfec00000)

extern bool x2apic;             /* the mode that it is in */
extern volatile uint8_t *xapic; /* its registers in xAPIC mode */

/*
 * apic_init() - switch it on, as x2APIC where there is one and @may_x2apic; all IOAPIC pins masked.
 */
void apic_init(bool may_x2apic);
/* apic_start() - another CPU's, in the same mode. */
void apic_start(void);
/* apic_setup() - the registers as we want them, after a change of mode. */
void apic_setup(void);

uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t v);
uint32_t apic_id(void);
void apic_eoi(void);
/* apic_send() - an interrupt command to APIC @dest; @command is the low half of ICR. */
void apic_send(uint32_t dest, uint32_t command);

/*
 * The timer counts nanoseconds, in Weir and in QEMU. apic_wake() - one VECTOR_TIMER in @ns,
 * in place of the last one.
 */
void apic_wake(uint32_t ns);
bool apic_has_deadline(void);

/* ioapic_route() - @pin interrupts by @vector; @level: it is a PCI line, active low. */
void ioapic_route(unsigned pin, unsigned vector, bool level);
/* ioapic_route_level() - level, but active high. */
void ioapic_route_level(unsigned pin, unsigned vector);
