/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - which packet is next, and when: what generators have in common,
 * Weir's and the tiny guest's
 *
 * Due times are counted in a time of their own, in ticks of the TSC with TRAFFIC_FRACTION bits
 * behind the point, in which only the on-phases pass; traffic_when() turns it into the clock's. All
 * that is random comes from the seed, so the same settings give the same traffic.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"

enum { TRAFFIC_FRACTION = 16, TRAFFIC_SIZE_MIN = 60, TRAFFIC_SIZE_MAX = 1514 };

/* numbers are all as wide, so that whoever reads settings needs one function for them */
struct traffic_conf {
	uint64_t count;   /* packets; 0: no end */
	uint64_t time_us; /* so long; 0: no end */
	/* how fast: at most one of the three is not 0; all 0: as fast as can be */
	uint64_t ratep;          /* packets a second */
	uint64_t rate;           /* bits a second, of frames without FCS */
	uint64_t delay;          /* nanoseconds from packet to packet */
	uint64_t burst;          /* so many at a time, as many gaps apart */
	uint64_t on_us, off_us;  /* sends so long, then rests so long; off 0: never rests */
	uint64_t flows, flowlen; /* flowlen packets of one, then of the next */
	uint64_t seed;
	uint32_t size_min, size_max; /* bytes without FCS, a tag not counted; equal: fixed */
	bool imix;                   /* sizes: 7 of 60, 4 of 566, 1 of 1,514 */
	bool poisson;                /* gaps are exponential, and the rate's is their mean */
	bool random_flows;           /* the next flow is any */
};

struct traffic {
	uint64_t began;   /* TSC */
	uint64_t due;     /* of the next, with a fraction */
	uint64_t gap;     /* from one to the next, or for a bit; 0: none */
	uint64_t on, off; /* ticks */
	uint64_t random;
	uint64_t flow, in_flow; /* which it is, how many of it came in a row */
	uint32_t mix;           /* where in the mix of sizes */
};

/* splitmix64: any seed will do */
static inline uint64_t traffic_random(struct traffic *t)
{
	uint64_t z = t->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/*
 * -ln(u / 2^32) with 16 bits of fraction, @u not 0: the logarithm to base 2 bit by bit, by
 * squaring what is left of it
 */
static inline uint32_t traffic_minus_ln(uint32_t u)
{
	unsigned top = 31 - __builtin_clz(u);
	uint64_t x = (uint64_t)u << (31 - top); /* 1.31 */
	uint32_t log2 = top << 16;

	for (int bit = 15; bit >= 0; bit--) {
		x = x * x >> 31;
		if (x >> 32) {
			log2 |= BIT(bit);
			x >>= 1;
		}
	}
	return (uint64_t)((UINT32_C(32) << 16) - log2) * 45426 >> 16; /* ln 2 = 45,426 / 65,536 */
}

/* ticks, with a fraction, for one packet or one bit; a clock of @khz */
static inline uint64_t traffic_gap(const struct traffic_conf *c, uint64_t khz)
{
	uint64_t ticks = c->delay * khz; /* and six digits */

	if (c->rate || c->ratep)
		return (khz * 1000 << TRAFFIC_FRACTION) / (c->rate ? c->rate : c->ratep);
	return (ticks / 1000000 << TRAFFIC_FRACTION) +
	       (ticks % 1000000 << TRAFFIC_FRACTION) / 1000000;
}

/* traffic_begin() - at TSC @now, of a clock of @khz. */
static inline void traffic_begin(struct traffic *t, const struct traffic_conf *c, uint64_t now,
				 uint64_t khz)
{
	*t = (struct traffic){
		.began = now,
		.gap = traffic_gap(c, khz),
		.on = c->on_us * khz / 1000,
		.off = c->off_us * khz / 1000,
		.random = c->seed,
		.flow = c->flows - 1,
		.in_flow = c->flowlen, /* so that the first one begins a flow */
	};
}

/* traffic_when() - the TSC at which the next is due; never early. */
static inline uint64_t traffic_when(const struct traffic *t)
{
	uint64_t due = (t->due + BIT(TRAFFIC_FRACTION) - 1) >> TRAFFIC_FRACTION;

	if (t->off)
		due += due / t->on * t->off;
	return t->began + due;
}

/* traffic_advance() - a burst of @n packets, of @bytes in all, is sent. */
static inline void traffic_advance(struct traffic *t, const struct traffic_conf *c, unsigned n,
				   uint64_t bytes)
{
	uint64_t gap = t->gap * (c->rate ? bytes * 8 : n);

	if (c->poisson)
		gap = (unsigned __int128)gap * traffic_minus_ln((uint32_t)traffic_random(t) | 1) >>
		      16;
	t->due += gap;
}

/* traffic_size() - of the next packet, at least @least. */
static inline unsigned traffic_size(struct traffic *t, const struct traffic_conf *c, unsigned least)
{
	static const uint16_t imix[12] = { 60, 566, 60, 60, 566, 60, 1514, 60, 566, 60, 566, 60 };
	unsigned size = c->size_min;

	if (c->imix)
		size = imix[t->mix++ % ARRAY_SIZE(imix)];
	else if (c->size_min != c->size_max)
		size += traffic_random(t) % (c->size_max - c->size_min + 1);
	return MAX(size, least);
}

/* traffic_flow() - of the next packet. */
static inline unsigned traffic_flow(struct traffic *t, const struct traffic_conf *c)
{
	if (t->in_flow == c->flowlen) {
		t->in_flow = 0;
		t->flow = (c->random_flows ? traffic_random(t) : t->flow + 1) % c->flows;
	}
	t->in_flow++;
	return t->flow;
}
