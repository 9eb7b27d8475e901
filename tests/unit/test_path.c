/* SPDX-License-Identifier: MIT */
/* links: path kernel/path.c net/observe/path_trace.c net/observe/path_show.c kernel/napi_layers.c kernel/shell.c kernel/capture.c kernel/words.c kernel/trace.c */
/*
 * test_path.c - stamped packets write down when they came by where, one poll's first packet in so
 * many; rows that are used again are nobody's any more
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/path.h"
#include "drivers/netdev.h"
#include "net/flow.h"
#include "net/nic.h"
#include "net/observe/path_trace.h"
#include "fake_net.h"
#include "host.h"

/* no NICs here */
struct netdev *netdevs[NETDEV_MAX];
unsigned nnetdevs;

unsigned nic_poll_shown(struct napi *napi, unsigned budget, nic_show *show)
{
	(void)budget;
	(void)show;
	fail_msg("a poll of %s", napi->name);
	return 0;
}

static int up(void **state)
{
	(void)state;
	net_up(2, 2);
	net_switch();
	host_play(0);
	put(1, frame_udp(1, 2, 1, 1));
	put(2, frame_udp(2, 1, 1, 1));
	sent(1);
	sent(2);
	memset(path_of_cpu, 0, sizeof(path_of_cpu));
	host_tsc = 1000;
	host_tsc_step = 10; /* each look at the clock is later than the one before */
	return 0;
}

static int down(void **state)
{
	(void)state;
	host_tsc_step = 0;
	path_trace_off();
	net_down();
	return 0;
}

static const struct path_stamp *row(unsigned i)
{
	assert_true(i < path_of_cpu[0]->taken);
	return &path_of_cpu[0]->stamp[i];
}

static void a_packet_meets_its_points_in_their_order(void **state)
{
	static const enum path_point way[] = {
		PATH_NETIF_RX, PATH_RECEIVE, PATH_VPORT, PATH_LOOKUP, PATH_SEND,
	};
	uint64_t last = 0;

	(void)state;
	assert_int_equal(path_trace_on(1), 0);
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(path_of_cpu[0]->taken, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(way); i++) {
		assert_true(row(0)->tsc[way[i]] > last);
		last = row(0)->tsc[way[i]];
	}
	assert_int_equal(row(0)->tsc[PATH_HARD_IRQ], 0);
	assert_int_equal(row(0)->tsc[PATH_QUEUE], 0);
	assert_int_equal(row(0)->port, 1);
	assert_int_equal(row(0)->len, 60);
	assert_int_equal(sent(2), 1);
	conserved();
}

/* frame_of_kind() - one that a run takes if it is not stamped, or none does. */
static struct pkt *frame_of_kind(unsigned kind)
{
	struct pkt *p = kind == 1 ? frame_udp6(1, 2, 1000, 9) : frame_udp(1, 2, 1000, 9);

	if (kind == 2)
		frame_tag(p, 0x8100, 5);
	if (kind == 3) {
		p->flags |= PKT_VLAN;
		p->vlan_tci = 5;
	}
	return p;
}

static void a_stamped_packet_has_the_flow_of_those_that_are_not(void **state)
{
	struct emc *emc = emc_of_cpu[0];

	(void)state;
	put(2, frame_tag(frame_udp(2, 1, 1, 1), 0x8100, 5)); /* else a flood, which is not kept */
	for (unsigned kind = 0; kind < 4; kind++) {
		uint64_t upcalls, misses;

		put(1, frame_of_kind(kind));
		upcalls = emc->upcalls;
		misses = emc->misses;
		assert_int_equal(path_trace_on(1), 0);
		put(1, frame_of_kind(kind));
		path_trace_off();
		assert_int_equal(path_of_cpu[0]->taken, kind + 1);
		assert_true(row(kind)->tsc[PATH_VPORT] < row(kind)->tsc[PATH_LOOKUP]);
		assert_true(row(kind)->tsc[PATH_LOOKUP] < row(kind)->tsc[PATH_SEND]);
		assert_int_equal(emc->upcalls, upcalls);
		assert_int_equal(emc->misses, misses);
		assert_int_equal(sent(2), 2);
	}
	assert_int_equal(path_trace_on(1), 0);
	put(1, frame_udp(1, 2, 2000, 9)); /* the first of its flow */
	put(1, frame_udp(1, 2, 2000, 9));
	assert_int_equal(sent(2), 2);
	conserved();
}

static void a_stamped_packet_is_of_the_vlan_whose_tag_stands_aside(void **state)
{
	(void)state;
	put(1, frame_tag(frame_udp(2, 1, 1, 1), 0x8100, 5)); /* there, 2 is behind port 1 */
	sent(2);
	put(1, frame_of_kind(0));
	assert_int_equal(sent(2), 1);
	assert_int_equal(path_trace_on(1), 0);
	put(1, frame_of_kind(3));
	assert_int_equal(sent(2), 0);
	conserved();
}

static void the_first_packet_of_one_poll_in_so_many(void **state)
{
	(void)state;
	assert_int_equal(path_trace_on(4), 0);
	for (unsigned poll = 0; poll < 12; poll++) {
		struct pkt *batch[5];

		for (unsigned i = 0; i < ARRAY_SIZE(batch); i++)
			batch[i] = frame_udp(1, 2, 1000 + i, 9);
		put_batch(1, batch, ARRAY_SIZE(batch));
		assert_int_equal(path_of_cpu[0]->taken, (poll + 1) / 4);
	}
	path_trace_off();
	put(1, frame_udp(1, 2, 1000, 9));
	assert_int_equal(path_of_cpu[0]->taken, 3);
	assert_int_equal(sent(2), 61);
}

static void a_row_that_is_used_again_takes_no_late_marks(void **state)
{
	struct pkt *slow = frame_udp(1, 2, 1000, 9), *other = frame_udp(1, 2, 1001, 9);
	struct path_row at;

	(void)state;
	assert_int_equal(path_start(), 0);
	path_begin(slow, 1, 0);
	path_mark(slow, PATH_RECEIVE);
	at = path_row(slow);
	for (unsigned i = 0; i < PATH_STAMPS; i++)
		path_begin(other, 2, 0); /* the last of these takes slow's row */
	path_mark(slow, PATH_SEND);
	path_mark_row(at, PATH_USED);
	assert_int_equal(row(0)->port, 2);
	assert_int_equal(row(0)->tsc[PATH_SEND], 0);
	assert_int_equal(row(0)->tsc[PATH_USED], 0);
	assert_int_equal(path_of_cpu[0]->evicted, 2);
	assert_null(path_row(slow).stamp);
	pkt_free(slow);
	pkt_free(other);
}

static void a_point_counts_once(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	(void)state;
	assert_int_equal(path_start(), 0);
	path_begin(p, 1, 0);
	path_mark_at(p, PATH_WORKER, 100);
	path_mark_at(p, PATH_WORKER, 200);
	assert_int_equal(row(0)->tsc[PATH_WORKER], 100);
	pkt_free(p);
}

static void a_plain_packet_writes_nothing(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	(void)state;
	path_mark(p, PATH_SEND); /* there are no rows yet: it must not look for any */
	assert_null(path_row(p).stamp);
	pkt_free(p);
}

static void percentiles_are_those_of_the_rows(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	(void)state;
	assert_int_equal(path_start(), 0);
	for (unsigned i = 1; i <= 1000;
	     i++) { /* 1 to 1,000 ns from one point to the next; a tick is a nanosecond */
		path_begin(p, 1, 0);
		path_mark_at(p, PATH_POLL, 5000);
		path_mark_at(p, PATH_DESCRIPTOR, 5000 + i);
		path_mark_at(p, PATH_XMIT, 10000);
	}
	host_text_clear();
	assert_int_equal(host_exec("trace path"), 0);
	assert_non_null(strstr(host_out, "paths are not traced; 1000 stamped"));
	assert_non_null(strstr(host_out, "descriptor_done              1000       500       900    "
					 "   990       999      1000\n"));
	assert_non_null(strstr(host_out, "netdev_start_xmit            1000      4499      4899    "
					 "  4989      4998      4999\n"));
	assert_non_null(strstr(host_out, "first point to wire          1000      5000      5000    "
					 "  5000      5000      5000\n"));
	assert_null(strstr(host_out, "first point to guest"));
	assert_int_equal(host_exec("trace path reset"), 0);
	host_text_clear();
	host_exec("trace path show");
	assert_non_null(strstr(host_out, "; 0 stamped"));
	pkt_free(p);
}

static void says_what_it_takes(void **state)
{
	(void)state;
	host_text_clear();
	assert_true(host_exec("trace path on 0") < 0);
	assert_true(host_exec("trace path sideways") < 0);
	assert_non_null(strstr(host_out, "expected on, off, show or reset"));
	assert_true(host_exec("trace path off now") < 0);
	assert_int_equal(host_exec("trace path on 8"), 0);
	assert_int_equal(path_traced(), 8);
	assert_int_equal(host_exec("trace path off"), 0);
	assert_int_equal(path_traced(), 0);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, up, down)
	const struct CMUnitTest tests[] = {
		ONE(a_packet_meets_its_points_in_their_order),
		ONE(a_stamped_packet_has_the_flow_of_those_that_are_not),
		ONE(a_stamped_packet_is_of_the_vlan_whose_tag_stands_aside),
		ONE(the_first_packet_of_one_poll_in_so_many),
		ONE(a_row_that_is_used_again_takes_no_late_marks),
		ONE(a_point_counts_once),
		ONE(a_plain_packet_writes_nothing),
		ONE(percentiles_are_those_of_the_rows),
		ONE(says_what_it_takes),
	};

	return cmocka_run_group_tests_name("test_path", tests, NULL, NULL);
}
