/* SPDX-License-Identifier: MIT */
/* links: path */
/*
 * test_fdb.c - addresses are learnt, move, age, and stay within their limit
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/counter.h"
#include "kernel/qsbr.h"
#include "kernel/shell.h"
#include "net/ovs/fdb.h"
#include "net/flow.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"

enum { MAC_A = 0x000002, MAC_B = 0x010002, GROUP = 0x000001 };

static int up(void **state)
{
	(void)state;
	net_up(1, 3);
	return 0;
}

static int down(void **state)
{
	(void)state;
	fdb_flush(FDB_ANY, FDB_ANY);
	net_down();
	return 0;
}

static uint64_t counted(const char *name)
{
	set_for_each(c, counters) {
		if (!strcmp(c->name, name))
			return counter_read(c, 0);
	}
	fail_msg("there is no counter %s", name);
	return 0;
}

static void finds_what_it_learnt_in_that_vlan_of_that_switch(void **state)
{
	struct fdb_entry *e;

	(void)state;
	assert_null(fdb_find(0, 1, MAC_A));
	e = fdb_learn(0, 1, MAC_A, 2);
	assert_non_null(e);
	assert_ptr_equal(fdb_find(0, 1, MAC_A), e);
	assert_int_equal(e->port, 2);
	assert_null(fdb_find(0, 2, MAC_A));
	assert_null(fdb_find(1, 1, MAC_A));
	assert_null(fdb_find(0, 1, MAC_B));
	assert_ptr_equal(fdb_learn(0, 1, MAC_A, 2), e);
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 1);
}

static void never_learns_a_group_address(void **state)
{
	(void)state;
	assert_null(fdb_learn(0, 0, GROUP, 1));
	assert_null(fdb_learn(0, 0, 0xffffffffffff, 1));
	assert_null(fdb_learn(0, 0, 0, 1));
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 0);
}

static void a_move_invalidates_flows_and_a_new_address_does_not(void **state)
{
	uint32_t gen = flow_gen;

	(void)state;
	fdb_learn(0, 0, MAC_A, 1);
	fdb_learn(0, 0, MAC_B, 1);
	assert_int_equal(flow_gen, gen);
	fdb_learn(0, 0, MAC_A, 3);
	assert_int_not_equal(flow_gen, gen);
	assert_int_equal(fdb_find(0, 0, MAC_A)->port, 3);
	assert_int_equal(counted("net.fdb_moved"), 1);
}

static void forgets_who_is_silent(void **state)
{
	unsigned *ageing = net_knob("net.bridge.ageing_seconds"), was = *ageing;

	(void)state;
	*ageing = 10;
	fdb_learn(0, 0, MAC_A, 1);
	net_second(6);
	fdb_learn(0, 0, MAC_B, 1);
	net_second(3);
	assert_non_null(fdb_find(0, 0, MAC_A));
	net_second(1);
	assert_null(fdb_find(0, 0, MAC_A));
	assert_non_null(fdb_find(0, 0, MAC_B));
	net_second(3);
	fdb_learn(0, 0, MAC_B, 1); /* spoke again */
	net_second(9);
	assert_non_null(fdb_find(0, 0, MAC_B));
	net_second(1);
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 0);
	assert_int_equal(counted("net.fdb_aged"), 2);
	*ageing = was;
}

static void no_address_is_looked_at_before_the_oldest_may_be_too_old(void **state)
{
	unsigned *ageing = net_knob("net.bridge.ageing_seconds"), was = *ageing;
	struct fdb_entry *e;

	(void)state;
	*ageing = 10;
	net_second(10); /* looked at, when there was none */
	e = fdb_learn(0, 0, MAC_A, 1);
	e->seen -= 10; /* as never happens: gone when next looked at */
	net_second(9);
	assert_non_null(fdb_find(0, 0, MAC_A));
	net_second(1);
	assert_null(fdb_find(0, 0, MAC_A));
	*ageing = was;
}

static void hits_of_its_flows_keep_an_address_young(void **state)
{
	unsigned *ageing = net_knob("net.bridge.ageing_seconds"), was = *ageing;

	(void)state;
	*ageing = 10;
	net_switch();
	put(2, frame_udp(2, 1, 9, 9));
	for (unsigned i = 0; i < 30; i++) {
		put(1, frame_udp(1, 2, 9, 9));
		put(2, frame_udp(2, 1, 9, 9));
		net_second(1);
	}
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 2);
	for (unsigned i = 0; i < 12; i++) { /* host 2 falls silent: back to flooding */
		put(1, frame_udp(1, 2, 9, 9));
		net_second(1);
	}
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 1);
	sent(3);
	put(1, frame_udp(1, 2, 9, 9));
	assert_int_equal(sent(3), 1);
	*ageing = was;
}

static void stays_within_its_limit_and_counts(void **state)
{
	unsigned *limit = net_knob("net.bridge.fdb_limit"), was = *limit;

	(void)state;
	*limit = 100;
	for (unsigned i = 0; i < 130; i++)
		fdb_learn(0, 0, (uint64_t)i << 16 | 2, 1);
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 100);
	assert_int_equal(counted("net.fdb_full"), 30);
	assert_non_null(fdb_find(0, 0, 99 << 16 | 2));
	assert_int_equal(fdb_flush(FDB_ANY, FDB_ANY), 100);
	net_settle();
	assert_non_null(fdb_learn(0, 0, MAC_B, 1)); /* there is room again */
	*limit = was;
}

static void an_address_used_twice_moves_once_a_second(void **state)
{
	uint32_t gen;

	(void)state;
	fdb_learn(0, 0, MAC_A, 1);
	assert_non_null(fdb_learn(0, 0, MAC_A, 2)); /* a new one may move at once */
	gen = flow_gen;
	for (unsigned i = 0; i < 10; i++) {
		assert_null(fdb_learn(0, 0, MAC_A, 1));
		assert_non_null(fdb_learn(0, 0, MAC_A, 2));
	}
	assert_int_equal(flow_gen, gen); /* nobody else's flows suffer */
	assert_int_equal(counted("net.fdb_flapping"), 10);
	assert_int_equal(counted("net.fdb_moved"), 1);
	net_second(1);
	assert_int_not_equal(flow_gen, gen); /* its own flow does not hide it for ever */
	assert_non_null(fdb_learn(0, 0, MAC_A, 1));
	assert_int_equal(fdb_find(0, 0, MAC_A)->port, 1);
}

static void a_sender_that_was_refused_is_learnt_when_there_is_room(void **state)
{
	unsigned *limit = net_knob("net.bridge.fdb_limit"), was = *limit;
	uint32_t gen;

	(void)state;
	net_switch();
	put(2, frame_udp(2, 1, 9, 9));
	*limit = 1;
	put(1, frame_udp(1, 2, 9, 9));
	gen = flow_gen;
	net_second(1);
	assert_int_equal(flow_gen, gen); /* there is no room yet: its flow stays */
	put(1, frame_udp(1, 2, 9, 9));
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 1);
	assert_int_equal(counted("net.fdb_full"), 1);
	*limit = 100;
	for (unsigned i = 0; i < 2; i++) { /* and its flow is never idle */
		put(1, frame_udp(1, 2, 9, 9));
		net_second(1);
	}
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 2);
	gen = flow_gen;
	net_second(1);
	assert_int_equal(flow_gen, gen);
	*limit = was;
}

static void flushes_by_switch_and_by_port(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++)
		fdb_learn(i % 2, 0, (uint64_t)i << 16 | 2, 1 + i % 3);
	assert_int_equal(fdb_flush(FDB_ANY, 3), 4);
	assert_int_equal(fdb_flush(1, FDB_ANY), 4);
	assert_int_equal(fdb_rows(0, NULL, 0), 4);
	assert_int_equal(fdb_rows(1, NULL, 0), 0);
}

static void a_port_that_loses_its_link_is_forgotten(void **state)
{
	(void)state;
	net_switch();
	put(1, frame_arp(1, 2));
	put(2, frame_arp(2, 1));
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 2);
	fake[2].link = false;
	port_link_changed(&fake[2].port);
	assert_int_equal(fdb_rows(FDB_ANY, NULL, 0), 1);
}

static void rows_say_what_was_learnt(void **state)
{
	struct fdb_row row;

	(void)state;
	fdb_learn(5, 100, 0x665544332202, 3);
	net_second(4);
	assert_int_equal(fdb_rows(5, &row, 1), 1);
	assert_memory_equal(row.mac, ((const uint8_t[]){ 0x02, 0x22, 0x33, 0x44, 0x55, 0x66 }), 6);
	assert_int_equal(row.vid, 100);
	assert_int_equal(row.port, 3);
	assert_int_equal(row.sw, 5);
	assert_int_equal(row.age, 4);
}

/*
 * every core learns, moves and looks up the same addresses while core 0 flushes: no
 * entry is freed under a reader
 */
static void storm(void *arg)
{
	unsigned me = this_cpu()->id, seed = me;

	(void)arg;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t mac = (uint64_t)(rand_r(&seed) % 64) << 16 | 2;
		struct fdb_entry *e = fdb_learn(0, 0, mac, 1 + rand_r(&seed) % 3);

		if (e && (e->port < 1 || e->port > 3))
			abort();
		if (me == 0 && i % 50 == 0)
			fdb_flush(FDB_ANY, 1 + i / 50 % 3);
		qsbr_turn();
	}
	qsbr_sleep(this_cpu());
}

static void cores_learn_and_flush_at_once(void **state)
{
	(void)state;
	net_down();
	net_up(4, 3);
	host_run_cores(storm, NULL);
	cpu_for_each(i) {
		host_play(i);
		qsbr_wake(this_cpu());
	}
	host_play(0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest tests[] = {
		TEST(finds_what_it_learnt_in_that_vlan_of_that_switch),
		TEST(never_learns_a_group_address),
		TEST(a_move_invalidates_flows_and_a_new_address_does_not),
		TEST(forgets_who_is_silent),
		TEST(no_address_is_looked_at_before_the_oldest_may_be_too_old),
		TEST(hits_of_its_flows_keep_an_address_young),
		TEST(stays_within_its_limit_and_counts),
		TEST(an_address_used_twice_moves_once_a_second),
		TEST(a_sender_that_was_refused_is_learnt_when_there_is_room),
		TEST(flushes_by_switch_and_by_port),
		TEST(a_port_that_loses_its_link_is_forgotten),
		TEST(rows_say_what_was_learnt),
		TEST(cores_learn_and_flush_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
