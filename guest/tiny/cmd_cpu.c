/* SPDX-License-Identifier: MIT */
/*
 * cmd_cpu.c - commands that use up the CPU: loops without an exit, and nothing but exits
 */
#include "clock.h"
#include "command.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

enum { CHUNK = 1000 }; /* iterations between two looks at the TSC, which is no exit */

/* spin N: so many iterations. spin Nms: as many as fit */
static void spin(int n, char **word)
{
	uint64_t limit, loops = 0, start = rdtsc();
	const char *unit = n > 1 ? parse_number(word[1], &limit) : NULL;
	bool timed = unit && !strcmp(unit, "ms");
	uint64_t end = timed ? clock_in_ms(limit) : 0;

	if (!unit || (*unit && !timed)) {
		answer_fail("spin N or spin Nms");
		return;
	}
	while (timed ? !clock_passed(end) : loops < limit)
		for (unsigned i = 0; i < CHUNK; i++, loops++)
			barrier();
	answer_ok("%lu loops %lu us", loops, clock_us(rdtsc() - start));
}

static void cpuid_command(int n, char **word)
{
	uint64_t count = MAX(word_number(n, word, 1, 1000), UINT64_C(1)), start = rdtsc(), ticks;

	for (uint64_t i = 0; i < count; i++)
		cpuid(0);
	ticks = rdtsc() - start;
	answer_ok("%lu ticks each", ticks / count);
}

static void nmi(int n, char **word)
{
	(void)n;
	(void)word;
	answer_ok("%lu NMIs, %lu stray interrupts", nmis, stray_irqs);
}

COMMAND(command_spin, .name = "spin", .usage = "N|Nms",
	.help = "a loop without exits; says how many iterations it made", .run = spin);
COMMAND(command_cpuid, .name = "cpuid", .usage = "[N]", .help = "N exits; TSC ticks of one",
	.run = cpuid_command);
COMMAND(command_nmi, .name = "nmi", .usage = "", .help = "how many NMIs came", .run = nmi);
