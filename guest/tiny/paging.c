/* SPDX-License-Identifier: MIT */
/*
 * paging.c - device memory, in the last GiB of the address space, in pages of 2 MiB
 *
 * At set-up. head.S made the tables; here the one of the last GiB is filled in from its start, and a page that is there
 * already is used again.
 */
#include "cpu.h"

#define PTE_P   BIT(0)
#define PTE_RW  BIT(1)
#define PTE_PCD BIT(4) /* uncached */
#define PTE_PS  BIT(7) /* 2 MiB */
#define LARGE   UINT64_C(0x200000)

#define DEVICES UINT64_C(0xffffffffc0000000)

extern uint64_t pd_devices[512];

volatile uint8_t *ioremap(uint64_t address, uint64_t len)
{
	uint64_t first = ROUND_DOWN(address, LARGE);
	unsigned pages = (ROUND_UP(address + len, LARGE) - first) / LARGE, i, run = 0;

	for (i = 0; i < 512 && run < pages; i++) {
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
