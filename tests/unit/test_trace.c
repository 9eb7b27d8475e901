/* SPDX-License-Identifier: MIT */
/* links: kernel/trace.c kernel/shell.c kernel/capture.c kernel/words.c tests/unit/host.c */
/*
 * test_trace.c - record points: off costs nothing, rings overwrite the oldest, cores are merged by
 * time
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "kernel/guest.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "kernel/trace.h"

/* guests, whose names are known to who has them */

static void vcpu_name(unsigned nr, char *text, size_t size)
{
	snprintf(text, size, "guest/%u", nr);
}

static const char *exit_name(unsigned reason)
{
	return reason == 4 ? "hlt" : "other";
}

static const struct guest_ops guests = { .vcpu_name = vcpu_name, .exit_name = exit_name };

const struct guest_ops *guest_attached(void)
{
	return &guests;
}

/* who puts other functions in place while records are kept */

static bool watching;
static unsigned told;

static void watcher(bool on)
{
	assert_true(cores_parked());
	watching = on;
	told++;
}

TRACE_WATCHER(watcher);

static int start(void **state)
{
	(void)state;
	host_cores(4);
	trace_on = 0;
	trace_init();
	return 0;
}

static void record(unsigned cpu, uint64_t us, enum trace_point p, uint64_t a, uint64_t b)
{
	host_tsc = us * 1000;
	host_play(cpu);
	trace(p, a, b);
	host_play(0);
}

static void shows(const char *line, const char *text)
{
	host_text_clear();
	assert_int_equal(host_exec(line), 0);
	assert_string_equal(host_out, text);
}

/* what another room can trace */

static bool takes(int n, const struct word *w)
{
	return word_is(n, w, 1, "wheel");
}

static int run(struct shell *sh, int n, const struct word *w)
{
	shell_printf(sh, "%d words, %s\n", n, w[n - 1].s);
	return 0;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	(void)n;
	(void)w;
	add(to, "wheel");
}

TRACE_COMMAND(wheel, .what = "wheel", .takes = takes, .run = run, .complete = complete);

static void leaves_to_others_what_is_theirs(void **state)
{
	(void)state;
	shows("trace wheel turn", "3 words, turn\n");
	shows("trace wheel show 7", "4 words, 7\n");
	assert_int_equal(host_exec("trace turn wheel"), -EINVAL);
}

static void records_only_when_on(void **state)
{
	(void)state;
	record(0, 1, TRACE_RX, 1, 1);
	shows("trace show", "");
	host_exec("trace on");
	record(0, 2, TRACE_RX, 1, 2);
	host_exec("trace off");
	record(0, 3, TRACE_RX, 1, 3);
	shows("trace show", "        2.000  cpu0   rx                 port 1, packets 2\n");
	shows("trace",
	      "trace is off; 1024 records a core are kept\ncpu0   1 records written\n"
	      "cpu1   0 records written\ncpu2   0 records written\ncpu3   0 records written\n");
}

static void spans_say_how_long_they_took_and_names_are_names(void **state)
{
	struct trace_event e[4];

	(void)state;
	trace_set(true);
	host_tsc = 9000;
	trace_record_span(TRACE_SOFTIRQ, 1000, 3500, SOFTIRQ_NET_RX, 0);
	trace_record_span(TRACE_GUEST, 4000, 9000, 1, 4);
	shows("trace show",
	      "        3.500  cpu0   softirq            action NET_RX (2.500 us)\n"
	      "        9.000  cpu0   guest              vcpu guest/1, exit hlt (5.000 us)\n");
	assert_int_equal(trace_collect(e, 4), 2);
	assert_int_equal(e[0].point, TRACE_GUEST); /* the newest first */
	assert_int_equal(e[1].begin, 1000);
	assert_int_equal(e[1].end, 3500);
}

static void who_watches_is_told_once_of_each_change(void **state)
{
	(void)state;
	told = 0;
	host_exec("trace off");
	assert_int_equal(told, 0);
	host_exec("trace on");
	host_exec("trace on");
	assert_true(watching);
	assert_int_equal(told, 1);
	trace_on |= TRACE_TIME_IRQS; /* of others, and stays */
	host_exec("trace off");
	assert_false(watching);
	assert_int_equal(told, 2);
	assert_int_equal(trace_on, TRACE_TIME_IRQS);
}

static void merges_cores_by_time(void **state)
{
	(void)state;
	trace_on = 1;
	record(2, 10, TRACE_HARD_IRQ, 64, 5);
	record(0, 11, TRACE_TIMER, 0, 0);
	record(2, 12, TRACE_POLL, 0, 32);
	record(1, 13, TRACE_DROP, DROP_NO_RULE, 60);
	shows("trace show",
	      "       10.000  cpu2   hard_irq           vector 64, irq number 5\n"
	      "       11.000  cpu0   timer              \n"
	      "       12.000  cpu2   poll               napi 0, packets taken 32\n"
	      "       13.000  cpu1   drop               reason no_rule, frame length 60\n");
	shows("trace show 1",
	      "       13.000  cpu1   drop               reason no_rule, frame length 60\n");
}

static void overwrites_the_oldest(void **state)
{
	char first[80], last[80];
	unsigned lines = 0;

	(void)state;
	trace_on = 1;
	for (unsigned i = 1; i <= 3000; i++)
		record(3, i, TRACE_RX, 0, i);
	host_text_clear();
	assert_int_equal(host_exec("trace show 4096"), 0);
	for (char *s = host_out; *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 1024);
	snprintf(first, sizeof(first),
		 "     1977.000  cpu3   rx                 port 0, packets 1977\n");
	snprintf(last, sizeof(last),
		 "     3000.000  cpu3   rx                 port 0, packets 3000\n");
	assert_memory_equal(host_out, first, strlen(first));
	assert_string_equal(host_out + strlen(host_out) - strlen(last), last);
}

static void clear_forgets_what_was(void **state)
{
	(void)state;
	trace_on = 1;
	record(1, 1, TRACE_RX, 0, 1);
	host_exec("trace clear");
	record(1, 2, TRACE_RX, 0, 2);
	shows("trace show", "        2.000  cpu1   rx                 port 0, packets 2\n");
}

static void stops_after_so_many_and_goes_on(void **state)
{
	struct trace_event e[8];

	(void)state;
	trace_on = 1;
	record(1, 1, TRACE_RX, 0, 1);
	trace_stop_after(2);
	for (unsigned i = 2; i < 10; i++)
		record(1, i, TRACE_RX, 0, i);
	record(2, 11, TRACE_RX, 0, 11); /* each core by itself */
	assert_int_equal(trace_collect(e, 8), 4);
	assert_int_equal(e[0].b, 11);
	assert_int_equal(e[1].b, 3);
	trace_stop_after(0);
	record(1, 12, TRACE_RX, 0, 12);
	assert_int_equal(trace_collect(e, 8), 5);
}

static void a_record_being_written_is_left_out(void **state)
{
	(void)state;
	trace_on = 1;
	record(1, 1, TRACE_RX, 0, 1);
	record(0, 2, TRACE_RX, 0, 2);
	/* entry[0].seq, as trace_record leaves it meanwhile */
	*(uint64_t *)((char *)cpus[1]->trace + sizeof(uint64_t)) = 0;
	shows("trace show", "        2.000  cpu0   rx                 port 0, packets 2\n");
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(host_exec("trace loud"), -EINVAL);
	assert_int_equal(host_exec("trace show 0"), -EINVAL);
	assert_int_equal(host_exec("trace on off"), -EINVAL);
	assert_int_equal(host_exec("trace show 1 2"), -EINVAL);
	assert_string_equal(host_out,
			    "col 7: expected on, off, show, wheel or clear, found 'loud'\n"
			    "col 12: expected a number from 1 to 16384, found '0'\n"
			    "col 10: expected the end of the line, found 'off'\n"
			    "col 14: expected the end of the line, found '2'\n");
}

static void write_many(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 20000; i++)
		trace(TRACE_RX, this_cpu()->id, this_cpu()->id);
}

static void cores_write_at_once_and_no_record_is_torn(void **state)
{
	unsigned core, port, packets;

	(void)state;
	trace_on = 1;
	host_tsc_step = 1;
	host_run_cores(write_many, NULL);
	host_text_clear();
	assert_int_equal(host_exec("trace show 500"), 0);
	for (char *s = host_out; *s; s = strchr(s, '\n') + 1) {
		assert_int_equal(sscanf(strstr(s, "cpu"), "cpu%u rx port %u, packets %u", &core,
					&port, &packets),
				 3);
		assert_int_equal(core, port);
		assert_int_equal(core, packets);
	}
}

static void before_there_are_rings_nothing_happens(void **state)
{
	(void)state;
	host_cores(1);
	trace_on = 1;
	record(0, 1, TRACE_RX, 0, 1);
	shows("trace show", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(leaves_to_others_what_is_theirs, start),
		cmocka_unit_test_setup(records_only_when_on, start),
		cmocka_unit_test_setup(spans_say_how_long_they_took_and_names_are_names, start),
		cmocka_unit_test_setup(who_watches_is_told_once_of_each_change, start),
		cmocka_unit_test_setup(merges_cores_by_time, start),
		cmocka_unit_test_setup(overwrites_the_oldest, start),
		cmocka_unit_test_setup(clear_forgets_what_was, start),
		cmocka_unit_test_setup(stops_after_so_many_and_goes_on, start),
		cmocka_unit_test_setup(a_record_being_written_is_left_out, start),
		cmocka_unit_test_setup(refuses_what_it_does_not_know, start),
		cmocka_unit_test_setup(cores_write_at_once_and_no_record_is_torn, start),
		cmocka_unit_test_setup(before_there_are_rings_nothing_happens, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
