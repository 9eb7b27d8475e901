/* SPDX-License-Identifier: MIT */
/*
 * flow.c - the shared flow table and the filling of the caches
 *
 * flow_find() and flow_install() run on whichever core has a cache miss, flow_age() on core 0,
 * flow_for_each() in the control context. Owns all flows: they come from one array, carved at boot,
 * and go back to its free list.
 */
#include "flow.h"

#include "kernel/counter.h"
#include "kernel/lock.h"
#include "kernel/mem.h"
#include "kernel/shell.h"
#include "net/ovs/rules.h"

#include <string.h>

enum { FLOW_BUCKET_BITS = 14, FLOW_BUCKETS = 1 << FLOW_BUCKET_BITS };

struct emc *emc_of_cpu[MAX_CPUS];
_Atomic uint32_t emc_gen;
_Atomic uint32_t flow_gen;

static unsigned flow_limit = FLOW_MAX;
static unsigned flow_idle_seconds = 10; /* as Open vSwitch's max-idle */

SYSCTL(sys_flow_limit, "net.flow.limit", &flow_limit, 0, FLOW_MAX,
       "flows kept in the shared table");
SYSCTL(sys_flow_idle, "net.flow.idle_seconds", &flow_idle_seconds, 1, 86400,
       "seconds without a packet until a flow is forgotten");
COUNTER(flow_full, "net.flow_full", "verdicts not kept: flow table at its limit");
COUNTER(flow_remade, "net.flow_remade", "verdicts made again after a change");

static struct spinlock
	lock; /* guards writes to bucket[] and the chains, and all of the pool below */
static _Atomic(struct flow *) *bucket;
static uint8_t *pool; /* FLOW_MAX flows, flow_size apart */
static size_t flow_size;
static unsigned carved; /* flows of the pool that have ever been used */
static struct flow *free_list;
static struct flow **linked; /* those that are in a bucket, in no order */
static unsigned nflows;      /* so many; retired ones not included */

/* of flow_age() alone */
static uint64_t packets_in; /* as many had come in when it last looked */
static unsigned quiet;      /* seconds since without any more */
static uint32_t oldest;     /* no flow's `used` is before that */

/* what an empty slot leads to: port 0 exists nowhere, so no key is equal to it */
static struct flow nobody;

static _Atomic(struct flow *) *bucket_of(uint32_t hash)
{
	return &bucket[hash >> (32 - FLOW_BUCKET_BITS)];
}

static struct flow *flow_at(unsigned i)
{
	return (struct flow *)(pool + flow_size * i);
}

static struct flow *flow_take(void)
{
	struct flow *f = free_list;

	if (f) {
		free_list = atomic_load_explicit(&f->next, memory_order_relaxed);
		return f;
	}
	if (carved == FLOW_MAX)
		return NULL;
	return flow_at(carved++);
}

/* no core can hold it any more: its counts are final and go to its rule */
static void flow_release(struct qsbr_head *h)
{
	struct flow *f = container_of(h, struct flow, retired);
	struct flow_stat total = flow_total(f);

	rule_count(f->verdict.rule, total.packets, total.bytes);
	spin_lock(&lock);
	atomic_store_explicit(&f->next, free_list, memory_order_relaxed);
	free_list = f;
	spin_unlock(&lock);
}

/*
 * Under the lock. @link is what points to @f. Readers on the chain go on through
 * f->next, which stays as it is.
 */
static void flow_unlink(_Atomic(struct flow *) *link, struct flow *f)
{
	struct flow *last = linked[--nflows];

	atomic_store_explicit(link, atomic_load_explicit(&f->next, memory_order_relaxed),
			      memory_order_relaxed);
	linked[f->place] = last;
	last->place = f->place;
}

static _Atomic(struct flow *) *chain_find(const struct flow_key *key, uint32_t hash)
{
	_Atomic(struct flow *) *link = bucket_of(hash);
	struct flow *f;

	/* acquire: pairs with the release in flow_link; a flow that is found is complete */
	while ((f = atomic_load_explicit(link, memory_order_acquire))) {
		if (key_equal(&f->key, key))
			break;
		link = &f->next;
	}
	return link;
}

struct flow *flow_find(const struct flow_key *key, uint32_t hash)
{
	struct flow *f = atomic_load_explicit(chain_find(key, hash), memory_order_acquire);

	if (!f)
		return NULL;
	/*
	 * acquire: pairs with the release in flow_install, which may have
	 * renewed f->src before f->gen
	 */
	if (atomic_load_explicit(&f->gen, memory_order_acquire) !=
	    atomic_load_explicit(&flow_gen, memory_order_acquire))
		return NULL;
	return f;
}

static bool same_verdict(const struct verdict *a, const struct verdict *b)
{
	return a->out == b->out && a->reason == b->reason && a->ports == b->ports &&
	       a->rule.index == b->rule.index && a->rule.serial == b->rule.serial;
}

static struct flow *flow_link(const struct flow_key *key, uint32_t hash, const struct verdict *v,
			      uint32_t gen)
{
	_Atomic(struct flow *) *head = bucket_of(hash);
	struct flow *f = nflows < flow_limit ? flow_take() : NULL;

	if (!f)
		return NULL;
	memset(f, 0, flow_size);
	f->key = *key;
	f->out = v->out;
	f->hash = hash;
	f->verdict = *v;
	atomic_store_explicit(&f->src, v->src, memory_order_relaxed);
	atomic_store_explicit(&f->gen, gen, memory_order_relaxed);
	f->used = fdb_tick_now();
	atomic_store_explicit(&f->next, atomic_load_explicit(head, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(head, f, memory_order_release); /* pairs with chain_find */
	f->place = nflows;
	linked[nflows++] = f;
	return f;
}

/*
 * A flow that is found here was made under an older generation (or by another core a moment ago).
 * If the verdict is still the same it is good again; else it is replaced, since its readers must
 * not see a verdict change half-way.
 */
struct flow *flow_install(const struct flow_key *key, uint32_t hash, const struct verdict *v,
			  uint32_t gen)
{
	struct flow *old = NULL, *f = NULL;

	spin_lock(&lock);
	/*
	 * The world changed while the verdict was made: keeping it could bring back
	 * what was just invalidated.
	 */
	if (gen == atomic_load_explicit(&flow_gen, memory_order_acquire)) {
		_Atomic(struct flow *) *link = chain_find(key, hash);

		f = atomic_load_explicit(link, memory_order_relaxed);
		if (f)
			counter_inc(&flow_remade);
		if (f && same_verdict(&f->verdict, v)) {
			atomic_store_explicit(&f->src, v->src, memory_order_relaxed);
			atomic_store_explicit(&f->gen, gen, memory_order_release);
		} else {
			old = f;
			if (old)
				flow_unlink(link, old);
			f = flow_link(key, hash, v, gen);
			if (!f) {
				counter_inc(&flow_full);
				emc_of_cpu[this_cpu()->id]->lost++;
			}
		}
	}
	spin_unlock(&lock);
	if (!old)
		return f;
	/*
	 * A stale one is in no cache under a current tag: flow_gen never moves without emc_gen. One
	 * that another core has just made of the same packet may be.
	 */
	if (atomic_load_explicit(&old->gen, memory_order_relaxed) == gen)
		atomic_fetch_add_explicit(&emc_gen, 1, memory_order_release);
	qsbr_retire(&old->retired, flow_release);
	return f;
}

void flow_invalidate(void)
{
	/*
	 * in this order: who sees the new emc_gen sees the new flow_gen too, and puts no
	 * stale flow under a new tag
	 */
	atomic_fetch_add_explicit(&flow_gen, 1, memory_order_release);
	atomic_fetch_add_explicit(&emc_gen, 1, memory_order_release);
}

/*
 * Packets came by @f in the second before @now, @packets by now in all. The verdict of a stale flow
 * is no longer true, so its sender's entry may be gone; that of a current one stays until this core
 * turns its loop (fdb.c invalidates before it retires).
 */
static void flow_touch(struct flow *f, uint64_t packets, uint32_t now)
{
	/* acquire: as in flow_find() */
	uint32_t gen = atomic_load_explicit(&f->gen, memory_order_acquire);
	struct fdb_entry *src = atomic_load_explicit(&f->src, memory_order_relaxed);

	f->counted = packets;
	f->used = now - 1;
	if (src && gen == atomic_load_explicit(&flow_gen, memory_order_acquire))
		atomic_store_explicit(&src->seen, now - 1, memory_order_relaxed);
}

static bool is_idle(struct flow *f, uint32_t now)
{
	uint64_t packets = flow_total(f).packets;

	if (packets != f->counted)
		flow_touch(f, packets, now);
	return now - f->used >= flow_idle_seconds;
}

/*
 * Unlink what is idle; returns the unlinked ones as a list by qsbr_head.next, free until it is
 * retired. From the last to the first: whoever takes the place of one that goes has been looked at.
 */
static struct flow *unlink_idle(uint32_t now)
{
	struct flow *idle = NULL;

	oldest = now;
	for (unsigned i = nflows; i--;) {
		struct flow *f = linked[i];

		if (!is_idle(f, now)) {
			if (now - f->used > now - oldest)
				oldest = f->used;
			continue;
		}
		flow_unlink(chain_find(&f->key, f->hash), f);
		f->retired.next = idle ? &idle->retired : NULL;
		idle = f;
	}
	return idle;
}

/*
 * No flow has had a packet that was not seen: for two seconds none has come in. One is not enough:
 * what a port had counted may still have been on its way to its flow when that was last looked at.
 */
static bool all_quiet(void)
{
	uint64_t in = ports_in();

	quiet = in == packets_in ? quiet + 1 : 0;
	packets_in = in;
	return quiet > 1;
}

void flow_age(void)
{
	uint32_t now = fdb_tick_now();
	struct flow *idle;

	if (!nflows || (all_quiet() && now - oldest < flow_idle_seconds))
		return;
	spin_lock(&lock);
	idle = unlink_idle(now);
	spin_unlock(&lock);
	if (!idle)
		return;
	/*
	 * release: whoever reads this generation finds the idle ones in no chain,
	 * and no tag leads to them
	 */
	atomic_fetch_add_explicit(&emc_gen, 1, memory_order_release);
	while (idle) {
		struct qsbr_head *next = idle->retired.next;

		qsbr_retire(&idle->retired, flow_release);
		idle = next ? container_of(next, struct flow, retired) : NULL;
	}
}

struct flow_stat flow_total(const struct flow *f)
{
	struct flow_stat total = { 0 };

	cpu_for_each(i) {
		total.packets += f->stat[i].packets;
		total.bytes += f->stat[i].bytes;
	}
	return total;
}

void flow_for_each(void (*fn)(struct flow *f, void *arg), void *arg)
{
	for (unsigned i = 0; i < FLOW_BUCKETS; i++)
		for (struct flow *f = bucket[i]; f; f = f->next)
			fn(f, arg);
}

unsigned flow_count(void)
{
	return nflows;
}

/*
 * A slot that carries this tag already is taken over (the keys differ and the tags do not: rare,
 * and either way right). Else an empty way, else one in turn. Ways with tags of older generations
 * go the same way, by and by.
 */
void emc_insert(struct emc *emc, uint64_t tag, struct flow *f)
{
	struct emc_slot *s = emc_ways(emc, tag);
	unsigned way = EMC_WAYS;

	for (unsigned i = 0; i < EMC_WAYS && way == EMC_WAYS; i++)
		if (s[i].tag == tag || s[i].flow == &nobody)
			way = i;
	if (way == EMC_WAYS)
		way = emc->victim++ % EMC_WAYS;
	s[way] = (struct emc_slot){ .tag = tag, .flow = f };
}

static struct emc *emc_create(void)
{
	struct emc *emc = mem_zalloc(sizeof(*emc), CACHE_LINE, "flow cache");

	for (unsigned b = 0; b < EMC_BUCKETS; b++)
		for (unsigned w = 0; w < EMC_WAYS; w++)
			emc->bucket[b].way[w].flow = &nobody;
	return emc;
}

void flow_init(void)
{
	flow_size = ROUND_UP(sizeof(struct flow) + ncpus * sizeof(struct flow_stat), CACHE_LINE);
	pool = mem_alloc(FLOW_MAX * flow_size, CACHE_LINE, "flow table");
	bucket = mem_zalloc(FLOW_BUCKETS * sizeof(*bucket), CACHE_LINE, "flow table");
	linked = mem_alloc(FLOW_MAX * sizeof(struct flow *), CACHE_LINE, "flow table");
	free_list = NULL;
	carved = nflows = 0;
	cpu_for_each(i)
		emc_of_cpu[i] = emc_create();
}
