/* SPDX-License-Identifier: MIT */
/*
 * check_tlb.c - a changed page is seen when it has to be, and another guest's pages never are
 *
 * `check tlb-guests SEED MS` fills pages with what follows from SEED and looks for MS milliseconds
 * whether they hold it. Two guests on one core with different seeds use the same addresses.
 */
#include "check.h"
#include "clock.h"
#include "command.h"
#include "cpu.h"
#include "lib.h"
#include "paging.h"
#include "trap.h"

#define CR3_PCD BIT(4)
#define CR4_PGE BIT(7)
#define KEEP    (PTE_P | PTE_RW | PTE_A | PTE_D)

enum { PAGE = 60, SEEDED = 64, SEEDS = 128, DEFAULT_MS = 50, ROUNDS = 200 };

static uint64_t frames[2][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));

static uint64_t entry(unsigned i, uint64_t flags)
{
	return physical(frames[i]) | KEEP | flags;
}

/*
 * remapped() - the page goes from one frame to the other, @flush() is called: what is read
 * there must be the other's
 */
static const char *remapped(const char *name, uint64_t flags, void (*flush)(void *page))
{
	volatile uint64_t *page = window_map(PAGE, entry(0, flags));

	frames[0][0] = 100;
	frames[1][0] = 101;
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (page[0] != 100 + i % 2)
			return seen("%s: %lu, not %u", name, page[0], 100 + i % 2);
		if (i % 3 == 0)
			cpuid(0); /* out and in again */
		window_set(PAGE, entry(!(i % 2), flags));
		flush((void *)page);
	}
	return NULL;
}

static void by_invlpg(void *page)
{
	invlpg((uintptr_t)page);
}

static void by_cr3(void *page)
{
	(void)page;
	write_cr3(read_cr3());
}

static void by_new_cr3(void *page)
{
	(void)page;
	write_cr3(read_cr3() ^ CR3_PCD);
}

static void by_pge(void *page)
{
	(void)page;
	write_cr4(read_cr4() & ~CR4_PGE);
	write_cr4(read_cr4() | CR4_PGE);
}

static void by_wp(void *page)
{
	by_invlpg(page);
	write_cr0(read_cr0() ^ CR0_WP);
}

static const char *check_tlb(int n, char **word)
{
	static const struct {
		const char *name;
		uint64_t flags;
		void (*flush)(void *page);
	} ways[] = {
		{ "invlpg", 0, by_invlpg },
		{ "CR3 written", 0, by_cr3 },
		{ "CR3 changed", 0, by_new_cr3 },
		{ "CR4.PGE", PTE_G, by_pge },
		{ "invlpg, global", PTE_G, by_invlpg },
		{ "CR0.WP", 0, by_wp },
	};
	uint64_t cr4 = read_cr4();
	const char *wrong = NULL;

	(void)n;
	(void)word;
	write_cr4(cr4 | CR4_PGE);
	for (unsigned i = 0; i < ARRAY_SIZE(ways) && !wrong; i++)
		wrong = remapped(ways[i].name, ways[i].flags, ways[i].flush);
	write_cr4(cr4);
	window_map(PAGE, 0);
	return wrong;
}

/* --- rights --- */

static void op_write(void *page)
{
	*(volatile uint64_t *)page = 1;
}

/*
 * A page that becomes read-only, or more: seen at once; that becomes writable: at
 * the latest after the fault.
 */
static const char *check_tlb_rights(int n, char **word)
{
	uint64_t cr0 = read_cr0();
	const char *wrong = NULL;

	(void)n;
	(void)word;
	write_cr0(cr0 | CR0_WP);
	for (unsigned i = 0; i < ROUNDS && !wrong; i++) {
		void *page = window_map(PAGE, entry(0, 0));

		if (try(op_write, page))
			wrong = seen("a writable page took exception %lu", caught.frame.vector);
		window_map(PAGE, entry(0, 0) & ~PTE_RW);
		if (!wrong && try(op_write, page) != EXCEPTION_PF)
			wrong = seen("a read-only page could be written");
		window_map(PAGE, 0);
		if (!wrong && try(op_write, page) != EXCEPTION_PF)
			wrong = seen("a page that is gone could be written");
	}
	write_cr0(cr0);
	return wrong;
}

/* The CPU marks what it has read, and what it has written. */
static const char *check_tlb_marks(int n, char **word)
{
	volatile uint64_t *page = window_map(PAGE, physical(frames[0]) | PTE_P | PTE_RW);
	uint64_t fresh, read, written;

	(void)n;
	(void)word;
	fresh = window_set(PAGE, physical(frames[0]) | PTE_P | PTE_RW);
	(void)*page;
	read = window_set(PAGE, physical(frames[0]) | PTE_P | PTE_RW | PTE_A);
	invlpg((uintptr_t)page);
	*page = 1;
	written = window_set(PAGE, 0);
	invlpg((uintptr_t)page);
	if (fresh & (PTE_A | PTE_D) || (read & (PTE_A | PTE_D)) != PTE_A ||
	    (written & (PTE_A | PTE_D)) != (PTE_A | PTE_D))
		return seen("entry %lx, read %lx, written %lx", fresh, read, written);
	return NULL;
}

/* --- two guests --- */

static uint64_t seeded(uint64_t seed, unsigned i)
{
	return seed * 0x9e3779b97f4a7c15 + i;
}

static const char *check_tlb_guests(int n, char **word)
{
	static uint64_t pages[SEEDS][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));
	uint64_t seed = word_number(n, word, 1, 1), ms = word_number(n, word, 2, DEFAULT_MS);
	uint64_t end = clock_in_ms(ms);
	const char *wrong = NULL;

	for (unsigned i = 0; i < SEEDS; i++) {
		pages[i][0] = seeded(seed, i);
		window_map(SEEDED + i, physical(pages[i]) | KEEP);
	}
	do {
		for (unsigned i = 0; i < SEEDS && !wrong; i++) {
			uint64_t got = *(volatile uint64_t *)window_address(SEEDED + i);

			if (got != seeded(seed, i))
				wrong = seen("page %u holds %lx, not %lx", i, got, seeded(seed, i));
		}
		cpuid(0);
	} while (!wrong && !clock_passed(end));
	for (unsigned i = 0; i < SEEDS; i++)
		window_map(SEEDED + i, 0);
	return wrong;
}

CHECK(tlb_check, .name = "tlb", .help = "a remapped page: INVLPG, CR3, CR4.PGE, global pages",
      .run = check_tlb);
CHECK(tlb_rights_check, .name = "tlb-rights", .help = "a page that loses its rights",
      .run = check_tlb_rights);
CHECK(tlb_marks_check, .name = "tlb-marks", .help = "accessed and dirty", .run = check_tlb_marks);
CHECK(tlb_guests_check, .name = "tlb-guests",
      .help = "[SEED [MS]]: pages keep a pattern beside another guest's", .run = check_tlb_guests);
