/* SPDX-License-Identifier: MIT */
/*
 * decode_parts.h - what the files of decode.h share: one function a layer, each given the
 * bytes from its header on
 */
#pragma once

#include "decode.h"
#include "net/wire.h"

struct part {
	struct decode *d;
	struct text *t;
	const uint8_t *p;
	uint32_t cap, len; /* captured, and on the wire */
};

/* part_behind() - what stands @n bytes further on; they were captured. */
static inline struct part part_behind(const struct part *x, uint32_t n)
{
	return (struct part){ x->d, x->t, x->p + n, x->cap - n, x->len - n };
}

/* part_short() - are fewer than @n bytes captured? Says so then, with the name of the protocol. */
static inline bool part_short(const struct part *x, uint32_t n, const char *protocol)
{
	if (x->cap >= n)
		return false;
	text_add(x->t, " [|%s]", protocol);
	return true;
}

/* addresses of the packet that carries what is decoded, for pseudo headers and lines */
struct ends {
	const uint8_t *src, *dst;
	unsigned size; /* of an address, 4 or 16 */
	bool fragment; /* of a longer packet: no checksum can be told */
	bool said;     /* their line has begun */
};

void decode_ipv4(struct part x);
void decode_ipv6(struct part x);

/*
 * decode_l4() - what @proto carries, with the addresses in front. False if that
 * protocol is not known here.
 */
bool decode_l4(struct part x, const struct ends *ends, uint8_t proto);

/*
 * decode_ends() - "SRC > DST: ", with ports unless they are negative, and with these
 * alone if the rest was said.
 */
void decode_ends(struct text *t, const struct ends *ends, int sport, int dport);

/* decode_protocol() - its name as tcpdump says it in headers. */
const char *decode_protocol(uint8_t proto);

/*
 * decode_sum() - what is missing, in one's complement, for the checksum in @x, with the pseudo
 * header that @ends and @proto make unless @ends is NULL; 0: it is right. False if not all that it
 * is about was captured. decode_sum_right() - what it should be.
 */
bool decode_sum(const struct part *x, const struct ends *ends, uint8_t proto, uint16_t *wrong);
uint16_t decode_sum_right(uint16_t is, uint16_t wrong);

void decode_tcp(struct part x, const struct ends *ends);
void decode_icmp(struct part x, const struct ends *ends);
