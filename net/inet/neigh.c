/* SPDX-License-Identifier: MIT */
/*
 * neigh.c - neighbours and their states
 *
 * neigh_output() and neigh_update() run on the core that has the packet, neigh_tick() on core 0.
 * Owns nothing: the entries, and what waits for them, are neigh_table.c's.
 */
#include "neigh.h"

#include "kernel/shell.h"
#include "kernel/time.h"
#include "drivers/netdev.h"
#include "arp.h"
#include "net/bytes.h"
#include "icmp_error.h"
#include "local.h"
#include "ndisc.h"
#include "neigh_table.h"

const char *const nud_name[NUD_STATES] = {
	"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "PERMANENT",
};

static unsigned base_reachable_ms = 30000, delay_first_probe_s = 5, retrans_ms = 1000;
static unsigned ucast_solicit = 3, mcast_solicit = 3, unres_qlen = 101;
static unsigned gc_stale_s = 60;

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

static void send_to(struct port *port, uint64_t mac, struct pkt *p)
{
	bool v6 = p->data[0] >> 4 == 6;
	uint8_t *eth = bytes_push(p, ETH_HLEN);

	memcpy(eth, &mac, 6);
	memcpy(eth + 6, port->mac, 6);
	store16(eth + 12, be16(v6 ? ETH_P_IPV6 : ETH_P_IP));
	local_send(port, p);
}

void neigh_send_list(struct port *port, uint64_t mac, struct waiting *list)
{
	for (struct waiting *w = list; w; w = w->next)
		send_to(port, mac, w->p);
	neigh_give_back(list);
}

/* No answer: who sent them is told, and they go. */
void neigh_fail_list(struct port *port, struct waiting *list)
{
	for (struct waiting *w = list; w; w = w->next) {
		icmp_host_unreachable(port, w->p);
		local_send_drop(port, w->p, DROP_NEIGH_FAILED);
	}
	neigh_give_back(list);
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
	neigh_set_state(n, state);
	n->asked = 1;
	n->due_ms = neigh_now_ms() + retrans_ms;
}

/*
 * 0.5 to 1.5 times as long, so that neighbours that came together do not all become stale together
 */
static uint64_t reachable_ms(void)
{
	return base_reachable_ms / 2 + rdtsc() % base_reachable_ms;
}

static void become_reachable(struct neigh *n)
{
	neigh_set_state(n, NUD_REACHABLE);
	n->due_ms = neigh_now_ms() + reachable_ms();
}

/* Its address is not known: wait for it with @p, and ask if nobody has yet. */
static void resolve(struct port *port, const struct inet_addr *next, struct pkt *p)
{
	struct pkt *out = NULL;
	bool ask = false, full = false;
	struct neigh *n;
	uint64_t mac = 0;

	spin_lock(&neigh_lock);
	n = neigh_find(port, next);
	if (!n) {
		n = neigh_make(port, next);
		ask = n;
	} else if (neigh_state(n) == NUD_FAILED) {
		ask = true;
	} else if (neigh_state(n) != NUD_INCOMPLETE) {
		mac = neigh_word(n) & WORD_MAC; /* somebody learnt it meanwhile */
	}
	if (ask)
		begin_asking(n, NUD_INCOMPLETE);
	if (!n)
		full = true;
	else if (!mac)
		out = neigh_enqueue(n, p, unres_qlen);
	spin_unlock(&neigh_lock);
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
	spin_lock(&neigh_lock);
	if (n->linked && neigh_state(n) == NUD_STALE) {
		neigh_set_state(n, NUD_DELAY);
		n->due_ms = neigh_now_ms() + (uint64_t)delay_first_probe_s * 1000;
	}
	spin_unlock(&neigh_lock);
}

/* 01:00:5e and the last 23 bits [RFC 1112 6.4]; 33:33 and the last 32 [RFC 2464 7] */
uint64_t neigh_group_mac(const struct inet_addr *a)
{
	if (inet_is_v4(a))
		return mac_load(
			(const uint8_t[]){ 0x01, 0x00, 0x5e, a->b[13] & 0x7f, a->b[14], a->b[15] });
	return mac_load((const uint8_t[]){ 0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15] });
}

void neigh_output(struct port *port, const struct inet_addr *next, struct pkt *p)
{
	struct neigh *n = neigh_find(port, next);
	uint64_t w = n ? neigh_word(n) : FIELD_PREP(WORD_STATE, NUD_INCOMPLETE);
	enum nud state = FIELD_GET(WORD_STATE, w);

	if (likely(state != NUD_INCOMPLETE && state != NUD_FAILED)) {
		uint32_t now = neigh_now_ms() / 1000;

		if (atomic_load_explicit(&n->used, memory_order_relaxed) != now)
			atomic_store_explicit(&n->used, now, memory_order_relaxed);
		if (unlikely(state == NUD_STALE))
			use_stale(n);
		send_to(port, w & WORD_MAC, p);
	} else if (inet_is_multicast(next)) {
		send_to(port, neigh_group_mac(next), p);
	} else if (inet_is_broadcast(next, port)) {
		send_to(port, WORD_MAC, p);
	} else {
		resolve(port, next, p);
	}
}

/*
 * What a message says of @n. Returns what waited for it, if the address is
 * known now. Under the lock.
 */
static struct waiting *apply(struct neigh *n, uint64_t mac, unsigned news)
{
	enum nud state = neigh_state(n);
	bool known = state != NUD_INCOMPLETE && state != NUD_FAILED;
	bool differs = known && (neigh_word(n) & WORD_MAC) != mac;

	if (state == NUD_PERMANENT)
		return NULL;
	if (differs && !(news & NEIGH_OVERRIDE)) {
		if (state == NUD_REACHABLE)
			neigh_set_state(n, NUD_STALE); /* [RFC 4861 7.2.5] */
		return NULL;
	}
	n->router = news & NEIGH_ROUTER;
	if (!known || differs)
		neigh_set_word(n, mac, NUD_STALE);
	if (news & NEIGH_ANSWERED)
		become_reachable(n);
	return known ? NULL : neigh_detach(n);
}

void neigh_update(struct port *port, const struct inet_addr *addr, const uint8_t mac[6],
		  unsigned news)
{
	struct waiting *list = NULL;
	struct neigh *n;

	spin_lock(&neigh_lock);
	n = neigh_find(port, addr);
	if (!n && news & NEIGH_HEARD)
		n = neigh_make(port, addr);
	if (n)
		list = apply(n, mac_load(mac), news);
	spin_unlock(&neigh_lock);
	neigh_send_list(port, mac_load(mac), list);
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
		n->due_ms = neigh_now_ms() + retrans_ms;
		e->ask = true;
		e->to_mac = state == NUD_PROBE;
	} else {
		neigh_set_state(n, NUD_FAILED);
		e->failed = neigh_detach(n);
	}
}

static void look_at(struct neigh *n, uint64_t now, struct errand *e)
{
	enum nud state = neigh_state(n);
	bool unused = now / 1000 - atomic_load_explicit(&n->used, memory_order_relaxed) >=
		      gc_stale_s;

	*e = (struct errand){ .port = n->port, .addr = n->addr };
	neigh_mac(n, e->mac);
	if (neigh_is_idle(n) && unused) {
		neigh_retire(n);
		return;
	}
	if (neigh_is_idle(n) || state == NUD_PERMANENT || now < n->due_ms)
		return;
	switch (state) {
	case NUD_REACHABLE: neigh_set_state(n, NUD_STALE); break;
	case NUD_DELAY:
		neigh_set_state(n, NUD_PROBE);
		n->asked = 0;
		ask_again(n, NUD_PROBE, ucast_solicit, e);
		break;
	case NUD_PROBE: ask_again(n, state, ucast_solicit, e); break;
	default: ask_again(n, state, mcast_solicit, e);
	}
}

void neigh_tick(void)
{
	uint64_t now = neigh_now_ms();
	struct errand e;

	neigh_for_each(n)
	{
		if (!n->linked)
			continue;
		spin_lock(&neigh_lock);
		e = (struct errand){ 0 };
		if (n->linked)
			look_at(n, now, &e);
		spin_unlock(&neigh_lock);
		if (e.ask)
			solicit(e.port, &e.addr, e.to_mac ? e.mac : NULL);
		neigh_fail_list(e.port, e.failed);
	}
	local_flush();
}
