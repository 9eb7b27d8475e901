/* SPDX-License-Identifier: MIT */
/*
 * mem.h - boot memory and the identity map
 *
 * Memory is handed out once, at set-up, and never taken back: pools, stacks, page tables,
 * rings and the arena of newlib's heap. A pointer is a physical and a DMA address. MMIO is
 * mapped uncached on request.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "boot_info.h"

/* mem_init() - learn the RAM from @b, less the image, all below 1 MiB and what @b reserves. */
void mem_init(const struct boot_info *b);

/*
 * mem_alloc() - @bytes, aligned to @align (a power of two), not zeroed unless asked by
 * mem_zalloc(). Panics with a sentence naming @what when RAM has run out: nothing that boots can do
 * without.
 */
void *mem_alloc(size_t bytes, size_t align, const char *what);
void *mem_zalloc(size_t bytes, size_t align, const char *what);
/* mem_exhausted() - that panic, for who found it out by mem_try_alloc(). */
_Noreturn void mem_exhausted(size_t bytes, const char *what);
/* mem_try_alloc() - the same, NULL when there is not that much. */
void *mem_try_alloc(size_t bytes, size_t align);

uint64_t mem_total(void); /* bytes of usable RAM */
uint64_t mem_free(void);  /* bytes not yet handed out */

/*
 * paging_init() - the real identity map: text read and execute, constants read, all other RAM read
 * and write, no page both; page 0 and stack guards absent. [SDM 3A 4.5, 4.6]
 */
void paging_init(const struct boot_info *b);
/* paging_init_cpu() - use it on this core. */
void paging_init_cpu(void);
/* paging_guard() - take the page at @page away: the end of a stack. */
void paging_guard(void *page);
/*
 * paging_trampoline() - the one page below 1 MiB that may be written and executed, while cores
 * start; off takes it back.
 */
void paging_trampoline(uint64_t page, int on);
/* mmio_map() - uncached, read and write; the pointer equals @pa. */
void *mmio_map(uint64_t pa, size_t len);
/* table_map() - firmware's tables: cached, read-only. */
const void *table_map(uint64_t pa, size_t len);
/* paging_is_guard() - does @va lie in a guard page? paging_is_mapped() - may it be read? */
int paging_is_guard(uint64_t va);
int paging_is_mapped(uint64_t va);
