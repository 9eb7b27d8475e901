/* SPDX-License-Identifier: MIT */
/* streams.c - frames as an honest sender makes them; streams.h says what for */
#include "streams.h"

#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static unsigned slow_sum(unsigned sum, const uint8_t *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		sum += i % 2 ? b[i] : b[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static unsigned l3_of(const struct stream *s)
{
	return 14 + 4 * s->tags;
}

static unsigned l4_of(const struct stream *s)
{
	return l3_of(s) + (s->v6 ? 40 : 20) + s->ip_options;
}

unsigned stream_headers(const struct stream *s)
{
	return l4_of(s) + (s->udp ? 8 : 20 + s->tcp_options);
}

static void put_ethernet(const struct stream *s, uint8_t *f)
{
	memcpy(f, (const uint8_t[]){ 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, s->host }, 12);
	for (unsigned i = 0; i < s->tags; i++) {
		put16(f + 12 + 4 * i, i + 1 < s->tags ? 0x88a8 : 0x8100);
		put16(f + 14 + 4 * i, 0x6005 + i);
	}
	put16(f + l3_of(s) - 2, s->v6 ? 0x86dd : 0x0800);
}

static void put_ip4(const struct stream *s, uint8_t *ip, unsigned proto, unsigned l4_len,
		    unsigned index)
{
	unsigned hlen = 20 + s->ip_options;

	memset(ip, 0, hlen);
	ip[0] = 0x40 | hlen / 4;
	ip[1] = 0x28; /* AF11 */
	put16(ip + 2, hlen + l4_len);
	put16(ip + 4, s->id + (s->fixed_id ? 0 : index));
	put16(ip + 6, 0x4000);
	ip[8] = 63;
	ip[9] = proto;
	memcpy(ip + 12, (const uint8_t[]){ 10, 0, 0, s->host, 10, 0, 0, 2 }, 8);
	memset(ip + 20, 1, s->ip_options); /* no operation */
	put16(ip + 10, ~slow_sum(0, ip, hlen));
}

static void put_ip6(const struct stream *s, uint8_t *ip, unsigned proto, unsigned l4_len)
{
	memset(ip, 0, 40 + s->ip_options);
	put32(ip, 0x6a012345);
	put16(ip + 4, s->ip_options + l4_len);
	ip[6] = s->ip_options ? 0 : proto;
	ip[7] = 63;
	ip[8] = ip[24] = 0xfd;
	ip[23] = s->host;
	ip[39] = 2;
	if (s->ip_options) {
		ip[40] = proto;
		ip[41] = s->ip_options / 8 - 1;
		ip[42] = 1; /* PadN */
		ip[43] = s->ip_options - 4;
	}
}

static void put_tcp(const struct stream *s, uint8_t *tcp, uint32_t seq, unsigned flags)
{
	put16(tcp, s->port);
	put16(tcp + 2, 80);
	put32(tcp + 4, seq);
	put32(tcp + 8, 0x12345678);
	tcp[12] = (20 + s->tcp_options) / 4 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 501);
	put32(tcp + 16, 0);
	memset(tcp + 20, 1, s->tcp_options);
	if (s->tcp_options >= 12)
		memcpy(tcp + 22, (const uint8_t[]){ 8, 10, 0, 1, 2, 3, 4, 5, 6, 7 }, 10);
}

static void put_csum(const struct stream *s, uint8_t *f, unsigned proto, unsigned l4_len,
		     unsigned field)
{
	uint8_t *ip = f + l3_of(s), *l4 = f + l4_of(s);
	unsigned sum = s->v6 ? slow_sum(0, ip + 8, 32) : slow_sum(0, ip + 12, 8);
	uint8_t end[4] = { 0, proto, l4_len >> 8, l4_len };

	sum = ~slow_sum(slow_sum(sum, end, 4), l4, l4_len) & 0xffff;
	put16(l4 + field, s->udp && !sum ? 0xffff : sum);
}

unsigned stream_frame(const struct stream *s, uint8_t *to, const uint8_t *payload, unsigned at,
		      unsigned len, unsigned index, unsigned flags)
{
	unsigned headers = stream_headers(s), l4_len = headers - l4_of(s) + len;
	unsigned proto = s->udp ? 17 : 6;
	uint8_t *l4 = to + l4_of(s);

	put_ethernet(s, to);
	if (s->v6)
		put_ip6(s, to + l3_of(s), proto, l4_len);
	else
		put_ip4(s, to + l3_of(s), proto, l4_len, index);
	if (s->udp) {
		put16(l4, s->port);
		put16(l4 + 2, 53);
		put16(l4 + 4, l4_len);
		put16(l4 + 6, 0);
	} else {
		put_tcp(s, l4, s->seq + at, flags);
	}
	memcpy(to + headers, payload + at, len);
	put_csum(s, to, proto, l4_len, s->udp ? 6 : 16);
	return headers + len;
}

static struct pkt *buffer_of(const uint8_t *bytes, unsigned len, unsigned headers)
{
	struct pkt *p = pkt_alloc();

	assert_non_null(p);
	assert_true(len <= headers + PKT_BUF_SIZE);
	p->data = pkt_buf(p) - headers;
	p->len = len;
	memcpy(p->data, bytes, len);
	return p;
}

struct pkt *stream_pkt(const struct stream *s, const uint8_t *payload, unsigned at, unsigned len,
		       unsigned index, unsigned flags, unsigned cut)
{
	static uint8_t frame[STREAM_HEADERS + STREAM_BYTES];
	unsigned n = stream_frame(s, frame, payload, at, len, index, flags);
	unsigned headers = stream_headers(s), nsegs = 1;
	unsigned done = MIN(n, headers + cut);
	struct pkt *p = buffer_of(frame, done, headers), *last = p;

	for (; done < n; nsegs++) {
		unsigned part = MIN(n - done, cut);

		last = last->next = buffer_of(frame + done, part, 0);
		done += part;
	}
	p->frame = n;
	p->nsegs = nsegs;
	p->flags = nsegs > 1 ? PKT_CHAIN : 0;
	return p;
}

struct stream stream_any(void)
{
	struct stream s = {
		.udp = random() % 3 == 0,
		.v6 = random() % 2,
		.fixed_id = random() % 2,
		.tags = random() % 3,
		.ip_options = random() % 3 ? 0 : 8,
		.tcp_options = random() % 2 ? 12 : 0,
		.id = random(),
		.seq = (uint32_t)random() * 2,
		.port = 1024 + random() % 1000,
		.host = 1 + random() % 9,
	};

	return s;
}

unsigned pkt_bytes(const struct pkt *p, uint8_t *to)
{
	unsigned n = 0, nsegs = 0;

	for (const struct pkt *seg = p; seg; seg = seg->next, nsegs++) {
		memcpy(to + n, seg->data, seg->len);
		n += seg->len;
		assert_true(seg->len > 0);
	}
	assert_int_equal(n, p->frame_len);
	assert_int_equal(nsegs, p->nsegs);
	assert_int_equal(!!(p->flags & PKT_CHAIN), nsegs > 1);
	return n;
}
