/* SPDX-License-Identifier: MIT */
/* links: net/gso.c net/csum.c kernel/pool.c tests/unit/streams.c tests/unit/host.c */
/*
 * test_gso.c - long packets cut into segments: byte for byte those that an
 * honest sender makes one by one
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/csum.h"
#include "net/gso.h"
#include "net/wire.h"
#include "tests/unit/streams.h"

enum { BUFFERS = 512 };

static uint8_t payload[STREAM_BYTES];

static int start(void **state)
{
	(void)state;
	host_cores(1);
	host_pools(BUFFERS);
	srandom(7);
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = random();
	return 0;
}

static const struct stream tcp4 = { .id = 0xfffe, .seq = 0xfffffff0, .port = 1000, .host = 1 };

/* the same as a packet to be cut into parts of @size, its buffers of @cut bytes */
static struct pkt *long_pkt(const struct stream *s, unsigned len, unsigned size, unsigned flags,
			    unsigned cut)
{
	struct pkt *p = stream_pkt(s, payload, 0, len, 0, flags, cut);
	struct gso_headers h;

	assert_true(gso_headers(p->data, p->len, &h));
	assert_int_equal(h.len, stream_headers(s));
	p->flags |= PKT_GSO | PKT_CSUM_PARTIAL | (s->fixed_id ? PKT_GSO_FIXEDID : 0);
	p->gso_size = size;
	p->gso_type = h.type;
	p->csum_start = h.l4;
	p->csum_offset = h.csum_field;
	return p;
}

/* what an honest sender would have said in segment @i of @n */
static unsigned flags_of(unsigned flags, unsigned i, unsigned n)
{
	if (i)
		flags &= ~STREAM_CWR;
	return i + 1 < n ? flags & ~(STREAM_FIN | STREAM_PSH) : flags;
}

static void check_segments(const struct stream *s, unsigned len, unsigned size, unsigned flags,
			   unsigned cut)
{
	static uint8_t want[STREAM_HEADERS + STREAM_BYTES], got[STREAM_HEADERS + STREAM_BYTES];
	struct pkt *p = long_pkt(s, len, size, flags, cut);
	unsigned n = (len + size - 1) / size, i = 0;
	struct gso_headers h;
	struct gso g;

	assert_true(gso_headers(p->data, p->len, &h));
	gso_begin(&g, p, &h);
	for (; (p = gso_next(&g)); i++) {
		unsigned part = MIN(size, len - i * size);
		unsigned want_len = stream_frame(s, want, payload, i * size, part, i,
						 s->udp ? 0 : flags_of(flags, i, n));

		assert_true(p->flags & PKT_CSUM_PARTIAL);
		assert_false(p->flags & PKT_GSO);
		csum_complete(p);
		assert_int_equal(pkt_bytes(p, got), want_len);
		assert_memory_equal(got, want, want_len);
		pkt_free(p);
	}
	assert_int_equal(i, n);
	assert_null(g.rest);
	assert_true(host_pools_full());
}

static void segments_are_what_a_sender_would_have_sent(void **state)
{
	(void)state;
	check_segments(&tcp4, 1448 * 10, 1448, STREAM_ACK, 1448);
	check_segments(&tcp4, 1448 * 10 + 1, 1448, STREAM_ACK, 1448);
	check_segments(&tcp4, 1449, 1448, STREAM_ACK, 1448);
	check_segments(&tcp4, 65000, 1448, STREAM_ACK, 1448);
}

static void what_is_said_once_is_said_by_the_first_or_the_last(void **state)
{
	(void)state;
	check_segments(&tcp4, 4000, 1448, STREAM_ACK | STREAM_PSH | STREAM_FIN | STREAM_CWR, 1448);
}

static void any_stream_cut_from_any_buffers(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 1500; round++) {
		struct stream s = stream_any();
		unsigned size = 1 + random() % (random() % 4 ? 1500 : 5000);
		unsigned len = 1 + random() % MIN(size * 60, 65000u);
		unsigned cut = 1024 + random() % (PKT_BUF_SIZE - 1023);

		check_segments(&s, len, size, STREAM_ACK | random() % 256, cut);
	}
}

static unsigned allocated(void)
{
	return BUFFERS - cpus[0]->pool->nfree;
}

static void payload_that_begins_a_buffer_stays_where_it_is(void **state)
{
	struct gso_headers h;
	struct pkt *p;
	struct gso g;

	(void)state;
	p = long_pkt(&tcp4, 1448 * 20, 1448, STREAM_ACK, 1448);
	assert_int_equal(allocated(), 20);
	assert_true(gso_headers(p->data, p->len, &h));
	gso_begin(&g, p, &h);
	for (unsigned left = 20; (p = gso_next(&g)); left--) {
		assert_int_equal(allocated(), left);
		pkt_free(p);
	}
	assert_int_equal(allocated(), 0);
}

static void without_buffers_the_rest_is_given_back(void **state)
{
	struct pkt *p = long_pkt(&tcp4, 1000 * 10, 1000, STREAM_ACK, 2000), *hold[BUFFERS];
	unsigned held = 0, segments = 0;
	struct gso_headers h;
	struct gso g;

	(void)state;
	while (cpus[0]->pool->nfree > 1)
		hold[held++] = pkt_alloc();
	assert_true(gso_headers(p->data, p->len, &h));
	gso_begin(&g, p, &h);
	while ((p = gso_next(&g))) {
		hold[held++] = p;
		segments++;
	}
	assert_int_equal(segments, 2); /* one copied into the last buffer, one where it was */
	assert_non_null(g.rest);
	assert_int_equal(g.rest->frame_len, 8000);
	pkt_free(g.rest);
	while (held)
		pkt_free(hold[--held]);
	assert_true(host_pools_full());
}

static void segments_inherit_what_is_known_of_the_whole(void **state)
{
	struct pkt *p = long_pkt(&tcp4, 3000, 1448, STREAM_ACK, 1024);
	struct gso_headers h;
	struct gso g;

	(void)state;
	p->flags |= PKT_HASH | PKT_VLAN;
	p->hash = 0xabcd;
	p->vlan_tci = 77;
	p->rx_queue = 3;
	assert_true(gso_headers(p->data, p->len, &h));
	gso_begin(&g, p, &h);
	while ((p = gso_next(&g))) {
		assert_int_equal(p->flags & ~PKT_CHAIN, PKT_HASH | PKT_VLAN | PKT_CSUM_PARTIAL);
		assert_int_equal(p->hash, 0xabcd);
		assert_int_equal(p->vlan_tci, 77);
		assert_int_equal(p->rx_queue, 3);
		pkt_free(p);
	}
}

/* headers that are none, or that no segment could have: each refused, none read beyond its end */
static void refuses_what_cannot_be_cut(void **state)
{
	uint8_t f[STREAM_HEADERS + 64];
	struct gso_headers h;
	unsigned n;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct stream s = stream_any();
		unsigned headers = stream_headers(&s), l3 = 14 + 4 * s.tags;

		n = stream_frame(&s, f, payload, 0, 10, 0, STREAM_ACK);
		for (unsigned cut = 0; cut < headers; cut++) {
			/* so that the sanitiser sees its end */
			uint8_t *exact = malloc(cut + !cut);

			memcpy(exact, f, cut);
			assert_false(gso_headers(exact, cut, &h));
			free(exact);
		}
		assert_true(gso_headers(f, headers, &h));
		assert_int_equal(h.l3, l3);
		f[l3] = s.v6 ? 0x40 : 0x60;
		assert_false(gso_headers(f, n, &h));
	}
	n = stream_frame(&tcp4, f, payload, 0, 10, 0, STREAM_ACK);
	f[20] = 0x20; /* more fragments */
	assert_false(gso_headers(f, n, &h));
	f[20] = 0;
	f[46] = 0x40; /* four words of TCP header */
	assert_false(gso_headers(f, n, &h));
	f[46] = 0x50;
	f[23] = PROTO_ICMP;
	assert_false(gso_headers(f, n, &h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(segments_are_what_a_sender_would_have_sent, start),
		cmocka_unit_test_setup(what_is_said_once_is_said_by_the_first_or_the_last, start),
		cmocka_unit_test_setup(any_stream_cut_from_any_buffers, start),
		cmocka_unit_test_setup(payload_that_begins_a_buffer_stays_where_it_is, start),
		cmocka_unit_test_setup(without_buffers_the_rest_is_given_back, start),
		cmocka_unit_test_setup(segments_inherit_what_is_known_of_the_whole, start),
		cmocka_unit_test_setup(refuses_what_cannot_be_cut, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
