/* SPDX-License-Identifier: MIT */
/* links: kernel/console.c tests/unit/host.c */
/* test_console.c - the console's rings: nothing lost unseen, nothing waited for that never comes */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/counter.h"

enum { OUT_SIZE = 64 * 1024, IN_SIZE = 4096 };

static char sent[4 * OUT_SIZE];     /* what the device got by its interrupt */
static char sent_now[2 * OUT_SIZE]; /* and by polling */
static size_t nsent, nsent_now, burst;
static unsigned kicks;

static void kick(void)
{
	kicks++;
}

static void put_now(char c)
{
	assert_true(nsent_now < sizeof(sent_now) - 1);
	sent_now[nsent_now++] = c;
	sent_now[nsent_now] = 0;
}

static unsigned drained;

static const struct console_ops device = { .kick = kick, .put_now = put_now };

/* interrupt() - the device takes up to @max bytes. */
static void interrupt(size_t max)
{
	nsent += console_out_get(sent + nsent, max);
	sent[nsent] = 0;
}

/* yield() - the core loop turns: the device's interrupt comes, and time passes. */
void yield(void)
{
	host_calls.yield++;
	host_tsc += 1000 * 1000;
	interrupt(burst);
}

static uint64_t counted(const char *name)
{
	set_for_each(c, counters)
		if (strcmp(c->name, name) == 0)
			return counter_read(c, 0);
	fail_msg("no counter %s", name);
	return 0;
}

static int start(void **state)
{
	char drain[64];

	(void)state;
	host_cores(1);
	console_attach(&device);
	for (int i = 0; i < 2;
	     i++) { /* the second time without the note on what the test before has lost */
		while (console_out_get(drain, sizeof(drain)))
			;
		console_write("", 0);
	}
	while (console_in_get() >= 0)
		;
	nsent = nsent_now = kicks = 0;
	sent[0] = sent_now[0] = 0;
	burst = 16;
	host_this_cpu->in_control = true;
	return 0;
}

static void fill(void)
{
	static char much[OUT_SIZE];

	memset(much, 'x', sizeof(much));
	console_write(much, sizeof(much) - 1);
}

/* first, since there is no detaching: what is written before there is a device */
static void keeps_output_until_a_device_comes(void **state)
{
	(void)state;
	host_cores(1);
	kprintf("early\n");
	console_write_wait("waits for nobody\n", 17);
	console_attach(&device);
	assert_int_equal(kicks, 1);
	interrupt(100);
	assert_string_equal(sent, "early\r\nwaits for nobody\r\n");
}

static void sends_lines_as_a_terminal_wants_them_and_kicks(void **state)
{
	(void)state;
	kprintf("%d and %s\n", 1, "two");
	assert_int_equal(kicks, 1);
	interrupt(5);
	assert_string_equal(sent, "1 and");
	interrupt(100);
	assert_string_equal(sent, "1 and two\r\n");
}

static void says_so_when_a_line_had_to_be_cut(void **state)
{
	char line[600];

	(void)state;
	memset(line, 'y', sizeof(line));
	line[sizeof(line) - 1] = 0;
	kprintf("%s\n", line);
	interrupt(2000);
	assert_int_equal(nsent, 512);
	assert_string_equal(sent + nsent - 12, "y... (cut)\r\n");
}

static void drops_and_counts_what_does_not_fit_and_notes_it_later(void **state)
{
	uint64_t before = counted("console.out_lost");

	(void)state;
	fill();
	kprintf("this is lost\n");
	assert_int_equal(counted("console.out_lost") - before, 13);
	interrupt(1000);
	kprintf("here again\n");
	interrupt(2 * OUT_SIZE);
	assert_non_null(strstr(sent, "x\r\n[console: 13 bytes lost here]\r\nhere again\r\n"));
	assert_int_equal(counted("console.out_lost") - before, 13);
}

static void counts_the_part_of_a_message_that_does_not_fit(void **state)
{
	(void)state;
	fill();
	interrupt(10);
	console_write("0123456789abcdef",
		      16); /* room for 11, of which the last is kept for a newline's second half */
	assert_int_equal(counted("console.out_lost"), 6);
	interrupt(2 * OUT_SIZE);
	assert_string_equal(sent + nsent - 12, "xx0123456789");
}

static void a_dump_longer_than_the_ring_arrives_whole(void **state)
{
	static char dump[3 * OUT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(dump); i++)
		dump[i] = 'a' + i % 23;
	console_write_wait(dump, sizeof(dump));
	assert_true(host_calls.yield > 0);
	while (nsent < sizeof(dump))
		interrupt(100);
	assert_memory_equal(sent, dump, sizeof(dump));
	interrupt(100);
	assert_int_equal(nsent, sizeof(dump));
	assert_int_equal(counted("console.out_lost"), 0);
}

static void gives_up_on_a_device_that_takes_nothing_for_half_a_minute(void **state)
{
	unsigned yields;

	(void)state;
	burst = 0;
	fill();
	console_write_wait("abc", 3);
	assert_in_range(host_calls.yield, 29000, 31000); /* a millisecond each */
	assert_int_equal(counted("console.out_lost"), 3);

	yields = host_calls.yield; /* not half a minute again for each line */
	console_write_wait("def", 3);
	assert_int_equal(host_calls.yield, yields);
	assert_int_equal(counted("console.out_lost"), 6);

	interrupt(OUT_SIZE / 2); /* it lives again */
	console_write_wait("ghi\n", 4);
	interrupt(2 * OUT_SIZE);
	assert_string_equal(sent + nsent - 5, "ghi\r\n");
}

static void outside_the_control_context_a_full_ring_is_polled_empty(void **state)
{
	(void)state;
	host_this_cpu->in_control = false;
	fill();
	console_write_wait("0123456789\n", 11);
	assert_int_equal(host_calls.yield, 0);
	assert_int_equal(counted("console.out_lost"), 0);
	assert_int_equal(nsent_now, OUT_SIZE - 1);
	interrupt(100);
	assert_string_equal(sent, "0123456789\r\n");
}

static void flushing_now_empties_the_ring_by_polling(void **state)
{
	(void)state;
	kprintf("last words\n");
	console_flush_now();
	assert_string_equal(sent_now, "last words\r\n");
	interrupt(100);
	assert_int_equal(nsent, 0);
}

static void interrupting_put_now(char c)
{
	put_now(c);
	interrupt(16); /* the device's interrupt is another core's, and comes in between */
}

static void an_interrupt_does_not_overtake_what_is_being_polled(void **state)
{
	static const struct console_ops hasty = { .kick = kick, .put_now = interrupting_put_now };
	char want[4000];

	(void)state;
	console_attach(&hasty);
	for (unsigned i = 0; i < sizeof(want); i++)
		want[i] = 'a' + i % 23;
	console_write(want, sizeof(want));
	console_flush_now();
	assert_int_equal(nsent, 0);
	assert_int_equal(nsent_now, sizeof(want));
	assert_memory_equal(sent_now, want, sizeof(want));
	console_write("on\n", 3); /* and then it is the interrupt's turn again */
	interrupt(16);
	assert_string_equal(sent, "on\r\n");
}

static void drain_after_all(void)
{
	assert_string_equal(sent_now, "last words\r\n");
	drained++;
}

static void waits_for_the_last_byte_to_leave_the_device(void **state)
{
	static const struct console_ops slow = {
		.kick = kick,
		.put_now = put_now,
		.drain_now = drain_after_all,
	};

	(void)state;
	drained = 0;
	console_attach(&slow);
	kprintf("last words\n");
	console_flush_now();
	assert_int_equal(drained, 1);
}

static void takes_what_is_typed_in_order_and_wakes_the_shell(void **state)
{
	(void)state;
	assert_int_equal(console_in_get(), -1);
	assert_true(console_in_put('a'));
	assert_true(console_in_put('\xff'));
	assert_int_equal(host_calls.control_wake, 2);
	assert_int_equal(console_in_get(), 'a');
	assert_int_equal(console_in_get(), 0xff);
	assert_int_equal(console_in_get(), -1);
}

static void refuses_and_counts_input_when_nobody_reads_and_marks_the_gap(void **state)
{
	(void)state;
	for (int i = 0; i < IN_SIZE; i++)
		assert_true(console_in_put('a' + i % 7));
	assert_false(console_in_put('!'));
	assert_int_equal(counted("console.in_lost"), 1);
	assert_int_equal(console_in_get(), 'a');
	assert_true(console_in_put('y'));
	for (int i = 1; i < IN_SIZE; i++)
		assert_int_equal(console_in_get(), 'a' + i % 7);
	assert_true(console_in_put('z'));
	assert_int_equal(console_in_get(), 'y' | CONSOLE_IN_GAP);
	assert_int_equal(console_in_get(), 'z');
	assert_int_equal(console_in_get(), -1);
}

static void write_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++)
		kprintf("<core %u line %3d>\n", this_cpu()->id, i);
}

static void lines_of_four_cores_do_not_mix(void **state)
{
	unsigned next[4] = { 0 };
	char *s = sent;

	(void)state;
	host_cores(4);
	host_run_cores(write_lines, NULL);
	interrupt(sizeof(sent));
	for (unsigned i = 0; i < 800; i++) {
		unsigned core, line;
		int n = 0;

		assert_int_equal(sscanf(s, "<core %u line %u>%n", &core, &line, &n), 2);
		assert_int_equal(line, next[core]++);
		s += n + 2;
	}
	assert_int_equal(*s, 0);
}

/* last, since there is no way back from a panic */
static void after_a_panic_output_goes_straight_to_the_device(void **state)
{
	(void)state;
	kprintf("before\n");
	console_panic();
	assert_string_equal(sent_now, "before\r\n");
	kprintf("after\n");
	assert_string_equal(sent_now, "before\r\nafter\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_output_until_a_device_comes),
		cmocka_unit_test_setup(sends_lines_as_a_terminal_wants_them_and_kicks, start),
		cmocka_unit_test_setup(says_so_when_a_line_had_to_be_cut, start),
		cmocka_unit_test_setup(drops_and_counts_what_does_not_fit_and_notes_it_later,
				       start),
		cmocka_unit_test_setup(counts_the_part_of_a_message_that_does_not_fit, start),
		cmocka_unit_test_setup(a_dump_longer_than_the_ring_arrives_whole, start),
		cmocka_unit_test_setup(gives_up_on_a_device_that_takes_nothing_for_half_a_minute,
				       start),
		cmocka_unit_test_setup(outside_the_control_context_a_full_ring_is_polled_empty,
				       start),
		cmocka_unit_test_setup(flushing_now_empties_the_ring_by_polling, start),
		cmocka_unit_test_setup(an_interrupt_does_not_overtake_what_is_being_polled, start),
		cmocka_unit_test_setup(waits_for_the_last_byte_to_leave_the_device, start),
		cmocka_unit_test_setup(takes_what_is_typed_in_order_and_wakes_the_shell, start),
		cmocka_unit_test_setup(refuses_and_counts_input_when_nobody_reads_and_marks_the_gap,
				       start),
		cmocka_unit_test_setup(lines_of_four_cores_do_not_mix, start),
		cmocka_unit_test_setup(after_a_panic_output_goes_straight_to_the_device, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
