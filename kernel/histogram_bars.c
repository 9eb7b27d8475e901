/* SPDX-License-Identifier: MIT */
/*
 * histogram_bars.c - a histogram as bars, as bpftrace draws them: rows of 0, of 1, of a power
 * of two. Control context.
 */
#include "histogram.h"

#include "bits.h"
#include "shell.h"

#include <stdio.h>

enum {
	BAR = 40, /* columns of the longest bar */
	ROWS = HISTOGRAM_TOP_BIT + 2,
};

/* short_number() - powers of two as bpftrace has them: 512, 1K, 64M. */
static const char *short_number(char text[8], uint64_t value)
{
	static const char unit[] = { ' ', 'K', 'M', 'G', 'T' };
	unsigned u = 0;

	for (; value >= 1024 && u < ARRAY_SIZE(unit) - 1; u++)
		value /= 1024;
	snprintf(text, 8, u ? "%lu%c" : "%lu", (unsigned long)value, unit[u]);
	return text;
}

/* begin() - of row @i: 0, 1, 2, 4 ... */
static uint64_t begin(unsigned i)
{
	return i ? BIT(i - 1) : 0;
}

static uint64_t row(const struct histogram *h, unsigned i)
{
	return histogram_between(h, begin(i), begin(i + 1));
}

/* name() - [0], [1], [2, 4), [4, 8) ... */
static const char *name(char text[20], unsigned i)
{
	char from[8], to[8];

	if (i < 2)
		snprintf(text, 20, "[%u]", i);
	else
		snprintf(text, 20, "[%s, %s)", short_number(from, begin(i)),
			 short_number(to, begin(i + 1)));
	return text;
}

/* From the first row that holds something to the last. */
void histogram_bars(struct shell *sh, const struct histogram *h)
{
	unsigned first = ROWS, last = 0;
	uint64_t most = 0;

	for (unsigned i = 0; i < ROWS; i++) {
		uint64_t n = row(h, i);

		if (!n)
			continue;
		first = MIN(first, i);
		last = i;
		most = MAX(most, n);
	}
	for (unsigned i = first; i <= last; i++) {
		uint64_t n = row(h, i);
		static const char bar[BAR + 1] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
		char text[20];

		shell_printf(sh, "%-14s %10lu |%-*.*s|\n", name(text, i), (unsigned long)n, BAR,
			     (int)(n * BAR / most), bar);
	}
}
