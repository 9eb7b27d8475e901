/* SPDX-License-Identifier: MIT */
/* links: path */
/*
 * test_taps.c - who looks on sees what passes, in Linux's order, and never more than its ring
 * holds; and the ingress filter behind the taps
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/taps.h"
#include "net/tc_filter.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"

static struct packet_tap all, one;

static int up(void **state)
{
	(void)state;
	net_up(2, 3);
	net_switch();
	host_tsc = 1000;
	host_tsc_step = 1; /* each look at the clock is later than the one before */
	return 0;
}

static int down(void **state)
{
	(void)state;
	net_down();
	assert_null(pkt_drop_tap);
	port_for_each(i)
		assert_int_equal((ports[i]->rx_extra | ports[i]->tx_extra) & PORT_TAPS, 0);
	return 0;
}

/* tap() - opened, of all devices or of port @id. */
static void tap(struct packet_tap *t, unsigned id, uint8_t where)
{
	*t = (struct packet_tap){ .port = id ? ports[id] : NULL,
				  .snaplen = 1 << 16,
				  .where = where };
	assert_int_equal(taps_open(t, TAPS_RING_MIN), 0);
}

static void untap(struct packet_tap *t)
{
	taps_close(t);
	taps_free(t);
}

/*
 * next() - the oldest record, copied; its frame stays where it is till the ring is written again.
 */
static const struct tap_record *next(struct packet_tap *t)
{
	const struct tap_record *r = taps_peek(t);

	assert_non_null(r);
	taps_next(t, r);
	return r;
}

static void nothing_more(struct packet_tap *t)
{
	assert_null(taps_peek(t));
}

static struct bpf_prog *program(const struct bpf_insn *insn, unsigned n)
{
	struct bpf_prog *prog = malloc(sizeof(*prog) + n * sizeof(*insn));
	unsigned where;

	assert_null(bpf_check(insn, n, &where));
	prog->n = n;
	memcpy(prog->insn, insn, n * sizeof(*insn));
	return prog;
}

/* udp_alone() - wants @bytes of frames with UDP in IPv4, nothing of others. */
static struct bpf_prog *udp_alone(uint32_t bytes)
{
	return program((const struct bpf_insn[]){ { 0x30, 0, 0, 23 },
						  { 0x15, 0, 1, PROTO_UDP },
						  { 0x06, 0, 0, bytes },
						  { 0x06, 0, 0, 0 } },
		       4);
}

/* --- order --- */

static void taps_of_all_look_first_then_those_of_the_device_then_the_handler(void **state)
{
	const struct tap_record *a, *b;

	(void)state;
	tap(&one, 1, TAP_IN);
	tap(&all, 0, TAP_IN | TAP_OUT);
	put(1, frame_udp(1, 2, 1000, 9));
	a = next(&all);
	b = next(&one);
	assert_int_equal(a->where, TAP_IN);
	assert_int_equal(a->port, 1);
	assert_int_equal(a->len, 60);
	assert_int_equal(a->caplen, 60);
	assert_true(a->ns == b->ns);       /* one packet, stamped once */
	for (unsigned i = 0; i < 2; i++) { /* flooded: behind its handler it leaves by two */
		b = next(&all);
		assert_int_equal(b->where, TAP_OUT);
		assert_true(b->ns > a->ns);
	}
	nothing_more(&all);
	nothing_more(&one);
	untap(&all);
	untap(&one);
}

static void a_tap_sees_its_own_port_alone(void **state)
{
	(void)state;
	tap(&one, 2, TAP_IN | TAP_OUT);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(next(&one)->where, TAP_OUT);
	put(3, frame_udp(3, 1, 1000, 9));
	nothing_more(&one);
	untap(&one);
	put(2, frame_udp(2, 1, 1000, 9));
}

static void what_leaves_by_another_cores_queue_is_shown_once(void **state)
{
	(void)state;
	put(2, frame_udp(2, 1, 9, 1000));
	fake[2].txq_of_cpu[0] = -1;
	tap(&one, 2, TAP_OUT);
	put(1, frame_udp(1, 2, 1000, 9));
	nothing_more(&one);
	net_settle();
	assert_int_equal(next(&one)->cpu, 1);
	nothing_more(&one);
	untap(&one);
	conserved();
}

/* --- what is kept --- */

static void a_filter_says_what_is_kept_and_how_much_of_it(void **state)
{
	struct bpf_prog *filter = udp_alone(40);

	(void)state;
	tap(&all, 0, TAP_IN);
	all.filter = filter;
	put(1, frame_tcp(1, 2, 1000, 9));
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(next(&all)->caplen, 40);
	nothing_more(&all);
	all.snaplen = 20;
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(next(&all)->caplen, 20);
	assert_int_equal(taps_stats(&all).received, 2);
	untap(&all);
	free(filter);
}

static void who_asks_is_told_how_many_look_on_and_want_it(void **state)
{
	struct pkt *udp = frame_udp(1, 2, 1000, 9), *tcp = frame_tcp(1, 2, 1000, 9);
	struct bpf_prog *prog = udp_alone(1000);
	struct taps_count n;

	(void)state;
	tap(&one, 1, TAP_IN);
	tap(&all, 0, TAP_IN | TAP_OUT);
	one.filter = prog;
	n = taps_count(ports[1], udp, TAP_IN);
	assert_true(n.all == 1 && n.own == 1 && n.want == 2);
	n = taps_count(ports[1], tcp, TAP_IN);
	assert_true(n.all == 1 && n.own == 1 && n.want == 1);
	n = taps_count(ports[1], udp, TAP_OUT);
	assert_true(n.all == 1 && n.own == 0 && n.want == 1);
	nothing_more(&one);
	nothing_more(&all);
	assert_int_equal(taps_stats(&all).received, 0);
	untap(&one);
	untap(&all);
	free(prog);
	pkt_free(udp);
	pkt_free(tcp);
}

static void a_chain_is_kept_in_one_piece(void **state)
{
	struct pkt *first = frame_udp(1, 2, 1000, 9), *second = frame_raw("0123456789", 10);
	const struct tap_record *r;
	uint8_t bytes[70];

	(void)state;
	memcpy(bytes, first->data, 60);
	memcpy(bytes + 60, second->data, 10);
	first->next = second;
	first->nsegs = 2;
	first->flags = PKT_CHAIN;
	first->frame_len = 70;
	tap(&one, 1, TAP_IN);
	put(1, first);
	r = next(&one);
	assert_int_equal(r->caplen, 70);
	assert_memory_equal(r->frame, bytes, 70);
	untap(&one);
}

static void a_tag_that_the_nic_took_out_stands_in_its_place(void **state)
{
	struct pkt *tagged = frame_tag(frame_udp(1, 2, 1000, 9), ETH_P_VLAN, 0x6005);
	struct pkt *bare = frame_udp(1, 2, 1000, 9);

	(void)state;
	bare->flags = PKT_VLAN;
	bare->vlan_tci = 0x6005;
	tap(&one, 1, TAP_IN);
	for (unsigned snaplen = 1; snaplen <= 64; snaplen++) {
		const struct tap_record *a, *b;

		one.snaplen = snaplen;
		taps_rx(ports[1], &tagged, 1);
		taps_rx(ports[1], &bare, 1);
		a = taps_peek(&one);
		taps_next(&one, a);
		b = next(&one);
		assert_int_equal(a->len, 64);
		assert_int_equal(b->len, 64);
		assert_memory_equal(a->frame, b->frame, snaplen);
	}
	untap(&one);
	pkt_free(tagged);
	pkt_free(bare);
}

/* --- the ring --- */

static void a_full_ring_counts_and_goes_on_when_there_is_room(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);
	unsigned kept = 0, bytes = 0;

	(void)state;
	tap(&one, 1, TAP_IN);
	for (unsigned n = 0; n < 1000; n++)
		taps_rx(ports[1], &p, 1);
	assert_int_equal(taps_stats(&one).received, 1000);
	assert_true(taps_stats(&one).dropped > 0);
	for (const struct tap_record *r; (r = taps_peek(&one)); kept++) {
		bytes += r->size;
		taps_next(&one, r);
	}
	assert_int_equal(kept + taps_stats(&one).dropped, 1000);
	assert_true(bytes <= TAPS_RING_MIN && bytes > TAPS_RING_MIN - 256);
	taps_rx(ports[1], &p, 1);
	next(&one);
	nothing_more(&one);
	untap(&one);
	pkt_free(p);
}

/* lengths that are no part of the ring's size, so that its end falls anywhere in a record */
static void records_lie_in_one_piece_wherever_the_ring_ends(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	(void)state;
	tap(&one, 1, TAP_IN);
	for (unsigned n = 0; n < 20000; n++) {
		const struct tap_record *r;

		one.snaplen = 1 + n % 60;
		p->data[0] = n;
		taps_rx(ports[1], &p, 1);
		if (n < 100)
			continue; /* so that a hundred are in it */
		r = next(&one);
		assert_int_equal(r->frame[0], (n - 100) & 255);
		assert_int_equal(r->caplen, 1 + (n - 100) % 60);
	}
	assert_int_equal(taps_stats(&one).dropped, 0);
	untap(&one);
	pkt_free(p);
}

static void what_two_cores_saw_comes_in_the_order_of_time(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);
	uint64_t last = 0;

	(void)state;
	tap(&one, 1, TAP_IN);
	for (unsigned n = 0; n < 100; n++) {
		host_play(n * 7 % 3 % 2);
		taps_rx(ports[1], &p, 1);
	}
	host_play(0);
	for (unsigned n = 0; n < 100; n++) {
		const struct tap_record *r = next(&one);

		assert_true(r->ns > last);
		last = r->ns;
	}
	nothing_more(&one);
	untap(&one);
	pkt_free(p);
}

static struct pkt *storm[2];

static void write_records(void *arg)
{
	(void)arg;
	for (unsigned n = 0; n < 50000; n++)
		taps_rx(ports[1], &storm[this_cpu()->id], 1);
}

static void two_cores_that_write_at_once_lose_only_what_is_counted(void **state)
{
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		storm[i] = frame_udp(1, 2, 1000, 9);
	tap(&one, 1, TAP_IN);
	host_run_cores(write_records, NULL);
	for (const struct tap_record *r; (r = taps_peek(&one)); kept++)
		taps_next(&one, r);
	assert_int_equal(taps_stats(&one).received, 100000);
	assert_int_equal(kept + taps_stats(&one).dropped, 100000);
	untap(&one);
	for (unsigned i = 0; i < 2; i++)
		pkt_free(storm[i]);
}

/* --- drops --- */

static void what_is_dropped_is_shown_with_its_reason(void **state)
{
	const struct tap_record *r;

	(void)state;
	tap(&all, 0, TAP_DROPS);
	tap(&one, 2, TAP_DROP_OUT);
	put(1, frame_raw("short", 5));
	r = next(&all);
	assert_int_equal(r->where, TAP_DROP_IN);
	assert_int_equal(r->drop, DROP_PARSE_ETH);
	assert_int_equal(r->port, 1);
	nothing_more(&one);
	put(2, frame_udp(2, 1, 9, 1000));
	fake[2].room = 0;
	put(1, frame_udp(1, 2, 1000, 9));
	r = next(&one);
	assert_int_equal(r->where, TAP_DROP_OUT);
	assert_int_equal(r->drop, DROP_TX_RING_FULL);
	assert_int_equal(next(&all)->port, 2);
	pkt_drop(frame_udp(1, 2, 1000, 9), DROP_RX_ERROR); /* by a driver, which knows no port */
	assert_int_equal(next(&all)->port, 0);
	nothing_more(&one);
	untap(&all);
	untap(&one);
	cpus[0]->drop[DROP_RX_ERROR]--;
}

/* --- the filter --- */

static struct tc_filter *filter(unsigned pref, enum tc_action action, struct bpf_prog *prog)
{
	struct tc_filter *f = calloc(1, sizeof(*f));

	f->pref = pref;
	f->action = action;
	f->prog = prog;
	return f;
}

static struct bpf_prog *anything(void)
{
	return program((const struct bpf_insn[]){ { 0x06, 0, 0, 1 } }, 1);
}

static void the_filter_stands_behind_the_taps_and_before_the_switch(void **state)
{
	(void)state;
	tap(&one, 1, TAP_IN);
	tc_clsact_set(ports[1], true);
	assert_int_equal(ports[1]->rx_extra & PORT_FILTER, 0);
	assert_int_equal(tc_filter_add(ports[1], filter(0, TC_ACT_SHOT, udp_alone(1))), 0);
	put(1, frame_udp(1, 2, 1000, 9));
	next(&one);
	assert_int_equal(sent(2) + sent(3), 0);
	assert_int_equal(dropped(DROP_FILTER), 1);
	put(1, frame_tcp(1, 2, 1000, 9));
	assert_int_equal(sent(2) + sent(3), 2);
	assert_int_equal(tc_filter_first(ports[1])->hits[0].packets, 1);
	assert_int_equal(tc_filter_first(ports[1])->hits[0].bytes, 60);
	conserved();
	tc_clsact_set(ports[1], false);
	assert_int_equal(ports[1]->rx_extra & PORT_FILTER, 0);
	untap(&one);
}

static void the_first_filter_that_wants_a_packet_decides(void **state)
{
	const struct tc_filter *f;

	(void)state;
	tc_clsact_set(ports[1], true);
	tc_filter_add(ports[1], filter(20, TC_ACT_SHOT, anything()));
	tc_filter_add(ports[1], filter(10, TC_ACT_OK, udp_alone(1)));
	tc_filter_add(ports[1], filter(20, TC_ACT_OK, anything()));
	f = tc_filter_first(ports[1]);
	assert_int_equal(f->pref, 10);
	assert_int_equal(f->next->handle, 1);
	assert_int_equal(f->next->next->handle, 2);
	put(1, frame_udp(1, 2, 1000, 9));
	put(1, frame_tcp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_FILTER), 1);
	assert_int_equal(sent(2), 1);
	assert_int_equal(tc_filter_del(ports[1], 20, 1), 1);
	put(1, frame_tcp(1, 2, 1000, 9));
	assert_int_equal(dropped(DROP_FILTER), 1);
	tc_clsact_set(ports[1], false);
	assert_null(tc_filter_first(ports[1]));
}

static void what_is_left_of_a_batch_keeps_its_order(void **state)
{
	struct pkt *batch[PORT_BATCH];

	(void)state;
	tc_clsact_set(ports[1], true);
	tc_filter_add(ports[1], filter(0, TC_ACT_SHOT, udp_alone(1)));
	put(2, frame_udp(2, 1, 9, 1000));
	for (unsigned i = 0; i < PORT_BATCH; i++)
		batch[i] = i % 3 ? frame_tcp(1, 2, i, 9) : frame_udp(1, 2, i, 9);
	sent(2);
	put_batch(1, batch, PORT_BATCH);
	assert_int_equal(sent(2), PORT_BATCH - (PORT_BATCH + 2) / 3);
	for (unsigned i = 1; i < fake[2].nsent; i++)
		assert_true(be16(load16(fake[2].sent[i]->data + 34)) >
			    be16(load16(fake[2].sent[i - 1]->data + 34)));
	conserved();
	tc_clsact_set(ports[1], false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(taps_of_all_look_first_then_those_of_the_device_then_the_handler),
		TEST(a_tap_sees_its_own_port_alone),
		TEST(what_leaves_by_another_cores_queue_is_shown_once),
		TEST(a_filter_says_what_is_kept_and_how_much_of_it),
		TEST(who_asks_is_told_how_many_look_on_and_want_it),
		TEST(a_chain_is_kept_in_one_piece),
		TEST(a_tag_that_the_nic_took_out_stands_in_its_place),
		TEST(a_full_ring_counts_and_goes_on_when_there_is_room),
		TEST(records_lie_in_one_piece_wherever_the_ring_ends),
		TEST(what_two_cores_saw_comes_in_the_order_of_time),
		TEST(two_cores_that_write_at_once_lose_only_what_is_counted),
		TEST(what_is_dropped_is_shown_with_its_reason),
		TEST(the_filter_stands_behind_the_taps_and_before_the_switch),
		TEST(the_first_filter_that_wants_a_packet_decides),
		TEST(what_is_left_of_a_batch_keeps_its_order),
	};

	return cmocka_run_group_tests_name("taps", tests, NULL, NULL);
}
