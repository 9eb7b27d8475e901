/* SPDX-License-Identifier: MIT */
/* links: path net/pktgen/pktgen.c net/pktgen/pktgen_frame.c net/pktgen/pktgen_cmd.c net/pktgen/pktgen_conf.c net/pktgen/sink_cmd.c net/addr.c kernel/timer.c kernel/words.c kernel/names.c kernel/shell.c kernel/capture.c */
/*
 * test_pktgen.c - what a generator sends and when, what a sink says of it, and the words for both
 *
 * Time passes from timer to timer. What port p1 sent is looked at, or carried to
 * p2, where a sink may be.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/timer.h"
#include "net/csum.h"
#include "net/parse.h"
#include "net/gro.h"
#include "net/pktgen/pktgen.h"
#include "net/pktgen/sink.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"

enum { MS = 1000000 }; /* ticks */

static unsigned carried; /* of what p1 sent */

int cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	unsigned me = host_play(cpu);

	fn(arg);
	host_play(me);
	return 0;
}

static int up(void **state)
{
	(void)state;
	net_up(2, 2);
	timer_init();
	host_tsc = 1000;
	carried = 0;
	return 0;
}

static int down(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		struct port *port = &fake[i].port;

		if (port->pktgen)
			pktgen_stop(port->pktgen);
		free(port->pktgen);
		port->pktgen = NULL;
		sink_off(port);
	}
	net_down();
	return 0;
}

static void does(const char *line)
{
	host_text_clear();
	if (host_exec(line))
		fail_msg("'%s' said: %s", line, host_out);
}

static void fails(const char *line, int err, const char *text)
{
	host_text_clear();
	assert_int_equal(host_exec(line), err);
	if (!strstr(host_out, text))
		fail_msg("'%s' said '%s', not '%s'", line, host_out, text);
}

/* let time pass until the next timer of core @cpu */
static void next_timer(unsigned cpu)
{
	unsigned me = host_play(cpu);

	if (this_cpu()->timers)
		host_tsc = MAX(host_tsc, this_cpu()->timers->deadline);
	net_softirq(SOFTIRQ_TIMER);
	host_play(me);
}

static void run_all(struct pktgen *g)
{
	while (g->running)
		next_timer(g->conf.core);
}

/* the packets that p1 sent since the last time come in by p2 */
static void carry(void)
{
	for (; carried < fake[1].nsent; carried++)
		put(2, pkt_copy(fake[1].sent[carried]));
}

static const struct stream_hdr *stream(unsigned i)
{
	return (const void *)(fake[1].sent[i]->data + 42);
}

/* --- what it sends --- */

static void frames_are_right_and_numbered_by_flow(void **state)
{
	(void)state;
	does("pktgen p1 count 6 flows 2 size 100 to 10.9.0.2 src_min 10.9.1.1 src_max 10.9.1.2 "
	     "dst_mac p2 udp_src 1000 udp_dst 7 stream 3");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	assert_int_equal(fake[1].nsent, 6);
	for (unsigned i = 0; i < 6; i++) {
		const struct pkt *p = fake[1].sent[i];
		const uint8_t *ip = p->data + 14;

		assert_int_equal(p->frame_len, 100);
		assert_memory_equal(p->data, ports[2]->mac, 6);
		assert_memory_equal(p->data + 6, ports[1]->mac, 6);
		assert_int_equal(csum_fold(csum_add(0, ip, IPV4_HLEN)), 0xffff);
		assert_int_equal(be16(load16(ip + 2)), 86);
		assert_memory_equal(ip + 16, "\x0a\x09\0\x02", 4);
		assert_int_equal(ip[15], 1 + i % 2); /* a source address of each flow */
		assert_int_equal(be16(load16(ip + 20)), 1000 + i % 2);
		assert_int_equal(be16(load16(ip + 22)), 7);
		assert_int_equal(
			csum_pkt(p, 34, csum_pseudo4(ip + 12, PROTO_UDP, be16(load16(ip + 24)))),
			0xffff);
		assert_int_equal(be16(stream(i)->id), 3 << 12 | i % 2);
		assert_int_equal(be32(stream(i)->seq), i / 2);
	}
	conserved();
	assert_int_equal(port_total(ports[1]).originated, 6);
}

static void ipv6_and_tags(void **state)
{
	const struct pkt *p;
	struct flow_key key;

	(void)state;
	does("pktgen p1 count 1 size 80 to fd00::2 vlan_id 5");
	does("pktgen start p1");
	run_all(pktgen_of(ports[1]));
	p = fake[1].sent[0];
	assert_int_equal(p->frame_len, 84);
	assert_int_equal(parse(p, 1, &key), PARSE_OK);
	assert_int_equal(be16(load16(p->data + 14)), 5);
	assert_int_equal(csum_pkt(p, 58, csum_pseudo6(p->data + 26, PROTO_UDP, 26)), 0xffff);
	does("sink p2 on");
	carry();
	assert_int_equal(sink_total(sink_of(ports[2])->stream[0]).received, 1);
	fails("pktgen p1 size 79", -EINVAL, "80 bytes is the least");
}

static void sizes_are_fixed_of_a_range_or_seven_four_one(void **state)
{
	unsigned n[3] = { 0 };

	(void)state;
	does("pktgen p1 count 120 size imix");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	for (unsigned i = 0; i < 120; i++) {
		unsigned len = fake[1].sent[i]->frame_len;

		assert_true(len == 60 || len == 566 || len == 1514);
		n[len == 60 ? 0 : len == 566 ? 1 : 2]++;
	}
	assert_int_equal(n[0], 70);
	assert_int_equal(n[1], 40);
	does("pktgen p1 count 800 size 60-63");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	memset(n, 0, sizeof(n));
	for (unsigned i = 120; i < 920; i++) {
		assert_true(fake[1].sent[i]->frame_len >= 60 && fake[1].sent[i]->frame_len <= 63);
		n[0] += fake[1].sent[i]->frame_len == 63;
	}
	assert_in_range(n[0], 150, 250);
}

static void the_same_seed_gives_the_same_packets(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		host_tsc = 1000;
		does("pktgen p1 count 200 size 60-1514 flows 50 flow_order random seed 7 ratep "
		     "100000 arrivals poisson");
		does("pktgen start");
		run_all(pktgen_of(ports[1]));
	}
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(fake[1].sent[i]->frame_len, fake[1].sent[200 + i]->frame_len);
		assert_int_equal(stream(i)->id, stream(200 + i)->id);
		assert_true(stream(i)->stamp == stream(200 + i)->stamp);
	}
}

/* --- when --- */

static uint64_t sent_at(unsigned i)
{
	return __builtin_bswap64(stream(i)->stamp) - 1000;
}

static void paced_evenly(void **state)
{
	(void)state;
	does("pktgen p1 count 1000 ratep 300000");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	for (uint64_t i = 0; i < 1000; i++)
		assert_in_range(sent_at(i), i * 10000 / 3, i * 10000 / 3 + 1);
	does("pktgen show");
	assert_non_null(strstr(host_out, "pkts-sofar: 1000  errors: 0"));
	assert_non_null(strstr(host_out, "Result: OK: 3330(c0+d3330) usec, 1000 (60byte,0frags)\n"
					 "  300300pps 144Mb/sec (144144144bps) errors: 0\n"));
}

static void a_burst_is_due_at_once_and_the_rate_stays(void **state)
{
	(void)state;
	does("pktgen p1 count 64 rate 480M burst 8"); /* a microsecond each */
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(sent_at(i), i / 8 * 8000);
}

static void on_and_off(void **state)
{
	(void)state;
	does("pktgen p1 count 40 delay 100000 on 1 off 3"); /* 10 in a millisecond */
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(sent_at(i), i / 10 * 4 * MS + i % 10 * 100000);
}

static void poisson_has_the_mean_of_its_rate_and_its_spread(void **state)
{
	uint64_t gap, below = 0, long_ones = 0;

	(void)state;
	does("pktgen p1 count 1000 ratep 1000000 arrivals poisson");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	for (unsigned i = 1; i < 1000; i++) {
		gap = sent_at(i) - sent_at(i - 1);
		below += gap < 693; /* the median is ln 2 of the mean */
		long_ones += gap > 3000;
	}
	assert_in_range(sent_at(999), 900000, 1100000);
	assert_in_range(below, 450, 550);
	assert_in_range(long_ones, 30, 70); /* 1 in e^3 */
}

static void ends_by_time(void **state)
{
	(void)state;
	does("pktgen p1 time 2 ratep 10000");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	assert_int_equal(fake[1].nsent, 20);
	fails("pktgen wait p2", -ENODEV, "no generator there");
	does("pktgen wait");
}

static void one_that_is_late_catches_up_a_batch_at_a_time(void **state)
{
	struct pktgen *g;

	(void)state;
	does("pktgen p1 count 200 ratep 1000000");
	does("pktgen start");
	g = pktgen_of(ports[1]);
	host_tsc_step = 1; /* each look at the clock takes time, as it does */
	next_timer(0);
	assert_int_equal(fake[1].nsent, 1);
	host_tsc += MS; /* 1,000 packets' worth */
	net_softirq(SOFTIRQ_TIMER);
	assert_int_equal(fake[1].nsent, 1 + PORT_BATCH);
	net_softirq(SOFTIRQ_TIMER);
	assert_int_equal(fake[1].nsent, 1 + 2 * PORT_BATCH);
	run_all(g);
	assert_int_equal(fake[1].nsent, 200);
}

static void stops_and_begins_a_new_run(void **state)
{
	(void)state;
	does("pktgen p1 ratep 1000 core 1");
	does("pktgen start");
	for (unsigned i = 0; i < 10; i++)
		next_timer(1);
	fails("pktgen p1 ratep 5", -EBUSY, "stop it first");
	fails("pktgen wait", -EINVAL, "no end");
	does("pktgen stop");
	assert_null(cpus[1]->timers);
	assert_int_equal(fake[1].nsent, 10);
	does("pktgen start");
	next_timer(1);
	assert_int_equal(be32(stream(10)->seq), 0);
	assert_int_equal((be32(stream(10)->magic) - be32(stream(0)->magic)) & 0xff, 1);
}

static void no_room_and_no_buffers_are_errors_of_their_own(void **state)
{
	struct pkt *hold[1024];
	unsigned n = 0;

	(void)state;
	does("pktgen p1 count 10 burst 10");
	fake[1].room = 4;
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	assert_int_equal(pktgen_of(ports[1])->errors, 6);
	assert_int_equal(dropped(DROP_TX_RING_FULL), 6);
	fake[1].room = FAKE_SENT;
	while (n < 1024 && (hold[n] = pkt_alloc()))
		n++;
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	assert_int_equal(pktgen_of(ports[1])->nobufs, 10);
	assert_int_equal(pktgen_of(ports[1])->sofar, 0);
	while (n)
		pkt_free_seg(hold[--n]);
	conserved();
}

/* --- what a sink says --- */

static struct sink_count all(void)
{
	return sink_total(sink_of(ports[2])->stream[0]);
}

/* numbers of flow 0 come in, as they stand in @order */
static void arrive(const char *order)
{
	for (; *order; order++)
		put(2, pkt_copy(fake[1].sent[*order - 'a']));
}

static void make_numbers(unsigned n)
{
	char line[40];

	snprintf(line, sizeof(line), "pktgen p1 count %u", n);
	does(line);
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	does("sink p2 on");
}

static void expect_count(unsigned received, unsigned lost, unsigned reordered, unsigned duplicates)
{
	struct sink_count c = all();

	assert_int_equal(c.received, received);
	assert_int_equal(c.lost, lost);
	assert_int_equal(c.reordered, reordered);
	assert_int_equal(c.duplicates, duplicates);
}

static void loss_reordering_and_duplicates_are_told_apart(void **state)
{
	(void)state;
	make_numbers(10);
	arrive("ab");
	expect_count(2, 0, 0, 0);
	arrive("e"); /* c and d are missing */
	expect_count(3, 2, 0, 0);
	arrive("d"); /* was only late */
	expect_count(4, 1, 1, 0);
	arrive("dbe");
	expect_count(4, 1, 1, 3);
	arrive("fghij");
	expect_count(9, 1, 1, 3);
	conserved();
	assert_int_equal(port_total(ports[2]).consumed, 12);
}

static void what_gro_has_merged_is_counted_one_by_one(void **state)
{
	struct port *in = ports[2];

	(void)state;
	in->gro = gro_create();
	gro_set(in, true, true);
	make_numbers(10);
	arrive("abcdefgj"); /* not h and i: there what is merged ends */
	assert_int_equal(gro_held(in), 8);
	gro_settle(in);
	expect_count(8, 2, 0, 0);
	assert_int_equal(sink_of(in)->stream[0]->bytes, 8 * fake[1].sent[0]->frame_len);
	conserved();
}

static void the_first_may_be_missing_too(void **state)
{
	(void)state;
	make_numbers(10);
	arrive("d");
	expect_count(1, 3, 0, 0);
}

static void what_is_too_late_stays_lost(void **state)
{
	(void)state;
	make_numbers(100);
	put(2, pkt_copy(fake[1].sent[99]));
	put(2, pkt_copy(fake[1].sent[99 - 63])); /* the last within the window */
	put(2, pkt_copy(fake[1].sent[99 - 64]));
	expect_count(2, 98, 1, 0);
	assert_int_equal(all().late, 1);
}

static void a_new_run_is_no_reordering(void **state)
{
	(void)state;
	make_numbers(10);
	carry();
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	carry();
	expect_count(20, 0, 0, 0);
}

static void clearing_forgets_counts_but_no_numbers(void **state)
{
	(void)state;
	make_numbers(10);
	arrive("abd");
	does("sink p2 clear");
	expect_count(0, 0, 0, 0);
	arrive("efc");
	expect_count(3, 0, 1, 0);
}

static void latency_is_from_the_stamp_to_the_sink(void **state)
{
	const struct histogram *h;

	(void)state;
	make_numbers(10);
	host_tsc += 5000;
	carry();
	h = &sink_of(ports[2])->stream[0]->latency;
	assert_int_equal(h->count, 10);
	assert_int_equal(h->max, 5000);
	does("sink show p2 csv");
	assert_non_null(strstr(host_out, "p2,0,all,10,0,0,0,0,600,0,5000,5000,5000,5000,5000,0\n"));
	does("sink show flows");
	assert_non_null(strstr(host_out, "p2              0     0         10"));
}

static void watching_lets_pass_and_others_pass_anyhow(void **state)
{
	(void)state;
	net_switch();
	make_numbers(3);
	put(2, frame_udp(2, 1, 1000, 9));
	assert_int_equal(fake[1].nsent, 4);
	carried = 0;
	does("sink p2 watch");
	put(2, pkt_copy(fake[1].sent[0]));
	expect_count(1, 0, 0, 0);
	assert_int_equal(fake[1].nsent, 5); /* flooded */
	assert_int_equal(port_total(ports[2]).consumed, 0);
	does("sink p2 off");
	assert_int_equal(ports[2]->rx_extra, 0);
	conserved();
}

static void streams_that_there_is_no_room_for_pass_and_are_counted(void **state)
{
	(void)state;
	does("sink p2 on streams 2");
	does("pktgen p1 count 1 stream 2");
	does("pktgen start");
	run_all(pktgen_of(ports[1]));
	carry();
	assert_int_equal(sink_of(ports[2])->refused, 1);
	assert_int_equal(dropped(DROP_NO_SWITCH), 1);
	does("sink show");
	assert_non_null(strstr(host_out, "1 of further streams"));
}

static void what_is_cut_short_or_odd_is_nobodys(void **state)
{
	static const unsigned wrong[] = { 12, 14, 21, 23, 42, 44 };

	(void)state;
	make_numbers(1);
	for (unsigned len = 1; len < 60; len++) {
		struct pkt *p = pkt_copy(fake[1].sent[0]);

		pkt_begin(p, len);
		put(2, p);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct pkt *p = pkt_copy(fake[1].sent[0]);

		p->data[wrong[i]] ^= 3;
		put(2, p);
	}
	expect_count(0, 0, 0, 0);
	conserved();
}

/* --- the words --- */

static void wrong_words_are_answered(void **state)
{
	(void)state;
	fails("pktgen", -EINVAL, "start, stop, wait, show or a port");
	fails("pktgen p9", -EINVAL, "start, stop, wait, show or a port");
	fails("pktgen p1 speed 9", -EINVAL, "a setting");
	fails("pktgen p1 rate 300", -EINVAL, "such as 300M");
	fails("pktgen p1 rate M", -EINVAL, "such as 300M");
	fails("pktgen p1 size 59", -EINVAL, "60 to 1514");
	fails("pktgen p1 size 100-60", -EINVAL, "60 to 1514");
	fails("pktgen p1 size 60-1515", -EINVAL, "60 to 1514");
	fails("pktgen p1 size", -EINVAL, "60 to 1514");
	fails("pktgen p1 to 10.9", -EINVAL, "an IPv4 or IPv6 address");
	fails("pktgen p1 src_min 10.9.0.9 src_max 10.9.0.8", -EINVAL, "above it");
	fails("pktgen p1 dst_mac p9", -EINVAL, "a MAC address or a port");
	fails("pktgen p1 off 5", -EINVAL, "off without on");
	fails("pktgen p1 core 2", -EINVAL, "there is no core 2");
	fails("pktgen p1 count", -EINVAL, "expected");
	fails("pktgen start p2", -ENODEV, "'pktgen PORT' makes one");
	fails("sink p1 maybe", -EINVAL, "on, watch, off or clear");
	fails("sink p9 on", -EINVAL, "show or a port");
	fails("sink p1 on streams 17", -EINVAL, "16");
	fails("sink show nic9", -EINVAL, "a port, flows or csv");
}

static void a_port_without_link_is_not_sent_to(void **state)
{
	(void)state;
	does("pktgen p1 count 1");
	port_set_up(ports[1], false);
	fails("pktgen start", -ENETDOWN, "p1 is down");
}

static void a_port_that_goes_takes_its_generator_along(void **state)
{
	struct port *port = &fake[1].port;

	(void)state;
	does("pktgen p1 ratep 1000 core 1");
	does("pktgen start");
	next_timer(1);
	port_del(port);
	next_timer(1);
	assert_null(cpus[1]->timers);
	assert_int_equal(fake[1].nsent, 1);
	port_add(port);
	assert_null(pktgen_of(port));
	does("pktgen p1 count 1");
	assert_int_equal(pktgen_of(port)->conf.core,
			 0); /* and nothing else of what was set before */
	assert_int_equal(pktgen_of(port)->conf.traffic.count, 1);
}

static void shown_settings_are_the_line_that_makes_them(void **state)
{
	static const char *const lines[] = {
		"pktgen p1 count 9 time 3 ratep 1000 burst 4 on 1 off 2 flows 3 flowlen 2 udp_src "
		"7 "
		"udp_dst 8 vlan_id 6 seed 5 stream 1 core 1 size 70-80 arrivals poisson flow_order "
		"random dst 10.9.0.2 src_min 10.9.0.3 src_max 10.9.0.7 dst_mac 02:00:00:00:00:09 "
		"src_mac 02:00:00:00:00:08",
		"pktgen p1 rate 300M size imix",
		"pktgen p1 delay 500 size 100 dst fd00::2 src_min fd00::1 src_max fd00::4",
		"pktgen p1",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		does("pktgen p1 reset");
		does(lines[i]);
		host_text_clear();
		does("pktgen show");
		if (strncmp(host_out, lines[i], strlen(lines[i])) ||
		    host_out[strlen(lines[i])] != '\n')
			fail_msg("%s became %s", lines[i], host_out);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_are_right_and_numbered_by_flow),
		T(ipv6_and_tags),
		T(sizes_are_fixed_of_a_range_or_seven_four_one),
		T(the_same_seed_gives_the_same_packets),
		T(paced_evenly),
		T(a_burst_is_due_at_once_and_the_rate_stays),
		T(on_and_off),
		T(poisson_has_the_mean_of_its_rate_and_its_spread),
		T(ends_by_time),
		T(one_that_is_late_catches_up_a_batch_at_a_time),
		T(stops_and_begins_a_new_run),
		T(no_room_and_no_buffers_are_errors_of_their_own),
		T(loss_reordering_and_duplicates_are_told_apart),
		T(what_gro_has_merged_is_counted_one_by_one),
		T(the_first_may_be_missing_too),
		T(what_is_too_late_stays_lost),
		T(a_new_run_is_no_reordering),
		T(clearing_forgets_counts_but_no_numbers),
		T(latency_is_from_the_stamp_to_the_sink),
		T(watching_lets_pass_and_others_pass_anyhow),
		T(streams_that_there_is_no_room_for_pass_and_are_counted),
		T(what_is_cut_short_or_odd_is_nobodys),
		T(wrong_words_are_answered),
		T(a_port_without_link_is_not_sent_to),
		T(a_port_that_goes_takes_its_generator_along),
		T(shown_settings_are_the_line_that_makes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
