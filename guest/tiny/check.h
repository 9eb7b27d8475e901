/* SPDX-License-Identifier: MIT */
/*
 * check.h - does the machine do what a machine does? Each check is a function
 * that looks at one subject.
 */
#pragma once

#include <stdbool.h>

#include "kernel/bits.h"

struct check {
	const char *name, *help;
	/*
	 * NULL: it held. Else what was seen, as by seen(), or lacks(). Words behind
	 * the name are the check's.
	 */
	const char *(*run)(int n, char **word);
	bool alone; /* only when asked for by name */
};

SET_DECLARE(const struct check, tiny_checks);
#define CHECK(id, ...) static const struct check id SET_ENTRY(tiny_checks) = { __VA_ARGS__ }

/* CALL_CHECK() - the check whose command is @text: what @call returns. It takes no words. */
#define CALL_CHECK(id, text, about, call)                 \
	static const char *check_##id(int n, char **word) \
	{                                                 \
		(void)n;                                  \
		(void)word;                               \
		return call;                              \
	}                                                 \
	CHECK(id##_check, .name = text, .help = about, .run = check_##id)

/* seen() - format what was seen, for a check to return. */
const char *seen(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* lacks() - the same where there is nothing to check: "one vCPU". */
const char *lacks(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * check_parts() - the functions of @part one after the other, from @fresh() each; the
 * first that does not hold.
 */
const char *check_parts(const char *(*const part[])(void), unsigned parts, void (*fresh)(void));
