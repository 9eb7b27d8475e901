/* SPDX-License-Identifier: MIT */
/*
 * check_fault.c - exceptions, and what they bring: error code, CR2, the address they name
 *
 * Most of them never leave the guest. They go wrong where a hypervisor looks at one before the
 * guest takes it, or throws away what stood in CR2 or in the error code.
 */
#include "check.h"
#include "code.h"
#include "cpu.h"
#include "paging.h"
#include "trap.h"

#define NONCANONICAL UINT64_C(0x0123456789abcdef)
#define ERROR_IDT    2 /* it names a gate, and not a selector [SDM 3A 6.13] */
#define PTE_RESERVED BIT(51)

enum { PAGE = 20, NO_GATE = 0xf0 };

enum touch { READ, WRITE, RUN };

struct fault {
	const char *name;
	unsigned vector;
	uint64_t error;
	uint8_t n, bytes[12], at; /* the code, and where in it the exception names */
};

/* fault() - the code of @f with a selector or an address in rax */
static const char *fault(const struct fault *f, uint64_t rax)
{
	struct trap_frame regs = code_registers();
	const struct trap_frame *got = &caught.frame;
	unsigned at;

	regs.rax = rax;
	code_run(f->bytes, f->n, false, &regs);
	at = got->rip - code_at(f->n, false);
	if (got->vector != f->vector || got->error != f->error || at != f->at)
		return seen("%s: exception %lu error %lx at byte %u", f->name, got->vector,
			    got->error, at);
	return NULL;
}

static const char *check_fault(int n, char **word)
{
	static const struct {
		struct fault fault;
		uint64_t rax;
	} cases[] = {
		{ { "div", EXCEPTION_DE, 0, 2, { 0xf7, 0xf1 }, 0 }, 1 },
		{ { "int3", EXCEPTION_BP, 0, 1, { 0xcc }, 1 }, 0 },
		{ { "int 3", EXCEPTION_BP, 0, 2, { 0xcd, 0x03 }, 2 }, 0 },
		{ { "int 4", EXCEPTION_OF, 0, 2, { 0xcd, 0x04 }, 2 }, 0 },
		{ { "ud2", EXCEPTION_UD, 0, 2, { 0x0f, 0x0b }, 0 }, 0 },
		{ { "lock cpuid", EXCEPTION_UD, 0, 3, { 0xf0, 0x0f, 0xa2 }, 0 }, 0 },
		{ { "mov (rax), eax", EXCEPTION_GP, 0, 2, { 0x8b, 0x00 }, 0 }, NONCANONICAL },
		{ { "mov ax, ds", EXCEPTION_GP, 0x1230, 2, { 0x8e, 0xd8 }, 0 }, 0x1230 },
		{ { "mov ax, fs", EXCEPTION_NP, SELECTOR_ABSENT, 2, { 0x8e, 0xe0 }, 0 },
		  SELECTOR_ABSENT },
		{ { "mov ax, ss", EXCEPTION_SS, SELECTOR_ABSENT, 2, { 0x8e, 0xd0 }, 0 },
		  SELECTOR_ABSENT },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	for (unsigned i = 0; i < ARRAY_SIZE(cases) && !wrong; i++)
		wrong = fault(&cases[i].fault, cases[i].rax);
	return wrong;
}

/* a gate that is not there: #NP; and for the exception that this is: #DF */
static const char *check_gate(int n, char **word)
{
	static const struct fault absent = {
		.name = "int f0",
		.vector = EXCEPTION_NP,
		.error = NO_GATE << 3 | ERROR_IDT,
		.n = 2,
		.bytes = { 0xcd, NO_GATE },
	};
	static const struct fault twice = {
		.name = "#GP without a gate",
		.vector = EXCEPTION_DF,
		.n = 2,
		.bytes = { 0x8b, 0x00 },
	};
	const char *wrong;

	(void)n;
	(void)word;
	trap_gate(NO_GATE, false);
	wrong = fault(&absent, 0);
	trap_gate(NO_GATE, true);
	trap_gate(EXCEPTION_GP, false);
	if (!wrong)
		wrong = fault(&twice, NONCANONICAL);
	trap_gate(EXCEPTION_GP, true);
	return wrong;
}

/* --- what a guest does not have --- */

static const char *check_undefined(int n, char **word)
{
	static const struct fault cases[] = {
		{ "vmlaunch", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xc2 }, 0 },
		{ "vmread", EXCEPTION_UD, 0, 3, { 0x0f, 0x78, 0xc0 }, 0 },
		{ "vmrun", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xd8 }, 0 },
		{ "vmload", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xda }, 0 },
		{ "stgi", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xdc }, 0 },
		{ "clgi", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xdd }, 0 },
		{ "monitor", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xc8 }, 0 },
		{ "mwait", EXCEPTION_UD, 0, 3, { 0x0f, 0x01, 0xc9 }, 0 },
		{ "rsm", EXCEPTION_UD, 0, 2, { 0x0f, 0xaa }, 0 },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	for (unsigned i = 0; i < ARRAY_SIZE(cases) && !wrong; i++)
		wrong = fault(&cases[i], 0);
	return wrong;
}

/* --- page faults --- */

/* page_fault() - @how in a page with this entry takes #PF with @error, and CR2 tells where. */
static const char *page_fault(const char *name, enum touch how, uint64_t entry, uint64_t error)
{
	static const uint8_t code[][2] = {
		/* with the address in rax */
		[READ] = { 0x8b, 0x08 },
		[WRITE] = { 0x89, 0x08 },
		[RUN] = { 0xff, 0xe0 },
	};
	struct trap_frame f = code_registers();
	uint64_t at = (uintptr_t)window_map(PAGE, entry) + 0x123, got;

	f.rax = at;
	code_run(code[how], sizeof(code[how]), false, &f);
	window_map(PAGE, 0);
	got = caught.frame.error | (error & PF_RSVD ? PF_P : 0); /* TCG leaves P off there */
	if (caught.frame.vector != EXCEPTION_PF || got != error || caught.cr2 != at)
		return seen("%s: exception %lu error %lx cr2 %lx, not error %lx cr2 %lx", name,
			    caught.frame.vector, caught.frame.error, caught.cr2, error, at);
	return NULL;
}

static const char *check_pf(int n, char **word)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	uint64_t ram = physical(page), cr0 = read_cr0(), efer = rdmsr(MSR_EFER);
	const char *wrong;

	(void)n;
	(void)word;
	write_cr0(cr0 | CR0_WP);
	wrmsr(MSR_EFER, efer | EFER_NXE);
	wrong = page_fault("read, absent", READ, ram, 0);
	if (!wrong)
		wrong = page_fault("write, absent", WRITE, ram, PF_W);
	if (!wrong)
		wrong = page_fault("write, read-only", WRITE, ram | PTE_P, PF_P | PF_W);
	if (!wrong)
		wrong = page_fault("run, no-execute", RUN, ram | PTE_P | PTE_NX, PF_P | PF_I);
	if (!wrong && (cpuid(0x80000008).eax & 0xff) < 52)
		wrong = page_fault("read, reserved bit", READ, ram | PTE_P | PTE_RESERVED,
				   PF_P | PF_RSVD);
	wrmsr(MSR_EFER, efer);
	write_cr0(cr0);
	return wrong;
}

/* --- page faults of an instruction that somebody else carries out --- */

/* a string between a port or a hole and RAM that is not mapped, or not to be written */
static const char *string_fault(const char *name, uint8_t first, uint8_t second, bool writes)
{
	uint8_t code[2] = { first, second };
	struct trap_frame f = code_registers();
	uint64_t at = (uintptr_t)window_address(PAGE);

	/* the second of four elements is in the page that is not there */
	f.rdx = NOBODYS_PORT;
	f.rcx = 4;
	f.rdi = writes ? at - 4 : (uintptr_t)ioremap(HOLE, PAGE_SIZE);
	f.rsi = writes ? (uintptr_t)ioremap(HOLE, PAGE_SIZE) : at - 4;
	code_run(code, 2, false, &f);
	if (caught.frame.vector != EXCEPTION_PF || caught.cr2 != at ||
	    caught.frame.error != (writes ? PF_W : 0))
		return seen("%s: exception %lu error %lx cr2 %lx, not cr2 %lx", name,
			    caught.frame.vector, caught.frame.error, caught.cr2, at);
	if (caught.frame.rcx != 3 || caught.frame.rip != code_at(2, false))
		return seen("%s: rcx %lx at byte %lu", name, caught.frame.rcx,
			    caught.frame.rip - code_at(2, false));
	return NULL;
}

static const char *check_pf_string(int n, char **word)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	const char *wrong;

	(void)n;
	(void)word;
	window_map(PAGE - 1, physical(page) | PTE_P | PTE_RW);
	window_map(PAGE, 0);
	wrong = string_fault("rep insl", 0xf3, 0x6d, true);
	if (!wrong)
		wrong = string_fault("rep outsl", 0xf3, 0x6f, false);
	if (!wrong)
		wrong = string_fault("rep movsl from a hole", 0xf3, 0xa5, true);
	if (!wrong)
		wrong = string_fault("rep movsl to a hole", 0xf3, 0xa5, false);
	window_map(PAGE - 1, 0);
	return wrong;
}

CHECK(fault_check, .name = "fault", .help = "exceptions: vector, error code, where",
      .run = check_fault);
CHECK(gate_check, .name = "gate", .help = "#NP of a gate, and #DF", .run = check_gate);
CHECK(undefined_check, .name = "undefined", .help = "what a guest does not have is #UD",
      .run = check_undefined);
CHECK(pf_check, .name = "pf", .help = "page faults: error code and CR2", .run = check_pf);
CHECK(pf_string_check, .name = "pf-string", .help = "page fault of an emulated string",
      .run = check_pf_string);
