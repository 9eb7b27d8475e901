/* SPDX-License-Identifier: MIT */
/*
 * check_cpu.c - which CPU it is, MSRs, and the clock that a hypervisor brings
 */
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "fpu.h"
#include "trap.h"

#define CPUID1_ECX_MONITOR       BIT(3)
#define CPUID1_ECX_VMX           BIT(5)
#define CPUID1_ECX_OSXSAVE       BIT(27)
#define CPUID6_EAX_ARAT          BIT(2)
#define CPUID80000001_ECX_SVM    BIT(2)
#define CPUID80000001_EDX_RDTSCP BIT(27)
#define CPUID80000007_EDX_TSC    BIT(8) /* invariant */
#define PAT_RESET                UINT64_C(0x0007040600070406)
#define PAT_OTHER                UINT64_C(0x0706050401000506)
#define MSR_NOBODYS              0x12345

struct bit_wanted {
	const char *name;
	uint32_t leaf;
	char reg;
	uint64_t bit;
	bool set;
};

static const struct bit_wanted cpuid_bits[] = {
	{ "hypervisor", 1, 'c', CPUID1_ECX_HYPERVISOR, true },
	{ "x2apic", 1, 'c', CPUID1_ECX_X2APIC, true },
	{ "tsc-deadline", 1, 'c', CPUID1_ECX_TSC_DEADLINE, true },
	{ "monitor", 1, 'c', CPUID1_ECX_MONITOR, false },
	{ "vmx", 1, 'c', CPUID1_ECX_VMX, false },
	{ "arat", 6, 'a', CPUID6_EAX_ARAT, true },
	{ "kvm clock", CPUID_KVM_FEATURES, 'a', KVM_FEATURE_CLOCK, true },
	{ "kvm stable clock", CPUID_KVM_FEATURES, 'a', KVM_FEATURE_STABLE, true },
	{ "svm", 0x80000001, 'c', CPUID80000001_ECX_SVM, false },
	{ "invariant tsc", 0x80000007, 'd', CPUID80000007_EDX_TSC, true },
};

static uint32_t cpuid_reg(uint32_t leaf, char reg)
{
	struct cpuid c = cpuid(leaf);

	return reg == 'a' ? c.eax : reg == 'b' ? c.ebx : reg == 'c' ? c.ecx : c.edx;
}

static const char *check_cpuid(int n, char **word)
{
	bool osxsave;

	(void)n;
	(void)word;
	for (unsigned i = 0; i < ARRAY_SIZE(cpuid_bits); i++) {
		const struct bit_wanted *b = &cpuid_bits[i];
		uint32_t v = cpuid_reg(b->leaf, b->reg);

		if (!(v & b->bit) == b->set)
			return seen("%s is %s: leaf %x e%cx %x", b->name, b->set ? "off" : "on",
				    b->leaf, b->reg, v);
	}
	if (!clock_has_kvm())
		return seen("leaf %x does not say KVMKVMKVM", CPUID_KVM);
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	osxsave = cpuid(1).ecx & CPUID1_ECX_OSXSAVE;
	fpu_enable();
	if (osxsave || !(cpuid(1).ecx & CPUID1_ECX_OSXSAVE))
		return seen("OSXSAVE does not follow CR4");
	return NULL;
}

/* --- MSRs --- */

/*
 * values are not checked: an MSR that a hypervisor lets through is the CPU's own, and an
 * emulated one takes anything
 */
static const char *check_msr(int n, char **word)
{
	uint64_t value = 0;
	unsigned vector = try_rdmsr(MSR_NOBODYS, &value);

	(void)n;
	(void)word;
	if (vector != EXCEPTION_GP)
		return seen("reading MSR %x took exception %u", MSR_NOBODYS, vector);
	vector = try_wrmsr(MSR_NOBODYS, value);
	if (vector != EXCEPTION_GP)
		return seen("writing MSR %x took exception %u", MSR_NOBODYS, vector);
	wrmsr(MSR_FS_BASE, 0x123456789000);
	if (rdmsr(MSR_FS_BASE) != 0x123456789000)
		return seen("FS base is %lx", rdmsr(MSR_FS_BASE));
	return NULL;
}

static const char *check_pat(int n, char **word)
{
	uint64_t before = rdmsr(MSR_PAT), after;

	(void)n;
	(void)word;
	if (before != PAT_RESET)
		return seen("PAT is %lx, %lx after a reset", before, PAT_RESET);
	wrmsr(MSR_PAT, PAT_OTHER);
	cpuid(0); /* out and in again */
	after = rdmsr(MSR_PAT);
	wrmsr(MSR_PAT, before);
	if (after != PAT_OTHER)
		return seen("wrote %lx to PAT, read %lx", PAT_OTHER, after);
	return NULL;
}

static uint32_t rdtscp(void)
{
	uint32_t aux;

	__asm__ volatile("rdtscp" : "=c"(aux)::"eax", "edx");
	return aux;
}

static const char *check_tsc_aux(int n, char **word)
{
	(void)n;
	(void)word;
	if (!(cpuid(0x80000001).edx & CPUID80000001_EDX_RDTSCP))
		return seen("no RDTSCP");
	for (uint32_t v = 0x1234567; v; v <<= 8) {
		wrmsr(MSR_TSC_AUX, v);
		cpuid(0);
		if (rdtscp() != v || rdmsr(MSR_TSC_AUX) != v)
			return seen("wrote %x, RDTSCP says %x, RDMSR %lx", v, rdtscp(),
				    rdmsr(MSR_TSC_AUX));
	}
	return NULL;
}

/* --- KVM's clock --- */

/* what the page makes of the TSC: ns = ns + ((tsc - tsc0) << shift) * mul / 2^32 */
static uint64_t pvclock_ns(const struct pvclock *c)
{
	uint64_t ticks = rdtsc() - c->tsc;

	ticks = c->shift < 0 ? ticks >> -c->shift : ticks << c->shift;
	return c->ns + (uint64_t)((unsigned __int128)ticks * c->mul >> 32);
}

static const char *check_clock(int n, char **word)
{
	struct pvclock c, later;
	uint64_t from, ns;

	(void)n;
	(void)word;
	if (!clock_has_kvm())
		return seen("no KVM clock");
	if (!pvclock_read(&c) || !c.version || !c.mul)
		return seen("the page has version %u mul %u", c.version, c.mul);
	if (!(c.flags & PVCLOCK_TSC_STABLE))
		return seen("flags are %x", c.flags);
	from = pvclock_ns(&c);
	wait_for(false, 20);
	if (!pvclock_read(&later))
		return seen("the page stays half written");
	ns = pvclock_ns(&later) - from;
	if (ns < 19000000 || ns > 2000000000)
		return seen("20 ms took %lu ns by KVM's clock", ns);
	return NULL;
}

CHECK(cpuid_check, .name = "cpuid", .help = "the bits that an unmodified Linux wants",
      .run = check_cpuid);
CHECK(msr_check, .name = "msr", .help = "an unknown MSR takes #GP", .run = check_msr);
CHECK(pat_check, .name = "pat", .help = "PAT is as after a reset and keeps its value",
      .run = check_pat);
CHECK(tsc_aux_check, .name = "tsc_aux", .help = "TSC_AUX, by RDTSCP and RDMSR",
      .run = check_tsc_aux);
CHECK(clock_check, .name = "clock", .help = "KVM's clock page", .run = check_clock);
