/* SPDX-License-Identifier: MIT */
/* links: tests/unit/host.c */
/*
 * test_uart.c - COM1 on an interrupt line of which only the edge counts, with
 * bytes that come at any moment
 *
 * The driver runs on a model of the 16550: what holds the line up, and which reads and
 * writes let it down [PC16550D datasheet, section 8]. The model can send a byte between any
 * two of the driver's accesses.
 */
#include <string.h>

#include "host.h"
#include "kernel/console.h"
#include "kernel/x86.h"

static uint8_t port_read(uint16_t port);
static void port_write(uint16_t port, uint8_t value);

#define inb  port_read
#define outb port_write
#include "drivers/uart.c"
#undef inb
#undef outb

enum { IIR_TX = 0x02, IIR_RX = 0x04 };

static struct {
	uint8_t ier, lcr;
	unsigned have;     /* bytes received and not read */
	bool tx_empty_due; /* the transmitter became empty, and nobody was told */
	bool line, edge;
	unsigned accesses; /* since the handler was entered */
	unsigned byte_at;  /* before which of them a byte comes; 0: none */
} chip;

static unsigned put_out,
	got_in; /* bytes that the console still has to send, and that it was given */

static void settle(void)
{
	bool up = (chip.ier & IER_RX && chip.have) || (chip.ier & IER_TX && chip.tx_empty_due);

	if (up && !chip.line)
		chip.edge = true;
	chip.line = up;
}

/* an access of the driver; the byte that was to come before it has come */
static void accessed(void)
{
	if (++chip.accesses == chip.byte_at) {
		chip.byte_at = 0;
		chip.have++;
		settle();
	}
}

static uint8_t read_iir(void)
{
	if (chip.ier & IER_RX && chip.have)
		return IIR_RX;
	if (!(chip.ier & IER_TX && chip.tx_empty_due))
		return IIR_NONE;
	chip.tx_empty_due = false;
	return IIR_TX;
}

static uint8_t port_read(uint16_t port)
{
	uint8_t value = 0;

	accessed();
	if (port == COM1 + UART_IIR)
		value = read_iir();
	else if (port == COM1 + UART_LSR)
		value = LSR_THRE | LSR_TEMT | (chip.have ? LSR_DR : 0);
	else if (port == COM1 + UART_RBR && chip.have)
		value = 'a' + chip.have--;
	settle();
	return value;
}

/* What is written to THR is sent before the next access: so it is in QEMU. */
static void port_write(uint16_t port, uint8_t value)
{
	accessed();
	if (port == COM1 + UART_LCR) {
		chip.lcr = value;
	} else if (port == COM1 + UART_THR && !(chip.lcr & LCR_DLAB)) {
		chip.tx_empty_due = false;
		settle();
		chip.tx_empty_due = true;
	} else if (port == COM1 + UART_IER && !(chip.lcr & LCR_DLAB)) {
		if (value & ~chip.ier & IER_TX)
			chip.tx_empty_due = true;
		chip.ier = value;
	}
	settle();
}

/* --- what the driver stands on --- */

void console_attach(const struct console_ops *ops)
{
	(void)ops;
}

size_t console_out_get(char *buf, size_t max)
{
	size_t n = MIN(put_out, max);

	memset(buf, 'x', n);
	put_out -= n;
	return n;
}

bool console_in_put(char c)
{
	(void)c;
	got_in++;
	return true;
}

int ioapic_isa_init(struct irq *line, unsigned isa)
{
	(void)line;
	assert_int_equal(isa, COM1_IRQ);
	return 0;
}

/* --- tests --- */

static int start(void **state)
{
	(void)state;
	host_cores(1);
	memset(&chip, 0, sizeof(chip));
	put_out = got_in = 0;
	started = tx_busy = false;
	uart_init();
	uart_start();
	return 0;
}

/* interrupts() - the handler, once an edge; returns how often. */
static unsigned interrupts(void)
{
	unsigned n = 0;

	while (chip.edge) {
		chip.edge = false;
		chip.accesses = 0;
		assert_true(++n < 100);
		handler(NULL);
	}
	return n;
}

static void a_byte_that_comes_is_taken(void **state)
{
	(void)state;
	chip.have = 3;
	settle();
	assert_int_equal(interrupts(), 1);
	assert_int_equal(got_in, 3);
	assert_false(chip.line);
}

static void output_is_sent_to_the_end(void **state)
{
	(void)state;
	put_out = 1000;
	kick();
	interrupts();
	assert_int_equal(put_out, 0);
	assert_false(tx_busy);
	assert_false(chip.line);
}

/* Output under way, input too, and one more byte before each access of the handler in turn. */
static void no_byte_between_two_accesses_is_lost(void **state)
{
	for (unsigned at = 1; at < 60; at++)
		for (unsigned out = 1; out < 40; out += 13)
			for (unsigned have = 0; have < 3; have++) {
				start(state);
				chip.byte_at = 0;
				put_out = out;
				kick();
				chip.have = have;
				settle();
				chip.byte_at = at;
				interrupts();
				if (chip.line)
					fail_msg("a byte before access %u, %u under way, %u out: "
						 "the line stays up",
						 at, have, out);
				assert_int_equal(chip.have, 0);
				assert_int_equal(put_out, 0);
			}
}

/*
 * More than the handler serves in one go: the line is let down, so that there
 * is an edge for the rest.
 */
static void a_flood_is_served_in_portions(void **state)
{
	(void)state;
	chip.have = 5 * ROUNDS_MAX * RX_MAX;
	settle();
	assert_true(interrupts() > 1);
	assert_int_equal(got_in, 5 * ROUNDS_MAX * RX_MAX);
	assert_false(chip.line);
}

/* What was typed while nobody listened holds the line up; moving the interrupt takes it. */
static void what_waits_when_the_interrupt_moves_is_taken(void **state)
{
	(void)state;
	chip.have = 2;
	settle();
	chip.edge = false; /* it went to a core that did not take it */
	moved(NULL, 1);
	assert_int_equal(got_in, 2);
	assert_false(chip.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_byte_that_comes_is_taken, start),
		cmocka_unit_test_setup(output_is_sent_to_the_end, start),
		cmocka_unit_test_setup(no_byte_between_two_accesses_is_lost, start),
		cmocka_unit_test_setup(a_flood_is_served_in_portions, start),
		cmocka_unit_test_setup(what_waits_when_the_interrupt_moves_is_taken, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
