/* SPDX-License-Identifier: MIT */
/*
 * time.c - calibration of the TSC, conversions, and the local APIC timer behind the timers
 *
 * time_init() runs once on core 0 at boot: it lets the 8254 interrupt after a known time and sleeps
 * by HLT until then, so neither an emulated machine nor a power meter sees a busy loop. CPUID leaf
 * 0x15 is not asked: emulators fill it with numbers that have nothing to do with their TSC.
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
#define PIT_LATCH 0x00 /* channel 0: hold the count until it has been read */

enum {
	PIT_IRQ = 0,
	CALIBRATE_HZ = 50, /* a fiftieth of a second: 1 part in 20,000 for a tick of the 8254 */
	CALIBRATE_LOOKS = 16,
	CALIBRATE_RUNS = 10,
};

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

/*
 * timer_hw_arm() - timer.c asks for an interrupt at TSC @deadline, or as soon as
 * it can be if that is past.
 */
void timer_hw_arm(uint64_t deadline)
{
	uint64_t now = rdtsc(), left = deadline > now ? deadline - now : 1, count;

	if (apic_tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE, deadline > now ? deadline : now);
		return;
	}
	count = ((unsigned __int128)left * apic_per_tsc_32 >> 32) + 1;
	/*
	 * a timer further off than the counter reaches fires early, finds
	 * nothing due and is armed again
	 */
	apic_timer_count(count < UINT32_MAX ? count : UINT32_MAX);
}

void time_init_cpu(void)
{
	struct irq *irq = &timer_irq[this_cpu()->id];

	*irq = (struct irq){ .handler = timer_handler, .name = "timer", .vector = VECTOR_TIMER };
	this_cpu()->vector[VECTOR_TIMER] = irq;
	apic_timer_mode();
}

/*
 * sleep_until_pit() - HLT until the 8254 fires. The APIC timer, seconds away, ends the
 * wait for one that is dead.
 */
static void sleep_until_pit(void)
{
	uint64_t before = this_cpu()->timer_irqs;

	for (;;) {
		irq_disable();
		if (pit_fired)
			break;
		if (this_cpu()->timer_irqs != before)
			panic("the 8254 timer does not interrupt; without it there is no clock to "
			      "calibrate the TSC with");
		cpu_halt();
	}
	irq_enable();
}

/* one moment, by all three clocks */
struct moment {
	uint64_t tsc;
	uint32_t apic; /* counts down */
	uint16_t pit;  /* counts down, and on below zero */
};

/*
 * now_by_all() - an emulator may be put aside by its host between any two instructions: of several
 * looks the one that took the shortest is the truest.
 */
static struct moment now_by_all(void)
{
	struct moment best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < CALIBRATE_LOOKS; i++) {
		uint64_t begin = rdtsc(), took;
		struct moment m;

		outb(PIT_COMMAND, PIT_LATCH);
		m.apic = apic_timer_left();
		m.pit = inb(PIT_CHANNEL0);
		m.pit |= inb(PIT_CHANNEL0) << 8;
		took = rdtsc() - begin;
		m.tsc = begin + took / 2;
		if (took < shortest) {
			shortest = took;
			best = m;
		}
	}
	return best;
}

/*
 * calibrate_once() - let the 8254 run for a fiftieth of a second; sets tsc_khz
 * and the APIC timer's rate.
 */
static void calibrate_once(void)
{
	unsigned count = PIT_HZ / CALIBRATE_HZ;
	struct moment from, to;
	uint16_t ticks;

	pit_fired = false;
	apic_timer_count(UINT32_MAX);
	outb(PIT_COMMAND, PIT_ONE_SHOT);
	outb(PIT_CHANNEL0, count & 0xff);
	outb(PIT_CHANNEL0, count >> 8);
	from = now_by_all();
	sleep_until_pit();
	to = now_by_all();
	apic_timer_count(0);
	/* a wait of more than 54.9 ms wraps: such a run agrees with no other */
	ticks = from.pit - to.pit;
	if (!ticks)
		ticks = 1;
	tsc_khz = (to.tsc - from.tsc) * PIT_HZ / ticks / 1000;
	apic_per_tsc_32 = ((unsigned __int128)(from.apic - to.apic) << 32) / (to.tsc - from.tsc);
}

/*
 * calibrate() - until two runs in a row agree to one in a thousand, which they do at
 * once on a quiet machine.
 */
static void calibrate(void)
{
	uint64_t last;

	calibrate_once();
	for (int i = 0; i < CALIBRATE_RUNS; i++) {
		last = tsc_khz;
		calibrate_once();
		if (MAX(last, tsc_khz) - MIN(last, tsc_khz) <= tsc_khz / 1000)
			return;
	}
	kprintf("time: the TSC's rate is uncertain; %d measurements did not agree\n",
		CALIBRATE_RUNS);
}

void time_init(void)
{
	static struct irq pit;

	pit = (struct irq){ .handler = pit_handler, .name = "calibration" };
	if (ioapic_isa_init(&pit, PIT_IRQ) || irq_request(&pit, 0))
		panic("no interrupt line for the 8254 timer");
	time_init_cpu();
	apic_tsc_deadline = false; /* one-shot counts by itself until the TSC's rate is known */
	apic_timer_mode();
	tsc_boot = rdtsc();
	calibrate();
	irq_free(&pit);

	ns_mult = (UINT64_C(1000000) << 32) / tsc_khz;
	tsc_per_us_32 = (tsc_khz << 32) / 1000;
	apic_tsc_deadline = cpuid(1).ecx & CPUID1_ECX_TSC_DEADLINE;
	apic_timer_mode();
	timer_init();
}
