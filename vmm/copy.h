/* SPDX-License-Identifier: MIT */
/*
 * copy.h - the one copy that a frame to or from a guest costs
 *
 * Most frames are short: plain moves, and no call. The C library's memcpy() would begin with REP
 * MOVSB up to alignment and go round the cache from 256 bytes on, but whoever gets the frame reads
 * it at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { COPY_BY_MOVES = 256 }; /* bytes; above it REP MOVSQ starts up soon enough */

/* two words at any address; by the built-in, even where the compiler may not assume a libc */
static inline void copy_16(uint8_t *to, const uint8_t *from)
{
	uint64_t a, b;

	__builtin_memcpy(&a, from, 8);
	__builtin_memcpy(&b, from + 8, 8);
	__builtin_memcpy(to, &a, 8);
	__builtin_memcpy(to + 8, &b, 8);
}

static inline void copy_8(uint8_t *to, const uint8_t *from)
{
	uint64_t a;

	__builtin_memcpy(&a, from, 8);
	__builtin_memcpy(to, &a, 8);
}

/* copy_long() - @n bytes, 8 at least: words, and the last one again where @n ends. */
static inline void copy_long(uint8_t *to, const uint8_t *from, size_t n)
{
#if __STDC_HOSTED__
	memcpy(to, from, n);
#else
	uint8_t *last = to + n - 8;
	const uint8_t *from_last = from + n - 8;
	size_t words = n / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	copy_8(last, from_last);
#endif
}

/* copy_frame() - @n bytes that do not overlap. */
static inline void copy_frame(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n > COPY_BY_MOVES) {
		copy_long(to, from, n);
	} else if (n >= 16) {
		uint8_t *last = to + n - 16;
		const uint8_t *from_last = from + n - 16;

		for (; to < last; to += 16, from += 16)
			copy_16(to, from);
		copy_16(last, from_last); /* some of it once more, where @n is no multiple */
	} else {
		while (n--)
			*to++ = *from++;
	}
}
