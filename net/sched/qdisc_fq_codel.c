/* SPDX-License-Identifier: MIT */
/*
 * qdisc_fq_codel.c - a queue for each flow, in turns, and each kept short by CoDel
 *
 * Called by qdisc.c on the core that owns the transmit queue. Flows are served by deficit round
 * robin; one that has just begun to send goes before those that keep a queue [RFC 8290 4]. CoDel
 * looks how long a packet has waited when it leaves: if none waited less than the target for an
 * interval, it drops one, and then more and more often, until they do [RFC 8289 5]. A packet whose
 * sender knows ECN is marked instead.
 */
#include "qdisc.h"

#include "net/parse.h"

#include <string.h>

/* --- marks --- */

enum { ECN_MASK = 3, ECN_CE = 3 };

/* ecn_mark() - congestion experienced [RFC 3168 5]; false if @p's sender does not understand it. */
static bool ecn_mark(struct pkt *p)
{
	bool tagged = load16(p->data + 12) == be16(ETH_P_VLAN);
	uint8_t *l3 = p->data + 14 + (tagged ? VLAN_TAG : 0);
	uint16_t type = load16(l3 - 2);
	uint32_t sum;

	if (type == be16(ETH_P_IPV6) && l3[1] >> 4 & ECN_MASK) {
		l3[1] |= ECN_CE << 4;
		return true;
	}
	if (type != be16(ETH_P_IP) || !(l3[1] & ECN_MASK))
		return false;
	/*
	 * the checksum is of words, the marks are in the lower half of the first:
	 * take off as much [RFC 1624]
	 */
	sum = (uint32_t)be16(load16(l3 + 10)) + (l3[1] & ECN_MASK) + 0xffff - ECN_CE;
	l3[1] |= ECN_CE;
	sum = be16((sum & 0xffff) + (sum >> 16));
	memcpy(l3 + 10, &sum, 2);
	return true;
}

/* --- CoDel, of one flow's queue --- */

static uint64_t interval(const struct qdisc *q)
{
	return tsc_from_us(q->o.interval_us);
}

/* square_root() - of @n, rounded down. */
static uint32_t square_root(uint32_t n)
{
	uint32_t root = 0;

	for (uint32_t bit = 1u << 15; bit; bit >>= 1)
		if ((uint64_t)(root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/*
 * next_drop() - the n-th drop comes an interval divided by the root of n after the
 * one before [RFC 8289 5.3].
 */
static uint64_t next_drop(const struct qdisc *q, uint64_t t, uint32_t count)
{
	/* the root of count * 256 is 16 times that of count: four bits behind the point */
	return t + interval(q) * 16 / square_root(MIN(count, 1u << 22) * 256);
}

/*
 * ok_to_drop() - @slot leaves @flow's queue: has every packet waited for too long since an
 * interval? Never the last frame.
 */
static bool ok_to_drop(const struct qdisc *q, struct qdisc_flow *flow, uint32_t slot, uint64_t now)
{
	struct codel *c = &flow->codel;

	if (slot == QDISC_NONE || now - q->slot[slot].since < tsc_from_us(q->o.target_us) ||
	    flow->fifo.bytes <= q->port->mtu) {
		c->first_above = 0;
		return false;
	}
	if (!c->first_above)
		c->first_above = now + interval(q);
	return now >= c->first_above;
}

/*
 * reprove() - a packet that waited too long: marked if its sender understands that, else dropped.
 * Returns whether it is left.
 */
static bool reprove(struct qdisc *q, uint32_t slot)
{
	if (q->o.ecn && ecn_mark(q->slot[slot].p)) {
		q->marked++;
		return true;
	}
	qdisc_drop(q, slot, DROP_CODEL);
	return false;
}

/*
 * drop_more() - dropping has begun: one at each of its times, ever sooner, until
 * waiting is short enough.
 */
static uint32_t drop_more(struct qdisc *q, struct qdisc_flow *flow, uint32_t slot, uint64_t now)
{
	struct codel *c = &flow->codel;

	while (c->dropping && now >= c->drop_next) {
		c->count++;
		c->drop_next = next_drop(q, c->drop_next, c->count);
		if (reprove(q, slot))
			break;
		slot = qdisc_take(q, &flow->fifo);
		c->dropping = ok_to_drop(q, flow, slot, now);
	}
	return slot;
}

/*
 * codel_dequeue() - the next packet of @flow to leave [RFC 8289 5.6];
 * QDISC_NONE if its queue is empty.
 */
static uint32_t codel_dequeue(struct qdisc *q, struct qdisc_flow *flow, uint64_t now)
{
	struct codel *c = &flow->codel;
	uint32_t slot = qdisc_take(q, &flow->fifo), before;
	bool ok = ok_to_drop(q, flow, slot, now);

	if (c->dropping) {
		c->dropping = ok;
		return drop_more(q, flow, slot, now);
	}
	if (!ok)
		return slot;
	if (!reprove(q, slot)) {
		slot = qdisc_take(q, &flow->fifo);
		ok_to_drop(q, flow, slot, now);
	}
	/* where dropping ended not long ago it begins near the pace that it had */
	before = c->count - c->last_count;
	c->count = before > 1 && now - c->drop_next < 16 * interval(q) ? before : 1;
	c->last_count = c->count;
	c->drop_next = next_drop(q, now, c->count);
	c->dropping = true;
	return slot;
}

/* --- flows in turns --- */

static void list_append(struct qdisc *q, struct qdisc_flows *list, uint32_t flow, uint8_t listed)
{
	q->flow[flow].next = QDISC_NONE;
	q->flow[flow].listed = listed;
	if (list->head == QDISC_NONE)
		list->head = flow;
	else
		q->flow[list->tail].next = flow;
	list->tail = flow;
}

static uint32_t list_take(struct qdisc *q, struct qdisc_flows *list)
{
	uint32_t flow = list->head;

	list->head = q->flow[flow].next;
	return flow;
}

/* flow_of() - by what makes it a flow; what cannot be parsed shares one. */
static uint32_t flow_of(const struct qdisc *q, const struct pkt *p)
{
	struct flow_key key;

	if (parse_peek(p, 0, &key) != PARSE_OK)
		return 0;
	return (uint64_t)key_hash(0, &key) * q->o.flows >> 32;
}

/*
 * drop_from_longest() - as many as it may hold and one more: the first of the queue with most
 * bytes goes [RFC 8290 4.1].
 */
static void drop_from_longest(struct qdisc *q)
{
	struct qdisc_flow *longest = &q->flow[0];

	for (unsigned i = 1; i < q->o.flows; i++)
		if (q->flow[i].fifo.bytes > longest->fifo.bytes)
			longest = &q->flow[i];
	if (longest->fifo.packets)
		qdisc_drop(q, qdisc_take(q, &longest->fifo), DROP_FQ_OVERLIMIT);
}

static bool fq_codel_enqueue(struct qdisc *q, uint32_t slot)
{
	uint32_t i = flow_of(q, q->slot[slot].p);
	struct qdisc_flow *flow = &q->flow[i];

	qdisc_append(q, &flow->fifo, slot);
	if (flow->listed == FLOW_IDLE) {
		flow->deficit = q->o.quantum;
		list_append(q, &q->new_flows, i, FLOW_NEW);
	}
	if (q->packets > q->o.limit)
		drop_from_longest(q);
	return true;
}

/*
 * fq_codel_dequeue() - [RFC 8290 4.2]; ends, since each turn of the loop uses up a
 * deficit or empties a list.
 */
static uint32_t fq_codel_dequeue(struct qdisc *q, uint64_t now)
{
	for (;;) {
		bool new = q->new_flows.head != QDISC_NONE;
		struct qdisc_flows *list = new ? &q->new_flows : &q->old_flows;
		struct qdisc_flow *flow;
		uint32_t i, slot;

		if (list->head == QDISC_NONE)
			return QDISC_NONE;
		i = list->head;
		flow = &q->flow[i];
		if (flow->deficit <= 0) { /* its turn is over */
			flow->deficit += q->o.quantum;
			list_append(q, &q->old_flows, list_take(q, list), FLOW_OLD);
			continue;
		}
		slot = codel_dequeue(q, flow, now);
		if (slot != QDISC_NONE) {
			flow->deficit -= q->slot[slot].p->frame_len;
			return slot;
		}
		/*
		 * empty: a new flow waits once behind the old ones, else one that
		 * pauses would always be new
		 */
		list_take(q, list);
		flow->listed = FLOW_IDLE;
		if (new && q->old_flows.head != QDISC_NONE)
			list_append(q, &q->old_flows, i, FLOW_OLD);
	}
}

static unsigned fq_codel_waiting(const struct qdisc *q, const struct pkt *p)
{
	return q->flow[flow_of(q, p)].fifo.packets;
}

const struct qdisc_kind qdisc_fq_codel = {
	.name = "fq_codel",
	.enqueue = fq_codel_enqueue,
	.dequeue = fq_codel_dequeue,
	.waiting = fq_codel_waiting,
};
