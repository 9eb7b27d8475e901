/* SPDX-License-Identifier: MIT */
/*
 * tcpdump_words.c - tcpdump's options, and its filter: compiled by the host, or given as a program
 *
 * Called by tcpdump.c and, for programs, by tc.c, in the control context. Owns nothing.
 */
#include "tcpdump.h"

#include "kernel/archive.h"
#include "kernel/hostlink.h"
#include "kernel/words.h"
#include "net/taps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SNAPLEN = 262144,
	RING_KIB = 256, /* of each core */
	RING_KIB_MAX = 4096,
	COUNT_MAX = 1000000000,
	WHY = 160,
};

/* where the reader stands: at word @i, and in it at letter @at of an option's letters */
struct reader {
	struct shell *sh;
	int n, i;
	const struct word *w;
	const char *at;
	struct tcpdump_words *to;
	bool drops; /* --drops */
};

struct bpf_prog *bpf_word(struct shell *sh, int i, bool file)
{
	char why[WHY];
	const void *text;
	size_t len;
	struct bpf_prog *prog;

	if (i >= sh->nwords) {
		shell_expected(sh, i, file ? "a file of the boot archive" : "a program");
		return NULL;
	}
	text = sh->word[i].s;
	len = strlen(text);
	if (file && archive_file(sh->word[i].s, &text, &len)) {
		shell_error(sh, i, -ENOENT, "%s", archive_reason());
		return NULL;
	}
	prog = bpf_parse(text, len, why, sizeof(why));
	if (!prog)
		shell_error(sh, i, -EINVAL, "no program: %s", why);
	return prog;
}

/* --- options with a value: it stands behind their letter, or is the next word --- */

static const char *value(struct reader *r)
{
	const char *s = r->at + 1;

	if (!*s)
		return r->i + 1 < r->n ? r->w[++r->i].s : NULL;
	return s;
}

static int number(struct reader *r, unsigned long lo, unsigned long hi, unsigned long *v)
{
	const char *s = value(r);
	char what[64];

	if (s && words_number(s, v) && *v >= lo && *v <= hi)
		return 0;
	snprintf(what, sizeof(what), "a number from %lu to %lu", lo, hi);
	return s ? shell_expected(r->sh, r->i, what) : shell_expected(r->sh, r->n, what);
}

static int read_port(struct reader *r)
{
	const char *s = value(r);

	r->to->any = s && !strcmp(s, "any");
	r->to->port = s ? port_by_name(s) : NULL;
	if (!r->to->any && !r->to->port)
		return shell_expected(r->sh, s ? r->i : r->n, "a port, or any");
	if (r->to->port && !r->to->port->up)
		return shell_error(r->sh, r->i, -ENETDOWN, "%s: That device is not up", s);
	return 0;
}

static int read_where(struct reader *r)
{
	static const struct {
		const char *name;
		uint8_t where;
	} choice[] = { { "in", TAP_IN },
		       { "out", TAP_OUT },
		       { "inout", TAP_IN | TAP_OUT },
		       { "drop", TAP_DROPS } };
	const char *s = value(r);

	for (unsigned i = 0; s && i < ARRAY_SIZE(choice); i++) {
		if (!strcmp(s, choice[i].name)) {
			r->to->where = choice[i].where;
			return 0;
		}
	}
	return shell_expected(r->sh, s ? r->i : r->n, "in, out, inout or drop");
}

static int read_ring(struct reader *r)
{
	unsigned long kib;
	int err = number(r, TAPS_RING_MIN / 1024, RING_KIB_MAX, &kib);

	if (err)
		return err;
	while (kib & (kib - 1)) /* a power of two, not less than was asked for */
		kib += kib & -kib;
	r->to->ring = kib * 1024;
	return 0;
}

static int read_snaplen(struct reader *r)
{
	unsigned long v;
	int err = number(r, 0, SNAPLEN, &v);

	r->to->snaplen = v ? v : SNAPLEN; /* 0 means the most, as in tcpdump */
	return err;
}

/* letter() - the option at r->at. Returns 1 if it had a value: the rest of its word is that. */
static int letter(struct reader *r)
{
	int err;

	switch (*r->at) {
	case 'i': err = read_port(r); break;
	case 'c': err = number(r, 1, COUNT_MAX, &r->to->count); break;
	case 's': err = read_snaplen(r); break;
	case 'B': err = read_ring(r); break;
	case 'Q': err = read_where(r); break;
	case 'w':
		r->to->file = value(r);
		err = r->to->file ? 0 : shell_expected(r->sh, r->n, "a name for the file");
		break;
	case 'e': r->to->link = true; return 0;
	case 'v': r->to->verbose++; return 0;
	case 'S': r->to->absolute = true; return 0;
	case 'x': r->to->hex++; return 0;
	case 'X': r->to->hex = (r->to->hex + 1) | HEX_LETTERS; return 0;
	case 't': r->to->bare++; return 0;
	case 'n':
	case 'l':
	case 'p':
	case 'U': return 0; /* as it is anyhow */
	default:
		return shell_expected(
			r->sh, r->i,
			"an option of tcpdump: -i -c -w -s -B -Q -e -n -v -x -X -S -t");
	}
	return err ? err : 1;
}

static int letters(struct reader *r)
{
	for (r->at = r->w[r->i].s + 1; *r->at; r->at++) {
		int rc = letter(r);

		if (rc)
			return rc < 0 ? rc : 0;
	}
	return 0;
}

static int program(struct reader *r, bool file)
{
	free(r->to->filter);
	r->to->filter = bpf_word(r->sh, ++r->i, file);
	return r->to->filter ? 0 : -EINVAL;
}

static int option(struct reader *r)
{
	const char *s = r->w[r->i].s;

	if (!strcmp(s, "--drops"))
		r->drops = true;
	else if (!strcmp(s, "--bytecode"))
		return program(r, false);
	else if (!strcmp(s, "--bytecode-file"))
		return program(r, true);
	else if (s[1] == '-')
		return shell_expected(r->sh, r->i, "--drops, --bytecode or --bytecode-file");
	else
		return letters(r);
	return 0;
}

/* --- the expression --- */

static int no_host(struct shell *sh, int i, int err)
{
	return shell_error(
		sh, i, err,
		"%s, where filters are compiled; expected --bytecode and the program, as any "
		"host prints it by tcpdump -ddd",
		hostlink_reason());
}

/* compile() - what stands from word @i on, by the host. */
static int compile(struct shell *sh, int i, struct tcpdump_words *to)
{
	struct bpf_insn *insn = malloc(BPF_MAXINSNS * sizeof(*insn));
	char why[WHY];
	int n;

	if (!insn)
		return shell_error(sh, i, -ENOMEM, "no memory for a program");
	n = hostlink_compile(to->expression, insn, BPF_MAXINSNS * sizeof(*insn));
	if (n == -ENODEV || n == -ETIMEDOUT) {
		no_host(sh, i, n);
	} else if (n < 0) {
		shell_error(sh, i, n, "%s", hostlink_reason());
	} else {
		to->filter = bpf_prog_of(insn, n / sizeof(*insn), why, sizeof(why));
		if (!to->filter)
			n = shell_error(sh, i, -EINVAL, "what the host compiled: %s", why);
	}
	free(insn);
	return n < 0 ? n : 0;
}

static int expression(struct shell *sh, int n, int i, struct tcpdump_words *to)
{
	size_t len = 0;

	if (to->filter)
		return shell_expected(sh, i, "the end of the line, as there is a program");
	for (int k = i; k < n; k++) /* the line is no longer than there is room */
		len += snprintf(to->expression + len, sizeof(to->expression) - len, "%s%s",
				k > i ? " " : "", sh->word[k].s);
	return compile(sh, i, to);
}

/* first_up() - the port that tcpdump takes when it is told none. */
static struct port *first_up(void)
{
	port_for_each(i)
		if (ports[i]->up)
			return ports[i];
	return NULL;
}

int tcpdump_read(struct shell *sh, int n, const struct word *w, struct tcpdump_words *to)
{
	struct reader r = { .sh = sh, .n = n, .i = 1, .w = w, .to = to };

	*to = (struct tcpdump_words){ .snaplen = SNAPLEN, .ring = RING_KIB * 1024 };
	for (; r.i < n && w[r.i].s[0] == '-' && w[r.i].s[1]; r.i++) {
		int err = option(&r);

		if (err)
			return err;
	}
	if (!to->where)
		to->where = TAP_IN | TAP_OUT;
	if (r.drops)
		to->where |= (to->where & TAP_IN ? TAP_DROP_IN : 0) |
			     (to->where & TAP_OUT ? TAP_DROP_OUT : 0);
	if (!to->any && !to->port) {
		to->port = first_up();
		if (!to->port)
			return shell_error(sh, n, -ENETDOWN, "no port is up");
	}
	return r.i < n ? expression(sh, n, r.i, to) : 0;
}
