/* SPDX-License-Identifier: MIT */
/*
 * command.h - what one can type: each command defines itself where its subject lives
 *
 * A command may say lines that begin with a blank; its last line is the answer and
 * begins with "ok" or "FAIL".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"

enum { WORDS_MAX = 32 };

struct command {
	const char *name, *usage, *help;
	/* word[0] is the name, word[n] NULL. Answers exactly once. */
	void (*run)(int n, char **word);
};

SET_DECLARE(const struct command, tiny_commands);
#define COMMAND(id, ...) static const struct command id SET_ENTRY(tiny_commands) = { __VA_ARGS__ }

/* answer_ok(), answer_fail() - the last line. */
void answer_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void answer_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* word_number() - word @i as a number, @otherwise if there is none. word_is() - is it @s? */
uint64_t word_number(int n, char **word, int i, uint64_t otherwise);
bool word_is(int n, char **word, int i, const char *s);

/*
 * command_line() - run all commands of @line, which are parted by semicolons; the line is cut up.
 */
void command_line(char *line);
