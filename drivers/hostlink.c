/* SPDX-License-Identifier: MIT */
/*
 * hostlink.c - the 16550 at COM2, by polling [PC16550D datasheet, section 8]
 *
 * Called by kernel/hostlink.c in the control context, which yields between two calls.
 * Owns the UART's registers.
 *
 * Why a UART: every board has one, on QEMU and on a desk, and both ways. It is slow, as each
 * byte is an exit of its own; what is worth more than megabytes of capture wants another device
 * behind kernel/hostlink.h.
 */
#include "hostlink.h"

#include "kernel/hostlink.h"
#include "kernel/x86.h"
#include "uart_regs.h"

#include <stdbool.h>

enum { SCRATCH = 0x5a }; /* any byte but 0xff, which is what a port without a device reads */

static unsigned write(const uint8_t *buf, unsigned n)
{
	if (!(inb(COM2 + UART_LSR) & LSR_THRE))
		return 0;
	n = MIN(n, (unsigned)UART_FIFO);
	for (unsigned i = 0; i < n; i++)
		outb(COM2 + UART_THR, buf[i]);
	return n;
}

static unsigned read(uint8_t *buf, unsigned n)
{
	unsigned got = 0;

	while (got < n && inb(COM2 + UART_LSR) & LSR_DR)
		buf[got++] = inb(COM2 + UART_RBR);
	return got;
}

static bool is_there(void)
{
	outb(COM2 + UART_SCR, SCRATCH);
	return inb(COM2 + UART_SCR) == SCRATCH;
}

void hostlink_uart_init(void)
{
	static const struct hostlink_ops uart = { .write = write, .read = read };

	if (!is_there())
		return;
	outb(COM2 + UART_IER, 0);
	outb(COM2 + UART_LCR, LCR_DLAB);
	outb(COM2 + UART_DLL, 1); /* 115200 */
	outb(COM2 + UART_DLM, 0);
	outb(COM2 + UART_LCR, LCR_8N1);
	outb(COM2 + UART_FCR, FCR_SETUP);
	outb(COM2 + UART_MCR, MCR_SETUP);
	hostlink_attach(&uart);
}
