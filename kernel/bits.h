/* SPDX-License-Identifier: MIT */
/* bits.h - bits, fields and the few macros that every room uses */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BIT(n)       (UINT64_C(1) << (n))
#define BITS(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))

/*
 * a field is named by its mask: FIELD_PREP(MASK, value) puts a value there,
 * FIELD_GET(MASK, reg) takes it out
 */
#define FIELD_SHIFT(mask)       (__builtin_ctzll(mask))
#define FIELD_PREP(mask, value) (((uint64_t)(value) << FIELD_SHIFT(mask)) & (mask))
#define FIELD_GET(mask, reg)    (((uint64_t)(reg) & (mask)) >> FIELD_SHIFT(mask))

#define ARRAY_SIZE(a)                 (sizeof(a) / sizeof((a)[0]))
#define ROUND_UP(x, to)               (((x) + (to)-1) & ~((__typeof__(x))(to)-1))
#define ROUND_DOWN(x, to)             ((x) & ~((__typeof__(x))(to)-1))
#define MIN(a, b)                     ((a) < (b) ? (a) : (b))
#define MAX(a, b)                     ((a) > (b) ? (a) : (b))
#define likely(x)                     __builtin_expect(!!(x), 1)
#define unlikely(x)                   __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define CACHE_LINE 64
#define PAGE_SIZE  4096

/*
 * Linker sets: a room adds a command, a counter or a knob by defining it; who lists them
 * walks the set. SET_ENTRY(name) marks a definition, SET_DECLARE(type, name) declares the
 * walk, set_for_each does it.
 */
#define SET_ENTRY(name)         __attribute__((used, section("weir_" #name), aligned(8)))
#define SET_DECLARE(type, name) extern type __start_weir_##name[], __stop_weir_##name[]
#define set_for_each(p, name)                                                                     \
	for (__typeof__(&__start_weir_##name[0]) p = __start_weir_##name; p < __stop_weir_##name; \
	     p++)
