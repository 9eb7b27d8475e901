/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/inet_rig.c inet path */
/*
 * test_inet6.c - Weir as a station of IPv6: neighbour discovery, echo, extension headers,
 * fragments, and what it passes on
 */
#include "tests/unit/host.h"

#include <string.h>

#include "net/inet/frag.h"
#include "net/inet/neigh.h"
#include "net/inet/route.h"
#include "tests/unit/inet_rig.h"

enum { NEXT_NONE = 59, LIMIT = 64 };

/* ff02::1:ff00:1, where fd00:1::1 can be asked for */
static const uint8_t our_group[16] = { 0xff, 2, [11] = 1, 0xff, 0, 0, 1 };

static int down(void **state)
{
	(void)state;
	*net_knob("net.ipv6.conf.all.forwarding") = 0;
	inet_down();
	return 0;
}

/* the sum of what port @port sent last, from the ICMPv6 header on, comes out right */
static const uint8_t *sound_icmp6(unsigned port, unsigned type, unsigned code)
{
	unsigned len, n;
	const uint8_t *f = last_sent(port, 0, &len);

	assert_non_null(f);
	n = f[18] << 8 | f[19];
	assert_int_equal(f[20], PROTO_ICMPV6);
	assert_int_equal(f[54], type);
	assert_int_equal(f[55], code);
	assert_int_equal(sum16(f + 54, n, sum16(f + 22, 32, PROTO_ICMPV6 + n)), 0xffff);
	return f;
}

/* station 9 of port 1 asks for @target's last byte, with @hops left */
static void ask(unsigned last, unsigned hops, bool with_option)
{
	uint8_t b[32] = { 135, [8] = 0xfd, [11] = 1, [23] = last, [24] = 1, 1, 2, 0, 0, 0, 1, 9 };
	uint8_t ip[32] = { 0xfd, [3] = 1, [15] = 9 };
	unsigned n = with_option ? 32 : 24, sum;

	memcpy(ip + 16, our_group, 16);
	sum = 0xffff ^ sum16(b, n, sum16(ip, 32, PROTO_ICMPV6 + n));
	b[2] = sum >> 8;
	b[3] = sum;
	put_ip6(1, PROTO_ICMPV6, hops, our_group, b, n);
}

static void up(unsigned ports_wanted)
{
	inet_up(ports_wanted);
	ask(1, 255, true);
	assert_int_equal(sent(1), 1);
}

static void tells_who_asks_that_the_address_is_its_own(void **state)
{
	const uint8_t *f;
	struct neigh_row row;

	(void)state;
	inet_up(1);
	ask(1, 255, true);
	assert_int_equal(sent(1), 1);
	f = sound_icmp6(1, 136, 0);
	assert_memory_equal(f, ((uint8_t[]){ 2, 0, 0, 0, 1, 9, 2, 0, 0, 0, 0, 1, 0x86, 0xdd }), 14);
	assert_int_equal(f[21], 255);
	assert_int_equal(f[58], 0x60); /* solicited, override */
	assert_memory_equal(f + 62, ((uint8_t[16]){ 0xfd, [3] = 1, [15] = 1 }), 16);
	assert_memory_equal(f + 78, ((uint8_t[]){ 2, 1, 2, 0, 0, 0, 0, 1 }), 8);
	assert_int_equal(neigh_rows(&row, 1), 1);
	assert_int_equal(row.state, NUD_DELAY); /* stale, and used for the answer */
	assert_int_equal(row.mac[5], 9);
	ask(7, 255, true); /* not ours, but of a group that we are in */
	assert_int_equal(sent(1), 0);
	ask(1, 254, true); /* from behind a router */
	assert_int_equal(dropped(DROP_ND_BAD), 1);
	conserved();
}

static void has_a_link_local_address_of_its_mac_while_it_has_others(void **state)
{
	struct inet_addr a = { .b = { 0xfe, 0x80, [11] = 0xff, 0xfe, [15] = 1 } };
	struct inet_addr four = inet_v4((const uint8_t[]){ 10, 0, 1, 1 });
	struct inet_addr six = { .b = { 0xfd, [3] = 1, [15] = 1 } };

	(void)state;
	inet_up(1);
	assert_non_null(inet_local(&a, &fake[1].port));
	assert_int_equal(fake[1].port.rx_extra & PORT_LOCAL, PORT_LOCAL);
	port_set_mac(&fake[1].port, (const uint8_t[]){ 2, 0, 0, 0, 0, 2 });
	inet_mac_changed(&fake[1].port);
	assert_null(inet_local(&a, &fake[1].port));
	a.b[15] = 2;
	assert_non_null(inet_local(&a, &fake[1].port));
	inet_del(&fake[1].port, &four, 120);
	assert_non_null(inet_local(&a, &fake[1].port));
	inet_del(&fake[1].port, &six, 64);
	assert_null(inet_local(&a, &fake[1].port));
	assert_int_equal(ninet_addrs, 0);
	assert_int_equal(nroutes, 0);
	assert_int_equal(fake[1].port.rx_extra & PORT_LOCAL, 0);
}

static void answers_a_ping6(void **state)
{
	static const unsigned sizes[] = { 0, 1, 57, 1432 };
	uint8_t b[1600];

	(void)state;
	up(1);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned n = echo_request6(b, 1, sizes[i]);
		const uint8_t *f;

		put_ip6(1, PROTO_ICMPV6, LIMIT, NULL, b, n);
		assert_int_equal(sent(1), 1);
		f = sound_icmp6(1, 129, 0);
		assert_memory_equal(f + 58, b + 4, n - 4);
	}
	b[2] ^= 1;
	put_ip6(1, PROTO_ICMPV6, LIMIT, NULL, b, 1440);
	assert_int_equal(dropped(DROP_ICMP_BAD), 1);
	conserved();
}

static void wrong_headers_are_dropped(void **state)
{
	uint8_t f[80] = { 2, 0, 0, 0, 0, 1, [12] = 0x86, 0xdd, 0x60, 0, 0, 0, 0, 80 };

	(void)state;
	inet_up(1);
	put(1, frame_raw(f, sizeof(f))); /* a length beyond the frame */
	f[14] = 0x40;
	f[19] = 0;
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(dropped(DROP_IPV6_BAD), 2);
	f[14] = 0x60;
	f[22] = 0xff; /* from a group */
	put(1, frame_raw(f, sizeof(f)));
	f[22] = 0;
	f[32] = f[33] = 0xff; /* from ::ffff:0:0, which is IPv4's */
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(dropped(DROP_IPV6_MARTIAN), 2);
	conserved();
}

static void extension_headers_are_passed_and_what_is_unknown_is_answered_as_it_asks(void **state)
{
	/* options for the destination, then routing without further stations, then the echo */
	uint8_t b[200] = { PROTO_ROUTING, 0, 1, 4, 0, 0, 0, 0, PROTO_ICMPV6, 0, 0, 0, 0, 0, 0, 0 };
	unsigned n;

	(void)state;
	up(1);
	n = echo_request6(b + 16, 1, 20);
	put_ip6(1, PROTO_DSTOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(sent(1), 1);
	sound_icmp6(1, 129, 0);
	b[2] = 0x1e; /* unknown: skip */
	put_ip6(1, PROTO_DSTOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(sent(1), 1);
	b[2] = 0x5e; /* unknown: drop */
	put_ip6(1, PROTO_DSTOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(sent(1), 0);
	assert_int_equal(dropped(DROP_IPV6_EXT_BAD), 1);
	b[2] = 0x9e; /* unknown: say so, and where */
	put_ip6(1, PROTO_HOPOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(sent(1), 1);
	assert_int_equal(sound_icmp6(1, 4, 2)[61], 42);
	b[2] = 1;
	b[8 + 3] = 1; /* one more station */
	put_ip6(1, PROTO_DSTOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(sound_icmp6(1, 4, 0)[61], 50);
	b[3] = 200; /* an option that does not fit */
	put_ip6(1, PROTO_DSTOPTS, LIMIT, NULL, b, 16 + n);
	assert_int_equal(dropped(DROP_IPV6_EXT_BAD), 4);
	put_ip6(1, NEXT_NONE, LIMIT, NULL, b, 8);
	sent(1);
	put_ip6(1, 99, LIMIT, NULL, b, 8);
	assert_int_equal(sound_icmp6(1, 4, 1)[61], 6); /* the byte that named it */
	conserved();
}

static void a_datagram_without_a_checksum_is_not_taken(void **state)
{
	uint8_t b[64];
	unsigned n = udp_datagram(b, 5555, 7, 30), sum;
	const uint8_t *f;
	unsigned len;

	(void)state;
	up(1);
	put_ip6(1, PROTO_UDP, LIMIT, NULL, b, n);
	assert_int_equal(dropped(DROP_UDP_BAD), 1);
	sum = 0xffff ^ sum16_v6(1, PROTO_UDP, b, n);
	b[6] = sum >> 8;
	b[7] = sum;
	put_ip6(1, PROTO_UDP, LIMIT, NULL, b, n);
	f = last_sent(1, 0, &len);
	assert_int_equal(sum16(f + 54, n, sum16(f + 22, 32, PROTO_UDP + n)), 0xffff);
	assert_memory_equal(f + 62, b + 8, 30);
	conserved();
}

/* bytes @off to @off + @len of @b, which is @all bytes long, as a fragment */
static void put_part(const uint8_t *b, unsigned all, unsigned off, unsigned len)
{
	uint8_t f[600] = { PROTO_ICMPV6, 0, off >> 8, off | (off + len < all), 1, 2, 3, 4 };

	memcpy(f + 8, b + off, len);
	put_ip6(1, PROTO_FRAGMENT, LIMIT, NULL, f, 8 + len);
}

static void fragments_are_put_together_and_made(void **state)
{
	uint8_t b[2000], back[2000];
	unsigned n, end = 0, len;

	(void)state;
	up(1);
	n = echo_request6(b, 1, 1900);
	for (unsigned off = 1600;; off -= 400) {
		put_part(b, n, off, off + 400 < n ? 400 : n - off);
		if (!off)
			break;
	}
	assert_int_equal(sent(1), 2);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *f = last_sent(1, 1 - i, &len);

		assert_int_equal(f[20], PROTO_FRAGMENT);
		assert_int_equal((f[56] << 8 | f[57]) & ~7U, end);
		assert_int_equal(f[57] & 1, !i);
		memcpy(back + end, f + 62, len - 62);
		end += len - 62;
	}
	assert_int_equal(end, n);
	assert_int_equal(back[0], 129);
	assert_memory_equal(back + 4, b + 4, n - 4);
	assert_int_equal(frag_buffers(true), 0);
	conserved();
	put_part(b, n, 0,
		 404); /* not the last, no multiple of eight: the length in the header is wrong */
	assert_int_equal(sound_icmp6(1, 4, 0)[61], 4);
	memset(back, 0, sizeof(back)); /* the whole would be 65,536 bytes: the field of the offset
					  is wrong [RFC 8200 4.5] */
	memcpy(back, ((uint8_t[]){ PROTO_ICMPV6, 0, 0xff, 0xf8 }), 4);
	put_ip6(1, PROTO_FRAGMENT, LIMIT, NULL, back, 8 + 8);
	assert_int_equal(sound_icmp6(1, 4, 0)[61], 42);
	assert_int_equal(dropped(DROP_IPV6_EXT_BAD), 2);
	put_ip6(1, PROTO_FRAGMENT, LIMIT, NULL, back, 8 + 7); /* one less is none */
	assert_int_equal(dropped(DROP_IPV6_EXT_BAD), 2);
	conserved();
}

static void passes_packets_on_but_never_cuts_them(void **state)
{
	uint8_t f[1514] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 9, 0x86, 0xdd, 0x60 };
	struct inet_addr far = { .b = { 0xfd, [3] = 2, [15] = 9 } };

	(void)state;
	up(2);
	*net_knob("net.ipv6.conf.all.forwarding") = 1;
	assert_int_equal(neigh_set(&fake[2].port, &far, (const uint8_t[]){ 2, 0, 0, 0, 2, 9 }), 0);
	f[18] = 1460 >> 8;
	f[19] = 1460 & 255;
	f[20] = 99;
	f[21] = 5;
	f[22] = f[38] = 0xfd;
	f[25] = 1;
	f[37] = 9;
	f[41] = 2;
	f[53] = 9;
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(sent(2), 1);
	assert_int_equal(fake[2].sent[0]->data[21], 4);
	port_set_mtu(&fake[2].port, 1280);
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(sent(2), 0);
	assert_memory_equal(sound_icmp6(1, 2, 0) + 58, ((uint8_t[]){ 0, 0, 5, 0 }), 4);
	assert_int_equal(dropped(DROP_IP_TOO_BIG), 1);
	f[21] = 1;
	put(1, frame_raw(f, sizeof(f)));
	sound_icmp6(1, 3, 0);
	f[21] = 5;
	f[41] = 77;
	put(1, frame_raw(f, sizeof(f)));
	sound_icmp6(1, 1, 0);
	f[22] = 0xfe; /* a link-local address means nothing on another link */
	f[23] = 0x80;
	f[41] = 2;
	put(1, frame_raw(f, sizeof(f)));
	assert_int_equal(dropped(DROP_IP_NOT_OURS), 1);
	conserved();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, down)
	const struct CMUnitTest tests[] = {
		TEST(tells_who_asks_that_the_address_is_its_own),
		TEST(has_a_link_local_address_of_its_mac_while_it_has_others),
		TEST(answers_a_ping6),
		TEST(wrong_headers_are_dropped),
		TEST(extension_headers_are_passed_and_what_is_unknown_is_answered_as_it_asks),
		TEST(a_datagram_without_a_checksum_is_not_taken),
		TEST(fragments_are_put_together_and_made),
		TEST(passes_packets_on_but_never_cuts_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
