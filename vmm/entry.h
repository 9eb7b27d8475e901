/* SPDX-License-Identifier: MIT */
/*
 * entry.h - what a vCPU looks like at its first instruction, by whoever starts it
 */
#pragma once

#include <stdint.h>

#include "vcpu.h"

enum { ENTRY_CS = 0x10, ENTRY_DS = 0x18 }; /* __BOOT_CS and __BOOT_DS of the Linux boot protocol */

struct vcpu_entry {
	struct vcpu_sregs sregs;
	uint64_t gpr[GPR_N], rip;
};

/*
 * entry_long() - a Linux kernel's 64-bit entry [boot.rst]: paging is on with the identity map at
 * @cr3, @rsi is the zero page, and the GDT of @gdt_limit + 1 bytes at @gdt_base has code at
 * ENTRY_CS and data at ENTRY_DS.
 */
void entry_long(struct vcpu_entry *e, uint64_t rip, uint64_t rsi, uint64_t cr3, uint64_t gdt_base,
		uint32_t gdt_limit);
/*
 * entry_protected() - a PVH kernel: flat 32-bit segments without paging, @ebx is
 * its start info [PVH ABI].
 */
void entry_protected(struct vcpu_entry *e, uint32_t eip, uint32_t ebx);
/*
 * entry_real() - after INIT and STARTUP: real mode, at the beginning of 4 KiB page
 * @page [SDM 3A 9.1.1, 11.4.3].
 */
void entry_real(struct vcpu_entry *e, uint8_t page);
