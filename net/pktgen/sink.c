/* SPDX-License-Identifier: MIT */
/*
 * sink.c - reads the numbers in what arrives, and counts what is missing, late, or there twice
 *
 * sink_input() is called by receive_core() on the core that has the packets, under the sink's lock;
 * the rest runs in the control context. Owns the sinks, one a port at most.
 */
#include "sink.h"

#include "kernel/park.h"
#include "kernel/pkt.h"
#include "kernel/time.h"
#include "net/wire.h"

#include <errno.h>
#include <stdlib.h>

static struct sink *sinks[PORT_MAX]; /* by port id; changes while the cores are parked */

/* --- is it one of ours? --- */

static bool is_stream(const struct stream_hdr *h)
{
	return (be32(h->magic) & STREAM_MAGIC_MASK) == STREAM_MAGIC;
}

/* the @n bytes at @l4 are a UDP datagram with a struct stream_hdr: that, else NULL */
static const struct stream_hdr *stream_behind(const uint8_t *l4, unsigned n)
{
	const struct stream_hdr *h = (const void *)(l4 + UDP_HLEN);

	return n >= UDP_HLEN + sizeof(*h) && is_stream(h) ? h : NULL;
}

/* IPv4 whole, IPv6 without extension headers, behind up to one tag; in the first buffer */
static const struct stream_hdr *stream_in(const struct pkt *p)
{
	const uint8_t *l3 = p->data + 14, *end = p->data + p->len;
	unsigned hlen;

	if (p->len < 14 + VLAN_TAG + IPV4_HLEN)
		return NULL;
	if (load16(l3 - 2) == be16(ETH_P_VLAN))
		l3 += VLAN_TAG;
	if (load16(l3 - 2) == be16(ETH_P_IP)) {
		hlen = (l3[0] & 15) * 4;
		if (l3[9] != PROTO_UDP || be16(load16(l3 + 6)) & (IPV4_MF | IPV4_OFFSET))
			return NULL;
	} else if (load16(l3 - 2) == be16(ETH_P_IPV6)) {
		hlen = IPV6_HLEN;
		if (l3[6] != PROTO_UDP)
			return NULL;
	} else {
		return NULL;
	}
	return l3 + hlen < end ? stream_behind(l3 + hlen, end - l3 - hlen) : NULL;
}

/* --- what has become of it? --- */

/* it is @ahead of what was expected: so many are missing, for now */
static void count_ahead(struct sink_flow *f, uint64_t ahead)
{
	f->count.received++;
	f->count.lost += ahead;
	f->next += ahead + 1;
	f->seen = ahead < SINK_WINDOW - 1 ? f->seen << (ahead + 1) | 1 : 1;
}

/* it is @behind the highest that came */
static void count_behind(struct sink_flow *f, uint64_t behind)
{
	if (behind >= SINK_WINDOW) {
		f->count.late++;
	} else if (f->seen & BIT(behind)) {
		f->count.duplicates++;
	} else {
		f->seen |= BIT(behind);
		f->count.received++;
		f->count.reordered++;
		f->count.lost -= f->count.lost > 0; /* it may have been cleared meanwhile */
	}
}

static void count_number(struct sink_flow *f, uint8_t run, uint32_t seq)
{
	if (!f->begun || f->run != run) { /* a new run begins with 0, whether that comes or not */
		f->begun = true;
		f->run = run;
		f->next = f->seen = 0;
	}
	if (seq >= f->next)
		count_ahead(f, seq - f->next);
	else
		count_behind(f, f->next - 1 - seq);
}

static void count_latency(struct sink_stream *s, uint64_t stamp, uint64_t now)
{
	if (stamp && stamp <= now)
		histogram_add(&s->latency, tsc_to_ns(now - stamp));
	else
		s->unstamped++;
}

static void count_one(struct sink_stream *s, const struct stream_hdr *h, uint64_t now)
{
	count_number(&s->flow[FIELD_GET(STREAM_FLOW, be16(h->id))],
		     FIELD_GET(STREAM_RUN, be32(h->magic)), be32(h->seq));
	count_latency(s, __builtin_bswap64(h->stamp), now);
}

/*
 * count_merged() - the datagrams behind the first, which has @h, of a packet that is to be cut
 * into them. GRO and guests lay them out so that each buffer begins with one; what is no
 * number is none that we sent.
 */
static void count_merged(struct sink_stream *s, const struct pkt *p, const struct stream_hdr *h,
			 uint64_t now)
{
	uint32_t size = p->gso_size, headers = (const uint8_t *)h - p->data, at = headers + size;

	for (; p; p = p->next, at = 0)
		for (; at + sizeof(*h) <= p->len; at += size) {
			h = (const void *)(p->data + at);
			s->bytes += headers; /* as it came it had its own */
			if (is_stream(h))
				count_one(s, h, now);
		}
}

/* one that arrived at @now; returns whether it was counted */
static bool count_packet(struct sink *k, const struct pkt *p, uint64_t now)
{
	const struct stream_hdr *h = stream_in(p);
	struct sink_stream *s;

	if (!h)
		return false;
	s = k->stream[FIELD_GET(STREAM_ID, be16(h->id))];
	if (!s) {
		k->refused++;
		return false;
	}
	s->bytes += p->frame_len;
	s->first = s->first ? s->first : now;
	s->last = now;
	count_one(s, h, now);
	if (p->flags & PKT_GSO)
		count_merged(s, p, h, now);
	return true;
}

unsigned sink_input(struct port *port, struct pkt **pkts, unsigned n)
{
	struct sink *k = sinks[port->id];
	uint64_t now = rdtsc();
	unsigned left = 0;

	spin_lock(&k->lock);
	for (unsigned i = 0; i < n; i++) {
		if (!count_packet(k, pkts[i], now) || k->watch)
			pkts[left++] = pkts[i];
		else
			pkt_free(pkts[i]);
	}
	spin_unlock(&k->lock);
	port_here(port)->consumed += n - left;
	return left;
}

/* --- on, off --- */

struct sink *sink_of(const struct port *port)
{
	return sinks[port->id];
}

static void sink_free(struct sink *k)
{
	for (unsigned i = 0; i < STREAMS; i++)
		free(k->stream[i]);
	free(k);
}

static struct sink *sink_create(struct port *port, unsigned streams)
{
	struct sink *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->port = port;
	for (unsigned i = 0; i < streams; i++) {
		k->stream[i] =
			calloc(1, sizeof(*k->stream[i]) + STREAM_FLOWS * sizeof(struct sink_flow));
		if (!k->stream[i]) {
			sink_free(k);
			return NULL;
		}
	}
	return k;
}

int sink_on(struct port *port, bool watch, unsigned streams)
{
	struct sink *k = sinks[port->id];

	if (!k)
		k = sink_create(port, streams);
	if (!k)
		return -ENOMEM;
	cores_park();
	k->watch = watch;
	sinks[port->id] = k;
	cores_resume();
	port_set_extra(port, PORT_SINK, PORT_SINK, 0);
	return 0;
}

void sink_off(struct port *port)
{
	struct sink *k = sinks[port->id];

	if (!k)
		return;
	port_set_extra(port, PORT_SINK, 0, 0);
	sinks[port->id] = NULL; /* nobody looks there any more */
	sink_free(k);
}

static void stream_clear(struct sink_stream *s)
{
	s->bytes = s->first = s->last = s->unstamped = 0;
	s->latency = (struct histogram){ 0 };
	for (unsigned i = 0; i < STREAM_FLOWS; i++)
		s->flow[i].count = (struct sink_count){ 0 };
}

void sink_clear(struct sink *k)
{
	cores_park();
	k->refused = 0;
	for (unsigned i = 0; i < STREAMS; i++)
		if (k->stream[i])
			stream_clear(k->stream[i]);
	cores_resume();
}

struct sink_count sink_total(const struct sink_stream *s)
{
	struct sink_count t = { 0 };

	for (unsigned i = 0; i < STREAM_FLOWS; i++) {
		const struct sink_count *c = &s->flow[i].count;

		t.received += c->received;
		t.lost += c->lost;
		t.reordered += c->reordered;
		t.duplicates += c->duplicates;
		t.late += c->late;
	}
	return t;
}
