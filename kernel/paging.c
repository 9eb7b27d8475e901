/* SPDX-License-Identifier: MIT */
/*
 * paging.c - the identity map and its rights
 *
 * Built once on core 0 and shared by all cores; later changes (guards of new stacks, MMIO of new
 * devices) only add to it or happen before the core that could care runs. No page is both
 * writable and executable, but for the cores' trampoline while they start. [SDM 3A 4.5 "4-Level
 * Paging", 4.6 "Access Rights"]
 */
#include "mem.h"

#include "acpi.h"
#include "bits.h"
#include "console.h"
#include "cpu.h"
#include "selftest.h"
#include "x86.h"

#include <errno.h>

#define PTE_P     BIT(0)
#define PTE_RW    BIT(1)
#define PTE_PWT   BIT(3)
#define PTE_PCD   BIT(4)
#define PTE_PS    BIT(7) /* a page, not a table, at levels 2 and 3 */
#define PTE_GUARD BIT(9) /* ignored by the CPU: absent on purpose, the end of a stack */
#define PTE_NX    BIT(63)
#define PTE_ADDR  BITS(51, 12)

#define MAP_RAM    (PTE_P | PTE_RW | PTE_NX)
#define MAP_TEXT   (PTE_P)
#define MAP_RODATA (PTE_P | PTE_NX)
#define MAP_MMIO   (PTE_P | PTE_RW | PTE_NX | PTE_PCD | PTE_PWT)
#define MAP_RWX    (PTE_P | PTE_RW)

enum { LEVELS = 4, PER_TABLE = 512 };

extern char _start_text[], _end_text[], _end_rodata[], boot_stack_guard[];

static uint64_t *pml4;

static uint64_t page_size(int level) /* 1: 4 KiB, 2: 2 MiB, 3: 1 GiB */
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

static uint64_t *table_new(void)
{
	return mem_zalloc(PAGE_SIZE, PAGE_SIZE, "page tables");
}

/* split() - turn a large page into a table of smaller ones with the same rights. */
static void split(uint64_t *entry, int level)
{
	uint64_t *t = table_new();
	uint64_t attr = *entry & ~(PTE_ADDR | PTE_PS), base = *entry & PTE_ADDR;

	for (unsigned i = 0; i < PER_TABLE; i++)
		t[i] = (base + i * page_size(level - 1)) | attr | (level > 2 ? PTE_PS : 0);
	*entry = (uint64_t)t | PTE_P | PTE_RW;
}

/* entry_at() - the entry that maps @va at @level; makes the tables above it. */
static uint64_t *entry_at(uint64_t va, int level)
{
	uint64_t *table = pml4;

	for (int l = LEVELS;; l--) {
		uint64_t *e = &table[(va >> (12 + 9 * (l - 1))) & (PER_TABLE - 1)];

		if (l == level)
			return e;
		if (!(*e & PTE_P))
			*e = (uint64_t)table_new() | PTE_P | PTE_RW;
		else if (*e & PTE_PS)
			split(e, l);
		table = (uint64_t *)(*e & PTE_ADDR);
	}
}

/* map() - [base, end) to itself with @flags, in pages as large as fit; widens to whole pages. */
static void map(uint64_t base, uint64_t end, uint64_t flags, int max_level)
{
	base = ROUND_DOWN(base, (uint64_t)PAGE_SIZE);
	end = ROUND_UP(end, (uint64_t)PAGE_SIZE);
	while (base < end) {
		int level = max_level;
		uint64_t *e;

		while (level > 1 &&
		       (base & (page_size(level) - 1) || end - base < page_size(level)))
			level--;
		e = entry_at(base, level);
		while (level > 1 && (*e & PTE_P) &&
		       !(*e & PTE_PS)) /* finer already: keep it fine */
			e = entry_at(base, --level);
		*e = base | flags | (level > 1 ? PTE_PS : 0);
		invlpg(base);
		base += page_size(level);
	}
}

void paging_init(const struct boot_info *b)
{
	int large = cpuid(0x80000001).edx & CPUID80000001_EDX_1GB ? 3 : 2;

	if (!(cpuid(0x80000001).edx & CPUID80000001_EDX_NX))
		panic("this CPU has no execute-disable (NX), which the memory map needs");
	pml4 = table_new();
	for (unsigned i = 0; i < b->nregions; i++)
		if (b->region[i].type == BOOT_REGION_RAM)
			map(b->region[i].base, b->region[i].base + b->region[i].len, MAP_RAM,
			    large);
	map((uint64_t)_start_text, (uint64_t)_end_text, MAP_TEXT, 1);
	map((uint64_t)_end_text, (uint64_t)_end_rodata, MAP_RODATA, 1);
	*entry_at(0, 1) = 0;
	paging_guard(boot_stack_guard);
	paging_init_cpu();
}

void paging_init_cpu(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	write_cr3((uint64_t)pml4);
	write_cr0(read_cr0() | CR0_WP);
}

void paging_guard(void *page)
{
	*entry_at((uint64_t)page, 1) = PTE_GUARD;
	invlpg((uint64_t)page);
}

/* leaf_at() - the entry that decides about @va, at whatever level; 0 if there is none. */
static uint64_t leaf_at(uint64_t va)
{
	uint64_t *table = pml4;

	for (int l = LEVELS;; l--) {
		uint64_t e = table[(va >> (12 + 9 * (l - 1))) & (PER_TABLE - 1)];

		if (l == 1 || !(e & PTE_P) || (e & PTE_PS))
			return e;
		table = (uint64_t *)(e & PTE_ADDR);
	}
}

int paging_is_guard(uint64_t va)
{
	return pml4 && leaf_at(va) == PTE_GUARD;
}

int paging_is_mapped(uint64_t va)
{
	return pml4 ? leaf_at(va) & PTE_P : va < UINT64_C(1) << 32; /* entry.S's own map */
}

void paging_trampoline(uint64_t page, int on)
{
	map(page, page + PAGE_SIZE, on ? MAP_RWX : MAP_RAM, 1);
}

void *mmio_map(uint64_t pa, size_t len)
{
	map(pa, pa + len, MAP_MMIO, 2);
	return (void *)pa;
}

const void *table_map(uint64_t pa, size_t len)
{
	for (uint64_t p = ROUND_DOWN(pa, (uint64_t)PAGE_SIZE); p < pa + len; p += PAGE_SIZE) {
		uint64_t *e = entry_at(p, 1);

		if (!*e) /* RAM keeps the rights it has */
			map(p, p + PAGE_SIZE, MAP_RODATA, 1);
	}
	return (const void *)pa;
}

/* --- selftest: walk the map as it stands and look at the rights of every page --- */

struct tally {
	unsigned pages, exec, write_exec;
};

static void tally_table(struct tally *t, const uint64_t *table, int level)
{
	for (unsigned i = 0; i < PER_TABLE; i++) {
		uint64_t e = table[i];

		if (!(e & PTE_P))
			continue;
		if (level > 1 && !(e & PTE_PS)) {
			tally_table(t, (const uint64_t *)(e & PTE_ADDR), level - 1);
			continue;
		}
		t->pages++;
		t->exec += !(e & PTE_NX);
		t->write_exec += (e & PTE_RW) && !(e & PTE_NX);
	}
}

static int test_rights(struct shell *sh)
{
	unsigned text = ((uint64_t)_end_text - (uint64_t)_start_text) / PAGE_SIZE, guards = 0;
	struct tally t = { 0 };
	bool mmio, null;

	tally_table(&t, pml4, LEVELS);
	cpu_for_each(i) /* a stack and a fault stack each */
		guards += !paging_is_mapped((uint64_t)cpus[i]->stack_top - CPU_STACK_SIZE - 1) +
			  !paging_is_mapped((uint64_t)cpus[i]->ist_top - CPU_IST_SIZE - 1);
	null = leaf_at(0) & PTE_P;
	mmio = (leaf_at(acpi.ioapic[0].base) & MAP_MMIO) == MAP_MMIO;
	shell_printf(sh,
		     "  %u pages: %u executable (text has %u), %u writable as well; %u guards; "
		     "page 0 %s; MMIO %s\n",
		     t.pages, t.exec, text, t.write_exec, guards, null ? "PRESENT" : "absent",
		     mmio ? "uncached" : "CACHED");
	return t.exec == text && !t.write_exec && guards == 2 * ncpus && !null && mmio ? 0 : -EIO;
}

SELFTEST(selftest_rights, .name = "rights",
	 .help = "no page both writable and executable, guards, page 0, MMIO", .run = test_rights);
