/* SPDX-License-Identifier: MIT */
/* links: net/csum.c kernel/pool.c tests/unit/host.c */
/*
 * test_csum.c - the Internet's checksum: known vectors, a slow and simple one
 * beside it, chains cut anywhere
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/csum.h"
#include "net/wire.h"

static int start(void **state)
{
	(void)state;
	host_cores(1);
	host_pools(64);
	srandom(1);
	return 0;
}

/* RFC 1071 word by word: big-endian, the carry added at once */
static uint16_t slow(uint32_t sum, const uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		sum += i % 2 ? b[i] : b[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static void randomise(uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		b[i] = random() % 4 ? random() : 0xff;
}

/* the bytes as a chain that is cut at random */
static struct pkt *chain_of(const uint8_t *b, unsigned n)
{
	struct pkt *first = NULL, **link = &first;

	for (unsigned at = 0; at < n;) {
		unsigned len = 1 + random() % 100;
		struct pkt *p = pkt_alloc();

		assert_non_null(p);
		p->data = pkt_buf(p) + random() % 2;
		p->len = MIN(n - at, len);
		memcpy(p->data, b + at, p->len);
		at += p->len;
		*link = p;
		link = &p->next;
	}
	first->frame = n;
	return first;
}

static void sums_what_the_rfc_sums(void **state)
{
	static const uint8_t b[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(be16(csum_fold(csum_add(0, b, sizeof(b)))), 0xddf2); /* [RFC 1071 3] */
}

static void writes_the_checksum_of_a_known_header(void **state)
{
	uint8_t ip[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			 0xff, 0xff, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

	(void)state;
	csum_ipv4(ip, sizeof(ip));
	assert_int_equal(be16(load16(ip + 10)), 0xb861);
	assert_int_equal(csum_fold(csum_add(0, ip, sizeof(ip))), 0xffff);
}

static void agrees_with_the_slow_one_at_every_length_and_place(void **state)
{
	uint8_t b[200 + 8];

	(void)state;
	for (unsigned at = 0; at < 8; at++)
		for (unsigned n = 0; n <= 200; n++) {
			randomise(b, sizeof(b));
			assert_int_equal(be16(csum_fold(csum_add(0, b + at, n))),
					 slow(0, b + at, n));
		}
}

static void no_carry_is_lost_where_all_bits_are_ones(void **state)
{
	uint8_t b[2048];

	(void)state;
	memset(b, 0xff, sizeof(b));
	for (unsigned n = 1; n <= sizeof(b); n++)
		assert_int_equal(be16(csum_fold(csum_add(0, b, n))), slow(0, b, n));
	assert_int_equal(csum_fold(csum_add(UINT64_MAX, b, sizeof(b))), 0xffff);
}

static void agrees_on_chains_of_odd_buffers_from_any_byte_on(void **state)
{
	uint8_t b[500];

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		unsigned n = 1 + random() % sizeof(b), off = random() % n;
		struct pkt *p;

		randomise(b, n);
		p = chain_of(b, n);
		assert_int_equal(be16(csum_pkt(p, off, be16(0x1234))),
				 slow(0x1234, b + off, n - off));
		pkt_free(p);
	}
	assert_true(host_pools_full());
}

/* a UDP datagram and its pseudo header, laid out by hand */
static void pseudo_headers_are_those_of_the_rfcs(void **state)
{
	uint8_t a4[12] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, PROTO_UDP, 0x12, 0x34 };
	uint8_t a6[40];

	(void)state;
	assert_int_equal(be16(csum_fold(csum_pseudo4(a4, PROTO_UDP, 0x1234))),
			 slow(0, a4, sizeof(a4)));
	randomise(a6, 32);
	memcpy(a6 + 32, (const uint8_t[]){ 0, 1, 0x23, 0x45, 0, 0, 0, PROTO_TCP }, 8);
	assert_int_equal(be16(csum_fold(csum_pseudo6(a6, PROTO_TCP, 0x12345))),
			 slow(0, a6, sizeof(a6)));
}

static void completes_what_was_left_to_a_device(void **state)
{
	uint8_t b[300];

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 60 + random() % 240, start = 20 + random() % 30;
		unsigned offset = random() % 2 ? 6 : 16;
		struct pkt *p;

		randomise(b, n);
		p = pkt_alloc();
		p->data = pkt_buf(p);
		p->len = 48 + 24;
		memcpy(p->data, b, p->len);
		if (n > p->len) {
			p->next = chain_of(b + p->len, n - p->len);
		} else {
			p->len = n;
		}
		p->frame_len = n;
		p->flags = PKT_CSUM_PARTIAL | PKT_HASH;
		p->csum_start = start;
		p->csum_offset = offset;
		csum_complete(p);
		assert_int_equal(p->flags, PKT_HASH);
		store16(b + start + offset, (uint16_t)~be16(slow(0, b + start, n - start)));
		assert_int_equal(load16(p->data + start + offset), load16(b + start + offset));
		pkt_free(p);
	}
}

static void a_sum_of_nothing_is_no_checksum_for_udp_but_is_for_tcp(void **state)
{
	struct pkt *p = pkt_alloc();

	(void)state;
	p->data = pkt_buf(p);
	for (unsigned offset = 6; offset <= 16; offset += 10) {
		pkt_begin(p, 60);
		memset(p->data, 0, 60);
		store16(p->data + 34, 0xffff);
		p->flags = PKT_CSUM_PARTIAL;
		p->csum_start = 34;
		p->csum_offset = offset;
		csum_complete(p);
		assert_int_equal(load16(p->data + 34 + offset), offset == 6 ? 0xffff : 0);
	}
	pkt_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sums_what_the_rfc_sums, start),
		cmocka_unit_test_setup(writes_the_checksum_of_a_known_header, start),
		cmocka_unit_test_setup(agrees_with_the_slow_one_at_every_length_and_place, start),
		cmocka_unit_test_setup(no_carry_is_lost_where_all_bits_are_ones, start),
		cmocka_unit_test_setup(agrees_on_chains_of_odd_buffers_from_any_byte_on, start),
		cmocka_unit_test_setup(pseudo_headers_are_those_of_the_rfcs, start),
		cmocka_unit_test_setup(completes_what_was_left_to_a_device, start),
		cmocka_unit_test_setup(a_sum_of_nothing_is_no_checksum_for_udp_but_is_for_tcp,
				       start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
