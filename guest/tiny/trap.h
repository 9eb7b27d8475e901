/* SPDX-License-Identifier: MIT */
/* trap.h - exceptions and interrupts: one IDT, a handler a vector */
#pragma once

#include <stdint.h>

/* as vectors.S pushes it */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

enum {
	EXCEPTION_DB = 1,
	EXCEPTION_NMI = 2,
	EXCEPTION_UD = 6,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,

	VECTOR_CONSOLE = 0x24,
	VECTOR_TIMER = 0x30,
	VECTOR_INTX = 0x31,
	VECTOR_CHECK_LOW = 0x41, /* for checks: priority classes 4 and 5 */
	VECTOR_CHECK_HIGH = 0x52,
	VECTOR_VIRTIO = 0x60, /* four a NIC */
	VECTOR_SPURIOUS = 0xff,
};

/* trap_init() - GDT and IDT of our own; interrupts stay off. */
void trap_init(void);
/* irq_handler_set() - @handler(@arg) for interrupt @vector, interrupts off; the local APIC's EOI follows it. */
void irq_handler_set(unsigned vector, void (*handler)(void *arg), void *arg);

/* NMIs taken; nmi_hook, if any, is called in each */
extern volatile uint64_t nmis;
extern void (*volatile nmi_hook)(void);
/* interrupts that nobody had asked for */
extern volatile uint64_t stray_irqs;

/* try() - op(arg). Returns 0, or the vector of the exception that ended it (no way to tell a #DE apart). */
unsigned try(void (*op)(void *), void *arg);
