/* SPDX-License-Identifier: MIT */
/*
 * check_insn.c - instructions that a hypervisor carries out: done once, rip right behind them,
 * whatever stands in front
 *
 * Each is run in the middle of a page and over a page's end, with and without prefixes
 * that mean nothing to it.
 */
#include "apic.h"
#include "check.h"
#include "clock.h"
#include "code.h"
#include "cpu.h"
#include "fpu.h"
#include "lib.h"

#define UNTOUCHED  UINT64_C(0x1122334455667788)
#define KVM_ENOSYS -1000

enum { WAKE_NS = 2000000000 };

/* --- CPUID, RDMSR, WRMSR --- */

static const char *is_kvm(const struct code_case *c)
{
	const struct trap_frame *f = &caught.frame;

	if (f->rbx != 0x4b4d564b || f->rcx != 0x564b4d56 || f->rdx != 0x4d)
		return seen("%s: ebx %lx ecx %lx edx %lx", c->name, f->rbx, f->rcx, f->rdx);
	return NULL;
}

static const char *check_insn_cpuid(int n, char **word)
{
	static const struct code_case cases[] = {
		{ "cpuid", 2, { 0x0f, 0xa2 } },
		{ "66 cpuid", 3, { 0x66, 0x0f, 0xa2 } },
		{ "cs: cpuid", 3, { 0x2e, 0x0f, 0xa2 } },
		{ "rex.w cpuid", 3, { 0x48, 0x0f, 0xa2 } },
		{ "rep cpuid", 3, { 0xf3, 0x0f, 0xa2 } },
		{ "fs: addr32 rex cpuid", 5, { 0x64, 0x67, 0x4f, 0x0f, 0xa2 } },
		{ "cpuid with ten prefixes",
		  12,
		  { 0x66, 0x66, 0x66, 0x66, 0x2e, 0x2e, 0x2e, 0x67, 0x67, 0x40, 0x0f, 0xa2 } },
	};
	struct trap_frame f = code_registers();

	(void)n;
	(void)word;
	f.rax = CPUID_KVM;
	f.rbx = f.rcx = f.rdx = UNTOUCHED;
	return code_each(cases, ARRAY_SIZE(cases), &f, is_kvm);
}

static const char *is_apic_base(const struct code_case *c)
{
	const struct trap_frame *f = &caught.frame;
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (f->rax != (uint32_t)base || f->rdx != base >> 32)
		return seen("%s: eax %lx edx %lx", c->name, f->rax, f->rdx);
	return NULL;
}

static const char *check_insn_msr(int n, char **word)
{
	static const struct code_case reads[] = {
		{ "rdmsr", 2, { 0x0f, 0x32 } },
		{ "66 rdmsr", 3, { 0x66, 0x0f, 0x32 } },
		{ "rex.w rdmsr", 3, { 0x48, 0x0f, 0x32 } },
		{ "cs: addr32 rdmsr", 4, { 0x2e, 0x67, 0x0f, 0x32 } },
	};
	static const struct code_case writes[] = {
		{ "wrmsr", 2, { 0x0f, 0x30 } },
		{ "66 wrmsr", 3, { 0x66, 0x0f, 0x30 } },
		{ "rex.w wrmsr", 3, { 0x48, 0x0f, 0x30 } },
		{ "cs: addr32 wrmsr", 4, { 0x2e, 0x67, 0x0f, 0x30 } },
	};
	struct trap_frame f = code_registers();
	uint64_t base = rdmsr(MSR_APIC_BASE);
	const char *wrong;

	(void)n;
	(void)word;
	f.rcx = MSR_APIC_BASE;
	f.rax = f.rdx = UNTOUCHED;
	wrong = code_each(reads, ARRAY_SIZE(reads), &f, is_apic_base);
	f.rax = (uint32_t)base;
	f.rdx = base >> 32;
	return wrong ? wrong : code_each(writes, ARRAY_SIZE(writes), &f, is_apic_base);
}

/* --- HLT --- */

static volatile unsigned woken, timed_out;

static void on_wake(void *arg)
{
	(void)arg;
	woken++;
}

static void on_timeout(void *arg)
{
	(void)arg;
	timed_out++;
}

/* An interrupt waits: it ends this halt. Another halt would be ended by the timer. */
static const char *one_halt(const struct code_case *c, bool across)
{
	struct trap_frame f = code_registers();
	const char *wrong;

	woken = timed_out = 0;
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_CHECK_LOW);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_CHECK_HIGH);
	apic_write(APIC_TIMER_INITIAL, WAKE_NS);
	wrong = code_one(c, across, &f);
	apic_write(APIC_TIMER_INITIAL, 0);
	irq_disable();
	if (!wrong && (woken != 1 || timed_out))
		wrong = seen("%s: ended %u times by the interrupt, %u by the timer", c->name, woken,
			     timed_out);
	return wrong;
}

static const char *check_insn_hlt(int n, char **word)
{
	static const struct code_case cases[] = {
		/* sti in front */
		{ "hlt", 2, { 0xfb, 0xf4 } },
		{ "66 hlt", 3, { 0xfb, 0x66, 0xf4 } },
		{ "rex.w hlt", 3, { 0xfb, 0x48, 0xf4 } },
		{ "rep cs: hlt", 4, { 0xfb, 0xf3, 0x2e, 0xf4 } },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	irq_handler_set(VECTOR_CHECK_LOW, on_wake, NULL);
	irq_handler_set(VECTOR_CHECK_HIGH, on_timeout, NULL);
	irq_disable();
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(cases) && !wrong; i++)
		wrong = one_halt(&cases[i / 2], i % 2);
	apic_write(APIC_LVT_TIMER, LVT_ONE_SHOT | VECTOR_TIMER);
	return wrong;
}

/* --- XSETBV, hypercalls, caches --- */

static const char *check_insn_xsetbv(int n, char **word)
{
	static const struct code_case cases[] = {
		{ "xsetbv", 3, { 0x0f, 0x01, 0xd1 } },
		{ "rex.w xsetbv", 4, { 0x48, 0x0f, 0x01, 0xd1 } },
		{ "cs: addr32 xsetbv", 5, { 0x2e, 0x67, 0x0f, 0x01, 0xd1 } },
	};
	struct trap_frame f = code_registers();

	(void)n;
	(void)word;
	if (!(cpuid(1).ecx & CPUID1_ECX_XSAVE))
		return lacks("no XSAVE");
	f.rax = fpu_enable();
	return code_each(cases, ARRAY_SIZE(cases), &f, NULL);
}

static const char *no_such_call(const struct code_case *c)
{
	if ((int64_t)caught.frame.rax != KVM_ENOSYS)
		return seen("%s: rax %lx", c->name, caught.frame.rax);
	return NULL;
}

/*
 * The one of this CPU's maker is a hypercall; the other one is undefined, or KVM
 * below takes it for the first.
 */
static const char *check_insn_hypercall(int n, char **word)
{
	static const struct code_case cases[][3] = {
		{ { "vmcall", 3, { 0x0f, 0x01, 0xc1 } },
		  { "rex.w vmcall", 4, { 0x48, 0x0f, 0x01, 0xc1 } },
		  { "cs: vmcall", 4, { 0x2e, 0x0f, 0x01, 0xc1 } } },
		{ { "vmmcall", 3, { 0x0f, 0x01, 0xd9 } },
		  { "rex.w vmmcall", 4, { 0x48, 0x0f, 0x01, 0xd9 } },
		  { "cs: vmmcall", 4, { 0x2e, 0x0f, 0x01, 0xd9 } } },
	};
	struct trap_frame f = code_registers(), copy;
	int end;
	bool amd = cpuid(0).ebx == 0x68747541; /* "Auth" */
	const struct code_case *mine = cases[amd], *other = cases[!amd];

	(void)n;
	(void)word;
	f.rax = UNTOUCHED;
	copy = f;
	end = code_run(other->bytes, other->n, false, &copy);
	if (end && end != other->n)
		return seen("%s: exception %lu at byte %ld", other->name, caught.frame.vector,
			    caught.frame.rip - code_at(other->n, false));
	return code_each(mine, 3, &f, no_such_call);
}

static const char *check_insn_wbinvd(int n, char **word)
{
	static const struct code_case cases[] = {
		{ "wbinvd", 2, { 0x0f, 0x09 } },
		{ "cs: wbinvd", 3, { 0x2e, 0x0f, 0x09 } },
		{ "rex.w wbinvd", 3, { 0x48, 0x0f, 0x09 } },
	};
	struct trap_frame f = code_registers();

	(void)n;
	(void)word;
	return code_each(cases, ARRAY_SIZE(cases), &f, NULL);
}

CHECK(insn_cpuid_check, .name = "insn-cpuid", .help = "CPUID with prefixes, over a page's end",
      .run = check_insn_cpuid);
CHECK(insn_msr_check, .name = "insn-msr", .help = "RDMSR and WRMSR likewise",
      .run = check_insn_msr);
CHECK(insn_hlt_check, .name = "insn-hlt", .help = "HLT likewise; an interrupt ends one of them",
      .run = check_insn_hlt);
CHECK(insn_xsetbv_check, .name = "insn-xsetbv", .help = "XSETBV likewise",
      .run = check_insn_xsetbv);
CHECK(insn_hypercall_check, .name = "insn-hypercall",
      .help = "VMCALL or VMMCALL likewise: no such call", .run = check_insn_hypercall);
CHECK(insn_wbinvd_check, .name = "insn-wbinvd", .help = "WBINVD likewise",
      .run = check_insn_wbinvd);
