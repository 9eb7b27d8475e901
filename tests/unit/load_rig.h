/* SPDX-License-Identifier: MIT */
/*
 * load_rig.h - what a kernel is loaded with in unit tests: a guest and its memory, a
 * boot archive with two files
 *
 * In the place of vmm/vacpi.c stands one that writes a signature where the tables begin.
 *	links: vmm/load.c vmm/entry.c kernel/cpio.c tests/unit/load_rig.c tests/unit/host.c, and a loader
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "vmm/load.h"

extern struct vm vm;
extern struct vcpu_entry entry; /* where the last kernel that was loaded begins */
extern char why[160];           /* why the last one was refused; "" if it was not */

/*
 * load_rig_start() - guest "g0" with 64 MiB wants @name, the @len bytes at @kernel, and "rd", the
 * @rd_len at @rd, which are filled. The test may change all of them until it loads.
 */
void load_rig_start(const char *name, const void *kernel, size_t len, uint8_t *rd, size_t rd_len);
/* memory() - @mib of it for the guest instead, all bytes 0xee. */
void memory(unsigned mib);

/* load() - load the guest's kernel from an archive with both files. As load_kernel() returns it. */
int load(void);
/* load_cut() - the same, with only the first @len bytes of the kernel's file. */
int load_cut(size_t len);
/* loads(), refuses() - load(), and that comes of it. */
void loads(void);
void refuses(int err, const char *sentence);
