/* SPDX-License-Identifier: MIT */
/*
 * flow.h - what is known about flows: a cache for each core over one shared table
 *
 * A flow is a key and the verdict of the slow path for it. The exact-match cache (EMC) of a core
 * finds the flow with one compare of a tag and one of the key. Behind it stands the table that
 * all cores share: read without a lock, written under one, freed through qsbr.h. As in Open
 * vSwitch, a cache hit never looks at rules or MAC addresses, so whatever changes a verdict
 * calls flow_invalidate().
 *
 * Two generations say what is still true. flow_gen: verdicts made under an older one are made again
 * by the slow path when the next packet comes, so a change costs nothing by itself. emc_gen is
 * where each tag's CRC begins: moving it on empties all caches at once, since one key has another
 * tag under each, of four billion. It moves with flow_gen, and also when flows are unlinked, so
 * that no cache leads to a flow that is about to be freed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/bits.h"
#include "kernel/cpu.h"
#include "kernel/drop.h"
#include "kernel/qsbr.h"
#include "net/ovs/fdb.h"
#include "key.h"
#include "port.h"

enum {
	FLOW_MAX = 16384,
	EMC_WAYS = 4,
	EMC_BUCKET_BITS = 11,
	EMC_BUCKETS = 1 << EMC_BUCKET_BITS,
};

/* which rule counts a packet; the serial tells whether the rule is still the same one */
struct rule_ref {
	uint32_t index, serial;
};

/* where a packet goes instead of a port id */
enum { OUT_DROP = PORT_MAX, OUT_MANY };

struct verdict {
	uint16_t out;         /* the one port it leaves by, or OUT_DROP, OUT_MANY */
	uint16_t reason;      /* of OUT_DROP: enum drop_reason */
	uint32_t ports;       /* BIT(port id), all it leaves by */
	struct rule_ref rule; /* whose doing it is */
	/* the sender's address, kept young by its flows; NULL if not learnt */
	struct fdb_entry *src;
};

struct flow_stat {
	uint64_t packets, bytes;
};

struct flow {
	/* read at every hit: one cache line */
	_Alignas(CACHE_LINE) struct flow_key key;
	uint16_t out; /* as verdict.out */

	/* read on the slow path, written under the table's lock */
	uint32_t used;    /* fdb_tick of the last second with packets, as flow_age() found */
	uint64_t counted; /* how many there were then */
	_Atomic(struct flow *) next; /* in the bucket; in the free list */
	_Atomic uint32_t gen;        /* flow_gen that the verdict was made under */
	uint32_t hash;               /* key_hash() under seed 0 */
	uint32_t place;              /* among the linked ones; by the lock's holder */
	struct verdict verdict;      /* but for src never changed once linked */
	_Atomic(struct fdb_entry *) src;
	struct qsbr_head retired;

	struct flow_stat stat[]; /* [cpu], each by its core */
};

struct emc_slot {
	uint64_t tag;      /* key_hash() under seed emc_gen */
	struct flow *flow; /* never NULL */
};

struct emc_bucket {
	_Alignas(CACHE_LINE) struct emc_slot way[EMC_WAYS];
};

/* of one core, and used by it alone */
struct emc {
	struct emc_bucket bucket[EMC_BUCKETS];
	uint32_t victim;  /* way to give up next */
	uint64_t keyless; /* packets that were dropped before anything was looked up */
	uint64_t misses;  /* of the others, not in this cache */
	uint64_t upcalls; /* of these, not in the shared table either */
	uint64_t lost;    /* of these, verdict not kept though it could have been: table full */
};

extern struct emc *emc_of_cpu[MAX_CPUS];
extern _Atomic uint32_t emc_gen;
extern _Atomic uint32_t flow_gen;

void flow_init(void);

/*
 * flow_invalidate() - verdicts may have changed: none is used again before it is made again.
 * Any context but hard IRQ.
 */
void flow_invalidate(void);

/*
 * flow_find() - the flow of @key if its verdict still holds, or NULL. The pointer is good
 * until the core's loop turns.
 */
struct flow *flow_find(const struct flow_key *key, uint32_t hash);

/*
 * flow_install() - remember verdict @v, made under flow_gen @gen.
 * Returns the flow; NULL if the table is full (counted) or @gen has passed: the packet then
 * goes by the verdict alone.
 */
struct flow *flow_install(const struct flow_key *key, uint32_t hash, const struct verdict *v,
			  uint32_t gen);

/*
 * flow_age() - once a second, core 0: which flows have had packets since? Their senders'
 * addresses are kept young by that; those without any for net.flow.idle_seconds are taken out. A
 * hit does nothing for it but count. No flow is looked at while no port has packets and none can
 * be idle for long enough.
 */
void flow_age(void);

/* flow_for_each() - with all cores parked. */
void flow_for_each(void (*fn)(struct flow *f, void *arg), void *arg);
unsigned flow_count(void);

/* flow_total() - packets and bytes over all cores; exact while they are parked. */
struct flow_stat flow_total(const struct flow *f);

/* emc_insert() - let this core find @f by @tag. */
void emc_insert(struct emc *emc, uint64_t tag, struct flow *f);

/*
 * flow_hit() - count a packet of @len bytes. @mine: where this core's stat[] begins in
 * bytes, computed once a batch
 */
static inline void flow_hit(struct flow *f, size_t mine, uint32_t len)
{
	struct flow_stat *s = (struct flow_stat *)((char *)f->stat + mine);

	s->packets++;
	s->bytes += len;
}

/*
 * emc_ways() - where @tag may be. A CRC is linear: bits of it may all be alike for keys that count
 * up. Those that a product has on top depend on all bits (multiplicative hashing). With three zeros
 * below they count words, of which a bucket has eight.
 */
static inline struct emc_slot *emc_ways(struct emc *emc, uint32_t tag)
{
	uint32_t spread = tag * 0x9e3779b1u;

	return (struct emc_slot *)((uint64_t *)emc->bucket +
				   (spread >> (29 - EMC_BUCKET_BITS) & (EMC_BUCKETS - 1) << 3));
}

/* emc_way() - the slot of @tag, or NULL */
static inline const struct emc_slot *emc_way(struct emc *emc, uint64_t tag)
{
	const struct emc_slot *s = emc_ways(emc, tag);

	if (likely(s[0].tag == tag))
		return s;
	if (s[1].tag == tag)
		return s + 1;
	if (s[2].tag == tag)
		return s + 2;
	return s[3].tag == tag ? s + 3 : NULL;
}

/*
 * emc_find_words() - the flow of key @w in this core's cache, or NULL. @tag
 * is its hash under emc_gen.
 */
static inline struct flow *emc_find_words(struct emc *emc, uint64_t tag, const uint64_t w[],
					  bool is_long)
{
	const struct emc_slot *s = emc_way(emc, tag);

	return likely(s) && likely(key_equal_words(s->flow->key.w, w, is_long)) ? s->flow : NULL;
}

static inline struct flow *emc_find(struct emc *emc, uint64_t tag, const struct flow_key *key)
{
	return emc_find_words(emc, tag, key->w, key->flags & KEY_LONG);
}
