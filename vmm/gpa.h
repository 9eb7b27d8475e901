/* SPDX-License-Identifier: MIT */
/*
 * gpa.h - guest memory, by the one door that checks
 *
 * A guest's RAM is one piece of ours. Guest-physical addresses from 0 to low_end and from 4 GiB to
 * high_end lie in it, everything else is a hole. Whoever follows an address that a guest wrote
 * comes by here; nothing else in Weir turns a guest's address into a pointer.
 *
 * What a guest can write is *guest-controlled*: it may change between two looks. Read it once, copy
 * it, bound it, then use the copy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernel/bits.h"

/*
 * RAM below 4 GiB ends here at the latest, as devices stand behind it; and where the rest goes on
 */
#define GPA_LOW_MAX    UINT64_C(0xc0000000)
#define GPA_HIGH_BEGIN UINT64_C(0x100000000)

struct gpa_map {
	uint8_t *ram;      /* ours, 2 MiB aligned */
	uint64_t low_end;  /* bytes of RAM from guest-physical 0 on */
	uint64_t high_end; /* end of what lies above 4 GiB; GPA_HIGH_BEGIN if nothing does */
};

/* gpa_map_init() - @size bytes at @ram, split round the hole for devices. */
static inline void gpa_map_init(struct gpa_map *m, uint8_t *ram, uint64_t size)
{
	m->ram = ram;
	m->low_end = MIN(size, GPA_LOW_MAX);
	m->high_end = GPA_HIGH_BEGIN + (size - m->low_end);
}

/*
 * gpa_ptr() - guest-physical [gpa, gpa + len) as memory of ours.
 * Returns NULL unless every byte of it is RAM without a hole between; @len 0 is refused as well.
 */
static inline void *gpa_ptr(const struct gpa_map *m, uint64_t gpa, uint64_t len)
{
	if (likely(gpa < m->low_end))
		return likely(len - 1 < m->low_end - gpa) ? m->ram + gpa : NULL;
	if (gpa >= GPA_HIGH_BEGIN && gpa < m->high_end && len - 1 < m->high_end - gpa)
		return m->ram + m->low_end + (gpa - GPA_HIGH_BEGIN);
	return NULL;
}

/* gpa_read(), gpa_write() - copy out and in; false, and nothing done, unless all of it is RAM. */
static inline bool gpa_read(const struct gpa_map *m, uint64_t gpa, void *to, uint64_t len)
{
	const void *p = gpa_ptr(m, gpa, len);

	if (p)
		memcpy(to, p, len);
	return p;
}

static inline bool gpa_write(const struct gpa_map *m, uint64_t gpa, const void *from, uint64_t len)
{
	void *p = gpa_ptr(m, gpa, len);

	if (p)
		memcpy(p, from, len);
	return p;
}
