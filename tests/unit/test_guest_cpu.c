/* SPDX-License-Identifier: MIT */
/* links: vmm/guest_cpu.c vmm/guest_msr.c vmm/kvmclock.c tests/unit/host.c */
/*
 * test_guest_cpu.c - the CPU that a guest sees on a core that has everything, and on one that has
 * little: CPUID, XCR0, MSRs, KVM's clock
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/backend.h"
#include "vmm/cpu_regs.h"
#include "vmm/fpu.h"
#include "vmm/guest_cpu.h"
#include "vmm/guest_hw.h"
#include "vmm/kvmclock.h"
#include "vmm/rtc.h"
#include "vmm/vm.h"

enum { RAM = 2 << 20, CPUS = 3, UNIX = 1700000000 };

static struct vm vm;
static struct vcpu vcpu[CPUS], *v = &vcpu[0];
static uint8_t *ram;

/* --- the core, the local APIC and the back end are played --- */

static uint32_t basic_max, extended_max;
static uint64_t xcr0_mask, hw_xcr0, hw_tsc_aux, cr4;
static struct cpuid answer[0x20]; /* of basic leaves; all ones if EDX is */
static uint64_t efer, deadline_written;

struct cpuid hw_cpuid(uint32_t leaf, uint32_t sub)
{
	static const struct cpuid parts[] = {
		/* size and place of AVX and AVX-512 in an XSAVE area */
		[2] = { 256, 576, 0, 0 },
		[5] = { 64, 1088, 0, 0 },
		[6] = { 512, 1152, 0, 0 },
		[7] = { 1024, 1664, 0, 0 }
	};

	if (leaf == 0)
		return (struct cpuid){ basic_max, 0x1111, 0x2222, 0x3333 };
	if (leaf == 0x80000000)
		return (struct cpuid){ extended_max, 0x1111, 0x2222, 0x3333 };
	if (leaf == 4) /* two levels of one core, one of sixteen threads */
		return sub < 3 ? (struct cpuid){ 0xfc000001 | (sub + 1) << 5 | 0x3fc000, 7, 8, 9 }
			       : (struct cpuid){ 0 };
	if (leaf == 0xd && sub > 1)
		return sub < ARRAY_SIZE(parts) ? parts[sub] : (struct cpuid){ 0 };
	if (leaf < ARRAY_SIZE(answer) && answer[leaf].edx != UINT32_MAX)
		return answer[leaf];
	return (struct cpuid){ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
}

void hw_set_xcr0(uint64_t value)
{
	hw_xcr0 = value;
}

void hw_set_tsc_aux(uint64_t value)
{
	hw_tsc_aux = value;
}

uint64_t fpu_xcr0_mask(void)
{
	return xcr0_mask;
}

uint64_t rtc_unix(void)
{
	return UNIX;
}

static uint64_t handler_told;

void injection_wrmsr(struct vcpu *u, uint32_t index, uint64_t guest_tsc)
{
	assert_ptr_equal(u, v);
	assert_int_equal(index, MSR_WEIR_HANDLER + 0x53);
	handler_told = guest_tsc;
}

int vlapic_rdmsr(struct vlapic *l, uint32_t index, uint64_t *value)
{
	(void)l;
	*value = index;
	return index == 0x8ff ? -EINVAL : 0;
}

int vlapic_wrmsr(struct vlapic *l, uint32_t index, uint64_t value)
{
	(void)l;
	if (index == MSR_TSC_DEADLINE)
		deadline_written = value;
	return index == 0x8ff ? -EINVAL : 0;
}

static uint64_t *kept(uint32_t index)
{
	static uint64_t pat, lstar;

	return index == MSR_EFER    ? &efer
	       : index == MSR_PAT   ? &pat
	       : index == MSR_LSTAR ? &lstar
				    : NULL;
}

static int fake_get_msr(struct vcpu *u, uint32_t index, uint64_t *value)
{
	(void)u;
	if (!kept(index))
		return -EINVAL;
	*value = *kept(index);
	return 0;
}

static int fake_set_msr(struct vcpu *u, uint32_t index, uint64_t value)
{
	(void)u;
	if (!kept(index))
		return -EINVAL;
	*kept(index) = value;
	return 0;
}

static uint64_t cr0;

static void fake_get_sregs(struct vcpu *u, struct vcpu_sregs *s)
{
	(void)u;
	*s = (struct vcpu_sregs){ .cr0 = cr0, .cr4 = cr4, .efer = efer };
}

static const struct vmm_backend fake = {
	.get_msr = fake_get_msr,
	.set_msr = fake_set_msr,
	.get_sregs = fake_get_sregs,
};
const struct vmm_backend *backend = &fake;

/* --- fixture --- */

static void reset(unsigned nvcpus)
{
	vm.nvcpus = nvcpus;
	for (unsigned i = 0; i < nvcpus; i++) {
		vcpu[i] = (struct vcpu){ .vm = &vm, .id = i };
		vm.vcpu[i] = &vcpu[i];
		guest_cpu_reset(&vcpu[i]);
	}
}

static int start(void **state)
{
	(void)state;
	host_cores(1);
	free(ram);
	ram = calloc(1, RAM);
	memset(&vm, 0, sizeof(vm));
	gpa_map_init(&vm.mem, ram, RAM);
	memset(answer, 0xff, sizeof(answer));
	basic_max = 0x20;
	extended_max = 0x80000021;
	xcr0_mask = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
	hw_xcr0 = hw_tsc_aux = cr4 = efer = deadline_written = 0;
	host_tsc = 5000;
	reset(1);
	return 0;
}

static struct cpuid ask_of(struct vcpu *u, uint32_t leaf, uint32_t sub)
{
	u->gpr[GPR_RAX] = UINT64_C(0xdead00000000) | leaf; /* the upper halves do not count */
	u->gpr[GPR_RCX] = UINT64_C(0xdead00000000) | sub;
	guest_cpuid(u);
	for (unsigned r = GPR_RAX; r <= GPR_RBX; r++)
		assert_int_equal(u->gpr[r] >> 32, 0);
	return (struct cpuid){ u->gpr[GPR_RAX], u->gpr[GPR_RBX], u->gpr[GPR_RCX], u->gpr[GPR_RDX] };
}

static struct cpuid ask(uint32_t leaf, uint32_t sub)
{
	return ask_of(v, leaf, sub);
}

static void is_zero(struct cpuid c)
{
	assert_int_equal(c.eax | c.ebx | c.ecx | c.edx, 0);
}

/* --- CPUID --- */

static void what_no_guest_may_have_is_hidden(void **state)
{
	struct cpuid c = ask(1, 0);

	(void)state;
	assert_false(c.ecx & BIT(3));  /* MONITOR */
	assert_false(c.ecx & BIT(5));  /* VMX */
	assert_false(c.ecx & BIT(6));  /* SMX */
	assert_false(c.ecx & BIT(15)); /* PDCM */
	assert_false(c.ecx & BIT(17)); /* PCID */
	assert_false(c.edx & BIT(7));  /* MCE */
	assert_false(c.edx & BIT(14)); /* MCA */
	assert_false(c.edx & BIT(22)); /* ACPI thermal MSRs */
	c = ask(7, 0);
	assert_int_equal(c.eax, 0);         /* no further sub-leaves */
	assert_false(c.ebx & BIT(2));       /* SGX */
	assert_false(c.ebx & BIT(14));      /* MPX */
	assert_false(c.ebx & BIT(25));      /* processor trace */
	assert_false(c.ecx & BIT(3));       /* PKU */
	assert_false(c.ecx & BIT(7));       /* CET shadow stacks */
	assert_false(c.ecx & BIT(16));      /* LA57 */
	assert_false(c.edx & BIT(20));      /* CET indirect branch tracking */
	assert_false(c.edx & BITS(25, 24)); /* AMX */
	assert_false(c.edx & BITS(27, 26)); /* speculation control MSRs */
	c = ask(0x80000001, 0);
	assert_false(c.ecx & BIT(2));  /* SVM */
	assert_false(c.ecx & BIT(22)); /* topology extensions */
	assert_false(c.ecx & BIT(23)); /* performance counters */
	is_zero(ask(7, 1));
	is_zero(ask(5, 0));          /* MONITOR */
	is_zero(ask(0xa, 0));        /* PMU */
	is_zero(ask(0x12, 0));       /* SGX */
	is_zero(ask(0x8000000a, 0)); /* SVM */
	is_zero(ask(0x4fffffff, 0));
	is_zero(ask(0xffffffff, 0));
}

static void what_weir_adds_is_there_on_a_core_without_it(void **state)
{
	struct cpuid c;

	(void)state;
	memset(answer, 0, sizeof(answer));
	extended_max = 0x80000004;
	xcr0_mask = XCR0_X87 | XCR0_SSE;
	reset(1);
	c = ask(1, 0);
	assert_true(c.ecx & CPUID1_ECX_X2APIC);
	assert_true(c.ecx & CPUID1_ECX_TSC_DEADLINE);
	assert_true(c.ecx & CPUID1_ECX_HYPERVISOR);
	assert_true(c.edx & CPUID1_EDX_APIC);
	assert_true(ask(6, 0).eax & BIT(2)); /* ARAT */
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
	assert_true(ask(0x80000007, 0).edx & BIT(8)); /* invariant TSC */
	assert_int_equal(ask(7, 0).ebx, CPUID7_EBX_TSC_ADJUST);
}

static void it_says_that_it_is_kvm_with_a_stable_clock(void **state)
{
	struct cpuid c = ask(0x40000000, 0);
	char signature[13] = "";

	(void)state;
	memcpy(signature, &c.ebx, 4);
	memcpy(signature + 4, &c.ecx, 4);
	memcpy(signature + 8, &c.edx, 4);
	assert_string_equal(signature, "KVMKVMKVM");
	assert_int_equal(c.eax, 0x40000001);
	assert_int_equal(ask(0x40000001, 0).eax, BIT(1) | BIT(3) | BIT(24));
}

static void the_vendor_and_the_name_are_the_cores(void **state)
{
	struct cpuid c = ask(0, 0);

	(void)state;
	assert_int_equal(c.eax, 0xd);
	assert_int_equal(c.ebx, 0x1111);
	assert_int_equal(c.ecx, 0x2222);
	assert_int_equal(c.edx, 0x3333);
	assert_int_equal(ask(0x80000003, 0).ecx, UINT32_MAX);
}

static void a_leaf_that_the_core_lacks_is_zero_and_not_its_last(void **state)
{
	(void)state;
	basic_max = 6;
	reset(1);
	assert_int_equal(ask(7, 0).ebx, CPUID7_EBX_TSC_ADJUST);
	assert_int_equal(ask(7, 0).edx, 0);
}

static void osxsave_follows_the_guests_cr4(void **state)
{
	(void)state;
	assert_false(ask(1, 0).ecx & CPUID1_ECX_OSXSAVE);
	cr4 = CR4_OSXSAVE;
	assert_true(ask(1, 0).ecx & CPUID1_ECX_OSXSAVE);
}

static void vectors_go_with_the_registers_that_are_switched(void **state)
{
	(void)state;
	assert_true(ask(1, 0).ecx & CPUID1_ECX_AVX);
	assert_true(ask(7, 0).ebx & CPUID7_EBX_AVX512F);
	xcr0_mask &= ~XCR0_AVX512;
	reset(1);
	assert_true(ask(7, 0).ebx & CPUID7_EBX_AVX2);
	assert_false(ask(7, 0).ebx & (BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)));
	xcr0_mask &= ~XCR0_AVX;
	reset(1);
	assert_false(ask(1, 0).ecx & (BIT(12) | BIT(28) | BIT(29)));
	assert_false(ask(7, 0).ebx & BIT(5));
	assert_false(ask(7, 0).ecx & (BIT(9) | BIT(10)));
}

static void the_size_of_the_extended_state_is_what_the_guest_may_use(void **state)
{
	struct cpuid c;

	(void)state;
	v->xcr0 = XCR0_X87;
	c = ask(0xd, 0);
	assert_int_equal(c.eax, xcr0_mask);
	assert_int_equal(c.ebx, 576);
	assert_int_equal(c.ecx, 1664 + 1024);
	v->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	assert_int_equal(ask(0xd, 0).ebx, 832);
	assert_int_equal(ask(0xd, 2).eax, 256);
	assert_int_equal(ask(0xd, 1).eax, BIT(0)); /* XSAVEOPT, but no compacted form, no XSAVES */
	xcr0_mask = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	assert_int_equal(ask(0xd, 0).ecx, 832);
	is_zero(ask(0xd, 5));
	is_zero(ask(0xd, 9));
	is_zero(ask(0xd, 64));
	is_zero(ask(0xd, UINT32_MAX));
}

static void cores_are_numbered(void **state)
{
	struct cpuid c;

	(void)state;
	reset(CPUS);
	for (unsigned i = 0; i < CPUS; i++) {
		c = ask_of(&vcpu[i], 1, 0);
		assert_int_equal(FIELD_GET(BITS(31, 24), c.ebx), i);
		assert_int_equal(FIELD_GET(BITS(23, 16), c.ebx), CPUS);
		assert_true(c.edx & BIT(28)); /* HTT */
		c = ask_of(&vcpu[i], 0xb, 0);
		assert_int_equal(c.eax, 0);
		assert_int_equal(c.ebx, 1);
		assert_int_equal(c.ecx, 0x100);
		c = ask_of(&vcpu[i], 0xb, 1);
		assert_int_equal(c.eax, 2); /* three IDs need two bits */
		assert_int_equal(c.ebx, CPUS);
		assert_int_equal(c.ecx, 0x201);
		assert_int_equal(c.edx, i);
		c = ask_of(&vcpu[i], 0xb, 2);
		assert_int_equal(c.ebx, 0);
		assert_int_equal(c.ecx, 2);
	}
	assert_int_equal(ask(0x80000008, 0).ecx, CPUS - 1);
	reset(1);
	assert_false(ask(1, 0).edx & BIT(28));
	assert_int_equal(ask(0xb, 1).eax, 0);
}

static void caches_are_shared_by_vcpus_and_not_by_the_cores_of_the_machine(void **state)
{
	(void)state;
	reset(CPUS);
	assert_int_equal(ask(4, 0).eax, (CPUS - 1) << 26 | 1 << 5 | 1);
	assert_int_equal(ask(4, 2).eax, (CPUS - 1) << 26 | (CPUS - 1) << 14 | 3 << 5 | 1);
	assert_int_equal(ask(4, 2).ecx, 8);
	is_zero(ask(4, 3));
}

/* --- XCR0 --- */

static void xcr0_takes_what_the_rules_allow(void **state)
{
	static const uint64_t good[] = { 1, 3, 7, 0xe7 };
	static const uint64_t bad[] = { 0, 2, 5, 6, 0x27, 0xe3, 0xe1, 0x207, 0xf, UINT64_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(guest_xsetbv(v, 0, good[i]), 0);
		assert_int_equal(v->xcr0, good[i]);
		assert_int_equal(hw_xcr0, good[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(guest_xsetbv(v, 0, bad[i]), -EINVAL);
	assert_int_equal(guest_xsetbv(v, 1, 1), -EINVAL);
	xcr0_mask = 3;
	assert_int_equal(guest_xsetbv(v, 0, 7), -EINVAL);
	assert_int_equal(hw_xcr0, 0xe7);
}

/* --- MSRs --- */

static uint64_t rd(uint32_t index)
{
	uint64_t value = 0x5555;

	assert_int_equal(guest_rdmsr(v, index, &value), 0);
	return value;
}

static void wr(uint32_t index, uint64_t value)
{
	assert_int_equal(guest_wrmsr(v, index, value), 0);
}

static void refuses(uint32_t index, uint64_t value)
{
	uint64_t before = vm.msr_unknown;

	assert_int_equal(guest_wrmsr(v, index, value), -EINVAL);
	assert_int_equal(vm.msr_unknown, before + 1);
	assert_int_equal(vm.msr_last, index);
}

static void unknown_msrs_are_refused_and_counted(void **state)
{
	uint64_t value;

	(void)state;
	refuses(0x1234, 0);
	refuses(0x8ff, 0); /* the local APIC's, who knows none of this number */
	assert_int_equal(guest_rdmsr(v, 0xc0000104, &value), -EINVAL);
	assert_int_equal(vm.msr_unknown, 3);
	assert_int_equal(vm.msr_last, 0xc0000104);
}

static void values_that_hardware_refuses_never_reach_the_back_end(void **state)
{
	(void)state;
	cr0 = CR0_PG;
	efer = EFER_LME | EFER_LMA;
	refuses(MSR_EFER, EFER_LMA); /* LME stays while paging is on */
	refuses(MSR_EFER, EFER_LME | EFER_SVME);
	wr(MSR_EFER, EFER_LME | EFER_NXE | EFER_SCE); /* LMA is not the guest's to write */
	assert_int_equal(rd(MSR_EFER), EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE);
	wr(MSR_PAT, UINT64_C(0x0007040600070406));
	refuses(MSR_PAT, UINT64_C(0x0002040600070406));
	refuses(MSR_PAT, UINT64_C(0x0007040600070408));
	assert_int_equal(rd(MSR_PAT), UINT64_C(0x0007040600070406));
	wr(MSR_LSTAR, UINT64_C(0xffff800000000000));
	refuses(MSR_LSTAR, UINT64_C(0x0000800000000000));
	assert_int_equal(rd(MSR_LSTAR), UINT64_C(0xffff800000000000));
	efer = cr0 = 0;
}

static void each_msr_goes_to_its_owner(void **state)
{
	(void)state;
	assert_int_equal(rd(0x802), 0x802);
	assert_int_equal(rd(0x1b), 0x1b);
	wr(MSR_TSC_DEADLINE, 77);
	assert_int_equal(deadline_written, 77);
	wr(MSR_EFER, EFER_LME);
	assert_int_equal(rd(MSR_EFER), EFER_LME);
	wr(MSR_TSC_AUX, 3);
	assert_int_equal(rd(MSR_TSC_AUX), 3);
	assert_int_equal(v->tsc_aux, 3);
	assert_int_equal(hw_tsc_aux, 3);
	wr(MSR_WEIR_HANDLER + 0x53, 12345);
	assert_int_equal(handler_told, 12345);
	assert_int_equal(rd(MSR_WEIR_HANDLER), (uint64_t)-v->tsc_offset);
	refuses(MSR_TSC_AUX, BIT(32));
	assert_int_equal(vm.msr_unknown, 1);
}

static void mtrrs_are_kept_and_checked(void **state)
{
	(void)state;
	assert_int_equal(rd(MSR_MTRR_CAP), 0x508);
	assert_int_equal(rd(MSR_MTRR_DEF_TYPE), 0x806); /* on, write-back */
	wr(MSR_MTRR_DEF_TYPE, 0xc00);
	assert_int_equal(rd(MSR_MTRR_DEF_TYPE), 0xc00);
	refuses(MSR_MTRR_DEF_TYPE, 0xc02);
	refuses(MSR_MTRR_DEF_TYPE, 0x1c06);
	refuses(MSR_MTRR_CAP, 0);
	for (uint32_t i = 0x200; i < 0x210; i++)
		wr(i, i << 12);
	for (uint32_t i = 0x200; i < 0x210; i++)
		assert_int_equal(rd(i), i << 12);
	refuses(0x200, 3);
	refuses(0x210, 0);
	for (uint32_t i = 0x250; i < 0x270; i++) {
		bool fixed = i == 0x250 || i == 0x258 || i == 0x259 || i >= 0x268;

		if (fixed)
			wr(i, UINT64_C(0x0606060606060600) | (i & 1));
		else
			refuses(i, 0);
	}
	assert_int_equal(rd(0x259), UINT64_C(0x0606060606060601));
	assert_int_equal(rd(0x258), UINT64_C(0x0606060606060600));
	assert_int_equal(rd(0x26f), UINT64_C(0x0606060606060601));
	refuses(0x250, UINT64_C(0x0602060606060606));
	guest_cpu_reset(v);
	assert_int_equal(rd(0x200) | rd(0x250) | rd(0x26f), 0);
}

static void the_tsc_starts_at_zero_and_moves_with_its_adjustment(void **state)
{
	(void)state;
	assert_int_equal(rd(MSR_TSC), 0);
	host_tsc += 100;
	assert_int_equal(rd(MSR_TSC), 100);
	wr(MSR_TSC, 1000);
	assert_int_equal(rd(MSR_TSC), 1000);
	assert_int_equal(rd(MSR_TSC_ADJUST), 900);
	wr(MSR_TSC_ADJUST, 0);
	assert_int_equal(rd(MSR_TSC), 100);
	assert_int_equal(v->tsc_offset, -5000);
	assert_int_equal(deadline_written, 0);
	v->lapic.tsc_deadline = 4711;
	wr(MSR_TSC_ADJUST, 50);
	assert_int_equal(deadline_written, 4711); /* armed anew: it counts the guest's ticks */
}

static void all_vcpus_of_a_guest_count_alike(void **state)
{
	uint64_t value;

	(void)state;
	host_tsc_step = 7; /* time passes while they are reset */
	reset(CPUS);
	host_tsc_step = 0;
	host_tsc += 1000;
	guest_rdmsr(&vcpu[2], MSR_TSC, &value);
	assert_int_equal(value, rd(MSR_TSC));
}

/* --- KVM's clock, read as a guest does --- */

enum { PAGE = 0x3000, WALL = 0x4000 };

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, ram + gpa, size);
	return value;
}

static uint64_t clock_ns(void)
{
	uint64_t delta = rd(MSR_TSC) - get(PAGE + 8, 8);
	int shift = (int8_t)get(PAGE + 28, 1);

	assert_int_equal(get(PAGE, 4) % 2, 0);
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return get(PAGE + 16, 8) + (uint64_t)((unsigned __int128)delta * get(PAGE + 24, 4) >> 32);
}

static void runs_true(uint64_t khz)
{
	tsc_khz = khz;
	host_tsc = 123456789;
	reset(1);
	wr(MSR_KVM_SYSTEM_TIME, PAGE | 1);
	assert_int_equal(clock_ns(), 0);
	host_tsc += khz * 1000 * 3600; /* an hour, to the microsecond in the second */
	assert_in_range(clock_ns(), UINT64_C(3600) * 999999000, UINT64_C(3600) * 1000001000);
}

static void the_clock_runs_true_at_any_rate(void **state)
{
	static const uint64_t khz[] = { 1000,    10000,   999999,  1000000, 1000001, 1999999,
					2000000, 2000001, 2600000, 3700000, 5000000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(khz); i++)
		runs_true(khz[i]);
}

static void the_clock_is_stable_and_its_version_even(void **state)
{
	(void)state;
	wr(MSR_KVM_SYSTEM_TIME, PAGE | 1);
	assert_int_equal(get(PAGE, 4), 2);
	assert_int_equal(get(PAGE + 29, 1), 1); /* PVCLOCK_TSC_STABLE */
	assert_int_equal(rd(MSR_KVM_SYSTEM_TIME), PAGE | 1);
}

static void the_clock_goes_on_when_the_guest_moves_its_tsc(void **state)
{
	uint64_t version;

	(void)state;
	wr(MSR_KVM_SYSTEM_TIME, PAGE | 1);
	host_tsc += 1000;
	version = get(PAGE, 4);
	wr(MSR_TSC, 1 << 30);
	assert_int_equal(clock_ns(), 1000);
	assert_true(get(PAGE, 4) > version);
}

static void the_clock_is_off_until_it_is_switched_on(void **state)
{
	(void)state;
	wr(MSR_KVM_SYSTEM_TIME, PAGE);
	wr(MSR_TSC, 0);
	assert_int_equal(get(PAGE, 4), 0);
}

static void the_wall_clock_is_the_date_when_the_clock_was_zero(void **state)
{
	(void)state;
	host_tsc += UINT64_C(90000000000);
	wr(MSR_KVM_WALL_CLOCK, WALL);
	assert_int_equal(get(WALL, 4), 2);
	assert_int_equal(get(WALL + 4, 4), UNIX); /* when the guest was reset, not now */
	reset(1);                                 /* 90 seconds later */
	wr(MSR_KVM_WALL_CLOCK, WALL);
	assert_int_equal(get(WALL + 4, 4), UNIX + 90);
}

static void a_clock_outside_memory_is_refused(void **state)
{
	(void)state;
	refuses(MSR_KVM_SYSTEM_TIME, RAM | 1);
	refuses(MSR_KVM_SYSTEM_TIME, (RAM - 28) | 1);
	refuses(MSR_KVM_SYSTEM_TIME, (PAGE + 2) | 1);
	refuses(MSR_KVM_WALL_CLOCK, RAM - 8);
	refuses(MSR_KVM_WALL_CLOCK, UINT64_MAX & ~3);
	wr(MSR_KVM_SYSTEM_TIME, (RAM - 32) | 1);
	wr(MSR_KVM_WALL_CLOCK, RAM - 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_no_guest_may_have_is_hidden, start),
		cmocka_unit_test_setup(what_weir_adds_is_there_on_a_core_without_it, start),
		cmocka_unit_test_setup(it_says_that_it_is_kvm_with_a_stable_clock, start),
		cmocka_unit_test_setup(the_vendor_and_the_name_are_the_cores, start),
		cmocka_unit_test_setup(a_leaf_that_the_core_lacks_is_zero_and_not_its_last, start),
		cmocka_unit_test_setup(osxsave_follows_the_guests_cr4, start),
		cmocka_unit_test_setup(vectors_go_with_the_registers_that_are_switched, start),
		cmocka_unit_test_setup(the_size_of_the_extended_state_is_what_the_guest_may_use,
				       start),
		cmocka_unit_test_setup(cores_are_numbered, start),
		cmocka_unit_test_setup(
			caches_are_shared_by_vcpus_and_not_by_the_cores_of_the_machine, start),
		cmocka_unit_test_setup(xcr0_takes_what_the_rules_allow, start),
		cmocka_unit_test_setup(unknown_msrs_are_refused_and_counted, start),
		cmocka_unit_test_setup(values_that_hardware_refuses_never_reach_the_back_end,
				       start),
		cmocka_unit_test_setup(each_msr_goes_to_its_owner, start),
		cmocka_unit_test_setup(mtrrs_are_kept_and_checked, start),
		cmocka_unit_test_setup(the_tsc_starts_at_zero_and_moves_with_its_adjustment, start),
		cmocka_unit_test_setup(all_vcpus_of_a_guest_count_alike, start),
		cmocka_unit_test_setup(the_clock_runs_true_at_any_rate, start),
		cmocka_unit_test_setup(the_clock_is_stable_and_its_version_even, start),
		cmocka_unit_test_setup(the_clock_goes_on_when_the_guest_moves_its_tsc, start),
		cmocka_unit_test_setup(the_clock_is_off_until_it_is_switched_on, start),
		cmocka_unit_test_setup(the_wall_clock_is_the_date_when_the_clock_was_zero, start),
		cmocka_unit_test_setup(a_clock_outside_memory_is_refused, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
