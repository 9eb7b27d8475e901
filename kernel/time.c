/* SPDX-License-Identifier: MIT */
/*
 * time.c - calibration of the TSC, conversions, and the local APIC timer behind the timers
 *
 * time_init() runs once on core 0 at boot: it lets the 8254 interrupt after a known time and sleeps by HLT until
 * then, so neither an emulated machine nor a power meter sees a busy loop. CPUID leaf 0x15 is not asked: emulators
 * fill it with numbers that have nothing to do with their TSC.
 */
#include "time.h"

#include "apic.h"
#include "console.h"
#include "control.h"
#include "cpu.h"
#include "ioapic.h"
#include "irq.h"
#include "mem.h"
#include "softirq.h"
#include "timer.h"
#include "trap.h"
#include "x86.h"

#include <stddef.h>

#define PIT_HZ       1193182
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT \
	0x30 /* channel 0, low then high byte, mode 0: interrupt on terminal count [8254] */
#define CALIBRATE_HZ 50 /* a fiftieth of a second: 1 part in 20,000 for a tick of the 8254 */

enum { CALIBRATE_WAKES = 100, PIT_IRQ = 0 };

uint64_t tsc_khz;
static uint64_t tsc_boot;
static uint64_t ns_mult, tsc_per_us_32; /* fixed point, 32 fractional bits */
static uint64_t apic_per_tsc_32;        /* one-shot timer: its ticks for one of the TSC */
static volatile bool pit_fired;
static struct irq timer_irq[MAX_CPUS];

uint64_t tsc_to_ns(uint64_t tsc)
{
	return (unsigned __int128)tsc * ns_mult >> 32;
}

uint64_t time_ns(void)
{
	return tsc_khz ? tsc_to_ns(rdtsc() - tsc_boot) : 0;
}

uint64_t tsc_from_us(uint64_t us)
{
	return (unsigned __int128)us * tsc_per_us_32 >> 32;
}

void udelay(unsigned us)
{
	uint64_t end = rdtsc() + tsc_from_us(us);

	while (rdtsc() < end)
		cpu_pause();
}

static void pit_handler(void *arg)
{
	(void)arg;
	pit_fired = true;
}

static void timer_handler(void *arg)
{
	(void)arg;
	this_cpu()->timer_irqs++;
	raise_softirq(SOFTIRQ_TIMER);
}

/* timer_hw_arm() - timer.c asks for an interrupt at TSC @deadline, or as soon as it can be if that is past. */
void timer_hw_arm(uint64_t deadline)
{
	uint64_t now = rdtsc(), left = deadline > now ? deadline - now : 1, count;

	if (apic_tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE, deadline > now ? deadline : now);
		return;
	}
	count = ((unsigned __int128)left * apic_per_tsc_32 >> 32) + 1;
	/* a timer further off than the counter reaches fires early, finds nothing due and is armed again */
	apic_timer_count(count < UINT32_MAX ? count : UINT32_MAX);
}

void time_init_cpu(void)
{
	struct irq *irq = &timer_irq[this_cpu()->id];

	*irq = (struct irq){ .handler = timer_handler, .name = "timer", .vector = VECTOR_TIMER };
	this_cpu()->vector[VECTOR_TIMER] = irq;
	apic_timer_mode();
}

/* sleep_until_pit() - HLT until the 8254 fires. The APIC timer wakes us too, so that a dead 8254 is an error. */
static void sleep_until_pit(void)
{
	for (int i = 0; i < CALIBRATE_WAKES; i++) {
		irq_disable();
		if (pit_fired) {
			irq_enable();
			return;
		}
		cpu_halt();
	}
	panic("the 8254 timer does not interrupt; without it there is no clock to calibrate the "
	      "TSC with");
}

void time_init(void)
{
	static struct irq pit;
	unsigned count = PIT_HZ / CALIBRATE_HZ;
	uint64_t tsc, apic_ticks;

	pit = (struct irq){ .handler = pit_handler, .name = "calibration" };
	if (ioapic_isa_init(&pit, PIT_IRQ) || irq_request(&pit, 0))
		panic("no interrupt line for the 8254 timer");
	time_init_cpu();
	apic_tsc_deadline = false; /* one-shot counts by itself until the TSC's rate is known */
	apic_timer_mode();
	apic_timer_count(UINT32_MAX);
	outb(PIT_COMMAND, PIT_ONE_SHOT);
	outb(PIT_CHANNEL0, count & 0xff);
	outb(PIT_CHANNEL0, count >> 8);
	tsc = rdtsc();
	sleep_until_pit();
	tsc = rdtsc() - tsc;
	apic_ticks = UINT32_MAX - apic_timer_left();
	apic_timer_count(0);
	irq_free(&pit);

	tsc_khz = tsc * CALIBRATE_HZ / 1000;
	tsc_boot = rdtsc() - tsc;
	ns_mult = (UINT64_C(1000000) << 32) / tsc_khz;
	tsc_per_us_32 = (tsc_khz << 32) / 1000;
	apic_per_tsc_32 = ((unsigned __int128)apic_ticks << 32) / tsc;
	apic_tsc_deadline = cpuid(1).ecx & CPUID1_ECX_TSC_DEADLINE;
	apic_timer_mode();
	timer_init();
}
