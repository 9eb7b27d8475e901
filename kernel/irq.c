/* SPDX-License-Identifier: MIT */
/*
 * irq.c - vectors, a table a core, and interrupts by number
 *
 * irq_dispatch() runs on every core for every interrupt, a few lines. The rest is set-up in the
 * control context on core 0; moving an interrupt parks the cores, so that what follows it moves as
 * well. Owns the vector tables and the list of numbers.
 */
#include "irq.h"

#include "apic.h"
#include "console.h"
#include "mem.h"
#include "park.h"
#include "shell.h"
#include "time.h"
#include "trace.h"
#include "trap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IRQ_NUMBERS = 256 };

static struct irq *by_number[IRQ_NUMBERS];

/* dispatch_watched() - the handler, its record point, and how long it takes. */
static __attribute__((noinline)) void dispatch_watched(struct cpu *c, struct irq *irq,
						       unsigned vector)
{
	uint64_t begin = rdtsc(), end, spent;

	c->irq_began = begin;
	irq->handler(irq->arg);
	end = rdtsc();
	if (trace_recording())
		trace_record_span(TRACE_HARD_IRQ, begin, end, vector, irq->number);
	spent = end - begin;
	c->irq_tsc += spent;
	if (c->qs & 1) /* qsbr_sleep() has said so */
		c->idle_irq_tsc += spent;
}

void irq_dispatch(unsigned vector)
{
	struct irq *irq = this_cpu_var(vector)[vector];

	if (likely(irq)) {
		irq->count[this_cpu_var(id)]++;
		if (unlikely(trace_on))
			dispatch_watched(this_cpu(), irq, vector);
		else
			irq->handler(irq->arg);
	} else {
		this_cpu_var(spurious)++;
		if (vector == VECTOR_SPURIOUS) /* takes no EOI [SDM 3A 11.9] */
			return;
	}
	apic_eoi();
}

void irq_init_cpu(void)
{
	this_cpu()->vector = mem_zalloc(VECTORS * sizeof(struct irq *), CACHE_LINE, "vectors");
}

static uint8_t vector_free_on(struct cpu *c)
{
	for (unsigned v = VECTOR_FIRST; v <= VECTOR_LAST; v++)
		if (!c->vector[v])
			return v;
	return 0;
}

int irq_request(struct irq *irq, unsigned cpu)
{
	unsigned n = 0;
	uint8_t v;

	if (cpu >= ncpus)
		return -EINVAL;
	v = vector_free_on(cpus[cpu]);
	while (n < IRQ_NUMBERS && by_number[n])
		n++;
	if (!v || n == IRQ_NUMBERS)
		return -ENOSPC;
	irq->number = n;
	irq->cpu = irq->home = cpu;
	irq->vector = v;
	by_number[n] = irq;
	cpus[cpu]->vector[v] = irq;
	irq->chip->route(irq, cpus[cpu]->apic_id, v);
	irq->chip->unmask(irq);
	return 0;
}

void irq_free(struct irq *irq)
{
	irq->chip->mask(irq);
	cpus[irq->cpu]->vector[irq->vector] = NULL;
	by_number[irq->number] = NULL;
	irq->vector = 0;
}

int irq_set_affinity(struct irq *irq, unsigned cpu)
{
	unsigned from = irq->cpu;
	uint8_t old = irq->vector, v;

	if (cpu >= ncpus)
		return -EINVAL;
	if (cpu == from)
		return 0;
	v = vector_free_on(cpus[cpu]);
	if (!v)
		return -ENOSPC;
	cores_park();
	irq->chip->mask(irq);
	cpus[cpu]->vector[v] = irq;
	irq->cpu = cpu;
	irq->vector = v;
	irq->chip->route(irq, cpus[cpu]->apic_id, v);
	if (irq->moved)
		irq->moved(irq->arg, cpu);
	irq->chip->unmask(irq);
	/*
	 * One that was already on its way arrives on the old core when it resumes, and finds the
	 * vector empty: it is counted as spurious there. Nothing is lost, since moved() has the new
	 * core look for work by itself.
	 */
	cpus[from]->vector[old] = NULL;
	cores_resume();
	return 0;
}

int irq_set_affinity_of(const char *name, unsigned cpu)
{
	for (unsigned n = 0; n < IRQ_NUMBERS; n++)
		if (by_number[n] && !strcmp(by_number[n]->name, name))
			return irq_set_affinity(by_number[n], cpu);
	return -ENOENT;
}

/*
 * --- /proc/interrupts, /proc/irq/N/smp_affinity: Linux's columns, 6.2's where MSI's
 * chip names its function ---
 */

static void show_core_row(struct shell *sh, const char *name, const char *text, size_t offset)
{
	shell_printf(sh, "%3s:", name);
	cpu_for_each(i)
		shell_printf(sh, " %10lu", (unsigned long)*(uint64_t *)((char *)cpus[i] + offset));
	shell_printf(sh, "   %s\n", text);
}

static void show_row(struct shell *sh, const struct irq *irq)
{
	char chip[32];

	snprintf(chip, sizeof(chip), "%s%s%s", irq->chip->name, irq->dev ? "-" : "",
		 irq->dev ? irq->dev : "");
	shell_printf(sh, "%3u:", irq->number);
	cpu_for_each(i)
		shell_printf(sh, " %10lu", (unsigned long)irq->count[i]);
	shell_printf(sh, " %8s %3u-%-8s  %s\n", chip, irq->hwirq, irq->chip->flow, irq->name);
}

static int show_interrupts(struct shell *sh, const char *star)
{
	(void)star;
	shell_printf(sh, "%11s", "");
	cpu_for_each(i)
		shell_printf(sh, "CPU%-8u", i);
	shell_printf(sh, "\n");
	for (unsigned n = 0; n < IRQ_NUMBERS; n++)
		if (by_number[n])
			show_row(sh, by_number[n]);
	show_core_row(sh, "LOC", "Local timer interrupts", offsetof(struct cpu, timer_irqs));
	show_core_row(sh, "RES", "Rescheduling interrupts", offsetof(struct cpu, ipis));
	show_core_row(sh, "PIN", "Posted-interrupt notification event",
		      offsetof(struct cpu, notifies));
	show_core_row(sh, "SPU", "Spurious interrupts", offsetof(struct cpu, spurious));
	return 0;
}

PROC_FILE(proc_interrupts, .path = "/proc/interrupts", .help = "interrupts by source and core",
	  .show = show_interrupts);

/* irq_of() - the interrupt of /proc/irq/@star; the path is the last word of the line. */
static struct irq *irq_of(struct shell *sh, const char *star)
{
	unsigned long n = strtoul(star, NULL, 10);

	if (star[strspn(star, "0123456789")] || n >= IRQ_NUMBERS || !by_number[n]) {
		shell_error(sh, sh->nwords - 1, -ENOENT, "no interrupt %s; see /proc/interrupts",
			    star);
		return NULL;
	}
	return by_number[n];
}

static int show_affinity(struct shell *sh, const char *star)
{
	struct irq *irq = irq_of(sh, star);

	if (!irq)
		return -ENOENT;
	shell_printf(sh, "%x\n", 1u << irq->cpu);
	return 0;
}

static int store_affinity(struct shell *sh, const char *star, const struct word *value)
{
	struct irq *irq = irq_of(sh, star);
	unsigned long mask = strtoul(value->s, NULL, 16);
	int err;

	if (!irq)
		return -ENOENT;
	/* an interrupt goes to one core, the first of the mask, as Linux picks for MSI-X */
	if (value->s[strspn(value->s, "0123456789abcdefABCDEF")] || !mask ||
	    (unsigned)__builtin_ctzl(mask) >= ncpus) {
		char what[64];

		snprintf(what, sizeof(what), "a mask of cores in hex, at most %x",
			 (1u << ncpus) - 1);
		return shell_expected(sh, 1, what);
	}
	err = irq_set_affinity(irq, __builtin_ctzl(mask));
	if (err)
		shell_error(sh, 1, err, "that core has no vector left");
	return err;
}

static void numbers(void (*add)(void *to, const char *s), void *to)
{
	char name[12];

	for (unsigned n = 0; n < IRQ_NUMBERS; n++)
		if (by_number[n]) {
			snprintf(name, sizeof(name), "%u", n);
			add(to, name);
		}
}

PROC_FILE(proc_affinity, .path = "/proc/irq/*/smp_affinity",
	  .help = "core that takes it, as a mask in hex", .show = show_affinity,
	  .store = store_affinity, .stars = numbers);

static void print_config(struct shell *sh)
{
	for (unsigned n = 0; n < IRQ_NUMBERS; n++)
		if (by_number[n] && by_number[n]->cpu != by_number[n]->home)
			shell_printf(sh, "echo %x > /proc/irq/%u/smp_affinity\n",
				     1u << by_number[n]->cpu, n);
}

/* last: the numbers are given out when ports come up */
CONFIG_SOURCE(config_affinity, .order = 90, .print = print_config);
