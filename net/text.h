/* SPDX-License-Identifier: MIT */
/* text.h - text put together piece by piece in a buffer that bounds it */
#pragma once

struct text {
	char *buf;
	unsigned size, n; /* bytes in all, and without the NUL so far */
};

/* text_add() - what does not fit is cut off. */
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
