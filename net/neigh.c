/* SPDX-License-Identifier: MIT */
/*
 * neigh.c - the table of neighbours
 *
 * neigh_output() and neigh_update() run on the core that has the packet, neigh_tick() on core 0, the rest in the
 * control context. Owns all entries, one array, and the packets that wait for an answer.
 */
#include "neigh.h"

#include "kernel/lock.h"
#include "kernel/mem.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "arp.h"
#include "bytes.h"
#include "icmp_error.h"
#include "local.h"
#include "ndisc.h"

#include <errno.h>

enum { BUCKETS = 256, ASK_AT_ONCE = 16 };

/* struct neigh: word holds all that a sender must know, so that it is one load */
#define WORD_MAC   BITS(47, 0)
#define WORD_STATE BITS(55, 48)

/* a packet that waits */
struct waiting {
	struct pkt *p; /* from its IP header on */
	struct waiting *next;
};

struct neigh {
	/* set when it is made */
	struct inet_addr addr;
	struct port *port;
	_Atomic(struct neigh *) next; /* in the bucket; in the free list */
	_Atomic uint64_t word;
	_Atomic uint32_t used; /* second in which it was last sent to */
	/* by the lock's holder */
	bool linked, router;
	unsigned asked;  /* questions since the state began */
	uint64_t due_ms; /* when the state ends, or the next question is due */
	struct waiting *first, **last;
	unsigned nwaiting;
	struct qsbr_head retired;
};

const char *const nud_name[NUD_STATES] = {
	"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "PERMANENT",
};

static unsigned base_reachable_ms = 30000, delay_first_probe_s = 5, retrans_ms = 1000;
static unsigned ucast_solicit = 3, mcast_solicit = 3, unres_qlen = 101;
static unsigned gc_stale_s = 60, gc_thresh3 = NEIGH_MAX;

#define NEIGH_SYSCTL(id, nm, var, lo, hi, hlp) \
	SYSCTL(id, "net.ipv4.neigh.default." nm, var, lo, hi, hlp)

NEIGH_SYSCTL(sys_reachable, "base_reachable_time_ms", &base_reachable_ms, 1000, 3600000,
	     "a neighbour that answered is REACHABLE for 0.5 to 1.5 times so many ms");
NEIGH_SYSCTL(sys_delay, "delay_first_probe_time", &delay_first_probe_s, 0, 3600,
	     "seconds between the first use of a STALE neighbour and the first question");
NEIGH_SYSCTL(sys_retrans, "retrans_time_ms", &retrans_ms, 1000, 60000,
	     "ms between two questions; looked at once a second");
NEIGH_SYSCTL(sys_ucast, "ucast_solicit", &ucast_solicit, 0, 100,
	     "questions to the address that a neighbour had, in PROBE");
NEIGH_SYSCTL(sys_mcast, "mcast_solicit", &mcast_solicit, 1, 100,
	     "questions to all stations, in INCOMPLETE");
NEIGH_SYSCTL(sys_unres, "unres_qlen", &unres_qlen, 0, NEIGH_WAITING_MAX,
	     "packets that may wait for one neighbour's address; the oldest goes");
NEIGH_SYSCTL(sys_gc_stale, "gc_stale_time", &gc_stale_s, 1, 1000000,
	     "seconds without use until a STALE or FAILED neighbour is forgotten");
NEIGH_SYSCTL(sys_gc3, "gc_thresh3", &gc_thresh3, 1, NEIGH_MAX, "neighbours kept");

static struct spinlock
	lock; /* guards writes to the buckets, the chains, states, queues and all below */
static _Atomic(struct neigh *) bucket[BUCKETS];
static struct neigh *table; /* NEIGH_MAX */
static unsigned carved, nentries;
static struct neigh *free_list;
static struct waiting *waiting_free;

static uint64_t now_ms(void)
{
	return time_ns() / 1000000;
}

static uint64_t word_of(const uint8_t mac[6], enum nud state)
{
	return FIELD_PREP(WORD_MAC, mac_load(mac)) | FIELD_PREP(WORD_STATE, state);
}

static uint64_t word_get(const struct neigh *n)
{
	return atomic_load_explicit(&n->word, memory_order_relaxed);
}

static enum nud state_of(const struct neigh *n)
{
	return FIELD_GET(WORD_STATE, word_get(n));
}

static void set_state(struct neigh *n, enum nud state)
{
	uint64_t w = word_get(n) & ~WORD_STATE;

	atomic_store_explicit(&n->word, w | FIELD_PREP(WORD_STATE, state), memory_order_relaxed);
}

static void mac_of(const struct neigh *n, uint8_t mac[6])
{
	uint64_t w = word_get(n);

	memcpy(mac, &w, 6);
}

static _Atomic(struct neigh *) *bucket_of(const struct port *port, const struct inet_addr *a)
{
	uint64_t key = (a->q[0] ^ a->q[1]) + port->id;

	return &bucket[key * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

static struct neigh *find(const struct port *port, const struct inet_addr *a)
{
	/* acquire: pairs with the release in link_new; an entry that is found is complete */
	struct neigh *n = atomic_load_explicit(bucket_of(port, a), memory_order_acquire);

	while (n && (n->port != port || !inet_equal(&n->addr, a)))
		n = atomic_load_explicit(&n->next, memory_order_acquire);
	return n;
}

/* --- entries come and go; under the lock --- */

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

	spin_lock(&lock);
	atomic_store_explicit(&n->next, free_list, memory_order_relaxed);
	free_list = n;
	spin_unlock(&lock);
}

/* Nobody would miss it: nothing waits, and it may be asked for again. */
static bool is_idle(const struct neigh *n)
{
	return n->linked && (state_of(n) == NUD_STALE || state_of(n) == NUD_FAILED);
}

/* The idle entry that was used longest ago makes room; its place is free after a turn of all cores. */
static void make_room(void)
{
	struct neigh *oldest = NULL;

	for (unsigned i = 0; i < carved; i++)
		if (is_idle(&table[i]) && (!oldest || table[i].used < oldest->used))
			oldest = &table[i];
	if (!oldest)
		return;
	unlink(oldest);
	qsbr_retire(&oldest->retired, release);
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
	return carved < NEIGH_MAX ? &table[carved++] : NULL;
}

static struct neigh *link_new(struct port *port, const struct inet_addr *addr)
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
	atomic_store_explicit(&n->used, now_ms() / 1000, memory_order_relaxed);
	atomic_store_explicit(&n->word, FIELD_PREP(WORD_STATE, NUD_INCOMPLETE),
			      memory_order_relaxed);
	atomic_store_explicit(&n->next, atomic_load_explicit(head, memory_order_relaxed),
			      memory_order_relaxed);
	atomic_store_explicit(head, n, memory_order_release); /* pairs with find */
	nentries++;
	return n;
}

/* --- what waits --- */

/* Take the oldest packet out; NULL if none waits. Under the lock. */
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

/* Put @p behind the others; returns one that has to go for it: the oldest, or @p itself. Under the lock. */
static struct pkt *enqueue(struct neigh *n, struct pkt *p)
{
	struct pkt *out = n->nwaiting >= unres_qlen ? dequeue(n) : NULL;
	struct waiting *w = waiting_free;

	if (!w || n->nwaiting >= unres_qlen)
		return out ? out : p;
	waiting_free = w->next;
	*w = (struct waiting){ .p = p };
	*n->last = w;
	n->last = &w->next;
	n->nwaiting++;
	return out;
}

/* Take all of them out, as a list of their own. Under the lock. */
static struct waiting *detach(struct neigh *n)
{
	struct waiting *list = n->first;

	n->first = NULL;
	n->last = &n->first;
	n->nwaiting = 0;
	return list;
}

static void give_back(struct waiting *list)
{
	spin_lock(&lock);
	while (list) {
		struct waiting *next = list->next;

		list->next = waiting_free;
		waiting_free = list;
		list = next;
	}
	spin_unlock(&lock);
}

static void send_to(struct port *port, uint64_t mac, struct pkt *p)
{
	bool v6 = p->data[0] >> 4 == 6;
	uint8_t *eth = bytes_push(p, ETH_HLEN);

	memcpy(eth, &mac, 6);
	memcpy(eth + 6, port->mac, 6);
	store16(eth + 12, be16(v6 ? ETH_P_IPV6 : ETH_P_IP));
	local_send(port, p);
}

static void send_list(struct port *port, uint64_t mac, struct waiting *list)
{
	for (struct waiting *w = list; w; w = w->next)
		send_to(port, mac, w->p);
	give_back(list);
}

/* No answer: who sent them is told, and they go. */
static void fail_list(struct port *port, struct waiting *list)
{
	for (struct waiting *w = list; w; w = w->next) {
		icmp_host_unreachable(port, w->p);
		local_send_drop(port, w->p, DROP_NEIGH_FAILED);
	}
	give_back(list);
}

/* --- questions --- */

static void solicit(struct port *port, const struct inet_addr *addr, const uint8_t *mac)
{
	if (inet_is_v4(addr))
		arp_solicit(port, addr, mac);
	else
		ndisc_solicit(port, addr, mac);
}

/* --- the states --- */

/* A question is due at once, and then every retrans_ms. Under the lock. */
static void begin_asking(struct neigh *n, enum nud state)
{
	set_state(n, state);
	n->asked = 1;
	n->due_ms = now_ms() + retrans_ms;
}

/* 0.5 to 1.5 times as long, so that neighbours that came together do not all become stale together */
static uint64_t reachable_ms(void)
{
	return base_reachable_ms / 2 + rdtsc() % base_reachable_ms;
}

static void become_reachable(struct neigh *n)
{
	set_state(n, NUD_REACHABLE);
	n->due_ms = now_ms() + reachable_ms();
}

/* Its address is not known: wait for it with @p, and ask if nobody has yet. */
static void resolve(struct port *port, const struct inet_addr *next, struct pkt *p)
{
	struct pkt *out = NULL;
	bool ask = false, full = false;
	struct neigh *n;
	uint64_t mac = 0;

	spin_lock(&lock);
	n = find(port, next);
	if (!n) {
		n = link_new(port, next);
		ask = n;
	} else if (state_of(n) == NUD_FAILED) {
		ask = true;
	} else if (state_of(n) != NUD_INCOMPLETE) {
		mac = word_get(n) & WORD_MAC; /* somebody learnt it meanwhile */
	}
	if (ask)
		begin_asking(n, NUD_INCOMPLETE);
	if (!n)
		full = true;
	else if (!mac)
		out = enqueue(n, p);
	spin_unlock(&lock);
	if (full)
		local_send_drop(port, p, DROP_NEIGH_TABLE_FULL);
	else if (mac)
		send_to(port, mac, p);
	if (out)
		local_send_drop(port, out, DROP_NEIGH_QUEUE_FULL);
	if (ask)
		solicit(port, next, NULL);
}

/* The first packet to a stale neighbour: it is doubted from now on. */
static void use_stale(struct neigh *n)
{
	spin_lock(&lock);
	if (n->linked && state_of(n) == NUD_STALE) {
		set_state(n, NUD_DELAY);
		n->due_ms = now_ms() + (uint64_t)delay_first_probe_s * 1000;
	}
	spin_unlock(&lock);
}

/* 01:00:5e and the last 23 bits [RFC 1112 6.4]; 33:33 and the last 32 [RFC 2464 7] */
static uint64_t group_mac(const struct inet_addr *a)
{
	if (inet_is_v4(a))
		return mac_load(
			(const uint8_t[]){ 0x01, 0x00, 0x5e, a->b[13] & 0x7f, a->b[14], a->b[15] });
	return mac_load((const uint8_t[]){ 0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15] });
}

void neigh_output(struct port *port, const struct inet_addr *next, struct pkt *p)
{
	struct neigh *n = find(port, next);
	uint64_t w = n ? word_get(n) : FIELD_PREP(WORD_STATE, NUD_INCOMPLETE);
	enum nud state = FIELD_GET(WORD_STATE, w);

	if (likely(state != NUD_INCOMPLETE && state != NUD_FAILED)) {
		uint32_t now = now_ms() / 1000;

		if (atomic_load_explicit(&n->used, memory_order_relaxed) != now)
			atomic_store_explicit(&n->used, now, memory_order_relaxed);
		if (unlikely(state == NUD_STALE))
			use_stale(n);
		send_to(port, w & WORD_MAC, p);
	} else if (inet_is_multicast(next)) {
		send_to(port, group_mac(next), p);
	} else if (inet_is_broadcast(next, port)) {
		send_to(port, WORD_MAC, p);
	} else {
		resolve(port, next, p);
	}
}

/* What a message says of @n. Returns what waited for it, if the address is known now. Under the lock. */
static struct waiting *apply(struct neigh *n, uint64_t mac, unsigned news)
{
	enum nud state = state_of(n);
	bool known = state != NUD_INCOMPLETE && state != NUD_FAILED;
	bool differs = known && (word_get(n) & WORD_MAC) != mac;

	if (state == NUD_PERMANENT)
		return NULL;
	if (differs && !(news & NEIGH_OVERRIDE)) {
		if (state == NUD_REACHABLE)
			set_state(n, NUD_STALE); /* [RFC 4861 7.2.5] */
		return NULL;
	}
	n->router = news & NEIGH_ROUTER;
	if (!known || differs)
		atomic_store_explicit(&n->word, mac | FIELD_PREP(WORD_STATE, NUD_STALE),
				      memory_order_relaxed);
	if (news & NEIGH_ANSWERED)
		become_reachable(n);
	return known ? NULL : detach(n);
}

void neigh_update(struct port *port, const struct inet_addr *addr, const uint8_t mac[6],
		  unsigned news)
{
	struct waiting *list = NULL;
	struct neigh *n;

	spin_lock(&lock);
	n = find(port, addr);
	if (!n && news & NEIGH_HEARD)
		n = link_new(port, addr);
	if (n)
		list = apply(n, mac_load(mac), news);
	spin_unlock(&lock);
	send_list(port, mac_load(mac), list);
}

/* --- time --- */

/* what one look at an entry found to be done when the lock is free again */
struct errand {
	struct port *port;
	struct inet_addr addr;
	uint8_t mac[6];
	bool ask, to_mac;
	struct waiting *failed;
};

static void ask_again(struct neigh *n, enum nud state, unsigned most, struct errand *e)
{
	if (n->asked < most) {
		n->asked++;
		n->due_ms = now_ms() + retrans_ms;
		e->ask = true;
		e->to_mac = state == NUD_PROBE;
	} else {
		set_state(n, NUD_FAILED);
		e->failed = detach(n);
	}
}

static void look_at(struct neigh *n, uint64_t now, struct errand *e)
{
	enum nud state = state_of(n);
	bool unused = now / 1000 - atomic_load_explicit(&n->used, memory_order_relaxed) >=
		      gc_stale_s;

	*e = (struct errand){ .port = n->port, .addr = n->addr };
	mac_of(n, e->mac);
	if (is_idle(n) && unused) {
		unlink(n);
		qsbr_retire(&n->retired, release);
		return;
	}
	if (is_idle(n) || state == NUD_PERMANENT || now < n->due_ms)
		return;
	switch (state) {
	case NUD_REACHABLE: set_state(n, NUD_STALE); break;
	case NUD_DELAY:
		set_state(n, NUD_PROBE);
		n->asked = 0;
		ask_again(n, NUD_PROBE, ucast_solicit, e);
		break;
	case NUD_PROBE: ask_again(n, state, ucast_solicit, e); break;
	default: ask_again(n, state, mcast_solicit, e);
	}
}

void neigh_tick(void)
{
	uint64_t now = now_ms();
	struct errand e;

	for (unsigned i = 0; i < carved; i++) {
		struct neigh *n = &table[i];

		if (!n->linked)
			continue;
		spin_lock(&lock);
		e = (struct errand){ 0 };
		if (n->linked)
			look_at(n, now, &e);
		spin_unlock(&lock);
		if (e.ask)
			solicit(e.port, &e.addr, e.to_mac ? e.mac : NULL);
		fail_list(e.port, e.failed);
	}
	local_flush();
}

/* --- the control context --- */

unsigned neigh_rows(struct neigh_row *rows, unsigned max)
{
	unsigned n = 0;

	spin_lock(&lock);
	for (unsigned i = 0; i < carved; i++) {
		struct neigh *e = &table[i];

		if (!e->linked)
			continue;
		if (n < max) {
			rows[n] = (struct neigh_row){ .addr = e->addr,
						      .port = e->port,
						      .state = state_of(e),
						      .router = e->router,
						      .waiting = e->nwaiting };
			mac_of(e, rows[n].mac);
		}
		n++;
	}
	spin_unlock(&lock);
	return n;
}

int neigh_set(struct port *port, const struct inet_addr *addr, const uint8_t mac[6])
{
	struct waiting *list = NULL;
	struct neigh *n;

	spin_lock(&lock);
	n = find(port, addr);
	if (!n)
		n = link_new(port, addr);
	if (n) {
		atomic_store_explicit(&n->word, word_of(mac, NUD_PERMANENT), memory_order_relaxed);
		list = detach(n);
	}
	spin_unlock(&lock);
	send_list(port, mac_load(mac), list);
	local_flush();
	return n ? 0 : -ENOSPC;
}

static void forget(struct neigh *n)
{
	struct waiting *list = NULL;
	struct port *port = n->port;

	spin_lock(&lock);
	if (n->linked) { /* another core may have made room meanwhile */
		list = detach(n);
		unlink(n);
		qsbr_retire(&n->retired, release);
	}
	spin_unlock(&lock);
	fail_list(port, list);
}

int neigh_del(struct port *port, const struct inet_addr *addr)
{
	struct neigh *n = find(port, addr);

	if (!n)
		return -ENOENT;
	forget(n);
	local_flush();
	return 0;
}

unsigned neigh_flush(const struct port *port, bool all)
{
	unsigned n = 0;

	for (unsigned i = 0; i < carved; i++) {
		struct neigh *e = &table[i];

		if (!e->linked || (port && e->port != port))
			continue;
		if (!all && state_of(e) == NUD_PERMANENT)
			continue;
		forget(e);
		n++;
	}
	local_flush();
	return n;
}

static void waiting_walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	(void)arg;
	for (unsigned i = 0; i < carved; i++)
		if (table[i].linked)
			for (struct waiting *w = table[i].first; w; w = w->next)
				tally(t, w->p);
}

void neigh_init(void)
{
	static struct pkt_holder holder = { .name = "neighbours", .walk = waiting_walk };
	struct waiting *w = mem_zalloc(NEIGH_WAITING_MAX * sizeof(*w), CACHE_LINE, "neighbours");

	table = mem_zalloc(NEIGH_MAX * sizeof(*table), CACHE_LINE, "neighbours");
	memset(bucket, 0, sizeof(bucket));
	free_list = NULL;
	waiting_free = NULL;
	carved = nentries = 0;
	for (unsigned i = 0; i < NEIGH_WAITING_MAX; i++) {
		w[i].next = waiting_free;
		waiting_free = &w[i];
	}
	pkt_holder_add(&holder);
}
