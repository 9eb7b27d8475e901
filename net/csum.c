/* SPDX-License-Identifier: MIT */
/* csum.c - the Internet's checksum. Any core, any context. Owns nothing. */
#include "csum.h"

#include "wire.h"

enum {
	BLOCK = 32,         /* bytes that one turn of the loop adds */
	UDP_CSUM_FIELD = 6, /* csum_offset of UDP */
};

/* add_blocks() - @n times BLOCK bytes, @n at least 1. Neither LEA nor DEC touches the carry. */
static inline uint64_t add_blocks(uint64_t sum, const uint8_t *b, uint64_t n)
{
	__asm__("clc\n"
		"1:\tadcq (%[b]), %[sum]\n\t"
		"adcq 8(%[b]), %[sum]\n\t"
		"adcq 16(%[b]), %[sum]\n\t"
		"adcq 24(%[b]), %[sum]\n\t"
		"leaq 32(%[b]), %[b]\n\t"
		"decq %[n]\n\t"
		"jnz 1b\n\t"
		"adcq $0, %[sum]"
		: [sum] "+r"(sum), [b] "+r"(b), [n] "+r"(n)
		:
		: "cc", "memory");
	return sum;
}

/* add_word() - a carry out of the top comes in again below. */
static inline uint64_t add_word(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

uint64_t csum_add(uint64_t sum, const void *bytes, uint32_t n)
{
	const uint8_t *b = bytes;

	if (n >= BLOCK) {
		sum = add_blocks(sum, b, n / BLOCK);
		b += ROUND_DOWN(n, BLOCK);
		n %= BLOCK;
	}
	for (; n >= 8; n -= 8, b += 8)
		sum = add_word(sum, load64(b));
	for (; n >= 2; n -= 2, b += 2)
		sum = add_word(sum, load16(b));
	return n ? add_word(sum, *b) : sum;
}

uint64_t csum_pseudo4(const uint8_t addresses[8], uint8_t proto, uint32_t len)
{
	return csum_add(be16(proto) + (uint64_t)be32(len), addresses, 8);
}

uint64_t csum_pseudo6(const uint8_t addresses[32], uint8_t proto, uint32_t len)
{
	return csum_add(be16(proto) + (uint64_t)be32(len), addresses, 32);
}

void csum_ipv4(uint8_t *ip, uint32_t hlen)
{
	store16(ip + 10, 0);
	store16(ip + 10, ~csum_fold(csum_add(0, ip, hlen)));
}

/*
 * A buffer that begins at an odd byte of what is summed has its bytes in the
 * other halves of the words.
 */
static uint16_t swapped_if(bool odd, uint16_t sum)
{
	return odd ? be16(sum) : sum;
}

uint16_t csum_pkt(const struct pkt *p, uint32_t off, uint64_t sum)
{
	bool odd = false;

	for (const struct pkt *seg = p; seg; seg = seg->next) {
		uint32_t skip = MIN(off, seg->len), n = seg->len - skip;

		sum = add_word(sum, swapped_if(odd, csum_fold(csum_add(0, seg->data + skip, n))));
		odd ^= n & 1;
		off -= skip;
	}
	return csum_fold(sum);
}

void csum_complete(struct pkt *p)
{
	uint16_t sum = ~csum_pkt(p, p->csum_start, 0);

	/*
	 * a 0 of UDP would say that there is no checksum, and 0xffff is the same number [RFC 768]
	 */
	if (!sum && p->csum_offset == UDP_CSUM_FIELD)
		sum = 0xffff;
	store16(p->data + p->csum_start + p->csum_offset, sum);
	p->flags &= ~PKT_CSUM_PARTIAL;
}
