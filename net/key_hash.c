/* SPDX-License-Identifier: MIT */
/*
 * key_hash.c - hashes of flow keys where the CPU has no CRC32. On any core, for each packet;
 * owns nothing but that fact.
 */
#include "key.h"

#include "kernel/x86.h"

#define CRC32C_POLYNOMIAL UINT32_C(0x82f63b78) /* [RFC 3720 12.1], the lowest bit first */

bool key_no_crc32;

void key_init(void)
{
	key_no_crc32 = !(cpuid(1).ecx & CPUID1_ECX_SSE4_2);
}

static uint64_t crc32c_by_hand(uint64_t crc, uint64_t word)
{
	crc ^= word;
	for (unsigned i = 0; i < 64; i++)
		crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLYNOMIAL : 0);
	return crc;
}

uint64_t key_hash_by_hand(uint32_t seed, const uint64_t w[], bool is_long)
{
	uint64_t h = seed;

	for (unsigned i = 0; i < (is_long ? KEY_WORDS : KEY_WORDS_SHORT); i++)
		h = crc32c_by_hand(h, w[i]);
	return h;
}
