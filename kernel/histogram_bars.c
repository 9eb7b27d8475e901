/* SPDX-License-Identifier: MIT */
/* histogram_bars.c - a histogram as bars, as bpftrace draws them: a row a power of two. Control context. */
#include "histogram.h"

#include "bits.h"
#include "shell.h"

#include <stdio.h>

enum {
	BAR = 40, /* columns of the longest bar */
	ROWS = HISTOGRAM_TOP_BIT + 1,
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

/* row() - how many stand between two powers of two; the first row begins at 0. */
static uint64_t row(const struct histogram *h, unsigned i)
{
	return histogram_between(h, i ? BIT(i) : 0, BIT(i + 1));
}

/* A row a power of two, from the first that holds something to the last. */
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
		char from[8], to[8], range[20];

		snprintf(range, sizeof(range), "[%s, %s)", short_number(from, i ? BIT(i) : 0),
			 short_number(to, BIT(i + 1)));
		shell_printf(sh, "%-14s %10lu |%-*.*s|\n", range, (unsigned long)n, BAR,
			     (int)(n * BAR / most), bar);
	}
}
