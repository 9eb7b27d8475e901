/* SPDX-License-Identifier: MIT */
/* links: path tests/unit/streams.c */
/*
 * test_gro.c - which frames become one and which do not, rule by rule; and that what was merged
 * is, cut again, what came
 *
 * Frames come in by port p1, which has GRO; p2 takes long packets whole, so that a test sees them,
 * or takes none, so that it sees them cut.
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/park.h"
#include "drivers/netdev.h"
#include "net/csum.h"
#include "net/gro.h"
#include "net/gso.h"
#include "net/wire.h"
#include "tests/unit/fake_net.h"
#include "tests/unit/streams.h"

enum {
	MSS = 1000,
	TAKES_ALL = NETDEV_HW_CSUM | NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6 | NETDEV_UDP_L4
};

static uint8_t payload[STREAM_BYTES];
static const struct stream tcp4 = { .id = 7, .seq = 5000, .port = 1000, .host = 1 };

static struct port *const in = &fake[1].port;

static int up(void **state)
{
	(void)state;
	net_up(1, 2);
	host_pools(3000);
	net_switch();
	srandom(11);
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = random();
	fake[2].port.features = TAKES_ALL;
	in->gro = gro_create();
	gro_set(in, true, true);
	return 0;
}

static int down(void **state)
{
	(void)state;
	conserved();
	gro_settle(in);
	net_down();
	return 0;
}

/* frame number @i of @s, with @len bytes of payload */
static struct pkt *nth(const struct stream *s, unsigned i, unsigned len, unsigned flags)
{
	return stream_pkt(s, payload, i * MSS, len, i, flags, PKT_BUF_SIZE);
}

/*
 * said() - what gro_peek() said is what happened: @before frames were held, @held of this flow.
 * Others may have made room.
 */
static void said(enum gro_fate what, unsigned before, unsigned held)
{
	if (what == GRO_MERGED)
		assert_int_equal(gro_held(in), before + 1);
	else if (what == GRO_HELD)
		assert_in_range(gro_held(in), 1, before - held + 1);
	else
		assert_int_equal(gro_held(in), before - held);
}

/* the same as a batch of one, its poll not over */
static void came(struct pkt *p)
{
	unsigned before = gro_held(in), held, again;
	enum gro_fate what = gro_peek(in, 0, p, &held);

	assert_int_equal(gro_peek(in, 0, p, &again), what); /* it only looks */
	assert_int_equal(again, held);
	assert_int_equal(gro_held(in), before);
	put(1, p);
	if (in->rx_extra & PORT_GRO)
		said(what, before, held);
	conserved();
}

static void poll_ends(bool all)
{
	gro_poll_end(in, 0, all);
	conserved();
}

/* the checksums of a frame that a test has changed, so that they are not what is wrong with it */
static void mend(const struct stream *s, struct pkt *p)
{
	unsigned l3 = 14 + 4 * s->tags, l4 = l3 + (s->v6 ? 40 : 20), len = p->frame_len - l4;
	uint8_t *ip = p->data + l3, *field = p->data + l4 + (s->udp ? 6 : 16);
	uint8_t proto = s->udp ? PROTO_UDP : PROTO_TCP;
	uint64_t sum = s->v6 ? csum_pseudo6(ip + 8, proto, len) : csum_pseudo4(ip + 12, proto, len);

	if (!s->v6)
		csum_ipv4(ip, 20);
	store16(field, 0);
	store16(field, ~csum_fold(csum_add(sum, p->data + l4, len)));
}

/* --- what merges --- */

static void frames_that_continue_a_stream_become_one(void **state)
{
	struct gso_headers h;
	const struct pkt *p;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		came(nth(&tcp4, i, MSS, STREAM_ACK));
	assert_int_equal(sent(2), 0);
	assert_int_equal(gro_held(in), 10);
	poll_ends(true);
	assert_int_equal(gro_held(in), 0);
	assert_int_equal(fake[2].nsent, 1);
	p = fake[2].sent[0];
	assert_int_equal(p->frame_len, 54 + 10 * MSS);
	assert_int_equal(p->flags, PKT_CHAIN | PKT_GSO | PKT_CSUM_PARTIAL);
	assert_int_equal(p->gso_size, MSS);
	assert_int_equal(p->gso_type, PKT_GSO_TCPV4);
	assert_int_equal(p->csum_start, 34);
	assert_int_equal(p->csum_offset, 16);
	assert_true(gso_headers(p->data, p->len, &h));
	assert_int_equal(be16(load16(p->data + 16)), 40 + 10 * MSS);
	assert_int_equal(csum_fold(csum_add(0, p->data + 14, 20)), 0xffff);
	assert_int_equal(port_total(in).consumed, 9);
	assert_int_equal(port_total(in).in, 10);
}

static void one_frame_alone_stays_as_it_came(void **state)
{
	static uint8_t want[2048], got[2048];
	unsigned n = stream_frame(&tcp4, want, payload, 0, MSS, 0, STREAM_ACK);

	(void)state;
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	poll_ends(true);
	assert_int_equal(fake[2].sent[0]->flags, 0);
	assert_int_equal(pkt_bytes(fake[2].sent[0], got), n);
	assert_memory_equal(got, want, n);
}

/* --- what ends a flow, and does not wait for the end of the poll --- */

static void push_and_fin_come_with_the_last_one(void **state)
{
	static const unsigned flags[] = { STREAM_ACK | STREAM_PSH, STREAM_ACK | STREAM_FIN };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		came(nth(&tcp4, 0, MSS, STREAM_ACK));
		came(nth(&tcp4, 1, MSS, flags[i]));
		assert_int_equal(fake[2].nsent, i + 1);
		assert_int_equal(fake[2].sent[i]->data[47], flags[i]);
		assert_int_equal(fake[2].sent[i]->frame_len, 54 + 2 * MSS);
	}
}

static void a_shorter_one_is_the_last(void **state)
{
	(void)state;
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	came(nth(&tcp4, 1, MSS - 1, STREAM_ACK));
	assert_int_equal(fake[2].nsent, 1);
	assert_int_equal(fake[2].sent[0]->frame_len, 54 + 2 * MSS - 1);
}

static void a_long_packet_is_at_most_64_kib_and_48_buffers(void **state)
{
	struct stream s = tcp4;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		came(stream_pkt(&s, payload, i * 200, 200, i, STREAM_ACK, 2048));
	assert_int_equal(fake[2].nsent, 2);
	assert_int_equal(fake[2].sent[0]->nsegs, PKT_GSO_SEGS);
	poll_ends(true);
	sent(2);
	for (unsigned i = 0; i < 45; i++)
		came(stream_pkt(&s, payload, i * 1460 % 60000, 1460, i, STREAM_ACK, 2048));
	/* the sequence breaks where the payload wraps, and not before */
	assert_int_equal(sent(2), 1);
	assert_true(fake[2].sent[3]->frame_len <= 14 + 65535);
}

/* --- what does not merge: it ends the flow, in front of it, and may begin one of its own --- */

static void breaks_it(const struct stream *s, struct pkt *odd, unsigned held)
{
	unsigned before = fake[2].nsent;

	came(nth(s, 0, MSS, STREAM_ACK));
	assert_int_equal(fake[2].nsent, before);
	came(odd);
	/* the one before it went; it went behind that, or is held in its place */
	assert_int_equal(fake[2].nsent, before + 2 - held);
	assert_int_equal(fake[2].sent[before]->flags & PKT_GSO, 0);
	assert_int_equal(gro_held(in), held);
	poll_ends(true);
	assert_int_equal(fake[2].nsent, before + 2);
	assert_int_equal(fake[2].sent[before + 1]->flags & PKT_GSO, 0);
}

static struct pkt *changed(const struct stream *s, unsigned at, uint8_t by)
{
	struct pkt *p = nth(s, 1, MSS, STREAM_ACK);

	p->data[at] ^= by;
	mend(s, p);
	return p;
}

static void every_header_but_the_sequence_must_be_alike(void **state)
{
	static const struct {
		unsigned v4, v6; /* offset; 0: there is no such */
		uint8_t by;
	} odd[] = {
		{ 15, 15, 4 },   /* type of service, traffic class */
		{ 18, 16, 1 },   /* identification, flow label */
		{ 20, 0, 0x40 }, /* don't fragment */
		{ 22, 21, 1 },   /* time to live, hop limit */
		{ 38, 58, 1 },   /* sequence number */
		{ 42, 62, 1 },   /* acknowledgement */
		{ 48, 68, 1 },   /* window */
		{ 53, 73, 1 },   /* urgent pointer */
		{ 60, 80, 1 },   /* time stamp, an option */
	};
	struct stream s4 = tcp4, s6 = tcp4;

	(void)state;
	s4.tcp_options = s6.tcp_options = 12;
	s6.v6 = true;
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++) {
		breaks_it(&s4, changed(&s4, odd[i].v4, odd[i].by), 1);
		if (odd[i].v6)
			breaks_it(&s6, changed(&s6, odd[i].v6, odd[i].by), 1);
	}
}

static void flags_that_say_something_else_go_at_once(void **state)
{
	static const unsigned flags[] = { 2, 4, 32, 128 }; /* SYN, RST, URG, CWR */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		breaks_it(&tcp4, nth(&tcp4, 1, MSS, STREAM_ACK | flags[i]), 0);
	breaks_it(&tcp4, nth(&tcp4, 1, MSS, STREAM_ACK | 64),
		  1); /* ECE: the same flags from here on */
}

static void what_is_longer_begins_anew_and_what_is_empty_goes_at_once(void **state)
{
	(void)state;
	breaks_it(&tcp4, nth(&tcp4, 1, MSS + 1, STREAM_ACK), 1);
	breaks_it(&tcp4, nth(&tcp4, 1, 0, STREAM_ACK), 0);
}

static void wrong_checksums_go_at_once_and_stay_wrong(void **state)
{
	struct pkt *p = nth(&tcp4, 1, MSS, STREAM_ACK);

	(void)state;
	p->data[60]++;
	breaks_it(&tcp4, p, 0);
	p = nth(&tcp4, 1, MSS, STREAM_ACK);
	p->data[24]++; /* IPv4's own */
	breaks_it(&tcp4, p, 0);
	p = nth(&tcp4, 1, MSS, STREAM_ACK);
	p->data[60]++;
	p->flags = PKT_CSUM_OK; /* the NIC has said otherwise, and is believed */
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	came(p);
	assert_int_equal(gro_held(in), 2);
}

static void padding_and_options_of_ip_keep_a_frame_out(void **state)
{
	struct stream s = tcp4;
	struct pkt *p = nth(&tcp4, 1, MSS, STREAM_ACK);

	(void)state;
	p->len++;
	p->frame_len++;
	breaks_it(&tcp4, p, 0);
	s.ip_options = 8;
	came(nth(&s, 0, MSS, STREAM_ACK));
	came(nth(&s, 1, MSS, STREAM_ACK));
	assert_int_equal(gro_held(in), 0);
	s = tcp4;
	s.tags = 2;
	came(nth(&s, 0, MSS, STREAM_ACK));
	assert_int_equal(gro_held(in), 0);
}

static void identifications_count_up_or_stand_still_but_not_both(void **state)
{
	struct stream s = tcp4;

	(void)state;
	s.fixed_id = true;
	for (unsigned i = 0; i < 3; i++)
		came(nth(&s, i, MSS, STREAM_ACK));
	s.id++;
	came(nth(&s, 3, MSS, STREAM_ACK));
	assert_int_equal(fake[2].nsent, 1);
	assert_int_equal(fake[2].sent[0]->flags & (PKT_GSO | PKT_GSO_FIXEDID),
			 PKT_GSO | PKT_GSO_FIXEDID);
	assert_int_equal(fake[2].sent[0]->frame_len, 54 + 3 * MSS);
}

static void flows_are_told_apart_by_all_that_names_them(void **state)
{
	struct stream s[6] = { tcp4, tcp4, tcp4, tcp4, tcp4, tcp4 };

	(void)state;
	s[1].port++;
	s[2].host = 3;
	s[3].v6 = true;
	s[4].tags = 1;
	s[5].udp = true;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 6; k++)
			came(nth(&s[k], i, MSS, STREAM_ACK));
	assert_int_equal(gro_held(in), 24);
	poll_ends(true);
	assert_int_equal(fake[2].nsent, 6);
	for (unsigned k = 0; k < 6; k++)
		assert_true(fake[2].sent[k]->flags & PKT_GSO);
}

static void tags_that_stand_aside_tell_flows_apart_as_well(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct pkt *p = nth(&tcp4, i / 2, MSS, STREAM_ACK);

		p->flags = PKT_VLAN;
		p->vlan_tci = i % 2;
		came(p);
	}
	assert_int_equal(gro_held(in), 6);
	fake[2].port.features |= NETDEV_TX_VLAN;
	poll_ends(true);
	assert_int_equal(fake[2].nsent, 2);
	assert_true(fake[2].sent[0]->flags & PKT_VLAN);
}

/* --- UDP --- */

static void datagrams_of_one_size_become_one_and_the_last_may_be_shorter(void **state)
{
	struct stream s = tcp4;

	(void)state;
	s.udp = true;
	for (unsigned i = 0; i < 5; i++)
		came(nth(&s, i, MSS, 0));
	came(nth(&s, 5, 10, 0));
	assert_int_equal(fake[2].nsent, 1);
	assert_int_equal(fake[2].sent[0]->gso_type, PKT_GSO_UDP_L4);
	assert_int_equal(be16(load16(fake[2].sent[0]->data + 38)), 8 + 5 * MSS + 10);
	breaks_it(&s, nth(&s, 1, MSS + 1, 0), 1);
}

static void datagrams_without_a_checksum_or_with_a_wrong_length_go_at_once(void **state)
{
	struct stream s = tcp4;
	struct pkt *p;

	(void)state;
	s.udp = true;
	p = nth(&s, 1, MSS, 0);
	store16(p->data + 40, 0);
	breaks_it(&s, p, 0);
	p = nth(&s, 1, MSS, 0);
	p->data[39]--;
	mend(&s, p);
	breaks_it(&s, p, 0);
}

static void udp_is_left_alone_unless_asked_for(void **state)
{
	struct stream s = tcp4;

	(void)state;
	s.udp = true;
	gro_set(in, true, false);
	came(nth(&s, 0, MSS, 0));
	assert_int_equal(sent(2), 1);
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	assert_int_equal(gro_held(in), 1);
	gro_set(in, false, false);
	assert_int_equal(sent(2), 1);
	came(nth(&tcp4, 1, MSS, STREAM_ACK));
	assert_int_equal(sent(2), 1);
}

/* --- how long, and how many --- */

static void what_is_not_ended_is_held_for_two_polls(void **state)
{
	(void)state;
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	poll_ends(false);
	came(nth(&tcp4, 1, MSS, STREAM_ACK));
	assert_int_equal(gro_held(in), 2);
	poll_ends(false);
	assert_int_equal(gro_held(in), 0);
	assert_int_equal(fake[2].sent[0]->frame_len, 54 + 2 * MSS);
}

static void a_bucket_holds_eight_flows_and_the_oldest_makes_room(void **state)
{
	struct stream s = tcp4;

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		struct pkt *p;

		s.port = 1000 + i;
		p = nth(&s, 0, MSS, STREAM_ACK);
		p->flags = PKT_HASH;
		p->hash = 8 * i;
		came(p);
	}
	assert_int_equal(gro_held(in), 8);
	assert_int_equal(fake[2].nsent, 1);
	assert_int_equal(be16(load16(fake[2].sent[0]->data + 34)), 1000);
}

static void what_is_neither_tcp_nor_udp_does_not_wait(void **state)
{
	(void)state;
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	came(frame_arp(1, 2));
	assert_int_equal(sent(2), 1);
	assert_int_equal(gro_held(in), 1);
}

static void an_audit_finds_what_is_held(void **state)
{
	(void)state;
	came(nth(&tcp4, 0, MSS, STREAM_ACK));
	came(nth(&tcp4, 1, MSS, STREAM_ACK));
	assert_int_equal(port_total(in).gro_held, 2);
	port_here(in)->gro_held--;
	port_here(in)->forwarded++;
	{
		char why[80];

		assert_false(port_conserved(why, sizeof(why)));
	}
	port_here(in)->gro_held++;
	port_here(in)->forwarded--;
}

/* --- there and back --- */

enum { FLOWS = 5, FRAMES = 60 };

/* a sender: frames one behind the other, now and then an odd one */
struct sender {
	struct stream s;
	unsigned at, index, mss;
	unsigned nsent, nseen; /* frames, as bytes in frames[] */
	uint8_t *frames[FRAMES];
	unsigned len[FRAMES];
};

static struct pkt *next_frame(struct sender *f)
{
	unsigned len = random() % 12 ? f->mss : random() % (f->mss + 200);
	unsigned flags = random() % 15 ? STREAM_ACK : STREAM_ACK | random() % 256;
	struct pkt *p;

	if (random() % 20 == 0)
		f->at += 100; /* lost on the way */
	if (random() % 25 == 0)
		f->index += 5;
	if (f->at + len > STREAM_BYTES)
		f->at = 0;
	p = stream_pkt(&f->s, payload, f->at, len, f->index, f->s.udp ? 0 : flags, PKT_BUF_SIZE);
	f->at += len;
	f->index++;
	return p;
}

/*
 * which of the flows sent it, behind what has been seen of that one; what lies between was dropped.
 * The last flow is that of damaged frames, which may be of any flow now: these have no order.
 */
static void seen(struct sender *flows, const struct pkt *p)
{
	static uint8_t got[STREAM_HEADERS + STREAM_BYTES];
	unsigned n = pkt_bytes(p, got);

	for (unsigned i = 0; i <= FLOWS; i++) {
		struct sender *f = &flows[i];

		for (unsigned k = f->nseen; k < f->nsent; k++)
			if (f->len[k] == n && !memcmp(f->frames[k], got, n)) {
				f->nseen = i < FLOWS ? k + 1 : 0;
				return;
			}
	}
	fail_msg("a frame of %u bytes that nobody has sent, or that one of its flow overtook", n);
}

static void merged_and_cut_again_every_frame_is_what_it_was(void **state)
{
	unsigned came = 0, left = 0;

	(void)state;
	fake[2].port.features = 0;
	port_set_mtu(&fake[2].port, 2000);
	for (unsigned round = 0; round < 300; round++) {
		struct sender flows[FLOWS + 1] = { 0 };
		unsigned n;

		for (unsigned i = 0; i < FLOWS; i++) {
			flows[i].s = stream_any();
			flows[i].s.ip_options = random() % 8 ? 0 : flows[i].s.ip_options;
			flows[i].s.port = 2000 + i;
			flows[i].s.host = 3 + i; /* not 2, which all of it is for */
			flows[i].mss = 50 + random() % 1400;
		}
		for (n = 0; n < FLOWS * FRAMES / 2; n++) {
			struct sender *f = &flows[random() % FLOWS];
			struct pkt *p;

			if (f->nsent == FRAMES)
				continue;
			p = next_frame(f);
			if (p->frame_len < 60) { /* padding is the switch's, and another test's */
				pkt_free(p);
				continue;
			}
			if (random() % 30 == 0 && flows[FLOWS].nsent < FRAMES) {
				p->data[random() % p->len] ^= 1 << random() % 8;
				f = &flows[FLOWS];
			}
			f->frames[f->nsent] = malloc(p->frame_len);
			f->len[f->nsent] = pkt_bytes(p, f->frames[f->nsent]);
			f->nsent++;
			put(1, p);
			came++;
			if (random() % 10 == 0)
				poll_ends(random() % 2);
		}
		poll_ends(true);
		n = fake[2].nsent;
		left += n;
		fake[2].room += n;
		fake[2].nsent = 0;
		for (unsigned k = 0; k < n; k++) {
			seen(flows, fake[2].sent[k]);
			pkt_free(fake[2].sent[k]);
		}
		for (unsigned i = 0; i <= FLOWS; i++)
			for (unsigned k = 0; k < flows[i].nsent; k++)
				free(flows[i].frames[k]);
	}
	sent(2);
	assert_int_equal(came, left + port_drops(port_total(in).dropped_in) +
				       port_drops(port_total(&fake[2].port).dropped_out));
	assert_true(port_total(in).consumed > came / 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		TEST(frames_that_continue_a_stream_become_one),
		TEST(one_frame_alone_stays_as_it_came),
		TEST(push_and_fin_come_with_the_last_one),
		TEST(a_shorter_one_is_the_last),
		TEST(a_long_packet_is_at_most_64_kib_and_48_buffers),
		TEST(every_header_but_the_sequence_must_be_alike),
		TEST(flags_that_say_something_else_go_at_once),
		TEST(what_is_longer_begins_anew_and_what_is_empty_goes_at_once),
		TEST(wrong_checksums_go_at_once_and_stay_wrong),
		TEST(padding_and_options_of_ip_keep_a_frame_out),
		TEST(identifications_count_up_or_stand_still_but_not_both),
		TEST(flows_are_told_apart_by_all_that_names_them),
		TEST(tags_that_stand_aside_tell_flows_apart_as_well),
		TEST(datagrams_of_one_size_become_one_and_the_last_may_be_shorter),
		TEST(datagrams_without_a_checksum_or_with_a_wrong_length_go_at_once),
		TEST(udp_is_left_alone_unless_asked_for),
		TEST(what_is_not_ended_is_held_for_two_polls),
		TEST(a_bucket_holds_eight_flows_and_the_oldest_makes_room),
		TEST(what_is_neither_tcp_nor_udp_does_not_wait),
		TEST(an_audit_finds_what_is_held),
		TEST(merged_and_cut_again_every_frame_is_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
