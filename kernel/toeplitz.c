/* SPDX-License-Identifier: MIT */
/* toeplitz.c - a key for the Toeplitz hash, made ready. Any context; owns nothing. */
#include "toeplitz.h"

#include "bits.h"

const uint8_t toeplitz_symmetric_key[TOEPLITZ_KEY] = {
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
};

/* key_window() - the 32 bits of @key from bit @at on, its first byte's highest bit being bit 0. */
static uint32_t key_window(const uint8_t key[TOEPLITZ_KEY], unsigned at)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < 5; i++) /* 40 bits hold any window of 32 */
		bits = bits << 8 | (at / 8 + i < TOEPLITZ_KEY ? key[at / 8 + i] : 0);
	return bits >> (8 - at % 8);
}

void toeplitz_init(struct toeplitz *t, const uint8_t key[TOEPLITZ_KEY])
{
	for (unsigned i = 0; i < TOEPLITZ_INPUT; i++)
		for (unsigned value = 0; value < 256; value++) {
			t->adds[i][value] = 0;
			for (unsigned bit = 0; bit < 8; bit++)
				if (value & BIT(7 - bit))
					t->adds[i][value] ^= key_window(key, 8 * i + bit);
		}
}
