/* SPDX-License-Identifier: MIT */
/* links: path */
/*
 * test_rps.c - packets find the core of their flow, in order, and none is lost on the way
 *
 * NAPI is played here: an interrupt polls the backlog until it is empty, as net_rx_action() would.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/shell.h"
#include "kernel/toeplitz.h"
#include "net/rps.h"
#include "net/wire.h"
#include "fake_net.h"
#include "host.h"

static unsigned polls[MAX_CPUS];
static struct napi *backlog[MAX_CPUS];

void napi_enable(struct napi *napi)
{
	backlog[napi->cpu] = napi;
	napi->ops->irq_unmask(napi);
}

void napi_schedule(struct napi *napi)
{
	assert_int_equal(napi->cpu, this_cpu()->id);
	do {
		while (napi->poll(napi, NAPI_POLL_MAX) == NAPI_POLL_MAX)
			polls[napi->cpu]++;
		polls[napi->cpu]++;
		napi->ops->irq_unmask(napi);
	} while (napi->ops->work_pending(napi));
}

/* --- the hash --- */

/* Microsoft's verification suite for RSS */
static const uint8_t verify_key[TOEPLITZ_KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static const struct {
	uint8_t src[4], dst[4];
	uint16_t sport, dport;
	uint32_t addresses, ports;
} vectors[] = {
	{ { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
	{ { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xd718262a, 0xc626b0ea },
	{ { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
	{ { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0x82989176, 0xafc7327f },
	{ { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x5d1809c5, 0x10e828a2 },
};

static void hashes_as_every_rss_does(void **state)
{
	static struct toeplitz t;

	(void)state;
	toeplitz_init(&t, verify_key);
	for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
		uint8_t in[12];

		memcpy(in, vectors[i].src, 4);
		memcpy(in + 4, vectors[i].dst, 4);
		in[8] = vectors[i].sport >> 8;
		in[9] = vectors[i].sport;
		in[10] = vectors[i].dport >> 8;
		in[11] = vectors[i].dport;
		assert_int_equal(toeplitz_hash(&t, in, 8), vectors[i].addresses);
		assert_int_equal(toeplitz_hash(&t, in, 12), vectors[i].ports);
	}
}

static void both_directions_hash_alike_by_the_key_that_nics_begin_with(void **state)
{
	static struct toeplitz t;
	uint8_t there[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 53 };
	uint8_t back[12] = { 10, 0, 0, 2, 10, 0, 0, 1, 0, 53, 4, 0 };

	(void)state;
	toeplitz_init(&t, toeplitz_symmetric_key);
	assert_int_equal(toeplitz_hash(&t, there, 12), toeplitz_hash(&t, back, 12));
}

/* --- steering --- */

enum { CORES = 4, FLOWS = 64 };

static int file(const char *path, const char *value)
{
	struct word words[2] = { { "echo", 1 }, { value, 6 } };
	struct shell sh = { .word = words, .nwords = 2 };
	char star[64];

	set_for_each(f, procfiles) {
		const char *last = strrchr(f->path, '/');

		if (strcmp(last + 1, path))
			continue;
		strcpy(star, "p1/rx-0");
		return value ? f->store(&sh, star, &words[1]) : f->show(&sh, star);
	}
	fail_msg("no file %s", path);
	return 0;
}

static int up(void **state)
{
	(void)state;
	net_up(CORES, 2);
	net_switch();
	memset(polls, 0, sizeof(polls));
	host_play(0);
	/* who is where, so that nothing floods */
	put(1, frame_udp(1, 2, 1, 1));
	put(2, frame_udp(2, 1, 1, 1));
	sent(1);
	sent(2);
	return 0;
}

static int down(void **state)
{
	(void)state;
	*net_knob("net.core.netdev_max_backlog") = 1000;
	assert_int_equal(file("rps_flow_cnt", "0"), 0);
	net_down();
	free(ports[1]->rps->queue[0].flow);
	free(ports[1]->rps);
	return 0;
}

static void crowd(unsigned flows)
{
	struct pkt *batch[PORT_BATCH];

	for (unsigned i = 0; i < flows; i++)
		batch[i] = frame_udp(1, 2, 1000 + i, 9);
	put_batch(1, batch, flows);
}

static uint64_t steered_in(unsigned cpu)
{
	return ports[1]->cpu[cpu].steered_in;
}

static void spreads_flows_over_the_cores_of_the_mask_and_no_others(void **state)
{
	(void)state;
	assert_int_equal(file("rps_cpus", "e"), 0);
	crowd(FLOWS);
	net_settle();
	assert_int_equal(steered_in(0), 0);
	for (unsigned i = 1; i < CORES; i++)
		assert_in_range(steered_in(i), 1, FLOWS - 2);
	assert_int_equal(ports[1]->cpu[0].steered_out, FLOWS);
	assert_int_equal(sent(2), FLOWS);
	conserved();
}

static void keeps_what_is_its_own_and_what_is_of_no_flow(void **state)
{
	(void)state;
	assert_int_equal(file("rps_cpus", "1"), 0);
	crowd(FLOWS);
	assert_int_equal(sent(2), FLOWS);
	assert_int_equal(file("rps_cpus", "2"), 0);
	put(1, frame_arp(1, 2));
	assert_int_equal(sent(2), 1);
	assert_int_equal(ports[1]->cpu[0].steered_out, 0);
	conserved();
}

static void a_hash_that_the_nic_found_is_used(void **state)
{
	struct pkt *p = frame_udp(1, 2, 1000, 9);

	(void)state;
	assert_int_equal(file("rps_flow_cnt", "16"), 0);
	assert_int_equal(file("rps_cpus", "f"), 0);
	p->flags |= PKT_HASH;
	p->hash = 0xabcd0003;
	put(1, p);
	net_settle();
	assert_int_equal(steered_in(3), 1);
	assert_int_equal(sent(2), 1);
}

static void one_interrupt_a_batch_and_none_while_it_polls(void **state)
{
	(void)state;
	assert_int_equal(file("rps_cpus", "2"), 0);
	crowd(FLOWS);
	crowd(FLOWS);
	assert_int_equal(atomic_load(&cpus[1]->remote_pending) & BIT(SOFTIRQ_BACKLOG),
			 BIT(SOFTIRQ_BACKLOG));
	net_settle();
	assert_int_equal(cpus[1]->received_rps, 1);
	assert_int_equal(sent(2), 2 * FLOWS);
	crowd(1);
	net_settle();
	assert_int_equal(cpus[1]->received_rps, 2);
	assert_int_equal(sent(2), 1);
}

static uint64_t (*softnet_dropped)(unsigned cpu);

void softnet_backlog(unsigned (*len)(unsigned cpu), uint64_t (*dropped)(unsigned cpu))
{
	(void)len;
	softnet_dropped = dropped;
}

static void a_full_backlog_drops_and_says_so(void **state)
{
	(void)state;
	*net_knob("net.core.netdev_max_backlog") = 100;
	assert_int_equal(file("rps_cpus", "2"), 0);
	crowd(FLOWS);
	crowd(FLOWS);
	conserved();
	net_settle();
	assert_int_equal(sent(2), 100);
	assert_int_equal(dropped(DROP_BACKLOG_FULL), 2 * FLOWS - 100);
	assert_int_equal(softnet_dropped(1),
			 2 * FLOWS - 100); /* the one that had no room, as in Linux */
	assert_int_equal(softnet_dropped(0), 0);
	conserved();
}

/* --- several cores fill a backlog while it is emptied --- */

enum { RACE_BATCH = 16, RACE_BATCHES = 4000, RACE_AHEAD = 128 };

static _Atomic unsigned filled, emptied;

static void take_what_left(void)
{
	emptied += fake[2].nsent;
	while (fake[2].nsent)
		pkt_free(fake[2].sent[--fake[2].nsent]);
	fake[2].room = FAKE_SENT;
}

static unsigned refused(void)
{
	return ports[1]->cpu[0].dropped_in[DROP_BACKLOG_FULL] +
	       ports[1]->cpu[2].dropped_in[DROP_BACKLOG_FULL];
}

/* cores 0 and 2 steer to core 1, never far ahead of it: at no time do as many wait as may */
static void fill_or_empty(void *arg)
{
	unsigned me = this_cpu()->id, all = 2 * RACE_BATCHES * RACE_BATCH;
	struct pkt *batch[RACE_BATCH];

	(void)arg;
	while (me == 1 && emptied + refused() < all) {
		backlog[1]->poll(backlog[1], NAPI_POLL_MAX);
		take_what_left();
	}
	for (unsigned n = 0; n < RACE_BATCHES && (me == 0 || me == 2); n++) {
		while (filled - emptied > RACE_AHEAD && !refused())
			sched_yield();
		for (unsigned i = 0; i < RACE_BATCH; i++)
			batch[i] = frame_udp(1, 2, 1000 + i, 9);
		filled += RACE_BATCH;
		put_batch(1, batch, RACE_BATCH);
	}
}

static void a_backlog_that_is_emptied_meanwhile_is_not_taken_for_full(void **state)
{
	(void)state;
	assert_int_equal(file("rps_cpus", "2"), 0);
	for (unsigned i = 0; i < CORES; i++)
		fake[2].txq_of_cpu[i] = i == 1 ? 0 : -1;
	filled = emptied = 0;
	take_what_left();
	emptied = 0;
	host_run_cores(fill_or_empty, NULL);
	assert_int_equal(dropped(DROP_BACKLOG_FULL), 0);
	assert_int_equal(emptied, 2 * RACE_BATCHES * RACE_BATCH);
	sent(2);
	conserved();
}

/* --- order --- */

static uint16_t last_seq[FLOWS];

/* each flow's frames left in the order of their numbers, which stand in the UDP checksum's place */
static void in_order(void)
{
	for (unsigned i = 0; i < fake[2].nsent; i++) {
		const uint8_t *l4 = fake[2].sent[i]->data + 34;
		unsigned flow = be16(load16(l4)) - 1000;
		uint16_t seq = be16(load16(l4 + 6));

		if (flow >= FLOWS)
			continue;
		if (seq != last_seq[flow] + 1)
			fail_msg("flow %u: %u came behind %u", flow, seq, last_seq[flow]);
		last_seq[flow] = seq;
	}
	while (fake[2].nsent)
		pkt_free(fake[2].sent[--fake[2].nsent]);
	fake[2].room = FAKE_SENT;
	sent(2);
}

static void one_of_each_flow(uint16_t seq)
{
	struct pkt *batch[FLOWS];

	for (unsigned i = 0; i < FLOWS; i++) {
		batch[i] = frame_udp(1, 2, 1000 + i, 9);
		batch[i]->data[40] = seq >> 8;
		batch[i]->data[41] = seq;
	}
	put_batch(1, batch, FLOWS);
}

static void no_packet_is_overtaken_whatever_moves(void **state)
{
	static const char *const masks[] = { "f", "2", "e", "0", "5", "8" };

	(void)state;
	memset(last_seq, 0, sizeof(last_seq));
	srand(1);
	/*
	 * only core 0 may transmit: behind their backlogs packets wait once
	 * more, in the rings to it
	 */
	for (unsigned i = 1; i < CORES; i++)
		fake[2].txq_of_cpu[i] = -1;
	assert_int_equal(file("rps_flow_cnt", "32"), 0);
	for (unsigned seq = 1; seq <= 400; seq++) {
		one_of_each_flow(seq);
		switch (rand() % 6) {
		case 0: assert_int_equal(file("rps_cpus", masks[rand() % 6]), 0); break;
		case 1: rps_set_flow(ports[1], 0, rand() % 32, rand() % CORES); break;
		case 2: assert_int_equal(file("rps_flow_cnt", rand() % 2 ? "32" : "17"), 0); break;
		case 3: net_settle(); break;
		}
		if (seq % 10 == 0) {
			net_settle();
			in_order();
		}
		conserved();
	}
	net_settle();
	in_order();
	for (unsigned i = 0; i < FLOWS; i++)
		assert_int_equal(last_seq[i], 400);
}

static void says_what_a_file_can_take(void **state)
{
	static const char *const wrong[] = { "128:0", "0:4", "0", "0:", ":0", "0:1x", "", "x" };

	(void)state;
	assert_int_equal(file("rps_cpus", "1f"), -EINVAL);
	assert_non_null(strstr(host_out, "a mask of cores in hex, at most f, 0 for none"));
	assert_int_equal(file("rps_cpus", "x"), -EINVAL);
	assert_int_equal(file("rps_flow_cnt", "5000"), -EINVAL);
	assert_int_equal(file("rps_flows", "0:1"), -EINVAL);
	host_text_clear();
	assert_int_equal(file("rps_flow_cnt", "100"), 0);
	assert_int_equal(file("rps_flow_cnt", NULL), 0);
	assert_string_equal(host_out, "128\n");
	assert_int_equal(file("rps_flows", "127:3"), 0);
	assert_int_equal(ports[1]->rps->queue[0].flow[127].cpu, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(file("rps_flows", wrong[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_every_rss_does),
		cmocka_unit_test(both_directions_hash_alike_by_the_key_that_nics_begin_with),
		cmocka_unit_test_setup_teardown(
			spreads_flows_over_the_cores_of_the_mask_and_no_others, up, down),
		cmocka_unit_test_setup_teardown(keeps_what_is_its_own_and_what_is_of_no_flow, up,
						down),
		cmocka_unit_test_setup_teardown(a_hash_that_the_nic_found_is_used, up, down),
		cmocka_unit_test_setup_teardown(one_interrupt_a_batch_and_none_while_it_polls, up,
						down),
		cmocka_unit_test_setup_teardown(a_full_backlog_drops_and_says_so, up, down),
		cmocka_unit_test_setup_teardown(
			a_backlog_that_is_emptied_meanwhile_is_not_taken_for_full, up, down),
		cmocka_unit_test_setup_teardown(no_packet_is_overtaken_whatever_moves, up, down),
		cmocka_unit_test_setup_teardown(says_what_a_file_can_take, up, down),
	};

	return cmocka_run_group_tests_name("test_rps", tests, NULL, NULL);
}
