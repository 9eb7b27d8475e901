/* SPDX-License-Identifier: MIT */
/*
 * neigh_table.c - neighbours in a hash table, and the packets that wait for them
 *
 * neigh_find() runs on any core without a lock, all else under neigh_lock. Owns all entries and all
 * places in their queues: two arrays, carved at boot.
 */
#include "neigh_table.h"

#include "kernel/mem.h"
#include "kernel/shell.h"
#include "kernel/time.h"

enum { BUCKETS = 256 };

struct spinlock neigh_lock;
struct neigh *neigh_table;
unsigned neigh_carved;

static _Atomic(struct neigh *) bucket[BUCKETS];
static unsigned nentries, gc_thresh3 = NEIGH_MAX;
static struct neigh *free_list;
static struct waiting *waiting_free;

SYSCTL(sys_gc3, "net.ipv4.neigh.default.gc_thresh3", &gc_thresh3, 1, NEIGH_MAX, "neighbours kept");

uint64_t neigh_now_ms(void)
{
	return time_ns() / 1000000;
}

static _Atomic(struct neigh *) *bucket_of(const struct port *port, const struct inet_addr *a)
{
	uint64_t key = (a->q[0] ^ a->q[1]) + port->id;

	return &bucket[key * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

struct neigh *neigh_find(const struct port *port, const struct inet_addr *a)
{
	/* acquire: pairs with the release in neigh_make; an entry that is found is complete */
	struct neigh *n = atomic_load_explicit(bucket_of(port, a), memory_order_acquire);

	while (n && (n->port != port || !inet_equal(&n->addr, a)))
		n = atomic_load_explicit(&n->next, memory_order_acquire);
	return n;
}

static void unlink(struct neigh *n)
{
	_Atomic(struct neigh *) *at = bucket_of(n->port, &n->addr);

	while (atomic_load_explicit(at, memory_order_relaxed) != n)
		at = &atomic_load_explicit(at, memory_order_relaxed)->next;
	atomic_store_explicit(at, atomic_load_explicit(&n->next, memory_order_relaxed),
			      memory_order_relaxed);
	n->linked = false;
	nentries--;
}

static void release(struct qsbr_head *h)
{
	struct neigh *n = container_of(h, struct neigh, retired);

	spin_lock(&neigh_lock);
	atomic_store_explicit(&n->next, free_list, memory_order_relaxed);
	free_list = n;
	spin_unlock(&neigh_lock);
}

void neigh_retire(struct neigh *n)
{
	unlink(n);
	qsbr_retire(&n->retired, release);
}

bool neigh_is_idle(const struct neigh *n)
{
	return n->linked && (neigh_state(n) == NUD_STALE || neigh_state(n) == NUD_FAILED);
}

/*
 * The idle entry that was used longest ago makes room; its place is free after a turn of all cores.
 */
static void make_room(void)
{
	struct neigh *oldest = NULL;

	neigh_for_each(n)
	{
		if (neigh_is_idle(n) && (!oldest || n->used < oldest->used))
			oldest = n;
	}
	if (oldest)
		neigh_retire(oldest);
}

static struct neigh *take_free(void)
{
	struct neigh *n = free_list;

	if (nentries >= gc_thresh3)
		make_room();
	if (nentries >= gc_thresh3)
		return NULL;
	if (n) {
		free_list = atomic_load_explicit(&n->next, memory_order_relaxed);
		return n;
	}
	return neigh_carved < NEIGH_MAX ? &neigh_table[neigh_carved++] : NULL;
}

struct neigh *neigh_make(struct port *port, const struct inet_addr *addr)
{
	_Atomic(struct neigh *) *head = bucket_of(port, addr);
	struct neigh *n = take_free();

	if (!n)
		return NULL;
	n->addr = *addr;
	n->port = port;
	n->linked = true;
	n->router = false;
	n->asked = n->nwaiting = 0;
	n->first = NULL;
	n->last = &n->first;
	atomic_store_explicit(&n->used, neigh_now_ms() / 1000, memory_order_relaxed);
	neigh_set_word(n, 0, NUD_INCOMPLETE);
	atomic_store_explicit(&n->next, atomic_load_explicit(head, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(head, n, memory_order_release); /* pairs with find */
	nentries++;
	return n;
}

/* Take the oldest packet out; NULL if none waits. */
static struct pkt *dequeue(struct neigh *n)
{
	struct waiting *w = n->first;

	if (!w)
		return NULL;
	n->first = w->next;
	if (!n->first)
		n->last = &n->first;
	n->nwaiting--;
	w->next = waiting_free;
	waiting_free = w;
	return w->p;
}

struct pkt *neigh_enqueue(struct neigh *n, struct pkt *p, unsigned most)
{
	struct pkt *out = n->nwaiting >= most ? dequeue(n) : NULL;
	struct waiting *w = waiting_free;

	if (!w || n->nwaiting >= most)
		return out ? out : p;
	waiting_free = w->next;
	*w = (struct waiting){ .p = p };
	*n->last = w;
	n->last = &w->next;
	n->nwaiting++;
	return out;
}

struct waiting *neigh_detach(struct neigh *n)
{
	struct waiting *list = n->first;

	n->first = NULL;
	n->last = &n->first;
	n->nwaiting = 0;
	return list;
}

void neigh_give_back(struct waiting *list)
{
	if (!list)
		return;
	spin_lock(&neigh_lock);
	while (list) {
		struct waiting *next = list->next;

		list->next = waiting_free;
		waiting_free = list;
		list = next;
	}
	spin_unlock(&neigh_lock);
}

static void waiting_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	neigh_for_each(n)
	{
		if (n->linked)
			for (struct waiting *w = n->first; w; w = w->next)
				tally(t, w->p);
	}
}

void neigh_init(void)
{
	static struct pkt_holder holder = { .name = "neighbours", .walk = waiting_walk };
	struct waiting *w = mem_zalloc(NEIGH_WAITING_MAX * sizeof(*w), CACHE_LINE, "neighbours");

	neigh_table = mem_zalloc(NEIGH_MAX * sizeof(*neigh_table), CACHE_LINE, "neighbours");
	memset(bucket, 0, sizeof(bucket));
	free_list = NULL;
	waiting_free = NULL;
	neigh_carved = nentries = 0;
	for (unsigned i = 0; i < NEIGH_WAITING_MAX; i++) {
		w[i].next = waiting_free;
		waiting_free = &w[i];
	}
	pkt_holder_add(&holder);
}
