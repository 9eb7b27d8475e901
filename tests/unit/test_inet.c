/* SPDX-License-Identifier: MIT */
/* links: kernel/shell.c kernel/capture.c kernel/words.c kernel/config.c tests/unit/inet_rig.c tests/unit/streams.c inet path */
/*
 * test_inet.c - Weir as a station of IPv4: what it answers, what it drops and why, what it passes
 * on; and which routes it takes. Neighbours, fragments and IPv6 have files of their own.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/bytes.h"
#include "net/csum.h"
#include "net/inet/internal.h"
#include "net/inet/maddr.h"
#include "net/inet/neigh.h"
#include "net/inet/route.h"
#include "net/pktgen/sink.h"
#include "net/inet/snmp.h"
#include "net/ovs/vswitch.h"
#include "net/tc_filter.h"
#include "tests/unit/inet_rig.h"
#include "tests/unit/streams.h"

static int down(void **state)
{
	(void)state;
	*net_knob("net.ipv4.ip_forward") = 0;
	inet_down();
	return 0;
}

static unsigned get16(const uint8_t *b)
{
	return b[0] << 8 | b[1];
}

static void put_echo(unsigned n)
{
	uint8_t b[1600];

	put_ip4(&(struct ip_spec){ .port = 1 }, b, echo_request(b, 7, 3, n));
}

static void answers_who_asks_for_its_address_and_learns_who_that_was(void **state)
{
	struct neigh_row row;
	const uint8_t *f;
	unsigned len;

	(void)state;
	inet_up(1);
	put_arp(1, 9, 1, 1);
	f = last_sent(1, 0, &len);
	assert_int_equal(len, 60);
	assert_memory_equal(
		f, ((uint8_t[]){ 2, 0, 0, 0, 1, 9, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
				 2, 2, 0, 0, 0, 0, 1, 10, 0, 1, 1, 2, 0, 0, 0, 1, 9, 10, 0, 1, 9 }),
		42);
	assert_int_equal(neigh_rows(&row, 1), 1);
	assert_int_equal(row.state, NUD_STALE);
	assert_memory_equal(row.mac, ((uint8_t[]){ 2, 0, 0, 0, 1, 9 }), 6);
	put_arp(1, 8, 1, 77); /* for somebody else: no answer, and nobody to remember */
	assert_int_equal(neigh_rows(&row, 1), 1);
	assert_int_equal(fake[1].nsent, 1);
	conserved();
}

static void drops_an_arp_packet_that_makes_no_sense(void **state)
{
	(void)state;
	inet_up(1);
	put_arp(1, 9, 3, 1); /* neither request nor reply */
	assert_int_equal(dropped(DROP_ARP_BAD), 1);
	conserved();
}

static void answers_a_ping_of_every_length(void **state)
{
	static const unsigned sizes[] = { 0, 1, 2, 17, 18, 56, 1471, 1472 };

	(void)state;
	inet_up(1);
	meet(1, 9);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned n = sizes[i], len, want = 42 + n < 60 ? 60 : 42 + n;
		uint8_t ask[1600];
		const uint8_t *f;

		put_echo(n);
		f = last_sent(1, 0, &len);
		assert_int_equal(sent(1), 1);
		assert_int_equal(len, want);
		assert_int_equal(get16(f + 16), 28 + n);
		assert_int_equal(sum16(f + 14, 20, 0), 0xffff);
		assert_int_equal(sum16(f + 34, 8 + n, 0), 0xffff);
		assert_memory_equal(f + 26, ((uint8_t[]){ 10, 0, 1, 1, 10, 0, 1, 9 }), 8);
		assert_int_equal(f[34], 0);
		echo_request(ask, 7, 3, n);
		assert_memory_equal(f + 38, ask + 4, 4 + n);
	}
	conserved();
}

static void drops_what_is_damaged_each_with_its_reason(void **state)
{
	uint8_t b[64];
	unsigned n = echo_request(b, 1, 1, 20);

	(void)state;
	inet_up(1);
	put_ip4(&(struct ip_spec){ .port = 1, .bad_sum = true }, b, n);
	assert_int_equal(dropped(DROP_IPV4_CSUM), 1);
	b[9] ^= 1;
	put_ip4(&(struct ip_spec){ .port = 1 }, b, n);
	assert_int_equal(dropped(DROP_ICMP_BAD), 1);
	put_ip4(&(struct ip_spec){ .port = 1 }, b, 4);
	assert_int_equal(dropped(DROP_ICMP_BAD), 2);
	put(1, frame_raw((uint8_t[60]){ 2, 0, 0, 0, 0, 1, [12] = 8, 0, 0x46 }, 60));
	assert_int_equal(dropped(DROP_IPV4_BAD), 1);
	put(1, frame_raw((uint8_t[60]){ 2, 0, 0, 0, 0, 1, [12] = 0x88, 0xb5 }, 60));
	assert_int_equal(dropped(DROP_LOCAL_TYPE), 1);
	put(1, frame_raw((uint8_t[60]){ 2, 0, 0, 0, 0, 7, [12] = 8, 0 }, 60));
	assert_int_equal(dropped(DROP_LOCAL_OTHERHOST), 1);
	assert_int_equal(sent(1), 0);
	conserved();
}

static void drops_addresses_that_no_wire_may_carry(void **state)
{
	static const uint8_t wrong[][4] = { { 127, 0, 0, 1 },       { 224, 0, 0, 5 },
					    { 0, 1, 2, 3 },         { 10, 0, 1, 1 },
					    { 255, 255, 255, 255 }, { 10, 0, 1, 255 } };
	uint8_t b[64];

	(void)state;
	inet_up(1);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct ip_spec s = { .port = 1 };

		memcpy(s.src, wrong[i], 4);
		put_ip4(&s, b, echo_request(b, 1, 1, 8));
		assert_int_equal(dropped(DROP_IP_MARTIAN), i + 1);
	}
	put_ip4(&(struct ip_spec){ .port = 1, .dst = { 10, 0, 7, 7 } }, b, 16);
	assert_int_equal(dropped(DROP_IP_NOT_OURS), 1);
	assert_int_equal(sent(1), 0);
	conserved();
}

static void sends_a_datagram_to_the_echo_port_back(void **state)
{
	uint8_t b[600];
	const uint8_t *f;
	unsigned len;

	(void)state;
	inet_up(1);
	meet(1, 9);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b,
		udp_datagram(b, 5555, 7, 500));
	f = last_sent(1, 0, &len);
	assert_int_equal(len, 542);
	assert_int_equal(get16(f + 34), 7);
	assert_int_equal(get16(f + 36), 5555);
	assert_memory_equal(f + 42, b + 8, 500);
	/* the pseudo header: addresses, protocol, length */
	assert_int_equal(sum16(f + 34, 508, sum16(f + 26, 8, 17 + 508)), 0xffff);
	sent(1);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b, udp_datagram(b, 19, 7, 5));
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b, udp_datagram(b, 5555, 9, 5));
	assert_int_equal(sent(1), 0); /* a service's own port, and discard */
	udp_datagram(b, 5555, 7, 5);
	b[6] = 1; /* a sum that is wrong */
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b, 13);
	b[5] = 99; /* a length beyond the packet */
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b, 13);
	assert_int_equal(dropped(DROP_UDP_BAD), 2);
	conserved();
}

/*
 * The last packet of @port is an ICMP error of @type and @code that quotes what begins with @quote.
 */
static void is_error(unsigned port, unsigned type, unsigned code, const uint8_t *quote, unsigned n)
{
	unsigned len;
	const uint8_t *f = last_sent(port, 0, &len);

	assert_non_null(f);
	assert_int_equal(f[23], PROTO_ICMP);
	assert_int_equal(f[34], type);
	assert_int_equal(f[35], code);
	assert_int_equal(sum16(f + 34, get16(f + 16) - 20, 0), 0xffff);
	assert_memory_equal(f + 42 + 20, quote, n);
}

static void says_what_it_does_not_take(void **state)
{
	uint8_t b[64] = { 0 };
	unsigned sum;

	(void)state;
	inet_up(1);
	meet(1, 9);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_UDP }, b,
		udp_datagram(b, 5555, 99, 5));
	is_error(1, 3, 3, b, 8);
	assert_int_equal(dropped(DROP_UDP_NO_PORT), 1);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = PROTO_TCP }, b, 20);
	is_error(1, 3, 2, b, 8);
	assert_int_equal(dropped(DROP_IP_PROTO), 1);
	sent(1);
	/* never about an error, about what all were told, or to who has no address */
	b[0] = 3;
	b[1] = b[2] = b[3] = 0;
	sum = 0xffff ^ sum16(b, 20, 0);
	b[2] = sum >> 8;
	b[3] = sum;
	put_ip4(&(struct ip_spec){ .port = 1 }, b, 20);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = 99, .to_all = true }, b, 20);
	put_ip4(&(struct ip_spec){ .port = 1, .proto = 99, .dst = { 10, 0, 1, 255 } }, b, 20);
	assert_int_equal(sent(1), 0);
	conserved();
}

static void tells_one_host_so_much_and_no_more(void **state)
{
	uint8_t b[64];

	(void)state;
	inet_up(1);
	meet(1, 9);
	for (unsigned i = 0; i < 20; i++)
		put_ip4(&(struct ip_spec){ .port = 1, .proto = 99 }, b, 20);
	assert_int_equal(sent(1), 6); /* Linux's burst */
	host_tsc += UINT64_C(1000000000);
	for (unsigned i = 0; i < 5; i++)
		put_ip4(&(struct ip_spec){ .port = 1, .proto = 99 }, b, 20);
	assert_int_equal(sent(1), 1);
	assert_int_equal(snmp(false)->icmp[ICMP_OutRateLimitHost], 18);
	conserved();
}

static struct inet_addr v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return inet_v4((const uint8_t[]){ a, b, c, d });
}

static void route(unsigned port, struct inet_addr dst, unsigned len, unsigned via, unsigned metric)
{
	struct route r = { .dst = dst, .len = len + INET_V4_BITS, .metric = metric };

	r.port = &fake[port].port;
	if (via)
		r.via = v4(10, 0, port, via);
	assert_int_equal(route_add(&r), 0);
}

static unsigned way_to(struct inet_addr a)
{
	const struct route *r = route_lookup(&a, NULL);

	return r ? r->port->id : 0;
}

static void the_longest_prefix_wins_and_then_the_smaller_metric(void **state)
{
	struct route gone = { .dst = v4(20, 1, 0, 0), .len = INET_V4_BITS + 16 };

	(void)state;
	inet_up(3);
	assert_int_equal(way_to(v4(20, 1, 2, 3)), 0);
	route(1, v4(0, 0, 0, 0), 0, 9, 0);
	route(2, v4(20, 0, 0, 0), 8, 9, 0);
	route(3, v4(20, 1, 0, 0), 16, 9, 50);
	route(1, v4(20, 1, 0, 0), 16, 9, 70);
	route(2, v4(20, 1, 2, 128), 25, 9, 0);
	assert_int_equal(way_to(v4(30, 1, 2, 3)), 1);
	assert_int_equal(way_to(v4(20, 200, 2, 3)), 2);
	assert_int_equal(way_to(v4(20, 1, 2, 3)), 3);
	assert_int_equal(way_to(v4(20, 1, 2, 200)), 2);
	port_set_up(&fake[3].port, false);
	assert_int_equal(way_to(v4(20, 1, 2, 3)), 1); /* the next by metric */
	assert_int_equal(route_del(&gone), 0);
	assert_int_equal(route_del(&gone), 0);
	assert_int_equal(route_del(&gone), -ESRCH);
	assert_int_equal(way_to(v4(20, 1, 2, 3)), 2);
	assert_int_equal(way_to(v4(10, 0, 2, 77)), 2); /* by its address */
}

/* as a router would: an address of the link is before the prefixes by themselves */
static void random_routes_are_found_as_by_trying_all(void **state)
{
	(void)state;
	inet_up(3);
	srandom(7);
	for (unsigned i = 0; i < 150; i++) {
		struct route r = { .len = INET_V4_BITS + random() % 33, .metric = i + 1 };

		r.dst = v4(60 + random() % 3, random() & 3, random(), random());
		r.port = &fake[1 + i % 3].port;
		route_add(&r);
	}
	for (unsigned i = 0; i < 3000; i++) {
		struct inet_addr a = v4(60 + random() % 3, random() & 3, random(), random());
		const struct route *best = NULL;

		route_for_each(r)
		{
			if (!r->v6 && inet_in_prefix(&a, &r->dst, r->len) &&
			    (!best || r->len > best->len ||
			     (r->len == best->len && r->metric < best->metric)))
				best = r;
		}
		assert_ptr_equal(route_lookup(&a, NULL), best);
	}
}

static void passes_packets_on_when_told_to(void **state)
{
	struct ip_spec s = { .port = 1, .dst = { 10, 0, 2, 9 }, .proto = PROTO_UDP };
	uint8_t b[600];
	const uint8_t *f;
	unsigned len, n = udp_datagram(b, 1000, 2000, 100);

	(void)state;
	inet_up(2);
	meet(1, 9);
	meet(2, 9);
	put_ip4(&s, b, n);
	assert_int_equal(dropped(DROP_IP_NOT_OURS), 1);
	*net_knob("net.ipv4.ip_forward") = 1;
	put_ip4(&s, b, n);
	f = last_sent(2, 0, &len);
	assert_int_equal(len, 142);
	assert_memory_equal(f, ((uint8_t[]){ 2, 0, 0, 0, 2, 9, 2, 0, 0, 0, 0, 2, 8, 0 }), 14);
	assert_int_equal(f[22], 63);
	assert_int_equal(sum16(f + 14, 20, 0), 0xffff);
	assert_memory_equal(f + 26, ((uint8_t[]){ 10, 0, 1, 9, 10, 0, 2, 9 }), 8);
	assert_memory_equal(f + 34, b, n);
	s.ttl = 1;
	put_ip4(&s, b, n);
	is_error(1, 11, 0, b, n);
	assert_int_equal(dropped(DROP_IP_TTL), 1);
	s.ttl = 9;
	s.dst[0] = 77;
	put_ip4(&s, b, n);
	is_error(1, 3, 0, b, n);
	assert_int_equal(dropped(DROP_IP_NO_ROUTE), 1);
	s.to_all = true; /* who sends to all stations wants no router to do so */
	s.dst[0] = 10;
	put_ip4(&s, b, n);
	assert_int_equal(dropped(DROP_IP_NOT_OURS), 2);
	s.to_all = false;
	s.dst[3] = 255; /* nor one who means all stations of a link beyond it [RFC 2644] */
	put_ip4(&s, b, n);
	assert_int_equal(dropped(DROP_IP_NOT_OURS), 3);
	assert_int_equal(sent(2), 1);
	conserved();
}

static void speaks_by_the_address_that_is_a_neighbours_of_who_is_next(void **state)
{
	struct inet_addr first = v4(10, 0, 1, 1), second = v4(10, 5, 0, 1), next = v4(10, 5, 0, 9),
			 far = v4(77, 0, 0, 1);
	struct route r = { .port = &fake[1].port, .via = next, .dst = far, .len = 128 };

	(void)state;
	inet_up(1);
	assert_int_equal(inet_add(&fake[1].port, &second, INET_V4_BITS + 16), 0);
	assert_true(inet_equal(inet_source(&fake[1].port, &next), &second));
	assert_true(inet_equal(route_source(&r, &far), &second));
	r.via = v4(10, 0, 1, 9);
	assert_true(inet_equal(route_source(&r, &far), &first));
	r.src = second;
	assert_true(inet_equal(route_source(&r, &far), &second));
}

static void cuts_what_is_too_long_for_the_next_link(void **state)
{
	struct ip_spec s = { .port = 1, .dst = { 10, 0, 2, 9 }, .proto = PROTO_UDP, .id = 0x1234 };
	uint8_t b[1480], all[1480];
	unsigned len, n = udp_datagram(b, 1000, 2000, 1301), end = 0;

	(void)state;
	inet_up(2);
	meet(1, 9);
	meet(2, 9);
	*net_knob("net.ipv4.ip_forward") = 1;
	port_set_mtu(&fake[2].port, 576);
	put_ip4(&s, b, n);
	assert_int_equal(sent(2), 3);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *f = last_sent(2, 2 - i, &len);
		unsigned field = get16(f + 20), part = get16(f + 16) - 20;

		assert_true(get16(f + 16) <= 576);
		assert_int_equal(get16(f + 18), 0x1234);
		assert_int_equal(sum16(f + 14, 20, 0), 0xffff);
		assert_int_equal((field & 0x1fff) * 8, end);
		assert_int_equal(!!(field & 0x2000), i < 2);
		memcpy(all + end, f + 34, part);
		end += part;
	}
	assert_int_equal(end, n);
	assert_memory_equal(all, b, n);
	s.frag = 0x4000;
	put_ip4(&s, b, n);
	is_error(1, 3, 4, b, 8);
	assert_int_equal(get16(last_sent(1, 0, &len) + 40), 576);
	assert_int_equal(dropped(DROP_IP_TOO_BIG), 1);
	conserved();
}

/*
 * a guest's or GRO's, whose buffers are more than a frame of a wire has: it stays one packet,
 * to be cut behind the route
 */
static void passes_on_long_packets_that_are_to_be_cut(void **state)
{
	static uint8_t payload[STREAM_BYTES];
	const struct stream s = { .seq = 1, .port = 1000, .host = 9 };
	struct pkt *p;

	(void)state;
	inet_up(2);
	meet(1, 9);
	meet(2, 2);
	*net_knob("net.ipv4.ip_forward") = 1;
	for (unsigned takes = 0; takes < 2; takes++) {
		fake[2].port.features = takes ? NETDEV_TSO4 | NETDEV_TX_CSUM : 0;
		p = stream_pkt(&s, payload, 0, 20 * 1000, 0, STREAM_ACK, 1000);
		p->flags |= PKT_GSO | PKT_CSUM_PARTIAL;
		p->gso_size = 1000;
		p->gso_type = PKT_GSO_TCPV4;
		p->csum_start = 34;
		p->csum_offset = 16;
		memcpy(p->data, fake[1].port.mac, 6);
		memcpy(p->data + 26, ((uint8_t[]){ 10, 0, 1, 9, 10, 0, 2, 2 }), 8);
		csum_ipv4(p->data + 14, 20);
		put(1, p);
		assert_int_equal(sent(2), takes ? 1 : 20);
		conserved();
	}
}

static void an_internal_port_is_a_station_behind_the_switch(void **state)
{
	struct inet_addr a = v4(10, 0, 1, 1);
	struct vswitch *sw;
	struct port *port;
	uint8_t b[64];

	(void)state;
	net_up(1, 2);
	inet_init();
	host_tsc = UINT64_C(1000000000) * 1000;
	sw = switch_create("sw0");
	assert_int_equal(internal_add(sw), 0);
	port = internal_port(sw);
	assert_string_equal(port->name, "sw0");
	switch_add_port(sw, &fake[1].port);
	switch_add_port(sw, &fake[2].port);
	put(1, frame_arp(9, 1)); /* it is down: nobody is there, and the flood goes by p2 alone */
	assert_int_equal(sent(1) + sent(2), 1);
	assert_int_equal(port_total(port).offered, 0);
	port_set_up(port, true);
	assert_int_equal(inet_add(port, &a, INET_V4_BITS + 24), 0);
	memcpy(port->mac, fake[1].port.mac, 6); /* the rig's packets are for that */
	put_arp(1, 9, 1, 1);
	assert_int_equal(sent(1), 1); /* the answer; the question was flooded */
	assert_int_equal(sent(2), 1);
	put_ip4(&(struct ip_spec){ .port = 1 }, b, echo_request(b, 1, 1, 20));
	assert_int_equal(sent(1), 1);
	assert_int_equal(sent(2), 0);
	put_ip4(&(struct ip_spec){ .port = 1, .bad_sum = true }, b, 28);
	assert_int_equal(dropped(DROP_IPV4_CSUM), 1);
	assert_int_equal(port_drops_behind(port, DROP_IPV4_CSUM), 1);
	conserved();
	internal_del(sw);
	assert_null(port_by_name("sw0"));
	assert_int_equal(ninet_addrs, 0);
	conserved();
	assert_int_equal(internal_add(sw), 0); /* and once more, under the id that is free */
	assert_int_equal(internal_port(sw)->id, 3);
	assert_int_equal(port_total(internal_port(sw)).in, 0);
	conserved();
	internal_del(sw);
}

/* up_with_weir() - one port, and a switch without it that Weir itself is in; its name: sw0 */
static struct vswitch *up_with_weir(void)
{
	struct vswitch *sw;

	net_up(1, 1);
	inet_init();
	sw = switch_create("sw0");
	assert_int_equal(internal_add(sw), 0);
	return sw;
}

static void an_internal_port_takes_with_it_what_stood_at_it(void **state)
{
	struct vswitch *sw = up_with_weir();
	struct port *port = internal_port(sw);

	(void)state;
	assert_int_equal(sink_on(port, true, 1), 0);
	tc_clsact_set(port, true);
	assert_int_equal(port->rx_extra, PORT_SINK);
	for (unsigned i = 0; i <= NETDEV_GROUPS; i++)
		assert_int_equal(maddr_add(port, (const uint8_t[]){ 1, 0, 0x5e, 0, 0, i }), 0);
	assert_true(port->groups_overflow);
	internal_del(sw);
	assert_int_equal(port->rx_extra, 0); /* another port may have its id when it comes back */
	assert_null(sink_of(port));
	assert_false(tc_clsact(port));
	assert_null(port->groups);
	assert_false(port->groups_overflow);
}

static void the_queue_in_front_of_it_is_limited(void **state)
{
	struct pkt *batch[20];
	struct vswitch *sw = up_with_weir();
	struct port *port = internal_port(sw);

	(void)state;
	switch_add_port(sw, &fake[1].port);
	port_set_up(port, true);
	for (unsigned i = 0; i < 51; i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(batch); k++)
			batch[k] = frame_arp(9, 1);
		put_batch(1, batch, ARRAY_SIZE(batch));
	}
	assert_int_equal(dropped(DROP_LOCAL_FULL), 20);
	assert_int_equal(port_total(port).out, 1000);
	conserved(); /* 1000 wait */
	rig_poll();
	conserved();
	internal_del(sw);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, down)
	const struct CMUnitTest tests[] = {
		TEST(answers_who_asks_for_its_address_and_learns_who_that_was),
		TEST(drops_an_arp_packet_that_makes_no_sense),
		TEST(answers_a_ping_of_every_length),
		TEST(drops_what_is_damaged_each_with_its_reason),
		TEST(drops_addresses_that_no_wire_may_carry),
		TEST(sends_a_datagram_to_the_echo_port_back),
		TEST(says_what_it_does_not_take),
		TEST(tells_one_host_so_much_and_no_more),
		TEST(the_longest_prefix_wins_and_then_the_smaller_metric),
		TEST(random_routes_are_found_as_by_trying_all),
		TEST(passes_packets_on_when_told_to),
		TEST(speaks_by_the_address_that_is_a_neighbours_of_who_is_next),
		TEST(cuts_what_is_too_long_for_the_next_link),
		TEST(passes_on_long_packets_that_are_to_be_cut),
		TEST(an_internal_port_is_a_station_behind_the_switch),
		TEST(an_internal_port_takes_with_it_what_stood_at_it),
		TEST(the_queue_in_front_of_it_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
