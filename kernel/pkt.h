/* SPDX-License-Identifier: MIT */
/*
 * pkt.h - a packet, and the per-core pools it comes from
 *
 * A struct pkt is one cache line, followed in memory by its headroom and its 2 KiB buffer; a frame
 * longer than a buffer is a chain by @next, whose first pkt speaks for the whole. A packet has one
 * owner at all times: pool, RX ring, the code that runs, a ring between cores, TX ring. Who cannot
 * pass it on frees it with a drop reason.
 *
 * The data path allocates from the pool of its own core and never blocks: an
 * empty pool is a counter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu.h"
#include "drop.h"

enum {
	/* bytes in front of a received frame: tunnel and virtio headers go there */
	PKT_HEADROOM = 192,
	PKT_BUF_SIZE = 2048, /* bytes that a NIC may fill; SRRCTL.BSIZEPACKET counts in KiB */
	PKT_MAX_SEGS = 8,    /* longest chain of a frame that fits a wire: 16 KiB */
	PKT_GSO_SEGS = 47,   /* and of one that is to be cut: 64 KiB, or as many segments */
};

/*
 * what is not usual about a frame, and which members of struct pkt are valid; a
 * plain frame has none of these
 */
enum pkt_flags {
	PKT_CHAIN = BIT(0),        /* more than one buffer */
	PKT_HASH = BIT(1),         /* hash: over addresses and ports, as RSS computes it */
	PKT_VLAN = BIT(2),         /* vlan_tci: a tag that does not stand in the bytes */
	PKT_CSUM_OK = BIT(3),      /* the checksum of TCP or UDP was found right */
	PKT_CSUM_PARTIAL = BIT(4), /* csum_start, csum_offset: it is still to be completed */
	PKT_GSO = BIT(5),          /* gso_size, gso_type: to be cut before it meets a wire */
	PKT_STAMPED = BIT(6),      /* stamp: each stage writes down when it came by */
	PKT_GSO_FIXEDID = BIT(7),  /* its segments all have the IPv4 identification that it has */
};

/*
 * What PKT_CSUM_PARTIAL stands for: in the place of the checksum stands the sum of the pseudo
 * header, not inverted; all from csum_start on is to be added, and the sum inverted. The place
 * lies in the first buffer.
 *
 * What PKT_GSO stands for: one TCP segment or UDP datagram of up to 64 KiB, whose headers speak of
 * all of it. It is to be cut into parts of gso_size bytes of payload, the last may be shorter, each
 * with headers of its own (Linux: skb_shinfo(skb)->gso_size). PKT_CSUM_PARTIAL goes with it,
 * csum_start being where TCP's or UDP's header begins; all headers lie in the first buffer.
 */
enum pkt_gso { PKT_GSO_TCPV4, PKT_GSO_TCPV6, PKT_GSO_UDP_L4 };

struct path_stamp;

struct pkt {
	_Alignas(CACHE_LINE) uint8_t *data; /* first byte in this buffer */
	struct pkt *next;                   /* rest of the frame; NULL in the last, and in a pool */
	struct pool *pool;                  /* home, whoever holds it */
	/*
	 * of the whole frame, valid in the first buffer; one word, so that one compare says "plain"
	 */
	union {
		struct {
			uint32_t frame_len; /* bytes without FCS */
			uint32_t flags;     /* enum pkt_flags */
		};
		uint64_t frame;
	};
	union {
		struct {
			uint16_t len;     /* bytes in this buffer */
			uint8_t nsegs;    /* buffers in the chain; valid in the first */
			uint8_t rx_queue; /* where it was received, beside in_port: where something
					     is slow enough to ask */
		};
		uint32_t buffer; /* all three at one go */
	};
	uint16_t in_port;  /* id of the port it came in by, where it waits for another core */
	uint16_t out_port; /* id of the port it leaves by, where it waits for another core */
	uint32_t hash;
	uint16_t vlan_tci;    /* host order */
	uint16_t csum_start;  /* bytes from the frame's first to the first that is summed */
	uint16_t csum_offset; /* and from there to where the sum goes */
	uint16_t gso_size;    /* most bytes of payload a segment */
	uint8_t gso_type;     /* enum pkt_gso */
	struct path_stamp *stamp;
};

_Static_assert(sizeof(struct pkt) == CACHE_LINE, "a packet is what one cache line holds");

enum { PKT_STRIDE = sizeof(struct pkt) + PKT_HEADROOM + PKT_BUF_SIZE };

struct pool {
	/* by the owning core */
	struct pkt **free; /* [size], a stack of nfree: the buffer last freed is the warm one */
	uint32_t nfree;
	uint32_t id;      /* its core's, or POOL_EXTRA and beyond */
	const char *name; /* of one that is no core's; else NULL */
	uint64_t empty;   /* allocations refused */
	/* set once */
	uint32_t size; /* packets in all */
	uint8_t *base; /* packet i lies at base + i * PKT_STRIDE */
	/* by other cores */
	_Alignas(CACHE_LINE) _Atomic(struct pkt *) returned; /* freed elsewhere, on its way home */
};

#define seg_for_each(seg, first) for (struct pkt *seg = (first); seg; seg = seg->next)

/* pkt_buf() - where a device writes: the buffer behind the headroom. */
static inline uint8_t *pkt_buf(struct pkt *p)
{
	return (uint8_t *)(p + 1) + PKT_HEADROOM;
}

/*
 * pkt_begin() - @p, as pkt_alloc() gave it, is one buffer with a plain frame of @len bytes;
 * data is the caller's to set.
 */
static inline void pkt_begin(struct pkt *p, uint32_t len)
{
	p->frame = len;
	p->buffer = len + (1 << 16);
}

/* beside the cores' pools: those of queues that are received in their interrupts, netif_rx.h */
enum { POOL_EXTRA = MAX_CPUS, POOLS = POOL_EXTRA + 64 };

/*
 * pool_create() - carve a pool of @n packets, the one with number @id, out of boot memory; a core's
 * has its number. Returns NULL if there is not that much memory. Costs n * PKT_STRIDE bytes, which
 * are not touched but for the first cache line of each.
 */
struct pool *pool_create(unsigned id, unsigned n);

/*
 * pool_free_count() - packets at home, those on their way included; exact
 * while the cores are parked.
 */
unsigned pool_free_count(struct pool *pool);

/*
 * pkt_alloc_slow() - fetch what other cores returned; pkt_alloc() comes here
 * when the stack is empty.
 */
struct pkt *pkt_alloc_slow(struct pool *pool);
/* pkt_free_remote() - send home a packet of another core's pool. */
void pkt_free_remote(struct pkt *p);
/* pkt_free_rest() - the same as pkt_free_segs(), where some are of another core's pool. */
void pkt_free_rest(struct pkt **segs, unsigned n);

/*
 * pkt_alloc() - one packet from this core's pool, its only segment; data and lengths are the
 * caller's to set. Returns NULL if the pool is empty (counted in pool->empty).
 */
static inline struct pkt *pkt_alloc(void)
{
	struct pool *pool = this_cpu()->pool;

	return likely(pool->nfree) ? pool->free[--pool->nfree] : pkt_alloc_slow(pool);
}

/*
 * pkt_alloc_batch() - up to @n of them at one go. Returns where they stand: good until this core
 * frees or allocates again. *@got: how many, fewer if the pool ran empty.
 */
static inline struct pkt **pkt_alloc_batch(unsigned n, unsigned *got)
{
	struct pool *pool = this_cpu()->pool;

	if (unlikely(pool->nfree < n)) {
		struct pkt *more = pkt_alloc_slow(pool);

		if (more)
			pool->free[pool->nfree++] = more;
	}
	*got = MIN(n, pool->nfree);
	pool->nfree -= *got;
	return pool->free + pool->nfree;
}

/* pkt_free_seg() - give one buffer, that is in no chain, back to its pool. */
static inline void pkt_free_seg(struct pkt *p)
{
	struct pool *pool = p->pool;

	if (likely(pool == this_cpu()->pool))
		pool->free[pool->nfree++] = p;
	else
		pkt_free_remote(p);
}

/* pkt_free_segs() - the same with the @n buffers at segs[]. */
static inline void pkt_free_segs(struct pkt **segs, unsigned n)
{
	struct pool *pool = this_cpu()->pool;
	struct pkt **top = pool->free + pool->nfree;
	size_t i = 0;

	/* unrolled: half of each turn would be the loop's own */
#pragma GCC unroll 4
	for (; i < n; i++) {
		if (unlikely(segs[i]->pool != pool))
			break;
		top[i] = segs[i];
	}
	pool->nfree += i;
	if (unlikely(i < n))
		pkt_free_rest(segs + i, n - i);
}

/* pkt_free() - give a whole chain back: sent, copied away or merged. Not for drops. */
static inline void pkt_free(struct pkt *p)
{
	while (unlikely(p->next)) {
		struct pkt *next = p->next;

		p->next = NULL;
		pkt_free_seg(p);
		p = next;
	}
	pkt_free_seg(p);
}

/*
 * drop_count() - a packet went nowhere. One instruction, as an interrupt of this core may
 * count the same (netif_rx.c).
 */
static inline void drop_count(enum drop_reason why)
{
	uint64_t *n = &this_cpu()->drop[why];

#if __STDC_HOSTED__
	++*n;
#else
	__asm__ volatile("incq %0" : "+m"(*n));
#endif
}

/*
 * pkt_drop() - it goes nowhere: count @why on this core and free the chain. Ports
 * count beside it: net/port.h.
 * pkt_drop_at() - the same where it is known at which port, by its id: as it
 * came in, or on its way @out.
 */
void pkt_drop(struct pkt *p, enum drop_reason why);
void pkt_drop_at(struct pkt *p, enum drop_reason why, uint16_t port, bool out);

/*
 * who looks on, before @p is freed; NULL almost always. Changed while the cores are
 * parked; @port is 0 if unknown
 */
extern void (*pkt_drop_tap)(const struct pkt *p, enum drop_reason why, uint16_t port, bool out);

/*
 * pkt_copy() - a chain with the same bytes and the same metadata, from this core's pool.
 * Returns NULL if the pool has too few buffers; nothing is taken then.
 */
struct pkt *pkt_copy(const struct pkt *p);

/*
 * Audit: allocated = free + held, by holder. A room that keeps packets over a turn of the core loop
 * registers how to walk them; `pool` runs it in the control context with all cores parked.
 */
struct pkt_holder {
	const char *name; /* "nic0 rx ring" ... */
	void (*walk)(void *arg, void (*tally)(void *t, struct pkt *chain), void *t);
	void *arg;
	struct pkt_holder *next;
};

void pkt_holder_add(struct pkt_holder *h);
