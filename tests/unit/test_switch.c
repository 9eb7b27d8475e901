/* SPDX-License-Identifier: MIT */
/* links: path */
/*
 * test_switch.c - what a switch does with packets over fake ports, and that
 * none gets lost on the way
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/park.h"
#include "net/flow.h"
#include "net/wire.h"
#include "net/xmit.h"
#include "tests/unit/fake_net.h"

static int down(void **state)
{
	(void)state;
	net_down();
	return 0;
}

static void drops_what_comes_in_by_a_port_of_no_switch(void **state)
{
	(void)state;
	net_up(1, 2);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_NO_SWITCH), 1);
	assert_int_equal(port_total(&fake[1].port).in, 1);
	assert_int_equal(port_total(&fake[1].port).in_bytes, 60);
	assert_int_equal(sent(2), 0);
	conserved();
}

static void drops_what_comes_in_by_a_port_that_is_down(void **state)
{
	(void)state;
	net_up(1, 2);
	net_switch();
	port_set_up(&fake[1].port, false);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_PORT_DOWN), 1);
	conserved();
}

static void floods_to_the_unknown_then_sends_to_where_it_spoke(void **state)
{
	(void)state;
	net_up(1, 4);
	net_switch();
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(sent(2) + sent(3) + sent(4), 3);
	put(3, frame_udp(2, 1, 9, 1000));
	assert_int_equal(sent(1), 1);
	assert_int_equal(sent(2) + sent(4), 0);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(sent(3), 1);
	assert_int_equal(sent(2) + sent(4), 0);
	conserved();
	assert_int_equal(port_total(&fake[1].port).created,
			 2); /* of three that left one was the original */
}

static void a_copy_has_the_bytes_of_the_original(void **state)
{
	struct pkt *p;

	(void)state;
	net_up(1, 3);
	net_switch();
	p = frame_arp(1, 2);
	put(1, p);
	assert_ptr_equal(fake[3].sent[0], p); /* the last port gets the packet itself */
	assert_ptr_not_equal(fake[2].sent[0], p);
	assert_int_equal(fake[2].sent[0]->frame_len, 60);
	assert_memory_equal(fake[2].sent[0]->data, p->data, 60);
}

static void counts_the_copies_that_there_was_no_buffer_for(void **state)
{
	struct pkt *hold[1024], *p;
	unsigned n = 0;

	(void)state;
	net_up(1, 4);
	net_switch();
	p = frame_arp(1, 2);
	while ((hold[n] = pkt_alloc()))
		n++;
	put(1, p);
	assert_int_equal(dropped(DROP_NO_COPY), 2);
	assert_int_equal(sent(4), 1);
	conserved();
	while (n)
		pkt_free_seg(hold[--n]);
}

static void does_not_send_back_where_it_came_from(void **state)
{
	(void)state;
	net_up(1, 2);
	net_switch();
	put(1, frame_udp(2, 99, 1, 1)); /* host 2 is behind port 1 as well */
	sent(2);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_SAME_PORT), 1);
	assert_int_equal(sent(1) + sent(2), 0);
}

static void keeps_link_local_groups_to_itself(void **state)
{
	struct pkt *p;

	(void)state;
	net_up(1, 2);
	net_switch();
	for (unsigned last = 0; last < 16; last++) {
		p = frame_udp(1, 2, 1000, 9);
		memcpy(p->data, (const uint8_t[]){ 0x01, 0x80, 0xc2, 0, 0, last }, 6);
		put(1, p);
	}
	assert_int_equal(dropped(DROP_RESERVED_MAC), 16);
	p = frame_udp(1, 2, 1000, 9);
	memcpy(p->data, (const uint8_t[]){ 0x01, 0x80, 0xc2, 0, 0, 0x10 }, 6);
	put(1, p);
	assert_int_equal(sent(2), 1);
}

static void says_so_when_there_is_no_other_port(void **state)
{
	(void)state;
	net_up(1, 1);
	net_switch();
	put(1, frame_arp(1, 2));
	assert_int_equal(dropped(DROP_NO_OUTPUT), 1);
}

static void floods_to_ports_that_are_ready(void **state)
{
	(void)state;
	net_up(1, 3);
	net_switch();
	fake[2].link = false;
	port_link_changed(&fake[2].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(sent(2), 0);
	assert_int_equal(sent(3), 1);
	fake[3].link = false;
	port_link_changed(&fake[3].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(dropped(DROP_TX_DOWN),
			 1); /* not NO_OUTPUT: there is a port, and it has no link */
	conserved();
	fake[2].link = true;
	port_link_changed(&fake[2].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(sent(2), 1);
}

static void a_flood_that_is_cached_follows_the_ports(void **state)
{
	(void)state;
	net_up(1, 4);
	net_switch();
	fake[3].link = false;
	port_link_changed(&fake[3].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(sent(2) * 100 + sent(3) * 10 + sent(4), 101);
	fake[3].link = true;
	port_link_changed(&fake[3].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(sent(2) * 100 + sent(3) * 10 + sent(4), 111);
	fake[3].link = false;
	port_link_changed(&fake[3].port);
	put(1, frame_arp(1, 2));
	assert_int_equal(dropped(DROP_TX_DOWN), 0); /* left out, not sent in vain */
}

static void a_flow_follows_a_station_that_moves(void **state)
{
	(void)state;
	net_up(1, 3);
	net_switch();
	put(2, frame_udp(2, 1, 9, 1000));
	put(1, frame_udp(1, 2, 1000, 9));
	put(1, frame_udp(1, 2, 1000, 9));
	sent(2), sent(3);
	put(3, frame_udp(2, 1, 9, 1000)); /* the same MAC behind port 3 now */
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(sent(2), 0);
	assert_int_equal(sent(3), 1);
}

static void pads_what_is_short(void **state)
{
	uint8_t f[20] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x12, 0x34, 1, 2, 3, 4, 5, 6 };
	static const uint8_t zero[40];

	(void)state;
	net_up(1, 2);
	net_switch();
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(sent(2), 1);
	assert_int_equal(fake[2].sent[0]->frame_len, 60);
	assert_int_equal(fake[2].sent[0]->len, 60);
	assert_memory_equal(fake[2].sent[0]->data, f, 20);
	assert_memory_equal(fake[2].sent[0]->data + 20, zero, 40);
	assert_int_equal(port_total(&fake[2].port).out_bytes, 60);
}

static struct pkt *long_frame(unsigned len)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	p->len = p->frame_len = len;
	p->data[16] = (len - 14) >> 8;
	p->data[17] = len - 14;
	return p;
}

static void drops_what_the_egress_mtu_does_not_take(void **state)
{
	(void)state;
	net_up(1, 2);
	net_switch();
	put(1, long_frame(1518));
	assert_int_equal(sent(2), 1);
	put(1, long_frame(1519));
	assert_int_equal(dropped(DROP_TX_TOO_LONG), 1);
	port_set_mtu(&fake[2].port, 1600);
	put(1, long_frame(1519));
	assert_int_equal(sent(2), 1);
	conserved();
}

static void drops_what_the_ring_does_not_hold(void **state)
{
	struct pkt *burst[PORT_BATCH];

	(void)state;
	net_up(1, 2);
	net_switch();
	fake[2].room = 10;
	for (unsigned i = 0; i < PORT_BATCH; i++)
		burst[i] = frame_udp(1, 2, 1000 + i % 3, 9);
	put_batch(1, burst, PORT_BATCH);
	assert_int_equal(sent(2), 10);
	assert_int_equal(dropped(DROP_TX_RING_FULL), 54);
	assert_int_equal(port_total(&fake[2].port).out_bytes, 600);
	conserved();
}

static void gives_a_port_its_batch_in_one_call_and_in_order(void **state)
{
	struct pkt *burst[PORT_BATCH];

	(void)state;
	net_up(1, 3);
	net_switch();
	put(2, frame_udp(2, 1, 9, 9)); /* known: the burst is no flood */
	fake[2].calls = fake[1].nsent = 0;
	for (unsigned i = 0; i < PORT_BATCH; i++)
		burst[i] = frame_udp(1, 2, i, 9);
	put_batch(1, burst, PORT_BATCH);
	assert_int_equal(fake[2].calls, 1);
	for (unsigned i = 0; i < PORT_BATCH; i++)
		assert_int_equal(fake[2].sent[i]->data[35], i);
	pkt_free(fake[1].sent[0]);
}

static void drops_what_does_not_parse_and_goes_on_with_the_batch(void **state)
{
	struct pkt *burst[3];

	(void)state;
	net_up(1, 2);
	net_switch();
	for (unsigned i = 0; i < 3; i++)
		burst[i] = frame_udp(1, 2, 1, 1);
	burst[1]->data[14] = 0x44;
	put_batch(1, burst, 3);
	assert_int_equal(sent(2), 2);
	assert_int_equal(dropped(DROP_PARSE_IPV4_IHL), 1);
	conserved();
}

static void hands_over_to_the_core_that_owns_the_queue(void **state)
{
	struct pkt *burst[5];

	(void)state;
	net_up(3, 2);
	net_switch();
	fake[2].txq_of_cpu[0] = -1;
	fake[2].txq_of_cpu[2] = -1;
	for (unsigned i = 0; i < 5; i++)
		burst[i] = frame_udp(1, 2, i, 9);
	put_batch(1, burst, 5);
	assert_int_equal(sent(2), 0);
	assert_int_equal(host_calls.ipi[1], 1); /* one softirq for the lot, on the owner */
	assert_int_equal(host_calls.ipi[2], 0);
	conserved(); /* also while they wait */
	assert_int_equal(xmit_waiting(&fake[2].port), 5);
	net_settle();
	assert_int_equal(sent(2), 5);
	assert_int_equal(fake[2].port.cpu[1].taken, 5);
	conserved();
}

static void counts_what_the_ring_between_cores_does_not_hold(void **state)
{
	(void)state;
	net_up(2, 2);
	net_switch();
	fake[2].txq_of_cpu[0] = -1;
	for (unsigned i = 0; i < XMIT_RING_SLOTS + 7; i++)
		put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_XCORE_FULL), 7);
	assert_int_equal(xmit_waiting(&fake[2].port), XMIT_RING_SLOTS);
	conserved();
	for (unsigned i = 0; i < XMIT_RING_SLOTS / PORT_BATCH; i++)
		net_settle();
	assert_int_equal(sent(2), XMIT_RING_SLOTS);
	conserved();
}

static struct pkt *numbered(unsigned n)
{
	return frame_udp(1, 2, 1000 + n % 3, n);
}

/* @n frames left by @id, in the order of their numbers from @first on */
static void assert_order(unsigned id, unsigned first, unsigned n)
{
	assert_int_equal(fake[id].nsent, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(be16(load16(fake[id].sent[i]->data + 36)), first + i);
}

/* as NICs ask for it before a queue moves */
static void settle(void)
{
	cores_park();
	xmit_settle();
	cores_resume();
}

/* core 0 gives to core 1, then owns the queue itself: what waits goes first */
static void a_queue_that_moves_loses_and_reorders_nothing(void **state)
{
	enum { FIRST = PORT_BATCH + 36, ALL = FIRST + 20 };

	(void)state;
	net_up(3, 2);
	net_switch();
	memset(fake[2].txq_of_cpu, -1, MAX_CPUS);
	fake[2].txq_of_cpu[1] = 0;
	for (unsigned i = 0; i < FIRST; i++)
		put(1, numbered(i));
	settle();
	assert_int_equal(xmit_waiting(&fake[2].port), 0);
	conserved();
	fake[2].txq_of_cpu[1] = -1;
	fake[2].txq_of_cpu[0] = 0;
	for (unsigned i = FIRST; i < ALL; i++)
		put(1, numbered(i));
	net_settle();
	assert_order(2, 0, ALL);
	assert_int_equal(dropped(DROP_TX_STOPPED), 0);
}

/*
 * what waits for core 0 is sent by its queue, also when there was something
 * for another core before it
 */
static void each_ring_is_sent_by_the_core_it_leads_to(void **state)
{
	(void)state;
	net_up(2, 3);
	net_switch();
	fake[2].txq_of_cpu[0] = -1;
	fake[3].txq_of_cpu[1] = -1;
	put(1, frame_arp(1, 2));
	host_play(1);
	put(1, frame_arp(1, 2));
	host_play(0);
	settle();
	assert_int_equal(sent(2) * 10 + sent(3), 22);
	assert_int_equal(dropped(DROP_TX_STOPPED), 0);
	put(1, frame_arp(1, 2)); /* core 0 sends by its own queues again */
	assert_int_equal(sent(2) * 10 + sent(3), 1);
}

/*
 * core 0 received a flow, now core 2 does; both give to core 1, which takes
 * core 0's ring first or last
 */
static void a_flow_that_another_core_receives_keeps_its_order(void **state)
{
	(void)state;
	for (unsigned from = 0; from <= 2; from += 2) {
		net_up(3, 2);
		net_switch();
		memset(fake[2].txq_of_cpu, -1, MAX_CPUS);
		fake[2].txq_of_cpu[1] = 0;
		host_play(from);
		for (unsigned i = 0; i < 10; i++)
			put(1, numbered(i));
		host_play(0);
		settle();
		host_play(2 - from);
		for (unsigned i = 10; i < 20; i++)
			put(1, numbered(i));
		net_settle();
		assert_order(2, 0, 20);
		if (from == 0)
			net_down();
	}
}

static void drops_what_waited_for_a_port_that_stopped(void **state)
{
	(void)state;
	net_up(2, 2);
	net_switch();
	fake[2].txq_of_cpu[0] = -1;
	put(1, frame_udp(1, 2, 1000, 9));
	port_set_up(&fake[2].port, false);
	net_settle();
	assert_int_equal(dropped(DROP_TX_STOPPED), 1);
	conserved();
}

static void drops_when_no_core_owns_a_queue(void **state)
{
	(void)state;
	net_up(2, 2);
	net_switch();
	memset(fake[2].txq_of_cpu, -1, sizeof(fake[2].txq_of_cpu));
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_TX_DOWN), 1);
}

static void a_port_that_does_not_come_up_stays_down(void **state)
{
	(void)state;
	net_up(1, 1);
	port_set_up(&fake[1].port, false);
	fake[1].refuse = -5;
	assert_int_equal(port_set_up(&fake[1].port, true), -5);
	assert_false(fake[1].port.up);
	assert_false(fake[1].port.ready);
	fake[1].refuse = 0;
	assert_int_equal(host_calls.park, host_calls.resume);
}

static void ports_are_matched_by_glob_name_and_number(void **state)
{
	struct port *m[PORT_MAX];

	(void)state;
	net_up(1, 3);
	assert_int_equal(port_match("p*", m), 3);
	assert_int_equal(port_match("p?", m), 3);
	assert_int_equal(port_match("p2", m), 1);
	assert_int_equal(port_match("3", m), 1);
	assert_ptr_equal(m[0], &fake[3].port);
	assert_int_equal(port_match("p", m), 0);
	assert_int_equal(port_match("*p*2*", m), 1);
	assert_int_equal(port_match("q*", m), 0);
}

static void what_a_failed_line_names_is_held_down(void **state)
{
	(void)state;
	net_up(1, 3);
	port_hold("p[");
	port_hold("p2");
	assert_false(fake[2].port.up);
	assert_true(fake[2].port.held);
	assert_true(fake[1].port.up && fake[3].port.up);
}

/* a thousand batches of every kind on four cores' queues, then the books are balanced */
static void the_law_holds_after_a_storm(void **state)
{
	(void)state;
	net_up(4, 5);
	net_switch();
	fake[4].txq_of_cpu[3] = fake[5].txq_of_cpu[0] = -1;
	fake[5].room = 300;
	srand(7);
	for (unsigned round = 0; round < 400; round++) {
		struct pkt *burst[8];
		unsigned n = 1 + rand() % 8, in = 1 + rand() % 5;

		host_play(rand() % 4);
		for (unsigned i = 0; i < n; i++) {
			burst[i] = frame_udp(10 * in + rand() % 4,
					     10 * (1 + rand() % 5) + rand() % 4, rand() % 50, 9);
			if (rand() % 10 == 0)
				burst[i]->data[rand() % 40] ^= 1 << rand() % 8;
			if (rand() % 20 == 0)
				burst[i]->len = burst[i]->frame_len = rand() % 60;
		}
		put_batch(in, burst, n);
		conserved();
		if (rand() % 4 == 0)
			net_settle();
		if (rand() % 20 == 0)
			net_second(5);
		for (unsigned id = 1; id <= 4; id++) { /* the wire takes what was sent */
			while (fake[id].nsent > FAKE_SENT / 4)
				pkt_free(fake[id].sent[--fake[id].nsent]);
			fake[id].room = FAKE_SENT / 2;
		}
	}
	host_play(0);
	assert_true(dropped(DROP_TX_RING_FULL) > 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, down)
	const struct CMUnitTest tests[] = {
		TEST(drops_what_comes_in_by_a_port_of_no_switch),
		TEST(drops_what_comes_in_by_a_port_that_is_down),
		TEST(floods_to_the_unknown_then_sends_to_where_it_spoke),
		TEST(a_copy_has_the_bytes_of_the_original),
		TEST(counts_the_copies_that_there_was_no_buffer_for),
		TEST(does_not_send_back_where_it_came_from),
		TEST(keeps_link_local_groups_to_itself),
		TEST(says_so_when_there_is_no_other_port),
		TEST(floods_to_ports_that_are_ready),
		TEST(a_flood_that_is_cached_follows_the_ports),
		TEST(a_flow_follows_a_station_that_moves),
		TEST(pads_what_is_short),
		TEST(drops_what_the_egress_mtu_does_not_take),
		TEST(drops_what_the_ring_does_not_hold),
		TEST(gives_a_port_its_batch_in_one_call_and_in_order),
		TEST(drops_what_does_not_parse_and_goes_on_with_the_batch),
		TEST(hands_over_to_the_core_that_owns_the_queue),
		TEST(counts_what_the_ring_between_cores_does_not_hold),
		TEST(a_queue_that_moves_loses_and_reorders_nothing),
		TEST(each_ring_is_sent_by_the_core_it_leads_to),
		TEST(a_flow_that_another_core_receives_keeps_its_order),
		TEST(drops_what_waited_for_a_port_that_stopped),
		TEST(drops_when_no_core_owns_a_queue),
		TEST(a_port_that_does_not_come_up_stays_down),
		TEST(ports_are_matched_by_glob_name_and_number),
		TEST(what_a_failed_line_names_is_held_down),
		TEST(the_law_holds_after_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
