/* SPDX-License-Identifier: MIT */
/*
 * toeplitz.h - the hash by which NICs spread flows over queues (RSS)
 *
 * Each bit of the input that is set adds (XOR) the 32 bits of the key that begin at its place
 * [82576 7.1.2.8.1]. The input is what stands in the frame, in its order: source and destination
 * address, source and destination port. So software that has the NIC's key finds the NIC's hash.
 */
#pragma once

#include <stdint.h>

enum {
	TOEPLITZ_KEY = 40,   /* bytes of a key */
	TOEPLITZ_INPUT = 36, /* most bytes of input: two IPv6 addresses, two ports */
};

/* a key made ready: for each byte of input what each of its values adds */
struct toeplitz {
	uint32_t adds[TOEPLITZ_INPUT][256];
};

/*
 * what Weir's NICs have unless told otherwise: two bytes repeated, so both
 * directions of a flow hash alike
 */
extern const uint8_t toeplitz_symmetric_key[TOEPLITZ_KEY];

/* toeplitz_init() - make @key ready. */
void toeplitz_init(struct toeplitz *t, const uint8_t key[TOEPLITZ_KEY]);

/* toeplitz_hash() - of @n bytes, at most TOEPLITZ_INPUT; one table look a byte. */
static inline uint32_t toeplitz_hash(const struct toeplitz *t, const uint8_t *input, unsigned n)
{
	uint32_t hash = 0;

	for (unsigned i = 0; i < n; i++)
		hash ^= t->adds[i][input[i]];
	return hash;
}
