/* SPDX-License-Identifier: MIT */
/* check.c - the command `check`: one by name, or all that need no words */
#include "check.h"

#include "command.h"
#include "console.h"
#include "lib.h"

const char *seen(const char *fmt, ...)
{
	static char text[200];
	va_list args;

	va_start(args, fmt);
	vformat(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

static void check_all(void)
{
	unsigned run = 0, failed = 0;

	set_for_each(c, tiny_checks) {
		const char *wrong;

		if (c->alone)
			continue;
		wrong = c->run(0, NULL);
		run++;
		failed += wrong != NULL;
		say("  check %s: %s\n", c->name, wrong ? wrong : "held");
	}
	if (failed)
		answer_fail("%u of %u checks", failed, run);
	else
		answer_ok("%u checks", run);
}

static void check(int n, char **word)
{
	if (n == 1) {
		check_all();
		return;
	}
	set_for_each(c, tiny_checks) {
		if (!strcmp(c->name, word[1])) {
			const char *wrong = c->run(n - 1, word + 1);

			if (wrong)
				answer_fail("check %s: %s", word[1], wrong);
			else
				answer_ok("check %s", word[1]);
			return;
		}
	}
	set_for_each(c, tiny_checks)
		say("  check %s: %s\n", c->name, c->help);
	answer_fail("no check %s", word[1]);
}

COMMAND(command_check, .name = "check", .usage = "[NAME [WORD...]]",
	.help = "does the machine do what a machine does?", .run = check);
