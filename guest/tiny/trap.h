/* SPDX-License-Identifier: MIT */
/* trap.h - exceptions and interrupts: one IDT, a handler a vector */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* as vectors.S pushes it */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

enum {
	EXCEPTION_DE = 0,
	EXCEPTION_DB = 1,
	EXCEPTION_NMI = 2,
	EXCEPTION_BP = 3,
	EXCEPTION_OF = 4,
	EXCEPTION_UD = 6,
	EXCEPTION_DF = 8,
	EXCEPTION_NP = 11,
	EXCEPTION_SS = 12,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_AC = 17,

	VECTOR_CONSOLE = 0x24,
	VECTOR_SMP = 0x28, /* to another CPU: look what there is to do */
	VECTOR_TIMER = 0x30,
	VECTOR_INTX = 0x31,
	VECTOR_CHECK_LOW = 0x41, /* for checks: priority classes 4 and 5 */
	VECTOR_CHECK_HIGH = 0x52,
	VECTOR_PROBE = 0x53,  /* the operator's, to see it come */
	VECTOR_VIRTIO = 0x60, /* four a NIC */
	VECTOR_SPURIOUS = 0xff,

	/* in the GDT; the first two are also the loader's */
	SELECTOR_CODE = 0x10,
	SELECTOR_DATA = 0x18,
	SELECTOR_USER_DATA = 0x20 | 3,
	SELECTOR_USER_CODE = 0x28 | 3,
	SELECTOR_ABSENT = 0x30, /* data, not present */
	SELECTOR_TSS = 0x38,
};

/* trap_init() - GDT and IDT of our own; interrupts stay off. */
void trap_init(void);
/* trap_load() - the same tables on another CPU. */
void trap_load(void);
/*
 * irq_handler_set() - @handler(@arg) for interrupt @vector, interrupts off; the
 * local APIC's EOI follows it.
 */
void irq_handler_set(unsigned vector, void (*handler)(void *arg), void *arg);

/* NMIs taken; nmi_hook, if any, is called in each */
extern volatile uint64_t nmis;
extern void (*volatile nmi_hook)(void);
/* interrupts that nobody had asked for */
extern volatile uint64_t stray_irqs;

/*
 * try() - op(arg). Returns 0, or the vector of the exception that ended it. The exception is found
 * in caught, registers and all; NOTHING_CAUGHT there tells 0 from a #DE.
 */
unsigned try(void (*op)(void *), void *arg);
struct caught {
	struct trap_frame frame;
	uint64_t cr2;
};
extern struct caught caught;
enum { NOTHING_CAUGHT = 256 }; /* in caught.frame.vector, by try() */

/* try_rdmsr(), try_wrmsr() - the same for one access to an MSR. */
unsigned try_rdmsr(uint32_t index, uint64_t *value);
unsigned try_wrmsr(uint32_t index, uint64_t value);

/*
 * trap_leave() - go on with all registers as in @f, at its rip and in its ring. Only an
 * exception comes back, by try().
 */
void trap_leave(void *f) __attribute__((noreturn));

/* trap_hook, if any, sees an exception first; true: it has seen to it, go on */
extern bool (*volatile trap_hook)(struct trap_frame *f);
/* what the interrupt whose handler runs has interrupted */
extern const struct trap_frame *volatile interrupted;

/*
 * trap_gate() - whether @vector has a gate that is present, for those who want a
 * fault at the second step.
 */
void trap_gate(unsigned vector, bool present);
