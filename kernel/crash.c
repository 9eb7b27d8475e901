/* SPDX-License-Identifier: MIT */
/*
 * crash.c - `crash KIND`: do what must not be done, to see that it is caught and reported
 *
 * Each kind breaks one right of the memory map or one rule of the CPU; none comes back.
 * For tests and for teaching.
 */
#include "console.h"

#include "mem.h"
#include "shell.h"

#include <errno.h>
#include <string.h>

static uint64_t in_data = 0xc3; /* the bytes of RET, where nothing may be executed */
extern char _start_text[];

static void write_text(void)
{
	*(volatile char *)_start_text = 0;
}

static void write_rodata(void)
{
	*(volatile char *)(uintptr_t) "constant" = 0;
}

static volatile int came_back; /* written behind each call, so that it is a call and no jump */

static void jump_into_data(void)
{
	((void (*)(void))(uintptr_t)&in_data)();
	came_back = 1;
}

static void jump_into_heap(void)
{
	void *page = mem_alloc(PAGE_SIZE, PAGE_SIZE, "crash");

	memset(page, 0xc3, PAGE_SIZE);
	((void (*)(void))(uintptr_t)page)();
	came_back = 1;
}

static int overflow(volatile int *depth);
static int (*volatile deeper)(volatile int *depth) =
	overflow; /* the compiler must not see that this never ends */

static int overflow(volatile int *depth)
{
	volatile char frame[512];

	frame[0] = (*depth)++;
	return deeper(depth) + frame[0];
}

static void overflow_stack(void)
{
	volatile int depth = 0;

	overflow(&depth);
}

static void read_null(void)
{
	volatile char *volatile p = NULL;

	(void)*p;
}

static void bad_opcode(void)
{
	__asm__ volatile("ud2");
}

static void our_panic(void)
{
	panic("asked for");
}

static const struct {
	const char *name;
	void (*fn)(void);
} kinds[] = {
	{ "text", write_text },     { "rodata", write_rodata },  { "data", jump_into_data },
	{ "heap", jump_into_heap }, { "stack", overflow_stack }, { "null", read_null },
	{ "opcode", bad_opcode },   { "panic", our_panic },
};

static int run_crash(struct shell *sh, int n, const struct word *w)
{
	if (n > 2)
		return shell_expected(sh, 2, "the end of the line");
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (word_is(n, w, 1, kinds[i].name)) {
			kinds[i].fn();
			return shell_error(sh, 1, -EIO, "it was not caught");
		}
	return shell_expected(sh, 1, "text, rodata, data, heap, stack, null, opcode or panic");
}

static void complete_crash(int n, const struct word *w, void (*add)(void *to, const char *s),
			   void *to)
{
	(void)w;
	for (unsigned i = 0; n == 1 && i < ARRAY_SIZE(kinds); i++)
		add(to, kinds[i].name);
}

SHELL_COMMAND(cmd_crash, .name = "crash", .usage = "text|rodata|data|heap|stack|null|opcode|panic",
	      .help = "break a rule on purpose; the machine stops with a report", .run = run_crash,
	      .complete = complete_crash);
