/* SPDX-License-Identifier: MIT */
/*
 * switch.c - the fast path
 *
 * switch_batch() runs on the core that received the batch, called by netif_receive(). Which switch
 * a port is in is net/ovs/vswitch.c's.
 */
#include "switch.h"

#include "kernel/counter.h"
#include "kernel/path.h"
#include "kernel/trace.h"
#include "flow.h"
#include "parse.h"
#include "net/ovs/upcall.h"
#include "xmit.h"

#include <string.h>
#include <sys/types.h>

COUNTER(upcalls, "net.upcalls", "packets that took the slow path");

/* @p leaves by all of @out: by copies, and by itself through the last. */
static void output_many(struct xmit_cpu *x, struct pkt *p, uint32_t out)
{
	struct port_cpu *c = port_here(x->batch.port);

	while (out & (out - 1)) {
		struct pkt *copy = pkt_copy(p);
		unsigned id = __builtin_ctz(out);

		out &= out - 1;
		c->created++;
		if (unlikely(!copy)) { /* a packet that never was: counted as pkt_drop() counts */
			c->dropped_in[DROP_NO_COPY]++;
			drop_count(DROP_NO_COPY);
			continue;
		}
		c->forwarded++;
		xmit_stage(x, id, copy);
	}
	xmit_stage(x, __builtin_ctz(out), p);
}

static __attribute__((noinline)) void execute(struct xmit_cpu *x, struct pkt *p,
					      const struct verdict *v)
{
	if (v->out == OUT_DROP)
		port_drop_in(x->batch.port, p, v->reason);
	else
		output_many(x, p, v->ports);
}

/*
 * Neither this core's cache nor the shared table knows @key. Returns its flow; NULL if the verdict
 * is not kept: the packet is gone by then.
 */
static struct flow *decide(struct xmit_cpu *x, struct pkt *p, const struct flow_key *key,
			   uint32_t hash)
{
	/*
	 * acquire: before anything is looked at that the verdict will rest
	 * on; flow_install() compares
	 */
	uint32_t gen = atomic_load_explicit(&flow_gen, memory_order_acquire);
	struct flow *f = NULL;
	struct verdict v;

	x->batch.emc->upcalls++;
	counter_inc(&upcalls);
	if (upcall(x->batch.port, key, &v))
		f = flow_install(key, hash, &v, gen);
	if (f)
		return f;
	rule_count(v.rule, 1, p->frame_len);
	execute(x, p, &v);
	return NULL;
}

static __attribute__((noinline)) struct flow *miss(struct xmit_cpu *x, struct pkt *p,
						   const struct flow_key *key, uint64_t tag)
{
	uint32_t hash = key_hash(0, key);
	struct flow *f;

	x->batch.emc->misses++;
	f = flow_find(key, hash);
	if (!f)
		f = decide(x, p, key, hash);
	if (f)
		emc_insert(x->batch.emc, tag, f);
	return f;
}

/* The shortest frame a NIC sends, its tag included if that stands aside. */
static uint32_t shortest(const struct pkt *p)
{
	return p->flags & PKT_VLAN ? ETH_MIN_FRAME - VLAN_HLEN : ETH_MIN_FRAME;
}

/* One this short is one buffer, and there is room in it. */
static __attribute__((noinline)) void pad(struct pkt *p)
{
	memset(p->data + p->frame_len, 0, shortest(p) - p->frame_len);
	p->len = p->frame_len = shortest(p);
}

/* current_gen() - acquire: pairs with the release in flow_invalidate() and flow_age() */
static inline uint32_t current_gen(void)
{
	return atomic_load_explicit(&emc_gen, memory_order_acquire);
}

/*
 * lookup_any() - the flow of a frame of any kind; NULL if it was dropped or has been sent already.
 * A short one is padded here, so that whoever sends it need not look: the shortcuts take none.
 */
static __attribute__((noinline, cold)) struct flow *lookup_any(struct xmit_cpu *x, struct pkt *p)
{
	struct flow_key key;
	enum drop_reason why = parse(p, x->batch.port->id, &key);
	struct flow *f;
	uint64_t tag;

	if (why != PARSE_OK) {
		x->batch.emc->keyless++;
		port_drop_in(x->batch.port, p, why);
		return NULL;
	}
	if (p->frame_len < shortest(p) && !(p->flags & PKT_GSO)) /* else zeros were payload */
		pad(p);
	tag = key_hash(current_gen(), &key);
	f = emc_find(x->batch.emc, tag, &key);
	return f ? f : miss(x, p, &key, tag);
}

/* output() - @p of flow @f goes where xmit_take() could not simply put it. */
static __attribute__((noinline)) void output(struct xmit_cpu *x, struct pkt *p,
					     const struct flow *f)
{
	if (f->out < PORT_MAX)
		xmit_stage(x, f->out, p);
	else
		execute(x, p, &f->verdict);
}

/*
 * A batch is walked by an index that counts up to 0, at @end: the runs are given where to begin and
 * return where they stopped.
 *
 * run_of() - switch packets of one kind, at least the first of them being looked at, whose
 * flows this core's cache knows; the hot loop. It stops at another kind, at an unknown flow, or
 * at the end. It is compiled for each kind, @v6 and @tag being constants, so that each has its
 * key in registers. What it costs a packet: a key, one tag, one compare of keys, one place in a
 * stage. The CPU has CRC32.
 */
static inline __attribute__((always_inline)) ssize_t
run_of(bool v6, unsigned tag, struct xmit_cpu *x, struct pkt **end, ssize_t i)
{
	const struct batch *b = &x->batch;
	struct emc *emc = b->emc;
	size_t mine = b->mine;

	do {
		struct pkt *p = end[i];
		uint64_t frame = p->frame, w[KEY_WORDS];
		struct flow *f;

		if (unlikely(!(v6 ? plain_ipv6(p->data, frame, &b->in_port, tag, w)
				  : plain_ipv4(p->data, frame, &b->in_port, tag, w))))
			break;
		f = emc_find_words(emc, key_hash_words(current_gen(), w, v6), w, v6);
		if (unlikely(!f))
			break;
		flow_hit(f, mine, frame);
		if (unlikely(!xmit_take(x, x->stage[f->out], p, frame)))
			output(x, p, f);
	} while (++i);
	return i;
}

static __attribute__((noinline)) ssize_t run_ipv6(struct xmit_cpu *x, struct pkt **end, ssize_t i)
{
	return run_of(true, 0, x, end, i);
}

static __attribute__((noinline)) ssize_t run_tagged(struct xmit_cpu *x, struct pkt **end, ssize_t i)
{
	return run_of(false, VLAN_TAG, x, end, i);
}

static __attribute__((noinline)) ssize_t run_tagged_ipv6(struct xmit_cpu *x, struct pkt **end,
							 ssize_t i)
{
	return run_of(true, VLAN_TAG, x, end, i);
}

/*
 * lookup_stamped() - as run_of() finds the flow of untagged IPv4, where nothing but the stamp kept
 * the frame out of a run; else NULL. So that who is timed goes nearly the way of all others.
 */
static struct flow *lookup_stamped(struct xmit_cpu *x, const struct pkt *p)
{
	const struct batch *b = &x->batch;
	uint64_t w[KEY_WORDS];

	if (p->flags != PKT_STAMPED || key_no_crc32 ||
	    !plain_ipv4(p->data, p->frame_len, &b->in_port, 0, w))
		return NULL;
	return emc_find_words(b->emc, key_hash_words(current_gen(), w, false), w, false);
}

/* one_of_any() - a frame that no run took */
static void one_of_any(struct xmit_cpu *x, struct pkt *p)
{
	struct flow *f;

	path_mark(p, PATH_VPORT);
	f = lookup_stamped(x, p);
	if (!f)
		f = lookup_any(x, p);
	if (!f)
		return;
	path_mark(p, PATH_LOOKUP);
	flow_hit(f, x->batch.mine, p->frame_len);
	output(x, p, f);
}

/* run_of_others() - go on where a run of untagged IPv4 stopped. */
static __attribute__((noinline)) ssize_t run_of_others(struct xmit_cpu *x, struct pkt **end,
						       ssize_t i)
{
	const uint8_t *data = end[i]->data;
	uint16_t type = load16(data + 12);
	ssize_t at = i;

	if (unlikely(key_no_crc32))
		; /* no runs */
	else if (type == be16(ETH_P_IPV6))
		at = run_ipv6(x, end, i);
	else if (type == be16(ETH_P_VLAN) && load16(data + 16) == be16(ETH_P_IPV6))
		at = run_tagged_ipv6(x, end, i);
	else if (type == be16(ETH_P_VLAN))
		at = run_tagged(x, end, i);
	if (at == i)
		one_of_any(x, end[at++]);
	return at;
}

static void drop_batch(struct port *port, struct pkt **pkts, unsigned n)
{
	this_cpu()->xmit->batch.emc->keyless += n;
	for (unsigned i = 0; i < n; i++) {
		if (!port->up)
			port_drop_in(port, pkts[i], DROP_PORT_DOWN);
		else
			port_drop_in(port, pkts[i], DROP_NO_SWITCH);
	}
}

/*
 * through() - a batch from end to end. Ports and statistics are seen to once: all count as
 * forwarded at first, and who drops a packet takes it back.
 */
static inline __attribute__((always_inline)) unsigned
through(bool quick, struct xmit_cpu *x, struct port *port, struct pkt **pkts, size_t n)
{
	bool runs = quick || !key_no_crc32;
	struct pkt **end = pkts + n;
	ssize_t i = -(ssize_t)n;

	x->batch.port = port;
	x->batch.in_port = port->id;
	x->batch.n = n;
	if (!quick)
		trace(TRACE_RX, port->id, n);
	while ((i = runs ? run_of(false, 0, x, end, i) : i) && (i = run_of_others(x, end, i)))
		;
	if (!quick)
		trace(TRACE_LOOKUP, x->batch.port->id, x->batch.n);
	xmit_flush(x, !quick && trace_recording());
	return x->batch.n;
}

static __attribute__((noinline)) unsigned asking_batch(struct xmit_cpu *x, struct port *port,
						       struct pkt **pkts, size_t n)
{
	return through(false, x, port, pkts, n);
}

/*
 * what a batch would ask in several places is asked once: are records kept, has this CPU no CRC32?
 */
static bool asks;

unsigned switch_batch(struct xmit_cpu *x, struct port *port, struct pkt **pkts, size_t n)
{
	return unlikely(asks) ? asking_batch(x, port, pkts, n) : through(true, x, port, pkts, n);
}

static void switch_watch(bool recorded)
{
	asks = recorded || key_no_crc32;
}

TRACE_WATCHER(switch_watch);

void switch_init(void)
{
	switch_watch(trace_recording());
}

void switch_input(struct port *port, struct pkt **pkts, unsigned n)
{
	port_here(port)->forwarded += n;
	if (likely(port->accepts))
		switch_batch(this_cpu()->xmit, port, pkts, n);
	else
		drop_batch(port, pkts, n);
}
