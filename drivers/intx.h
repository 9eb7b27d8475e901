/* SPDX-License-Identifier: MIT */
/*
 * intx.h - a PCI function's INTx, by whatever pin of an IOAPIC it comes; several may share one
 *
 * The line is level-triggered: it stays up until every device behind it has been silenced, so each
 * handler first looks whether its own device asks, and ends that. All that share a line share its
 * core.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pci.h"

/* one device on a line */
struct intx {
	/* by whoever requests it */
	/* hard interrupt: silence the device; false if it was none of ours */
	bool (*handler)(void *arg);
	void *arg;
	const char *name; /* "nic0" */
	/* called with all cores parked when the line moves to another core. May be NULL */
	void (*moved)(void *arg, unsigned cpu);

	/* by intx.c */
	struct intx *next; /* behind it on the same line */
	unsigned line;
};

/*
 * intx_find() - which line is the function's? Only ACPI's AML would say, so it is tried: @raise has
 * the device ask, and the line that then comes alive is the one. @answer, mostly in hard interrupt
 * context, says whether the device asks, and silences it. Turns the function's INTx on. Boot or
 * control context, core 0, interrupts on. Returns the global system interrupt, for intx_request();
 * -ENODEV if none came, said on the console.
 */
int intx_find(const struct pci_dev *pd, void (*raise)(void *arg), bool (*answer)(void *arg),
	      void *arg);

/*
 * intx_request() - @x hears of line @gsi from now on, which goes to core @cpu unless somebody
 * already has it elsewhere. Returns the core that it goes to; -ENODEV if there is no such line, or
 * what irq_request() has to say.
 */
int intx_request(struct intx *x, unsigned gsi, unsigned cpu);
void intx_free(struct intx *x);
