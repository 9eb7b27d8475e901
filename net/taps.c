/* SPDX-License-Identifier: MIT */
/*
 * taps.c - the lists of taps, and a ring a core for each
 *
 * taps_rx() and taps_tx() run on the core that has the packets, called by receive.c and xmit.c
 * where port->rx_extra or tx_extra has PORT_TAPS; drops come by pkt_drop_tap. The control context
 * on core 0 empties the rings. The lists change while the cores are parked.
 *
 * A ring is bytes with one writer, its core, and one reader. A record lies in one piece: where it
 * does not fit before the ring's end, a filler takes the rest.
 */
#include "taps.h"

#include "kernel/irq.h"
#include "kernel/park.h"
#include "kernel/time.h"
#include "wire.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 8, TAG_AT = 12 };

/* in a record's len: no record, but what is left of the ring up to its end */
#define FILLER UINT32_MAX

struct tap_ring {
	/* by the core that it belongs to */
	_Alignas(CACHE_LINE) _Atomic uint32_t head; /* runs freely: next byte to fill */
	struct tap_stats stats;
	/* by the reader */
	_Alignas(CACHE_LINE) _Atomic uint32_t tail;
	/* set once */
	_Alignas(CACHE_LINE) uint32_t size;
	_Alignas(CACHE_LINE) uint8_t byte[];
};

static struct packet_tap *ptype_all;         /* of all devices */
static struct packet_tap *of_port[PORT_MAX]; /* of one, by its id */

/* --- the writer's side of a ring --- */

static struct tap_record *record_at(struct tap_ring *r, uint32_t at)
{
	return (struct tap_record *)(r->byte + (at & (r->size - 1)));
}

/* reserve() - room for @size bytes in one piece, from ring byte *@at on; NULL if there is none. */
static struct tap_record *reserve(struct tap_ring *r, uint32_t size, uint32_t *at)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	/* acquire: pairs with the release in taps_next(): what was read may be overwritten */
	uint32_t room = r->size - (head - atomic_load_explicit(&r->tail, memory_order_acquire));
	uint32_t to_end = r->size - (head & (r->size - 1));
	uint32_t fill = to_end < size ? to_end : 0;

	if (fill + size > room)
		return NULL;
	if (fill) { /* 8 bytes at least: its first two members are there */
		record_at(r, head)->size = fill;
		record_at(r, head)->len = FILLER;
	}
	*at = head + fill;
	return record_at(r, *at);
}

/* copy_chain() - @n bytes of @p from byte @from on; they are there. */
static void copy_chain(uint8_t *to, const struct pkt *p, uint32_t from, uint32_t n)
{
	for (; n; p = p->next) {
		uint32_t part;

		if (from >= p->len) {
			from -= p->len;
			continue;
		}
		part = MIN(n, p->len - from);
		memcpy(to, p->data + from, part);
		to += part;
		n -= part;
		from = 0;
	}
}

/* copy_frame() - the first @n bytes as a wire would have them. */
static void copy_frame(uint8_t *to, const struct pkt *p, uint32_t n)
{
	uint8_t tag[VLAN_TAG] = { ETH_P_VLAN >> 8, ETH_P_VLAN & 255, p->vlan_tci >> 8,
				  p->vlan_tci & 255 };

	if (!(p->flags & PKT_VLAN)) {
		copy_chain(to, p, 0, n);
		return;
	}
	copy_chain(to, p, 0, MIN(n, (uint32_t)TAG_AT));
	if (n > TAG_AT)
		memcpy(to + TAG_AT, tag, MIN(n - TAG_AT, (uint32_t)VLAN_TAG));
	if (n > TAG_AT + VLAN_TAG)
		copy_chain(to + TAG_AT + VLAN_TAG, p, TAG_AT, n - TAG_AT - VLAN_TAG);
}

/* --- what passes --- */

/* keep() - a copy of @p for @t, which wants @wanted bytes of it. */
static void keep(struct packet_tap *t, const struct pkt *p, const struct tap_record *is,
		 uint32_t wanted)
{
	struct tap_ring *r = t->ring[this_cpu()->id];
	uint32_t len = p->frame_len + (p->flags & PKT_VLAN ? VLAN_TAG : 0);
	uint32_t caplen = MIN(len, MIN(wanted, t->snaplen)), at;
	uint32_t size = ROUND_UP((uint32_t)sizeof(*is) + caplen, (uint32_t)ALIGN);
	uint64_t irqs = irq_save(); /* a queue that is received in its interrupt drops there */
	struct tap_record *to = reserve(r, size, &at);

	r->stats.received++;
	if (to) {
		*to = *is;
		to->size = size;
		to->len = len;
		to->caplen = caplen;
		to->id = (uint64_t)this_cpu()->id << 48 | r->stats.received;
		to->row = path_row(p);
		copy_frame(to->frame, p, caplen);
		/*
		 * release: pairs with the acquire in oldest(): it is there before the index says so
		 */
		atomic_store_explicit(&r->head, at + size, memory_order_release);
	} else {
		r->stats.dropped++;
	}
	irq_restore(irqs);
}

/* show() - @p to all of the list @t that ask for it. */
static void show(struct packet_tap *t, const struct pkt *p, const struct tap_record *is)
{
	for (; t; t = t->next) {
		uint32_t wanted = UINT32_MAX;

		if (!(t->where & is->where))
			continue;
		if (t->filter)
			wanted = bpf_run(t->filter, p, is->port);
		if (wanted)
			keep(t, p, is, wanted);
	}
}

static void show_batch(struct port *port, struct pkt **pkts, unsigned n, enum tap_where where)
{
	for (unsigned i = 0; i < n; i++) {
		struct tap_record is = {
			.port = port->id,
			.where = where,
			.queue = pkts[i]->rx_queue,
			.cpu = this_cpu()->id,
			.ns = time_ns(),
		};

		show(ptype_all, pkts[i], &is);
		show(of_port[port->id], pkts[i], &is);
	}
}

void taps_rx(struct port *port, struct pkt **pkts, unsigned n)
{
	show_batch(port, pkts, n, TAP_IN);
}

void taps_tx(struct port *port, struct pkt **pkts, unsigned n)
{
	show_batch(port, pkts, n, TAP_OUT);
}

/* pkt_drop_tap: @p is about to be freed, at the mouth of port @id, if that is known. */
static void drop_seen(const struct pkt *p, enum drop_reason why, uint16_t id, bool out)
{
	struct tap_record is = {
		.port = id,
		.where = out ? TAP_DROP_OUT : TAP_DROP_IN,
		.queue = p->rx_queue,
		.drop = why,
		.cpu = this_cpu()->id,
		.ns = time_ns(),
	};

	show(ptype_all, p, &is);
	show(of_port[id], p, &is); /* [0], of no port, is empty */
}

/* --- opening and closing, in the control context --- */

/*
 * count_list() - those of the list @t that look on at @where; those of them
 * that want @p go into *@want.
 */
static unsigned count_list(const struct packet_tap *t, const struct port *port, const struct pkt *p,
			   enum tap_where where, unsigned *want)
{
	unsigned n = 0;

	for (; t; t = t->next) {
		if (!(t->where & where))
			continue;
		n++;
		*want += !t->filter || bpf_run(t->filter, p, port->id);
	}
	return n;
}

struct taps_count taps_count(const struct port *port, const struct pkt *p, enum tap_where where)
{
	struct taps_count n = { .want = 0 };

	n.all = count_list(ptype_all, port, p, where, &n.want);
	n.own = count_list(of_port[port->id], port, p, where, &n.want);
	return n;
}

static struct packet_tap **list_of(const struct packet_tap *tap)
{
	return tap->port ? &of_port[tap->port->id] : &ptype_all;
}

/* asked() - what all taps that see port @id, or drops of no port with 0, ask for together. */
static uint8_t asked(unsigned id)
{
	uint8_t where = 0;

	for (const struct packet_tap *t = ptype_all; t; t = t->next)
		where |= t->where;
	for (const struct packet_tap *t = of_port[id]; t; t = t->next)
		where |= t->where;
	return where;
}

/* The data path looks at taps only where somebody asked for what passes there. Cores parked. */
static void refresh(void)
{
	uint8_t all = asked(0);

	port_for_each(i) {
		uint8_t where = asked(i);

		all |= where;
		port_set_extra(ports[i], PORT_TAPS, where & TAP_IN ? PORT_TAPS : 0,
			       where & TAP_OUT ? PORT_TAPS : 0);
	}
	pkt_drop_tap = all & TAP_DROPS ? drop_seen : NULL;
}

int taps_open(struct packet_tap *tap, uint32_t bytes)
{
	struct packet_tap **last = list_of(tap);

	cpu_for_each(i) {
		tap->ring[i] = memalign(CACHE_LINE, sizeof(struct tap_ring) + bytes);
		if (!tap->ring[i]) {
			taps_free(tap);
			return -ENOMEM;
		}
		*tap->ring[i] = (struct tap_ring){ .size = bytes };
	}
	tap->next = NULL;
	while (*last)
		last = &(*last)->next;
	cores_park();
	*last = tap;
	refresh();
	cores_resume();
	return 0;
}

void taps_close(struct packet_tap *tap)
{
	struct packet_tap **link = list_of(tap);

	while (*link != tap)
		link = &(*link)->next;
	cores_park();
	*link = tap->next;
	refresh();
	cores_resume();
}

void taps_free(struct packet_tap *tap)
{
	cpu_for_each(i) {
		free(tap->ring[i]);
		tap->ring[i] = NULL;
	}
}

/* --- the reader's side --- */

/* oldest() - in one ring; behind a filler, if one stands there. */
static const struct tap_record *oldest(struct tap_ring *r)
{
	/* acquire: pairs with the release in keep() */
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (head == tail)
		return NULL;
	if (record_at(r, tail)->len == FILLER) {
		tail += record_at(r, tail)->size;
		atomic_store_explicit(&r->tail, tail, memory_order_release);
	}
	return record_at(r, tail);
}

const struct tap_record *taps_peek(struct packet_tap *tap)
{
	const struct tap_record *first = NULL;

	cpu_for_each(i) {
		const struct tap_record *r = oldest(tap->ring[i]);

		if (r && (!first || r->ns < first->ns))
			first = r;
	}
	return first;
}

void taps_next(struct packet_tap *tap, const struct tap_record *r)
{
	struct tap_ring *ring = tap->ring[r->cpu];
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	/* release: pairs with the acquire in reserve() */
	atomic_store_explicit(&ring->tail, tail + r->size, memory_order_release);
}

struct tap_stats taps_stats(const struct packet_tap *tap)
{
	struct tap_stats sum = { 0 };

	cpu_for_each(i) {
		sum.received += tap->ring[i]->stats.received;
		sum.dropped += tap->ring[i]->stats.dropped;
	}
	return sum;
}
