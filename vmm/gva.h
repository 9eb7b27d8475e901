/* SPDX-License-Identifier: MIT */
/*
 * gva.h - what a guest's own page tables say [SDM 3A 4]
 *
 * On the vCPU's core while an exit is handled. Tables are guest-controlled:
 * each entry is read once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "vcpu.h"

/*
 * gva_to_gpa() - linear to physical by v's paging mode; no access rights are checked.
 * 0, or -EFAULT: not mapped.
 */
int gva_to_gpa(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, uint64_t *gpa);
/*
 * gva_data() - the same for data that an emulated instruction reads or writes: -EFAULT also where
 * the page is not its to read or write, and a page that it will write is marked dirty [SDM 3A 4.6,
 * 4.8].
 */
int gva_data(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, bool write,
	     uint64_t *gpa);
/*
 * gva_fault() - why gva_data() refused. 0: a page fault, with this error code [SDM 3A 4.7].
 * -ERANGE: the address is not canonical. -EAGAIN: it would not be refused any more, another vCPU
 * has mended the tables. -EFAULT: nothing that the guest's CPU would take an exception for, such
 * as a table in no memory.
 */
int gva_fault(struct vcpu *v, const struct vcpu_sregs *s, uint64_t linear, bool write,
	      uint32_t *error);
/* gva_mode() - how the code at CS:rip is to be read. */
enum insn_mode gva_mode(const struct vcpu_sregs *s);
/* gva_fetch() - up to @max bytes of code at CS:rip; returns how many could be read. */
unsigned gva_fetch(struct vcpu *v, const struct vcpu_sregs *s, uint8_t *bytes, unsigned max);
