/* SPDX-License-Identifier: MIT */
/*
 * guest_cpu.c - what CPUID tells a guest
 *
 * A list of what is passed on, not of what is hidden: a feature that nobody thought of here is not
 * there. Most answers are worked out once, when the vCPU is reset; only what the guest itself
 * changes, and what has sub-leaves, is worked out when it asks.
 */
#include "guest_cpu.h"

#include "backend.h"
#include "cpu_regs.h"
#include "fpu.h"
#include "guest_hw.h"
#include "vm.h"

#include <errno.h>
#include <string.h>

#define HYPERVISOR UINT32_C(0x40000000)
#define EXTENDED   UINT32_C(0x80000000)

enum cpuid_reg { EAX, EBX, ECX, EDX, EACH };

/*
 * A register of a leaf: the bits that are as the core has them, and those that
 * are set whatever it has.
 */
struct cpuid_rule {
	uint32_t leaf;
	enum cpuid_reg reg;
	uint32_t keep, set;
};

#define ALL UINT32_MAX

#define COMMON_EDX /* of leaves 1 and 0x80000001: no MCE, MCA */                               \
	(CPUID1_EDX_FPU | CPUID1_EDX_VME | CPUID1_EDX_DE | CPUID1_EDX_PSE | CPUID1_EDX_TSC |   \
	 CPUID1_EDX_MSR | CPUID1_EDX_PAE | CPUID1_EDX_CX8 | CPUID1_EDX_PGE | CPUID1_EDX_CMOV | \
	 CPUID1_EDX_PAT | CPUID1_EDX_PSE36 | CPUID1_EDX_MMX | CPUID1_EDX_FXSR)

#define AVX_ECX1 (CPUID1_ECX_FMA | CPUID1_ECX_AVX | CPUID1_ECX_F16C)
#define AVX_EBX7 CPUID7_EBX_AVX2
#define AVX_ECX7 (CPUID7_ECX_VAES | CPUID7_ECX_VPCLMULQDQ)
#define AVX512_EBX7                                                                             \
	(CPUID7_EBX_AVX512F | CPUID7_EBX_AVX512DQ | CPUID7_EBX_AVX512CD | CPUID7_EBX_AVX512BW | \
	 CPUID7_EBX_AVX512VL)

/*
 * What is in no row reads zero: leaf 5 (MONITOR), 0xa (PMU), 0x12 (SGX), 0x14 (trace), 0x15 and
 * 0x16 (KVM's clock tells the rate of the TSC), 0x8000000a (SVM), 0x8000001d and e (caches and
 * cores, which leaves 4 and 0xb also tell) ...
 */
static const struct cpuid_rule rules[] = {
	/* vendor; fill_in() sets the number of leaves */
	{ 0, EACH, ALL, 0 },

	/* family, model, stepping */
	{ 1, EAX, ALL, 0 },
	{ 1, EBX, CPUID1_EBX_CLFLUSH, 0 },
	/* no MONITOR, VMX, SMX, EST, PDCM, PCID: nobody emulates or switches them */
	{ 1, ECX,
	  CPUID1_ECX_SSE3 | CPUID1_ECX_PCLMULQDQ | CPUID1_ECX_SSSE3 | CPUID1_ECX_CMPXCHG16B |
		  CPUID1_ECX_SSE4_1 | CPUID1_ECX_SSE4_2 | CPUID1_ECX_MOVBE | CPUID1_ECX_POPCNT |
		  CPUID1_ECX_AES | CPUID1_ECX_XSAVE | CPUID1_ECX_RDRAND | AVX_ECX1,
	  CPUID1_ECX_X2APIC | CPUID1_ECX_TSC_DEADLINE | CPUID1_ECX_HYPERVISOR },
	{ 1, EDX,
	  COMMON_EDX | CPUID1_EDX_SEP | CPUID1_EDX_CLFLUSH | CPUID1_EDX_SSE | CPUID1_EDX_SSE2,
	  CPUID1_EDX_APIC | CPUID1_EDX_MTRR },

	/* caches and TLBs */
	{ 2, EACH, ALL, 0 },

	/* our local APIC's timer runs while the core sleeps */
	{ 6, EAX, 0, CPUID6_EAX_ARAT },

	/* no sub-leaves (EAX 0); no INVPCID, PKU, LA57, CET, AMX, speculation controls */
	{ 7, EBX,
	  CPUID7_EBX_FSGSBASE | CPUID7_EBX_BMI1 | CPUID7_EBX_SMEP | CPUID7_EBX_BMI2 |
		  CPUID7_EBX_ERMS | CPUID7_EBX_RDSEED | CPUID7_EBX_ADX | CPUID7_EBX_SMAP |
		  CPUID7_EBX_CLFLUSHOPT | CPUID7_EBX_CLWB | CPUID7_EBX_SHA | AVX_EBX7 | AVX512_EBX7,
	  CPUID7_EBX_TSC_ADJUST },
	{ 7, ECX, CPUID7_ECX_UMIP | CPUID7_ECX_GFNI | AVX_ECX7, 0 },
	{ 7, EDX, CPUID7_EDX_FSRM, 0 },

	/* what Linux looks for: "KVMKVMKVM" */
	{ HYPERVISOR, EAX, 0, HYPERVISOR + CPUID_HYPERVISOR_N - 1 },
	{ HYPERVISOR, EBX, 0, 'K' | 'V' << 8 | 'M' << 16 | 'K' << 24 },
	{ HYPERVISOR, ECX, 0, 'V' | 'M' << 8 | 'K' << 16 | 'V' << 24 },
	{ HYPERVISOR, EDX, 0, 'M' },
	/* a port write to 0x80 for delay would be an exit for nothing */
	{ HYPERVISOR + 1, EAX, 0,
	  KVM_FEATURE_NOP_IO_DELAY | KVM_FEATURE_CLOCKSOURCE2 |
		  KVM_FEATURE_CLOCKSOURCE_STABLE_BIT },

	{ EXTENDED, EAX, 0, EXTENDED + CPUID_EXTENDED_N - 1 },
	{ EXTENDED, EBX, ALL, 0 },
	{ EXTENDED, ECX, ALL, 0 },
	{ EXTENDED, EDX, ALL, 0 },
	{ EXTENDED + 1, EAX, ALL, 0 },
	{ EXTENDED + 1, EBX, ALL, 0 },
	/* no SVM, OSVW, IBS, XOP, topology and performance counter extensions */
	{ EXTENDED + 1, ECX,
	  CPUID80000001_ECX_LAHF | CPUID80000001_ECX_CMP | CPUID80000001_ECX_LZCNT |
		  CPUID80000001_ECX_SSE4A | CPUID80000001_ECX_MISALIGN | CPUID80000001_ECX_PREFETCH,
	  0 },
	{ EXTENDED + 1, EDX,
	  COMMON_EDX | CPUID80000001_EDX_SYSCALL | CPUID80000001_EDX_NX | CPUID80000001_EDX_MMXEXT |
		  CPUID80000001_EDX_1GB | CPUID80000001_EDX_RDTSCP | CPUID80000001_EDX_LM,
	  0 },
	/* name */
	{ EXTENDED + 2, EACH, ALL, 0 },
	{ EXTENDED + 3, EACH, ALL, 0 },
	{ EXTENDED + 4, EACH, ALL, 0 },
	/* caches and TLBs */
	{ EXTENDED + 5, EACH, ALL, 0 },
	{ EXTENDED + 6, EACH, ALL, 0 },
	{ EXTENDED + 7, EDX, 0, CPUID80000007_EDX_INVARIANT_TSC },
	{ EXTENDED + 8, EAX, CPUID80000008_EAX_PHYSICAL | CPUID80000008_EAX_LINEAR, 0 },
};

/*
 * --- what is worked out at reset
 * ------------------------------------------------------------------------------------
 */

/* entry() - where the answer to @leaf is kept, NULL if it is not. */
static struct cpuid *entry(struct cpu_model *m, uint32_t leaf)
{
	if (leaf < CPUID_BASIC_N)
		return &m->basic[leaf];
	if (leaf - EXTENDED < CPUID_EXTENDED_N)
		return &m->extended[leaf - EXTENDED];
	if (leaf - HYPERVISOR < CPUID_HYPERVISOR_N)
		return &m->hypervisor[leaf - HYPERVISOR];
	return NULL;
}

static uint32_t *reg_of(struct cpuid *c, enum cpuid_reg reg)
{
	return reg == EAX ? &c->eax : reg == EBX ? &c->ebx : reg == ECX ? &c->ecx : &c->edx;
}

/*
 * core_leaf() - what the core says; zero beyond its last leaf, where Intel's would repeat another.
 */
static struct cpuid core_leaf(uint32_t leaf, uint32_t sub)
{
	uint32_t range = leaf & BITS(31, 30);

	if (range == HYPERVISOR || leaf > hw_cpuid(range, 0).eax)
		return (struct cpuid){ 0 };
	return hw_cpuid(leaf, sub);
}

static void apply(struct cpu_model *m, const struct cpuid_rule *r)
{
	struct cpuid core = core_leaf(r->leaf, 0);

	for (enum cpuid_reg reg = EAX; reg <= EDX; reg++)
		if (r->reg == reg || r->reg == EACH)
			*reg_of(entry(m, r->leaf), reg) = (*reg_of(&core, reg) & r->keep) | r->set;
}

/* Vector instructions go with the registers that are switched. */
static void drop_vectors(struct cpu_model *m, uint64_t xcr0)
{
	if (!(xcr0 & XCR0_AVX)) {
		m->basic[1].ecx &= ~AVX_ECX1;
		m->basic[7].ebx &= ~AVX_EBX7;
		m->basic[7].ecx &= ~AVX_ECX7;
	}
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512)
		m->basic[7].ebx &= ~AVX512_EBX7;
}

/* A package of cores with one thread each; the APIC ID is the vCPU's number. */
static void number(struct cpu_model *m, unsigned id, unsigned nvcpus)
{
	m->basic[1].ebx |= FIELD_PREP(CPUID1_EBX_APIC_ID, id) |
			   FIELD_PREP(CPUID1_EBX_COUNT, nvcpus);
	if (nvcpus > 1)
		m->basic[1].edx |= CPUID1_EDX_HTT;
	else
		m->extended[1].ecx &= ~CPUID80000001_ECX_CMP;
	m->extended[8].ecx = FIELD_PREP(CPUID80000008_ECX_CORES, nvcpus - 1);
}

static void fill_in(struct cpu_model *m)
{
	memset(m->basic, 0, sizeof(m->basic));
	memset(m->hypervisor, 0, sizeof(m->hypervisor));
	memset(m->extended, 0, sizeof(m->extended));
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		apply(m, &rules[i]);
	m->basic[0].eax = CPUID_BASIC_N - 1;
}

void guest_cpu_reset(struct vcpu *v)
{
	fill_in(&v->model);
	drop_vectors(&v->model, fpu_xcr0_mask());
	number(&v->model, v->id, v->vm->nvcpus);
	guest_msr_reset(v);
}

/*
 * --- what is worked out when the guest asks
 * -------------------------------------------------------------------------
 */

static unsigned id_bits(unsigned nvcpus)
{
	return nvcpus > 1 ? 32 - __builtin_clz(nvcpus - 1) : 0;
}

/* A cache of the core; the last level is shared by all vCPUs, the others by nobody. */
static struct cpuid cache(uint32_t sub, unsigned nvcpus)
{
	struct cpuid c = core_leaf(4, sub);
	bool shared = FIELD_GET(CPUID4_EAX_LEVEL, c.eax) >= 3;

	if (!FIELD_GET(CPUID4_EAX_TYPE, c.eax))
		return (struct cpuid){ 0 };
	c.eax &= ~(CPUID4_EAX_SHARING | CPUID4_EAX_CORES);
	c.eax |= FIELD_PREP(CPUID4_EAX_CORES, nvcpus - 1) |
		 FIELD_PREP(CPUID4_EAX_SHARING, shared ? nvcpus - 1 : 0);
	return c;
}

/*
 * EAX: how far to shift an x2APIC ID for the next level's; EBX: logical processors of
 * this one [SDM 2A, CPUID 0xb]
 */
static struct cpuid topology(uint32_t sub, const struct vcpu *v)
{
	struct cpuid c = { .ecx = sub & 0xff, .edx = v->id };
	unsigned nvcpus = v->vm->nvcpus;

	if (sub == 0) {
		c.ebx = 1;
		c.ecx |= FIELD_PREP(CPUIDB_ECX_TYPE, TOPOLOGY_THREADS);
	} else if (sub == 1) {
		c.eax = id_bits(nvcpus);
		c.ebx = nvcpus;
		c.ecx |= FIELD_PREP(CPUIDB_ECX_TYPE, TOPOLOGY_CORES);
	}
	return c;
}

/*
 * Bytes of an XSAVE area with the parts of @xcr0; a part's leaf has its size in EAX, its
 * place in EBX [SDM 1 13.2].
 */
static uint32_t xsave_size(uint64_t xcr0)
{
	uint32_t size = XSAVE_LEGACY;

	for (unsigned part = XCR0_FIRST_EXTENDED; part < 64; part++) {
		struct cpuid c;

		if (!(xcr0 & BIT(part)))
			continue;
		c = core_leaf(0xd, part);
		size = MAX(size, c.eax + c.ebx);
	}
	return size;
}

/* No XSAVEC, XSAVES: no compacted form, no IA32_XSS. */
static struct cpuid xstate(uint32_t sub, const struct vcpu *v)
{
	uint64_t mask = fpu_xcr0_mask();

	if (sub == 0)
		return (struct cpuid){ mask, xsave_size(v->xcr0), xsave_size(mask), mask >> 32 };
	if (sub == 1)
		return (struct cpuid){ .eax = core_leaf(0xd, 1).eax & CPUIDD1_EAX_XSAVEOPT };
	if (sub < 64 && (mask & BIT(sub)))
		return core_leaf(0xd, sub);
	return (struct cpuid){ 0 };
}

static bool os_has_xsave(struct vcpu *v)
{
	struct vcpu_sregs s;

	backend->get_sregs(v, &s);
	return s.cr4 & CR4_OSXSAVE;
}

static struct cpuid answer(struct vcpu *v, uint32_t leaf, uint32_t sub)
{
	const struct cpuid *kept = entry(&v->model, leaf);
	struct cpuid c = kept ? *kept : (struct cpuid){ 0 };

	switch (leaf) {
	case 1:
		if (os_has_xsave(v))
			c.ecx |= CPUID1_ECX_OSXSAVE;
		return c;
	case 4: return cache(sub, v->vm->nvcpus);
	case 7: /* it has the one sub-leaf */ return sub == 0 ? c : (struct cpuid){ 0 };
	case 0xb: return topology(sub, v);
	case 0xd: return xstate(sub, v);
	default: return c;
	}
}

void guest_cpuid(struct vcpu *v)
{
	struct cpuid c = answer(v, v->gpr[GPR_RAX], v->gpr[GPR_RCX]);

	v->gpr[GPR_RAX] = c.eax;
	v->gpr[GPR_RBX] = c.ebx;
	v->gpr[GPR_RCX] = c.ecx;
	v->gpr[GPR_RDX] = c.edx;
}

/*
 * --- XCR0
 * -----------------------------------------------------------------------------------------------------------
 */

/* [SDM 1 13.3] */
static bool xcr0_is_valid(uint64_t value)
{
	uint64_t avx512 = value & XCR0_AVX512;

	if (!(value & XCR0_X87) || (value & ~fpu_xcr0_mask()))
		return false;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && (value & XCR0_AVX));
}

int guest_xsetbv(struct vcpu *v, uint32_t index, uint64_t value)
{
	if (index || !xcr0_is_valid(value))
		return -EINVAL;
	v->xcr0 = value;
	hw_set_xcr0(value); /* its state is loaded while an exit is handled */
	return 0;
}
