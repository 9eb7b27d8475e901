/* SPDX-License-Identifier: MIT */
/*
 * fdb.c - the MAC table
 *
 * fdb_find() and fdb_learn() run on any core's slow path, fdb_age() on core 0, the rest in the
 * control context. Owns all entries: one array, carved at boot. Whatever changes where an address
 * lives invalidates the flows.
 */
#include "fdb.h"

#include "kernel/counter.h"
#include "kernel/lock.h"
#include "kernel/mem.h"
#include "kernel/shell.h"
#include "net/flow.h"
#include "net/wire.h"

enum { FDB_BUCKET_BITS = 10, FDB_BUCKETS = 1 << FDB_BUCKET_BITS };

_Atomic uint32_t fdb_tick;

static unsigned fdb_ageing_seconds = 300; /* as a Linux bridge's ageing_time */
static unsigned fdb_limit = 1024;

SYSCTL(sys_fdb_ageing, "net.bridge.ageing_seconds", &fdb_ageing_seconds, 1, 1000000,
       "seconds of silence until a MAC address is forgotten");
SYSCTL(sys_fdb_limit, "net.bridge.fdb_limit", &fdb_limit, 0, FDB_MAX,
       "MAC addresses kept, all switches together");
COUNTER(fdb_full, "net.fdb_full", "MAC addresses not learnt: table at its limit");
COUNTER(fdb_learnt, "net.fdb_learnt", "MAC addresses learnt");
COUNTER(fdb_moved, "net.fdb_moved", "MAC addresses that moved to another port");
COUNTER(fdb_flapping, "net.fdb_flapping",
	"moves refused: the MAC address had moved in the same second");
COUNTER(fdb_aged, "net.fdb_aged", "MAC addresses forgotten after silence");

static struct spinlock
	lock; /* guards writes to bucket[], the chains and entry->port, and the pool below */
static _Atomic(struct fdb_entry *) *bucket;
static struct fdb_entry *pool; /* FDB_MAX */
static unsigned carved;        /* entries of the pool that have ever been used */
static struct fdb_entry *free_list;
static unsigned nentries; /* linked; retired ones not included */
static uint32_t oldest;   /* none of them was seen before; of fdb_age() alone */

/*
 * since fdb_age() last looked: who was not learnt for want of room, or not
 * moved; set under the lock
 */
static _Atomic bool refused_new, refused_move;

static uint64_t fdb_key(unsigned sw, unsigned vid, uint64_t mac)
{
	return mac << 16 | sw << 12 | vid;
}

static unsigned key_switch(uint64_t key)
{
	return key >> 12 & 0xf;
}

static _Atomic(struct fdb_entry *) *bucket_of(uint64_t key)
{
	return &bucket[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FDB_BUCKET_BITS)];
}

static struct fdb_entry *find(uint64_t key)
{
	/* acquire: pairs with the release in fdb_link; an entry that is found is complete */
	struct fdb_entry *e = atomic_load_explicit(bucket_of(key), memory_order_acquire);

	while (e && e->key != key)
		e = atomic_load_explicit(&e->next, memory_order_acquire);
	return e;
}

struct fdb_entry *fdb_find(unsigned sw, unsigned vid, uint64_t mac)
{
	return find(fdb_key(sw, vid, mac));
}

static void fdb_release(struct qsbr_head *h)
{
	struct fdb_entry *e = container_of(h, struct fdb_entry, retired);

	spin_lock(&lock);
	atomic_store_explicit(&e->next, free_list, memory_order_relaxed);
	free_list = e;
	spin_unlock(&lock);
}

static struct fdb_entry *fdb_take(void)
{
	struct fdb_entry *e = free_list;

	if (nentries >= fdb_limit)
		return NULL;
	if (e) {
		free_list = atomic_load_explicit(&e->next, memory_order_relaxed);
		return e;
	}
	return carved < FDB_MAX ? &pool[carved++] : NULL;
}

static struct fdb_entry *fdb_link(uint64_t key, unsigned port)
{
	_Atomic(struct fdb_entry *) *head = bucket_of(key);
	struct fdb_entry *e = fdb_take();

	if (!e)
		return NULL;
	e->key = key;
	e->moved = fdb_tick_now() - 1; /* it may move at once */
	atomic_store_explicit(&e->seen, fdb_tick_now(), memory_order_relaxed);
	atomic_store_explicit(&e->port, port, memory_order_relaxed);
	atomic_store_explicit(&e->next, atomic_load_explicit(head, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(head, e, memory_order_release); /* pairs with find */
	e->linked = true;
	nentries++;
	return e;
}

/* Whoever uses an address twice would else empty all caches with each packet. */
static bool move(struct fdb_entry *e, unsigned port)
{
	uint32_t now = fdb_tick_now();

	if (e->moved == now) {
		refused_move = true;
		counter_inc(&fdb_flapping);
		return false;
	}
	e->moved = now;
	atomic_store_explicit(&e->port, port, memory_order_relaxed);
	counter_inc(&fdb_moved);
	return true;
}

static struct fdb_entry *learn_slow(uint64_t key, unsigned port)
{
	struct fdb_entry *e;
	bool moved = false;

	spin_lock(&lock);
	e = find(key);
	if (!e) {
		e = fdb_link(key, port);
		counter_inc(e ? &fdb_learnt : &fdb_full);
		if (!e)
			refused_new = true;
	} else if (atomic_load_explicit(&e->port, memory_order_relaxed) != port) {
		moved = move(e, port);
		if (!moved)
			e = NULL;
	}
	spin_unlock(&lock);
	if (moved)
		flow_invalidate();
	return e;
}

/*
 * A new entry invalidates nothing: frames to an unknown address were flooded, and
 * floods to one are not cached.
 */
struct fdb_entry *fdb_learn(unsigned sw, unsigned vid, uint64_t mac, unsigned port)
{
	uint64_t key = fdb_key(sw, vid, mac);
	struct fdb_entry *e;

	if (mac_is_group(mac) || !mac)
		return NULL;
	e = find(key);
	if (!e || atomic_load_explicit(&e->port, memory_order_relaxed) != port)
		e = learn_slow(key, port);
	if (e)
		atomic_store_explicit(&e->seen, fdb_tick_now(), memory_order_relaxed);
	return e;
}

int fdb_peek(unsigned sw, unsigned vid, uint64_t mac, uint64_t sender, unsigned port)
{
	struct fdb_entry *e = fdb_find(sw, vid, mac);

	if (mac == sender && mac && (e ? e->moved != fdb_tick_now() : nentries < fdb_limit))
		return port;
	return e ? (int)atomic_load_explicit(&e->port, memory_order_relaxed) : -1;
}

/* Under the lock. Readers on the chain go on through e->next, which stays as it is. */
static void fdb_unlink(struct fdb_entry *e)
{
	_Atomic(struct fdb_entry *) *link = bucket_of(e->key);

	while (atomic_load_explicit(link, memory_order_relaxed) != e)
		link = &atomic_load_explicit(link, memory_order_relaxed)->next;
	atomic_store_explicit(link, atomic_load_explicit(&e->next, memory_order_relaxed),
			      memory_order_relaxed);
	e->linked = false;
	nentries--;
}

/* Take out every entry for which @gone says so; returns how many. */
static unsigned fdb_remove(bool (*gone)(const struct fdb_entry *e, const unsigned *arg),
			   const unsigned *arg)
{
	struct fdb_entry *out = NULL, *e;
	unsigned n = 0;

	if (!nentries)
		return 0;
	spin_lock(&lock);
	for (unsigned i = 0; i < carved; i++) {
		e = &pool[i];
		if (!e->linked || !gone(e, arg))
			continue;
		fdb_unlink(e);
		e->retired.next = out ? &out->retired : NULL;
		out = e;
		n++;
	}
	spin_unlock(&lock);
	if (!n)
		return 0;
	flow_invalidate(); /* before the grace period begins: no flow leads to them from now on */
	while ((e = out)) {
		out = e->retired.next ? container_of(e->retired.next, struct fdb_entry, retired)
				      : NULL;
		qsbr_retire(&e->retired, fdb_release);
	}
	return n;
}

/* asked of each entry in turn; keeps in mind how old the oldest of the others is */
static bool is_old(const struct fdb_entry *e, const unsigned *now)
{
	uint32_t seen = atomic_load_explicit(&e->seen, memory_order_relaxed);

	if (*now - seen >= fdb_ageing_seconds)
		return true;
	if (*now - seen > *now - oldest)
		oldest = seen;
	return false;
}

/*
 * Flows of who was refused hide its packets from fdb_learn(): let them be decided again
 * if it could say otherwise.
 */
static void ask_refused_again(void)
{
	bool again = atomic_exchange(&refused_move, false);

	if (nentries < fdb_limit && atomic_exchange(&refused_new, false))
		again = true;
	if (again)
		flow_invalidate();
}

void fdb_age(void)
{
	unsigned now = fdb_tick_now();

	if (now - oldest >= fdb_ageing_seconds) { /* else nobody is: all have been seen since */
		oldest = now;
		counter_add(&fdb_aged, fdb_remove(is_old, &now));
	}
	ask_refused_again();
}

static bool is_of(const struct fdb_entry *e, const unsigned *sw_port)
{
	return (sw_port[0] == FDB_ANY || key_switch(e->key) == sw_port[0]) &&
	       (sw_port[1] == FDB_ANY ||
		atomic_load_explicit(&e->port, memory_order_relaxed) == sw_port[1]);
}

unsigned fdb_flush(unsigned sw, unsigned port)
{
	return fdb_remove(is_of, (const unsigned[]){ sw, port });
}

static struct fdb_row row_of(const struct fdb_entry *e)
{
	struct fdb_row row = {
		.vid = e->key & VLAN_VID,
		.port = e->port,
		.sw = key_switch(e->key),
		.age = fdb_tick_now() - e->seen,
	};

	for (unsigned i = 0; i < sizeof(row.mac); i++)
		row.mac[i] = e->key >> (16 + 8 * i);
	return row;
}

unsigned fdb_rows(unsigned sw, struct fdb_row *rows, unsigned max)
{
	unsigned n = 0;

	spin_lock(&lock);
	for (unsigned i = 0; i < FDB_BUCKETS; i++) {
		for (struct fdb_entry *e = bucket[i]; e; e = e->next) {
			if (sw != FDB_ANY && key_switch(e->key) != sw)
				continue;
			if (n < max)
				rows[n] = row_of(e);
			n++;
		}
	}
	spin_unlock(&lock);
	return n;
}

void fdb_init(void)
{
	pool = mem_alloc(FDB_MAX * sizeof(*pool), CACHE_LINE, "MAC table");
	bucket = mem_zalloc(FDB_BUCKETS * sizeof(*bucket), CACHE_LINE, "MAC table");
	free_list = NULL;
	carved = nentries = 0;
	refused_new = refused_move = false;
}
