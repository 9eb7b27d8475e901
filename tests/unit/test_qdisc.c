/* SPDX-License-Identifier: MIT */
/* links: path kernel/timer.c */
/* test_qdisc.c - queueing disciplines: order, limits, a rate, fairness, and waiting kept short */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/softirq.h"
#include "kernel/timer.h"
#include "net/csum.h"
#include "net/sched/qdisc.h"
#include "net/wire.h"
#include "fake_net.h"
#include "host.h"

enum { OUT = 2, MS = 1000000 };

static struct qdisc_options o;
static unsigned looked_at; /* frames of fake[OUT].sent that a test has seen */

static int up(void **state)
{
	(void)state;
	net_up(2, 2);
	net_switch();
	timer_init();
	host_play(0);
	put(1, frame_udp(1, 2, 1, 1));
	put(OUT, frame_udp(2, 1, 1, 1));
	sent(1);
	looked_at = fake[OUT].nsent;
	o = (struct qdisc_options){ .kind = &qdisc_pfifo, .limit = 100 };
	return 0;
}

static int down(void **state)
{
	(void)state;
	qdisc_clear(ports[OUT]);
	conserved();
	net_down();
	for (unsigned i = 0; i < 1000 && cpus[0]->timers; i++) {
		host_tsc += 1000 * MS;
		net_softirq(SOFTIRQ_TIMER);
	}
	return 0;
}

static void with(const struct qdisc_kind *kind)
{
	o.kind = kind;
	o.flows = 64;
	o.quantum = 1514;
	o.target_us = 5000;
	o.interval_us = 100000;
	assert_int_equal(qdisc_set(ports[OUT], &o), 0);
}

static struct qdisc *queue(void)
{
	return ports[OUT]->qdisc;
}

/* numbered() - a frame of flow @sport with a number in its UDP checksum's place, @len bytes long */
static struct pkt *numbered(unsigned sport, unsigned number, unsigned len)
{
	struct pkt *p = frame_udp(1, 2, sport, 9);

	pkt_begin(p, len);
	p->data[16] = (len - 14) >> 8;
	p->data[17] = len - 14;
	p->data[40] = number >> 8;
	p->data[41] = number;
	return p;
}

static void send(unsigned sport, unsigned from, unsigned n, unsigned len)
{
	for (unsigned i = 0; i < n; i++)
		put(1, numbered(sport, from + i, len));
}

/*
 * out() - how many frames of flow @sport have left, @n of any flow being looked at; their
 * numbers must follow @last
 */
static unsigned out(unsigned sport, unsigned *last)
{
	unsigned n = 0;

	for (unsigned i = looked_at; i < fake[OUT].nsent; i++) {
		const uint8_t *l4 = fake[OUT].sent[i]->data + 34;

		if (be16(load16(l4)) != sport)
			continue;
		if (last) {
			assert_true(be16(load16(l4 + 6)) > *last);
			*last = be16(load16(l4 + 6));
		}
		n++;
	}
	return n;
}

static void pass(uint64_t ns)
{
	host_tsc += ns;
	net_softirq(SOFTIRQ_TIMER);
	net_settle();
}

static void passes_what_the_device_takes_at_once(void **state)
{
	unsigned last = 0;

	(void)state;
	with(&qdisc_pfifo);
	send(1000, 1, 50, 60);
	assert_int_equal(out(1000, &last), 50);
	assert_int_equal(queue()->packets, 0);
	assert_int_equal(queue()->sent_bytes, 50 * 60);
	conserved();
}

static void keeps_what_it_does_not_take_and_sends_it_in_order(void **state)
{
	unsigned last = 0;

	(void)state;
	with(&qdisc_pfifo);
	fake[OUT].room = 10;
	send(1000, 1, 50, 60);
	assert_int_equal(out(1000, &last), 10);
	assert_int_equal(queue()->packets, 40);
	conserved();
	fake[OUT].room = 5;
	pass(MS);
	fake[OUT].room = FAKE_SENT;
	pass(MS);
	last = 0;
	assert_int_equal(out(1000, &last), 50);
	assert_true(queue()->requeues >= 2);
	conserved();
}

static void drops_beyond_its_limit(void **state)
{
	(void)state;
	with(&qdisc_pfifo);
	fake[OUT].room = 0;
	send(1000, 1, 130, 60);
	assert_int_equal(queue()->packets, 100);
	assert_int_equal(dropped(DROP_QDISC_FULL), 30);
	conserved();
	fake[OUT].room = FAKE_SENT;
	pass(MS);
	pass(MS);
	assert_int_equal(out(1000, NULL), 100);
}

static void sends_no_faster_than_its_rate(void **state)
{
	unsigned last = 0;

	(void)state;
	o.rate = 1000000; /* bytes a second: 1,000 bytes a millisecond */
	o.burst = 2000;
	with(&qdisc_pfifo);
	send(1000, 1, 50, 1000);
	assert_int_equal(out(1000, &last), 2);
	for (unsigned ms = 1; ms <= 48; ms++) {
		pass(MS);
		assert_in_range(out(1000, NULL), ms + 1, ms + 2);
	}
	pass(2 * MS);
	last = 0;
	assert_int_equal(out(1000, &last), 50);
	/* what it saves up while nothing waits is the burst, no more */
	pass(1000 * MS);
	send(1000, 51, 10, 1000);
	assert_int_equal(out(1000, NULL), 52);
}

static void a_port_that_goes_down_drops_what_waits(void **state)
{
	(void)state;
	with(&qdisc_pfifo);
	fake[OUT].room = 0;
	send(1000, 1, 20, 60);
	assert_int_equal(port_set_up(ports[OUT], false), 0);
	assert_int_equal(dropped(DROP_QDISC_PURGED), 20);
	conserved();
	pass(MS);
	assert_int_equal(port_set_up(ports[OUT], true), 0);
	fake[OUT].room = FAKE_SENT;
	put(OUT, frame_udp(2, 1, 1, 1));
	send(1000, 21, 5, 60);
	pass(MS);
	assert_int_equal(out(1000, NULL), 5);
}

static void a_queue_that_moves_goes_on_from_its_new_core(void **state)
{
	unsigned last = 0;

	(void)state;
	with(&qdisc_pfifo);
	fake[OUT].room = 0;
	send(1000, 1, 20, 60);
	fake[OUT].txq_of_cpu[0] = -1; /* core 1 owns both queues from now on, and core 0 none */
	fake[OUT].txq_of_cpu[1] = 0;
	fake[OUT].room = FAKE_SENT;
	send(1000, 21, 5, 60);
	pass(MS); /* the timer fires on core 0, which wakes core 1 */
	net_settle();
	assert_int_equal(out(1000, &last), 25);
	conserved();
}

static void other_cores_hand_over_to_the_one_that_owns_the_first_queue(void **state)
{
	unsigned last = 0;

	(void)state;
	with(&qdisc_pfifo);
	host_play(1);
	send(1000, 1, 20, 60);
	assert_int_equal(out(1000, NULL), 0);
	net_settle();
	assert_int_equal(out(1000, &last), 20);
	host_play(1);
	send(1000, 21, 20, 60);
	host_play(0);
	qdisc_clear(
		ports[OUT]); /* what core 1 handed over leaves before what it sends by itself now */
	host_play(1);
	send(1000, 41, 20, 60);
	last = 0;
	assert_int_equal(out(1000, &last), 60);
	host_play(0);
	conserved();
}

/* --- fq_codel --- */

static void flows_have_turns(void **state)
{
	unsigned heavy = 0, light = 0;

	(void)state;
	o.limit = 1000;
	with(&qdisc_fq_codel);
	fake[OUT].room = 0;
	send(1000, 1, 200, 1000);
	send(2000, 1, 20, 1000);
	fake[OUT].room = 42;
	pass(MS);
	assert_int_equal(out(1000, &heavy) + out(2000, &light), 42);
	/* the one that began later has had as many turns, though 200 stood before it */
	assert_in_range(light, 18, 20);
	fake[OUT].room = FAKE_SENT;
	for (unsigned i = 0; i < 10; i++)
		pass(MS / 10);
	conserved();
}

static void the_longest_queue_pays_when_there_are_too_many(void **state)
{
	(void)state;
	with(&qdisc_fq_codel);
	fake[OUT].room = 0;
	send(2000, 1, 20, 100);
	send(1000, 1, 150, 100);
	assert_int_equal(queue()->packets, 100);
	assert_int_equal(dropped(DROP_FQ_OVERLIMIT), 70);
	fake[OUT].room = FAKE_SENT;
	for (unsigned i = 0; i < 10; i++)
		pass(MS / 10);
	assert_int_equal(out(2000, NULL), 20);
	assert_int_equal(out(1000, NULL), 80);
}

static void take_what_left(void)
{
	while (fake[OUT].nsent)
		pkt_free(fake[OUT].sent[--fake[OUT].nsent]);
	fake[OUT].room = FAKE_SENT;
	sent(OUT);
}

/* load() - a sender of @n kilobytes a millisecond into a link of one, so many milliseconds */
static void load(unsigned n, unsigned ms)
{
	while (ms-- > 0) {
		send(1000, 1, n, 1000);
		pass(MS);
		take_what_left();
	}
}

static void short_waiting_is_left_alone_and_long_waiting_is_not(void **state)
{
	uint64_t first;

	(void)state;
	o.limit = 1000;
	o.rate = 1000000;
	o.burst = 2000;
	with(&qdisc_fq_codel);
	load(1, 500); /* as fast as the link: nobody waits */
	assert_int_equal(queue()->dropped, 0);
	load(2, 250); /* twice as fast */
	first = dropped(DROP_CODEL);
	assert_in_range(first, 1, 30);
	load(2, 250);
	assert_true(dropped(DROP_CODEL) > 2 * first); /* ever more often */
	conserved();
	load(0, 600);
	assert_int_equal(queue()->packets, 0);
	looked_at = 0;
}

static void marks_where_the_sender_understands_it(void **state)
{
	unsigned marked = 0;

	(void)state;
	o.ecn = true;
	o.limit = 1000;
	o.rate = 1000000;
	o.burst = 2000;
	with(&qdisc_fq_codel);
	for (unsigned ms = 0; ms < 400; ms++) {
		for (unsigned k = 0; k < 2; k++) {
			struct pkt *p = numbered(1000, 2 * ms + k + 1, 1000);

			p->data[15] |= 2; /* ECT(0) */
			csum_ipv4(p->data + 14, 20);
			put(1, p);
		}
		pass(MS);
	}
	for (unsigned i = looked_at; i < fake[OUT].nsent; i++) {
		const uint8_t *ip = fake[OUT].sent[i]->data + 14;

		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		marked += (ip[1] & 3) == 3;
	}
	assert_true(marked > 3);
	assert_int_equal(queue()->marked, marked);
	assert_int_equal(dropped(DROP_CODEL), 0);
	for (unsigned i = 0; i < 900; i++)
		pass(MS);
}

/* whatever a device takes and whatever happens to the port, each packet is accounted for */
static void nothing_is_lost_by_chance(void **state)
{
	(void)state;
	srand(3);
	for (unsigned round = 0; round < 300; round++) {
		switch (rand() % 8) {
		case 0: o.rate = rand() % 2 ? 0 : 100000 + rand() % 10000000; break;
		case 1: with(rand() % 2 ? &qdisc_pfifo : &qdisc_fq_codel); break;
		case 2: qdisc_clear(ports[OUT]); break;
		case 3: fake[OUT].room = rand() % 40; /* fall through */
		case 4: pass(rand() % (10 * MS)); break;
		default: send(1000 + rand() % 5, round, 1 + rand() % 20, 60 + rand() % 1000);
		}
		o.burst = 2000;
		conserved();
		take_what_left();
	}
	looked_at = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(passes_what_the_device_takes_at_once, up, down),
		cmocka_unit_test_setup_teardown(keeps_what_it_does_not_take_and_sends_it_in_order,
						up, down),
		cmocka_unit_test_setup_teardown(drops_beyond_its_limit, up, down),
		cmocka_unit_test_setup_teardown(sends_no_faster_than_its_rate, up, down),
		cmocka_unit_test_setup_teardown(a_port_that_goes_down_drops_what_waits, up, down),
		cmocka_unit_test_setup_teardown(a_queue_that_moves_goes_on_from_its_new_core, up,
						down),
		cmocka_unit_test_setup_teardown(
			other_cores_hand_over_to_the_one_that_owns_the_first_queue, up, down),
		cmocka_unit_test_setup_teardown(flows_have_turns, up, down),
		cmocka_unit_test_setup_teardown(the_longest_queue_pays_when_there_are_too_many, up,
						down),
		cmocka_unit_test_setup_teardown(short_waiting_is_left_alone_and_long_waiting_is_not,
						up, down),
		cmocka_unit_test_setup_teardown(marks_where_the_sender_understands_it, up, down),
		cmocka_unit_test_setup_teardown(nothing_is_lost_by_chance, up, down),
	};

	return cmocka_run_group_tests_name("test_qdisc", tests, NULL, NULL);
}
