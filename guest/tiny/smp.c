/* SPDX-License-Identifier: MIT */
/*
 * smp.c - the other CPUs: from INIT to a loop that runs what it is given
 *
 * smp_main() runs on each of them, on a stack of its own, with the tables of the CPU that booted;
 * everything else is called by that one. Nothing but checks uses them, and behind a check they
 * wait for a STARTUP again.
 */
#include "smp.h"

#include "apic.h"
#include "check.h"
#include "clock.h"
#include "cpu.h"
#include "lib.h"
#include "paging.h"

#define CPUID_TOPOLOGY  0xb
#define TOPOLOGY_CORE   1
#define CPUID1_EBX_CPUS BITS(23, 16)
#define APIC_DFR        0x0e0
#define DFR_FLAT        UINT32_MAX

enum { WAIT_MS = 15000, INIT_US = 200 };

extern uint8_t smp_begin[], smp_end[];
void smp_main(unsigned id);

uint8_t smp_stacks[SMP_CPUS][SMP_STACK] __attribute__((aligned(16)));
struct ap ap[SMP_CPUS];

unsigned smp_cpus(void)
{
	unsigned n = FIELD_GET(CPUID1_EBX_CPUS, cpuid(1).ebx);

	if (cpuid(0).eax >= CPUID_TOPOLOGY)
		n = cpuid_sub(CPUID_TOPOLOGY, TOPOLOGY_CORE).ebx & BITS(15, 0);
	return MIN(MAX(n, 1U), (unsigned)SMP_CPUS);
}

struct ap *smp_current(uint64_t rsp)
{
	uint64_t at = rsp - (uintptr_t)smp_stacks; /* huge below them */

	return at && at <= sizeof(smp_stacks) ? &ap[(at - 1) / SMP_STACK] : NULL;
}

void smp_fault(struct ap *a, const struct trap_frame *f)
{
	a->frame = *f;
	a->fault = true;
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* the interrupt that wakes one, or a check's: the count is all */
static void on_interrupt(void *arg)
{
	(void)arg;
	ap[apic_id()].irqs++;
}

static void set_logical_id(unsigned id)
{
	if (x2apic)
		return; /* it follows from the other there */
	apic_write(APIC_DFR, DFR_FLAT);
	apic_write(APIC_LDR, 1U << (24 + id));
}

/*
 * On each of the others. What is posted before the look is seen by it; behind it, the
 * interrupt ends the halt.
 */
void smp_main(unsigned id)
{
	struct ap *a = &ap[id];

	trap_load();
	apic_start();
	set_logical_id(id);
	a->starts++;
	for (;;) {
		irq_disable();
		if (!a->fn) {
			cpu_halt();
			continue;
		}
		irq_enable();
		a->fn(a->arg);
		mb();
		a->fn = NULL;
	}
}

void smp_stop(void)
{
	apic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
	clock_pause_us(INIT_US);
}

static bool all_started(unsigned cpus)
{
	for (unsigned i = 1; i < cpus; i++)
		if (!ap[i].starts)
			return false;
	return true;
}

const char *smp_start(void)
{
	unsigned cpus = smp_cpus();
	uint64_t end;

	irq_handler_set(VECTOR_SMP, on_interrupt, NULL);
	irq_handler_set(VECTOR_CHECK_LOW, on_interrupt, NULL);
	smp_stop();
	memset(ap, 0, sizeof(ap));
	set_logical_id(0);
	memcpy(virtual(SMP_AT), smp_begin, smp_end - smp_begin);
	identity_map(true);
	/* the second one is for those that missed the first [SDM 3A 9.4.4] */
	for (unsigned i = 0; i < 2; i++) {
		apic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | SMP_AT / PAGE_SIZE);
		clock_pause_us(INIT_US);
	}
	end = clock_in_ms(WAIT_MS);
	while (!all_started(cpus) && !clock_passed(end))
		cpu_pause();
	identity_map(false);
	for (unsigned i = 1; i < cpus; i++)
		if (ap[i].starts != 1)
			return seen("CPU %u of %u started %u times", i, cpus, ap[i].starts);
	return NULL;
}

void smp_post(unsigned id, void (*fn)(void *arg), void *arg)
{
	ap[id].arg = arg;
	mb();
	ap[id].fn = fn;
	mb();
	apic_send(id, ICR_ASSERT | VECTOR_SMP);
}

const char *smp_wait(unsigned id)
{
	uint64_t end = clock_in_ms(WAIT_MS);

	while (ap[id].fn && !ap[id].fault && !clock_passed(end))
		cpu_pause();
	if (ap[id].fault)
		return seen("CPU %u took exception %lu at %lx", id, ap[id].frame.vector,
			    ap[id].frame.rip);
	return ap[id].fn ? seen("CPU %u does not come to an end", id) : NULL;
}
