/* SPDX-License-Identifier: MIT */
/*
 * smp.c - starting the other cores by INIT-SIPI-SIPI [SDM 3A 9.4.4], one after the
 * other, and calling into them
 *
 * Core 0 lays out a core's structure, stacks and guard pages, wakes it, and waits until it says
 * that it is online. It goes through the same per-core initialisation as core 0 and ends in the
 * core loop.
 *
 * A guest with vCPUs on several cores is told that their TSCs agree, so whether they do is looked
 * at: a core that is a call away must not have a TSC from before the call or from after it.
 */
#include "smp.h"

#include "acpi.h"
#include "apic.h"
#include "console.h"
#include "control.h"
#include "cpu.h"
#include "irq.h"
#include "libc.h"
#include "loop.h"
#include "mem.h"
#include "pkt.h"
#include "softirq.h"
#include "time.h"
#include "trap.h"
#include "x86.h"

#include <errno.h>
#include <string.h>

#define TRAMPOLINE 0x8000

enum {
	POOL_PKTS = 3072, /* a core's share: two NICs' rings twice over, and as much on the way */
	XAPIC_ID_MAX = 254,
	TSC_LOOKS = 4,
	/* an emulator on a busy host may not give the new core time for long */
	ONLINE_WAIT_MS = 3000,
};

extern char trampoline[], trampoline_end[], boot_stack_top[];
extern uint64_t trampoline_cr3, trampoline_stack;

struct cpu *cpus[MAX_CPUS];
unsigned ncpus = 1;

static struct cpu boot_cpu;
static uint8_t boot_ist[PAGE_SIZE + CPU_IST_SIZE]
	__attribute__((aligned(PAGE_SIZE))); /* a guard, the stack */
static struct cpu *volatile starting;        /* whom smp_entry() becomes */
static struct irq ipi_irq[MAX_CPUS], notify_irq[MAX_CPUS];

static struct {
	void (*fn)(void *arg);
	void *arg;
	_Atomic bool done;
} call[MAX_CPUS];

static void ipi_handler(void *arg)
{
	(void)arg;
	this_cpu()->ipis++; /* remote_pending says what for */
}

/* It came while no guest ran that could have taken it: the core loop turns, and enters one. */
static void notify_handler(void *arg)
{
	(void)arg;
	this_cpu()->notifies++;
	raise_softirq(SOFTIRQ_KICK);
}

void cpu_init_boot(void)
{
	boot_cpu.self = &boot_cpu;
	boot_cpu.stack_top = (uint8_t *)boot_stack_top;
	boot_cpu.ist_top = boot_ist + sizeof(boot_ist);
	cpus[0] = &boot_cpu;
	trap_init();
	trap_init_cpu(&boot_cpu);
}

void cpu_init_late(void)
{
	struct cpu *c = this_cpu();

	if (c->id == 0)
		paging_guard(boot_ist);
	apic_init_cpu();
	c->apic_id = apic_id();
	irq_init_cpu();
	atomic_store(&c->online, c->id == 0); /* the others say so when they enter their loop */
	ipi_irq[c->id] =
		(struct irq){ .handler = ipi_handler, .name = "ipi", .vector = VECTOR_IPI };
	c->vector[VECTOR_IPI] = &ipi_irq[c->id];
	notify_irq[c->id] = (struct irq){ .handler = notify_handler,
					  .name = "notify",
					  .vector = VECTOR_NOTIFY };
	c->vector[VECTOR_NOTIFY] = &notify_irq[c->id];
	libc_init_cpu();
	c->pool = pool_create(c->id, POOL_PKTS);
	if (!c->pool)
		mem_exhausted(POOL_PKTS * PKT_STRIDE, "a core's packets");
}

/* smp_entry() - called by the trampoline on the new core, on its own stack. */
_Noreturn void smp_entry(void)
{
	struct cpu *c = starting;

	trap_init_cpu(c);
	paging_init_cpu();
	cpu_init_late();
	time_init_cpu();
	irq_enable();
	atomic_store(&c->online, 1);
	core_loop();
}

static uint8_t *stack_create(size_t size)
{
	uint8_t *s = mem_alloc(size + PAGE_SIZE, PAGE_SIZE, "a core's stack");

	paging_guard(s);
	return s + PAGE_SIZE + size;
}

static struct cpu *cpu_create(unsigned id, uint32_t apic)
{
	struct cpu *c = mem_zalloc(sizeof(*c), PAGE_SIZE, "a core's structure");

	c->self = c;
	c->id = id;
	c->apic_id = apic;
	c->stack_top = stack_create(CPU_STACK_SIZE);
	c->ist_top = stack_create(CPU_IST_SIZE);
	return c;
}

/* start_core() - returns whether it came online within the bound. */
static bool start_core(struct cpu *c)
{
	char *copy = (char *)TRAMPOLINE;

	*(uint64_t *)(copy + ((char *)&trampoline_cr3 - trampoline)) = read_cr3();
	*(uint64_t *)(copy + ((char *)&trampoline_stack - trampoline)) = (uint64_t)c->stack_top;
	starting = c;
	apic_init_ipi(c->apic_id);
	msleep(10);
	for (int i = 0; i < 2 && !atomic_load(&c->online); i++) {
		apic_startup_ipi(c->apic_id, TRAMPOLINE / PAGE_SIZE);
		msleep(1);
	}
	for (int i = 0; i < ONLINE_WAIT_MS && !atomic_load(&c->online); i++)
		msleep(1);
	return atomic_load(&c->online);
}

static void call_action(void)
{
	unsigned me = this_cpu()->id;

	call[me].fn(call[me].arg);
	atomic_store(&call[me].done, true);
}

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	uint64_t end = rdtsc() + tsc_from_us(CORE_PATIENCE_S * UINT64_C(1000000));

	if (cpu >= ncpus)
		return -EINVAL;
	call[cpu].fn = fn;
	call[cpu].arg = arg;
	atomic_store(&call[cpu].done, false);
	raise_softirq_on(cpus[cpu], SOFTIRQ_CALL);
	while (!atomic_load(&call[cpu].done)) {
		if (rdtsc() > end)
			panic("core %u does not answer", cpu);
		cpu_pause();
		yield();
	}
	return 0;
}

/*
 * forget_trampoline() - a core's TLB may still hold the page with the rights it
 * had while cores started.
 */
static void forget_trampoline(void *arg)
{
	(void)arg;
	invlpg(TRAMPOLINE);
}

static void read_tsc(void *there)
{
	*(uint64_t *)there = rdtsc();
}

/* check_tsc() - nothing mends one that is apart, but whoever runs guests should know. */
static void check_tsc(unsigned cpu)
{
	uint64_t before, there, apart = 0;

	for (int i = 0; i < TSC_LOOKS; i++) {
		before = rdtsc();
		cpu_call(cpu, read_tsc, &there);
		apart = MAX(apart, tsc_apart(before, there, rdtsc()));
	}
	if (apart)
		kprintf("smp: the TSC of core %u differs from core 0's by %lu ticks or more: "
			"in a guest with vCPUs on both time may go back\n",
			cpu, (unsigned long)apart);
}

void smp_init(void)
{
	open_softirq(SOFTIRQ_CALL, call_action);
	paging_trampoline(TRAMPOLINE, 1);
	memcpy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
	for (unsigned i = 0; i < acpi.ncpus; i++) {
		struct cpu *c;

		if (acpi.apic_id[i] == this_cpu()->apic_id || ncpus == MAX_CPUS)
			continue;
		if (acpi.apic_id[i] > XAPIC_ID_MAX && !apic_x2)
			continue;
		c = cpu_create(ncpus, acpi.apic_id[i]);
		cpus[ncpus] = c;
		if (start_core(c)) {
			ncpus++;
		} else {
			apic_init_ipi(c->apic_id); /* should it still come, it must not come now */
			cpus[ncpus] = NULL;
			kprintf("smp: the core with APIC id %u did not start; going on without "
				"it\n",
				acpi.apic_id[i]);
		}
	}
	paging_trampoline(TRAMPOLINE, 0);
	for (unsigned i = 1; i < ncpus; i++) {
		cpu_call(i, forget_trampoline, NULL);
		check_tsc(i);
	}
	kprintf("smp: %u core%s, %s\n", ncpus, ncpus > 1 ? "s" : "", apic_x2 ? "x2APIC" : "xAPIC");
}
