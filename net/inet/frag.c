/* SPDX-License-Identifier: MIT */
/*
 * frag.c - reassembly
 *
 * frag_add() runs on the core that has the fragment, frag_tick() on core 0. Fragments of a
 * packet may come to several cores, and none of this is anybody's hot path: one lock. Owns the
 * fragments that wait for others.
 */
#include "frag.h"

#include "kernel/lock.h"
#include "kernel/mem.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "net/bytes.h"
#include "icmp_error.h"
#include "local.h"
#include "snmp.h"

enum { BUCKETS = 64, QUEUES_MAX = 256, LENGTH_MAX = 65535, FRAG_UNIT = 8, BUFFERS_OF_ONE = 255 };

/* one fragment */
struct frag {
	struct frag *next; /* by offset; in the free list */
	struct pkt *p;     /* from its IP header on */
	struct port *port; /* it came in by */
	uint32_t off, len; /* of the payload */
	uint32_t head;     /* bytes in front of that in @p */
};

/* one packet whose fragments wait for others */
struct queue {
	struct queue *next; /* in the bucket; in the free list */
	struct inet_addr src, dst;
	uint32_t id;
	uint8_t proto;
	bool v6;
	struct frag *first;
	unsigned nfrags, nbuffers;
	uint32_t have; /* bytes of payload */
	uint32_t end;  /* bytes of the whole payload; 0: the last fragment is not here */
	uint64_t deadline;
};

static unsigned high_thresh[2] = { 256, 256 }, seconds[2] = { 30, 60 };

SYSCTL(sys_frag_thresh, "net.ipv4.ipfrag_high_thresh", &high_thresh[0], 0, FRAG_BUFFERS_MAX,
       "buffers of IPv4 fragments that wait for others");
SYSCTL(sys_frag_time, "net.ipv4.ipfrag_time", &seconds[0], 1, 3600,
       "seconds that IPv4 fragments wait for others");
SYSCTL(sys_frag_thresh6, "net.ipv6.ip6frag_high_thresh", &high_thresh[1], 0, FRAG_BUFFERS_MAX,
       "buffers of IPv6 fragments that wait for others");
SYSCTL(sys_frag_time6, "net.ipv6.ip6frag_time", &seconds[1], 1, 3600,
       "seconds that IPv6 fragments wait for others");

static struct spinlock lock; /* guards all below */
static struct queue *bucket[BUCKETS], *queues_free;
static struct frag *frags_free;
static unsigned nbuffers[2];

unsigned frag_buffers(bool v6)
{
	return nbuffers[v6];
}

static struct queue **bucket_of(const struct inet_addr *src, const struct inet_addr *dst,
				uint32_t id)
{
	uint64_t key = src->q[0] ^ src->q[1] ^ dst->q[0] ^ dst->q[1] ^ id;

	return &bucket[key * UINT64_C(0x9e3779b97f4a7c15) >> 58];
}

/* --- under the lock --- */

static struct queue *find(const struct inet_rx *rx, uint32_t id)
{
	struct queue *q = *bucket_of(&rx->src, &rx->dst, id);

	while (q && !(q->id == id && inet_equal(&q->src, &rx->src) &&
		      inet_equal(&q->dst, &rx->dst) && (q->v6 || q->proto == rx->proto)))
		q = q->next;
	return q;
}

static struct queue *make(const struct inet_rx *rx, uint32_t id)
{
	struct queue *q = queues_free, **head = bucket_of(&rx->src, &rx->dst, id);

	if (!q)
		return NULL;
	queues_free = q->next;
	*q = (struct queue){
		.next = *head,
		.src = rx->src,
		.dst = rx->dst,
		.id = id,
		.proto = rx->proto,
		.v6 = rx->v6,
		.deadline = rdtsc() + tsc_from_us(seconds[rx->v6] * UINT64_C(1000000)),
	};
	*head = q;
	return q;
}

/* Take @q out of the table; its fragments are the caller's, as a list. */
static struct frag *take_out(struct queue *q)
{
	struct queue **at = bucket_of(&q->src, &q->dst, q->id);
	struct frag *list = q->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	nbuffers[q->v6] -= q->nbuffers;
	q->next = queues_free;
	queues_free = q;
	return list;
}

/* what becomes of a fragment */
enum outcome { KEPT, WHOLE, DUPLICATE, BAD, OVERLAP, TOO_MANY, FULL };

/*
 * With @f, which ends at @end, the whole would be longer than its header can say. That is in front
 * of the first fragment, which @f is, or the one that is first so far, or one that is yet to come
 * and will be asked the same.
 */
static bool is_too_long(const struct queue *q, const struct frag *f, uint32_t end)
{
	uint32_t head = MAX(f->head, q->first ? q->first->head : 0);

	return head - (q->v6 ? IPV6_HLEN : 0) + MAX(end, q->end) > LENGTH_MAX;
}

/*
 * Is @f, which ends at @end, in order with what is there of @q? @more: it says
 * that it is not the last.
 */
static enum outcome check(const struct queue *q, const struct frag *f, uint32_t end, bool more)
{
	if (is_too_long(q, f, end) || (more && f->len % FRAG_UNIT) || (!f->len && (more || f->off)))
		return BAD;
	if (q->end && (end > q->end || (!more && end != q->end)))
		return OVERLAP;
	for (const struct frag *o = q->first; o; o = o->next) {
		if (o->off == f->off && o->len == f->len)
			return DUPLICATE;
		if (f->off < o->off + o->len && o->off < end)
			return OVERLAP;
		if (!more && o->off + o->len > end)
			return OVERLAP;
	}
	return q->nfrags == FRAG_OF_ONE_MAX || q->nbuffers + f->p->nsegs > BUFFERS_OF_ONE ? TOO_MANY
											  : KEPT;
}

static void insert(struct queue *q, struct frag *f, bool more)
{
	struct frag **at = &q->first;

	while (*at && (*at)->off < f->off)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	q->nfrags++;
	q->nbuffers += f->p->nsegs;
	nbuffers[q->v6] += f->p->nsegs;
	q->have += f->len;
	if (!more)
		q->end = f->off + f->len;
}

/* Put a copy of @f into its queue. Unless KEPT or DUPLICATE, *list is what else goes with it. */
static enum outcome add(const struct inet_rx *rx, const struct frag_info *info,
			const struct frag *f, struct frag **list)
{
	struct queue *q = find(rx, info->id);
	struct frag *kept = frags_free;
	enum outcome what;

	if (!kept || nbuffers[rx->v6] + f->p->nsegs > high_thresh[rx->v6])
		return FULL;
	if (!q)
		q = make(rx, info->id);
	if (!q)
		return FULL;
	what = check(q, f, f->off + f->len, info->more);
	if (what == KEPT) {
		frags_free = kept->next;
		*kept = *f;
		insert(q, kept, info->more);
		if (q->end && q->have == q->end)
			what = WHOLE;
	}
	if (what != KEPT && what != DUPLICATE)
		*list = take_out(q);
	return what;
}

/* --- without it --- */

static void give_back(struct frag *list)
{
	spin_lock(&lock);
	while (list) {
		struct frag *next = list->next;

		list->next = frags_free;
		frags_free = list;
		list = next;
	}
	spin_unlock(&lock);
}

/* One chain of them all: the first with its headers, of the others the payload alone. */
static struct pkt *join(struct frag *list)
{
	struct pkt *whole = list->p, **end = &whole->next;
	uint32_t len = list->head + list->len;
	unsigned nsegs = 0;

	for (struct frag *f = list; f; f = f->next) {
		if (f != list) {
			bytes_pull(f->p, f->head);
			*end = f->p;
			len += f->len;
		}
		nsegs += f->p->nsegs;
		while (*end)
			end = &(*end)->next;
	}
	whole->frame_len = len;
	whole->nsegs = nsegs;
	/* what the NIC found right was the first fragment at most */
	whole->flags = nsegs > 1 ? PKT_CHAIN : 0;
	give_back(list);
	return whole;
}

/* The fragments of a packet that will not be whole: each with the reason. */
static void drop_list(struct frag *list, enum drop_reason why)
{
	for (struct frag *f = list; f; f = f->next)
		local_drop(f->port, f->p, why);
	give_back(list);
}

static enum drop_reason reason_for(enum outcome what)
{
	static const enum drop_reason reason[] = {
		[BAD] = DROP_FRAG_BAD,
		[OVERLAP] = DROP_FRAG_OVERLAP,
		[TOO_MANY] = DROP_FRAG_TOO_MANY,
		[FULL] = DROP_FRAG_FULL,
	};

	return reason[what];
}

bool frag_add(struct inet_rx *rx, const struct frag_info *info)
{
	struct frag f = {
		.p = rx->p,
		.port = rx->port,
		.off = info->off,
		.len = rx->p->frame_len - rx->l4,
		.head = rx->l4,
	};
	struct frag *list = NULL;
	enum outcome what;

	snmp_ip(rx->v6, IP_ReasmReqds);
	spin_lock(&lock);
	what = add(rx, info, &f, &list);
	spin_unlock(&lock);
	switch (what) {
	case KEPT: return false;
	case DUPLICATE: inet_done(rx); return false;
	case WHOLE:
		snmp_ip(rx->v6, IP_ReasmOKs);
		rx->l4 = list->head;
		rx->p = join(list);
		return true;
	default:
		snmp_ip(rx->v6, IP_ReasmFails);
		drop_list(list, reason_for(what));
		inet_drop(rx, reason_for(what));
		return false;
	}
}

/*
 * Too late: the sender is told if the first fragment has come, which says what it was
 * [RFC 792, RFC 4443 3.3].
 */
static void expire(struct queue *q, struct frag *list)
{
	struct frag *f = list;
	struct inet_rx rx = { .src = q->src, .dst = q->dst, .proto = q->proto, .v6 = q->v6 };

	snmp_ip(q->v6, IP_ReasmTimeout);
	snmp_ip(q->v6, IP_ReasmFails);
	if (f && !f->off) {
		rx.port = f->port;
		rx.p = f->p;
		rx.l4 = f->head;
		rx.to_us = inet_local(&q->dst, f->port);
		icmp_error(&rx, ICMP_ERR_FRAG_TIME, 0);
	}
	drop_list(list, DROP_FRAG_TIMEOUT);
}

/*
 * One that @gone says is to go, out of bucket @i; its address and family in
 * *copy. NULL: there is none.
 */
static struct frag *take_one(unsigned i, bool (*gone)(const struct queue *q, const void *arg),
			     const void *arg, struct queue *copy, bool *found)
{
	struct frag *list = NULL;

	*found = false;
	spin_lock(&lock);
	for (struct queue *q = bucket[i]; q && !*found; q = q->next) {
		if (!gone(q, arg))
			continue;
		*found = true;
		*copy = *q;
		list = take_out(q);
		break;
	}
	spin_unlock(&lock);
	return list;
}

static void expire_all(bool (*gone)(const struct queue *q, const void *arg), const void *arg)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct frag *list;
		struct queue q;
		bool found;

		if (!bucket[i])
			continue;
		while (list = take_one(i, gone, arg, &q, &found), found)
			expire(&q, list);
	}
	local_flush();
}

static bool is_late(const struct queue *q, const void *now)
{
	return q->deadline <= *(const uint64_t *)now;
}

void frag_tick(void)
{
	uint64_t now = rdtsc();

	if (nbuffers[0] + nbuffers[1])
		expire_all(is_late, &now);
}

static bool is_of_port(const struct queue *q, const void *port)
{
	for (const struct frag *f = q->first; f; f = f->next)
		if (f->port == port)
			return true;
	return false;
}

void frag_port_gone(const struct port *port)
{
	expire_all(is_of_port, port);
}

static void frags_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct queue *q = bucket[i]; q; q = q->next)
			for (struct frag *f = q->first; f; f = f->next)
				tally(t, f->p);
}

void frag_init(void)
{
	static struct pkt_holder holder = { .name = "fragments", .walk = frags_walk };
	struct queue *q = mem_zalloc(QUEUES_MAX * sizeof(*q), CACHE_LINE, "fragments");
	struct frag *f = mem_zalloc(FRAG_BUFFERS_MAX * sizeof(*f), CACHE_LINE, "fragments");

	memset(bucket, 0, sizeof(bucket));
	nbuffers[0] = nbuffers[1] = 0;
	queues_free = NULL;
	frags_free = NULL;
	for (unsigned i = 0; i < QUEUES_MAX; i++) {
		q[i].next = queues_free;
		queues_free = &q[i];
	}
	for (unsigned i = 0; i < FRAG_BUFFERS_MAX; i++) {
		f[i].next = frags_free;
		frags_free = &f[i];
	}
	pkt_holder_add(&holder);
}
