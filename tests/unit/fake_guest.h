/* SPDX-License-Identifier: MIT */
/*
 * fake_guest.h - a guest's buses without a guest: a test reads and writes ports and
 * memory as its driver would
 *
 * Accesses go by vmm/access.c, so with vm->lock as an exit takes it. The interrupt
 * controllers are notebooks.
 *	links: vmm/access.c vmm/bus.c vmm/vpci.c vmm/vpci_bar.c vmm/vpci_irq.c tests/unit/fake_guest.c tests/unit/host.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vmm/vm.h"

extern struct vm guest;
extern struct vcpu guest_vcpu;

/* interrupts that came: messages by their data's low byte, and the lines of the IOAPIC */
extern _Atomic unsigned guest_msi[256];
extern uint64_t guest_msi_address; /* of the last one */
extern bool guest_line[VIOAPIC_PINS];

/*
 * guest_up() - a VM with an empty bus, but for the host bridge. The test's set-up
 * function, behind host_cores().
 */
void guest_up(void);

uint32_t in(uint64_t port, unsigned size);
void out(uint64_t port, unsigned size, uint32_t value);
uint64_t load(uint64_t gpa, unsigned size);
void store(uint64_t gpa, unsigned size, uint64_t value);
/* holes() - accesses that nobody answered. */
uint64_t holes(const struct bus *b);

/* configuration space of device @slot */
uint32_t cfg(unsigned slot, unsigned offset, unsigned size);
void cfg_set(unsigned slot, unsigned offset, unsigned size, uint32_t value);
/* cfg_cap() - where the @nth capability, from 0, with this id stands; 0 if there is none. */
unsigned cfg_cap(unsigned slot, uint8_t id, unsigned nth);
/* cfg_bar() - the address in BAR @i, of 32 bits. */
uint64_t cfg_bar(unsigned slot, unsigned i);

/* msix_program() - entry @v of the table at @table: unmasked, a message with this data. */
void msix_program(uint64_t table, unsigned v, uint32_t data);
/* msix_control() - set and clear bits of the capability's control word. */
void msix_control(unsigned slot, uint16_t set, uint16_t clear);
