/* SPDX-License-Identifier: MIT */
/*
 * irq.h - interrupts by number, whatever brings them
 *
 * A struct irq is one source (an MSI-X table entry, an MSI, an IOAPIC pin). irq_request() gives it
 * a number, as in /proc/interrupts, and a vector on one core; `echo MASK >
 * /proc/irq/N/smp_affinity` moves it to another core while traffic flows. How the source is told
 * where to send is its chip's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"

struct irq;

struct irq_chip {
	const char *name; /* "PCI-MSIX", "PCI-MSI", "IO-APIC" */
	const char *flow; /* "edge", "fasteoi" */
	/*
	 * send to @vector on the core with @apic_id from now on; the source
	 * is masked while this runs
	 */
	void (*route)(struct irq *irq, uint32_t apic_id, uint8_t vector);
	void (*mask)(struct irq *irq);
	void (*unmask)(struct irq *irq);
};

struct irq {
	/* by whoever requests it */
	const struct irq_chip *chip;
	void *chip_data;            /* chip's own */
	const char *dev;            /* PCI function that has a chip of its own, or NULL */
	unsigned hwirq;             /* which of the chip's interrupts */
	void (*handler)(void *arg); /* hard interrupt context, interrupts off: a few lines */
	void *arg;
	const char *name; /* "nic0-TxRx-0" */
	/*
	 * called with all cores parked when the interrupt moves: the state that follows
	 * it moves here. May be NULL
	 */
	void (*moved)(void *arg, unsigned cpu);

	/* by irq.c */
	unsigned number; /* row of /proc/interrupts */
	uint32_t cpu;    /* core that takes it */
	uint32_t home;   /* core that it was requested on */
	uint8_t vector;  /* on that core; 0 while it has none */
	bool masked;
	uint64_t count[MAX_CPUS];
};

/*
 * irq_request() - give @irq a number and a vector on core @cpu, and unmask it.
 * Returns 0; -ENOSPC if that core has no vector left, -EINVAL if there is no such core.
 */
int irq_request(struct irq *irq, unsigned cpu);
/* irq_free() - mask it and take number and vector back. */
void irq_free(struct irq *irq);
/*
 * irq_set_affinity() - take @irq on core @cpu from now on. Control context;
 * parks the cores meanwhile.
 * irq_set_affinity_of() - the same for the one called @name.
 * Return 0; -ENOSPC if that core has no vector left, -EINVAL if there is no such core,
 * -ENOENT if nobody is called so.
 */
int irq_set_affinity(struct irq *irq, unsigned cpu);
int irq_set_affinity_of(const char *name, unsigned cpu);
void irq_init_cpu(void); /* this core's vector table */

/* unit tests on the host: the fixture keeps the flag and lets interrupts in where they may come */
#if __STDC_HOSTED__
void irq_disable(void);
void irq_enable(void);
uint64_t irq_save(void);
void irq_restore(uint64_t flags);
static inline void cpu_pause(void)
{
}
#else
static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* irq_save() - interrupts off; returns what irq_restore() wants. */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	if (flags & 0x200)
		irq_enable();
}

/*
 * cpu_pause() - every wait has one in it: under icount a waiting core starves the others without.
 */
static inline void cpu_pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}
#endif
