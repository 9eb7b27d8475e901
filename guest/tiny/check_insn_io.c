/* SPDX-License-Identifier: MIT */
/*
 * check_insn_io.c - port I/O in all forms, with prefixes that mean nothing to it, over a
 * page's end: as check_insn.c
 */
#include "check.h"
#include "code.h"
#include "cpu.h"
#include "lib.h"

#define UNTOUCHED UINT64_C(0x1122334455667788)

enum { BUFFER = 64 };

static uint8_t buffer[BUFFER] __attribute__((aligned(BUFFER)));

/* by the last two digits of the name: how many bits nobody's port fills */
static const char *all_ones(const struct code_case *c)
{
	const char *digits = c->name + strlen(c->name) - 2;
	uint64_t want = digits[0] == '3'   ? UINT32_MAX
			: digits[0] == '1' ? UNTOUCHED | 0xffff
					   : UNTOUCHED | 0xff;

	return caught.frame.rax == want ? NULL : seen("%s: rax %lx", c->name, caught.frame.rax);
}

static const char *rax_is_kept(const struct code_case *c)
{
	return caught.frame.rax == UNTOUCHED ? NULL
					     : seen("%s: rax %lx", c->name, caught.frame.rax);
}

static const char *check_insn_io(int n, char **word)
{
	static const struct code_case ins[] = {
		{ "in dx 08", 1, { 0xec } },
		{ "in dx 16", 2, { 0x66, 0xed } },
		{ "in dx 32", 1, { 0xed } },
		{ "in ib 08", 2, { 0xe4, 0xb9 } },
		{ "in ib 16", 3, { 0x66, 0xe5, 0xb9 } },
		{ "in ib 32", 2, { 0xe5, 0xb9 } },
		{ "rex.w in dx 32", 2, { 0x48, 0xed } },
		{ "66 in dx 08", 2, { 0x66, 0xec } },
		{ "rep cs: in dx 08", 3, { 0xf3, 0x2e, 0xec } },
		{ "addr32 66 in ib 16", 4, { 0x67, 0x66, 0xe5, 0xb9 } },
	};
	static const struct code_case outs[] = {
		{ "out dx 08", 1, { 0xee } },
		{ "out dx 16", 2, { 0x66, 0xef } },
		{ "out dx 32", 1, { 0xef } },
		{ "out ib 08", 2, { 0xe6, 0xbd } },
		{ "out ib 16", 3, { 0x66, 0xe7, 0xbd } },
		{ "out ib 32", 2, { 0xe7, 0xbd } },
		{ "rex.w out dx 32", 2, { 0x48, 0xef } },
		{ "rep cs: out dx 08", 3, { 0xf3, 0x2e, 0xee } },
	};
	struct trap_frame f = code_registers();
	const char *wrong;

	(void)n;
	(void)word;
	f.rdx = NOBODYS_PORT;
	f.rax = UNTOUCHED;
	wrong = code_each(ins, ARRAY_SIZE(ins), &f, all_ones);
	return wrong ? wrong : code_each(outs, ARRAY_SIZE(outs), &f, rax_is_kept);
}

/* four bytes moved, rSI or rDI four further on, rCX 0 */
static const char *four_were_read(const struct code_case *c)
{
	const struct trap_frame *f = &caught.frame;

	if (f->rdi != (uintptr_t)buffer + 4 || f->rcx || memcmp(buffer, "\xa5\xa5\xa5\xa5\0", 5))
		return seen("%s: rdi %lx rcx %lx, %x to %x", c->name, f->rdi, f->rcx, buffer[0],
			    buffer[4]);
	memset(buffer, 0, sizeof(buffer));
	return NULL;
}

static const char *four_were_written(const struct code_case *c)
{
	const struct trap_frame *f = &caught.frame;
	uint8_t last = inb(UART_SCRATCH);

	if (f->rsi != (uintptr_t)buffer + 4 || f->rcx || last != 'd')
		return seen("%s: rsi %lx rcx %lx, last %x", c->name, f->rsi, f->rcx, last);
	outb(UART_SCRATCH, 0);
	return NULL;
}

static const char *check_insn_string(int n, char **word)
{
	static const struct code_case ins[] = {
		{ "rep insb", 2, { 0xf3, 0x6c } },
		{ "repne insb", 2, { 0xf2, 0x6c } },
		{ "66 rep insb", 3, { 0x66, 0xf3, 0x6c } },
		{ "rep rex.w insb", 3, { 0xf3, 0x48, 0x6c } },
		{ "rep cs: insb", 3, { 0xf3, 0x2e, 0x6c } },
	};
	static const struct code_case outs[] = {
		{ "rep outsb", 2, { 0xf3, 0x6e } },
		{ "repne outsb", 2, { 0xf2, 0x6e } },
		{ "rep ds: rex.w outsb", 4, { 0xf3, 0x3e, 0x48, 0x6e } },
		{ "66 rep outsb", 3, { 0x66, 0xf3, 0x6e } },
	};
	struct trap_frame f = code_registers();
	const char *wrong;

	(void)n;
	(void)word;
	f.rdx = UART_SCRATCH;
	f.rcx = 4;
	f.rdi = f.rsi = (uintptr_t)buffer;
	memset(buffer, 0, sizeof(buffer));
	outb(UART_SCRATCH, 0xa5);
	wrong = code_each(ins, ARRAY_SIZE(ins), &f, four_were_read);
	memcpy(buffer, "abcde", 5);
	return wrong ? wrong : code_each(outs, ARRAY_SIZE(outs), &f, four_were_written);
}

CHECK(insn_io_check, .name = "insn-io", .help = "IN and OUT with prefixes, all forms",
      .run = check_insn_io);
CHECK(insn_string_check, .name = "insn-string", .help = "INS and OUTS likewise",
      .run = check_insn_string);
