/* SPDX-License-Identifier: MIT */
/*
 * tc_qdisc.c - `tc qdisc`: iproute2's words for queueing disciplines
 *
 * Control context. A discipline is changed by making it anew; what waited in the one before is
 * dropped with its reason.
 */
#include "tc_qdisc.h"

#include "kernel/park.h"
#include "qdisc.h"
#include "net/tc_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* iproute2's and the kernel's defaults */
static const struct qdisc_options pfifo_defaults = { .kind = &qdisc_pfifo, .limit = 1000 };
static const struct qdisc_options fq_codel_defaults = {
	.kind = &qdisc_fq_codel,
	.limit = QDISC_LIMIT_MAX,
	.flows = QDISC_FLOWS_MAX,
	.quantum = 1514,
	.target_us = 5000,
	.interval_us = 100000,
	.ecn = true,
};

/* --- numbers with units --- */

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit rates[] = {
	/* to bytes a second times 8 */
	{ "", 1 },           { "bit", 1 },           { "kbit", 1000 },
	{ "mbit", 1000000 }, { "gbit", 1000000000 }, { "bps", 8 },
	{ "kbps", 8000 },    { "mbps", 8000000 },    { NULL, 0 },
};
static const struct unit sizes[] = {
	/* to bytes, as tc has them: k is 1024 */
	{ "", 1 },        { "b", 1 },        { "k", 1024 }, { "kb", 1024 },
	{ "m", 1 << 20 }, { "mb", 1 << 20 }, { NULL, 0 },
};
static const struct unit times[] = {
	/* to microseconds */
	{ "", 1 },         { "us", 1 },      { "usecs", 1 },      { "ms", 1000 },
	{ "msecs", 1000 }, { "s", 1000000 }, { "secs", 1000000 }, { NULL, 0 },
};
static const struct unit counts[] = { { "", 1 }, { "p", 1 }, { NULL, 0 } };

/* number() - word @i with one of @units, within lo and hi; says what was expected if it is none. */
static int number(struct shell *sh, int i, const struct unit *units, uint64_t lo, uint64_t hi,
		  const char *what, uint64_t *out)
{
	const char *s = i < sh->nwords ? sh->word[i].s : "";
	char *end;
	uint64_t n = strtoul(s, &end, 10);

	for (; end != s && units->name; units++) {
		if (strcasecmp(end, units->name) || n > UINT64_MAX / units->factor)
			continue;
		*out = n * units->factor;
		if (*out >= lo && *out <= hi)
			return 0;
	}
	return shell_expected(sh, i, what);
}

/* --- add, replace, change --- */

/*
 * one option, word @i and the next, into @o. Returns how many words it took, 0 if it
 * is none, or an error said.
 */
static int option(struct shell *sh, int i, struct qdisc_options *o)
{
	const char *s = sh->word[i].s;
	bool fq = o->kind == &qdisc_fq_codel;
	uint64_t v = 0;
	int err = 0;

	if (!strcmp(s, "limit") && !(o->rate && !fq)) {
		err = number(sh, i + 1, counts, 1, QDISC_LIMIT_MAX, "packets, 1 to 4096", &v);
		o->limit = v;
	} else if (fq && !strcmp(s, "flows")) {
		err = number(sh, i + 1, counts, 1, QDISC_FLOWS_MAX, "flows, 1 to 1024", &v);
		o->flows = v;
	} else if (fq && !strcmp(s, "quantum")) {
		err = number(sh, i + 1, sizes, 64, 1 << 20, "bytes a turn, 64 at least", &v);
		o->quantum = v;
	} else if (fq && !strcmp(s, "target")) {
		err = number(sh, i + 1, times, 1, 1000000, "a time, as in 5ms", &v);
		o->target_us = v;
	} else if (fq && !strcmp(s, "interval")) {
		err = number(sh, i + 1, times, 1, 10000000, "a time, as in 100ms", &v);
		o->interval_us = v;
	} else if (fq && (!strcmp(s, "ecn") || !strcmp(s, "noecn"))) {
		o->ecn = *s == 'e';
		return 1;
	} else {
		return 0;
	}
	return err ? err : 2;
}

static int options(struct shell *sh, int i, struct qdisc_options *o)
{
	while (i < sh->nwords) {
		int took = option(sh, i, o);

		if (took < 0)
			return took;
		if (!took)
			return shell_expected(
				sh, i,
				o->kind == &qdisc_fq_codel
					? "limit, flows, quantum, target, interval, ecn or noecn"
					: "limit N");
		i += took;
	}
	return 0;
}

/*
 * tbf rate RATE burst SIZE [limit PACKETS]: a bucket around a pfifo, or around what
 * its class was given before
 */
static int bucket(struct shell *sh, int i, struct qdisc_options *o)
{
	uint64_t v;
	int err;

	if (!word_is(sh->nwords, sh->word, i, "rate"))
		return shell_expected(sh, i, "rate");
	err = number(sh, i + 1, rates, 8000, UINT64_C(100000000000), "a rate of 8kbit at least",
		     &v);
	if (err)
		return err;
	*o = pfifo_defaults;
	o->rate = v / 8;
	if (!word_is(sh->nwords, sh->word, i + 2, "burst"))
		return shell_expected(sh, i + 2, "burst");
	err = number(sh, i + 3, sizes, 64, 1 << 24, "bytes that may go at once, 64 at least", &v);
	if (err)
		return err;
	o->burst = v;
	if (i + 4 == sh->nwords)
		return 0;
	if (!word_is(sh->nwords, sh->word, i + 4, "limit"))
		return shell_expected(sh, i + 4, "limit or the end of the line");
	err = number(sh, i + 5, counts, 1, QDISC_LIMIT_MAX, "packets, 1 to 4096", &v);
	if (err)
		return err;
	o->limit = v;
	return i + 6 < sh->nwords ? shell_expected(sh, i + 6, "the end of the line") : 0;
}

/* kind_at() - the discipline that word @i names, and its options behind it. */
static int kind_at(struct shell *sh, int i, struct qdisc_options *o)
{
	int n = sh->nwords;

	if (word_is(n, sh->word, i, "tbf"))
		return bucket(sh, i + 1, o);
	if (word_is(n, sh->word, i, "fq_codel"))
		*o = fq_codel_defaults;
	else if (word_is(n, sh->word, i, "pfifo"))
		*o = pfifo_defaults;
	else
		return shell_expected(sh, i, "pfifo, fq_codel or tbf");
	return options(sh, i + 1, o);
}

static int install(struct shell *sh, struct port *port, const struct qdisc_options *o)
{
	if (qdisc_set(port, o))
		return shell_error(sh, 0, -ENOMEM, "no memory for %u packets a queue", o->limit);
	return 0;
}

/* has() - what @port has now; NULL: nothing */
static const struct qdisc_options *has(const struct port *port)
{
	return port->qdisc && port->qdisc->o.kind ? &port->qdisc->o : NULL;
}

/* root [handle 1:] KIND... */
static int set_root(struct shell *sh, int i, struct port *port, bool add)
{
	struct qdisc_options o;
	int err;

	if (word_is(sh->nwords, sh->word, i, "handle")) {
		if (!word_is(sh->nwords, sh->word, i + 1, "1:"))
			return shell_expected(sh, i + 1, "1:");
		i += 2;
	}
	err = kind_at(sh, i, &o);
	if (err)
		return err;
	if (add && has(port))
		return shell_error(sh, 2, -EEXIST, "%s has one; 'replace' takes its place",
				   port->name);
	return install(sh, port, &o);
}

/* parent 1:1 KIND...: what stands inside the bucket */
static int set_inner(struct shell *sh, int i, struct port *port)
{
	struct qdisc_options o;
	int err;

	if (!word_is(sh->nwords, sh->word, i, "1:1") && !word_is(sh->nwords, sh->word, i, "1:"))
		return shell_expected(sh, i, "1:1");
	if (!has(port) || !has(port)->rate)
		return shell_error(sh, i, -ENOENT, "%s has no tbf for it to stand in", port->name);
	if (word_is(sh->nwords, sh->word, i + 1, "tbf"))
		return shell_expected(sh, i + 1, "pfifo or fq_codel");
	err = kind_at(sh, i + 1, &o);
	if (err)
		return err;
	o.rate = has(port)->rate;
	o.burst = has(port)->burst;
	return install(sh, port, &o);
}

/* --- show --- */

/* print_time() - as tc does: 5ms, 100ms, 1s, 250us */
static void print_time(struct shell *sh, const char *name, unsigned us)
{
	if (us % 1000000 == 0)
		shell_printf(sh, " %s %us", name, us / 1000000);
	else if (us % 1000 == 0)
		shell_printf(sh, " %s %ums", name, us / 1000);
	else
		shell_printf(sh, " %s %uus", name, us);
}

static void print_rate(struct shell *sh, uint64_t bytes)
{
	static const struct unit to[] = {
		{ "Gbit", 1000000000 }, { "Mbit", 1000000 }, { "Kbit", 1000 }, { "bit", 1 }
	};
	uint64_t bits = bytes * 8;
	const struct unit *u = to;

	while (bits % u->factor || bits < u->factor)
		u++;
	shell_printf(sh, " rate %lu%s", (unsigned long)(bits / u->factor), u->name);
}

static void print_options(struct shell *sh, const struct qdisc_options *o)
{
	shell_printf(sh, " limit %up", o->limit);
	if (o->kind != &qdisc_fq_codel)
		return;
	shell_printf(sh, " flows %u quantum %u", o->flows, o->quantum);
	print_time(sh, "target", o->target_us);
	print_time(sh, "interval", o->interval_us);
	shell_printf(sh, o->ecn ? " ecn" : "");
}

void tc_qdisc_print(struct shell *sh, const struct port *port)
{
	const struct qdisc_options *o = has(port) ? has(port) : &pfifo_defaults;

	shell_printf(sh, "%s %s", o->rate ? "parent 1:1" : "root", o->kind->name);
	print_options(sh, o);
	if (o->kind == &qdisc_fq_codel && !o->ecn)
		shell_printf(sh, " noecn");
}

typedef unsigned long ul;

static void print_counts(struct shell *sh, const struct port *port)
{
	struct qdisc q;

	cores_park();
	q = *port->qdisc;
	cores_resume();
	shell_printf(sh, " Sent %lu bytes %lu pkt (dropped %lu, overlimits %lu requeues %lu)\n",
		     (ul)q.sent_bytes, (ul)q.sent_packets, (ul)q.dropped, (ul)q.overlimits,
		     (ul)q.requeues);
	shell_printf(sh, " backlog %lub %up requeues %lu\n", (ul)q.backlog, (unsigned)q.packets,
		     (ul)q.requeues);
	if (q.o.kind == &qdisc_fq_codel)
		shell_printf(sh, "  ecn_mark %lu\n", (ul)q.marked);
}

static void print_port(struct shell *sh, const struct port *port, bool counts)
{
	const struct qdisc_options *o = has(port);

	if (tc_clsact(port))
		shell_printf(sh, "qdisc clsact ffff: dev %s parent ffff:fff1\n", port->name);
	if (!o) {
		shell_printf(sh, "qdisc noqueue 0: dev %s root\n", port->name);
		return;
	}
	if (o->rate) {
		shell_printf(sh, "qdisc tbf 1: dev %s root", port->name);
		print_rate(sh, o->rate);
		shell_printf(sh, " burst %ub\n", (unsigned)o->burst);
	}
	shell_printf(sh, "qdisc %s %s dev %s %s", o->kind->name, o->rate ? "2:" : "1:", port->name,
		     o->rate ? "parent 1:1" : "root");
	print_options(sh, o);
	shell_printf(sh, "\n");
	if (counts)
		print_counts(sh, port);
}

static int show(struct shell *sh, int i, bool counts)
{
	struct port *match[PORT_MAX];
	int n;

	if (i == sh->nwords) {
		port_for_each(p)
			print_port(sh, ports[p], counts);
		return 0;
	}
	if (!word_is(sh->nwords, sh->word, i, "dev"))
		return shell_expected(sh, i, "dev or the end of the line");
	n = port_words(sh, i + 1, match);
	if (n > 0 && i + 2 < sh->nwords)
		return shell_expected(sh, i + 2, "the end of the line");
	for (int p = 0; p < n; p++)
		print_port(sh, match[p], counts);
	return MIN(n, 0);
}

/* --- the command --- */

/* change() - word @i is the verb; behind it dev PORT and the place. */
static int change(struct shell *sh, int i)
{
	struct port *match[PORT_MAX];
	bool del = word_is(sh->nwords, sh->word, i, "del");
	int n, err = 0, at = i + 3;

	if (!word_is(sh->nwords, sh->word, i + 1, "dev"))
		return shell_expected(sh, i + 1, "dev");
	n = port_words(sh, i + 2, match);
	if (n < 0)
		return n;
	for (int p = 0; p < n && !err; p++) {
		if (word_is(sh->nwords, sh->word, at, "parent") && !del)
			err = set_inner(sh, at + 1, match[p]);
		else if (!word_is(sh->nwords, sh->word, at, "root"))
			err = shell_expected(sh, at, del ? "root" : "root or parent");
		else if (!del)
			err = set_root(sh, at + 1, match[p],
				       word_is(sh->nwords, sh->word, i, "add"));
		else if (at + 1 < sh->nwords)
			err = shell_expected(sh, at + 1, "the end of the line");
		else if (!has(match[p]))
			err = shell_error(sh, at, -ENOENT, "%s has none", match[p]->name);
		else
			qdisc_clear(match[p]);
	}
	return err;
}

int tc_qdisc(struct shell *sh, int i, bool counts)
{
	static const char *const verbs[] = { "add", "replace", "change", "del" };

	if (i == sh->nwords || word_is(sh->nwords, sh->word, i, "show"))
		return show(sh, MIN(i + 1, sh->nwords), counts);
	for (unsigned v = 0; v < ARRAY_SIZE(verbs); v++)
		if (word_is(sh->nwords, sh->word, i, verbs[v]))
			return change(sh, i);
	return shell_expected(sh, i, "add, replace, change, del or show");
}

static void print_config(struct shell *sh)
{
	port_for_each(i) {
		const struct qdisc_options *o = has(ports[i]);

		if (!o)
			continue;
		if (o->rate) {
			shell_printf(sh, "tc qdisc add dev %s root handle 1: tbf", ports[i]->name);
			print_rate(sh, o->rate);
			shell_printf(sh, " burst %ub\n", (unsigned)o->burst);
		}
		shell_printf(sh, "tc qdisc add dev %s ", ports[i]->name);
		tc_qdisc_print(sh, ports[i]);
		shell_printf(sh, "\n");
	}
}

CONFIG_SOURCE(qdisc_config, .order = 36, .print = print_config);
