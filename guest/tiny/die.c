/* SPDX-License-Identifier: MIT */
/*
 * die.c - ways for a guest to end. None of them returns, if the hypervisor is right.
 */
#include "command.h"
#include "cpu.h"
#include "fpu.h"

/* no IDT: the first exception becomes a triple fault */
static void triple(void)
{
	static const uint8_t none[10];

	__asm__ volatile("lidt %0; ud2" ::"m"(none));
}

/* a move that no decoder of device accesses knows */
static void undecodable(void)
{
	volatile uint8_t *hole = ioremap(HOLE, PAGE_SIZE);

	if (fpu_enable() & XCR0_AVX)
		__asm__ volatile("vmovdqu (%0), %%ymm0" ::"r"(hole));
	else
		__asm__ volatile("movdqu (%0), %%xmm0" ::"r"(hole));
}

/* code where there is nothing to fetch */
static void fetch(void)
{
	((void (*)(void))ioremap(HOLE, PAGE_SIZE))();
}

/* page tables where there is no memory */
static void tables(void)
{
	write_cr3(HOLE);
}

/* asleep for good */
static void sleep(void)
{
	__asm__ volatile("cli; hlt");
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "triple", triple }, { "undecodable", undecodable },
	{ "fetch", fetch },   { "tables", tables },
	{ "sleep", sleep },
};

static void die(int n, char **word)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		if (word_is(n, word, 1, ways[i].name)) {
			ways[i].run();
			answer_fail("still alive");
			return;
		}
	}
	answer_fail("die triple|undecodable|fetch|tables|sleep");
}

COMMAND(command_die, .name = "die", .usage = "triple|undecodable|fetch|tables|sleep",
	.help = "end this guest", .run = die);
