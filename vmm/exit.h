/* SPDX-License-Identifier: MIT */
/*
 * exit.h - why a guest came out, in words that fit VT-x and SVM alike
 *
 * A back end decodes what the hardware says into a struct vcpu_exit and does nothing else about
 * it. exits.c has one function a reason, in a dense table; the names below are also the statistics
 * that `guest exits` prints.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VCPU_EXITS(X)                                                                    \
	X(INTERRUPT, "interrupt", "an interrupt for Weir came")                          \
	X(NMI, "nmi", "an NMI for Weir came")                                            \
	X(IRQ_WINDOW, "irq-window", "the guest can take an interrupt now")               \
	X(NMI_WINDOW, "nmi-window", "the guest's NMI handler returned")                  \
	X(HLT, "hlt", "the guest waits for an interrupt")                                \
	X(EXCEPTION, "exception", "a fault that is looked at before the guest takes it") \
	X(CPUID, "cpuid", "it asked what CPU this is")                                   \
	X(IO, "io", "a port was read or written")                                        \
	X(RDMSR, "rdmsr", "a model-specific register was read")                          \
	X(WRMSR, "wrmsr", "a model-specific register was written")                       \
	X(MMIO, "mmio", "an address outside its RAM was touched")                        \
	X(CR8, "cr8", "the task priority was written while an interrupt waited")         \
	X(TPR, "tpr", "the task priority fell below that of a waiting interrupt")        \
	X(CR, "cr", "a control register was written of which Weir keeps a bit")          \
	X(APIC_WRITE, "apic-write", "the CPU has written a register of its local APIC")  \
	X(EOI, "eoi", "the CPU has ended a level-triggered interrupt")                   \
	X(SLICE, "slice", "its time was up, by a timer of the CPU's own")                \
	X(XSETBV, "xsetbv", "XCR0 was written")                                          \
	X(HYPERCALL, "hypercall", "VMCALL or VMMCALL")                                   \
	X(WBINVD, "wbinvd", "INVD or WBINVD")                                            \
	X(UNDEFINED, "undefined", "an instruction that this guest does not have")        \
	X(SHUTDOWN, "shutdown", "triple fault")                                          \
	X(FAILED, "failed", "the hardware refused to enter the guest")                   \
	X(UNKNOWN, "unknown", "a reason that the back end does not know")

enum vcpu_exit_reason {
#define X(id, name, text) EXIT_##id,
	VCPU_EXITS(X)
#undef X
		EXIT_N
};

struct exit_text {
	const char *name; /* as it is counted */
	const char *text; /* for a person */
};

extern const struct exit_text exit_text[EXIT_N];

struct vcpu_exit {
	enum vcpu_exit_reason reason;
	uint64_t next_rip; /* behind the instruction; 0 where only a decoder can tell (MMIO) */
	union {
		struct {
			uint16_t port;
			uint8_t size;      /* 1, 2 or 4 bytes */
			uint8_t addr_size; /* of a string: 2, 4 or 8 bytes */
			bool in, string, rep;
		} io;
		struct {
			uint32_t index;
		} msr;
		struct {
			uint8_t vector;
			bool has_error; /* which is 0 */
		} exception;
		struct {
			uint64_t gpa;
			bool write, fetch;
		} mmio;
		struct {
			uint8_t gpr; /* that is written to CR8, or read into */
			bool read;
		} cr8;
		struct {
			uint32_t offset, value; /* APIC_WRITE: of the register */
			uint8_t vector;         /* EOI */
		} apic;
		struct {
			/* FAILED, UNKNOWN: as the hardware has them, for the report */
			uint64_t hw_reason, info[2];
		} hw;
	};
};
