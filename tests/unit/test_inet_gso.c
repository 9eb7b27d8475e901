/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/inet_rig.c tests/unit/streams.c inet path */
/*
 * test_inet_gso.c - long packets and Weir as a station: what GRO has merged, or a guest has
 * left uncut, comes to its services datagram by datagram, and goes on across the router as
 * what its segments may be
 */
#include "tests/unit/host.h"

#include <string.h>

#include "drivers/netdev.h"
#include "net/csum.h"
#include "net/gro.h"
#include "net/inet/snmp.h"
#include "tests/unit/inet_rig.h"
#include "tests/unit/streams.h"

enum {
	ECHO = 7,
	DISCARD = 9,
	NOBODY = 99,
	SPORT = 5555,
	SIZE = 100,
	LAST = 37,
	COUNT = 5,
	FIRST_ID = 40,
	DF = 0x4000
};

static struct port *const in = &fake[1].port;

static void up(unsigned ports_wanted)
{
	inet_up(ports_wanted);
	in->gro = gro_create();
	gro_set(in, true, true);
	meet(1, 9);
}

/* station 9 asks for fd00:1::1, and so is known */
static void meet6(void)
{
	uint8_t b[32] = { 135, [8] = 0xfd, [11] = 1, [23] = 1, [24] = 1, 1, 2, 0, 0, 0, 1, 9 };
	unsigned sum = sum16_v6(1, PROTO_ICMPV6, b, sizeof(b));

	b[2] = ~sum >> 8;
	b[3] = ~sum;
	put_ip6(1, PROTO_ICMPV6, 255, NULL, b, sizeof(b));
	assert_int_equal(sent(1), 1);
}

static int down(void **state)
{
	(void)state;
	*net_knob("net.ipv4.ip_forward") = *net_knob("net.ipv6.conf.all.forwarding") = 0;
	conserved();
	gro_settle(in);
	inet_down();
	return 0;
}

static unsigned get16(const uint8_t *b)
{
	return b[0] << 8 | b[1];
}

/* the sum of the IPv4 pseudo header of what station 9 of port 1 sends to @dst */
static unsigned pseudo4(const uint8_t *dst, unsigned len)
{
	const uint8_t them[4] = { 10, 0, 1, 9 };

	return sum16(dst, 4, sum16(them, 4, PROTO_UDP + len));
}

/* datagram number @i, whose bytes tell which it is, with a checksum; its length */
static unsigned datagram(uint8_t *b, unsigned dport, unsigned i, unsigned size, bool v6,
			 const uint8_t *dst)
{
	unsigned n = udp_datagram(b, SPORT, dport, size), sum;

	b[8] = i;
	sum = v6 ? sum16_v6(1, PROTO_UDP, b, n) : sum16(b, n, pseudo4(dst, n));
	b[6] = ~sum >> 8;
	b[7] = ~sum;
	return n;
}

/* COUNT datagrams as @s says, the last one shorter, which ends what GRO holds of them */
static void put_flow_as(struct ip_spec s, unsigned dport, unsigned size)
{
	uint8_t b[1600];

	s.port = 1;
	s.proto = PROTO_UDP;
	s.id = FIRST_ID;
	for (unsigned i = 0; i < COUNT; i++, s.id++) {
		unsigned n = datagram(b, dport, i, i + 1 < COUNT ? size : LAST, false, s.dst);

		assert_int_equal(gro_held(in), i);
		put_ip4(&s, b, n);
	}
	assert_int_equal(gro_held(in), 0);
}

static void put_flow(unsigned dport)
{
	put_flow_as((struct ip_spec){ .dst = { 10, 0, 1, 1 } }, dport, SIZE);
}

static void put_flow6(unsigned dport)
{
	uint8_t b[256];

	for (unsigned i = 0; i < COUNT; i++)
		put_ip6(1, PROTO_UDP, 64, NULL, b,
			datagram(b, dport, i, i + 1 < COUNT ? SIZE : LAST, true, NULL));
	assert_int_equal(gro_held(in), 0);
}

/*
 * what station 9 was sent are the answers to all of them, in order; UDP begins @l4 bytes into them
 */
static void each_was_answered(unsigned l4)
{
	assert_int_equal(sent(1), COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned len, size = i + 1 < COUNT ? SIZE : LAST, n = 8 + size;
		const uint8_t *f = last_sent(1, COUNT - 1 - i, &len);
		unsigned addresses = l4 == 54 ? 32 : 8;

		assert_int_equal(len, l4 + n);
		assert_int_equal(get16(f + l4), ECHO);
		assert_int_equal(get16(f + l4 + 2), SPORT);
		assert_int_equal(get16(f + l4 + 4), n);
		assert_int_equal(f[l4 + 8], i);
		assert_int_equal(f[l4 + n - 1], (size - 1) * 5 % 256);
		assert_int_equal(
			sum16(f + l4, n, sum16(f + l4 - addresses, addresses, PROTO_UDP + n)),
			0xffff);
	}
}

static void echo_answers_each_datagram_of_those_that_gro_merged(void **state)
{
	(void)state;
	up(1);
	put_flow(ECHO);
	each_was_answered(34);
	assert_int_equal(snmp(false)->ip[IP_InReceives],
			 1); /* what comes out of GRO, as in Linux */
	assert_int_equal(snmp(false)->udp[UDP_InDatagrams], COUNT);
	assert_int_equal(snmp(false)->udp[UDP_OutDatagrams], COUNT);
	assert_int_equal(port_total(in).consumed, COUNT + 1); /* ARP's was one more */
}

static void so_it_does_with_ipv6(void **state)
{
	(void)state;
	up(1);
	meet6();
	put_flow6(ECHO);
	each_was_answered(54);
	assert_int_equal(snmp(true)->udp[UDP_InDatagrams], COUNT);
	assert_int_equal(snmp(true)->udp[UDP_OutDatagrams], COUNT);
}

static void discard_counts_each_datagram(void **state)
{
	(void)state;
	up(1);
	put_flow(DISCARD);
	put_flow6(DISCARD);
	assert_int_equal(sent(1), 0);
	assert_int_equal(snmp(false)->udp[UDP_InDatagrams], COUNT);
	assert_int_equal(snmp(true)->udp[UDP_InDatagrams], COUNT);
}

/* Linux looks for the socket first: who has none is told once, about the first datagram */
static void where_nobody_listens_one_error_speaks_of_all_of_them(void **state)
{
	const uint8_t *f;
	unsigned len;

	(void)state;
	up(1);
	put_flow(NOBODY);
	f = last_sent(1, 0, &len);
	assert_int_equal(sent(1), 1);
	assert_int_equal(f[34], 3);
	assert_int_equal(f[35], 3);
	assert_int_equal(get16(f + 42 + 20), SPORT);
	assert_int_equal(snmp(false)->udp[UDP_NoPorts], 1);
	assert_int_equal(dropped(DROP_UDP_NO_PORT), 1);
}

/* a long packet as a guest hands it over: @size bytes of payload a segment, @cut a buffer */
static struct pkt *uncut(bool udp, unsigned size, unsigned cut, const uint8_t *dst)
{
	const struct stream s = { .udp = udp, .port = SPORT, .host = 9 };
	static uint8_t payload[STREAM_BYTES];
	struct pkt *p = stream_pkt(&s, payload, 0, 10 * size, 0, STREAM_ACK, cut);

	p->flags |= PKT_GSO | PKT_CSUM_PARTIAL;
	p->gso_size = size;
	p->gso_type = udp ? PKT_GSO_UDP_L4 : PKT_GSO_TCPV4;
	p->csum_start = 34;
	p->csum_offset = udp ? 6 : 16;
	memcpy(p->data, in->mac, 6);
	memcpy(p->data + 26, ((uint8_t[]){ 10, 0, 1, 9 }), 4);
	memcpy(p->data + 30, dst, 4);
	p->data[37] = ECHO;
	csum_ipv4(p->data + 14, 20);
	return p;
}

/*
 * buffers that do not end where datagrams do: those have to be copied, and there
 * is nothing to copy them to
 */
static void a_long_datagram_without_buffers_for_its_parts_is_dropped(void **state)
{
	struct pkt *p, *all = NULL, *one;

	(void)state;
	up(1);
	p = uncut(true, SIZE, SIZE * 3 / 2, (uint8_t[]){ 10, 0, 1, 1 });
	while ((one = pkt_alloc())) {
		one->next = all;
		all = one;
	}
	put(1, p);
	pkt_free(all);
	assert_int_equal(sent(1), 0);
	assert_int_equal(dropped(DROP_UDP_NO_BUFFER), 1);
	assert_int_equal(snmp(false)->udp[UDP_InErrors], 1);
}

/* --- the router --- */

static void up_as_router(unsigned mtu)
{
	up(2);
	meet(2, 9);
	*net_knob("net.ipv4.ip_forward") = *net_knob("net.ipv6.conf.all.forwarding") = 1;
	port_set_mtu(&fake[2].port, mtu);
}

static void what_was_merged_crosses_the_router_where_its_segments_fit(void **state)
{
	(void)state;
	up_as_router(28 + 700);
	put_flow_as((struct ip_spec){ .dst = { 10, 0, 2, 9 }, .frag = DF }, NOBODY, 700);
	assert_int_equal(sent(1), 0);
	assert_int_equal(sent(2), COUNT);
	fake[2].port.features = NETDEV_HW_CSUM | NETDEV_TX_CSUM | NETDEV_UDP_L4;
	put_flow_as((struct ip_spec){ .dst = { 10, 0, 2, 9 }, .frag = DF }, NOBODY, 700);
	assert_int_equal(sent(2), 1);
}

/* [Linux: ip_exceeds_mtu(), skb_gso_validate_network_len()] */
static void who_forbids_fragments_is_told_once_that_its_segments_are_too_big(void **state)
{
	const uint8_t *f;
	unsigned len;

	(void)state;
	up_as_router(28 + 699);
	put_flow_as((struct ip_spec){ .dst = { 10, 0, 2, 9 }, .frag = DF }, NOBODY, 700);
	f = last_sent(1, 0, &len);
	assert_int_equal(sent(1), 1);
	assert_int_equal(sent(2), 0);
	assert_int_equal(f[34], 3);
	assert_int_equal(f[35], 4);
	assert_int_equal(get16(f + 40), 28 + 699);
	assert_int_equal(dropped(DROP_IP_TOO_BIG), 1);
}

static void else_each_segment_goes_in_fragments_of_its_own(void **state)
{
	uint8_t want[1600];

	(void)state;
	up_as_router(576);
	put_flow_as((struct ip_spec){ .dst = { 10, 0, 2, 9 } }, NOBODY, 700);
	assert_int_equal(sent(2), 2 * COUNT - 1); /* the last fits */
	for (unsigned i = 0; i + 1 < COUNT; i++) {
		unsigned n = datagram(want, NOBODY, i, 700, false, (uint8_t[]){ 10, 0, 2, 9 }), len;
		const uint8_t *f = last_sent(2, 2 * (COUNT - 1 - i), &len);

		assert_int_equal(get16(f + 18), FIRST_ID + i);
		assert_int_equal(get16(f + 20), 0x2000);
		assert_int_equal(len, 14 + 20 + 552);
		assert_memory_equal(f + 34, want, 552);
		f = last_sent(2, 2 * (COUNT - 1 - i) - 1, &len);
		assert_int_equal(get16(f + 18), FIRST_ID + i);
		assert_int_equal(get16(f + 20), 552 / 8);
		assert_int_equal(get16(f + 16), 20 + n - 552);
		assert_memory_equal(f + 34, want + 552, n - 552);
	}
}

/*
 * a guest's headers say what they like: a segment without payload, a checksum behind the end
 * [Linux: pskb_trim_rcsum()]
 */
static void a_packet_that_ends_before_what_it_asks_for_is_dropped(void **state)
{
	const uint8_t dst[4] = { 10, 0, 2, 9 };
	struct pkt *p;

	(void)state;
	up_as_router(1500);
	for (unsigned gso = 0; gso < 2; gso++) {
		p = uncut(false, 50, PKT_BUF_SIZE, dst);
		p->data[16] = 0;
		p->data[17] = gso ? 40 : 36; /* no byte of payload; or half of TCP's header */
		csum_ipv4(p->data + 14, 20);
		if (!gso)
			p->flags &= ~PKT_GSO;
		put(1, p);
		assert_int_equal(dropped(DROP_IPV4_BAD), gso + 1);
	}
	assert_int_equal(sent(1) + sent(2), 0);
}

static void the_same_of_ipv6(void **state)
{
	const struct stream s = { .v6 = true, .port = SPORT, .host = 9 };
	static uint8_t payload[STREAM_BYTES];
	struct pkt *p;

	(void)state;
	up(1);
	p = stream_pkt(&s, payload, 0, 1000, 0, STREAM_ACK, PKT_BUF_SIZE);
	p->flags |= PKT_GSO | PKT_CSUM_PARTIAL;
	p->gso_size = 100;
	p->gso_type = PKT_GSO_TCPV6;
	p->csum_start = 54;
	p->csum_offset = 16;
	memcpy(p->data, in->mac, 6);
	p->data[18] = 0;
	p->data[19] = 20;
	put(1, p);
	assert_int_equal(dropped(DROP_IPV6_BAD), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, down)
	const struct CMUnitTest tests[] = {
		TEST(echo_answers_each_datagram_of_those_that_gro_merged),
		TEST(so_it_does_with_ipv6),
		TEST(discard_counts_each_datagram),
		TEST(where_nobody_listens_one_error_speaks_of_all_of_them),
		TEST(a_long_datagram_without_buffers_for_its_parts_is_dropped),
		TEST(what_was_merged_crosses_the_router_where_its_segments_fit),
		TEST(who_forbids_fragments_is_told_once_that_its_segments_are_too_big),
		TEST(else_each_segment_goes_in_fragments_of_its_own),
		TEST(a_packet_that_ends_before_what_it_asks_for_is_dropped),
		TEST(the_same_of_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
