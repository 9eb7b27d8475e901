/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/inet_rig.c inet path */
/*
 * test_frag.c - reassembly: in any order, twice, with holes, over each other, too many, too late
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/inet/frag.h"
#include "net/inet/snmp.h"
#include "tests/unit/inet_rig.h"

enum { MF = 0x2000 };

static uint8_t whole[4096];
static unsigned whole_len;

static int down(void **state)
{
	(void)state;
	*net_knob("net.ipv4.ipfrag_high_thresh") = 256;
	inet_down();
	return 0;
}

static void up(unsigned n)
{
	inet_up(1);
	meet(1, 9);
	whole_len = echo_request(whole, 1, 2, n);
}

/* bytes @off to @off + @len of the echo request, as a fragment of packet @id */
static void put_part(unsigned id, unsigned off, unsigned len)
{
	unsigned more = off + len < whole_len ? MF : 0;

	put_ip4(&(struct ip_spec){ .port = 1, .id = id, .frag = more | off / 8 }, whole + off, len);
}

/* Weir has answered once, in fragments or not: the whole reply is as it should be. */
static void is_answered(void)
{
	static uint8_t reply[4096];
	unsigned n = sent(1), have = 0, len;

	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *f = last_sent(1, n - 1 - i, &len);
		unsigned off = ((f[20] & 0x1f) << 8 | f[21]) * 8, part = (f[16] << 8 | f[17]) - 20;

		assert_int_equal(sum16(f + 14, 20, 0), 0xffff);
		memcpy(reply + off, f + 34, part);
		have += part;
	}
	assert_int_equal(have, whole_len);
	assert_int_equal(reply[0], 0);
	assert_int_equal(sum16(reply, whole_len, 0), 0xffff);
	assert_memory_equal(reply + 4, whole + 4, whole_len - 4);
	assert_int_equal(frag_buffers(false), 0);
	conserved();
}

static void fragments_make_a_packet_in_whatever_order_they_come(void **state)
{
	(void)state;
	up(3003);
	srandom(3);
	for (unsigned round = 0; round < 50; round++) {
		unsigned at[64], n = 0, piece = 8 * (6 + random() % 100);

		for (unsigned off = 0; off < whole_len; off += piece)
			at[n++] = off;
		for (unsigned i = n; i-- > 1;) {
			unsigned k = random() % (i + 1), t = at[i];

			at[i] = at[k];
			at[k] = t;
		}
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(sent(1), 0);
			put_part(round, at[i],
				 piece < whole_len - at[i] ? piece : whole_len - at[i]);
		}
		is_answered();
	}
}

static void fragments_of_a_few_bytes_make_a_short_packet(void **state)
{
	(void)state;
	up(8);
	put_part(1, 0, 8);
	put_part(1, 8, 8);
	is_answered(); /* in a frame that is padded, though its bytes lie in two buffers */
}

static void the_same_fragment_twice_does_no_harm(void **state)
{
	(void)state;
	up(100);
	put_part(1, 0, 56);
	put_part(1, 0, 56);
	put_part(1, 56, whole_len - 56);
	is_answered();
	assert_int_equal(cpus[0]->drop[DROP_FRAG_OVERLAP], 0);
}

static void packets_with_other_numbers_are_kept_apart(void **state)
{
	(void)state;
	up(100);
	put_part(1, 0, 56);
	put_part(2, 56, whole_len - 56);
	assert_int_equal(sent(1), 0);
	assert_int_equal(frag_buffers(false), 2);
	conserved();
	put_part(2, 0, 56);
	assert_int_equal(sent(1), 1);
	put_part(1, 56, whole_len - 56);
	is_answered();
}

static void fragments_over_each_other_take_the_packet_with_them(void **state)
{
	(void)state;
	up(200);
	put_part(1, 0, 56);
	put_part(1, 112, 48);
	put_part(1, 48, 24); /* over the end of the first */
	assert_int_equal(dropped(DROP_FRAG_OVERLAP), 3);
	assert_int_equal(frag_buffers(false), 0);
	put_part(1, 160, whole_len - 160);
	put_part(1, 200, 8); /* behind the end, or the last that has a piece before its end */
	assert_int_equal(dropped(DROP_FRAG_OVERLAP), 5);
	put_part(2, 160, 40);
	put_ip4(&(struct ip_spec){ .port = 1, .id = 2, .frag = 96 / 8 }, whole,
		8); /* "I am the last" */
	assert_int_equal(dropped(DROP_FRAG_OVERLAP), 7);
	assert_int_equal(sent(1), 0);
	conserved();
}

static void impossible_fragments_are_dropped(void **state)
{
	(void)state;
	up(200);
	put_part(1, 0, 13); /* not the last, and no multiple of eight */
	put_ip4(&(struct ip_spec){ .port = 1, .id = 2, .frag = 0x1fff }, whole,
		100); /* beyond 64 KiB */
	put_ip4(&(struct ip_spec){ .port = 1, .id = 3, .frag = (65535 - 15) / 8 }, whole,
		15);         /* and beyond with its header alone */
	put_part(4, 200, 0); /* behind nothing, and nothing itself */
	assert_int_equal(dropped(DROP_FRAG_BAD), 4);
	assert_int_equal(frag_buffers(false), 0);
	conserved();
}

static void a_header_counts_for_how_long_the_whole_would_be(void **state)
{
	const struct ip_spec last = { .port = 1, .id = 1, .frag = 65504 / 8 };
	struct ip_spec first = { .port = 1, .id = 1, .frag = MF, .options = 40 };

	(void)state;
	for (unsigned swap = 0; swap < 2; swap++) {
		up(200);
		put_ip4(swap ? &first : &last, whole, 8);
		assert_int_equal(frag_buffers(false), 1);
		put_ip4(swap ? &last : &first, whole, 8);
		assert_int_equal(dropped(DROP_FRAG_BAD), 2);
		assert_int_equal(frag_buffers(false), 0);
		conserved();
		down(NULL);
	}
	up(200);
}

static void what_misses_a_part_is_given_up_and_the_sender_told(void **state)
{
	unsigned len;
	const uint8_t *f;

	(void)state;
	up(200);
	put_part(1, 0, 56);
	put_part(1, 112, 48);
	put_part(2, 56, 48); /* its first never comes: nobody knows what it was */
	rig_seconds(29);
	assert_int_equal(frag_buffers(false), 3);
	rig_seconds(2);
	assert_int_equal(frag_buffers(false), 0);
	assert_int_equal(dropped(DROP_FRAG_TIMEOUT), 3);
	assert_int_equal(sent(1), 1 + 0);
	f = last_sent(1, 0, &len);
	assert_int_equal(f[34], 11);
	assert_int_equal(f[35], 1);
	assert_int_equal(snmp(false)->ip[IP_ReasmTimeout], 2);
	conserved();
}

static void a_flood_of_fragments_stays_within_its_limit(void **state)
{
	(void)state;
	up(200);
	*net_knob("net.ipv4.ipfrag_high_thresh") = 20;
	for (unsigned id = 0; id < 100; id++)
		put_part(id, 56, 48);
	assert_int_equal(frag_buffers(false), 20);
	assert_int_equal(dropped(DROP_FRAG_FULL), 80);
	conserved();
	rig_seconds(31); /* they are forgotten, and then there is room again */
	assert_int_equal(frag_buffers(false), 0);
	sent(1);
	put_part(1, 0, 56);
	put_part(1, 56, whole_len - 56);
	is_answered();
}

static void one_packet_has_so_many_fragments_and_no_more(void **state)
{
	(void)state;
	up(1200);
	for (unsigned i = 0; i <= FRAG_OF_ONE_MAX; i++)
		put_part(1, i * 8, 8);
	assert_int_equal(dropped(DROP_FRAG_TOO_MANY), FRAG_OF_ONE_MAX + 1);
	assert_int_equal(frag_buffers(false), 0);
	conserved();
}

static void fragments_of_a_port_that_goes_are_given_up(void **state)
{
	(void)state;
	up(200);
	put_part(1, 56, 48);
	frag_port_gone(&fake[1].port);
	assert_int_equal(frag_buffers(false), 0);
	assert_int_equal(dropped(DROP_FRAG_TIMEOUT), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, down)
	const struct CMUnitTest tests[] = {
		TEST(fragments_make_a_packet_in_whatever_order_they_come),
		TEST(fragments_of_a_few_bytes_make_a_short_packet),
		TEST(the_same_fragment_twice_does_no_harm),
		TEST(packets_with_other_numbers_are_kept_apart),
		TEST(fragments_over_each_other_take_the_packet_with_them),
		TEST(impossible_fragments_are_dropped),
		TEST(a_header_counts_for_how_long_the_whole_would_be),
		TEST(what_misses_a_part_is_given_up_and_the_sender_told),
		TEST(a_flood_of_fragments_stays_within_its_limit),
		TEST(one_packet_has_so_many_fragments_and_no_more),
		TEST(fragments_of_a_port_that_goes_are_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
