/* SPDX-License-Identifier: MIT */
/*
 * emulate.h - instructions that a guest's exit left to be carried out
 *
 * On the vCPU's core while an exit is handled, vm->lock not held; they take it round
 * each access of a device.
 */
#pragma once

#include "decode.h"
#include "vcpu.h"

/*
 * emulate_mmio() - decode and carry out the access of EXIT_MMIO, a repeated one up to a bound and
 * then again. 0: rip is behind it; or at it if more rounds are due, or a fault of the guest's own
 * tables is to be injected. -EINVAL: cannot be decoded, or its other side is no memory, and the
 * guest must end; bytes[] and *n say what stood there.
 */
int emulate_mmio(struct vcpu *v, uint8_t bytes[INSN_MAX], unsigned *n);
/* emulate_string_io() - INS and OUTS of EXIT_IO, likewise. */
int emulate_string_io(struct vcpu *v);
