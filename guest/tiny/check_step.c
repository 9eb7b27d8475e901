/* SPDX-License-Identifier: MIT */
/*
 * check_step.c - #DB: one step at a time with TF, also over what somebody else
 * carries out, and breakpoints
 */
#include "check.h"
#include "apic.h"
#include "code.h"
#include "cpu.h"
#include "lib.h"

#define DR6_B0    BIT(0)
#define DR6_BS    BIT(14)
#define DR7_G0    BIT(1)
#define DR7_WRITE BIT(16) /* of RW0; LEN0 00: one byte */
#define RFLAGS_RF BIT(16)

enum { STEPS = 16 };

/* what the #DBs said */
static uint64_t step_rip[STEPS], step_dr6[STEPS];
static unsigned steps;

static uint64_t take_dr6(void)
{
	uint64_t v;

	__asm__ volatile("mov %%dr6, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%dr6" ::"r"(UINT64_C(0xffff0ff0)));
	return v;
}

static bool on_debug(struct trap_frame *f)
{
	uint64_t dr6;

	if (f->vector != EXCEPTION_DB)
		return false;
	dr6 = take_dr6();
	if (steps < STEPS) {
		step_rip[steps] = f->rip;
		step_dr6[steps] = dr6;
	}
	steps++;
	if (dr6 & DR6_B0)
		f->rflags |= RFLAGS_RF; /* else a breakpoint on an instruction comes for ever */
	return true;
}

/* step() - run @bytes with TF; the lengths of its instructions, from the first, end with 0 */
static const char *step(const char *name, const uint8_t *bytes, const uint8_t *lengths)
{
	struct trap_frame f = code_registers();
	unsigned n = 0, count = 0;
	uint64_t at;

	for (; lengths[count]; count++)
		n += lengths[count];
	f.rflags |= RFLAGS_TF;
	f.rdx = NOBODYS_PORT;
	f.rcx = MSR_APIC_BASE;
	f.rbx = f.rdi = (uintptr_t)ioremap(IOAPIC_BASE, PAGE_SIZE);
	at = code_at(n, false);
	steps = 0;
	trap_hook = on_debug;
	code_run(bytes, n, false, &f);
	trap_hook = NULL;
	for (unsigned i = 0; i < MIN(steps, count); i++) {
		at += lengths[i];
		if (step_rip[i] != at || !(step_dr6[i] & DR6_BS))
			return seen("%s: #DB %u at byte %ld, not %ld, dr6 %lx", name, i + 1,
				    step_rip[i] - code_at(n, false), at - code_at(n, false),
				    step_dr6[i]);
	}
	return steps == count ? NULL : seen("%s: %u #DBs, not %u", name, steps, count);
}

static const char *check_step(int n, char **word)
{
	static const uint8_t plain[] = { 0x90, 0x48, 0x89, 0xc6, 0x9c, 0x58, 0x50, 0x59 };

	(void)n;
	(void)word;
	/* nop; mov; pushf; pop; push; pop */
	return step("plain", plain, (const uint8_t[]){ 1, 3, 1, 1, 1, 1, 0 });
}

/* each between two nops: the #DB comes behind the instruction, not an instruction later */
static const char *check_step_exit(int n, char **word)
{
	static const struct {
		const char *name;
		uint8_t len, bytes[6];
	} cases[] = {
		{ "cpuid", 2, { 0x90, 0x0f, 0xa2, 0x90 } },
		{ "in", 1, { 0x90, 0xec, 0x90 } },
		{ "out", 1, { 0x90, 0xee, 0x90 } },
		{ "rdmsr", 2, { 0x90, 0x0f, 0x32, 0x90 } },
		{ "mov (rbx), eax", 2, { 0x90, 0x8b, 0x03, 0x90 } },
		{ "mov eax, (rbx)", 2, { 0x90, 0x89, 0x03, 0x90 } },
		{ "insb", 1, { 0x90, 0x6c, 0x90 } },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	for (unsigned i = 0; i < ARRAY_SIZE(cases) && !wrong; i++)
		wrong = step(cases[i].name, cases[i].bytes,
			     (const uint8_t[]){ 1, cases[i].len, 1, 0 });
	return wrong;
}

/* --- breakpoints --- */

static void watch(uint64_t address, uint64_t dr7)
{
	__asm__ volatile("mov %0, %%dr0" ::"r"(address));
	__asm__ volatile("mov %0, %%dr7" ::"r"(dr7));
}

static const char *hit(const char *name, const uint8_t *code, unsigned n, uint64_t watched,
		       uint64_t dr7, unsigned at, uint64_t rbx)
{
	struct trap_frame f = code_registers();

	f.rbx = rbx;
	steps = 0;
	trap_hook = on_debug;
	take_dr6();
	watch(watched, dr7);
	code_run(code, n, false, &f);
	watch(0, 0);
	trap_hook = NULL;
	if (steps != 1 || step_rip[0] != code_at(n, false) + at || !(step_dr6[0] & DR6_B0))
		return seen("%s: %u #DBs, byte %ld, dr6 %lx", name, steps,
			    step_rip[0] - code_at(n, false), step_dr6[0]);
	return NULL;
}

static const char *check_breakpoint(int n, char **word)
{
	static const uint8_t code[] = { 0x90, 0x0f, 0xa2, 0x90 },
			     store[] = { 0x90, 0x88, 0x03, 0x90 };
	static volatile uint8_t watched;
	uint64_t data = (uintptr_t)&watched;
	const char *wrong;

	(void)n;
	(void)word;
	wrong = hit("on a nop", code, 4, code_at(4, false) + 3, DR7_G0, 3, 0);
	if (!wrong)
		wrong = hit("on cpuid", code, 4, code_at(4, false) + 1, DR7_G0, 1, 0);
	if (!wrong)
		wrong = hit("on a write", store, 4, data, DR7_G0 | DR7_WRITE, 3, data);
	return wrong;
}

CHECK(step_check, .name = "step", .help = "TF: a #DB behind each instruction", .run = check_step);
CHECK(step_exit_check, .name = "step-exit", .help = "the same behind what a hypervisor carries out",
      .run = check_step_exit);
CHECK(breakpoint_check, .name = "breakpoint", .help = "DR0: on an instruction, on a write",
      .run = check_breakpoint);
