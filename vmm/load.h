/* SPDX-License-Identifier: MIT */
/*
 * load.h - a guest's memory before its first instruction: kernel, initrd, command line, ACPI
 * tables [Linux boot protocol]
 *
 *	0x00000500 GDT    0x00007000 zero page, or PVH's start info    0x00009000 page tables, identity map of 4 GiB
 *	0x00020000 command line    0x000e0000 ACPI tables    the kernel where it wants to lie    top of low RAM: initrd
 *
 * A kernel is a bzImage with a 64-bit entry, as Linux is packed, or an ELF file with a
 * PVH entry, as vmlinux is.
 */
#pragma once

#include <stddef.h>

#include "entry.h"
#include "vm.h"

/*
 * load_exists() - 0, or -ENOENT, -EINVAL and a sentence in @why: is there a
 * file @name in the archive?
 */
int load_exists(const char *name, char *why, size_t size);
/*
 * load_kernel() - put vm's kernel, initrd, command line and tables in place. Returns 0 and @entry,
 * how the first vCPU begins; -ENOENT, -EINVAL, -ENOMEM and a sentence in @why: no such file,
 * damaged or of an unknown kind, memory too small. Nothing of the guest's memory has changed then.
 */
int load_kernel(struct vm *vm, struct vcpu_entry *entry, char *why, size_t size);
