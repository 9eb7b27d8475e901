/* SPDX-License-Identifier: MIT */
/*
 * check_smp_memory.c - several CPUs agree on time and on memory, and may exit all at once
 */
#include "check_smp.h"
#include "clock.h"
#include "cpu.h"
#include "paging.h"

enum { PAGE = 200, RACE_MS = 30, ADDS = 20000, KNOCKS = 300, SHOTS = 50 };

static _Atomic uint64_t latest, backwards, sum;

static void race(void *arg)
{
	uint64_t end = clock_in_ms(RACE_MS);

	(void)arg;
	while (!clock_passed(end)) {
		uint64_t seen_before = latest, now = rdtsc();

		if (now < seen_before)
			backwards = MAX(backwards, seen_before - now);
		while (seen_before < now &&
		       !atomic_compare_exchange_weak(&latest, &seen_before, now))
			;
	}
}

static void add(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ADDS; i++)
		sum++;
}

/* everywhere() - all of them at once, this one too */
static const char *everywhere(unsigned cpus, void (*fn)(void *arg))
{
	const char *wrong = NULL;

	for (unsigned i = 1; i < cpus; i++)
		smp_post(i, fn, NULL);
	fn(NULL);
	for (unsigned i = 1; i < cpus && !wrong; i++)
		wrong = smp_wait(i);
	return wrong;
}

static const char *clocks_agree(unsigned cpus)
{
	const char *wrong;

	latest = backwards = 0;
	wrong = everywhere(cpus, race);
	if (wrong)
		return wrong;
	return backwards ? seen("a TSC was %lu ticks behind another", backwards) : NULL;
}

static const char *sums_agree(unsigned cpus)
{
	const char *wrong;

	sum = 0;
	wrong = everywhere(cpus, add);
	if (wrong)
		return wrong;
	return sum == cpus * (uint64_t)ADDS ? NULL : seen("the sum is %lu", sum);
}

static volatile unsigned wrong_reads;

/* exits of all at once: a device, a port, CPUID */
static void knock(void *arg)
{
	volatile uint8_t *hole = ioremap(HOLE, PAGE_SIZE);

	(void)arg;
	for (unsigned i = 0; i < KNOCKS; i++)
		if (readl(hole + 4 * i) != UINT32_MAX || inb(NOBODYS_PORT) != 0xff || !cpuid(0).eax)
			wrong_reads++;
}

static const char *exits_at_once(unsigned cpus)
{
	const char *wrong;

	wrong_reads = 0;
	ioremap(HOLE, PAGE_SIZE);
	wrong = everywhere(cpus, knock);
	if (wrong)
		return wrong;
	return wrong_reads ? seen("%u wrong answers", wrong_reads) : NULL;
}

static void read_page(void *arg)
{
	*(volatile uint64_t *)arg = *(volatile uint64_t *)window_address(PAGE);
}

static void flush_and_read(void *arg)
{
	invlpg((uintptr_t)window_address(PAGE));
	read_page(arg);
}

static const char *shootdowns(unsigned cpus)
{
	static uint64_t frames[2][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));
	volatile uint64_t got = 0;
	const char *wrong = NULL;

	frames[0][0] = 1;
	frames[1][0] = 2;
	for (unsigned i = 0; i < SHOTS * (cpus - 1) && !wrong; i++) {
		unsigned id = 1 + i % (cpus - 1);

		window_map(PAGE, physical(frames[0]) | PTE_P | PTE_RW);
		smp_post(id, flush_and_read, (void *)&got);
		wrong = smp_wait(id);
		if (!wrong && got != 1)
			wrong = seen("CPU %u read %lu, not 1", id, got);
		window_map(PAGE, physical(frames[1]) | PTE_P | PTE_RW);
		smp_post(id, flush_and_read, (void *)&got);
		wrong = wrong ? wrong : smp_wait(id);
		if (!wrong && got != 2)
			wrong = seen("CPU %u read %lu, not 2", id, got);
	}
	window_map(PAGE, 0);
	return wrong;
}

SMP_CHECK(smp_tsc, "smp-tsc", "no TSC goes behind another", clocks_agree);
SMP_CHECK(smp_atomic, "smp-atomic", "locked additions are all there", sums_agree);
SMP_CHECK(smp_exits, "smp-exits", "exits of all CPUs at once", exits_at_once);
SMP_CHECK(smp_tlb, "smp-tlb", "a page remapped, and the other CPU told", shootdowns);
