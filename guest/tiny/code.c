/* SPDX-License-Identifier: MIT */
/*
 * code.c - machine code, byte for byte, run with registers of one's choice
 *
 * An undefined byte stands behind the code, many times, and where the first of them was met says
 * whether whoever stepped over an instruction knew its length: one byte too few, and the CPU reads
 * the rest as something else. As a ModRM byte it names what rSI points to and rAX, not the stack:
 * what goes wrong there stays harmless.
 */
#include "code.h"

#include "check.h"
#include "cpu.h"
#include "lib.h"

enum { STACK = 4096, AFTER = 16 };

static uint8_t pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t stack[STACK] __attribute__((aligned(16)));

struct trap_frame code_registers(void)
{
	return (struct trap_frame){
		.cs = SELECTOR_CODE,
		.ss = SELECTOR_DATA,
		.rsp = (uintptr_t)stack + sizeof(stack),
		.rflags = RFLAGS_FIXED,
	};
}

uint64_t code_at(unsigned n, bool across)
{
	return (uintptr_t)pages + PAGE_SIZE - (across ? (n + 1) / 2 : CODE_MAX + AFTER);
}

int code_run(const uint8_t *bytes, unsigned n, bool across, struct trap_frame *f)
{
	uint64_t at = code_at(n, across);

	memset(pages, CODE_UNDEFINED, sizeof(pages));
	memcpy((void *)at, bytes, n);
	f->rip = at;
	try(trap_leave, f);
	return caught.frame.vector == EXCEPTION_UD ? (int)(caught.frame.rip - at) : -1;
}

const char *code_one(const struct code_case *c, bool across, const struct trap_frame *f)
{
	const char *where = across ? "over a page's end" : "in a page";
	struct trap_frame regs = *f;
	int end = code_run(c->bytes, c->n, across, &regs);

	if (end == c->n)
		return NULL;
	if (end >= 0)
		return seen("%s %s: %d bytes, went on behind %d", c->name, where, c->n, end);
	return seen("%s %s: exception %lu at byte %d", c->name, where, caught.frame.vector,
		    (int)(caught.frame.rip - code_at(c->n, across)));
}

const char *code_each(const struct code_case *c, unsigned cases, const struct trap_frame *f,
		      const char *(*holds)(const struct code_case *c))
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < 2 * cases && !wrong; i++) {
		wrong = code_one(&c[i / 2], i % 2, f);
		if (!wrong && holds)
			wrong = holds(&c[i / 2]);
	}
	return wrong;
}
