/* SPDX-License-Identifier: MIT */
/*
 * check_smp.c - several CPUs: started, stopped, interrupted in every way that there is
 */
#include "apic.h"
#include "check_smp.h"
#include "clock.h"
#include "cpu.h"
#include "smp.h"

enum { LAND_MS = 10000, QUIET_US = 300, ROUND_TRIPS = 200 };

const char *check_with_all(const char *(*check)(unsigned cpus))
{
	unsigned cpus = smp_cpus();
	const char *wrong;

	if (cpus == 1)
		return lacks("one vCPU");
	wrong = smp_start();
	if (!wrong)
		wrong = check(cpus);
	smp_stop();
	return wrong;
}

/* --- starting --- */

static const char *starts(unsigned cpus)
{
	const char *wrong;

	apic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | SMP_AT / PAGE_SIZE);
	clock_pause_us(QUIET_US);
	for (unsigned i = 1; i < cpus; i++)
		if (ap[i].starts != 1)
			return seen("a STARTUP without INIT started CPU %u", i);
	for (unsigned i = 0; i < 3; i++) {
		wrong = smp_start();
		if (wrong)
			return wrong;
	}
	return NULL;
}

static volatile bool looping;

static void loop_for_ever(void *arg)
{
	(void)arg;
	irq_disable();
	looping = true;
	for (;;)
		barrier();
}

/* INIT gets it out of whatever it does */
static const char *stops(unsigned cpus)
{
	uint64_t end = clock_in_ms(LAND_MS);
	const char *wrong;

	(void)cpus;
	looping = false;
	smp_post(1, loop_for_ever, NULL);
	while (!looping && !clock_passed(end))
		cpu_pause();
	if (!looping)
		return seen("CPU 1 does not run");
	wrong = smp_start();
	return wrong ? wrong : smp_wait(1);
}

/* --- interrupts --- */

static unsigned bits(uint32_t mask)
{
	unsigned n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* landed() - interrupts taken since @before; *@where is the mask of CPUs that took any */
static unsigned landed(const unsigned before[SMP_CPUS], unsigned cpus, uint32_t *where)
{
	unsigned n = 0;

	*where = 0;
	for (unsigned i = 0; i < cpus; i++) {
		n += ap[i].irqs - before[i];
		*where |= ap[i].irqs != before[i] ? 1U << i : 0;
	}
	return n;
}

/*
 * lands() - @command to @dest arrives at those CPUs of mask @want, once, and at no
 * other; @any: at one of them
 */
static const char *lands(const char *name, uint32_t dest, uint32_t command, uint32_t want, bool any,
			 unsigned cpus)
{
	uint64_t end = clock_in_ms(LAND_MS);
	unsigned before[SMP_CPUS], got, wanted = any ? 1 : bits(want);
	uint32_t where;

	for (unsigned i = 0; i < cpus; i++)
		before[i] = ap[i].irqs;
	apic_send(dest, command | ICR_ASSERT | VECTOR_CHECK_LOW);
	while (landed(before, cpus, &where) < wanted && !clock_passed(end))
		cpu_pause();
	clock_pause_us(QUIET_US); /* for those that must not come */
	got = landed(before, cpus, &where);
	if (got != wanted || (any ? where & ~want : where != want))
		return seen("%s: %u interrupts at CPUs %x, not %u at %x", name, got, where, wanted,
			    want);
	return NULL;
}

static uint32_t logical(uint32_t mask)
{
	return mask; /* of cluster 0 in x2APIC mode, flat in the other */
}

static const char *ipis(unsigned cpus)
{
	uint32_t all = (1U << cpus) - 1;
	const char *wrong = NULL;

	for (unsigned i = 0; i < cpus && !wrong; i++) {
		wrong = lands("physical", i, 0, 1U << i, false, cpus);
		if (!wrong)
			wrong = lands("logical", logical(1U << i), ICR_LOGICAL, 1U << i, false,
				      cpus);
	}
	if (!wrong)
		wrong = lands("logical, all", logical(all), ICR_LOGICAL, all, false, cpus);
	if (!wrong)
		wrong = lands("self", 0, ICR_SELF, 1, false, cpus);
	if (!wrong)
		wrong = lands("all but self", 0, ICR_OTHERS, all & ~1U, false, cpus);
	if (!wrong)
		wrong = lands("all", 0, ICR_ALL, all, false, cpus);
	if (!wrong)
		wrong = lands("broadcast", x2apic ? UINT32_MAX : 0xff, 0, all, false, cpus);
	if (!wrong)
		wrong = lands("nobody", SMP_CPUS + 3, 0, 0, false, cpus);
	if (!wrong)
		wrong = lands("lowest priority", logical(all), ICR_LOGICAL | ICR_LOWEST, all, true,
			      cpus);
	return wrong;
}

static void answer(void *arg)
{
	(void)arg;
	apic_send(0, ICR_ASSERT | VECTOR_CHECK_LOW);
}

/* there and back: each trip wakes the other one, and then this one */
static const char *round_trips(unsigned cpus)
{
	const char *wrong = NULL;
	uint64_t end;

	for (unsigned i = 0; i < ROUND_TRIPS && !wrong; i++) {
		unsigned id = 1 + i % (cpus - 1), before = ap[0].irqs;

		end = clock_in_ms(LAND_MS);
		smp_post(id, answer, NULL);
		irq_disable();
		while (ap[0].irqs == before && !clock_passed(end)) {
			apic_wake(UINT32_MAX);
			cpu_halt();
			irq_disable();
		}
		irq_enable();
		wrong = smp_wait(id);
		if (!wrong && ap[0].irqs != before + 1)
			wrong = seen("trip %u: %u answers", i, ap[0].irqs - before);
	}
	return wrong;
}

/* --- NMIs --- */

static volatile bool nmi_seen;

static void loop_till_nmi(void *arg)
{
	struct ap *a = arg;
	uint64_t end = clock_in_ms(LAND_MS);

	irq_disable();
	looping = true;
	while (!a->nmis && !clock_passed(end))
		barrier();
	nmi_seen = a->nmis;
}

static const char *nmis_land(unsigned cpus)
{
	for (unsigned i = 1; i < cpus; i++) {
		uint64_t end = clock_in_ms(LAND_MS);
		const char *wrong;

		apic_send(i, ICR_ASSERT | ICR_NMI);
		while (!ap[i].nmis && !clock_passed(end))
			cpu_pause();
		if (ap[i].nmis != 1)
			return seen("CPU %u, halted: %u NMIs", i, ap[i].nmis);
		ap[i].nmis = 0;
		looping = nmi_seen = false;
		smp_post(i, loop_till_nmi, &ap[i]);
		while (!looping && !clock_passed(end))
			cpu_pause();
		apic_send(i, ICR_ASSERT | ICR_NMI);
		wrong = smp_wait(i);
		if (wrong || !nmi_seen)
			return wrong ? wrong : seen("CPU %u, with IF=0: no NMI", i);
	}
	return NULL;
}

SMP_CHECK(smp_start, "smp-start", "INIT and STARTUP, again and again, and STARTUP alone", starts);
SMP_CHECK(smp_init, "smp-init", "INIT to a CPU that runs with interrupts off", stops);
SMP_CHECK(smp_ipi, "smp-ipi", "physical, logical, shorthands, lowest priority", ipis);
SMP_CHECK(smp_wake, "smp-wake", "there and back, out of two halts", round_trips);
SMP_CHECK(smp_nmi, "smp-nmi", "NMIs to a CPU that sleeps, and that has interrupts off", nmis_land);
