/* SPDX-License-Identifier: MIT */
/*
 * shell.h - commands, files under /proc and knobs, for every room to add to
 *
 * The words are those of Linux (ip, ethtool, bridge, ovs-ofctl, sysctl, cat /proc/...). weir.conf
 * is a list of the same lines. A room defines a command where its subject lives and needs no other
 * step: SHELL_COMMAND puts it into a linker set.
 *
 * A line that is wrong is answered with where and what was expected: shell_expected() prints it and
 * returns the error that the command returns in turn.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"

enum { SHELL_LINE_MAX = 512, SHELL_WORDS_MAX = 64 };

struct word {
	const char *s;
	unsigned col; /* first is 1; of a word in quotes: of what stands behind the quote */
};

/* who asked: the terminal, or a line of weir.conf */
struct shell {
	const char *file;        /* "weir.conf", or NULL on the terminal */
	unsigned line;           /* of that file, from 1 */
	const struct word *word; /* of the command that runs */
	int nwords;
	unsigned end_col; /* one past the end of the line, for "something is missing" */
	void (*write)(struct shell *sh, const char *s, size_t n);
	void *arg;           /* of write */
	unsigned prompt_len; /* columns in front of the line, for a ^ under a word; 0: no ^ */
	bool wrote; /* by shell_printf: something stands between the line and what comes now */
	const char *input; /* what the command in front of a | said; NULL if there is none */
};

struct command {
	const char *name;  /* first word */
	const char *usage; /* what may follow, as a manual page's synopsis has it; "" for nothing */
	const char *help;  /* one line */
	/* words[0] is the name. Returns 0 or a negative errno, having said why. */
	int (*run)(struct shell *sh, int n, const struct word *words);
	/* completions for the word after words[0..n-1]: call add for each candidate. May be NULL */
	void (*complete)(int n, const struct word *words, void (*add)(void *to, const char *s),
			 void *to);
};

SET_DECLARE(const struct command, commands);
#define SHELL_COMMAND(id, ...) static const struct command id SET_ENTRY(commands) = { __VA_ARGS__ }

/*
 * A file under /proc or /sys. A '*' in the path, one whole component, stands for a number or a
 * name, handed to show and store as @star ("" in a path without; "nic0/rx-0" in one with two). Both
 * return 0 or a negative errno, having said why. To show the path is word 1 of the line; to store
 * the value that it is given, as in shell_uint(sh, 1, ...).
 */
struct proc_file {
	const char *path;
	const char *help;
	int (*show)(struct shell *sh, const char *star);
	/* NULL: read-only */
	int (*store)(struct shell *sh, const char *star, const struct word *value);
	/* call add for everything that the '*' may be, for ls and completion. May be NULL */
	void (*stars)(void (*add)(void *to, const char *s), void *to);
	/* the same for the second '*' of a path where the first stands for @star */
	void (*second_stars)(const char *star, void (*add)(void *to, const char *s), void *to);
};

SET_DECLARE(const struct proc_file, procfiles);
#define PROC_FILE(id, ...) static const struct proc_file id SET_ENTRY(procfiles) = { __VA_ARGS__ }

/* A knob: `sysctl NAME`, `sysctl NAME=VALUE`. A number, or one of several words. */
struct sysctl {
	const char *name;
	unsigned *value;
	unsigned min, max; /* inclusive */
	const char *help;  /* with the unit */
	/* its values by name, word[min] to word[max]; NULL: it is a number */
	const char *const *word;
	/* why it cannot be that here, or NULL; may be NULL */
	const char *(*refuse)(unsigned value);
	void (*changed)(unsigned value); /* it is that now; may be NULL */
};

SET_DECLARE(const struct sysctl, sysctls);

/* sysctl_find() - the knob whose name is the first @len bytes of @name; NULL if there is none. */
const struct sysctl *sysctl_find(const char *name, size_t len);

#define SYSCTL(id, nm, var, lo, hi, hlp)         \
	static const struct sysctl id SET_ENTRY( \
		sysctls) = { .name = nm, .value = var, .min = lo, .max = hi, .help = hlp }

/* one whose values have names, from 0 on */
#define SYSCTL_WORD(id, nm, var, words, no, hlp)                                           \
	static const struct sysctl id SET_ENTRY(sysctls) = { .name = nm,                   \
							     .value = var,                 \
							     .max = ARRAY_SIZE(words) - 1, \
							     .help = hlp,                  \
							     .word = words,                \
							     .refuse = no }

/* shell_printf() - to whoever asked; waits for room (yields) when the console is full. */
void shell_printf(struct shell *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * shell_expected() - word @i (or the end of the line, if there is none) is not what the command can
 * take.
 * Prints "FILE:LINE:COL: expected WHAT, found 'WORD'" (on the terminal without file and line) and
 * returns -EINVAL.
 */
int shell_expected(struct shell *sh, int i, const char *what);
/*
 * shell_expected_at() - the same at column @col, inside a word; @found is NULL for the end of the
 * line.
 */
int shell_expected_at(struct shell *sh, unsigned col, const char *what, const char *found);
/*
 * shell_error() - the words were right but it cannot be done: prints "FILE:LINE:COL: TEXT"; returns
 * @err.
 */
int shell_error(struct shell *sh, int i, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* word_is() - is there a word @i, and is it @s? */
static inline bool word_is(int n, const struct word *w, int i, const char *s)
{
	return i < n && __builtin_strcmp(w[i].s, s) == 0;
}

/*
 * shell_uint() - word @i as a number (decimal, or hex with 0x) between lo and hi; says what was
 * expected if not.
 */
int shell_uint(struct shell *sh, int i, unsigned long lo, unsigned long hi, unsigned long *out);

/*
 * shell_name() - word @i as a name that something gets, into to[@size]: letters, digits,
 * '_', '.' and '-', a letter first, since a port may be named by its number as well. Says
 * what was expected if it is none.
 */
int shell_name(struct shell *sh, int i, char *to, size_t size);

/*
 * shell_exec() - run one line (comments by #, words by blanks, '…' and "…" quote): a command;
 * several, parted by ;, of which one that fails is the last; or joined by |, where the next one's
 * input is what one said, once it has ended. Returns 0 or a negative errno.
 */
int shell_exec(struct shell *sh, const char *line);

/*
 * shell_to_console() - a struct shell's write for who speaks to the operator: the terminal,
 * weir.conf at boot.
 */
void shell_to_console(struct shell *sh, const char *s, size_t n);

/*
 * command_find() - NULL if there is none. command_next() - the one behind @name in the alphabet; ""
 * begins.
 */
const struct command *command_find(const char *name);
const struct command *command_next(const char *name);

/*
 * config_run() - run @text, called @file in messages, line by line. Every line is tried; returns
 * how many failed.
 * @failed (may be NULL) is called with every word of a line that failed: what it names stays down.
 */
unsigned config_run(struct shell *sh, const char *file, const char *text, size_t len,
		    void (*failed)(const char *word));

/*
 * shell_main() - prompt, edit, execute, for ever: the control context's body once the boot list is
 * through.
 */
_Noreturn void shell_main(void);

/*
 * `show config` prints what would rebuild what runs now: each room adds its lines here, in boot
 * order of the rooms.
 */
struct config_source {
	/* 10 kernel, 20 drivers, 25 guests are made, 30 net ports, 40 net rules, 50 guests start */
	unsigned order;
	void (*print)(struct shell *sh);
};

SET_DECLARE(const struct config_source, configs);
#define CONFIG_SOURCE(id, ...) \
	static const struct config_source id SET_ENTRY(configs) = { __VA_ARGS__ }
