/* SPDX-License-Identifier: MIT */
/*
 * die.c - ways for a guest to end. None of them returns, if the hypervisor is right.
 */
#include "command.h"
#include "cpu.h"
#include "fpu.h"
#include "trap.h"

#define CR0_NW BIT(29)

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

/*
 * Not write-through without cache disable: no CPU takes that, and none should enter a guest
 * with it [APM2 15.5.1]. On hardware the write itself takes #GP; TCG lets it pass, and
 * refuses at the next entry.
 */
static void not_write_through(void *arg)
{
	(void)arg;
	write_cr0(read_cr0() | CR0_NW);
	cpuid(0); /* an exit, so that there is an entry */
}

static void entry(void)
{
	try(not_write_through, NULL);
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
	{ "entry", entry },   { "sleep", sleep },
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
	answer_fail("die triple|undecodable|fetch|tables|entry|sleep");
}

COMMAND(command_die, .name = "die", .usage = "triple|undecodable|fetch|tables|entry|sleep",
	.help = "end this guest", .run = die);
