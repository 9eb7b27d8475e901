/* SPDX-License-Identifier: MIT */
/*
 * pool.c - packets: per-core pools, copies, drops, the audit
 *
 * pkt_alloc and pkt_free_seg (pkt.h) are the fast path, on the owner's core and without a lock: an
 * array of pointers that is used as a stack, so that a batch is copied out of it or into it. It
 * never overflows: a pool's packets come home to it alone. One freed on another core goes by a
 * list, linked by @next, that any core may push to (compare and swap) and only the owner empties.
 */
#include "pkt.h"

#include "mem.h"
#include "park.h"
#include "shell.h"
#include "trace.h"

#include <string.h>

void (*pkt_drop_tap)(const struct pkt *p, enum drop_reason why, uint16_t port, bool out);

static struct pool *pools[POOLS];
static struct pkt_holder *holders;

struct pool *pool_create(unsigned id, unsigned n)
{
	struct pool *pool = mem_try_alloc(sizeof(*pool), CACHE_LINE);
	struct pkt **stack = mem_try_alloc(n * sizeof(*stack), CACHE_LINE);
	uint8_t *base = mem_try_alloc((size_t)n * PKT_STRIDE, PAGE_SIZE);

	if (!pool || !stack || !base)
		return NULL;
	*pool = (struct pool){ .id = id, .size = n, .free = stack, .nfree = n, .base = base };
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = (struct pkt *)(base + (size_t)i * PKT_STRIDE);

		*p = (struct pkt){ .pool = pool };
		p->data = pkt_buf(p);
		stack[n - 1 - i] = p; /* the lowest on top */
	}
	pools[id] = pool;
	return pool;
}

struct pkt *pkt_alloc_slow(struct pool *pool)
{
	/* acquire: pairs with the release in pkt_free_remote */
	struct pkt *p = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);

	if (!p) {
		pool->empty++;
		return NULL;
	}
	while (p->next) {
		struct pkt *next = p->next;

		p->next = NULL;
		pool->free[pool->nfree++] = p;
		p = next;
	}
	return p;
}

void pkt_free_remote(struct pkt *p)
{
	struct pool *pool = p->pool;
	struct pkt *top = atomic_load_explicit(&pool->returned, memory_order_relaxed);

	do
		p->next = top;
	while (!atomic_compare_exchange_weak_explicit(&pool->returned, &top, p,
						      memory_order_release, memory_order_relaxed));
}

void pkt_free_rest(struct pkt **segs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		pkt_free_seg(segs[i]);
}

unsigned pool_free_count(struct pool *pool)
{
	unsigned n = pool->nfree;

	for (struct pkt *p = atomic_load(&pool->returned); p; p = p->next)
		n++;
	return n;
}

void pkt_drop_at(struct pkt *p, enum drop_reason why, uint16_t port, bool out)
{
	drop_count(why);
	trace(TRACE_DROP, why, p->frame_len);
	if (unlikely(pkt_drop_tap))
		pkt_drop_tap(p, why, port, out);
	pkt_free(p);
}

void pkt_drop(struct pkt *p, enum drop_reason why)
{
	pkt_drop_at(p, why, 0, false);
}

/* copy_seg() - one buffer: the bytes keep their place behind the headroom. */
static void copy_seg(struct pkt *to, const struct pkt *from)
{
	struct pool *home = to->pool;

	*to = *from;
	to->pool = home;
	to->next = NULL;
	to->data = (uint8_t *)to + (from->data - (const uint8_t *)from);
	memcpy(to->data, from->data, from->len);
}

struct pkt *pkt_copy(const struct pkt *p)
{
	struct pkt *first = NULL, **link = &first;

	for (const struct pkt *from = p; from; from = from->next) {
		struct pkt *to = pkt_alloc();

		if (!to) {
			if (first)
				pkt_free(first);
			return NULL;
		}
		copy_seg(to, from);
		*link = to;
		link = &to->next;
	}
	return first;
}

/* --- the audit: allocated = free + held, by holder --- */

void pkt_holder_add(struct pkt_holder *h)
{
	h->next = holders;
	holders = h;
}

static void tally(void *held, struct pkt *chain)
{
	unsigned *by_pool = held;

	seg_for_each(seg, chain)
		by_pool[seg->pool->id]++;
}

/* next_pool() - the number of the next pool from @id on; POOLS if there is none. */
static unsigned next_pool(unsigned id)
{
	while (id < POOLS && (id < MAX_CPUS ? id >= ncpus : !pools[id]))
		id++;
	return id;
}

#define pool_for_each(id) for (unsigned id = next_pool(0); id < POOLS; id = next_pool(id + 1))

static void print_name(struct shell *sh, const struct pool *pool)
{
	if (pool->name)
		shell_printf(sh, "pool %s: ", pool->name);
	else
		shell_printf(sh, "pool %u: ", (unsigned)pool->id);
}

static void audit_holder(struct shell *sh, const struct pkt_holder *h, unsigned *held)
{
	unsigned by_pool[POOLS] = { 0 };

	h->walk(h->arg, tally, by_pool);
	pool_for_each(id)
	{
		held[id] += by_pool[id];
		if (!by_pool[id])
			continue;
		print_name(sh, pools[id]);
		shell_printf(sh, "%6u held by %s\n", by_pool[id], h->name);
	}
}

static int run_pool(struct shell *sh, int n, const struct word *w)
{
	unsigned held[POOLS] = { 0 };
	bool ok = true;

	(void)w;
	if (n > 1)
		return shell_expected(sh, 1, "the end of the line");
	cores_park();
	for (struct pkt_holder *h = holders; h; h = h->next)
		audit_holder(sh, h, held);
	pool_for_each(id)
	{
		unsigned unused = pool_free_count(pools[id]);

		print_name(sh, pools[id]);
		shell_printf(sh, "%6u free, %u held, %u in all; refused %lu\n", unused, held[id],
			     pools[id]->size, (unsigned long)pools[id]->empty);
		ok &= unused + held[id] == pools[id]->size;
	}
	cores_resume();
	shell_printf(sh, "pools: %s\n", ok ? "ok" : "VIOLATED: allocated is not free + held");
	return 0;
}

SHELL_COMMAND(cmd_pool, .name = "pool", .usage = "",
	      .help = "packets by pool and holder, and whether they add up", .run = run_pool);
