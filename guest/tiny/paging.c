/* SPDX-License-Identifier: MIT */
/*
 * paging.c - device memory, in the last GiB of the address space, in pages of 2 MiB; behind
 * it a window of small pages
 *
 * head.S made the tables; here the one of the last GiB is filled in from its start, and a page that
 * is there already is used again. The window is its last entry: pages that a check maps as it
 * likes.
 */
#include "paging.h"

#include "cpu.h"

#define PTE_PCD BIT(4) /* uncached */
#define PTE_PS  BIT(7) /* 2 MiB */
#define LARGE   UINT64_C(0x200000)

#define DEVICES UINT64_C(0xffffffffc0000000)
#define FOURTH  UINT64_C(0xc0000000) /* GiB: where the APICs are */
#define WINDOW  UINT64_C(0xffffffffffe00000)

extern uint64_t pd_devices[512], pml4[512], pdpt[512], pdpt_identity[512];

static uint64_t window[512] __attribute__((aligned(PAGE_SIZE)));

volatile uint8_t *ioremap(uint64_t address, uint64_t len)
{
	uint64_t first = ROUND_DOWN(address, LARGE);
	unsigned pages = (ROUND_UP(address + len, LARGE) - first) / LARGE, i, run = 0;

	for (i = 0; i < 511 && run < pages; i++) {
		uint64_t want = (first + run * LARGE) | PTE_P | PTE_RW | PTE_PCD | PTE_PS;

		if (!pd_devices[i])
			pd_devices[i] = want;
		if ((pd_devices[i] & ~BITS(6, 5)) == want) /* accessed and dirty are the CPU's */
			run++;
		else
			run = 0;
	}
	if (run < pages)
		return NULL;
	return (volatile uint8_t *)(DEVICES + (i - run) * LARGE + (address - first));
}

void *window_address(unsigned i)
{
	return (void *)(WINDOW + i * PAGE_SIZE);
}

uint64_t window_set(unsigned i, uint64_t entry)
{
	uint64_t was = window[i];

	if (!pd_devices[511]) { /* ring 3 may come as far as this; each page says for itself */
		pd_devices[511] = physical(window) | PTE_P | PTE_RW | PTE_US;
		pdpt[511] |= PTE_US;
		pml4[511] |= PTE_US;
		write_cr3(read_cr3());
	}
	window[i] = entry;
	return was;
}

void *window_map(unsigned i, uint64_t entry)
{
	window_set(i, entry);
	invlpg((uintptr_t)window_address(i));
	return window_address(i);
}

void identity_map(bool on)
{
	static uint64_t pd[512] __attribute__((aligned(PAGE_SIZE)));

	for (uint64_t i = 0; i < 512; i++)
		pd[i] = (FOURTH + i * LARGE) | PTE_P | PTE_RW | PTE_PCD | PTE_PS;
	pdpt_identity[3] = physical(pd) | PTE_P | PTE_RW;
	pml4[0] = on ? physical(pdpt_identity) | PTE_P | PTE_RW : 0;
	write_cr3(read_cr3());
}
