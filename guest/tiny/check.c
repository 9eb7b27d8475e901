/* SPDX-License-Identifier: MIT */
/*
 * check.c - the command `check`: one by name, or all that need no words
 *
 * A check that takes an exception which it did not ask for has failed, and the next one begins.
 * What a check waits for it waits for with a bound of its own; the name stands on the console
 * before it begins, should it never come back.
 */
#include "check.h"

#include "command.h"
#include "console.h"
#include "cpu.h"
#include "lib.h"
#include "trap.h"

static bool lacking; /* what the last check returned came from lacks() */

static const char *formatted(const char *fmt, va_list args)
{
	static char text[200];

	vformat(text, sizeof(text), fmt, args);
	return text;
}

const char *seen(const char *fmt, ...)
{
	const char *text;
	va_list args;

	va_start(args, fmt);
	text = formatted(fmt, args);
	va_end(args);
	return text;
}

const char *lacks(const char *fmt, ...)
{
	const char *text;
	va_list args;

	va_start(args, fmt);
	text = formatted(fmt, args);
	va_end(args);
	lacking = true;
	return text;
}

const char *check_parts(const char *(*const part[])(void), unsigned parts, void (*fresh)(void))
{
	const char *wrong = NULL;

	for (unsigned i = 0; i < parts && !wrong; i++) {
		fresh();
		wrong = part[i]();
	}
	return wrong;
}

struct running {
	const struct check *check;
	int n;
	char **word;
	const char *wrong;
	bool done;
};

static void op_run(void *arg)
{
	struct running *r = arg;

	r->wrong = r->check->run(r->n, r->word);
	r->done = true;
}

/* run() - what @c returned; interrupts are on again behind it, and no hook is left. */
static const char *run(const struct check *c, int n, char **word)
{
	struct running r = { .check = c, .n = n, .word = word };

	lacking = false;
	try(op_run, &r);
	trap_hook = NULL;
	nmi_hook = NULL;
	irq_enable();
	if (r.done)
		return r.wrong;
	lacking = false;
	return seen("exception %lu error %lx rip %lx cr2 %lx", caught.frame.vector,
		    caught.frame.error, caught.frame.rip, caught.cr2);
}

static void check_all(void)
{
	unsigned checks = 0, failed = 0, lacked = 0;

	set_for_each(c, tiny_checks) {
		const char *wrong;

		if (c->alone)
			continue;
		say("  check %s: ", c->name);
		wrong = run(c, 0, NULL);
		checks++;
		if (!wrong) {
			say("pass\n");
		} else if (lacking) {
			lacked++;
			say("n/a: %s\n", wrong);
		} else {
			failed++;
			say("FAIL: %s\n", wrong);
		}
	}
	if (failed)
		answer_fail("%u of %u checks", failed, checks);
	else
		answer_ok("%u checks, %u of them not for this machine", checks, lacked);
}

static void check_one(const struct check *c, int n, char **word)
{
	const char *wrong = run(c, n, word);

	if (!wrong)
		answer_ok("check %s", c->name);
	else if (lacking)
		answer_ok("check %s n/a: %s", c->name, wrong);
	else
		answer_fail("check %s: %s", c->name, wrong);
}

static void check(int n, char **word)
{
	if (n == 1) {
		check_all();
		return;
	}
	set_for_each(c, tiny_checks) {
		if (!strcmp(c->name, word[1])) {
			check_one(c, n - 1, word + 1);
			return;
		}
	}
	set_for_each(c, tiny_checks)
		say("  check %s: %s\n", c->name, c->help);
	answer_fail("no check %s", word[1]);
}

COMMAND(command_check, .name = "check", .usage = "[NAME [WORD...]]",
	.help = "does the machine do what a machine does?", .run = check);
