/* SPDX-License-Identifier: MIT */
/* command.c - from a line to a command. Main loop only. */
#include "command.h"

#include "console.h"
#include "lib.h"

static void answer(const char *how, const char *fmt, va_list args)
{
	char text[256];

	vformat(text, sizeof(text), fmt, args);
	say("%s%s%s\n", how, *text ? " " : "", text);
}

void answer_ok(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer("ok", fmt, args);
	va_end(args);
}

void answer_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	answer("FAIL", fmt, args);
	va_end(args);
}

uint64_t word_number(int n, char **word, int i, uint64_t otherwise)
{
	uint64_t v;

	return i < n && parse_number(word[i], &v) ? v : otherwise;
}

bool word_is(int n, char **word, int i, const char *s)
{
	return i < n && !strcmp(word[i], s);
}

static int split(char *line, char **word)
{
	int n = 0;

	while (n < WORDS_MAX) {
		while (*line == ' ')
			*line++ = 0;
		if (!*line)
			break;
		word[n++] = line;
		while (*line && *line != ' ')
			line++;
	}
	word[n] = NULL;
	return n;
}

static void run(char *text)
{
	char *word[WORDS_MAX + 1];
	int n = split(text, word);

	if (!n)
		return;
	set_for_each(c, tiny_commands) {
		if (!strcmp(c->name, word[0])) {
			c->run(n, word);
			return;
		}
	}
	answer_fail("no command %s: try help", word[0]);
}

void command_line(char *line)
{
	char *end;

	do {
		for (end = line; *end && *end != ';'; end++)
			;
		if (*end)
			*end++ = 0;
		run(line);
		line = end;
	} while (*line);
}

static void help(int n, char **word)
{
	(void)n;
	(void)word;
	set_for_each(c, tiny_commands)
		say("  %s %s: %s\n", c->name, c->usage, c->help);
	answer_ok("%s", "");
}

/* echo WORD...: answers with the words, so that whoever typed them knows what has been done */
static void echo(int n, char **word)
{
	char text[200] = "";
	size_t len = 0;

	for (int i = 1; i < n && len < sizeof(text) - 1; i++)
		len += format(text + len, sizeof(text) - len, i > 1 ? " %s" : "%s", word[i]);
	answer_ok("%s", text);
}

COMMAND(command_help, .name = "help", .usage = "", .help = "this list", .run = help);
COMMAND(command_echo, .name = "echo", .usage = "[WORD...]", .help = "ok WORD...", .run = echo);
