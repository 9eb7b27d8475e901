/* SPDX-License-Identifier: MIT */
/*
 * cpu_regs.h - bits of CPUID and numbers of MSRs, as far as a guest is told of them
 *
 * Intel SDM volume 2A (CPUID), 3A 12.11 (MTRRs), volume 4 (MSRs); AMD APM volume 3 appendix E;
 * Linux Documentation/virt/kvm/x86/{cpuid,msr}.rst.
 */
#pragma once

#include "kernel/bits.h"
#include "kernel/x86.h"

/* --- CPUID 1 --- */

#define CPUID1_EBX_APIC_ID BITS(31, 24)
#define CPUID1_EBX_COUNT   BITS(23, 16) /* logical processors, if HTT */
#define CPUID1_EBX_CLFLUSH BITS(15, 8)

#define CPUID1_ECX_SSE3       BIT(0)
#define CPUID1_ECX_PCLMULQDQ  BIT(1)
#define CPUID1_ECX_SSSE3      BIT(9)
#define CPUID1_ECX_FMA        BIT(12)
#define CPUID1_ECX_CMPXCHG16B BIT(13)
#define CPUID1_ECX_SSE4_1     BIT(19)
#define CPUID1_ECX_SSE4_2     BIT(20)
#define CPUID1_ECX_MOVBE      BIT(22)
#define CPUID1_ECX_POPCNT     BIT(23)
#define CPUID1_ECX_AES        BIT(25)
#define CPUID1_ECX_OSXSAVE    BIT(27) /* CR4.OSXSAVE */
#define CPUID1_ECX_AVX        BIT(28)
#define CPUID1_ECX_F16C       BIT(29)
#define CPUID1_ECX_RDRAND     BIT(30)
#define CPUID1_ECX_HYPERVISOR BIT(31)

#define CPUID1_EDX_FPU     BIT(0)
#define CPUID1_EDX_VME     BIT(1)
#define CPUID1_EDX_DE      BIT(2)
#define CPUID1_EDX_PSE     BIT(3)
#define CPUID1_EDX_TSC     BIT(4)
#define CPUID1_EDX_MSR     BIT(5)
#define CPUID1_EDX_PAE     BIT(6)
#define CPUID1_EDX_CX8     BIT(8)
#define CPUID1_EDX_APIC    BIT(9)
#define CPUID1_EDX_SEP     BIT(11)
#define CPUID1_EDX_MTRR    BIT(12)
#define CPUID1_EDX_PGE     BIT(13)
#define CPUID1_EDX_CMOV    BIT(15)
#define CPUID1_EDX_PAT     BIT(16)
#define CPUID1_EDX_PSE36   BIT(17)
#define CPUID1_EDX_CLFLUSH BIT(19)
#define CPUID1_EDX_MMX     BIT(23)
#define CPUID1_EDX_FXSR    BIT(24)
#define CPUID1_EDX_SSE     BIT(25)
#define CPUID1_EDX_SSE2    BIT(26)
#define CPUID1_EDX_HTT     BIT(28)

/* --- CPUID 4: a cache, and who shares it --- */

#define CPUID4_EAX_TYPE    BITS(4, 0) /* 0: no more caches */
#define CPUID4_EAX_LEVEL   BITS(7, 5)
#define CPUID4_EAX_SHARING BITS(25, 14) /* logical processors - 1 */
#define CPUID4_EAX_CORES   BITS(31, 26) /* in the package, - 1 */

/* --- CPUID 6, 7 --- */

#define CPUID6_EAX_ARAT BIT(2) /* the local APIC's timer never stops */

#define CPUID7_EBX_FSGSBASE   BIT(0)
#define CPUID7_EBX_TSC_ADJUST BIT(1)
#define CPUID7_EBX_BMI1       BIT(3)
#define CPUID7_EBX_AVX2       BIT(5)
#define CPUID7_EBX_SMEP       BIT(7)
#define CPUID7_EBX_BMI2       BIT(8)
#define CPUID7_EBX_ERMS       BIT(9)
#define CPUID7_EBX_AVX512F    BIT(16)
#define CPUID7_EBX_AVX512DQ   BIT(17)
#define CPUID7_EBX_RDSEED     BIT(18)
#define CPUID7_EBX_ADX        BIT(19)
#define CPUID7_EBX_SMAP       BIT(20)
#define CPUID7_EBX_CLFLUSHOPT BIT(23)
#define CPUID7_EBX_CLWB       BIT(24)
#define CPUID7_EBX_AVX512CD   BIT(28)
#define CPUID7_EBX_SHA        BIT(29)
#define CPUID7_EBX_AVX512BW   BIT(30)
#define CPUID7_EBX_AVX512VL   BIT(31)
#define CPUID7_ECX_UMIP       BIT(2)
#define CPUID7_ECX_GFNI       BIT(8)
#define CPUID7_ECX_VAES       BIT(9)
#define CPUID7_ECX_VPCLMULQDQ BIT(10)
#define CPUID7_EDX_FSRM       BIT(4)

/* --- CPUID 0xb: levels of the topology --- */

#define CPUIDB_ECX_TYPE BITS(15, 8)
enum { TOPOLOGY_THREADS = 1, TOPOLOGY_CORES = 2 };

/* --- CPUID 0xd: the extended state [SDM 1 13.2] --- */

#define CPUIDD1_EAX_XSAVEOPT BIT(0)
enum { XSAVE_LEGACY = 576, XCR0_FIRST_EXTENDED = 2 }; /* x87, SSE and the header are always there */

#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 BITS(7, 5)
#define XCR0_PKRU   BIT(9) /* not offered, but a guest may set CR4.PKE all the same */

/* --- CPUID 0x40000001: what KVM offers its guests --- */

#define KVM_FEATURE_NOP_IO_DELAY           BIT(1)
#define KVM_FEATURE_CLOCKSOURCE2           BIT(3)
#define KVM_FEATURE_CLOCKSOURCE_STABLE_BIT BIT(24)

/* --- CPUID 0x80000001 and above --- */

#define CPUID80000001_ECX_LAHF          BIT(0)
#define CPUID80000001_ECX_CMP           BIT(1) /* AMD: CPUID 1's count is of cores */
#define CPUID80000001_ECX_LZCNT         BIT(5)
#define CPUID80000001_ECX_SSE4A         BIT(6)
#define CPUID80000001_ECX_MISALIGN      BIT(7)
#define CPUID80000001_ECX_PREFETCH      BIT(8)
#define CPUID80000001_EDX_SYSCALL       BIT(11)
#define CPUID80000001_EDX_MMXEXT        BIT(22)
#define CPUID80000001_EDX_RDTSCP        BIT(27)
#define CPUID80000001_EDX_LM            BIT(29)
#define CPUID80000007_EDX_INVARIANT_TSC BIT(8)
#define CPUID80000008_EAX_PHYSICAL      BITS(7, 0)
#define CPUID80000008_EAX_LINEAR        BITS(15, 8)
#define CPUID80000008_ECX_CORES         BITS(7, 0) /* AMD: - 1 */

/* --- MSRs --- */

#define MSR_TSC             0x10
#define MSR_PLATFORM_ID     0x17
#define MSR_TSC_ADJUST      0x3b
#define MSR_UCODE_REV       0x8b
#define MSR_MTRR_CAP        0xfe
#define MSR_MCG_CAP         0x179
#define MSR_MCG_STATUS      0x17a
#define MSR_MISC_ENABLE     0x1a0
#define MSR_MTRR_BASE0      0x200 /* base and mask in turn */
#define MSR_MTRR_FIX_64K    0x250
#define MSR_MTRR_FIX_16K    0x258 /* two */
#define MSR_MTRR_FIX_4K     0x268 /* eight */
#define MSR_MTRR_DEF_TYPE   0x2ff
#define MSR_KVM_WALL_CLOCK  0x4b564d00
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define MSR_AMD_SYSCFG      0xc0010010
#define MSR_AMD_HWCR        0xc0010015
#define MSR_AMD_INT_PENDING 0xc0010055
#define MSR_AMD_DE_CFG      0xc0011029

#define MTRR_CAP_VCNT  BITS(7, 0)
#define MTRR_CAP_FIX   BIT(8)
#define MTRR_CAP_WC    BIT(10)
#define MTRR_DEF_TYPE  BITS(7, 0)
#define MTRR_DEF_FE    BIT(10) /* fixed ranges count */
#define MTRR_DEF_E     BIT(11)
#define MTRR_BASE_TYPE BITS(7, 0)
#define PAT_RESET      UINT64_C(0x0007040600070406) /* [SDM 3A 12.12.4] */

enum { MTRR_WRITE_BACK = 6, PAT_UC_MINUS = 7 };

#define MISC_ENABLE_FAST_STRING BIT(0)
#define DE_CFG_LFENCE_SERIALIZE BIT(1) /* AMD: LFENCE waits for what stands before it */

/* --- debug registers: after RESET [SDM 3A table 10-1], and a cause [SDM 3B 17.2.3] --- */

#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR6_BS    BIT(14) /* a single step */
#define DR7_RESET UINT64_C(0x400)
#define DR7_GD    BIT(13) /* touching a debug register is a #DB */
