/* SPDX-License-Identifier: MIT */
/*
 * switch.c - the fast path, and the list of switches
 *
 * switch_input() runs on the core that received the batch, called by netif_receive(). The rest runs in the control
 * context. Owns the switches; their ports and rules change while the cores are parked.
 */
#include "switch.h"

#include "kernel/counter.h"
#include "kernel/park.h"
#include "kernel/trace.h"
#include "flow.h"
#include "parse.h"
#include "upcall.h"
#include "xmit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64 };

struct vswitch *switches[SWITCH_MAX];

COUNTER(upcalls, "net.upcalls", "packets that took the slow path");

/* what a batch has in common */
struct batch {
	struct port *port;
	struct emc *emc;
	struct xmit_cpu *xmit;
	uint64_t gen; /* emc_gen when it began */
};

/* @p leaves by all of @out: by copies, and by itself through the last. */
static void output_many(const struct batch *b, struct pkt *p, uint32_t out)
{
	struct port_cpu *c = port_here(b->port);

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
		xmit_stage(b->xmit->stage[id], copy, copy->frame);
	}
	xmit_stage(b->xmit->stage[__builtin_ctz(out)], p, p->frame);
}

static __attribute__((noinline)) void execute(const struct batch *b, struct pkt *p,
					      const struct verdict *v)
{
	if (v->out == OUT_DROP)
		port_drop_in(b->port, p, v->reason);
	else
		output_many(b, p, v->ports);
}

/*
 * Neither this core's cache nor the shared table knows @key. Returns its flow; NULL if the verdict is not kept: the
 * packet is gone by then.
 */
static struct flow *decide(const struct batch *b, struct pkt *p, const struct flow_key *key,
			   uint64_t hash)
{
	/* acquire: before anything is looked at that the verdict will rest on; flow_install() compares */
	uint32_t gen = atomic_load_explicit(&flow_gen, memory_order_acquire);
	struct flow *f = NULL;
	struct verdict v;

	b->emc->upcalls++;
	counter_inc(&upcalls);
	if (upcall(b->port, key, &v))
		f = flow_install(key, hash, &v, gen);
	if (f)
		return f;
	rule_count(v.rule, 1, p->frame_len);
	execute(b, p, &v);
	return NULL;
}

static __attribute__((noinline)) struct flow *miss(const struct batch *b, struct pkt *p,
						   const struct flow_key *key, uint64_t tag)
{
	uint64_t hash = tag - b->gen;
	struct flow *f;

	b->emc->misses++;
	f = flow_find(key, hash);
	if (!f)
		f = decide(b, p, key, hash);
	if (f)
		emc_insert(b->emc, tag, f);
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

/*
 * lookup_any() - the flow of a frame of any kind; NULL if it was dropped or has been sent already. A short one is
 * padded here, so that whoever sends it need not look: the shortcuts take none.
 */
static __attribute__((noinline, cold)) struct flow *lookup_any(const struct batch *b, struct pkt *p)
{
	struct flow_key key;
	enum drop_reason why = parse(p, b->port->id, &key);
	struct flow *f;
	uint64_t tag;

	if (why != PARSE_OK) {
		b->emc->keyless++;
		port_drop_in(b->port, p, why);
		return NULL;
	}
	if (p->frame_len < shortest(p))
		pad(p);
	tag = b->gen + key_hash(&key);
	f = emc_find(b->emc, tag, &key);
	return f ? f : miss(b, p, &key, tag);
}

/* lookup_usual() - the same, quick for tags and IPv6. No call but the last: it saves no registers. */
static __attribute__((noinline)) struct flow *lookup_usual(const struct batch *b, struct pkt *p)
{
	struct flow_key key;
	struct flow *f;

	if (likely(!(p->flags & PKT_VLAN) &&
		   parse_usual(p->data, p->frame_len, b->port->id, &key))) {
		f = emc_find(b->emc, b->gen + key_hash(&key), &key);
		if (likely(f))
			return f;
	}
	return lookup_any(b, p);
}

static __attribute__((noinline)) void drop_batch(struct port *port, struct pkt **pkts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!port->up)
			port_drop_in(port, pkts[i], DROP_PORT_DOWN);
		else
			port_drop_in(port, pkts[i], DROP_NO_SWITCH);
	}
}

/*
 * The loop is what each packet costs: a key, one tag, one compare of keys, one place in a stage. Ports and statistics
 * are seen to once a batch: all count as forwarded at first, and who drops a packet takes it back.
 */
void switch_input(struct port *port, struct pkt **pkts, unsigned n)
{
	unsigned cpu = this_cpu()->id;
	struct port_cpu *c = &port->cpu[cpu];
	struct emc *emc = emc_of_cpu[cpu];
	struct xmit_cpu *xmit = xmit_of_cpu[cpu];
	/* acquire: pairs with the release in flow_invalidate() and flow_age() */
	uint64_t gen = atomic_load_explicit(&emc_gen, memory_order_acquire);
	uint64_t id = port->id;
	struct pkt **end = pkts + n;
	size_t mine = cpu * sizeof(struct flow_stat);

	c->forwarded += n;
	if (unlikely(!port->accepts)) {
		emc->keyless += n;
		drop_batch(port, pkts, n);
		return;
	}
	trace(TRACE_RX, id, n);
	do {
		struct pkt *p = *pkts;
		uint64_t frame = p->frame;
		uint64_t w[KEY_WORDS_SHORT];
		struct flow *f = NULL;

		if (likely(parse_plain(p->data, frame, id, w)))
			f = emc_find_short(emc, gen + key_hash_short(w), w);
		if (unlikely(!f)) {
			f = lookup_usual(&(struct batch){ port, emc, xmit, gen }, p);
			if (!f)
				continue;
			frame = p->frame; /* may have been padded */
		}
		flow_hit(f, mine, (uint32_t)frame);
		if (likely(f->out < PORT_MAX))
			xmit_stage(xmit->stage[f->out], p, frame);
		else
			execute(&(struct batch){ port, emc, xmit, gen }, p, &f->verdict);
	} while (++pkts < end);
	trace(TRACE_LOOKUP, id, n);
	xmit_flush(xmit);
}

/* words of lines that failed, of switches perhaps that a later line makes; when there is no more room, of any */
static char held[HELD_MAX][SWITCH_NAME];
static unsigned nheld;

static bool is_held(const char *name)
{
	for (unsigned i = 0; i < nheld; i++)
		if (!strcmp(held[i], name))
			return true;
	return nheld == HELD_MAX;
}

static void hold_ports(const struct vswitch *sw)
{
	port_for_each(i)
		if (ports[i]->sw == sw)
			port_hold(ports[i]->name);
}

void switch_hold(const char *word)
{
	struct vswitch *sw = switch_by_name(word);

	if (sw) {
		sw->held = true;
		hold_ports(sw);
	} else if (strlen(word) < SWITCH_NAME && !is_held(word)) {
		strcpy(held[nheld++], word);
	}
}

struct vswitch *switch_by_name(const char *name)
{
	switch_for_each(i)
		if (!strcmp(switches[i]->name, name))
			return switches[i];
	return NULL;
}

struct vswitch *switch_word(struct shell *sh, int i)
{
	struct vswitch *sw = i < sh->nwords ? switch_by_name(sh->word[i].s) : NULL;

	if (!sw)
		shell_expected(sh, i, "a switch");
	return sw;
}

struct vswitch *switch_create(const char *name)
{
	const struct rule learning = { .action = { RULE_NORMAL } };
	struct vswitch *sw = NULL;

	for (unsigned i = 0; i < SWITCH_MAX && !sw; i++) {
		if (switches[i])
			continue;
		sw = calloc(1, sizeof(*sw));
		if (!sw)
			return NULL;
		sw->id = i;
		sw->held = is_held(name);
		snprintf(sw->name, sizeof(sw->name), "%s", name);
		rules_add(&sw->rules,
			  &learning); /* without a free slot it has no rule, and drops say so */
		switches[i] = sw;
	}
	return sw;
}

void switch_add_port(struct vswitch *sw, struct port *port)
{
	cores_park();
	sw->ports |= BIT(port->id);
	port_set_switch(port, sw);
	cores_resume();
}

void switch_del_port(struct port *port)
{
	cores_park();
	port->sw->ports &= ~BIT(port->id);
	port_set_switch(port, NULL);
	cores_resume();
}

void switch_destroy(struct vswitch *sw)
{
	port_for_each(i)
		if (ports[i]->sw == sw)
			switch_del_port(ports[i]);
	rules_del(&sw->rules, NULL);
	switches[sw->id] = NULL; /* in no batch: its ports left it while the cores were parked */
	free(sw);
}
