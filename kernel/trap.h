/* SPDX-License-Identifier: MIT */
/*
 * trap.h - descriptor tables, exceptions and the back trace
 */
#pragma once

#include <stdint.h>

/* what vectors.S leaves on the stack when an exception comes [SDM 3A 6.14] */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error; /* error is 0 where the CPU pushes none */
	uint64_t rip, cs, rflags, rsp, ss;
};

enum {
	VECTOR_NMI = 2,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_FIRST = 32,  /* below are the exceptions */
	VECTOR_LAST = 0xef, /* of those that irq_request() gives out */
	VECTOR_TIMER = 0xf0,
	VECTOR_IPI = 0xf1, /* wakes a core; what it should do stands in remote_pending */
	/* for a guest of this core; the CPU itself takes it if the guest runs */
	VECTOR_NOTIFY = 0xf2,
	VECTOR_SPURIOUS = 0xff,
	VECTORS = 256,
};

struct cpu;

/*
 * trap_init() - the shared IDT. trap_init_cpu() - GDT, TSS and GS of core @c, loaded on that core.
 */
void trap_init(void);
void trap_init_cpu(struct cpu *c);

/*
 * trap_call() - enter the handler of @vector as the CPU itself would: of an interrupt, or an NMI,
 * that went into a guest's exit. Interrupts off, before and after.
 */
void trap_call(uint8_t vector);

/* ksym_lookup() - the function @addr lies in; NULL if none. *offset: bytes into it. */
const char *ksym_lookup(uint64_t addr, uint64_t *offset);
