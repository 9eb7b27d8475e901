/* SPDX-License-Identifier: MIT */
/*
 * vlapic_regs.h - registers of the local APIC, as a guest sees them
 *
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3A, chapter 11 (10 in older
 * editions), cited as [SDM 3A 11.n]. An offset is that of xAPIC's memory [11.4.1]; the x2APIC MSR
 * is 0x800 + offset / 16 [11.12.1].
 *
 * RO read only, RW read and write, WO write only; x1 in xAPIC mode only, x2 in x2APIC mode only.
 */
#pragma once

/* bits stand indented under their register */
/* clang-format off */

#include "kernel/bits.h"
#include "kernel/x86.h"

/*
 * --- MSRs: MSR_APIC_BASE, MSR_TSC_DEADLINE and MSR_X2APIC are the machine's
 * own, in kernel/x86.h ---
 */

/* MSR_APIC_BASE, RW [11.4.4, 11.12.1] */
#define	  APIC_BASE_BSP		BIT(8)	     /* RO: the processor that booted */
#define	  APIC_BASE_MODE	BITS(11, 10) /* bit 11: on, bit 10: x2APIC */
#define	    APIC_MODE_OFF	0
#define	    APIC_MODE_INVALID	1
#define	    APIC_MODE_XAPIC	2
#define	    APIC_MODE_X2APIC	3
#define	  APIC_BASE_ADDRESS	BITS(35, 12)

/* --- registers --- */

#define APIC_ID			0x020 /* RO: x2 all 32 bits */
#define	  XAPIC_ID		BITS(31, 24)
#define APIC_VERSION		0x030 /* RO [11.4.8] */
#define	  VERSION_NUMBER	BITS(7, 0)
#define	  VERSION_MAX_LVT	BITS(23, 16) /* last entry of the local vector table */
#define APIC_TPR		0x080 /* RW: task priority [11.8.3.1] */
#define	  PRIORITY_CLASS	BITS(7, 4)
#define APIC_APR		0x090 /* RO x1: arbitration priority, of no use since the Pentium 4 */
#define APIC_PPR		0x0a0 /* RO: processor priority */
#define APIC_EOI		0x0b0 /* WO [11.8.5] */
#define APIC_RRD		0x0c0 /* RO x1: remote read, nowhere supported */
#define APIC_LDR		0x0d0 /* RW x1, RO x2: logical destination [11.6.2.2, 11.12.10.2] */
#define	  LDR_XAPIC		BITS(31, 24)
#define	  LDR_X2_CLUSTER	BITS(31, 16)
#define	  LDR_X2_MEMBERS	BITS(15, 0)
#define APIC_DFR		0x0e0 /* RW x1: destination format */
#define	  DFR_MODEL		BITS(31, 28)
#define	    DFR_FLAT		0xf
#define APIC_SVR		0x0f0 /* RW: spurious vector [11.9] */
#define	  SVR_VECTOR		BITS(7, 0)
#define	  SVR_ENABLE		BIT(8)	/* software enable [11.4.7] */
#define	  SVR_FOCUS		BIT(9)	/* focus checking off: kept, without effect */
#define APIC_ISR		0x100 /* RO: in service, 8 registers of 32 vectors [11.8.4] */
#define APIC_TMR		0x180 /* RO: level-triggered, likewise */
#define APIC_IRR		0x200 /* RO: requested, likewise */
#define APIC_ESR		0x280 /* RW: a write latches what went wrong since the last one [11.5.3] */
#define	  ESR_SEND_ILLEGAL	BIT(5)	/* an interrupt was to be sent by a vector below 16 */
#define	  ESR_RECEIVE_ILLEGAL	BIT(6)	/* one came */
#define	  ESR_REGISTER		BIT(7)	/* x1: there is no such register */
#define APIC_ICR		0x300 /* RW: a write sends; x2 has the destination in 63:32 [11.6.1] */
#define	  ICR_VECTOR		BITS(7, 0)
#define	  ICR_MODE		BITS(10, 8)
#define	  ICR_LOGICAL		BIT(11)
#define	  ICR_ASSERT		BIT(14) /* off: INIT level de-assert, which does nothing */
#define	  ICR_LEVEL		BIT(15) /* for that only */
#define	  ICR_SHORTHAND		BITS(19, 18)
#define	    SHORTHAND_NONE	0
#define	    SHORTHAND_SELF	1
#define	    SHORTHAND_ALL	2
#define	    SHORTHAND_OTHERS	3
#define APIC_ICR_HIGH		0x310 /* RW x1 */
#define	  ICR_HIGH_DEST		BITS(31, 24)
#define APIC_LVT_TIMER		0x320 /* RW: local vector table [11.5.1] */
#define	  TIMER_MODE		BITS(18, 17)
#define	    TIMER_ONE_SHOT	0
#define	    TIMER_PERIODIC	1
#define	    TIMER_TSC_DEADLINE	2
#define APIC_LVT_THERMAL	0x330
#define APIC_LVT_PERF		0x340
#define APIC_LVT_LINT0		0x350
#define APIC_LVT_LINT1		0x360
#define APIC_LVT_ERROR		0x370
#define	  LVT_VECTOR		BITS(7, 0)   /* all */
#define	  LVT_STATUS		BIT(12)	     /* all, RO */
#define	  LVT_MASKED		BIT(16)	     /* all */
#define	  LVT_MODE		BITS(10, 8)  /* thermal, perf, LINTn */
#define	  LVT_LOW_ACTIVE	BIT(13)	     /* LINTn */
#define	  LVT_REMOTE_IRR	BIT(14)	     /* LINTn, RO */
#define	  LVT_LEVEL		BIT(15)	     /* LINTn */
#define APIC_TIMER_INITIAL	0x380 /* RW: a write starts the count, 0 stops it [11.5.4] */
#define APIC_TIMER_CURRENT	0x390 /* RO */
#define APIC_TIMER_DIVIDE	0x3e0 /* RW */
#define	  DIVIDE_LOW		BITS(1, 0)
#define	  DIVIDE_HIGH		BIT(3)
#define APIC_SELF_IPI		0x3f0 /* WO x2: a vector [11.12.11] */

enum { APIC_REGS = 0x400 / 16 };

/*
 * how an interrupt is delivered: ICR, MSI data, IOAPIC and local vector table
 * have the same field [11.6.1]
 */
enum apic_delivery {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_STARTUP = 6,
	DELIVER_EXTINT = 7,
};

enum { APIC_FIRST_VECTOR = 16 }; /* those below are exceptions' */

/* --- message signalled interrupts [11.11] --- */

#define MSI_ADDRESS		UINT64_C(0xfee00000)
#define MSI_ADDRESS_FIXED	BITS(63, 20)
#define MSI_DEST		BITS(19, 12)
#define MSI_LOGICAL		BIT(2)
#define MSI_VECTOR		BITS(7, 0)
#define MSI_MODE		BITS(10, 8)
#define MSI_LEVEL		BIT(15)
