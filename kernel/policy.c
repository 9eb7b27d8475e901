/* SPDX-License-Identifier: MIT */
/*
 * policy.c - the list of queues, and the command that shows and changes how each learns of work
 *
 * In the control context. Owns the list; what a policy does stands in napi_policy.c for NICs'
 * queues and in vmm/vhost.c for guests' rings.
 */
#include "policy.h"

#include "glob.h"
#include "policy_compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long ul;

const char *const policy_name[POLICY_N] = {
	[POLICY_IRQ] = "irq",     [POLICY_NAPI] = "napi",
	[POLICY_DEFER] = "defer", [POLICY_SUSPEND] = "suspend",
	[POLICY_KICK] = "kick",   [POLICY_BUSYLOOP] = "busyloop",
	[POLICY_POLL] = "poll",   [POLICY_ADAPTIVE] = "adaptive",
};

static struct policy_queue *queues;

void policy_add(struct policy_queue *q)
{
	struct policy_queue **p = &queues;

	while (*p)
		p = &(*p)->next;
	q->policy = q->first;
	q->next = NULL;
	*p = q;
}

struct policy_queue *policy_next(const char *glob, const struct policy_queue *q)
{
	for (struct policy_queue *next = q ? q->next : queues; next; next = next->next)
		if (next->ops->present(next) && glob_match(glob, next->name))
			return next;
	return NULL;
}

struct policy_queue *policy_by_name(const char *name)
{
	for (struct policy_queue *q = queues; q; q = q->next)
		if (q->ops->present(q) && strcmp(q->name, name) == 0)
			return q;
	return NULL;
}

const char *policy_set(struct policy_queue *q, enum policy policy)
{
	const char *why = q->ops->set(q, policy);

	if (!why)
		q->policy = policy;
	return why;
}

int policy_word(struct shell *sh, int i, uint32_t takes, enum policy *policy)
{
	char what[96] = "";

	for (unsigned p = 0; p < POLICY_N; p++) {
		size_t n = strlen(what);

		if (!(takes & BIT(p)))
			continue;
		if (i < sh->nwords && strcmp(sh->word[i].s, policy_name[p]) == 0) {
			*policy = p;
			return 0;
		}
		snprintf(what + n, sizeof(what) - n, "%s%s",
			 !n                 ? ""
			 : takes >> (p + 1) ? ", "
					    : " or ",
			 policy_name[p]);
	}
	return shell_expected(sh, i, what);
}

/* --- the command --- */

static void show_one(struct shell *sh, const struct policy_queue *q)
{
	enum policy now = q->ops->now ? q->ops->now(q) : q->policy;
	struct policy_counts c;

	q->ops->count(q, &c);
	shell_printf(sh, "%-16s %4u %-9s %-9s %11lu %11lu %11lu %11lu\n", q->name, q->ops->cpu(q),
		     policy_name[q->policy], policy_name[now], (ul)c.packets, (ul)c.interrupts,
		     (ul)c.polls, (ul)c.empty_polls);
}

static int show(struct shell *sh, const char *glob)
{
	shell_printf(sh, "%-16s %4s %-9s %-9s %11s %11s %11s %11s\n", "QUEUE", "CORE", "POLICY",
		     "NOW", "PACKETS", "INTERRUPTS", "POLLS", "EMPTY");
	for (struct policy_queue *q = NULL; (q = policy_next(glob, q));)
		show_one(sh, q);
	return 0;
}

/* knob_named() - false if @q has none of that name. */
static bool knob_named(struct policy_queue *q, const char *name, struct policy_knob *knob)
{
	for (unsigned i = 0; q->ops->knob && q->ops->knob(q, i, knob); i++)
		if (strcmp(knob->name, name) == 0)
			return true;
	return false;
}

/* turn_knobs() - words 3 and on are knobs of @q and their values; @really: not only looked at. */
static int turn_knobs(struct shell *sh, struct policy_queue *q, bool really)
{
	for (int i = 3; i < sh->nwords; i += 2) {
		struct policy_knob knob;
		unsigned long v;

		if (!knob_named(q, sh->word[i].s, &knob))
			return shell_expected(sh, i,
					      "a knob of that queue, or the end of the line");
		if (shell_uint(sh, i + 1, 0, knob.max, &v))
			return -EINVAL;
		if (really)
			*knob.value = v;
	}
	return 0;
}

/*
 * set_all() - word 1 is a glob, word 2 a policy. If one of the queues does not take
 * these words, none changes.
 */
static int set_all(struct shell *sh)
{
	enum policy policy;

	for (struct policy_queue *q = NULL; (q = policy_next(sh->word[1].s, q));)
		if (policy_word(sh, 2, q->ops->takes, &policy) || turn_knobs(sh, q, false))
			return -EINVAL;
	for (struct policy_queue *q = NULL; (q = policy_next(sh->word[1].s, q));) {
		const char *why;

		turn_knobs(sh, q, true);
		why = policy_set(q, policy);
		if (why)
			return shell_error(sh, 2, -EOPNOTSUPP, "%s: %s", q->name, why);
	}
	return 0;
}

static int run_policy(struct shell *sh, int n, const struct word *w)
{
	if (word_is(n, w, 1, "compare"))
		return policy_compare(sh);
	if (n > 1 && !policy_next(w[1].s, NULL))
		return shell_expected(sh, 1, "a queue, as nic0/0 or nic*/*, or compare");
	return n > 2 ? set_all(sh) : show(sh, n == 2 ? w[1].s : "*");
}

static void complete_policy(int n, const struct word *w, void (*add)(void *to, const char *s),
			    void *to)
{
	bool compare = word_is(n, w, 1, "compare");
	struct policy_queue *q = n > 1 + compare ? policy_next(w[1 + compare].s, NULL) : NULL;
	struct policy_knob knob;

	if (n == 1)
		add(to, "compare");
	if (n == 1 + compare)
		for (q = NULL; (q = policy_next("*", q));)
			add(to, q->name);
	for (unsigned p = 0; (compare ? n == 3 || n == 4 : n == 2) && q && p < POLICY_N; p++)
		if (q->ops->takes & BIT(p))
			add(to, policy_name[p]);
	for (unsigned i = 0;
	     !compare && n > 2 && n % 2 && q && q->ops->knob && q->ops->knob(q, i, &knob); i++)
		add(to, knob.name);
}

SHELL_COMMAND(
	cmd_policy, .name = "policy",
	.usage =
		"[QUEUE [POLICY [KNOB N]...]] | compare QUEUE POLICY POLICY SECONDSs [--keep-best]",
	.help = "how each queue learns of work: by interrupts, by polling, or between",
	.run = run_policy, .complete = complete_policy);

/* print_queue() - a line for @q, if it is not as it began. */
static void print_queue(struct shell *sh, struct policy_queue *q)
{
	struct policy_knob knob;
	char knobs[160] = "";

	for (unsigned i = 0; q->ops->knob && q->ops->knob(q, i, &knob); i++) {
		size_t n = strlen(knobs);

		if (*knob.value)
			snprintf(knobs + n, sizeof(knobs) - n, " %s %u", knob.name, *knob.value);
	}
	if (q->policy != q->first || *knobs)
		shell_printf(sh, "policy %s %s%s\n", q->name, policy_name[q->policy], knobs);
}

static void print_config(struct shell *sh)
{
	for (struct policy_queue *q = NULL; (q = policy_next("*", q));)
		print_queue(sh, q);
}

/* behind the guests, whose rings are queues as well */
CONFIG_SOURCE(config_policy, .order = 35, .print = print_config);
