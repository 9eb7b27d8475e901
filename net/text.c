/* SPDX-License-Identifier: MIT */
/* text.c - text put together piece by piece. For dumps, in the control context. Owns nothing. */
#include "text.h"

#include "kernel/bits.h"

#include <stdarg.h>
#include <stdio.h>

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n = MIN(t->n + n, t->size - 1);
}
