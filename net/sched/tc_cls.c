/* SPDX-License-Identifier: MIT */
/*
 * tc_cls.c - `tc filter`, and `tc qdisc ... clsact`: the ingress hook of a port as
 * iproute2 makes and shows it
 *
 * Called by tc.c and tc_qdisc.c in the control context. Owns nothing; hooks and
 * filters are tc_filter.c's.
 */
#include "tc_cls.h"

#include "net/tc_filter.h"
#include "net/observe/tcpdump.h"
#include "net/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAM_TEXT = 64 * 1024, HANDLE_MAX = 0xffff };

/* port_at() - word @i is dev, the one behind it a port; NULL, having said what was expected. */
static struct port *port_at(struct shell *sh, int i)
{
	struct port *port = NULL;

	if (!word_is(sh->nwords, sh->word, i, "dev")) {
		shell_expected(sh, i, "dev");
		return NULL;
	}
	if (i + 1 < sh->nwords)
		port = port_by_name(sh->word[i + 1].s);
	if (!port)
		shell_expected(sh, i + 1, "a port");
	return port;
}

static int expect_end(struct shell *sh, int i)
{
	return i < sh->nwords ? shell_expected(sh, i, "the end of the line") : 0;
}

/* --- tc qdisc --- */

int tc_clsact_change(struct shell *sh, int i)
{
	bool add = word_is(sh->nwords, sh->word, i, "add");
	struct port *port;

	if (!add && !word_is(sh->nwords, sh->word, i, "del"))
		return shell_expected(sh, i, "add or del");
	port = port_at(sh, i + 1);
	if (!port || expect_end(sh, i + 4))
		return -EINVAL;
	if (tc_clsact(port) == add)
		return shell_error(sh, i + 3, add ? -EEXIST : -ENOENT, "%s has %s clsact",
				   port->name, add ? "a" : "no");
	tc_clsact_set(port, add);
	return 0;
}

/* --- tc filter --- */

/* hook_at() - dev PORT ingress, from word @i on; the port has the hook. */
static struct port *hook_at(struct shell *sh, int i)
{
	struct port *port = port_at(sh, i);

	if (!port)
		return NULL;
	if (!word_is(sh->nwords, sh->word, i + 2, "ingress")) {
		shell_expected(sh, i + 2, "ingress");
		return NULL;
	}
	if (!tc_clsact(port)) {
		shell_error(sh, i + 1, -ENOENT, "%s has no hook: tc qdisc add dev %s clsact",
			    port->name, port->name);
		return NULL;
	}
	return port;
}

/* pref_at() - pref or prio N at word *@i, if it is there; *@pref stays as it is if not. */
static int pref_at(struct shell *sh, int *i, unsigned long *pref)
{
	int err;

	if (!word_is(sh->nwords, sh->word, *i, "pref") &&
	    !word_is(sh->nwords, sh->word, *i, "prio"))
		return 0;
	err = shell_uint(sh, *i + 1, 1, UINT16_MAX, pref);
	*i += 2;
	return err;
}

static int action_at(struct shell *sh, int i, enum tc_action *action)
{
	if (!word_is(sh->nwords, sh->word, i, "action"))
		return shell_expected(sh, i, "action");
	if (word_is(sh->nwords, sh->word, i + 1, "drop"))
		*action = TC_ACT_SHOT;
	else if (word_is(sh->nwords, sh->word, i + 1, "ok") ||
		 word_is(sh->nwords, sh->word, i + 1, "pass"))
		*action = TC_ACT_OK;
	else
		return shell_expected(sh, i + 1, "drop, ok or pass");
	return expect_end(sh, i + 2);
}

/*
 * filter_read() - [pref N] [protocol all] bpf bytecode TEXT|bytecode-file NAME
 * action WORD, from word @i on.
 */
static int filter_read(struct shell *sh, int i, struct tc_filter *f)
{
	unsigned long pref = 0;
	bool file;

	if (word_is(sh->nwords, sh->word, i, "protocol")) {
		if (!word_is(sh->nwords, sh->word, i + 1, "all"))
			return shell_expected(sh, i + 1, "all: the program looks at the type");
		i += 2;
	}
	if (pref_at(sh, &i, &pref))
		return -EINVAL;
	f->pref = pref;
	if (!word_is(sh->nwords, sh->word, i, "bpf"))
		return shell_expected(sh, i, "bpf");
	file = word_is(sh->nwords, sh->word, i + 1, "bytecode-file");
	if (!file && !word_is(sh->nwords, sh->word, i + 1, "bytecode"))
		return shell_expected(sh, i + 1, "bytecode or bytecode-file");
	f->prog = bpf_word(sh, i + 2, file);
	if (!f->prog)
		return -EINVAL;
	if (file && strlen(sh->word[i + 2].s) >= TC_FILE)
		return shell_expected(sh, i + 2, "a name of at most 47 letters");
	if (file)
		strcpy(f->file, sh->word[i + 2].s);
	return action_at(sh, i + 3, &f->action);
}

/* filter_add(), filter_del(), filter_show(): @i is the word behind the verb */
static int filter_add(struct shell *sh, int i)
{
	struct port *port = hook_at(sh, i);
	struct tc_filter *f = port ? calloc(1, sizeof(*f)) : NULL;
	int err;

	if (!port)
		return -EINVAL;
	if (!f)
		return shell_error(sh, 0, -ENOMEM, "no memory");
	err = filter_read(sh, i + 3, f);
	if (!err && tc_filter_add(port, f))
		err = shell_error(sh, i + 1, -ENOSPC, "no more than %u filters a port",
				  TC_FILTERS_MAX);
	if (err) {
		free(f->prog);
		free(f);
	}
	return err;
}

static int filter_del(struct shell *sh, int i)
{
	struct port *port = hook_at(sh, i);
	unsigned long pref = 0, handle = 0;
	int from = i + 3;

	i = from;
	if (!port || pref_at(sh, &i, &pref))
		return -EINVAL;
	if (word_is(sh->nwords, sh->word, i, "handle")) {
		if (shell_uint(sh, i + 1, 1, HANDLE_MAX, &handle))
			return -EINVAL;
		i += 2;
	}
	if (word_is(sh->nwords, sh->word, i, "bpf"))
		i++;
	if (expect_end(sh, i))
		return -EINVAL;
	if (!tc_filter_del(port, pref, handle) && pref)
		return shell_error(sh, from, -ENOENT, "%s has no such filter", port->name);
	return 0;
}

/*
 * program_text() - as it would be typed: the file's name, or the instructions; from the
 * heap, NULL if that is full.
 */
static char *program_text(const struct tc_filter *f)
{
	struct text t = { malloc(PROGRAM_TEXT), PROGRAM_TEXT, 0 };

	if (!t.buf)
		return NULL;
	text_add(&t, f->file[0] ? "bytecode-file %s" : "bytecode '", f->file);
	if (!f->file[0]) {
		bpf_text(f->prog, &t);
		text_add(&t, "'");
	}
	return t.buf;
}

static const char *action_name(const struct tc_filter *f)
{
	return f->action == TC_ACT_SHOT ? "drop" : "pass";
}

static void filter_print(struct shell *sh, const struct tc_filter *f, bool stats)
{
	struct tc_hits sum = { 0 };
	char *program = program_text(f);

	cpu_for_each(i) {
		sum.packets += f->hits[i].packets;
		sum.bytes += f->hits[i].bytes;
	}
	shell_printf(sh,
		     "filter protocol all pref %u bpf chain 0 \n"
		     "filter protocol all pref %u bpf chain 0 handle 0x%x %s not_in_hw \n",
		     f->pref, f->pref, (unsigned)f->handle, program ? program : "(no memory)");
	shell_printf(sh,
		     "\taction order 1: gact action %s\n\t random type none pass val 0\n"
		     "\t index %u ref 1 bind 1\n",
		     action_name(f), (unsigned)f->handle);
	if (stats)
		shell_printf(sh,
			     "\tAction statistics:\n\tSent %lu bytes %lu pkt (dropped %lu, "
			     "overlimits 0 requeues 0) \n\tbacklog 0b 0p requeues 0\n",
			     (unsigned long)sum.bytes, (unsigned long)sum.packets,
			     f->action == TC_ACT_SHOT ? (unsigned long)sum.packets : 0);
	shell_printf(sh, "\n");
	free(program);
}

static int filter_show(struct shell *sh, int i, bool stats)
{
	struct port *port = hook_at(sh, i);

	if (!port || expect_end(sh, i + 3))
		return -EINVAL;
	for (const struct tc_filter *f = tc_filter_first(port); f; f = f->next)
		filter_print(sh, f, stats);
	return 0;
}

int tc_filter(struct shell *sh, int i, bool counts)
{
	if (word_is(sh->nwords, sh->word, i, "add"))
		return filter_add(sh, i + 1);
	if (word_is(sh->nwords, sh->word, i, "del"))
		return filter_del(sh, i + 1);
	if (word_is(sh->nwords, sh->word, i, "show"))
		return filter_show(sh, i + 1, counts);
	return shell_expected(sh, i, "add, del or show");
}

static void print_config(struct shell *sh)
{
	port_for_each(i) {
		if (tc_clsact(ports[i]))
			shell_printf(sh, "tc qdisc add dev %s clsact\n", ports[i]->name);
		for (const struct tc_filter *f = tc_filter_first(ports[i]); f; f = f->next) {
			char *program = program_text(f);

			shell_printf(sh, "tc filter add dev %s ingress pref %u bpf %s action %s\n",
				     ports[i]->name, f->pref, program ? program : "(no memory)",
				     action_name(f));
			free(program);
		}
	}
}

CONFIG_SOURCE(config_tc, .order = 31, .print = print_config);
