/* SPDX-License-Identifier: MIT */
/* links: vmm/vuart.c tests/unit/host.c */
/*
 * test_vuart.c - a guest's serial line as Linux's 8250 driver and a simple polling one see
 * it, and the operator's end
 */
#include <string.h>

#include "host.h"
#include "vmm/vm.h"
#include "vmm/vuart_regs.h"

static struct vm vm;
static bool line;      /* pin 4 */
static unsigned edges; /* that rose */

void vioapic_set(struct vioapic *io, unsigned pin, bool up)
{
	assert_ptr_equal(io, &vm.ioapic);
	assert_int_equal(pin, VUART_PIN);
	edges += up && !line;
	line = up;
}

static int setup(void **state)
{
	(void)state;
	host_cores(1);
	memset(&vm, 0, sizeof(vm));
	vuart_init(&vm.uart, &vm);
	line = false;
	edges = 0;
	return 0;
}

static uint8_t in(unsigned reg)
{
	return vuart_read(&vm.uart, reg, 1);
}

static void out(unsigned reg, uint8_t v)
{
	vuart_write(&vm.uart, reg, 1, v);
}

static void say(const char *s)
{
	while (*s)
		out(UART_THR, *s++);
}

/* --- what Linux's autoconfig() looks at --- */

static void ier_keeps_its_four_bits_and_no_more(void **state)
{
	(void)state;
	out(UART_IER, 0);
	assert_int_equal(in(UART_IER), 0);
	out(UART_IER, 0xff);
	assert_int_equal(in(UART_IER), 0x0f);
}

static void looped_back_the_modem_lines_are_those_set(void **state)
{
	(void)state;
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(in(UART_MSR)&0xf0, UART_MSR_DCD | UART_MSR_CTS);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1 | UART_MCR_DTR);
	assert_int_equal(in(UART_MSR)&0xf0, UART_MSR_RI | UART_MSR_DSR);
}

static void otherwise_the_modem_is_there_and_ready(void **state)
{
	(void)state;
	out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	assert_int_equal(in(UART_MSR), UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
}

static void looped_back_a_byte_sent_is_received_and_not_said(void **state)
{
	uint64_t from = 0;
	char buf[8];

	(void)state;
	out(UART_MCR, UART_MCR_LOOP);
	out(UART_THR, 'x');
	assert_int_equal(in(UART_RBR), 'x');
	assert_int_equal(vuart_said(&vm.uart, &from, buf, sizeof(buf)), 0);
}

static void fifos_show_in_iir_once_they_are_on(void **state)
{
	(void)state;
	assert_int_equal(in(UART_IIR), UART_IIR_NONE);
	out(UART_FCR, UART_FCR_ENABLE);
	assert_int_equal(in(UART_IIR), UART_IIR_FIFO | UART_IIR_NONE);
	out(UART_FCR, UART_FCR_ENABLE | 0x20); /* a 16750 would show bit 5 now */
	assert_int_equal(in(UART_IIR), UART_IIR_FIFO | UART_IIR_NONE);
}

static void the_divisor_latch_hides_data_and_ier(void **state)
{
	uint64_t from = 0;
	char buf[8];

	(void)state;
	out(UART_IER, UART_IER_RDI);
	out(UART_LCR, UART_LCR_DLAB | 3);
	out(UART_DLL, 1);
	out(UART_DLM, 2);
	assert_int_equal(in(UART_DLL), 1);
	assert_int_equal(in(UART_DLM), 2);
	out(UART_LCR, 3);
	assert_int_equal(in(UART_IER), UART_IER_RDI);
	assert_int_equal(in(UART_LCR), 3);
	assert_int_equal(vuart_said(&vm.uart, &from, buf, sizeof(buf)), 0);
}

static void scratch_keeps_a_byte(void **state)
{
	(void)state;
	out(UART_SCR, 0x5a);
	assert_int_equal(in(UART_SCR), 0x5a);
}

/* --- the transmitter --- */

static void the_transmitter_is_always_empty(void **state)
{
	(void)state;
	out(UART_THR, 'x');
	assert_int_equal(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
}

/*
 * serial8250_do_startup(): enabled twice, it must show up twice, or the
 * driver falls back to a timer
 */
static void enabling_thri_interrupts_at_once_each_time(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		out(UART_IER, UART_IER_THRI);
		assert_true(line);
		assert_int_equal(edges, i);
		assert_int_equal(in(UART_IIR), UART_IIR_THRI);
		assert_false(line);
		assert_int_equal(in(UART_IIR), UART_IIR_NONE);
		out(UART_IER, 0);
	}
}

static void writing_ier_again_with_thri_set_is_no_new_interrupt(void **state)
{
	(void)state;
	out(UART_IER, UART_IER_THRI);
	in(UART_IIR);
	out(UART_IER, UART_IER_THRI | UART_IER_RDI);
	assert_false(line);
}

static void each_byte_sent_interrupts_again(void **state)
{
	(void)state;
	out(UART_IER, UART_IER_THRI);
	in(UART_IIR);
	out(UART_THR, 'a');
	assert_true(line);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	assert_false(line);
	out(UART_THR, 'b');
	assert_true(line);
	assert_int_equal(edges, 3);
	out(UART_IER, 0);
	assert_false(line);
}

/* --- the receiver --- */

static void what_is_typed_is_received_in_order(void **state)
{
	(void)state;
	assert_true(vuart_type(&vm.uart, 'l'));
	assert_true(vuart_type(&vm.uart, 's'));
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(in(UART_RBR), 'l');
	assert_int_equal(in(UART_RBR), 's');
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	assert_int_equal(in(UART_RBR), 0);
}

static void typing_interrupts_until_all_is_taken(void **state)
{
	(void)state;
	vuart_type(&vm.uart, 'x');
	assert_false(line); /* nobody wants to know */
	out(UART_IER, UART_IER_RDI);
	assert_true(line);
	vuart_type(&vm.uart, 'y');
	assert_int_equal(in(UART_IIR), UART_IIR_RDI);
	in(UART_RBR);
	assert_true(line);
	in(UART_RBR);
	assert_false(line);
	assert_int_equal(edges, 1);
}

static void received_bytes_come_before_the_transmitter(void **state)
{
	(void)state;
	vuart_type(&vm.uart, 'x');
	out(UART_IER, UART_IER_RDI | UART_IER_THRI);
	assert_int_equal(in(UART_IIR), UART_IIR_RDI);
	in(UART_RBR);
	assert_true(line);
	assert_int_equal(in(UART_IIR), UART_IIR_THRI);
	assert_false(line);
}

static void a_full_receiver_refuses_and_counts(void **state)
{
	(void)state;
	assert_int_equal(vuart_room(&vm.uart), VUART_IN);
	for (unsigned i = 0; i < VUART_IN; i++)
		assert_true(vuart_type(&vm.uart, i));
	assert_int_equal(vuart_room(&vm.uart), 0);
	assert_false(vuart_type(&vm.uart, 'x'));
	assert_int_equal(vm.uart.in_lost, 1);
	for (unsigned i = 0; i < VUART_IN; i++)
		assert_int_equal(in(UART_RBR), i);
	assert_int_equal(vuart_room(&vm.uart), VUART_IN);
}

static void clearing_or_switching_the_fifo_forgets_what_came(void **state)
{
	(void)state;
	vuart_type(&vm.uart, 'x');
	out(UART_FCR, UART_FCR_ENABLE);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	vuart_type(&vm.uart, 'y');
	out(UART_FCR, UART_FCR_ENABLE); /* on already: nothing happens */
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, UART_LSR_DR);
	out(UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
}

static void a_wide_access_is_one_of_each_register(void **state)
{
	(void)state;
	out(UART_SCR, 0x77);
	assert_int_equal(vuart_read(&vm.uart, UART_MSR, 2), 0x77 << 8 | in(UART_MSR));
	vuart_write(&vm.uart, UART_LCR, 2, UART_MCR_DTR << 8 | 0x1b);
	assert_int_equal(in(UART_LCR), 0x1b);
	assert_int_equal(in(UART_MCR), UART_MCR_DTR);
}

/* --- the operator's end --- */

static void what_the_guest_says_can_be_read_in_pieces(void **state)
{
	uint64_t from = 0;
	char buf[4] = "";

	(void)state;
	say("hello");
	assert_int_equal(vuart_said(&vm.uart, &from, buf, 3), 3);
	assert_memory_equal(buf, "hel", 3);
	assert_int_equal(vuart_said(&vm.uart, &from, buf, 3), 2);
	assert_memory_equal(buf, "lo", 2);
	assert_int_equal(vuart_said(&vm.uart, &from, buf, 3), 0);
	assert_int_equal(from, 5);
}

static void of_too_much_the_oldest_is_lost_and_from_moves_past_it(void **state)
{
	static char buf[VUART_OUT + 16];
	uint64_t from = 2;

	(void)state;
	for (unsigned i = 0; i < VUART_OUT + 10; i++)
		out(UART_THR, i < 10 ? '-' : '+');
	assert_int_equal(vuart_said(&vm.uart, &from, buf, sizeof(buf)), VUART_OUT);
	assert_null(memchr(buf, '-', VUART_OUT));
	assert_int_equal(from, VUART_OUT + 10);
}

static void a_reset_forgets_registers_and_keys_but_not_what_was_said(void **state)
{
	uint64_t from = 0;
	char buf[8];

	(void)state;
	say("so far");
	vuart_type(&vm.uart, 'x');
	out(UART_IER, UART_IER_RDI);
	out(UART_SCR, 1);
	assert_true(line);
	vuart_reset(&vm.uart);
	assert_false(line);
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(in(UART_SCR), 0);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	assert_int_equal(vuart_said(&vm.uart, &from, buf, sizeof(buf)), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ier_keeps_its_four_bits_and_no_more, setup),
		cmocka_unit_test_setup(looped_back_the_modem_lines_are_those_set, setup),
		cmocka_unit_test_setup(otherwise_the_modem_is_there_and_ready, setup),
		cmocka_unit_test_setup(looped_back_a_byte_sent_is_received_and_not_said, setup),
		cmocka_unit_test_setup(fifos_show_in_iir_once_they_are_on, setup),
		cmocka_unit_test_setup(the_divisor_latch_hides_data_and_ier, setup),
		cmocka_unit_test_setup(scratch_keeps_a_byte, setup),
		cmocka_unit_test_setup(the_transmitter_is_always_empty, setup),
		cmocka_unit_test_setup(enabling_thri_interrupts_at_once_each_time, setup),
		cmocka_unit_test_setup(writing_ier_again_with_thri_set_is_no_new_interrupt, setup),
		cmocka_unit_test_setup(each_byte_sent_interrupts_again, setup),
		cmocka_unit_test_setup(what_is_typed_is_received_in_order, setup),
		cmocka_unit_test_setup(typing_interrupts_until_all_is_taken, setup),
		cmocka_unit_test_setup(received_bytes_come_before_the_transmitter, setup),
		cmocka_unit_test_setup(a_full_receiver_refuses_and_counts, setup),
		cmocka_unit_test_setup(clearing_or_switching_the_fifo_forgets_what_came, setup),
		cmocka_unit_test_setup(a_wide_access_is_one_of_each_register, setup),
		cmocka_unit_test_setup(what_the_guest_says_can_be_read_in_pieces, setup),
		cmocka_unit_test_setup(of_too_much_the_oldest_is_lost_and_from_moves_past_it,
				       setup),
		cmocka_unit_test_setup(a_reset_forgets_registers_and_keys_but_not_what_was_said,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
