/* SPDX-License-Identifier: MIT */
/*
 * policy_compare.c - `policy compare QUEUE A B SECONDSs [--keep-best]`: two policies on
 * the traffic that there is
 *
 * Control context. Three phases of the same length, A, B and A again, so that traffic which grows
 * or fades meanwhile is seen to do so: A's two phases then differ. A policy changes as `policy`
 * changes it; nothing is lost.
 *
 * Which is better: the one that let more through, if they differ by more than one in 50; else the
 * one with the lower p99 of the wait, if they differ by more than an eighth, which is what the
 * histogram can tell; else the one whose core was less busy. A counts with the mean of its two
 * phases. Where nothing came there is nothing to judge by.
 *
 * However it ends, by Ctrl-C too, the queue goes on with one policy and all its
 * knobs, and measured if it was.
 */
#include "policy_compare.h"

#include "control.h"
#include "histogram.h"
#include "policy.h"
#include "time.h"
#include "usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ul;

enum { PHASES = 3, SECONDS_MAX = 600, KNOBS_MAX = 4, P50 = 0, P90, P99, P999, MAXIMUM, WAITS };

static const char *const wait_name[WAITS] = { "P50", "P90", "P99", "P99.9", "MAX" };

struct phase {
	enum policy policy;
	struct policy_counts c;
	uint64_t exits; /* VM exits, of all guests */
	bool waited;    /* wait[] says something */
	uint64_t wait[WAITS];
	unsigned busy; /* thousandths of the queue's core */
};

/* --- one phase --- */

static void read_waits(struct phase *p, const struct histogram *h)
{
	static const unsigned permille[MAXIMUM] = { 500, 900, 990, 999 };

	p->waited = h && h->count;
	for (unsigned i = 0; p->waited && i < MAXIMUM; i++)
		p->wait[i] = histogram_permille(h, permille[i]);
	if (p->waited)
		p->wait[MAXIMUM] = h->max;
}

static uint64_t exits_of(const struct usage *u)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < u->nguests; i++)
		n += u->guest[i].exits;
	return n;
}

static void subtract(struct policy_counts *c, const struct policy_counts *before)
{
	c->packets -= before->packets;
	c->interrupts -= before->interrupts;
	c->polls -= before->polls;
	c->empty_polls -= before->empty_polls;
}

/*
 * what the operator has set; a policy may reset knobs, as `napi` does, and the
 * next one would go by others
 */
struct kept {
	enum policy policy;
	unsigned knob[KNOBS_MAX];
	bool measured;
};

static unsigned *knob_of(struct policy_queue *q, unsigned i)
{
	struct policy_knob knob;

	return i < KNOBS_MAX && q->ops->knob && q->ops->knob(q, i, &knob) ? knob.value : NULL;
}

static struct kept keep(struct policy_queue *q)
{
	struct kept kept = { .policy = q->policy, .measured = q->ops->waits && q->ops->waits(q) };

	for (unsigned i = 0; knob_of(q, i); i++)
		kept.knob[i] = *knob_of(q, i);
	return kept;
}

/* set() - @policy, with the operator's knobs. NULL, or why not. */
static const char *set(struct policy_queue *q, enum policy policy, const struct kept *kept)
{
	for (unsigned i = 0; knob_of(q, i); i++)
		*knob_of(q, i) = kept->knob[i];
	return policy_set(q, policy);
}

/* run() - 0, -EINTR by Ctrl-C. */
static int run(struct policy_queue *q, struct phase *p, unsigned seconds)
{
	bool measured = q->ops->measure && !q->ops->measure(q, true);
	struct policy_counts before;
	struct usage from, to;
	bool whole;

	q->ops->count(q, &before);
	usage_take(&from);
	whole = msleep_interruptible(seconds * 1000);
	usage_take(&to);
	q->ops->count(q, &p->c);
	subtract(&p->c, &before);
	usage_since(&to, &from);
	if (measured)
		read_waits(p, q->ops->waits(q));
	p->exits = exits_of(&to);
	p->busy = 1000 - MIN(to.core[q->ops->cpu(q)].idle * 1000 / to.tsc, UINT64_C(1000));
	return whole ? 0 : -EINTR;
}

/* --- which is better --- */

static uint64_t mean(uint64_t a, uint64_t b)
{
	return (a + b) / 2;
}

/* apart() - do they differ by more than one in @parts of the larger? */
static bool apart(uint64_t a, uint64_t b, unsigned parts)
{
	return (MAX(a, b) - MIN(a, b)) * parts > MAX(a, b);
}

bool policy_second_is_better(const struct policy_score *a, const struct policy_score *b,
			     const char **because)
{
	*because = "more packets";
	if (apart(a->packets, b->packets, 50))
		return b->packets > a->packets;
	*because = "a lower p99";
	if (apart(a->p99, b->p99, 8))
		return b->p99 < a->p99;
	*because = "a core less busy";
	if (a->busy == b->busy)
		*because = NULL;
	return b->busy < a->busy;
}

/* p99_of() - of two phases of one policy: those in which something waited; 0: nothing did. */
static uint64_t p99_of(const struct phase *p, const struct phase *again)
{
	if (!p->waited || !again->waited)
		return p->waited ? p->wait[P99] : again->wait[P99];
	return mean(p->wait[P99], again->wait[P99]);
}

/* judge() - says which is better, and returns it; @otherwise if nothing tells. */
static enum policy judge(struct shell *sh, const struct phase p[PHASES], enum policy otherwise)
{
	/* of both phases, so that nothing is rounded away */
	struct policy_score a = { p[0].c.packets + p[2].c.packets, p99_of(&p[0], &p[2]),
				  p[0].busy + p[2].busy };
	struct policy_score b = { 2 * p[1].c.packets, p99_of(&p[1], &p[1]), 2 * p[1].busy };
	const char *because;
	bool second;

	if (!a.p99 || !b.p99) /* one had nothing that could wait */
		a.p99 = b.p99 = 0;
	if (!a.packets && !b.packets) {
		shell_printf(sh, "no packets came: nothing to compare\n");
		return otherwise;
	}
	second = policy_second_is_better(&a, &b, &because);
	if (because)
		shell_printf(sh, "better: %s, by %s\n", policy_name[p[second].policy], because);
	else
		shell_printf(sh, "no difference\n");
	return p[second].policy;
}

/* --- the table --- */

static void print_head(struct shell *sh)
{
	shell_printf(sh, "%-9s %9s", "POLICY", "PACKETS");
	for (unsigned i = 0; i < WAITS; i++)
		shell_printf(sh, " %9s", wait_name[i]);
	shell_printf(sh, " %10s %10s %10s %9s %6s\n", "INTERRUPTS", "POLLS", "EMPTY", "EXITS",
		     "BUSY");
}

static void print_phase(struct shell *sh, const struct phase *p)
{
	shell_printf(sh, "%-9s %9lu", policy_name[p->policy], (ul)p->c.packets);
	for (unsigned i = 0; i < WAITS; i++)
		if (p->waited)
			shell_printf(sh, " %9lu", (ul)p->wait[i]);
		else
			shell_printf(sh, " %9s", "-");
	shell_printf(sh, " %10lu %10lu %10lu %9lu %4u.%u\n", (ul)p->c.interrupts, (ul)p->c.polls,
		     (ul)p->c.empty_polls, (ul)p->exits, p->busy / 10, p->busy % 10);
}

/* --- the words: policy compare QUEUE A B 5s [--keep-best] --- */

/* seconds_word() - 5s, or 5. */
static int seconds_word(struct shell *sh, int i, unsigned *seconds)
{
	unsigned long v = 0;
	char *end = NULL;

	if (i < sh->nwords)
		v = strtoul(sh->word[i].s, &end, 10);
	if (!end || end == sh->word[i].s || strcmp(*end == 's' ? end + 1 : end, "") != 0 || !v ||
	    v > SECONDS_MAX)
		return shell_expected(sh, i, "seconds of each phase, as 5s");
	*seconds = v;
	return 0;
}

/* compare() - 0, or a negative errno, said but for -EINTR. */
static int compare(struct shell *sh, struct policy_queue *q, struct phase p[PHASES],
		   unsigned seconds, const struct kept *kept)
{
	print_head(sh);
	for (unsigned i = 0; i < PHASES; i++) {
		const char *why = set(q, p[i].policy, kept);
		int err;

		if (why)
			return shell_error(sh, 2, -EOPNOTSUPP, "%s: %s", q->name, why);
		err = run(q, &p[i], seconds);
		if (err)
			return err;
		print_phase(sh, &p[i]);
	}
	return 0;
}

int policy_compare(struct shell *sh)
{
	struct policy_queue *q = sh->nwords > 2 ? policy_by_name(sh->word[2].s) : NULL;
	bool best = word_is(sh->nwords, sh->word, 6, "--keep-best");
	struct phase p[PHASES] = { 0 };
	unsigned seconds = 0;
	struct kept kept;
	enum policy after;
	int err;

	if (!q)
		return shell_expected(sh, 2, "a queue, as nic0/0");
	if (policy_word(sh, 3, q->ops->takes, &p[0].policy) ||
	    policy_word(sh, 4, q->ops->takes, &p[1].policy) || seconds_word(sh, 5, &seconds))
		return -EINVAL;
	if (sh->nwords > 6 + best)
		return shell_expected(sh, 6 + best, best ? "the end of the line" : "--keep-best");
	p[2].policy = p[0].policy;
	kept = keep(q);
	err = compare(sh, q, p, seconds, &kept);
	if (q->ops->measure && !kept.measured)
		q->ops->measure(q, false);
	after = err ? kept.policy : judge(sh, p, kept.policy);
	set(q, best ? after : kept.policy, &kept);
	return err;
}
