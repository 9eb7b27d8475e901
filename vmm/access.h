/* SPDX-License-Identifier: MIT */
/*
 * access.h - a port or an address of a guest, read or written once, whoever answers there
 *
 * On the vCPU's core while an exit is handled, vm->lock not held: it is taken round the device, but
 * for the vCPU's own local APIC and for an unlocked range (bus.h).
 */
#pragma once

#include "vcpu.h"

/*
 * mmio_read(), mmio_write() - an access to a device of v's guest: local APIC, IOAPIC, BARs,
 * holes. @size 1, 2, 4 or 8.
 */
uint64_t mmio_read(struct vcpu *v, uint64_t gpa, unsigned size);
void mmio_write(struct vcpu *v, uint64_t gpa, unsigned size, uint64_t value);
/* pio_read(), pio_write() - a port. @size 1, 2 or 4. */
uint32_t pio_read(struct vcpu *v, uint16_t port, unsigned size);
void pio_write(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);
