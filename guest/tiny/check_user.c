/* SPDX-License-Identifier: MIT */
/*
 * check_user.c - ring 3: what it may not do, what it may, and what a fault there looks like
 *
 * The code stands in a page of its own, mapped for ring 3, with its stack in the next one.
 */
#include "check.h"
#include "code.h"
#include "cpu.h"
#include "fpu.h"
#include "lib.h"
#include "paging.h"
#include "trap.h"

#define CR0_AM    BIT(18)
#define RFLAGS_AC BIT(18)

enum { CODE, STACK, DATA, OURS, PAGES };
enum { FIRST = 40 };

static uint8_t pages[PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

struct user_case {
	const char *name;
	uint8_t n, bytes[8], at; /* where the exception comes; n if there is none before the end */
	unsigned vector;
	uint64_t error;
	int64_t cr2; /* in DATA; -1: none */
};

static void map(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		window_map(FIRST + i,
			   physical(pages[i]) | PTE_P | PTE_RW | (i == OURS ? 0 : PTE_US));
}

static const char *user(const struct user_case *c)
{
	uint64_t code = (uintptr_t)window_address(FIRST + CODE);
	uint64_t data = (uintptr_t)window_address(FIRST + DATA);
	struct trap_frame f = {
		.rip = code,
		.cs = SELECTOR_USER_CODE,
		.rflags = RFLAGS_FIXED | RFLAGS_IF | RFLAGS_AC,
		.rsp = data,
		.ss = SELECTOR_USER_DATA,
		.rbx = data,
	};
	const struct trap_frame *got = &caught.frame;
	unsigned at;

	memset(pages[CODE], CODE_UNDEFINED, PAGE_SIZE);
	memcpy(pages[CODE], c->bytes, c->n);
	try(trap_leave, &f);
	at = got->rip - code;
	if (got->cs != SELECTOR_USER_CODE || got->ss != SELECTOR_USER_DATA || got->rsp != f.rsp)
		return seen("%s: cs %lx ss %lx rsp %lx", c->name, got->cs, got->ss, got->rsp);
	if (got->vector != c->vector || got->error != c->error || at != c->at)
		return seen("%s: exception %lu error %lx at byte %u", c->name, got->vector,
			    got->error, at);
	if (c->cr2 >= 0 && caught.cr2 != data + c->cr2)
		return seen("%s: cr2 %lx, not %lx", c->name, caught.cr2, data + c->cr2);
	return NULL;
}

static const char *check_user(int n, char **word)
{
	static const struct user_case cases[] = {
		{ "nothing", 0, { 0 }, 0, EXCEPTION_UD, 0, -1 },
		{ "cpuid", 2, { 0x0f, 0xa2 }, 2, EXCEPTION_UD, 0, -1 },
		{ "rdtsc", 2, { 0x0f, 0x31 }, 2, EXCEPTION_UD, 0, -1 },
		{ "cli", 1, { 0xfa }, 0, EXCEPTION_GP, 0, -1 },
		{ "hlt", 1, { 0xf4 }, 0, EXCEPTION_GP, 0, -1 },
		{ "in", 2, { 0xe4, 0x80 }, 0, EXCEPTION_GP, 0, -1 },
		{ "rep insb", 2, { 0xf3, 0x6c }, 0, EXCEPTION_GP, 0, -1 },
		{ "rdmsr", 2, { 0x0f, 0x32 }, 0, EXCEPTION_GP, 0, -1 },
		{ "wrmsr", 2, { 0x0f, 0x30 }, 0, EXCEPTION_GP, 0, -1 },
		{ "invlpg", 3, { 0x0f, 0x01, 0x3b }, 0, EXCEPTION_GP, 0, -1 },
		{ "xsetbv", 3, { 0x0f, 0x01, 0xd1 }, 0, EXCEPTION_GP, 0, -1 },
		{ "int3", 1, { 0xcc }, 1, EXCEPTION_BP, 0, -1 },
		{ "int 4", 2, { 0xcd, 0x04 }, 2, EXCEPTION_OF, 0, -1 },
		{ "mov ours, eax",
		  6,
		  { 0x8b, 0x83, 0x00, 0x10, 0, 0 },
		  0,
		  EXCEPTION_PF,
		  PF_P | PF_U,
		  PAGE_SIZE },
		{ "mov eax, absent",
		  6,
		  { 0x89, 0x83, 0x00, 0x20, 0, 0 },
		  0,
		  EXCEPTION_PF,
		  PF_W | PF_U,
		  2 * PAGE_SIZE },
	};
	const char *wrong = NULL;

	(void)n;
	(void)word;
	fpu_enable();
	map();
	for (unsigned i = 0; i < ARRAY_SIZE(cases) && !wrong; i++)
		wrong = user(&cases[i]);
	for (unsigned i = 0; i < PAGES; i++)
		window_map(FIRST + i, 0);
	return wrong;
}

/* CR0.AM, RFLAGS.AC and ring 3: a hypervisor may look at #AC first, and then has to pass it on */
static const char *check_alignment(int n, char **word)
{
	static const struct user_case aligned = {
		"mov 4(rbx), eax", 3, { 0x8b, 0x43, 0x04 }, 3, EXCEPTION_UD, 0, -1
	};
	static const struct user_case crooked = {
		"mov 1(rbx), eax", 3, { 0x8b, 0x43, 0x01 }, 0, EXCEPTION_AC, 0, -1
	};
	uint64_t cr0 = read_cr0();
	const char *wrong;

	(void)n;
	(void)word;
	write_cr0(cr0 | CR0_AM);
	map();
	wrong = user(&aligned);
	if (!wrong)
		wrong = user(&crooked);
	write_cr0(cr0);
	if (wrong && caught.frame.vector == EXCEPTION_UD)
		return lacks("this CPU takes no #AC");
	return wrong;
}

CHECK(user_check, .name = "user", .help = "ring 3: privilege and page faults", .run = check_user);
CHECK(alignment_check, .name = "alignment", .help = "#AC in ring 3", .run = check_alignment);
