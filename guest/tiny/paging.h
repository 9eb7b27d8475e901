/* SPDX-License-Identifier: MIT */
/* paging.h - pages that a check maps as it likes [SDM 3A 4.5]; ioremap() is in cpu.h */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"

#define PTE_P  BIT(0)
#define PTE_RW BIT(1)
#define PTE_US BIT(2)
#define PTE_A  BIT(5)
#define PTE_D  BIT(6)
#define PTE_G  BIT(8)
#define PTE_NX BIT(63)

/* error code of a page fault [SDM 3A 4.7] */
#define PF_P    BIT(0) /* the page is there */
#define PF_W    BIT(1)
#define PF_U    BIT(2)
#define PF_RSVD BIT(3)
#define PF_I    BIT(4) /* an instruction was to be read */

enum { WINDOW_PAGES = 511 };

/*
 * window_address() - of page @i. window_set() - its entry, which is returned as it
 * was; the TLB is not told.
 */
void *window_address(unsigned i);
uint64_t window_set(unsigned i, uint64_t entry);
/* window_map() - the same, and the TLB is told; returns the address. */
void *window_map(unsigned i, uint64_t entry);
/*
 * identity_map() - are the first GiB and the fourth, with the APICs, seen where they are as well?
 */
void identity_map(bool on);
