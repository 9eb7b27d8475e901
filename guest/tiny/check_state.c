/* SPDX-License-Identifier: MIT */
/*
 * check_state.c - registers that a hypervisor switches lazily or forgets: x87, SSE,
 * AVX, XCR0, debug registers
 *
 * `check fpu SEED MS` fills them with what follows from SEED and looks for MS milliseconds (0: for
 * ever) whether they stay. Two guests on one core with different seeds would see each other's.
 */
#include "fpu.h"

#include "check.h"
#include "clock.h"
#include "command.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

#define CR0_MP         BIT(1)
#define CR0_EM         BIT(2)
#define CR0_TS         BIT(3)
#define CR0_NE         BIT(5)
#define CPUID1_ECX_AVX BIT(28)
#define MXCSR_RESET    0x1f80
#define MXCSR_RC(mode) ((uint32_t)(mode) << 13) /* rounding */
#define FCW_RESET      0x37f
#define FCW_RC(mode)   ((uint16_t)((mode) << 10))

enum { YMMS = 16, SPIN = 20000, DEFAULT_MS = 50, DRS = 4 };

/* what FXSAVE stores [SDM 1 10.5.1] */
struct fxsave {
	uint16_t fcw, fsw;
	uint8_t tags, reserved;
	uint16_t opcode;
	uint64_t ip, dp;
	uint32_t mxcsr, mxcsr_mask;
	struct {
		uint64_t mantissa;
		uint64_t exponent;
	} st[8];
	uint8_t xmm[YMMS][16];
	uint8_t unused[96];
};

_Static_assert(sizeof(struct fxsave) == 512, "as the CPU stores it");

uint64_t fpu_enable(void)
{
	uint64_t xcr0 = XCR0_X87 | XCR0_SSE;

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	if (!(cpuid(1).ecx & CPUID1_ECX_XSAVE))
		return xcr0;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	if (cpuid(1).ecx & CPUID1_ECX_AVX)
		xcr0 |= XCR0_AVX;
	xsetbv(xcr0);
	return xcr0;
}

/* --- x87, SSE, AVX --- */

#define EACH_YMM(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

/* all of them in one asm, so that no other code comes between */
static void load_vectors(const uint8_t v[YMMS][32], bool avx)
{
#define YMM(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define XMM(n) "movdqu " #n "*32(%0), %%xmm" #n "\n\t"
	if (avx)
		__asm__ volatile(EACH_YMM(YMM)::"r"(v) : "memory");
	else
		__asm__ volatile(EACH_YMM(XMM)::"r"(v) : "memory");
#undef YMM
#undef XMM
}

static void store_vectors(uint8_t v[YMMS][32], bool avx)
{
#define YMM(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
#define XMM(n) "movdqu %%xmm" #n ", " #n "*32(%0)\n\t"
	if (avx)
		__asm__ volatile(EACH_YMM(YMM)::"r"(v) : "memory");
	else
		__asm__ volatile(EACH_YMM(XMM)::"r"(v) : "memory");
#undef YMM
#undef XMM
}

/* every byte different from its neighbours, and from those of another seed */
static uint8_t pattern(uint64_t seed, unsigned i)
{
	return (seed * 0x9e3779b97f4a7c15 >> 56) + i * 37;
}

static const char *fpu_differs(const uint8_t want[YMMS][32], bool avx, uint32_t mxcsr, uint16_t fcw,
			       uint64_t st0)
{
	static struct fxsave fx __attribute__((aligned(16)));
	static uint8_t got[YMMS][32];

	store_vectors(got, avx);
	__asm__ volatile("fxsave64 %0" : "=m"(fx));
	for (unsigned r = 0; r < YMMS; r++)
		for (unsigned i = 0; i < (avx ? 32 : 16); i++)
			if (got[r][i] != want[r][i])
				return seen("ymm%u byte %u is %x, was %x", r, i, got[r][i],
					    want[r][i]);
	if (fx.mxcsr != mxcsr || fx.fcw != fcw)
		return seen("MXCSR %x, was %x; control word %x, was %x", fx.mxcsr, mxcsr, fx.fcw,
			    fcw);
	if (fx.st[0].mantissa != st0)
		return seen("st0 %lx, was %lx", fx.st[0].mantissa, st0);
	return NULL;
}

static const char *check_fpu(int n, char **word)
{
	static uint8_t want[YMMS][32];
	uint64_t seed = word_number(n, word, 1, 1), ms = word_number(n, word, 2, DEFAULT_MS);
	uint64_t end = clock_in_ms(ms), st0 = seed | BIT(62), normal = st0 << 1;
	uint32_t mxcsr = MXCSR_RESET | MXCSR_RC(seed & 3);
	uint16_t fcw = FCW_RESET | FCW_RC(seed >> 2 & 3);
	bool avx = fpu_enable() & XCR0_AVX;
	const char *wrong = NULL;

	for (unsigned i = 0; i < sizeof(want); i++)
		want[i / 32][i % 32] = pattern(seed, i);
	__asm__ volatile("fninit; fldcw %0; ldmxcsr %1; fildll %2" ::"m"(fcw), "m"(mxcsr),
			 "m"(st0));
	load_vectors(want, avx);
	do {
		for (unsigned i = 0; i < SPIN; i++)
			barrier();
		cpuid(0);
		wrong = fpu_differs(want, avx, mxcsr, fcw, normal);
	} while (!wrong && (!ms || !clock_passed(end)));
	__asm__ volatile("fninit");
	return wrong;
}

/* --- XCR0 --- */

static void op_xsetbv(void *arg)
{
	xsetbv(*(uint64_t *)arg);
}

static void op_xsetbv_1(void *arg)
{
	__asm__ volatile("xsetbv" ::"c"(1), "a"(*(uint32_t *)arg), "d"(0));
}

static const char *check_xcr0(int n, char **word)
{
	static const uint64_t wrong[] = { 0, XCR0_SSE, XCR0_X87 | XCR0_AVX, BIT(63) | XCR0_X87 };
	uint64_t all = fpu_enable(), few = XCR0_X87;

	(void)n;
	(void)word;
	if (!(cpuid(1).ecx & CPUID1_ECX_XSAVE))
		return seen("no XSAVE");
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint64_t v = wrong[i];

		if (try(op_xsetbv, &v) != EXCEPTION_GP)
			return seen("XCR0 = %lx was not refused", v);
	}
	if (try(op_xsetbv_1, &few) != EXCEPTION_GP)
		return seen("XCR1 was not refused");
	xsetbv(few);
	cpuid(0);
	if (xgetbv() != few)
		return seen("XCR0 is %lx, was %lx", xgetbv(), few);
	xsetbv(all);
	return xgetbv() == all ? NULL : seen("XCR0 is %lx, was %lx", xgetbv(), all);
}

/* --- debug registers --- */

static void write_dr(unsigned n, uint64_t v)
{
	switch (n) {
	case 0: __asm__ volatile("mov %0, %%dr0" ::"r"(v)); break;
	case 1: __asm__ volatile("mov %0, %%dr1" ::"r"(v)); break;
	case 2: __asm__ volatile("mov %0, %%dr2" ::"r"(v)); break;
	default: __asm__ volatile("mov %0, %%dr3" ::"r"(v));
	}
}

static uint64_t read_dr(unsigned n)
{
	uint64_t v;

	switch (n) {
	case 0: __asm__ volatile("mov %%dr0, %0" : "=r"(v)); break;
	case 1: __asm__ volatile("mov %%dr1, %0" : "=r"(v)); break;
	case 2: __asm__ volatile("mov %%dr2, %0" : "=r"(v)); break;
	default: __asm__ volatile("mov %%dr3, %0" : "=r"(v));
	}
	return v;
}

/* addresses to watch, by the seed; DR7 watches none of them */
static uint64_t dr_pattern(uint64_t seed, unsigned i)
{
	return seed << 32 | 0x1000 * (i + 1) | (seed & 0xff);
}

static const char *check_dr(int n, char **word)
{
	uint64_t seed = word_number(n, word, 1, 1), ms = word_number(n, word, 2, DEFAULT_MS);
	uint64_t end = clock_in_ms(ms);

	for (unsigned i = 0; i < DRS; i++)
		write_dr(i, dr_pattern(seed, i));
	do {
		for (unsigned i = 0; i < SPIN; i++)
			barrier();
		cpuid(0);
		for (unsigned i = 0; i < DRS; i++)
			if (read_dr(i) != dr_pattern(seed, i))
				return seen("DR%u is %lx, was %lx", i, read_dr(i),
					    dr_pattern(seed, i));
	} while (!ms || !clock_passed(end));
	return NULL;
}

CHECK(fpu_check, .name = "fpu", .help = "[SEED [MS]]: x87, SSE, AVX keep a pattern",
      .run = check_fpu);
CHECK(xcr0_check, .name = "xcr0", .help = "XSETBV takes what is legal and nothing else",
      .run = check_xcr0);
CHECK(dr_check, .name = "dr", .help = "[SEED [MS]]: DR0 to DR3 keep a pattern", .run = check_dr);
