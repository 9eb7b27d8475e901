/* SPDX-License-Identifier: MIT */
/* links: path */
/*
 * test_flow.c - caches and the shared flow table: what is remembered, for how long, and
 * what makes it be forgotten
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/counter.h"
#include "kernel/qsbr.h"
#include "kernel/shell.h"
#include "net/flow.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"

static int up(void **state)
{
	(void)state;
	net_up(1, 3);
	return 0;
}

static int down(void **state)
{
	(void)state;
	net_down();
	return 0;
}

static struct emc *emc(void)
{
	return emc_of_cpu[this_cpu()->id];
}

/* two hosts that know each other: 1 behind port 1, 2 behind port 2 */
static void introduce(void)
{
	net_switch();
	put(1, frame_udp(1, 2, 9, 9));
	put(2, frame_udp(2, 1, 9, 9));
}

static void the_second_packet_hits_the_cache(void **state)
{
	uint64_t misses, upcalls;

	(void)state;
	introduce();
	put(1, frame_udp(1, 2, 1000, 9));
	misses = emc()->misses;
	upcalls = emc()->upcalls;
	for (unsigned i = 0; i < 10; i++)
		put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(emc()->misses, misses);
	put(1, frame_udp(1, 2, 1001, 9));
	assert_int_equal(emc()->misses, misses + 1);
	assert_int_equal(emc()->upcalls, upcalls + 1);
}

static void ipv6_arp_and_tags_are_cached_too(void **state)
{
	uint64_t upcalls = 0;

	(void)state;
	introduce();
	for (unsigned i = 0; i < 3; i++) {
		if (i == 1)
			upcalls = emc()->upcalls;
		put(1, frame_udp6(1, 2, 1000, 9));
		put(1, frame_arp(1, 2));
		put(1, frame_tcp(1, 2, 1, 2));
		put(2, frame_tag(frame_udp(2, 1, 1000, 9), ETH_P_VLAN,
				 0)); /* VLAN 0 is untagged, as a bridge sees it */
	}
	assert_int_equal(emc()->upcalls, upcalls);
}

static void keys_that_differ_in_the_last_word_alone_are_two_flows(void **state)
{
	struct pkt *p;

	(void)state;
	introduce();
	put(1, frame_udp6(1, 2, 1000, 9));
	p = frame_udp6(1, 2, 1000, 9);
	p->data[52] ^= 1;
	put(1, p);
	assert_int_equal(flow_count(), 3); /* and host 2's answer */
}

static void a_flood_to_the_unknown_is_not_remembered(void **state)
{
	(void)state;
	net_switch();
	for (unsigned i = 0; i < 5; i++)
		put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(flow_count(), 0);
	assert_int_equal(emc()->upcalls, 5);
	put(1, frame_arp(1, 2));
	assert_int_equal(flow_count(), 1); /* to all is another matter */
}

static void learning_invalidates_nothing(void **state)
{
	uint64_t upcalls;

	(void)state;
	introduce();
	put(1, frame_udp(1, 2, 1000, 9));
	put(3, frame_udp(3, 1, 1000, 9));
	upcalls = emc()->upcalls;
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(emc()->upcalls, upcalls);
}

static void take_total(struct flow *f, void *arg)
{
	struct flow_stat *t = arg, one = flow_total(f);

	t->packets += one.packets;
	t->bytes += one.bytes;
}

static void a_verdict_that_is_still_right_keeps_its_counts(void **state)
{
	struct flow_stat total = { 0 };

	(void)state;
	introduce();
	for (unsigned i = 0; i < 4; i++) {
		put(1, frame_udp(1, 2, 1000, 9));
		flow_invalidate();
	}
	assert_int_equal(flow_count(), 2);
	flow_for_each(take_total, &total);
	assert_int_equal(total.packets, 5);
}

static void counts_every_packet_of_a_flow_once(void **state)
{
	struct flow_stat t = { 0 };

	(void)state;
	introduce();
	for (unsigned i = 0; i < 7; i++)
		put(1, frame_udp(1, 2, 1000, 9));
	flow_for_each(take_total, &t);
	assert_int_equal(t.packets, 8); /* host 2's first one was no flood any more */
	assert_int_equal(t.bytes, 8 * 60);
}

static void idle_flows_are_forgotten_and_busy_ones_stay(void **state)
{
	unsigned *idle = net_knob("net.flow.idle_seconds");
	uint64_t upcalls;

	(void)state;
	introduce();
	put(1, frame_udp(1, 2, 1, 9));
	put(1, frame_udp(1, 2, 2, 9));
	for (unsigned i = 0; i < *idle; i++) {
		put(1, frame_udp(1, 2, 1, 9));
		net_second(1);
	}
	assert_int_equal(flow_count(), 1);
	upcalls = emc()->upcalls;
	put(1, frame_udp(1, 2, 1, 9));
	assert_int_equal(emc()->upcalls,
			 upcalls); /* the cache was emptied, the table still knows */
	put(1, frame_udp(1, 2, 2, 9));
	assert_int_equal(emc()->upcalls, upcalls + 1);
}

/* whatever else goes out of the table before them */
static void each_flow_goes_when_its_own_time_is_up(void **state)
{
	enum { EACH = 7 };
	unsigned idle = *net_knob("net.flow.idle_seconds");

	(void)state;
	introduce();
	for (unsigned i = 0; i < idle; i++) {
		for (unsigned k = 0; k < EACH; k++)
			put(1, frame_udp(1, 2, 1 + k * idle + (i + k) % idle, 9));
		net_second(1);
	}
	for (unsigned i = 0; i < idle; i++) {
		assert_int_equal(flow_count(), (idle - i - 1) * EACH);
		net_second(1);
	}
}

static void take_flow(struct flow *f, void *arg)
{
	*(struct flow **)arg = f;
}

/* a flow with one packet, and no other */
static struct flow *only_flow(void)
{
	struct flow *f = NULL;

	net_switch();
	put(1, frame_arp(1, 2));
	flow_for_each(take_flow, &f);
	return f;
}

static void while_no_packets_come_no_flow_is_looked_at(void **state)
{
	unsigned idle = *net_knob("net.flow.idle_seconds");
	struct flow *f = only_flow();

	(void)state;
	net_second(3);
	flow_hit(f, 0, 60); /* of no packet: seen by whoever looks */
	net_second(1);
	assert_int_equal(f->counted, 1);
	put(1, frame_arp(1, 2));
	net_second(1);
	assert_int_equal(f->counted, 3);
	net_second(idle - 2);
	assert_int_equal(flow_count(), 1);
	net_second(1);
	assert_int_equal(flow_count(), 0);
}

static void a_packet_on_its_way_to_its_flow_when_that_was_looked_at_is_seen_next(void **state)
{
	struct flow *f = only_flow();

	(void)state;
	net_second(5);
	port_here(ports[1])->in++;
	net_second(1);
	flow_hit(f, 0, 60);
	net_second(1);
	assert_int_equal(f->used, fdb_tick_now() - 1);
	port_here(ports[1])->in--;
}

static void a_full_table_still_forwards(void **state)
{
	unsigned *limit = net_knob("net.flow.limit"), was = *limit;

	(void)state;
	introduce();
	*limit = 5;
	sent(2);
	for (unsigned i = 0; i < 20; i++)
		put(1, frame_udp(1, 2, i, 9));
	assert_int_equal(flow_count(), 5);
	assert_int_equal(sent(2), 20);
	assert_int_equal(emc()->lost, 16); /* host 2's flow holds a place */
	*limit = was;
	conserved();
}

static void a_verdict_of_an_older_world_is_not_kept(void **state)
{
	const struct flow_key key = { .in_port = 1 };
	const struct verdict v = { .out = 2, .ports = BIT(2) };
	uint32_t gen = flow_gen;

	(void)state;
	flow_invalidate();
	assert_null(flow_install(&key, key_hash(0, &key), &v, gen));
	assert_int_equal(flow_count(), 0);
	assert_non_null(flow_install(&key, key_hash(0, &key), &v, flow_gen));
	assert_non_null(flow_find(&key, key_hash(0, &key)));
	flow_invalidate();
	assert_null(flow_find(&key, key_hash(0, &key)));
}

static void lost_counts_no_verdict_that_the_world_overtook(void **state)
{
	(void)state;
	introduce();
	put(3, frame_udp(1, 2, 9,
			 9)); /* host 1 moved: learning it invalidates what is just being decided */
	assert_int_equal(sent(2), 2);
	assert_int_equal(flow_count(), 1); /* of host 2's packet; nothing of this one was kept */
	assert_int_equal(emc()->lost, 0);
}

static void a_flow_that_is_replaced_leaves_the_caches(void **state)
{
	const struct flow_key key = { .in_port = 1 };
	struct verdict v = { .out = 2, .ports = BIT(2) };
	uint32_t gen = emc_gen;

	(void)state;
	flow_install(&key, key_hash(0, &key), &v, flow_gen);
	assert_int_equal(emc_gen, gen);
	v.out = 3; /* another core came to another verdict about the same packet */
	assert_int_equal(flow_install(&key, key_hash(0, &key), &v, flow_gen)->out, 3);
	assert_int_not_equal(emc_gen, gen);
	assert_int_equal(flow_count(), 1);
}

static void a_thousand_flows_fit_the_cache(void **state)
{
	uint64_t misses = 0;

	(void)state;
	introduce();
	for (unsigned round = 0; round < 3; round++) {
		srand(3);
		if (round == 2)
			misses = emc()->misses;
		for (unsigned i = 0; i < 1000; i++) {
			put(1, frame_udp(1, 2, rand(), rand()));
			pkt_free(fake[2].sent[--fake[2].nsent]);
			fake[2].room++;
		}
	}
	assert_true(emc()->misses - misses < 10);
}

static void more_flows_than_a_bucket_holds_share_it_in_turn(void **state)
{
	static struct flow flows[6];
	uint32_t tag[6], t = 1;
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) { /* whose bucket is the same */
		while (emc_ways(emc(), ++t) != emc_ways(emc(), 1))
			;
		tag[i] = t;
		emc_insert(emc(), t, &flows[i]);
	}
	for (unsigned i = 0; i < 6; i++) {
		const struct emc_slot *s = emc_way(emc(), tag[i]);

		found += s != NULL;
		if (s)
			assert_ptr_equal(s->flow, &flows[i]);
	}
	assert_int_equal(found, EMC_WAYS);
	assert_non_null(emc_way(emc(), tag[5]));
}

/*
 * keys as real life has them: hosts and ports in sequence, in 2^@bits a row of the one
 * and the rest in the other
 */
static struct flow_key in_sequence(unsigned kind, unsigned bits, unsigned i)
{
	struct flow_key key = { .in_port = 1, .nw_proto = 17, .dl_type = be16(ETH_P_IP) };
	unsigned low = i & (BIT(bits) - 1), high = i >> bits;

	key.ip4.src = be32(0x0a000000 + (kind == 0 ? high : 0) + (kind == 1 ? high << 8 : 0));
	key.ip4.dst = be32(0x0a010002 + (kind == 2 ? high : 0));
	key.tp_src = be16(1024 + (kind == 3 ? high : 0) + (kind == 0 ? low : 0));
	key.tp_dst = be16(9 + (kind == 1 || kind == 3 ? low : 0));
	key.dl_src[5] = kind == 2 ? low : 1;
	return key;
}

static void hashes_spread_over_the_buckets(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4 * 9; way++) {
		unsigned load[EMC_BUCKETS] = { 0 }, over = 0;

		for (unsigned i = 0; i < 4096; i++) {
			struct flow_key key = in_sequence(way % 4, way / 4, i);

			struct emc_bucket *at = (void *)emc_ways(emc(), key_hash(0, &key));

			over += ++load[at - emc()->bucket] > EMC_WAYS;
		}
		assert_true(over < 4096 / 8); /* a good hash leaves about 5 % at two a bucket */
	}
}

static void hashes_by_hand_are_those_of_the_instruction(void **state)
{
	(void)state;
	srand(1);
	for (unsigned n = 0; n < 1000; n++) {
		uint32_t seed = rand();
		uint64_t w[KEY_WORDS];

		for (unsigned i = 0; i < KEY_WORDS; i++)
			w[i] = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ rand();
		assert_int_equal(key_hash_by_hand(seed, w, n % 2), key_hash_words(seed, w, n % 2));
	}
}

/* the other way through: every question of a batch is asked at its place */
static void a_cpu_without_the_instruction_has_caches_too(void **state)
{
	key_no_crc32 = true;
	switch_init();
	the_second_packet_hits_the_cache(state);
	key_no_crc32 = false;
	switch_init();
}

static void a_flow_is_not_reused_while_a_core_may_hold_it(void **state)
{
	const struct flow_key key = { .in_port = 1 }, other = { .in_port = 2 };
	const struct verdict v = { .out = 2, .ports = BIT(2) };
	struct flow *held, *f;

	(void)state;
	net_down();
	net_up(2, 3);
	flow_install(&key, key_hash(0, &key), &v, flow_gen);
	host_play(1);
	held = flow_find(&key, key_hash(0, &key));
	host_play(0);
	fdb_tick += 100;
	flow_age();
	assert_int_equal(flow_count(), 0);
	qsbr_turn(); /* core 0 has turned, core 1 is still at it */
	f = flow_install(&other, key_hash(0, &other), &v, flow_gen);
	assert_ptr_not_equal(f, held);
	assert_true(key_equal(&held->key, &key));
	net_settle();
	assert_int_equal(qsbr_pending(), 0);
	assert_ptr_equal(flow_install(&key, key_hash(0, &key), &v, flow_gen),
			 held); /* now it may be */
}

/* four cores send, learn and invalidate at once, with flows that come and go */
static void storm(void *arg)
{
	unsigned me = this_cpu()->id, seed = me + 1;

	(void)arg;
	for (unsigned i = 0; i < 20000; i++) {
		struct flow_key key = { .in_port = 1, .tp_src = rand_r(&seed) % 512 };
		struct verdict v = { .out = 2, .ports = BIT(2), .rule = { 0, key.tp_src % 2 } };
		uint32_t gen = flow_gen;
		uint32_t hash = key_hash(0, &key);
		struct flow *f = flow_find(&key, hash);

		if (!f)
			f = flow_install(&key, hash, &v, gen);
		if (f && !key_equal(&f->key, &key))
			abort();
		if (f)
			flow_hit(f, me * sizeof(struct flow_stat), 60);
		if (i % 500 == 0)
			flow_invalidate();
		if (me == 0 && i % 1000 == 0) {
			fdb_tick += 20;
			flow_age();
		}
		qsbr_turn();
	}
	qsbr_sleep(this_cpu());
}

static void cores_make_use_and_age_flows_at_once(void **state)
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
	net_second(100);
	assert_int_equal(flow_count(), 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest tests[] = {
		TEST(the_second_packet_hits_the_cache),
		TEST(ipv6_arp_and_tags_are_cached_too),
		TEST(keys_that_differ_in_the_last_word_alone_are_two_flows),
		TEST(a_flood_to_the_unknown_is_not_remembered),
		TEST(learning_invalidates_nothing),
		TEST(a_verdict_that_is_still_right_keeps_its_counts),
		TEST(counts_every_packet_of_a_flow_once),
		TEST(idle_flows_are_forgotten_and_busy_ones_stay),
		TEST(each_flow_goes_when_its_own_time_is_up),
		TEST(while_no_packets_come_no_flow_is_looked_at),
		TEST(a_packet_on_its_way_to_its_flow_when_that_was_looked_at_is_seen_next),
		TEST(a_full_table_still_forwards),
		TEST(a_verdict_of_an_older_world_is_not_kept),
		TEST(lost_counts_no_verdict_that_the_world_overtook),
		TEST(a_flow_that_is_replaced_leaves_the_caches),
		TEST(a_thousand_flows_fit_the_cache),
		TEST(more_flows_than_a_bucket_holds_share_it_in_turn),
		TEST(hashes_spread_over_the_buckets),
		TEST(hashes_by_hand_are_those_of_the_instruction),
		TEST(a_cpu_without_the_instruction_has_caches_too),
		TEST(a_flow_is_not_reused_while_a_core_may_hold_it),
		TEST(cores_make_use_and_age_flows_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
