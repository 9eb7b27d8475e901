/* SPDX-License-Identifier: MIT */
/* links: net/parse.c net/key.c net/text.c net/addr.c tests/unit/host.c */
/*
 * test_parse.c - frames of every kind to keys, and what is damaged to its own drop reason
 *
 * Each frame is parsed in a buffer of exactly its length, so that the address sanitizer
 * sees a look behind its end.
 */
#include "tests/unit/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/counter.h"
#include "net/addr.h"
#include "net/parse.h"

/* --- frames as text: "02 00 ..", blanks ignored --- */

static const uint64_t in_port = 7;

static uint8_t frame[256];
static unsigned len;

static void hex(const char *s)
{
	while (*s) {
		char *end;

		while (*s == ' ')
			s++;
		if (!*s)
			break;
		frame[len++] = strtoul((char[]){ s[0], s[1], 0 }, &end, 16);
		s += 2;
	}
}

static void begin(const char *type)
{
	len = 0;
	memset(frame, 0, sizeof(frame));
	hex("020000000002 020000000001");
	hex(type);
}

/* parse_peek() says the same, and does not count */
static enum drop_reason parse_n(unsigned n, struct flow_key *key)
{
	struct pkt p = { .len = n, .frame_len = n, .nsegs = 1 };
	enum drop_reason why;
	struct flow_key seen;

	p.data = malloc(n ? n : 1);
	memcpy(p.data, frame, n);
	why = parse(&p, 7, key);
	assert_int_equal(parse_peek(&p, 7, &seen), why);
	assert_memory_equal(&seen, key, sizeof(seen));
	free(p.data);
	return why;
}

static void expect(const char *want)
{
	struct flow_key key;
	char text[320];

	assert_int_equal(parse_n(len, &key), PARSE_OK);
	key_str(&key, text, sizeof(text));
	assert_string_equal(text, want);
}

static void expect_drop(enum drop_reason why)
{
	struct flow_key key;

	assert_string_equal(drop_text[parse_n(len, &key)].name, drop_text[why].name);
}

#define ETH        "recirc_id(0),in_port(7),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)"
#define IP4        "45000030 00004000 4011 0000 0a000001 0a010002"
#define IP4_FIELDS ",eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.1.0.2,"
#define UDP        " 03e8 0009 001c 0000"
#define IP6        "60000000 0008 %s 40 fd000000000000000000000000000001 fd000000000000000000000000000002"

static void udp(void **state)
{
	(void)state;
	begin("0800");
	hex(IP4 UDP);
	expect(ETH IP4_FIELDS "proto=17,frag=no),udp(src=1000,dst=9)");
}

static void tcp_with_options_in_both_headers(void **state)
{
	(void)state;
	begin("0800");
	hex("46000034 00004000 4006 0000 0a000001 0a010002 01010101");
	hex("1f90 01bb 00000000 00000000 6002 ffff 0000 0000 020405b4");
	expect(ETH IP4_FIELDS "proto=6,frag=no),tcp(src=8080,dst=443)");
}

static void icmp_type_and_code(void **state)
{
	(void)state;
	begin("0800");
	hex("4500001c 00004000 4001 0000 0a000001 0a010002 0305 0000 00000000");
	expect(ETH IP4_FIELDS "proto=1,frag=no),icmp(type=3,code=5)");
}

static void fragments_have_ports_in_the_first_only(void **state)
{
	(void)state;
	begin("0800");
	hex("45000030 00002000 4011 0000 0a000001 0a010002" UDP);
	expect(ETH IP4_FIELDS "proto=17,frag=first),udp(src=1000,dst=9)");
	begin("0800");
	hex("45000030 00002001 4011 0000 0a000001 0a010002" UDP);
	expect(ETH IP4_FIELDS "proto=17,frag=later)");
	begin("0800");
	hex("45000014 00000001 4006 0000 0a000001 0a010002"); /* nothing behind: no TCP header to
								 miss */
	expect(ETH IP4_FIELDS "proto=6,frag=later)");
}

static void other_protocols_by_number(void **state)
{
	(void)state;
	begin("0800");
	hex("45000014 00004000 4059 0000 0a000001 0a010002");
	expect(ETH IP4_FIELDS "proto=89,frag=no)");
}

static void one_tag(void **state)
{
	(void)state;
	begin("8100 a064 0800");
	hex(IP4 UDP);
	expect(ETH ",eth_type(0x8100),vlan(vid=100,pcp=5),encap(eth_type(0x0800),"
		   "ipv4(src=10.0.0.1,dst=10.1.0.2,proto=17,frag=no),udp(src=1000,dst=9))");
}

static void a_tag_of_zeroes_is_not_no_tag(void **state)
{
	struct flow_key tagged, untagged;

	(void)state;
	begin("8100 0000 1234");
	assert_int_equal(parse_n(len, &tagged), PARSE_OK);
	begin("1234");
	assert_int_equal(parse_n(len, &untagged), PARSE_OK);
	assert_false(key_equal(&tagged, &untagged));
}

static void behind_two_tags_nothing_is_in_the_key(void **state)
{
	(void)state;
	begin("88a8 0064 8100 0065 0800");
	hex(IP4 UDP);
	expect(ETH ",eth_type(0x8100),vlan(vid=100,pcp=0),encap(eth_type(0x8100))");
	begin("88a8 0064 8100 0065 0800");
	hex("44000030"); /* a NIC that looks there does not send it */
	hex("00004000 4011 0000 0a000001 0a010002" UDP);
	expect_drop(DROP_PARSE_IPV4_IHL);
}

static void arp(void **state)
{
	(void)state;
	begin("0806");
	hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002");
	expect(ETH ",eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1)");
	begin("0806");
	hex("0001 0800 08 04 0001 0200000000010000 0a000001 0000000000000000 0a000002");
	expect(ETH ",eth_type(0x0806),arp(sip=0.0.0.0,tip=0.0.0.0,op=0)"); /* odd sizes go by MAC
									      alone */
	len--;
	expect_drop(DROP_PARSE_ARP);
}

static void a_length_instead_of_a_type_is_802_3(void **state)
{
	(void)state;
	begin("0026");
	hex("424203");
	expect(ETH ",eth_type(0x05ff)");
}

static void ip6(const char *next)
{
	char text[128];

	begin("86dd");
	snprintf(text, sizeof(text), IP6, next);
	hex(text);
}

#define IP6_FIELDS ",eth_type(0x86dd),ipv6(src=fd00::1,dst=fd00::2,"

static void ipv6_udp_tcp_icmp(void **state)
{
	(void)state;
	ip6("11");
	hex(UDP);
	expect(ETH IP6_FIELDS "proto=17,frag=no),udp(src=1000,dst=9)");
	ip6("3a");
	hex("8000 0000 00000000");
	expect(ETH IP6_FIELDS "proto=58,frag=no),icmpv6(type=128,code=0)");
	ip6("01");
	expect(ETH IP6_FIELDS "proto=1,frag=no)"); /* ICMP for IPv4 means nothing here */
	ip6("3b");
	expect(ETH IP6_FIELDS "proto=59,frag=no)");
}

static void ipv6_walks_its_extensions(void **state)
{
	(void)state;
	ip6("00");
	hex("2b 00 0000 00000000");                   /* hop by hop, then routing */
	hex("3c 01 0000 00000000 00000000 00000000"); /* 16 bytes, then destination options */
	hex("33 00 0000 00000000");                   /* then authentication */
	hex("11 04 0000 00000000 00000000 00000000 00000000 00000000"); /* (4 + 2) words */
	hex(UDP);
	expect(ETH IP6_FIELDS "proto=17,frag=no),udp(src=1000,dst=9)");
}

static void ipv6_fragments(void **state)
{
	(void)state;
	ip6("2c");
	hex("11 00 0001 00000000" UDP);
	expect(ETH IP6_FIELDS "proto=17,frag=first),udp(src=1000,dst=9)");
	ip6("2c");
	hex("11 00 0008 00000000" UDP);
	expect(ETH IP6_FIELDS "proto=17,frag=later)");
	ip6("2c");
	hex("3c 00 0008 00000000"); /* what looks like a header behind it is data */
	expect(ETH IP6_FIELDS "proto=60,frag=later)");
}

static void ipv6_chain_that_breaks_or_has_no_end(void **state)
{
	(void)state;
	ip6("00");
	hex("11 01 0000 00000000"); /* says 16 bytes, there are 8 */
	expect_drop(DROP_PARSE_IPV6_EXT);
	ip6("3c");
	expect_drop(DROP_PARSE_IPV6_EXT);
	ip6("2c");
	hex("3b 2c 0050 00000000"); /* a NIC that takes the reserved byte for a length does not send
				       it */
	expect_drop(DROP_PARSE_IPV6_EXT);
	ip6("3c");
	for (unsigned i = 0; i < 8; i++)
		hex(i < 7 ? "3c 00 0000 00000000" : "3b 00 0000 00000000");
	expect(ETH IP6_FIELDS "proto=59,frag=no)"); /* eight are followed */
	ip6("3c");
	for (unsigned i = 0; i < 9; i++)
		hex(i < 8 ? "3c 00 0000 00000000" : "3b 00 0000 00000000");
	expect_drop(DROP_PARSE_IPV6_EXT);
}

static void headers_that_do_not_fit(void **state)
{
	(void)state;
	begin("0800");
	len = 13;
	expect_drop(DROP_PARSE_ETH);
	begin("8100 0001 08");
	expect_drop(DROP_PARSE_VLAN);
	begin("88a8 0001 8100 0001 08");
	expect_drop(DROP_PARSE_VLAN);
	begin("0806");
	hex("0001 0800 0604 00");
	expect_drop(DROP_PARSE_ARP);
	begin("0800");
	expect_drop(DROP_PARSE_IPV4);
	hex("45000030 00004000 4011 0000 0a000001 0a0100");
	expect_drop(DROP_PARSE_IPV4);
	begin("0800");
	hex("4f000030 00004000 4011 0000 0a000001 0a010002" UDP);
	expect_drop(DROP_PARSE_IPV4); /* IHL 60 bytes */
	begin("86dd");
	hex("60000000 0008 11 40 fd");
	expect_drop(DROP_PARSE_IPV6);
}

static void ihl_below_five(void **state)
{
	(void)state;
	for (unsigned ihl = 0; ihl < 5; ihl++) {
		begin("0800");
		hex(IP4 UDP);
		frame[14] = 0x40 | ihl;
		expect_drop(DROP_PARSE_IPV4_IHL);
	}
	begin("8100 0001 0800"); /* tagged, header of zeroes */
	len += 42;
	expect_drop(DROP_PARSE_IPV4_IHL);
}

static void transport_headers_that_do_not_fit(void **state)
{
	(void)state;
	begin("0800");
	hex(IP4 " 03e8 0009 001c 00");
	expect_drop(DROP_PARSE_UDP);
	begin("0800");
	hex("45000030 00004000 4006 0000 0a000001 0a010002 0001 0002 00000000 00000000 5002 ffff "
	    "0000 00");
	expect_drop(DROP_PARSE_TCP);
	hex("00");
	expect(ETH IP4_FIELDS "proto=6,frag=no),tcp(src=1,dst=2)");
	frame[46] = 0x60; /* options beyond the end */
	expect_drop(DROP_PARSE_TCP);
	begin("0800");
	hex("4500001c 00004000 4001 0000 0a000001 0a010002 0800 0000 000000");
	expect_drop(DROP_PARSE_ICMP);
	ip6("3a");
	hex("800000");
	expect_drop(DROP_PARSE_ICMP);
}

static uint64_t counted(const char *name)
{
	set_for_each(c, counters)
		if (!strcmp(c->name, name))
			return counter_read(c, 0);
	fail_msg("there is no counter %s", name);
	return 0;
}

static void wrong_lengths_and_versions_are_counted_and_pass(void **state)
{
	static const char *const bad[] = { "45000014", "45000031", "4500ffff", "45000000" };
	struct flow_key key;

	(void)state;
	host_cores(1);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		begin("0800");
		hex(bad[i]);
		hex("00004000 4011 0000 0a000001 0a010002" UDP);
		assert_int_equal(parse_n(len, &key), PARSE_OK);
	}
	assert_int_equal(counted("net.bad_ip_len"), 3); /* 20 bytes of 28 is padding, not wrong */
	begin("0800");
	hex("6500001c 00004000 4011 0000 0a000001 0a010002" UDP);
	assert_int_equal(parse_n(len, &key), PARSE_OK);
	assert_int_equal(counted("net.bad_ip_version"), 1);
	begin("86dd");
	hex("40000000 0009 11 40 fd000000000000000000000000000001 "
	    "fd000000000000000000000000000002" UDP);
	assert_int_equal(parse_n(len, &key), PARSE_OK);
	assert_int_equal(counted("net.bad_ip_len"), 4);
	assert_int_equal(counted("net.bad_ip_version"), 2);
}

static void every_prefix_of_every_frame_is_read_within_its_bounds(void **state)
{
	static const char *const frames[] = {
		"0800" IP4 UDP,
		"8100 0064 0800" IP4 UDP,
		"88a8 0064 8100 0065 0800" IP4 UDP,
		"0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
		"86dd 60000000 0008 00 40 fd000000000000000000000000000001 "
		"fd000000000000000000000000000002"
		"2c 00 0000 00000000 3c 00 0001 00000000 06 00 0000 00000000"
		"0001 0002 00000000 00000000 5002 ffff 0000 0000",
	};
	struct flow_key key;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		begin(frames[i]);
		for (unsigned n = 0; n <= len; n++)
			parse_n(n, &key);
		assert_int_equal(parse_n(len, &key), PARSE_OK);
	}
}

/* with a tag or without, IPv4 or IPv6; words that it does not build stay as they are */
static bool shortcut(unsigned kind, const struct pkt *p, uint64_t w[KEY_WORDS])
{
	switch (kind) {
	case 0: return plain_ipv4(p->data, p->frame, &in_port, 0, w);
	case 1: return plain_ipv4(p->data, p->frame, &in_port, VLAN_TAG, w);
	case 2: return plain_ipv6(p->data, p->frame, &in_port, 0, w);
	default: return plain_ipv6(p->data, p->frame, &in_port, VLAN_TAG, w);
	}
}

/*
 * Random changes to frames of each kind: where a shortcut takes a frame, parse() builds the same
 * words. But for frames of another type: their words are nobody's, since to IP alone parse() gives
 * a protocol without a flag, and to IPv6 alone the flag for long keys.
 */
static bool is_nobodys(const uint64_t w[KEY_WORDS])
{
	const struct flow_key *key = (const struct flow_key *)w;

	if (key->flags & KEY_LONG)
		return key->dl_type != be16(ETH_P_IPV6);
	return key->dl_type != be16(ETH_P_IP) && key->nw_proto && !(key->flags & KEY_ARP);
}

static void the_shortcuts_agree_with_the_whole_parser(void **state)
{
	static const char *const frames[] = {
		"0800 4500002e 00004000 4011 0000 0a000001 0a010002" UDP,
		"0800 4500002e 00004000 4006 0000 0a000001 0a010002 0001 0002 00000000 00000000 "
		"5002 ffff",
		"8100 2064 0800 4500002a 00004000 4011 0000 0a000001 0a010002" UDP,
		"86dd 60000000 0008 11 40 fd000000000000000000000000000001 "
		"fd000000000000000000000000000002" UDP,
		"8100 2064 86dd 60000000 0014 06 40 fd000000000000000000000000000001 "
		"fd000000000000000000000000000002 0001 0002 00000000 00000000 5002 ffff 00000000",
	};
	unsigned taken[4] = { 0 }, others = 0;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 300000; i++) {
		struct pkt p = { .nsegs = 1 };
		struct flow_key key;
		uint64_t w[KEY_WORDS];

		begin(frames[rand() % ARRAY_SIZE(frames)]);
		p.len = p.frame_len = rand() % 4 ? MAX(len, 60u) : 14u + rand() % 80;
		for (unsigned k = rand() % 3; k; k--)
			frame[rand() % p.len] = rand() % 8 ? rand() : rand() % 8;
		p.data = malloc(p.len);
		memcpy(p.data, frame, p.len);
		for (unsigned kind = 0; kind < 4; kind++) {
			memset(w, 0, sizeof(w));
			if (!shortcut(kind, &p, w))
				continue;
			if (is_nobodys(w)) {
				others++;
				if (parse(&p, 7, &key) == PARSE_OK)
					assert_memory_not_equal(key.w, w, sizeof(w));
				continue;
			}
			taken[kind]++;
			assert_int_equal(parse(&p, 7, &key), PARSE_OK);
			assert_memory_equal(key.w, w, sizeof(w));
		}
		free(p.data);
	}
	for (unsigned kind = 0; kind < 4; kind++)
		assert_true(taken[kind] > 30000);
	assert_true(others > 1000);
	assert_int_equal(counted("net.bad_ip_len") + counted("net.bad_ip_version"),
			 0); /* plain means right */
}

/* what is_nobodys() says of keys that parse() builds, whatever the frame */
static void no_frame_has_a_key_that_is_nobodys(void **state)
{
	static const char *const types[] = { "0800", "0806", "86dd", "8100", "88cc", "0030" };
	static const char *const seconds[] = { "0001 0800 06 04 0011", "4500002e 00004000 4011",
					       "2064 0806 0001 0800 06 04 0011",
					       "60000000 0008 11 40" };

	(void)state;
	srand(2);
	for (unsigned i = 0; i < 100000; i++) {
		struct pkt p = { .nsegs = 1, .len = 80, .frame_len = 80, .data = frame };
		struct flow_key key;

		begin(types[rand() % ARRAY_SIZE(types)]);
		hex(seconds[rand() % ARRAY_SIZE(seconds)]);
		while (len < 80)
			frame[len++] = rand();
		frame[14 + rand() % 20] = rand();
		if (parse(&p, 7, &key) == PARSE_OK)
			assert_false(is_nobodys(key.w));
	}
}

static void plain_takes_what_is_plain(void **state)
{
	uint64_t w[KEY_WORDS_SHORT];

	(void)state;
	begin("0800");
	hex("4500002e 00004000 4011 0000 0a000001 0a010002" UDP);
	assert_true(plain_ipv4(frame, 60, &in_port, 0, w));
	assert_false(plain_ipv4(frame, 53, &in_port, 0, w));
	assert_false(plain_ipv4(frame, 60 | (uint64_t)PKT_VLAN << 32, &in_port, 0,
				w)); /* a tag that is elsewhere */
	frame[20] = 0x20;
	assert_false(plain_ipv4(frame, 60, &in_port, 0, w));
	frame[20] = 0x40;
	frame[23] = 1;
	assert_false(plain_ipv4(frame, 60, &in_port, 0, w));
}

/* a tag that a NIC took out makes the key that it would have made in the frame */
static void takes_a_tag_that_stands_aside(void **state)
{
	static const char *const behind[] = { "0800", "86dd",    "8100 0007 0800",
					      "0806", "8100 00", "1234" };
	struct flow_key inside, aside;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(behind); i++) {
		struct pkt p = { .data = frame };
		enum drop_reason why;

		begin("8100 2123");
		hex(behind[i]);
		hex("4500002e 00004000 4011 0000 0a000001 0a010002" UDP);
		p.len = p.frame_len = i == 4 ? 21 : 64;
		why = parse(&p, 7, &inside);
		memmove(frame + 12, frame + 16, 48);
		p.len = p.frame_len = p.frame_len - 4;
		p.flags = PKT_VLAN;
		p.vlan_tci = 0x2123;
		assert_int_equal(parse(&p, 7, &aside), why);
		if (why == PARSE_OK)
			assert_memory_equal(aside.w, inside.w, sizeof(inside.w));
	}
}

static void addresses_as_text_and_back(void **state)
{
	static const char *const good[] = {
		"::", "::1", "1::", "fd00::1", "1:2:3:4:5:6:7:8", "1:0:0:4::8", "2001:db8::1:0:0:1"
	};
	static const char *const bad[] = {
		"",        ":",       ":::", "1:2:3:4:5:6:7",     "1:2:3:4:5:6:7:8:9",
		"1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8::", "1:",
		"+1::"
	};
	uint8_t ip[16], mac[6];
	char text[IP_STR];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(ip6_read(good[i], ip));
		ip6_str(ip, text);
		assert_string_equal(text, good[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (ip6_read(bad[i], ip))
			fail_msg("'%s' was taken for an IPv6 address", bad[i]);
	assert_true(ip4_read("10.0.255.1", ip));
	assert_false(ip4_read("10.0.256.1", ip) || ip4_read("10.0.1", ip) ||
		     ip4_read("10.0.0.1.", ip) || ip4_read("", ip) || ip4_read("a.b.c.d", ip));
	assert_true(mac_read("02:00:00:00:00:aF", mac));
	assert_false(mac_read("02:00:00:00:00", mac) || mac_read("02:00:00:00:00:100", mac) ||
		     mac_read("02-00-00-00-00-00", mac) || mac_read("02:00:00:00:00:00:", mac));
}

static int up(void **state)
{
	(void)state;
	host_cores(1);
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, up)
	const struct CMUnitTest tests[] = {
		TEST(udp),
		TEST(tcp_with_options_in_both_headers),
		TEST(icmp_type_and_code),
		TEST(fragments_have_ports_in_the_first_only),
		TEST(other_protocols_by_number),
		TEST(one_tag),
		TEST(a_tag_of_zeroes_is_not_no_tag),
		TEST(behind_two_tags_nothing_is_in_the_key),
		TEST(arp),
		TEST(a_length_instead_of_a_type_is_802_3),
		TEST(ipv6_udp_tcp_icmp),
		TEST(ipv6_walks_its_extensions),
		TEST(ipv6_fragments),
		TEST(ipv6_chain_that_breaks_or_has_no_end),
		TEST(headers_that_do_not_fit),
		TEST(ihl_below_five),
		TEST(transport_headers_that_do_not_fit),
		TEST(wrong_lengths_and_versions_are_counted_and_pass),
		TEST(every_prefix_of_every_frame_is_read_within_its_bounds),
		TEST(the_shortcuts_agree_with_the_whole_parser),
		TEST(no_frame_has_a_key_that_is_nobodys),
		TEST(plain_takes_what_is_plain),
		TEST(takes_a_tag_that_stands_aside),
		TEST(addresses_as_text_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
