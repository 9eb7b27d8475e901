/* SPDX-License-Identifier: MIT */
/* capture.h - what a command says, kept instead of shown: for |, for grep and watch */
#pragma once

#include <stddef.h>

#include "shell.h"

/* begins as all zeroes */
struct capture {
	char *text; /* NULL: nothing so far */
	size_t n, room;
	bool cut; /* there was no memory for the rest */
};

/* capture_shell() - a shell as @sh is, but for what is said to it: that goes to @c. */
struct shell capture_shell(struct capture *c, const struct shell *sh);

/* capture_text() - all of it, ended by a NUL. */
const char *capture_text(const struct capture *c);

void capture_free(struct capture *c);
