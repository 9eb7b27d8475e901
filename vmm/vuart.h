/* SPDX-License-Identifier: MIT */
/*
 * vuart.h - a guest's serial line: a 16550A at COM1, pin 4 of its IOAPIC [PC16550D]
 *
 * What the guest sends is kept in a ring, the oldest overwritten, for `guest console`; what is
 * typed there waits in another for its receiver. Guarded by vm->lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct vm;

enum { VUART_PORT = 0x3f8, VUART_PORTS = 8, VUART_PIN = 4, VUART_OUT = 32 * 1024, VUART_IN = 256 };

struct vuart {
	struct vm *vm;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	bool thr_empty_irq; /* THRE interrupt is pending */
	/* indices run freely; the slot is the index modulo the size */
	uint32_t in_head, in_tail;
	uint64_t out_head; /* bytes ever sent */
	uint64_t in_lost;
	uint8_t in[VUART_IN];
	char out[VUART_OUT];
};

/*
 * vuart_init() - once. vuart_reset() - as after RESET; what the guest has sent stays readable.
 * vm->lock held, or VM off.
 */
void vuart_init(struct vuart *u, struct vm *vm);
void vuart_reset(struct vuart *u);
/* vuart_read(), vuart_write() - of a struct bus_range; @offset from VUART_PORT. vm->lock held. */
uint64_t vuart_read(void *u, uint64_t offset, unsigned size);
void vuart_write(void *u, uint64_t offset, unsigned size, uint64_t value);
/* vuart_room() - bytes that can be typed just now. Takes vm->lock. */
unsigned vuart_room(struct vuart *u);
/* vuart_type() - a byte for the guest; false if there is no room (counted). Takes vm->lock. */
bool vuart_type(struct vuart *u, uint8_t c);
/*
 * vuart_said() - what the guest sent from byte @from on, up to @max of it. Returns how many; *from
 * moves on, past what was overwritten too. Takes vm->lock.
 */
unsigned vuart_said(struct vuart *u, uint64_t *from, char *buf, unsigned max);
