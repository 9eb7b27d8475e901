/* SPDX-License-Identifier: MIT */
/*
 * console.h - text out and in
 *
 * Output goes to a ring that the UART's interrupt drains; when it is full, what does not fit is
 * dropped and counted. The control context waits for room instead (console_write_wait), so a long
 * dump loses nothing. A panic writes straight to the device.
 */
#pragma once

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* what the console needs of a device; drivers/uart.c has one */
struct console_ops {
	/*
	 * there is output in the ring: start draining it. Any core, several at once, the console's
	 * lock not held
	 */
	void (*kick)(void);
	void (*put_now)(char c); /* write one byte, polling; before interrupts and after a panic */
	/* wait until the last byte has left the device; NULL if none stays behind in it */
	void (*drain_now)(void);
};

/* console_attach() - from now on output goes to @ops; what the ring holds is drained to it. */
void console_attach(const struct console_ops *ops);

/*
 * console_out_get() - the device takes up to @max bytes to send; returns how many. Any core,
 * interrupts off.
 */
size_t console_out_get(char *buf, size_t max);
/*
 * console_in_put() - the device delivers a byte; false if the input ring is full (counted). Core 0;
 * wakes control.
 */
bool console_in_put(char c);
/*
 * console_in_get() - the next byte typed, or -1. Control context. CONSOLE_IN_GAP is set in it if
 * bytes in front of it were lost: the line it belongs to is not what was typed.
 */
int console_in_get(void);
enum { CONSOLE_IN_GAP = 0x100 };
/*
 * console_interrupted() - was Ctrl-C typed? What was typed before it is forgotten, as by a terminal
 * of Linux; what came behind it is kept. Control context: for what runs till somebody stops it.
 */
bool console_interrupted(void);

/* kprintf() - a line for the operator, from anywhere but a hard interrupt; never waits. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* console_write() - never waits; what does not fit is dropped and counted. */
void console_write(const char *s, size_t n);
/*
 * console_write_wait() - control context: yields until there is room. Gives up (and counts) only
 * when the device has taken nothing for half a minute. Outside the control context it drains the
 * ring by polling instead.
 */
void console_write_wait(const char *s, size_t n);
/*
 * console_flush_now() - drain the ring and the device by polling; console_panic() also keeps output
 * synchronous from here on.
 */
void console_flush_now(void);
void console_panic(void);

/*
 * panic() - an invariant of ours is broken: registers, back trace, and the machine stops with a
 * failing status.
 */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(cond)                                                                 \
	do {                                                                         \
		if (unlikely(!(cond)))                                               \
			panic("%s:%d: %s does not hold", __FILE__, __LINE__, #cond); \
	} while (0)
