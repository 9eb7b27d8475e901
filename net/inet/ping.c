/* SPDX-License-Identifier: MIT */
/*
 * ping.c - `ping`: echo requests from Weir, in iputils' words
 *
 * The command runs in the control context and yields while it waits; ping_reply() and ping_error()
 * run on whatever core has the packet. Owns what is known about the one request that is under way;
 * there is one shell, so there is one ping.
 */
#include "ping.h"

#include "kernel/console.h"
#include "kernel/control.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "kernel/words.h"
#include "net/bytes.h"
#include "icmp.h"
#include "ip_output.h"
#include "ping_options.h"
#include "local.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { CTRL_C = 3 };

/* what is under way */
static struct {
	/* by control, before a request leaves */
	uint16_t id;
	_Atomic uint32_t seq; /* that is waited for */
	/* by who has the answer; state last, with release */
	_Atomic unsigned state;
	uint64_t tsc;
	struct inet_addr from;
	unsigned ttl, type, code;
	uint32_t bytes;
} under_way;

enum { WAITING, TAKEN, ANSWERED, REFUSED };

/*
 * An answer to request @id, @seq: is it the one that is waited for? Who is
 * told so may write it down.
 */
static bool claim(uint16_t id, uint16_t seq)
{
	unsigned waiting = WAITING;

	return id == under_way.id && seq == atomic_load(&under_way.seq) &&
	       atomic_compare_exchange_strong(&under_way.state, &waiting, TAKEN);
}

static void tell(unsigned state)
{
	under_way.tsc = rdtsc();
	/* release: pairs with the acquire in await() */
	atomic_store_explicit(&under_way.state, state, memory_order_release);
	control_wake();
}

void ping_reply(const struct inet_rx *rx)
{
	const uint8_t *b = rx->p->data + rx->l4;

	if (rx->p->len < rx->l4 + ICMP_HLEN || !claim(be16(load16(b + 4)), be16(load16(b + 6))))
		return;
	under_way.from = rx->src;
	under_way.ttl = rx->ttl;
	under_way.bytes = rx->p->frame_len - rx->l4;
	tell(ANSWERED);
}

void ping_error(const struct inet_addr *from, bool v6, unsigned type, unsigned code,
		const struct pkt *p, uint32_t off)
{
	uint8_t b[60 + ICMP_HLEN];
	uint32_t n = bytes_read(p, off, b, sizeof(b));
	uint32_t hlen = v6 ? IPV6_HLEN : n ? (b[0] & 0xf) * 4 : 0;

	if (hlen < IPV4_HLEN || n < hlen + ICMP_HLEN)
		return;
	if (b[v6 ? 6 : 9] != (v6 ? PROTO_ICMPV6 : PROTO_ICMP) ||
	    b[hlen] != (v6 ? ICMP6_ECHO : ICMP_ECHO) ||
	    !claim(be16(load16(b + hlen + 4)), be16(load16(b + hlen + 6))))
		return;
	under_way.from = *from;
	under_way.type = type;
	under_way.code = code;
	tell(REFUSED);
}

/* --- the command --- */

/* which way, and from which address; an error that has been told */
static int find_source(struct shell *sh, const struct ping_options *o, struct inet_tx *tx)
{
	const struct inet_ifaddr *own = inet_local(&o->dst, o->port);
	const struct inet_addr *src;
	const struct route *r;

	*tx = (struct inet_tx){ .dst = o->dst, .port = o->port, .ttl = o->ttl, .df = o->df };
	tx->proto = inet_is_v4(&o->dst) ? PROTO_ICMP : PROTO_ICMPV6;
	if (own) {
		tx->src = o->dst;
		tx->port = own->port;
		return 0;
	}
	if (!o->port && (inet_is_link_local(&o->dst) || inet_is_multicast(&o->dst)))
		return shell_error(sh, sh->nwords - 1, -EINVAL,
				   "that means something on one link only: ADDRESS%%PORT");
	r = inet_is_multicast(&o->dst) ? NULL : inet_route(tx);
	if (!inet_is_multicast(&o->dst)) {
		if (!r || r->type != ROUTE_UNICAST)
			return shell_error(sh, sh->nwords - 1, -ENETUNREACH,
					   "Network is unreachable");
		tx->port = r->port;
	}
	src = r ? route_source(r, &o->dst) : inet_source(tx->port, &o->dst);
	if (!src)
		return shell_error(sh, sh->nwords - 1, -EADDRNOTAVAIL, "%s has no address",
				   tx->port->name);
	if (o->df && o->size + ICMP_HLEN + IPV4_HLEN > tx->port->mtu)
		return shell_error(sh, sh->nwords - 1, -EMSGSIZE, "message too long, mtu=%u",
				   tx->port->mtu);
	tx->src = *src;
	return 0;
}

/* ICMP header and @size bytes 0x00, 0x01 ..., in as many buffers as they take; NULL: too few */
static struct pkt *request(bool v6, uint32_t size, uint16_t seq)
{
	uint32_t left = size + ICMP_HLEN, at = 0;
	struct pkt *first = bytes_alloc(left);

	if (!first)
		return NULL;
	seg_for_each(seg, first) {
		for (unsigned i = 0; i < seg->len; i++)
			seg->data[i] = at++ - ICMP_HLEN;
	}
	memset(first->data, 0, ICMP_HLEN);
	first->data[0] = v6 ? ICMP6_ECHO : ICMP_ECHO;
	store16(first->data + 4, be16(under_way.id));
	store16(first->data + 6, be16(seq));
	return first;
}

static bool send(const struct ping_options *o, const struct inet_tx *tx, uint16_t seq)
{
	struct pkt *p = request(!inet_is_v4(&o->dst), o->size, seq);

	if (!p)
		return false;
	atomic_store(&under_way.seq, seq);
	atomic_store(&under_way.state, WAITING);
	icmp_send(p, tx);
	local_flush();
	return true;
}

struct results {
	unsigned sent, received, errors;
	uint64_t least, most, sum, squares; /* microseconds */
};

/* Until there is an answer, or @end; @stop: somebody has typed Ctrl-C. */
static unsigned await(struct shell *sh, uint64_t end, bool *stop)
{
	unsigned state;

	for (;;) {
		/* acquire: pairs with the release in tell() */
		state = atomic_load_explicit(&under_way.state, memory_order_acquire);
		if (state == ANSWERED || state == REFUSED || rdtsc() >= end)
			return state;
		if (!sh->file && console_in_get() == CTRL_C) {
			*stop = true;
			return state;
		}
		msleep(1);
	}
}

/* as many digits as iputils has */
static void print_us(struct shell *sh, uint64_t us)
{
	unsigned long ms = us / 1000, part = us % 1000;

	if (ms >= 100)
		shell_printf(sh, "%lu", ms);
	else if (ms >= 10)
		shell_printf(sh, "%lu.%01lu", ms, part / 100);
	else if (ms)
		shell_printf(sh, "%lu.%02lu", ms, part / 10);
	else
		shell_printf(sh, "0.%03lu", part);
}

static void print_reply(struct shell *sh, uint16_t seq, uint64_t us)
{
	char from[IP_STR];

	inet_str(&under_way.from, from);
	shell_printf(sh, "%u bytes from %s: icmp_seq=%u ttl=%u time=", under_way.bytes, from, seq,
		     under_way.ttl);
	print_us(sh, us);
	shell_printf(sh, " ms\n");
}

static const char *error_text(bool v6, unsigned type, unsigned code)
{
	static const char *const four[] = { "Net Unreachable", "Host Unreachable",
					    "Protocol Unreachable", "Port Unreachable",
					    "Frag needed and DF set" };
	static const char *const six[] = { "No route", "Administratively prohibited",
					   "Beyond scope of source address", "Address unreachable",
					   "Port unreachable" };

	if (type == (v6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED))
		return v6 ? "Hop limit" : "Time to live exceeded";
	if (v6 && type == ICMP6_TOO_BIG)
		return "Packet too big";
	if (type == (v6 ? ICMP6_DEST_UNREACH : ICMP_DEST_UNREACH) && code < ARRAY_SIZE(four))
		return v6 ? six[code] : four[code];
	return "Parameter problem";
}

static void print_error(struct shell *sh, const struct inet_tx *tx, uint16_t seq)
{
	const struct inet_addr *from = inet_is_any(&under_way.from) ? &tx->src : &under_way.from;
	bool v6 = !inet_is_v4(&tx->dst);
	unsigned type = under_way.type;
	const char *group = "";
	char text[IP_STR];

	if (type == (v6 ? ICMP6_DEST_UNREACH : ICMP_DEST_UNREACH) && (v6 || under_way.code < 4))
		group = v6 ? "Destination unreachable: " : "Destination ";
	else if (v6 && type == ICMP6_TIME_EXCEEDED)
		group = "Time exceeded: ";
	inet_str(from, text);
	shell_printf(sh, "From %s icmp_seq=%u %s%s\n", text, seq, group,
		     error_text(v6, type, under_way.code));
}

static void count_reply(struct results *r, uint64_t us)
{
	r->least = r->received ? MIN(r->least, us) : us;
	r->most = MAX(r->most, us);
	r->sum += us;
	r->squares += us * us;
	r->received++;
}

static uint64_t square_root(uint64_t v)
{
	uint64_t r = 0;

	for (uint64_t bit = BIT(31); bit; bit >>= 1)
		if ((r | bit) * (r | bit) <= v)
			r |= bit;
	return r;
}

static void print_summary(struct shell *sh, const struct ping_options *o, const struct results *r,
			  uint64_t ms)
{
	shell_printf(sh, "\n--- %s ping statistics ---\n", o->name);
	shell_printf(sh, "%u packets transmitted, %u received, ", r->sent, r->received);
	if (r->errors)
		shell_printf(sh, "+%u errors, ", r->errors);
	shell_printf(sh, "%u%% packet loss, time %lums\n",
		     r->sent ? 100 * (r->sent - r->received) / r->sent : 0, (unsigned long)ms);
	if (r->received) {
		uint64_t mean = r->sum / r->received;
		uint64_t value[] = { r->least, mean, r->most,
				     square_root(r->squares / r->received - mean * mean) };

		shell_printf(sh, "rtt min/avg/max/mdev = ");
		for (unsigned i = 0; i < ARRAY_SIZE(value); i++)
			shell_printf(sh, "%s%lu.%03lu", i ? "/" : "",
				     (unsigned long)value[i] / 1000,
				     (unsigned long)value[i] % 1000);
		shell_printf(sh, " ms\n");
	}
}

/* One request and what came of it; the next is due an interval after this one. */
static void one(struct shell *sh, const struct ping_options *o, const struct inet_tx *tx,
		uint16_t seq, struct results *r, bool *stop)
{
	uint64_t sent = rdtsc(), us;
	bool last = seq == o->count;
	uint64_t wait = last ? o->wait_ms : o->interval_ms;
	unsigned state;

	r->sent++;
	if (!send(o, tx, seq)) {
		shell_printf(sh, "no buffers for it\n");
		return;
	}
	state = await(sh, sent + tsc_from_us(wait * 1000), stop);
	if (state == ANSWERED) {
		us = tsc_to_ns(under_way.tsc - sent) / 1000;
		count_reply(r, us);
		print_reply(sh, seq, us);
	} else if (state == REFUSED) {
		r->errors++;
		print_error(sh, tx, seq);
	}
	while (!last && !*stop && rdtsc() < sent + tsc_from_us(o->interval_ms * 1000)) {
		*stop = !sh->file && console_in_get() == CTRL_C;
		msleep(1);
	}
}

static int ping(struct shell *sh, int n, const struct word *w)
{
	static uint16_t ids;
	struct results r = { 0 };
	uint64_t began = rdtsc();
	struct ping_options o;
	struct inet_tx tx;
	bool stop = false;
	int err = ping_read_line(sh, &o);

	(void)n;
	(void)w;
	if (!err)
		err = find_source(sh, &o, &tx);
	if (err)
		return err;
	under_way.id = ++ids;
	if (inet_is_v4(&o.dst))
		shell_printf(sh, "PING %s (%s) %lu(%lu) bytes of data.\n", o.name, o.name, o.size,
			     o.size + ICMP_HLEN + IPV4_HLEN);
	else
		shell_printf(sh, "PING %s(%s) %lu data bytes\n", o.name, o.name, o.size);
	for (unsigned seq = 1; seq <= o.count && !stop; seq++)
		one(sh, &o, &tx, seq, &r, &stop);
	print_summary(sh, &o, &r, tsc_to_ns(rdtsc() - began) / 1000000);
	return r.received ? 0 : -EHOSTUNREACH;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	if (word_is(n, w, n - 1, "-I"))
		port_offer(add, to);
	else if (word_is(n, w, n - 1, "-M"))
		words_offer("do dont", add, to);
	else if (n == 1 || n % 2) /* each option has a value */
		words_offer("-c -s -i -t -W -M -I", add, to);
}

SHELL_COMMAND(cmd_ping, .name = "ping",
	      .usage = "[-c COUNT] [-s BYTES] [-i SECONDS] [-t TTL] [-W SECONDS] [-M do|dont] "
		       "[-I PORT] ADDRESS[%PORT]",
	      .help = "echo requests from Weir's own addresses; Ctrl-C ends it", .run = ping,
	      .complete = complete);
