/* SPDX-License-Identifier: MIT */
/*
 * histogram.c - see histogram.h. Pure arithmetic: who may touch a histogram is its owner's affair.
 *
 * A value with its top bit at t > 3 has the bucket number (t - 3) * 8 + its four top bits: 16 is 1
 * * 8 + 8, 31 is 1 * 8 + 15, 32 is 2 * 8 + 8. So numbers go on without a gap where the width
 * doubles.
 */
#include "histogram.h"

#include "bits.h"

static unsigned top_bit(uint64_t value)
{
	return 63 - __builtin_clzl(value);
}

unsigned histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value < HISTOGRAM_STEPS)
		return value;
	if (top_bit(value) > HISTOGRAM_TOP_BIT)
		return HISTOGRAM_BUCKETS - 1;
	shift = top_bit(value) - HISTOGRAM_STEP_BITS;
	return shift * HISTOGRAM_STEPS + (value >> shift);
}

uint64_t histogram_floor(unsigned i)
{
	unsigned shift;

	if (i < 2 * HISTOGRAM_STEPS)
		return i;
	shift = i / HISTOGRAM_STEPS - 1;
	return (uint64_t)(HISTOGRAM_STEPS + i % HISTOGRAM_STEPS) << shift;
}

void histogram_add_many(struct histogram *h, uint64_t value, uint64_t n)
{
	h->count += n;
	h->max = MAX(h->max, value);
	h->bucket[histogram_bucket(value)] += n;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	histogram_add_many(h, value, 1);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	to->count += from->count;
	to->max = MAX(to->max, from->max);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

uint64_t histogram_permille(const struct histogram *h, unsigned permille)
{
	uint64_t rank = (h->count * permille + 999) / 1000, seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1 && h->count; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return MIN(histogram_floor(i + 1) - 1, h->max);
	}
	return h->max; /* the last bucket has no end */
}

uint64_t histogram_between(const struct histogram *h, uint64_t floor, uint64_t end)
{
	uint64_t n = 0;

	for (unsigned i = histogram_bucket(floor);
	     i < HISTOGRAM_BUCKETS && histogram_floor(i) < end; i++)
		n += h->bucket[i];
	return n;
}
