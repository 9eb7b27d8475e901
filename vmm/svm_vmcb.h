/* SPDX-License-Identifier: MIT */
/*
 * svm_vmcb.h - AMD's virtual machine control block [APM2 (rev. 3.40) 15, appendix B and C]
 *
 * One page a vCPU: what is intercepted and injected, then the guest's state. Times and sizes
 * as the hardware has them.
 */
#pragma once

#include <stdint.h>

#include "kernel/bits.h"

#define MSR_VM_CR             0xc0010114
#define VM_CR_SVMDIS          BIT(4) /* firmware has locked SVM off */
#define MSR_VM_HSAVE_PA       0xc0010117
#define CPUID_SVM             0x8000000a
#define CPUID80000001_ECX_SVM BIT(2)
/* EDX of CPUID_SVM [APM3 E.4.9] */
#define CPUID_SVM_NP             BIT(0) /* nested paging */
#define CPUID_SVM_LBR            BIT(1) /* last branch records are switched */
#define CPUID_SVM_NRIPS          BIT(3) /* the next rip is saved */
#define CPUID_SVM_TSC_RATE       BIT(4)
#define CPUID_SVM_VMCB_CLEAN     BIT(5)
#define CPUID_SVM_FLUSH_BY_ASID  BIT(6)
#define CPUID_SVM_DECODE_ASSISTS BIT(7)
#define CPUID_SVM_PAUSE_FILTER   BIT(10)
#define CPUID_SVM_AVIC           BIT(13)
#define CPUID_SVM_VMSAVE         BIT(15) /* VMLOAD and VMSAVE without an exit */
#define CPUID_SVM_VGIF           BIT(16)
#define CPUID_SVM_VNMI           BIT(25)

/* intercepts, first word [APM2 15.9] */
#define INTERCEPT_INTR     BIT(0)
#define INTERCEPT_NMI      BIT(1)
#define INTERCEPT_VINTR    BIT(4)
#define INTERCEPT_RDPMC    BIT(15)
#define INTERCEPT_CPUID    BIT(18)
#define INTERCEPT_IRET     BIT(20)
#define INTERCEPT_INVD     BIT(22)
#define INTERCEPT_HLT      BIT(24)
#define INTERCEPT_INVLPGA  BIT(26)
#define INTERCEPT_IOIO     BIT(27)
#define INTERCEPT_MSR      BIT(28)
#define INTERCEPT_SHUTDOWN BIT(31)
/* second word */
#define INTERCEPT_VMRUN   BIT(0)
#define INTERCEPT_VMMCALL BIT(1)
#define INTERCEPT_VMLOAD  BIT(2)
#define INTERCEPT_VMSAVE  BIT(3)
#define INTERCEPT_STGI    BIT(4)
#define INTERCEPT_CLGI    BIT(5)
#define INTERCEPT_SKINIT  BIT(6)
#define INTERCEPT_WBINVD  BIT(9)
#define INTERCEPT_MONITOR BIT(10)
#define INTERCEPT_MWAIT   BIT(11)
#define INTERCEPT_XSETBV  BIT(13)
#define INTERCEPT_RDPRU   BIT(14)

#define INTERCEPT_CR8_WRITE BIT(8) /* in cr_write */
/*
 * in exceptions: delivering the first two may raise them again, for ever; the
 * third is the machine's own
 */
#define INTERCEPT_DB BIT(1)
#define INTERCEPT_AC BIT(17)
#define INTERCEPT_MC BIT(18)

/* int_ctl [APM2 15.21] */
#define V_TPR          BITS(3, 0)
#define V_IRQ          BIT(8)
#define V_INTR_PRIO    BITS(19, 16)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24) /* the host's IF decides about interrupts for the host */
#define V_INTR_VECTOR  BITS(39, 32)

#define INT_SHADOW BIT(0) /* in int_shadow [APM2 15.21.5] */

/* tlb_control; the last flushes what has this ASID, where the CPU knows to [APM2 15.16.1] */
enum { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_ASID = 3 };

/* event_inj, exit_int_info [APM2 15.20] */
#define EVENT_VECTOR     BITS(7, 0)
#define EVENT_TYPE       BITS(10, 8)
#define EVENT_TYPE_INTR  0
#define EVENT_TYPE_NMI   2
#define EVENT_TYPE_EXC   3
#define EVENT_TYPE_SOFT  4
#define EVENT_ERROR_SENT BIT(11)
#define EVENT_VALID      BIT(31)
#define EVENT_ERROR      BITS(63, 32)

/* exit_info_1 of an IOIO exit [APM2 15.10.2]; exit_info_2 is the next rip */
#define IOIO_IN        BIT(0)
#define IOIO_STRING    BIT(2)
#define IOIO_REP       BIT(3)
#define IOIO_SIZE      BITS(6, 4) /* bytes */
#define IOIO_ADDR_SIZE BITS(9, 7) /* 1: 16, 2: 32, 4: 64 bits */
#define IOIO_PORT      BITS(31, 16)

/* exit_info_1 of a nested page fault [APM2 15.25.6]; exit_info_2 is the guest-physical address */
#define NPF_WRITE BIT(1)
#define NPF_FETCH BIT(4)

/* exit_info_1 of a write to a control register, with decode assists [APM2 15.33.1] */
#define CR_MOV BIT(63) /* by MOV: the only way to CR8 */
#define CR_GPR BITS(3, 0)

/* exit codes [APM2 C] */
enum {
	SVM_EXIT_CR8_WRITE = 0x18,
	SVM_EXIT_EXCEPTION = 0x40, /* and the vector */
	SVM_EXIT_DB = 0x41,
	SVM_EXIT_AC = 0x51,
	SVM_EXIT_MC = 0x52,
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPGA = 0x7a,
	SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83,
	SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b,
	SVM_EXIT_XSETBV = 0x8d,
	SVM_EXIT_RDPRU = 0x8e,
	SVM_EXIT_NPF = 0x400,
};
#define SVM_EXIT_INVALID UINT32_MAX /* VMRUN found the state inconsistent; TCG has 32 bits of it */

struct svm_segment {
	uint16_t selector, attr;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* control area */
	uint16_t cr_read, cr_write, dr_read, dr_write;
	uint32_t exceptions;
	uint32_t intercept[2];
	uint8_t reserved_014[0x040 - 0x014];
	uint64_t iopm_base, msrpm_base;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, reserved_05d[3];
	uint64_t int_ctl;
	uint64_t int_shadow;
	uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info;
	uint64_t np_enable; /* bit 0 */
	uint8_t reserved_098[0x0a8 - 0x098];
	uint64_t event_inj;
	uint64_t n_cr3;
	uint8_t reserved_0b8[0x0c0 - 0x0b8];
	uint64_t clean; /* 0: look at everything again */
	uint64_t next_rip;
	uint8_t nfetched,
		fetched[15]; /* of a data access that faulted, with decode assists [15.33.4] */
	uint8_t reserved_0e0[0x400 - 0x0e0];

	/* state save area */
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved_5e0[0x5f8 - 0x5e0];
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved_648[0x668 - 0x648];
	uint64_t g_pat;
	uint8_t reserved_670[0x1000 - 0x670];
};

_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "a VMCB is a page");
_Static_assert(offsetof(struct vmcb, iopm_base) == 0x040, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, int_ctl) == 0x060, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x070, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, event_inj) == 0x0a8, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, next_rip) == 0x0c8, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, fetched) == 0x0d1, "[APM2 B-1]");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "[APM2 B-2]");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "[APM2 B-2]");
