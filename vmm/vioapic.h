/* SPDX-License-Identifier: MIT */
/*
 * vioapic.h - a guest's IOAPIC, 24 pins at 0xfec00000 [82093AA]
 *
 * Guarded by vm->lock: exits on several cores, the vhost workers (INTx) and the console reach it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vm;

#define VIOAPIC_BASE UINT64_C(0xfec00000)
#define VIOAPIC_SIZE 0x1000

enum { VIOAPIC_PINS = 24 };

struct vioapic {
	struct vm *vm;
	uint32_t index, id;
	uint64_t redirection[VIOAPIC_PINS];
	uint32_t level;               /* BIT(pin): the line is asserted */
	uint64_t count[VIOAPIC_PINS]; /* delivered */
};

/* vioapic_init() - once. vioapic_reset() - as after RESET: all pins masked, no line asserted. */
void vioapic_init(struct vioapic *io, struct vm *vm);
void vioapic_reset(struct vioapic *io);
/*
 * vioapic_set() - the line at @pin goes up or down. Lines shared by several
 * devices are the caller's to OR.
 */
void vioapic_set(struct vioapic *io, unsigned pin, bool up);
/*
 * vioapic_eoi() - a vCPU finished a level-triggered @vector: pins that still are up are sent again.
 */
void vioapic_eoi(struct vioapic *io, uint8_t vector);
/* vioapic_read(), vioapic_write() - its memory; @offset from VIOAPIC_BASE. */
uint64_t vioapic_read(struct vioapic *io, uint64_t offset, unsigned size);
void vioapic_write(struct vioapic *io, uint64_t offset, unsigned size, uint64_t value);
