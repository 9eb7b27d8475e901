/* SPDX-License-Identifier: MIT */
/* links: path tests/unit/streams.c */
/*
 * test_validate.c - what a device cannot do is done before it gets a packet, and
 * what it can is left to it
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/netdev.h"
#include "net/gso.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"
#include "tests/unit/streams.h"

enum { MSS = 1448 };

static uint8_t payload[STREAM_BYTES];
static const struct stream tcp4 = { .id = 7, .seq = 1000, .port = 1000, .host = 1 };
static const struct stream tcp6 = { .v6 = true, .seq = 1000, .port = 1000, .host = 1 };
static const struct stream udp4 = { .udp = true, .id = 7, .port = 1000, .host = 1 };

static void up(unsigned cores, uint32_t features)
{
	net_up(cores, 2);
	net_switch();
	fake[2].port.features = features;
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = i * 31;
}

static int down(void **state)
{
	(void)state;
	net_down();
	return 0;
}

static struct pkt *partial(struct pkt *p)
{
	struct gso_headers h;

	assert_true(gso_headers(p->data, p->len, &h));
	p->flags |= PKT_CSUM_PARTIAL;
	p->csum_start = h.l4;
	p->csum_offset = h.csum_field;
	p->gso_type = h.type;
	return p;
}

/* @len bytes of a stream, to be cut every @size of them */
static struct pkt *long_pkt(const struct stream *s, unsigned len, unsigned size)
{
	struct pkt *p = partial(stream_pkt(s, payload, 0, len, 0, STREAM_ACK, size));

	p->flags |= PKT_GSO;
	p->gso_size = size;
	return p;
}

/* and one frame of IPv4 with the sum of its pseudo header in the place of the checksum */
static struct pkt *short_pkt(const struct stream *s)
{
	struct pkt *p = partial(stream_pkt(s, payload, 0, 100, 0, STREAM_ACK, MSS));
	uint8_t *field = p->data + p->csum_start + p->csum_offset;
	uint32_t sum = 0;

	for (unsigned i = 0; i < 8; i += 2)
		sum += load16(p->data + 26 + i);
	sum += be16(s->udp ? PROTO_UDP : PROTO_TCP) + be16(p->frame_len - 34);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	store16(field, sum);
	return p;
}

static void expect_sent(unsigned i, const struct stream *s, unsigned at, unsigned len,
			unsigned index)
{
	static uint8_t want[STREAM_HEADERS + STREAM_BYTES], got[STREAM_HEADERS + STREAM_BYTES];
	unsigned n = stream_frame(s, want, payload, at, len, index, STREAM_ACK);

	assert_int_equal(fake[2].sent[i]->flags & ~PKT_CHAIN, 0);
	assert_int_equal(pkt_bytes(fake[2].sent[i], got), n);
	assert_memory_equal(got, want, n);
}

static void a_wire_gets_segments_and_a_device_that_can_the_whole(void **state)
{
	(void)state;
	up(1, 0);
	put(1, long_pkt(&tcp4, 10 * MSS + 5, MSS));
	assert_int_equal(fake[2].nsent, 11);
	for (unsigned i = 0; i < 11; i++)
		expect_sent(i, &tcp4, i * MSS, i < 10 ? MSS : 5, i);
	assert_int_equal(port_total(&fake[2].port).segments, 10);
	assert_int_equal(port_total(&fake[2].port).offered, 1);
	assert_int_equal(port_total(&fake[2].port).out, 11);
	assert_int_equal(port_total(&fake[2].port).out_bytes, 11 * 54 + 10 * MSS + 5);
	conserved();
	fake[2].port.features = NETDEV_TSO4 | NETDEV_TX_CSUM;
	put(1, long_pkt(&tcp4, 10 * MSS, MSS));
	assert_int_equal(fake[2].nsent, 12);
	assert_true(fake[2].sent[11]->flags & PKT_GSO);
	assert_int_equal(port_total(&fake[2].port).segments, 10);
	conserved();
}

static void what_is_shorter_than_a_frame_of_a_wire_is_cut_as_it_is(void **state)
{
	(void)state;
	up(1, 0);
	put(1, long_pkt(&udp4, 3, 2));
	assert_int_equal(fake[2].nsent, 2); /* what a device pads is behind each of them */
	expect_sent(0, &udp4, 0, 2, 0);
	expect_sent(1, &udp4, 2, 1, 1);
	conserved();
}

/* what each kind needs of the device, and what is not enough */
static void each_type_needs_its_own_feature(void **state)
{
	static const struct {
		const struct stream *s;
		uint32_t feature;
	} kind[] = { { &tcp4, NETDEV_TSO4 }, { &tcp6, NETDEV_TSO6 }, { &udp4, NETDEV_UDP_L4 } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kind); i++) {
		up(1, NETDEV_TX_CSUM | kind[i].feature);
		put(1, long_pkt(kind[i].s, 2 * 1400, 1400));
		assert_int_equal(fake[2].nsent, 1);
		fake[2].port.features ^= NETDEV_TSO4 | NETDEV_TSO6 | NETDEV_UDP_L4;
		put(1, long_pkt(kind[i].s, 2 * 1400, 1400));
		assert_int_equal(fake[2].nsent, 3);
		down(NULL);
	}
	up(1, 0);
}

static void a_chip_counts_identifications_up_so_fixed_ones_are_cut_here(void **state)
{
	struct stream s = tcp4;
	struct pkt *p;

	(void)state;
	s.fixed_id = true;
	up(1, NETDEV_TSO4 | NETDEV_TX_CSUM);
	p = long_pkt(&s, 2 * MSS, MSS);
	p->flags |= PKT_GSO_FIXEDID;
	put(1, p);
	assert_int_equal(fake[2].nsent, 2);
	fake[2].port.features |= NETDEV_HW_CSUM; /* a guest's, which cuts nothing */
	p = long_pkt(&s, 2 * MSS, MSS);
	p->flags |= PKT_GSO_FIXEDID;
	put(1, p);
	assert_int_equal(fake[2].nsent, 3);
}

/* or a connection would end only when its sender has waited in vain */
static void a_fin_is_not_left_to_a_chip(void **state)
{
	struct pkt *p;

	(void)state;
	up(1, NETDEV_TSO4 | NETDEV_TX_CSUM);
	for (unsigned guests = 0; guests < 2; guests++) {
		fake[2].port.features |= guests ? NETDEV_HW_CSUM : 0;
		p = partial(
			stream_pkt(&tcp4, payload, 0, 2 * MSS, 0, STREAM_ACK | STREAM_FIN, MSS));
		p->flags |= PKT_GSO;
		p->gso_size = MSS;
		put(1, p);
		assert_int_equal(fake[2].nsent, guests ? 3 : 2);
	}
	assert_int_equal(fake[2].sent[0]->data[47], STREAM_ACK);
	assert_int_equal(fake[2].sent[1]->data[47], STREAM_ACK | STREAM_FIN);
}

static void a_checksum_is_finished_unless_the_device_does_it(void **state)
{
	(void)state;
	up(1, 0);
	put(1, short_pkt(&tcp4));
	put(1, short_pkt(&udp4));
	expect_sent(0, &tcp4, 0, 100, 0);
	expect_sent(1, &udp4, 0, 100, 0);
	fake[2].port.features = NETDEV_TX_CSUM;
	put(1, short_pkt(&tcp4));
	assert_true(fake[2].sent[2]->flags & PKT_CSUM_PARTIAL);
	conserved();
}

/* a sum that is not TCP's or UDP's: no chip knows it, a guest does */
static void a_chip_is_not_asked_for_sums_that_it_does_not_know(void **state)
{
	struct pkt *p;

	(void)state;
	up(1, NETDEV_TX_CSUM);
	p = short_pkt(&tcp4);
	p->csum_start += 2;
	put(1, p);
	assert_false(fake[2].sent[0]->flags & PKT_CSUM_PARTIAL);
	fake[2].port.features = NETDEV_HW_CSUM;
	p = short_pkt(&tcp4);
	p->csum_start += 2;
	put(1, p);
	assert_true(fake[2].sent[1]->flags & PKT_CSUM_PARTIAL);
}

/* 58 bytes and two of padding, as a SYN with one option has them */
static void a_chip_is_not_asked_about_padded_frames(void **state)
{
	struct stream s = tcp4;
	struct pkt *p;

	(void)state;
	up(1, NETDEV_TX_CSUM);
	s.tcp_options = 4;
	p = partial(stream_pkt(&s, payload, 0, 0, 0, STREAM_ACK, MSS));
	assert_int_equal(p->frame_len, 58);
	put(1, p);
	assert_int_equal(fake[2].sent[0]->frame_len, 60);
	assert_false(fake[2].sent[0]->flags & PKT_CSUM_PARTIAL);
	p = partial(stream_pkt(&s, payload, 0, 2, 0, STREAM_ACK, MSS));
	put(1, p);
	assert_true(fake[2].sent[1]->flags & PKT_CSUM_PARTIAL);
}

static void a_tag_that_stands_aside_goes_into_the_bytes(void **state)
{
	struct stream tagged = tcp4;
	struct pkt *p;

	(void)state;
	tagged.tags = 1;
	up(1, 0);
	p = long_pkt(&tcp4, 3 * 1400, 1400);
	p->flags |= PKT_VLAN;
	p->vlan_tci = 0x6005;
	put(1, p);
	assert_int_equal(fake[2].nsent, 3);
	for (unsigned i = 0; i < 3; i++)
		expect_sent(i, &tagged, i * 1400, 1400, i);
	fake[2].port.features = NETDEV_TX_VLAN;
	p = short_pkt(&tcp4);
	p->flags |= PKT_VLAN;
	put(1, p);
	assert_int_equal(fake[2].sent[3]->flags, PKT_VLAN);
	conserved();
}

static void the_mtu_is_about_segments(void **state)
{
	(void)state;
	up(1, 0);
	put(1, long_pkt(&tcp4, 3 * 1460, 1460));
	assert_int_equal(sent(2), 3);
	put(1, long_pkt(&tcp4, 3 * 1465,
			1465)); /* a tag's worth more than the MTU is what frames may have */
	assert_int_equal(sent(2), 0);
	assert_int_equal(dropped(DROP_TX_TOO_LONG), 1);
	put(1, stream_pkt(&tcp4, payload, 0, 4000, 0, STREAM_ACK, MSS));
	assert_int_equal(dropped(DROP_TX_TOO_LONG), 2);
	conserved();
}

static void keeps_the_order_of_a_batch_however_many_its_segments(void **state)
{
	struct pkt *batch[PORT_BATCH];
	unsigned at = 0, index = 0, frames = 0;

	(void)state;
	up(1, 0);
	for (unsigned i = 0; i < PORT_BATCH; i++) {
		unsigned len = i % 8 == 5 ? 30 * 700 : 300;
		struct stream s = tcp4;

		s.id += index;
		batch[i] = stream_pkt(&s, payload, at % 8192, len, 0, STREAM_ACK, 700);
		if (len > 700) {
			partial(batch[i])->flags |= PKT_GSO;
			batch[i]->gso_size = 700;
		}
		index += (len + 699) / 700;
		frames += (len + 699) / 700;
		at += len;
	}
	put_batch(1, batch, PORT_BATCH);
	assert_int_equal(fake[2].nsent, frames);
	for (unsigned i = 0; i < frames; i++)
		assert_int_equal(be16(load16(fake[2].sent[i]->data + 18)), 7 + i);
	conserved();
}

static void a_core_without_a_queue_hands_over_segments(void **state)
{
	(void)state;
	up(2, 0);
	fake[2].txq_of_cpu[0] = -1;
	put(1, long_pkt(&tcp4, 5 * MSS, MSS));
	assert_int_equal(fake[2].nsent, 0);
	conserved();
	net_settle();
	assert_int_equal(fake[2].nsent, 5);
	conserved();
}

static void what_no_buffer_is_left_for_is_dropped_once(void **state)
{
	struct pkt *hold[1024], *p;
	unsigned n = 0;

	(void)state;
	up(1, 0);
	p = partial(stream_pkt(&tcp4, payload, 0, 8000, 0, STREAM_ACK, 2000));
	p->flags |= PKT_GSO;
	p->gso_size = 500;
	while (cpus[0]->pool->nfree > 2)
		hold[n++] = pkt_alloc();
	put(1, p);
	assert_int_equal(dropped(DROP_NO_SEGMENT), 1);
	assert_int_equal(sent(2), 2);
	conserved();
	while (n)
		pkt_free_seg(hold[--n]);
}

static void a_flood_cuts_each_copy(void **state)
{
	struct pkt *p;

	(void)state;
	net_up(1, 3);
	net_switch();
	fake[3].port.features = NETDEV_TSO4;
	p = long_pkt(&tcp4, 4 * MSS, MSS);
	put(1, p);
	assert_int_equal(sent(2), 4);
	assert_int_equal(sent(3), 1);
	conserved();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_wire_gets_segments_and_a_device_that_can_the_whole,
					  down),
		cmocka_unit_test_teardown(what_is_shorter_than_a_frame_of_a_wire_is_cut_as_it_is,
					  down),
		cmocka_unit_test_teardown(each_type_needs_its_own_feature, down),
		cmocka_unit_test_teardown(
			a_chip_counts_identifications_up_so_fixed_ones_are_cut_here, down),
		cmocka_unit_test_teardown(a_fin_is_not_left_to_a_chip, down),
		cmocka_unit_test_teardown(a_checksum_is_finished_unless_the_device_does_it, down),
		cmocka_unit_test_teardown(a_chip_is_not_asked_for_sums_that_it_does_not_know, down),
		cmocka_unit_test_teardown(a_chip_is_not_asked_about_padded_frames, down),
		cmocka_unit_test_teardown(a_tag_that_stands_aside_goes_into_the_bytes, down),
		cmocka_unit_test_teardown(the_mtu_is_about_segments, down),
		cmocka_unit_test_teardown(keeps_the_order_of_a_batch_however_many_its_segments,
					  down),
		cmocka_unit_test_teardown(a_core_without_a_queue_hands_over_segments, down),
		cmocka_unit_test_teardown(what_no_buffer_is_left_for_is_dropped_once, down),
		cmocka_unit_test_teardown(a_flood_cuts_each_copy, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
