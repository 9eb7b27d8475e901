/* SPDX-License-Identifier: MIT */
/*
 * uart.c - the 16550 at COM1 [PC16550D datasheet, section 8]
 *
 * The console calls kick() on any core when its ring has output; the interrupt, on core 0
 * unless it is moved, moves bytes between the console's rings and the FIFOs. Until
 * uart_start(), and after a panic, bytes go by polling. Owns the UART's registers; the lock
 * guards tx_busy and the transmit FIFO.
 */
#include "uart.h"

#include "kernel/console.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/x86.h"
#include "uart_regs.h"

enum { COM1_IRQ = 4, POLL_MAX = 1000000, RX_MAX = 256, ROUNDS_MAX = 4 };

static struct spinlock lock;
static bool started, tx_busy;
static struct irq irq;

static void put_now(char c)
{
	for (int i = 0; i < POLL_MAX && !(inb(COM1 + UART_LSR) & LSR_THRE); i++)
		cpu_pause();
	outb(COM1 + UART_THR, c);
}

/* drain_now() - a machine that is switched off takes along what still stands in the FIFO. */
static void drain_now(void)
{
	for (int i = 0; i < POLL_MAX && !(inb(COM1 + UART_LSR) & LSR_TEMT); i++)
		cpu_pause();
}

/* fill_fifo() - the transmitter is empty: give it what the console has; the lock is held. */
static void fill_fifo(void)
{
	char buf[UART_FIFO];
	size_t n = console_out_get(buf, sizeof(buf));

	for (size_t i = 0; i < n; i++)
		outb(COM1 + UART_THR, buf[i]);
	if (tx_busy != (n > 0))
		outb(COM1 + UART_IER, IER_RX | (n ? IER_TX : 0));
	tx_busy = n > 0;
}

static void kick(void)
{
	char c;
	uint64_t flags;

	if (!started) {
		while (console_out_get(&c, 1))
			put_now(c);
		return;
	}
	flags = irq_save();
	spin_lock(&lock);
	if (!tx_busy)
		fill_fifo();
	spin_unlock(&lock);
	irq_restore(flags);
}

/* serve() - whatever the cause: take what has come, and fill the transmitter if it is empty. */
static void serve(void)
{
	for (int i = 0; i < RX_MAX && inb(COM1 + UART_LSR) & LSR_DR; i++)
		console_in_put(inb(COM1 + UART_RBR));
	spin_lock(&lock);
	if (tx_busy && inb(COM1 + UART_LSR) & LSR_THRE)
		fill_fifo();
	spin_unlock(&lock);
}

/* lower_line() - a cause that is still there raises it again, and that is an edge. */
static void lower_line(void)
{
	spin_lock(&lock);
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_IER, IER_RX | (tx_busy ? IER_TX : 0));
	spin_unlock(&lock);
}

/*
 * Two causes share a line of which only the edge interrupts: a byte that comes while an
 * empty transmitter holds it up makes none, now or ever. So causes are served until there is
 * none, or the line is lowered by force. Reading IIR takes the transmitter's cause back if
 * it is the one that is told.
 */
static void handler(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		if (inb(COM1 + UART_IIR) & IIR_NONE)
			return;
		serve();
	}
	lower_line();
}

/*
 * moved() - what was typed meanwhile holds the line up, and only an edge interrupts: take it,
 * so that the next one does.
 */
static void moved(void *arg, unsigned cpu)
{
	(void)cpu;
	handler(arg);
}

static const struct console_ops uart_console = {
	.kick = kick,
	.put_now = put_now,
	.drain_now = drain_now,
};

void uart_init(void)
{
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, LCR_DLAB);
	outb(COM1 + UART_DLL, 1); /* 115200 */
	outb(COM1 + UART_DLM, 0);
	outb(COM1 + UART_LCR, LCR_8N1);
	outb(COM1 + UART_FCR, FCR_SETUP);
	outb(COM1 + UART_MCR, MCR_SETUP);
	console_attach(&uart_console);
}

void uart_start(void)
{
	irq = (struct irq){ .handler = handler, .name = "ttyS0", .moved = moved };
	if (ioapic_isa_init(&irq, COM1_IRQ) || irq_request(&irq, 0)) {
		kprintf("uart: no interrupt line for COM1; output by polling, no input\n");
		return;
	}
	started = true;
	outb(COM1 + UART_IER, IER_RX);
	kick();
}
