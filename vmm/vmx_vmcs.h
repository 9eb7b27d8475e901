/* SPDX-License-Identifier: MIT */
/*
 * vmx_vmcs.h - Intel's virtual machine control structure: fields, and the bits in them [SDM
 * 3C 24, appendix A and B]
 *
 * A VMCS is a page whose form only the CPU knows; VMREAD and VMWRITE take a field's
 * encoding. Names are the SDM's.
 */
#pragma once

#include <stdint.h>

#include "kernel/bits.h"

/* [SDM 3D appendix B] */
#define VMCS_FIELDS(X)                         \
	X(VPID, 0x0000)                        \
	X(POSTED_INTERRUPT_VECTOR, 0x0002)     \
	X(GUEST_ES_SELECTOR, 0x0800)           \
	X(GUEST_CS_SELECTOR, 0x0802)           \
	X(GUEST_SS_SELECTOR, 0x0804)           \
	X(GUEST_DS_SELECTOR, 0x0806)           \
	X(GUEST_FS_SELECTOR, 0x0808)           \
	X(GUEST_GS_SELECTOR, 0x080a)           \
	X(GUEST_LDTR_SELECTOR, 0x080c)         \
	X(GUEST_TR_SELECTOR, 0x080e)           \
	X(GUEST_INTERRUPT_STATUS, 0x0810)      \
	X(HOST_ES_SELECTOR, 0x0c00)            \
	X(HOST_CS_SELECTOR, 0x0c02)            \
	X(HOST_SS_SELECTOR, 0x0c04)            \
	X(HOST_DS_SELECTOR, 0x0c06)            \
	X(HOST_FS_SELECTOR, 0x0c08)            \
	X(HOST_GS_SELECTOR, 0x0c0a)            \
	X(HOST_TR_SELECTOR, 0x0c0c)            \
	X(IO_BITMAP_A, 0x2000)                 \
	X(IO_BITMAP_B, 0x2002)                 \
	X(MSR_BITMAP, 0x2004)                  \
	X(TSC_OFFSET, 0x2010)                  \
	X(VIRTUAL_APIC_ADDRESS, 0x2012)        \
	X(APIC_ACCESS_ADDRESS, 0x2014)         \
	X(POSTED_INTERRUPT_DESCRIPTOR, 0x2016) \
	X(EPT_POINTER, 0x201a)                 \
	X(EOI_EXIT_BITMAP_0, 0x201c)           \
	X(EOI_EXIT_BITMAP_1, 0x201e)           \
	X(EOI_EXIT_BITMAP_2, 0x2020)           \
	X(EOI_EXIT_BITMAP_3, 0x2022)           \
	X(GUEST_PHYSICAL_ADDRESS, 0x2400)      \
	X(VMCS_LINK_POINTER, 0x2800)           \
	X(GUEST_DEBUGCTL, 0x2802)              \
	X(GUEST_PAT, 0x2804)                   \
	X(GUEST_EFER, 0x2806)                  \
	X(GUEST_PDPTE0, 0x280a)                \
	X(GUEST_PDPTE1, 0x280c)                \
	X(GUEST_PDPTE2, 0x280e)                \
	X(GUEST_PDPTE3, 0x2810)                \
	X(HOST_PAT, 0x2c00)                    \
	X(HOST_EFER, 0x2c02)                   \
	X(PIN_BASED_CONTROLS, 0x4000)          \
	X(PRIMARY_CONTROLS, 0x4002)            \
	X(EXCEPTION_BITMAP, 0x4004)            \
	X(PAGE_FAULT_ERROR_MASK, 0x4006)       \
	X(PAGE_FAULT_ERROR_MATCH, 0x4008)      \
	X(CR3_TARGET_COUNT, 0x400a)            \
	X(VM_EXIT_CONTROLS, 0x400c)            \
	X(VM_EXIT_MSR_STORE_COUNT, 0x400e)     \
	X(VM_EXIT_MSR_LOAD_COUNT, 0x4010)      \
	X(VM_ENTRY_CONTROLS, 0x4012)           \
	X(VM_ENTRY_MSR_LOAD_COUNT, 0x4014)     \
	X(VM_ENTRY_INTERRUPTION_INFO, 0x4016)  \
	X(VM_ENTRY_EXCEPTION_ERROR, 0x4018)    \
	X(VM_ENTRY_INSTRUCTION_LENGTH, 0x401a) \
	X(TPR_THRESHOLD, 0x401c)               \
	X(SECONDARY_CONTROLS, 0x401e)          \
	X(VM_INSTRUCTION_ERROR, 0x4400)        \
	X(EXIT_REASON, 0x4402)                 \
	X(VM_EXIT_INTERRUPTION_INFO, 0x4404)   \
	X(VM_EXIT_INTERRUPTION_ERROR, 0x4406)  \
	X(IDT_VECTORING_INFO, 0x4408)          \
	X(IDT_VECTORING_ERROR, 0x440a)         \
	X(VM_EXIT_INSTRUCTION_LENGTH, 0x440c)  \
	X(VM_EXIT_INSTRUCTION_INFO, 0x440e)    \
	X(GUEST_ES_LIMIT, 0x4800)              \
	X(GUEST_CS_LIMIT, 0x4802)              \
	X(GUEST_SS_LIMIT, 0x4804)              \
	X(GUEST_DS_LIMIT, 0x4806)              \
	X(GUEST_FS_LIMIT, 0x4808)              \
	X(GUEST_GS_LIMIT, 0x480a)              \
	X(GUEST_LDTR_LIMIT, 0x480c)            \
	X(GUEST_TR_LIMIT, 0x480e)              \
	X(GUEST_GDTR_LIMIT, 0x4810)            \
	X(GUEST_IDTR_LIMIT, 0x4812)            \
	X(GUEST_ES_ACCESS_RIGHTS, 0x4814)      \
	X(GUEST_CS_ACCESS_RIGHTS, 0x4816)      \
	X(GUEST_SS_ACCESS_RIGHTS, 0x4818)      \
	X(GUEST_DS_ACCESS_RIGHTS, 0x481a)      \
	X(GUEST_FS_ACCESS_RIGHTS, 0x481c)      \
	X(GUEST_GS_ACCESS_RIGHTS, 0x481e)      \
	X(GUEST_LDTR_ACCESS_RIGHTS, 0x4820)    \
	X(GUEST_TR_ACCESS_RIGHTS, 0x4822)      \
	X(GUEST_INTERRUPTIBILITY, 0x4824)      \
	X(GUEST_ACTIVITY, 0x4826)              \
	X(GUEST_SYSENTER_CS, 0x482a)           \
	X(PREEMPTION_TIMER, 0x482e)            \
	X(HOST_SYSENTER_CS, 0x4c00)            \
	X(CR0_MASK, 0x6000)                    \
	X(CR4_MASK, 0x6002)                    \
	X(CR0_SHADOW, 0x6004)                  \
	X(CR4_SHADOW, 0x6006)                  \
	X(EXIT_QUALIFICATION, 0x6400)          \
	X(GUEST_LINEAR_ADDRESS, 0x640a)        \
	X(GUEST_CR0, 0x6800)                   \
	X(GUEST_CR3, 0x6802)                   \
	X(GUEST_CR4, 0x6804)                   \
	X(GUEST_ES_BASE, 0x6806)               \
	X(GUEST_CS_BASE, 0x6808)               \
	X(GUEST_SS_BASE, 0x680a)               \
	X(GUEST_DS_BASE, 0x680c)               \
	X(GUEST_FS_BASE, 0x680e)               \
	X(GUEST_GS_BASE, 0x6810)               \
	X(GUEST_LDTR_BASE, 0x6812)             \
	X(GUEST_TR_BASE, 0x6814)               \
	X(GUEST_GDTR_BASE, 0x6816)             \
	X(GUEST_IDTR_BASE, 0x6818)             \
	X(GUEST_DR7, 0x681a)                   \
	X(GUEST_RSP, 0x681c)                   \
	X(GUEST_RIP, 0x681e)                   \
	X(GUEST_RFLAGS, 0x6820)                \
	X(GUEST_PENDING_DEBUG, 0x6822)         \
	X(GUEST_SYSENTER_ESP, 0x6824)          \
	X(GUEST_SYSENTER_EIP, 0x6826)          \
	X(HOST_CR0, 0x6c00)                    \
	X(HOST_CR3, 0x6c02)                    \
	X(HOST_CR4, 0x6c04)                    \
	X(HOST_FS_BASE, 0x6c06)                \
	X(HOST_GS_BASE, 0x6c08)                \
	X(HOST_TR_BASE, 0x6c0a)                \
	X(HOST_GDTR_BASE, 0x6c0c)              \
	X(HOST_IDTR_BASE, 0x6c0e)              \
	X(HOST_SYSENTER_ESP, 0x6c10)           \
	X(HOST_SYSENTER_EIP, 0x6c12)           \
	X(HOST_RSP, 0x6c14)                    \
	X(HOST_RIP, 0x6c16)

enum vmcs_field {
#define X(id, encoding) VMCS_##id = encoding,
	VMCS_FIELDS(X)
#undef X
};

/*
 * segment fields of one kind stand 2 apart, in the order ES, CS, SS, DS, FS, GS, LDTR, TR: as
 * enum segment, and two more
 */
enum { VMCS_SEGMENT_STEP = 2 };

/*
 * access rights: those of a descriptor, with a gap, and a bit for a segment register
 * that holds none [24.4.1]
 */
#define RIGHTS_LOW      BITS(7, 0)   /* type, S, DPL, P */
#define RIGHTS_HIGH     BITS(15, 12) /* AVL, L, DB, G */
#define RIGHTS_L        BIT(13)
#define RIGHTS_UNUSABLE BIT(16)

/* pin-based VM-execution controls [24.6.1] */
#define PIN_EXTERNAL_INTERRUPTS BIT(0)
#define PIN_NMI                 BIT(3)
#define PIN_VIRTUAL_NMI         BIT(5)
#define PIN_PREEMPTION_TIMER    BIT(6)
#define PIN_POSTED_INTERRUPTS   BIT(7)

/* primary processor-based [24.6.2] */
#define PRIMARY_INTERRUPT_WINDOW BIT(2)
#define PRIMARY_TSC_OFFSETTING   BIT(3)
#define PRIMARY_HLT              BIT(7)
#define PRIMARY_MWAIT            BIT(10)
#define PRIMARY_RDPMC            BIT(11)
#define PRIMARY_CR3_LOAD         BIT(15)
#define PRIMARY_CR3_STORE        BIT(16)
#define PRIMARY_CR8_LOAD         BIT(19)
#define PRIMARY_CR8_STORE        BIT(20)
#define PRIMARY_TPR_SHADOW       BIT(21)
#define PRIMARY_NMI_WINDOW       BIT(22)
#define PRIMARY_IO_BITMAPS       BIT(25)
#define PRIMARY_MSR_BITMAPS      BIT(28)
#define PRIMARY_MONITOR          BIT(29)
#define PRIMARY_SECONDARY        BIT(31)

/* secondary [24.6.2] */
#define SECONDARY_APIC_ACCESSES      BIT(0)
#define SECONDARY_EPT                BIT(1)
#define SECONDARY_RDTSCP             BIT(3)
#define SECONDARY_X2APIC             BIT(4)
#define SECONDARY_VPID               BIT(5)
#define SECONDARY_WBINVD             BIT(6)
#define SECONDARY_UNRESTRICTED       BIT(7)
#define SECONDARY_APIC_REGISTERS     BIT(8)
#define SECONDARY_VIRTUAL_INTERRUPTS BIT(9)
#define SECONDARY_INVPCID            BIT(12)

/* VM-exit controls [24.7.1] */
#define EXIT_CTL_SAVE_DEBUG BIT(2)
#define EXIT_CTL_HOST_64    BIT(9)
#define EXIT_CTL_ACK_INTR   BIT(15)
#define EXIT_CTL_SAVE_PAT   BIT(18)
#define EXIT_CTL_LOAD_PAT   BIT(19)
#define EXIT_CTL_SAVE_EFER  BIT(20)
#define EXIT_CTL_LOAD_EFER  BIT(21)

/* VM-entry controls [24.8.1] */
#define ENTRY_CTL_LOAD_DEBUG BIT(2)
#define ENTRY_CTL_GUEST_64   BIT(9)
#define ENTRY_CTL_LOAD_PAT   BIT(14)
#define ENTRY_CTL_LOAD_EFER  BIT(15)

/* interruption information, of entry, exit and IDT vectoring alike [24.8.3, 24.9.2, 24.9.3] */
#define INTR_VECTOR        BITS(7, 0)
#define INTR_TYPE          BITS(10, 8)
#define INTR_ERROR         BIT(11)
#define INTR_UNBLOCKED_NMI BIT(12) /* exit: IRET faulted, and NMIs are blocked no more */
#define INTR_VALID         BIT(31)
enum {
	INTR_TYPE_EXTERNAL = 0,
	INTR_TYPE_NMI = 2,
	INTR_TYPE_HARDWARE_EXCEPTION = 3,
	INTR_TYPE_SOFTWARE_INTERRUPT = 4,
	INTR_TYPE_PRIVILEGED_SOFTWARE_EXCEPTION = 5,
	INTR_TYPE_SOFTWARE_EXCEPTION = 6,
	INTR_TYPE_OTHER = 7, /* entry: a trap flag, no event */
};

/* interruptibility [24.4.2] */
#define BLOCKED_BY_STI    BIT(0)
#define BLOCKED_BY_MOV_SS BIT(1)
#define BLOCKED_BY_SMI    BIT(2)
#define BLOCKED_BY_NMI    BIT(3)

#define PENDING_DEBUG_BS BIT(14) /* a single step [24.4.2] */

/* exit reasons [SDM 3D appendix C] */
#define EXIT_REASON_BASIC        BITS(15, 0)
#define EXIT_REASON_ENTRY_FAILED BIT(31)
enum {
	VMX_EXIT_EXCEPTION_NMI = 0,
	VMX_EXIT_EXTERNAL_INTERRUPT = 1,
	VMX_EXIT_TRIPLE_FAULT = 2,
	VMX_EXIT_INIT = 3,
	VMX_EXIT_INTERRUPT_WINDOW = 7,
	VMX_EXIT_NMI_WINDOW = 8,
	VMX_EXIT_TASK_SWITCH = 9,
	VMX_EXIT_CPUID = 10,
	VMX_EXIT_GETSEC = 11,
	VMX_EXIT_HLT = 12,
	VMX_EXIT_INVD = 13,
	VMX_EXIT_RDPMC = 15,
	VMX_EXIT_VMCALL = 18,
	VMX_EXIT_VMCLEAR = 19, /* to 27: the instructions of VMX */
	VMX_EXIT_VMXON = 27,
	VMX_EXIT_CR_ACCESS = 28,
	VMX_EXIT_IO = 30,
	VMX_EXIT_RDMSR = 31,
	VMX_EXIT_WRMSR = 32,
	VMX_EXIT_INVALID_GUEST_STATE = 33,
	VMX_EXIT_MSR_LOADING = 34,
	VMX_EXIT_MWAIT = 36,
	VMX_EXIT_MONITOR = 39,
	VMX_EXIT_MACHINE_CHECK = 41,
	VMX_EXIT_TPR_BELOW_THRESHOLD = 43,
	VMX_EXIT_APIC_ACCESS = 44,
	VMX_EXIT_VIRTUALIZED_EOI = 45,
	VMX_EXIT_EPT_VIOLATION = 48,
	VMX_EXIT_EPT_MISCONFIGURATION = 49,
	VMX_EXIT_INVEPT = 50,
	VMX_EXIT_PREEMPTION_TIMER = 52,
	VMX_EXIT_INVVPID = 53,
	VMX_EXIT_WBINVD = 54,
	VMX_EXIT_XSETBV = 55,
	VMX_EXIT_APIC_WRITE = 56,
	VMX_EXIT_VMFUNC = 59,
};

/* exit qualification of a control-register access [27.2.1, table 27-3] */
#define CR_NUMBER BITS(3, 0)
#define CR_ACCESS BITS(5, 4)
#define CR_GPR    BITS(11, 8)
#define CR_LMSW   BITS(31, 16) /* its operand */
enum { CR_MOV_TO = 0, CR_MOV_FROM = 1, CR_CLTS = 2, CR_LMSW_OP = 3 };

/*
 * of an I/O instruction [table 27-5]; size and address size are in
 * VM_EXIT_INSTRUCTION_INFO [table 27-8]
 */
#define IO_SIZE              BITS(2, 0) /* bytes - 1 */
#define IO_IN                BIT(3)
#define IO_STRING            BIT(4)
#define IO_REP               BIT(5)
#define IO_PORT              BITS(31, 16)
#define IO_INFO_ADDRESS_SIZE BITS(9, 7) /* 0: 16, 1: 32, 2: 64 bits */

/* of an EPT violation [table 27-7] */
#define EPT_READ          BIT(0)
#define EPT_WRITE         BIT(1)
#define EPT_FETCH         BIT(2)
#define EPT_UNBLOCKED_NMI BIT(12)

/* of an APIC access [table 27-6] */
#define APIC_ACCESS_OFFSET BITS(11, 0)
#define APIC_ACCESS_TYPE   BITS(15, 12)
enum { APIC_ACCESS_READ = 0, APIC_ACCESS_WRITE = 1, APIC_ACCESS_FETCH = 2, APIC_ACCESS_EVENT = 3 };

/* guest interrupt status [24.4.2] */
#define STATUS_RVI BITS(7, 0)  /* the highest that waits */
#define STATUS_SVI BITS(15, 8) /* the highest in service */

/* a posted-interrupt descriptor's second half: vlapic's posted [29.6] */
#define POSTED_ON     BIT(0) /* a notification is on its way */
#define POSTED_VECTOR BITS(23, 16)
#define POSTED_DEST   BITS(63, 32)

/* EPT: pointer and entries [24.6.11, 28.2.2] */
#define EPTP_WRITE_BACK UINT64_C(6)
#define EPTP_LEVELS     BITS(5, 3) /* - 1 */
#define EPT_R           BIT(0)
#define EPT_W           BIT(1)
#define EPT_X           BIT(2)
#define EPT_TYPE        BITS(5, 3) /* of memory: 6 write-back */
#define EPT_LARGE       BIT(7)
enum { EPT_WRITE_BACK = 6 };

/* the top level of 32-bit paging with PAE, in the VMCS [SDM 3A 4.4.1] */
#define PDPTE_P        BIT(0)
#define PDPTE_RESERVED (BITS(8, 5) | BITS(2, 1)) /* and what lies beyond physical addresses */
enum { PDPTES = 4 };

/*
 * capability MSRs [SDM 3D appendix A]; allowed-0 in the low half (must be 1), allowed-1 in
 * the high half (may be 1)
 */
#define MSR_FEATURE_CONTROL  0x03a
#define FEATURE_LOCKED       BIT(0)
#define FEATURE_VMX          BIT(2) /* outside SMX */
#define MSR_VMX_BASIC        0x480
#define VMX_BASIC_REVISION   BITS(30, 0)
#define VMX_BASIC_TRUE       BIT(55) /* MSRs 48DH to 490H are there */
#define MSR_VMX_PINBASED     0x481
#define MSR_VMX_PROCBASED    0x482
#define MSR_VMX_EXIT         0x483
#define MSR_VMX_ENTRY        0x484
#define MSR_VMX_MISC         0x485
#define VMX_MISC_TIMER_RATE  BITS(4, 0) /* the preemption timer counts once in 2^this TSC ticks */
#define MSR_VMX_CR0_FIXED0   0x486      /* bits that must be 1 */
#define MSR_VMX_CR0_FIXED1   0x487      /* bits that may be 1 */
#define MSR_VMX_CR4_FIXED0   0x488
#define MSR_VMX_CR4_FIXED1   0x489
#define MSR_VMX_PROCBASED2   0x48b
#define MSR_VMX_EPT_VPID     0x48c
#define EPT_CAP_WALK_4       BIT(6)
#define EPT_CAP_WRITE_BACK   BIT(14)
#define EPT_CAP_2M           BIT(16)
#define EPT_CAP_INVEPT       BIT(20)
#define EPT_CAP_INVEPT_ONE   BIT(25)
#define VPID_CAP_INVVPID     BIT(32)
#define VPID_CAP_INVVPID_ONE BIT(41)
/* added to the first four: the same, also telling of the default ones */
#define MSR_VMX_TRUE   (0x48d - MSR_VMX_PINBASED)
#define CPUID1_ECX_VMX BIT(5)

/* INVEPT and INVVPID: one context [30.3] */
enum { INVEPT_CONTEXT = 1, INVVPID_CONTEXT = 1 };
