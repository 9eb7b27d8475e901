/* SPDX-License-Identifier: MIT */
/*
 * vuart.c - a 16550A whose transmitter is always empty and whose modem is always there
 *
 * vuart_read() and vuart_write() run on the vCPU's core for its port accesses, vm->lock held;
 * vuart_type() and vuart_said() in the control context, they take the lock. Owns both rings.
 *
 * A byte is gone the moment it is written, so LSR always shows an empty transmitter. What the 8250
 * driver counts on is that its interrupt comes as an edge: when THRI is enabled, and after each
 * byte written; reading IIR takes it back.
 */
#include "vuart.h"

#include "kernel/bits.h"
#include "vm.h"
#include "vuart_regs.h"

#include <string.h>

static bool received(const struct vuart *u)
{
	return u->in_head != u->in_tail;
}

/* pending() - IIR's low bits: received bytes come before the transmitter [8.6.5 table III]. */
static uint8_t pending(const struct vuart *u)
{
	if (u->ier & UART_IER_RDI && received(u))
		return UART_IIR_RDI;
	if (u->ier & UART_IER_THRI && u->thr_empty_irq)
		return UART_IIR_THRI;
	return UART_IIR_NONE;
}

static void line_update(struct vuart *u)
{
	vioapic_set(&u->vm->ioapic, VUART_PIN, pending(u) != UART_IIR_NONE);
}

static bool receive(struct vuart *u, uint8_t c)
{
	if (u->in_head - u->in_tail == VUART_IN) {
		u->in_lost++;
		return false;
	}
	u->in[u->in_head++ % VUART_IN] = c;
	return true;
}

static uint8_t take_received(struct vuart *u)
{
	return received(u) ? u->in[u->in_tail++ % VUART_IN] : 0;
}

static void send(struct vuart *u, uint8_t c)
{
	if (u->mcr & UART_MCR_LOOP)
		receive(u, c);
	else
		u->out[u->out_head++ % VUART_OUT] = c;
	u->thr_empty_irq = true; /* it was full for an instant */
}

/*
 * modem() - looped back it is what MCR says [8.6.7]; Linux probes for that. Otherwise
 * somebody always listens.
 */
static uint8_t modem(const struct vuart *u)
{
	if (!(u->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	       (u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	       (u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	       (u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static uint8_t identify(struct vuart *u)
{
	uint8_t id = pending(u);

	if (id == UART_IIR_THRI)
		u->thr_empty_irq = false;
	return id | (u->fcr & UART_FCR_ENABLE ? UART_IIR_FIFO : 0);
}

static uint8_t read_register(struct vuart *u, unsigned reg)
{
	bool divisor = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RBR: return divisor ? u->dll : take_received(u);
	case UART_IER: return divisor ? u->dlm : u->ier;
	case UART_IIR: return identify(u);
	case UART_LCR: return u->lcr;
	case UART_MCR: return u->mcr;
	case UART_LSR: return UART_LSR_THRE | UART_LSR_TEMT | (received(u) ? UART_LSR_DR : 0);
	case UART_MSR: return modem(u);
	default: return u->scr;
	}
}

static void set_ier(struct vuart *u, uint8_t value)
{
	bool wanted = u->ier & UART_IER_THRI;

	u->ier = value & UART_IER_VALID;
	if (!wanted && u->ier & UART_IER_THRI)
		u->thr_empty_irq = true;
}

static void set_fcr(struct vuart *u, uint8_t value)
{
	/* switching the FIFOs on or off clears them as well [8.6.4] */
	if ((u->fcr ^ value) & UART_FCR_ENABLE || value & UART_FCR_CLEAR_RX)
		u->in_tail = u->in_head;
	u->fcr = value & UART_FCR_ENABLE;
}

static void write_register(struct vuart *u, unsigned reg, uint8_t value)
{
	bool divisor = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_THR:
		if (divisor)
			u->dll = value;
		else
			send(u, value);
		break;
	case UART_IER:
		if (divisor)
			u->dlm = value;
		else
			set_ier(u, value);
		break;
	case UART_FCR: set_fcr(u, value); break;
	case UART_LCR: u->lcr = value; break;
	case UART_MCR: u->mcr = value & UART_MCR_VALID; break;
	case UART_SCR: u->scr = value; break;
	default: break; /* LSR and MSR: a factory's tests */
	}
}

/* A wider access is one of each register in turn, as an 8-bit device on the bus sees it. */
uint64_t vuart_read(void *uart, uint64_t offset, unsigned size)
{
	struct vuart *u = uart;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_register(u, offset + i) << 8 * i;
	line_update(u);
	return value;
}

void vuart_write(void *uart, uint64_t offset, unsigned size, uint64_t value)
{
	struct vuart *u = uart;

	for (unsigned i = 0; i < size; i++)
		write_register(u, offset + i, value >> 8 * i);
	line_update(u);
}

unsigned vuart_room(struct vuart *u)
{
	unsigned room;

	spin_lock(&u->vm->lock);
	room = VUART_IN - (u->in_head - u->in_tail);
	spin_unlock(&u->vm->lock);
	return room;
}

bool vuart_type(struct vuart *u, uint8_t c)
{
	bool room;

	spin_lock(&u->vm->lock);
	room = receive(u, c);
	line_update(u);
	spin_unlock(&u->vm->lock);
	return room;
}

unsigned vuart_said(struct vuart *u, uint64_t *from, char *buf, unsigned max)
{
	unsigned n = 0;

	spin_lock(&u->vm->lock);
	*from = MIN(*from, u->out_head);
	if (u->out_head - *from > VUART_OUT)
		*from = u->out_head - VUART_OUT;
	while (n < max && *from < u->out_head)
		buf[n++] = u->out[(*from)++ % VUART_OUT];
	spin_unlock(&u->vm->lock);
	return n;
}

void vuart_init(struct vuart *u, struct vm *vm)
{
	memset(u, 0, sizeof(*u));
	u->vm = vm;
}

void vuart_reset(struct vuart *u)
{
	u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dll = u->dlm = 0;
	u->thr_empty_irq = false;
	u->in_tail = u->in_head;
	line_update(u);
}
