/* SPDX-License-Identifier: MIT */
/*
 * selftest.h - checks that only the real machine can make, run by `selftest [NAME]` from the shell
 *
 * A room adds one where its subject lives. They are in the shipped image, since that is
 * the image that is measured.
 */
#pragma once

#include "bits.h"
#include "shell.h"

struct selftest {
	const char *name;
	const char *help;
	/*
	 * control context, cores running. 0: passed; -ENODEV: this machine lacks what it needs;
	 * else failed, having said why
	 */
	int (*run)(struct shell *sh);
};

SET_DECLARE(const struct selftest, selftests);
#define SELFTEST(id, ...) static const struct selftest id SET_ENTRY(selftests) = { __VA_ARGS__ }
