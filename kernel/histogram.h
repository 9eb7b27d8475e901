/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how values are spread, by buckets that grow with the value
 *
 * Below HISTOGRAM_STEPS * 2 each value has its bucket; above, each power of two is cut into
 * HISTOGRAM_STEPS, so that a bucket is at most an eighth of its values wide. Whoever adds is one
 * at a time; nobody waits.
 */
#pragma once

#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 3,
	HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
	HISTOGRAM_TOP_BIT = 40, /* what is larger than 2^41 stands in the last bucket */
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (HISTOGRAM_TOP_BIT - HISTOGRAM_STEP_BITS + 2),
};

/* all zeroes: empty */
struct histogram {
	uint64_t count, max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/*
 * histogram_bucket() - where @value stands. histogram_floor() - the least value of bucket @i;
 * of one past the last too.
 */
unsigned histogram_bucket(uint64_t value);
uint64_t histogram_floor(unsigned i);

void histogram_add(struct histogram *h, uint64_t value);
/* histogram_add_many() - @n times the same. */
void histogram_add_many(struct histogram *h, uint64_t value, uint64_t n);
/* histogram_merge() - all that @from holds is in @to as well. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/*
 * histogram_permille() - a value that @permille of all, 1 to 1000, do not exceed: the largest of
 * its bucket, so up to an eighth too much, but never more than the maximum. 0 if there are none.
 * histogram_percentile() - the same in hundredths.
 */
uint64_t histogram_permille(const struct histogram *h, unsigned permille);

static inline uint64_t histogram_percentile(const struct histogram *h, unsigned percent)
{
	return histogram_permille(h, percent * 10);
}

/* histogram_between() - how many values stand in [@floor, @end); both are powers of two, or 0. */
uint64_t histogram_between(const struct histogram *h, uint64_t floor, uint64_t end);

struct shell;

/*
 * histogram_bars() - a row a power of two, from the first that holds something to
 * the last: histogram_bars.c.
 */
void histogram_bars(struct shell *sh, const struct histogram *h);
