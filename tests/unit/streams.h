/* SPDX-License-Identifier: MIT */
/*
 * streams.h - frames of a TCP stream or a flow of UDP datagrams, as an honest sender makes them
 *
 * The other way of making segments: each is built by itself, from its payload and its place in
 * the stream, its checksums summed slowly. What GSO cuts must be these bytes, and what GRO merges
 * and GSO cuts again as well.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"

enum { STREAM_HEADERS = 192, STREAM_BYTES = 65536 };

struct stream {
	bool udp, v6, fixed_id;
	unsigned tags;       /* 802.1Q tags in the bytes */
	unsigned ip_options; /* bytes, a multiple of 4; of IPv6: of a hop-by-hop header, a multiple
				of 8 */
	unsigned tcp_options;
	uint16_t id;  /* of the first frame; one more for each that follows, unless fixed_id */
	uint32_t seq; /* of the first byte */
	uint16_t port;
	uint8_t host; /* who sends */
};

enum { STREAM_FIN = 1, STREAM_PSH = 8, STREAM_ACK = 16, STREAM_CWR = 128 };

/* stream_headers() - bytes in front of the payload. */
unsigned stream_headers(const struct stream *s);

/*
 * stream_frame() - the frame that carries @len bytes of @payload from byte @at on, number @index of
 * the stream, with TCP flags @flags, into @to. Returns its length.
 */
unsigned stream_frame(const struct stream *s, uint8_t *to, const uint8_t *payload, unsigned at,
		      unsigned len, unsigned index, unsigned flags);

/*
 * stream_pkt() - the same as a packet, cut into buffers of @cut bytes of payload,
 * headers in front in the first.
 */
struct pkt *stream_pkt(const struct stream *s, const uint8_t *payload, unsigned at, unsigned len,
		       unsigned index, unsigned flags, unsigned cut);

/* stream_any() - a stream of any kind, at random. */
struct stream stream_any(void);

/*
 * pkt_bytes() - the bytes of a chain into @to; checks that all it says of itself
 * is true. Returns how many.
 */
unsigned pkt_bytes(const struct pkt *p, uint8_t *to);
