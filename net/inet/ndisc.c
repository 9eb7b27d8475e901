/* SPDX-License-Identifier: MIT */
/*
 * ndisc.c - neighbour solicitations and advertisements
 *
 * ndisc_rcv() runs on the core that has the packet; ndisc_solicit() there and in the clock's tick.
 * Owns nothing: what is learnt is neigh.c's.
 */
#include "ndisc.h"

#include "net/bytes.h"
#include "icmp.h"
#include "ip_output.h"
#include "ipv6.h"
#include "neigh.h"

enum {
	/* both messages, from the ICMPv6 header on */
	ND_FLAGS = 4,
	ND_TARGET = 8,
	ND_OPTIONS = 24,
	ND_LONG = 32, /* with one option */

	ND_ROUTER = 0x80,
	ND_SOLICITED = 0x40,
	ND_OVERRIDE = 0x20,

	OPT_SOURCE_LLADDR = 1,
	OPT_TARGET_LLADDR = 2,
	OPT_UNIT = 8,

	ND_HOP_LIMIT = 255, /* so that it comes from this link and no other */
};

/* Options have a length each; one of 0 would never end. */
static bool options_are_sound(const uint8_t *b, uint32_t n)
{
	while (n) {
		uint32_t len = n >= 2 ? b[1] * OPT_UNIT : 0;

		if (!len || len > n)
			return false;
		b += len;
		n -= len;
	}
	return true;
}

/* the MAC address that option @type gives; NULL: there is none */
static const uint8_t *lladdr(const uint8_t *b, uint32_t n, unsigned type)
{
	for (; n; n -= b[1] * OPT_UNIT, b += b[1] * OPT_UNIT)
		if (b[0] == type && b[1] == 1)
			return b + 2;
	return NULL;
}

/*
 * @type, flags, target and Weir's own MAC address, to @tx->dst; without a
 * buffer it is asked for again.
 */
static void send(struct port *port, unsigned type, unsigned flags, const struct inet_addr *target,
		 struct inet_tx *tx)
{
	struct pkt *p = pkt_alloc();
	uint8_t *b;

	if (!p)
		return;
	p->data = b = pkt_buf(p);
	pkt_begin(p, ND_LONG);
	memset(b, 0, ND_OPTIONS);
	b[0] = type;
	b[ND_FLAGS] = flags;
	memcpy(b + ND_TARGET, target->b, 16);
	b[ND_OPTIONS] = type == ICMP6_NEIGH_SOLICIT ? OPT_SOURCE_LLADDR : OPT_TARGET_LLADDR;
	b[ND_OPTIONS + 1] = 1;
	memcpy(b + ND_OPTIONS + 2, port->mac, 6);
	tx->port = port;
	tx->proto = PROTO_ICMPV6;
	tx->ttl = ND_HOP_LIMIT;
	icmp_send(p, tx);
}

/*
 * Who asks whether an address is free has none, and is told by a message to all [RFC 4861 7.2.4].
 */
static void advertise(struct inet_rx *rx, const struct inet_addr *target)
{
	static const struct inet_addr all = { .b = { 0xff, 2, [15] = 1 } };
	bool anonymous = inet_is_any(&rx->src);
	struct inet_tx tx = { .src = *target, .dst = anonymous ? all : rx->src };
	unsigned flags = ND_OVERRIDE | (anonymous ? 0 : ND_SOLICITED);

	send(rx->port, ICMP6_NEIGH_ADVERT, flags | (ip6_forwarding ? ND_ROUTER : 0), target, &tx);
}

static void solicited(struct inet_rx *rx, const struct inet_addr *target, const uint8_t *mac)
{
	if (!inet_local(target, rx->port))
		return;
	if (mac && !inet_is_any(&rx->src))
		neigh_update(rx->port, &rx->src, mac, NEIGH_HEARD | NEIGH_OVERRIDE);
	advertise(rx, target);
}

static void advertised(struct inet_rx *rx, const struct inet_addr *target, const uint8_t *mac,
		       unsigned flags)
{
	unsigned news = 0;

	if (!mac)
		return;
	if (flags & ND_SOLICITED)
		news |= NEIGH_ANSWERED;
	if (flags & ND_OVERRIDE)
		news |= NEIGH_OVERRIDE;
	if (flags & ND_ROUTER)
		news |= NEIGH_ROUTER;
	neigh_update(rx->port, target, mac, news);
}

/* [RFC 4861 7.1.1, 7.1.2]; all of the message is in the first buffer */
static bool is_valid(const struct inet_rx *rx, unsigned type, const struct inet_addr *target)
{
	const uint8_t *b = rx->p->data + rx->l4;
	uint32_t n = rx->p->frame_len - rx->l4;

	if (rx->ttl != ND_HOP_LIMIT || b[1] || inet_is_multicast(target) ||
	    !options_are_sound(b + ND_OPTIONS, n - ND_OPTIONS))
		return false;
	if (type == ICMP6_NEIGH_SOLICIT && inet_is_any(&rx->src))
		return !rx->to_us && !lladdr(b + ND_OPTIONS, n - ND_OPTIONS, OPT_SOURCE_LLADDR);
	return type == ICMP6_NEIGH_SOLICIT || rx->to_us || !(b[ND_FLAGS] & ND_SOLICITED);
}

void ndisc_rcv(struct inet_rx *rx, unsigned type)
{
	const uint8_t *b = rx->p->data + rx->l4;
	uint32_t n = rx->p->frame_len - rx->l4;
	struct inet_addr target;

	if (type != ICMP6_NEIGH_SOLICIT && type != ICMP6_NEIGH_ADVERT) {
		inet_done(rx); /* routers' business */
		return;
	}
	if (n < ND_OPTIONS || rx->p->nsegs > 1 ||
	    (target = inet_v6(b + ND_TARGET), !is_valid(rx, type, &target))) {
		inet_drop(rx, DROP_ND_BAD);
		return;
	}
	if (type == ICMP6_NEIGH_SOLICIT)
		solicited(rx, &target, lladdr(b + ND_OPTIONS, n - ND_OPTIONS, OPT_SOURCE_LLADDR));
	else
		advertised(rx, &target, lladdr(b + ND_OPTIONS, n - ND_OPTIONS, OPT_TARGET_LLADDR),
			   b[ND_FLAGS]);
	inet_done(rx);
}

void ndisc_solicit(struct port *port, const struct inet_addr *target, const uint8_t *mac)
{
	const struct inet_addr *source = inet_source(port, target);
	struct inet_tx tx = { .dst = mac ? *target : ipv6_solicited_node(target) };

	if (!source)
		return;
	tx.src = *source;
	send(port, ICMP6_NEIGH_SOLICIT, 0, target, &tx);
}
