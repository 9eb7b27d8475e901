/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/inet_rig.c inet path */
/*
 * test_neigh.c - neighbours: the states that each goes through, by the fixture's
 * clock, and what waits for them
 */
#include "tests/unit/host.h"

#include <string.h>

#include "net/inet/neigh.h"
#include "tests/unit/inet_rig.h"

static int down(void **state)
{
	(void)state;
	*net_knob("net.ipv4.ip_forward") = 0;
	*net_knob("net.ipv4.neigh.default.gc_thresh3") = NEIGH_MAX;
	inet_down();
	return 0;
}

/* the one neighbour with this last byte */
static struct neigh_row row_of(unsigned host)
{
	static struct neigh_row rows[NEIGH_MAX];
	unsigned n = neigh_rows(rows, NEIGH_MAX);

	for (unsigned i = 0; i < n; i++)
		if (rows[i].addr.b[15] == host && inet_is_v4(&rows[i].addr))
			return rows[i];
	return (struct neigh_row){ .state = NUD_STATES };
}

static void is_in(unsigned host, enum nud state)
{
	if (row_of(host).state != state)
		fail_msg("neighbour %u is %s, not %s", host,
			 row_of(host).state < NUD_STATES ? nud_name[row_of(host).state] : "unknown",
			 nud_name[state]);
}

/* a packet from station 9 of port 1 to @host of port 2, passed on */
static void forward_to(unsigned host)
{
	struct ip_spec s = { .port = 1, .proto = PROTO_UDP, .dst = { 10, 0, 2, host } };
	uint8_t b[40];

	put_ip4(&s, b, udp_datagram(b, 1000, 2000, 20));
}

/* the frame that port 2 sent last asks for @host; of all stations, or of the one that had it */
static void is_question(unsigned host, bool of_all)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	unsigned len;
	const uint8_t *f = last_sent(2, 0, &len);

	assert_int_equal(f[12] << 8 | f[13], ETH_P_ARP);
	assert_int_equal(f[21], 1);
	assert_int_equal(f[41], host);
	assert_int_equal(!memcmp(f, all, 6), of_all);
}

static void up_as_router(void)
{
	inet_up(2);
	*net_knob("net.ipv4.ip_forward") = 1;
	meet(1, 9);
}

static void is_asked_for_and_what_waits_goes_when_it_answers(void **state)
{
	(void)state;
	up_as_router();
	for (unsigned i = 0; i < 5; i++)
		forward_to(50);
	is_in(50, NUD_INCOMPLETE);
	assert_int_equal(row_of(50).waiting, 5);
	assert_int_equal(sent(2), 1);
	is_question(50, true);
	conserved();
	put_arp(2, 50, 2, 1);
	is_in(50, NUD_REACHABLE);
	assert_int_equal(sent(2), 5);
	assert_int_equal(row_of(50).waiting, 0);
	forward_to(50);
	assert_int_equal(sent(2), 1);
	conserved();
}

static void fails_after_three_questions_and_who_sent_is_told(void **state)
{
	unsigned len;
	const uint8_t *f;

	(void)state;
	up_as_router();
	forward_to(50);
	rig_seconds(2);
	assert_int_equal(sent(2), 3);
	is_in(50, NUD_INCOMPLETE);
	rig_seconds(1);
	assert_int_equal(sent(2), 0);
	is_in(50, NUD_FAILED);
	assert_int_equal(dropped(DROP_NEIGH_FAILED), 1);
	f = last_sent(1, 0, &len);
	assert_int_equal(f[34], 3);
	assert_int_equal(f[35], 1); /* host unreachable */
	conserved();
	forward_to(50); /* once more */
	is_in(50, NUD_INCOMPLETE);
	assert_int_equal(sent(2), 1);
	conserved();
}

static void becomes_stale_is_doubted_when_used_and_probed(void **state)
{
	(void)state;
	up_as_router();
	forward_to(50);
	put_arp(2, 50, 2, 1);
	sent(2);
	rig_seconds(14);
	is_in(50, NUD_REACHABLE);
	rig_seconds(32); /* 15 to 45 seconds */
	is_in(50, NUD_STALE);
	assert_int_equal(sent(2), 0);
	forward_to(50);
	assert_int_equal(sent(2), 1); /* sent all the same */
	is_in(50, NUD_DELAY);
	rig_seconds(4);
	is_in(50, NUD_DELAY);
	rig_seconds(1);
	is_in(50, NUD_PROBE);
	assert_int_equal(sent(2), 1);
	is_question(50, false);
	forward_to(50);
	assert_int_equal(sent(2), 1); /* the address may still be right */
	put_arp(2, 50, 2, 1);
	is_in(50, NUD_REACHABLE);
	rig_seconds(46);
	forward_to(50);
	rig_seconds(5);
	is_in(50, NUD_PROBE);
	sent(2);
	rig_seconds(2);
	assert_int_equal(sent(2), 2); /* three in all */
	rig_seconds(1);
	is_in(50, NUD_FAILED);
	conserved();
}

static void is_forgotten_when_nobody_uses_it(void **state)
{
	(void)state;
	up_as_router();
	put_arp(2, 50, 1, 1);
	is_in(50, NUD_STALE);
	rig_seconds(59);
	is_in(50, NUD_STALE);
	rig_seconds(1);
	assert_int_equal(row_of(50).state, NUD_STATES);
	conserved();
}

static void moves_where_it_says(void **state)
{
	struct inet_addr a = inet_v4((const uint8_t[]){ 10, 0, 2, 50 });

	(void)state;
	up_as_router();
	put_arp(2, 50, 2, 1); /* an answer that nobody asked for makes no entry */
	assert_int_equal(row_of(50).state, NUD_STATES);
	put_arp(2, 50, 1, 1);
	assert_int_equal(row_of(50).mac[5], 50);
	neigh_update(&fake[2].port, &a, (const uint8_t[]){ 2, 0, 0, 0, 2, 51 }, NEIGH_OVERRIDE);
	assert_int_equal(row_of(50).mac[5], 51);
	is_in(50, NUD_STALE);
	/*
	 * without the override flag, an address that is held reachable is only
	 * doubted [RFC 4861 7.2.5]
	 */
	put_arp(2, 50, 2, 1);
	is_in(50, NUD_REACHABLE);
	neigh_update(&fake[2].port, &a, (const uint8_t[]){ 2, 0, 0, 0, 2, 52 }, NEIGH_ANSWERED);
	is_in(50, NUD_STALE);
	assert_int_equal(row_of(50).mac[5], 50);
	assert_int_equal(neigh_set(&fake[2].port, &a, (const uint8_t[]){ 2, 0, 0, 0, 2, 53 }), 0);
	is_in(50, NUD_PERMANENT);
	put_arp(2, 50, 1, 1);
	assert_int_equal(row_of(50).mac[5], 53);
	assert_int_equal(neigh_del(&fake[2].port, &a), 0);
	assert_int_equal(row_of(50).state, NUD_STATES);
}

static void so_many_wait_and_the_oldest_goes(void **state)
{
	unsigned *knob;
	unsigned len;

	(void)state;
	up_as_router();
	knob = net_knob("net.ipv4.neigh.default.unres_qlen");
	*knob = 3;
	for (unsigned i = 0; i < 5; i++) {
		struct ip_spec s = {
			.port = 1, .proto = 99, .dst = { 10, 0, 2, 50 }, .id = 100 + i
		};

		put_ip4(&s, "12345678", 8);
	}
	assert_int_equal(row_of(50).waiting, 3);
	assert_int_equal(dropped(DROP_NEIGH_QUEUE_FULL), 2);
	conserved();
	sent(2);
	put_arp(2, 50, 2, 1);
	assert_int_equal(sent(2), 3);
	assert_int_equal(last_sent(2, 2, &len)[19], 102);
	assert_int_equal(last_sent(2, 0, &len)[19], 104);
	*knob = 0;
	forward_to(60);
	assert_int_equal(dropped(DROP_NEIGH_QUEUE_FULL), 3);
	*knob = 101;
	conserved();
}

static void a_full_table_forgets_who_was_idle_longest_and_refuses_the_rest(void **state)
{
	(void)state;
	up_as_router(); /* station 9 is known: one */
	*net_knob("net.ipv4.neigh.default.gc_thresh3") = 3;
	rig_seconds(1);
	put_arp(2, 50, 1, 1);
	forward_to(60); /* INCOMPLETE: it is needed */
	rig_seconds(1);
	net_settle();
	forward_to(61); /* station 9 of port 1 goes: stale, and oldest */
	assert_int_equal(row_of(9).state, NUD_STATES);
	net_settle();
	forward_to(62);
	assert_int_equal(row_of(50).state, NUD_STATES);
	net_settle();
	forward_to(63);
	assert_int_equal(dropped(DROP_NEIGH_TABLE_FULL), 1);
	assert_int_equal(neigh_rows(NULL, 0), 3);
	conserved();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, down)
	const struct CMUnitTest tests[] = {
		TEST(is_asked_for_and_what_waits_goes_when_it_answers),
		TEST(fails_after_three_questions_and_who_sent_is_told),
		TEST(becomes_stale_is_doubted_when_used_and_probed),
		TEST(is_forgotten_when_nobody_uses_it),
		TEST(moves_where_it_says),
		TEST(so_many_wait_and_the_oldest_goes),
		TEST(a_full_table_forgets_who_was_idle_longest_and_refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
