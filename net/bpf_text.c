/* SPDX-License-Identifier: MIT */
/*
 * bpf_text.c - classic BPF programs from numbers, as tc and tcpdump write them
 *
 * Called by commands, in the control context. Owns nothing; a program lies on the
 * heap and is the caller's.
 */
#include "bpf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* where the reader stands, and where to say what is wrong */
struct scan {
	const char *at, *end;
	char *why;
	size_t size;
};

static struct bpf_prog *__attribute__((format(printf, 3, 4)))
no(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return NULL;
}

struct bpf_prog *bpf_prog_of(const struct bpf_insn *insn, unsigned n, char *why, size_t size)
{
	unsigned where;
	const char *wrong = bpf_check(insn, n, &where);
	struct bpf_prog *prog;

	if (wrong)
		return no(why, size, "instruction %u: %s", where, wrong);
	prog = malloc(sizeof(*prog) + n * sizeof(*insn));
	if (!prog)
		return no(why, size, "no memory for %u instructions", n);
	prog->n = n;
	memcpy(prog->insn, insn, n * sizeof(*insn));
	return prog;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(struct scan *s, bool commas)
{
	while (s->at < s->end && (is_space(*s->at) || (commas && *s->at == ',')))
		s->at++;
}

/* number() - the next one, decimal and at most @max. */
static bool number(struct scan *s, uint32_t max, uint32_t *v)
{
	const char *from;
	uint64_t n = 0;

	skip(s, false);
	for (from = s->at; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
		n = n * 10 + (*s->at - '0');
		if (n > max)
			return false;
	}
	*v = n;
	return s->at > from;
}

static bool instruction(struct scan *s, struct bpf_insn *i)
{
	uint32_t code, jt, jf, k;

	skip(s, true);
	if (!number(s, UINT16_MAX, &code) || !number(s, UINT8_MAX, &jt) ||
	    !number(s, UINT8_MAX, &jf) || !number(s, UINT32_MAX, &k))
		return false;
	*i = (struct bpf_insn){ .code = code, .jt = jt, .jf = jf, .k = k };
	return true;
}

struct bpf_prog *bpf_parse(const char *text, size_t len, char *why, size_t size)
{
	struct scan s = { .at = text, .end = text + len };
	struct bpf_prog *prog = NULL;
	struct bpf_insn *insn;
	uint32_t n;

	if (!number(&s, BPF_MAXINSNS, &n))
		return no(why, size, "it does not begin with a number of instructions, 1 to %u",
			  BPF_MAXINSNS);
	insn = calloc(n + 1, sizeof(*insn));
	if (!insn)
		return no(why, size, "no memory for %u instructions", (unsigned)n);
	for (unsigned i = 0; i < n; i++) {
		if (!instruction(&s, &insn[i])) {
			free(insn);
			return no(why, size,
				  "instruction %u of %u: four numbers are expected, 'code jt jf k'",
				  i, (unsigned)n);
		}
	}
	skip(&s, true);
	if (s.at < s.end)
		no(why, size, "more than the %u instructions that it announces", (unsigned)n);
	else
		prog = bpf_prog_of(insn, n, why, size);
	free(insn);
	return prog;
}

void bpf_text(const struct bpf_prog *prog, struct text *t)
{
	text_add(t, "%u", prog->n);
	for (unsigned i = 0; i < prog->n; i++) {
		const struct bpf_insn *in = &prog->insn[i];

		text_add(t, ",%u %u %u %u", in->code, in->jt, in->jf, (unsigned)in->k);
	}
}
