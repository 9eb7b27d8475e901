/* SPDX-License-Identifier: MIT */
/*
 * modes.h - the way down from long mode to real mode and up again, for check_modes.c and modes.S
 *
 * The code is copied to MODES_AT, where all modes can reach it. In each mode that is asked for it
 * does the same few things that somebody else carries out, and leaves what came of them.
 */
#pragma once

#define MODES_AT    0x8000
#define MODES_STACK 0xc000 /* grows down; of all modes but 64-bit */
#define MODES_PD    0xd000 /* page directory of 4 MiB pages, for paged mode */
#define MODES_IDT   0xe000 /* of protected mode, 256 gates; real mode has its own at 0 */

#define MODE_COMPAT 0 /* 32-bit code in long mode */
#define MODE_PAGED  1 /* 32-bit, two levels of page tables */
#define MODE_32     2 /* 32-bit, no paging */
#define MODE_16     3 /* 16-bit protected mode */
#define MODE_REAL   4
#define MODES       5

#define MODES_VECTOR 0xf1 /* its interrupt, above all others */
#define MODES_INT    0xf2 /* INT n */

/* what one mode left; offsets of struct mode_result */
#define RESULT_KVM    0
#define RESULT_MSR    4
#define RESULT_PORT   8
#define RESULT_SELECT 12
#define RESULT_OR     16
#define RESULT_STRING 20
#define RESULT_INTS   24
#define RESULT_IRQS   28
#define RESULT_TIMES  32
#define RESULT_SIZE   36

#ifndef __ASSEMBLER__
#include <stdint.h>

struct mode_result {
	uint32_t kvm;    /* EBX of the leaf that names the hypervisor */
	uint32_t msr;    /* EAX of APIC_BASE */
	uint32_t port;   /* the UART's scratch register, written before */
	uint32_t select; /* the IOAPIC's select register, written before */
	uint32_t ored;   /* the same after OR of 0x0a */
	uint32_t string; /* four bytes that INS and OUTS have moved */
	uint32_t ints;   /* INT n taken */
	uint32_t irqs;   /* interrupts taken */
	uint32_t times;  /* 1: this mode came to its end */
};

/* in modes.S; symbols of the copy that modes.S was linked as, not of the one at MODES_AT */
extern uint8_t modes_begin[], modes_end[], modes_trip[], modes_which[], modes_results[],
	modes_apic[];
extern uint8_t modes_ints[], modes_irqs[], modes_int16[], modes_irq16[], modes_int32[],
	modes_irq32[];
#endif
