/* SPDX-License-Identifier: MIT */
/*
 * intx.c - lines that PCI devices share
 *
 * Requests come from probe at boot and from open and stop in the control context, on core 0;
 * line_interrupt() runs on the core that has the line. Owns the lines: one struct irq each, and the
 * list of devices behind it. The list changes while interrupts may come: a device is put in front
 * with one store and taken out with one store, and its struct intx lives on.
 */
#include "intx.h"

#include "kernel/acpi.h"
#include "kernel/bits.h"
#include "kernel/console.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/time.h"
#include "pci_regs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
	/* where chipsets lead PIRQA to PIRQH when the IOAPIC is in use [ICH9 5.10] */
	INTX_FIRST = 16,
	INTX_PIRQS = 8,
	INTX_LINES = INTX_PIRQS + ACPI_MAX_OVERRIDES,
	INTX_UNCLAIMED_MAX = 1000, /* a line that keeps calling for nobody we know is masked */
	INTX_WAIT_US = 20000,      /* for an interrupt that was asked for */
	INTX_TRIES = 8,
	INTX_NONE = -1,
};

struct line {
	unsigned gsi;
	bool active_low;
	struct intx *_Atomic first; /* devices behind it; none: nobody has requested it */
	struct irq irq;
	unsigned unclaimed; /* interrupts in a row that were nobody's */
	char name[64];      /* of all of them, as /proc/interrupts shows it */
};

static struct line lines[INTX_LINES];
static unsigned nlines;

/* --- which lines there are --- */

static void add_line(unsigned gsi, bool active_low)
{
	lines[nlines++] = (struct line){ .gsi = gsi, .active_low = active_low };
}

/*
 * older chipsets lead INTx to ISA interrupts: those that the firmware describes as
 * level-triggered [ACPI 5.2.12.5]
 */
static void learn_lines(void)
{
	if (nlines)
		return;
	for (unsigned i = 0; i < INTX_PIRQS; i++)
		add_line(INTX_FIRST + i, true);
	for (unsigned i = 0; i < acpi.noverrides; i++) {
		uint16_t flags = acpi.override[i].flags;

		if (FIELD_GET(ACPI_OVERRIDE_TRIGGER, flags) == 3 &&
		    acpi.override[i].gsi < INTX_FIRST)
			add_line(acpi.override[i].gsi,
				 FIELD_GET(ACPI_OVERRIDE_POLARITY, flags) == 3);
	}
}

static struct line *line_of(unsigned gsi)
{
	learn_lines();
	for (unsigned i = 0; i < nlines; i++)
		if (lines[i].gsi == gsi)
			return &lines[i];
	return NULL;
}

/* --- a line and those behind it --- */

static void line_interrupt(void *arg)
{
	struct line *line = arg;
	bool claimed = false;

	for (struct intx *x = line->first; x; x = x->next)
		claimed |= x->handler(x->arg);
	if (claimed) {
		line->unclaimed = 0;
	} else if (++line->unclaimed == INTX_UNCLAIMED_MAX) {
		line->irq.chip->mask(&line->irq);
		kprintf("intx: line %u keeps calling for nobody, masked; %s\n", line->gsi,
			line->name);
	}
}

static void line_moved(void *arg, unsigned cpu)
{
	struct line *line = arg;

	for (struct intx *x = line->first; x; x = x->next)
		if (x->moved)
			x->moved(x->arg, cpu);
}

static void name_line(struct line *line)
{
	size_t at = 0;

	line->name[0] = '\0';
	for (struct intx *x = line->first; x && at < sizeof(line->name); x = x->next)
		at += snprintf(line->name + at, sizeof(line->name) - at, "%s%s", at ? ", " : "",
			       x->name);
}

int intx_request(struct intx *x, unsigned gsi, unsigned cpu)
{
	struct line *line = line_of(gsi);
	bool first;
	int err;

	if (!line)
		return -ENODEV;
	first = !line->first;
	x->line = line - lines;
	x->next = line->first;
	/* release: pairs with the load in line_interrupt(), which finds it whole */
	atomic_store_explicit(&line->first, x, memory_order_release);
	name_line(line);
	if (!first)
		return line->irq.cpu;
	line->unclaimed = 0;
	line->irq = (struct irq){
		.handler = line_interrupt, .moved = line_moved, .arg = line, .name = line->name
	};
	err = ioapic_irq_init(&line->irq, gsi, true, line->active_low);
	if (!err)
		err = irq_request(&line->irq, cpu);
	if (err)
		line->first = NULL;
	return err ? err : (int)cpu;
}

void intx_free(struct intx *x)
{
	struct line *line = &lines[x->line];

	if (line->first == x && !x->next)
		irq_free(&line->irq);
	if (line->first == x) {
		line->first = x->next;
	} else {
		struct intx *before = line->first;

		while (before->next != x)
			before = before->next;
		before->next = x->next;
	}
	name_line(line);
}

/* --- which line is a device's --- */

/* one at a time; each line has a listener that asks the device */
static struct search {
	bool (*answer)(void *arg);
	void *arg;
	volatile int seen; /* the line that came, INTX_NONE before */
	struct intx at[INTX_LINES];
} search;

static bool heard(void *arg)
{
	struct intx *listener = arg;

	if (!search.answer(search.arg))
		return false;
	search.seen = lines[listener->line].gsi;
	return true;
}

/* ask_once() - the line by which the device is heard, INTX_NONE if it is not. */
static int ask_once(void (*raise)(void *arg))
{
	/* first down: a line that went up while nobody listened to it may stay unheard */
	search.answer(search.arg);
	search.seen = INTX_NONE;
	raise(search.arg);
	for (unsigned us = 0; search.seen == INTX_NONE && us < INTX_WAIT_US; us += 10)
		udelay(10);
	return search.seen;
}

/*
 * ask() - the same line twice in a row: another device may call at that very moment,
 * and ours be found asking.
 */
static int ask(void (*raise)(void *arg))
{
	int before = INTX_NONE, now = INTX_NONE;

	for (unsigned i = 0; i < INTX_TRIES; i++) {
		now = ask_once(raise);
		if (now == INTX_NONE || now == before)
			return now;
		before = now;
	}
	return INTX_NONE;
}

/*
 * search_among() - listen on lines @from to @to - 1 and have the device
 * ask. The line, or INTX_NONE.
 */
static int search_among(unsigned from, unsigned to, void (*raise)(void *arg))
{
	bool listening[INTX_LINES];
	int gsi;

	for (unsigned i = from; i < to; i++) {
		struct intx *x = &search.at[i];

		*x = (struct intx){ .handler = heard, .arg = x, .name = "search" };
		listening[i] = intx_request(x, lines[i].gsi, 0) >= 0;
	}
	gsi = ask(raise);
	for (unsigned i = from; i < to; i++)
		if (listening[i])
			intx_free(&search.at[i]);
	return gsi;
}

int intx_find(const struct pci_dev *pd, void (*raise)(void *arg), bool (*answer)(void *arg),
	      void *arg)
{
	int gsi;

	learn_lines();
	search.answer = answer;
	search.arg = arg;
	pci_command(pd, 0, PCI_COMMAND_INTX_OFF);
	/*
	 * some chipsets show an interrupt on both kinds of line: those that
	 * are PCI's alone come first
	 */
	gsi = search_among(0, INTX_PIRQS, raise);
	if (gsi == INTX_NONE)
		gsi = search_among(INTX_PIRQS, nlines, raise);
	if (gsi != INTX_NONE)
		return gsi;
	pci_command(pd, PCI_COMMAND_INTX_OFF, 0);
	answer(arg);
	kprintf("intx: %s is heard on none of %u lines\n", pd->name, nlines);
	return -ENODEV;
}
