/* SPDX-License-Identifier: MIT */
/*
 * frames.h - the frames of a run: each a pure function of what the run is
 * and of its sequence number
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ETHERNET_MIN = 60, /* bytes without FCS, as all lengths here */
	FRAME_MAX = 9216,
	FRAME_MALFORMED = 8, /* ways in which a frame is malformed here */
};

enum kind { IPV4, IPV6, VLAN, KINDS };
enum order { IN_TURN, RANDOM, ALL_NEW };

struct traffic {
	uint32_t id; /* tells its frames from those of other runs */
	unsigned to; /* the side they come out on: 0 or 1 */
	bool echo;   /* they go in there as well, and come out turned round */
	enum kind kind;
	uint32_t size; /* at least frame_shortest() */
	uint32_t flows;
	enum order order; /* of flows: in turn, by chance, or each frame a flow of its own */
	uint32_t first;   /* number of the first flow; its addresses and ports are a hash of it */
	uint32_t bad;     /* every bad-th frame is malformed; 0: none */
};

uint32_t frame_shortest(enum kind kind);

/* frame_build() - frame number @seq into f[FRAME_MAX]; returns its length. */
size_t frame_build(uint8_t *f, const struct traffic *t, uint32_t seq);

/* frame_turn() - swap its addresses, as one that echoes does. */
void frame_turn(uint8_t *f);

/* frame_sequence() - is this a frame of @t, and which? Trusts its mark alone. */
bool frame_sequence(const uint8_t *f, size_t len, const struct traffic *t, uint32_t *seq);

/*
 * frame_is_bad() - is frame @seq malformed; frame_malformation() in which way,
 * frame_reason() what drops it then.
 */
bool frame_is_bad(const struct traffic *t, uint32_t seq);
unsigned frame_malformation(const struct traffic *t, uint32_t seq);
const char *frame_reason(unsigned malformation);

/* big-endian */
uint32_t frame_get32(const uint8_t *p);
void frame_put32(uint8_t *p, uint32_t v);
