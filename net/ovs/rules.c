/* SPDX-License-Identifier: MIT */
/*
 * rules.c - the rules of all switches
 *
 * rules_find() and rule_count() run on any core's slow path, the rest in the control
 * context. Owns the rules: one array. The lists change only while the cores are parked, so
 * who walks one needs no lock.
 */
#include "rules.h"

#include "kernel/park.h"
#include "kernel/time.h"

#include <errno.h>
#include <string.h>

static struct rule pool[RULES_MAX];
static uint32_t last_serial;

static bool matches(const struct rule_match *m, const struct flow_key *key)
{
	for (unsigned i = 0; i < KEY_WORDS; i++)
		if ((key->w[i] & m->mask.w[i]) != m->value.w[i])
			return false;
	return true;
}

struct rule *rules_find(const struct rules *rules, const struct flow_key *key)
{
	for (struct rule *r = rules->first; r; r = r->next)
		if (matches(&r->match, key))
			return r;
	return NULL;
}

bool rules_send_to(const struct rules *rules, unsigned id)
{
	for (const struct rule *r = rules->first; r; r = r->next)
		if (memchr(r->action, RULE_OUTPUT + id, sizeof(r->action)))
			return true;
	return false;
}

struct rule_ref rule_ref(const struct rule *rule)
{
	return (struct rule_ref){ .index = rule - pool, .serial = rule->serial };
}

void rule_count(struct rule_ref ref, uint64_t packets, uint64_t bytes)
{
	struct rule *r = &pool[ref.index];

	if (!ref.serial || r->serial != ref.serial) /* no rule, or one that is gone */
		return;
	atomic_fetch_add_explicit(&r->packets, packets, memory_order_relaxed);
	atomic_fetch_add_explicit(&r->bytes, bytes, memory_order_relaxed);
}

static void add_flow(struct flow *f, void *arg)
{
	struct flow_stat *totals = arg, total = flow_total(f);
	struct rule_ref ref = f->verdict.rule;

	if (!ref.serial || pool[ref.index].serial != ref.serial)
		return;
	totals[ref.index].packets += total.packets;
	totals[ref.index].bytes += total.bytes;
}

void rules_total(struct flow_stat totals[RULES_MAX])
{
	for (unsigned i = 0; i < RULES_MAX; i++)
		totals[i] = (struct flow_stat){ pool[i].packets, pool[i].bytes };
	flow_for_each(add_flow, totals);
}

static struct rule *slot_take(void)
{
	for (unsigned i = 0; i < RULES_MAX; i++)
		if (!pool[i].serial)
			return &pool[i];
	return NULL;
}

/* where a rule of @priority goes: behind all that are not lower */
static struct rule **place_for(struct rules *rules, unsigned priority)
{
	struct rule **link = &rules->first;

	while (*link && (*link)->priority >= priority)
		link = &(*link)->next;
	return link;
}

static struct rule *find_same(const struct rules *rules, const struct rule *rule)
{
	for (struct rule *r = rules->first; r; r = r->next)
		if (r->priority == rule->priority &&
		    !memcmp(&r->match, &rule->match, sizeof(r->match)))
			return r;
	return NULL;
}

static void fill(struct rule *r, const struct rule *from)
{
	struct rule *next = r->next;

	*r = *from;
	r->next = next;
	r->serial = ++last_serial;
	r->made = time_ns();
	r->packets = r->bytes = 0;
}

int rules_add(struct rules *rules, const struct rule *rule)
{
	struct rule *r = find_same(rules, rule), **link;

	if (r) {
		cores_park();
		fill(r, rule);
	} else {
		r = slot_take();
		if (!r)
			return -ENOSPC;
		cores_park();
		fill(r, rule);
		link = place_for(rules, rule->priority);
		r->next = *link;
		*link = r;
		rules->n++;
	}
	flow_invalidate();
	cores_resume();
	return 0;
}

/* is @r as narrow as @m, or narrower? */
static bool within(const struct rule *r, const struct rule_match *m)
{
	for (unsigned i = 0; m && i < KEY_WORDS; i++)
		if ((r->match.mask.w[i] & m->mask.w[i]) != m->mask.w[i] ||
		    (r->match.value.w[i] & m->mask.w[i]) != m->value.w[i])
			return false;
	return true;
}

unsigned rules_del(struct rules *rules, const struct rule_match *match)
{
	struct rule **link = &rules->first, *r;
	unsigned n = 0;

	cores_park();
	while ((r = *link)) {
		if (!within(r, match)) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		r->serial = 0;
		rules->n--;
		n++;
	}
	if (n)
		flow_invalidate();
	cores_resume();
	return n;
}
