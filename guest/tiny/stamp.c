/* SPDX-License-Identifier: MIT */
/*
 * stamp.c - when did the handler begin? Weir knows when it posts an interrupt, and only
 * we know when it is there
 *
 * The TSC is read first and told by a write to the MSR of Weir's that stands for the vector:
 * an exit, but one behind what it measures. VECTOR_PROBE does nothing else, for `guest
 * injection NAME test COUNT 0x53`.
 */
#include "stamp.h"

#include "command.h"
#include "cpu.h"
#include "trap.h"

#define MSR_WEIR_HANDLER 0x57454900 /* and the vector */

bool stamps;
static uint64_t probes;

void stamp_irq(unsigned vector)
{
	wrmsr(MSR_WEIR_HANDLER + vector, rdtsc());
}

static void on_probe(void *arg)
{
	(void)arg;
	probes++;
}

/* stamps [on|off]: what VECTOR_PROBE came to is said as well */
static void stamps_command(int n, char **word)
{
	bool on = word_is(n, word, 1, "on");
	uint64_t none;

	irq_handler_set(VECTOR_PROBE, on_probe, NULL);
	if (n > 1 && !on && !word_is(n, word, 1, "off")) {
		answer_fail("stamps on or stamps off");
		return;
	}
	if (on && try_rdmsr(MSR_WEIR_HANDLER, &none)) {
		answer_fail("this hypervisor has no MSR %x", MSR_WEIR_HANDLER);
		return;
	}
	if (n > 1)
		stamps = on;
	answer_ok("stamps %s, %lu probes", stamps ? "on" : "off", probes);
}

COMMAND(command_stamps, .name = "stamps", .usage = "[on|off]",
	.help = "tell Weir when each interrupt's handler begins", .run = stamps_command);
