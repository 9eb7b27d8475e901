/* SPDX-License-Identifier: MIT */
/*
 * console.c - a 16550 at COM1 [PC16550D 8]
 *
 * Output by polling, a FIFO at a time: a look and 16 bytes. Input by interrupt through pin 4 of the
 * IOAPIC into a ring, which the main loop empties. No echo and no prompt: whoever types is a
 * program.
 */
#include "console.h"

#include "apic.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

#define COM1     0x3f8
#define UART_RBR 0 /* R: receive buffer */
#define UART_THR 0 /* W: transmit holding */
#define UART_DLL 0 /* with DLAB: divisor */
#define UART_DLM 1
#define UART_IER 1
#define IER_RX   BIT(0)
#define IER_TX   BIT(1) /* there is room to send, as always */
#define UART_IIR 2      /* R */
#define UART_FCR 2      /* W */
#define FCR_FIFO 0x07   /* FIFOs on and cleared, interrupt at 1 byte */
#define UART_LCR 3
#define LCR_8N1  0x03
#define LCR_DLAB 0x80
#define UART_MCR 4
#define MCR_ON   0x0b /* DTR, RTS, OUT2: interrupt line on */
#define UART_LSR 5
#define LSR_DR   BIT(0)
#define LSR_THRE BIT(5)

enum { FIFO = 16, POLL_MAX = 1000000, RING = 1024 };

/* indices run freely; head by the interrupt, tail by the main loop */
static char ring[RING];
static volatile uint32_t head, tail;
static uint32_t seen; /* of head, at the last console_typed() */

static char partial[CONSOLE_LINE];
static size_t partial_len;

static void write_fifo(const char *s, size_t n)
{
	for (int i = 0; i < POLL_MAX && !(inb(COM1 + UART_LSR) & LSR_THRE); i++)
		cpu_pause();
	for (size_t i = 0; i < n; i++)
		outb(COM1 + UART_THR, s[i]);
}

void say(const char *fmt, ...)
{
	char buf[512];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vformat(buf, sizeof(buf), fmt, args);
	va_end(args);
	for (size_t i = 0; i < n; i += FIFO)
		write_fifo(buf + i, MIN(n - i, (size_t)FIFO));
}

static void console_interrupt(void *arg)
{
	(void)arg;
	(void)inb(COM1 + UART_IIR);
	while (inb(COM1 + UART_LSR) & LSR_DR) {
		char c = inb(COM1 + UART_RBR);

		if (head - tail < RING)
			ring[head++ % RING] = c;
	}
}

bool console_typed(void)
{
	uint32_t now = head;
	bool news = now != seen;

	seen = now;
	return news;
}

bool console_line(char line[CONSOLE_LINE])
{
	while (tail != head) {
		char c = ring[tail % RING];

		tail++;
		if (c == '\r' || c == '\n') {
			if (!partial_len)
				continue;
			memcpy(line, partial, partial_len);
			line[partial_len] = 0;
			partial_len = 0;
			return true;
		}
		if (partial_len < CONSOLE_LINE - 1)
			partial[partial_len++] = c;
	}
	return false;
}

void console_init(void)
{
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, LCR_DLAB);
	outb(COM1 + UART_DLL, 1); /* 115200 */
	outb(COM1 + UART_DLM, 0);
	outb(COM1 + UART_LCR, LCR_8N1);
	outb(COM1 + UART_FCR, FCR_FIFO);
	outb(COM1 + UART_MCR, MCR_ON);
}

void console_start(void)
{
	irq_handler_set(VECTOR_CONSOLE, console_interrupt, NULL);
	ioapic_route(CONSOLE_PIN, VECTOR_CONSOLE, false);
	outb(COM1 + UART_IER, IER_RX);
	irq_disable();
	console_interrupt(NULL); /* what came before: only an edge interrupts */
	irq_enable();
}

void console_line_up(bool up)
{
	outb(COM1 + UART_IER, up ? IER_TX : 0);
}
