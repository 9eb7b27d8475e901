/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - see fpu.h
 *
 * Called on the vCPU's core when it becomes or ceases to be the current one (vcpu.c). All
 * components are saved whatever XCR0 the guest has set: one that is switched off just now keeps its
 * value.
 */
#include "fpu.h"

#include "kernel/bits.h"
#include "kernel/cpu.h"
#include "kernel/x86.h"
#include "cpu_regs.h"
#include "vcpu.h"

#include <string.h>

#define XSAVE_FCW    0 /* offsets in the legacy region [SDM 1 13.4.1] */
#define XSAVE_MXCSR  24
#define FCW_INIT     0x37f
#define MXCSR_INIT   0x1f80
#define CPUID_XSTATE 0xd

static uint64_t mask;     /* what a guest may have */
static uint64_t switched; /* and what else the registers may hold of it */

bool fpu_probe(void)
{
	struct cpuid x = cpuid(CPUID_XSTATE);

	if (!(cpuid(1).ecx & CPUID1_ECX_XSAVE) ||
	    !(cpuid(0x80000001).edx & CPUID80000001_EDX_RDTSCP))
		return false;
	mask = x.eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
	if ((x.eax & XCR0_AVX512) == XCR0_AVX512)
		mask |= XCR0_AVX512;
	switched = mask | (x.eax & XCR0_PKRU);
	return true;
}

/* The area's size is that of all that XCR0 has on: known once it is on. [SDM 1 13.2] */
static void drop_what_does_not_fit(void)
{
	if (cpuid(CPUID_XSTATE).ebx <= XSAVE_SIZE)
		return;
	mask &= ~XCR0_AVX512;
	switched &= ~(XCR0_AVX512 | XCR0_PKRU);
}

void fpu_init_cpu(void)
{
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE);
	xsetbv(switched);
	drop_what_does_not_fit();
	xsetbv(switched);
}

uint64_t fpu_xcr0_mask(void)
{
	return mask;
}

void fpu_reset(struct vcpu *v)
{
	memset(v->xsave, 0, XSAVE_SIZE);
	*(uint16_t *)(v->xsave + XSAVE_FCW) = FCW_INIT;
	*(uint32_t *)(v->xsave + XSAVE_MXCSR) = MXCSR_INIT;
	memset(v->dr, 0, sizeof(v->dr));
	v->xcr0 = XCR0_X87;
	v->tsc_aux = 0;
}

static void load_debug(const uint64_t dr[4])
{
	__asm__ volatile("mov %0, %%db0" ::"r"(dr[0]));
	__asm__ volatile("mov %0, %%db1" ::"r"(dr[1]));
	__asm__ volatile("mov %0, %%db2" ::"r"(dr[2]));
	__asm__ volatile("mov %0, %%db3" ::"r"(dr[3]));
}

static void save_debug(uint64_t dr[4])
{
	__asm__ volatile("mov %%db0, %0" : "=r"(dr[0]));
	__asm__ volatile("mov %%db1, %0" : "=r"(dr[1]));
	__asm__ volatile("mov %%db2, %0" : "=r"(dr[2]));
	__asm__ volatile("mov %%db3, %0" : "=r"(dr[3]));
}

void fpu_load(struct vcpu *v)
{
	xsetbv(switched);
	/* XRSTOR may leave the last guest's instruction and data pointers */
	__asm__ volatile("fninit");
	__asm__ volatile("xrstor64 (%0)" ::"r"(v->xsave), "a"((uint32_t)switched),
			 "d"((uint32_t)(switched >> 32))
			 : "memory");
	xsetbv(v->xcr0);
	load_debug(v->dr);
	wrmsr(MSR_TSC_AUX, v->tsc_aux);
}

void fpu_put(struct vcpu *v)
{
	xsetbv(switched);
	__asm__ volatile("xsave64 (%0)" ::"r"(v->xsave), "a"((uint32_t)switched),
			 "d"((uint32_t)(switched >> 32))
			 : "memory");
	save_debug(v->dr);
}
