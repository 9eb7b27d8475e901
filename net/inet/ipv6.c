/* SPDX-License-Identifier: MIT */
/*
 * ipv6.c - IPv6: is it sound, is it for Weir, and the header of what Weir sends
 *
 * ipv6_rcv() runs on the core that has the packet. Owns nothing. Extension headers are
 * looked at in ipv6_ext.c.
 */
#include "ipv6.h"

#include "kernel/shell.h"
#include "drivers/netdev.h"
#include "net/bytes.h"
#include "forward.h"
#include "ip_output.h"
#include "ipv6_ext.h"
#include "snmp.h"

enum { IPV6_LEN = 4, IPV6_NEXT = 6, IPV6_HOP_LIMIT = 7, IPV6_SRC = 8, IPV6_DST = 24 };

unsigned ip6_forwarding;
static unsigned hop_limit = 64;

SYSCTL(sys_ip6_forwarding, "net.ipv6.conf.all.forwarding", &ip6_forwarding, 0, 1,
       "1: pass IPv6 packets on between Weir's own interfaces");
SYSCTL(sys_hop_limit, "net.ipv6.conf.all.hop_limit", &hop_limit, 1, 255,
       "hop limit of IPv6 packets that Weir sends");

void ipv6_push(struct pkt *p, const struct inet_tx *tx)
{
	uint32_t len = p->frame_len;
	uint8_t *ip = bytes_push(p, IPV6_HLEN);

	store32(ip, be32(UINT32_C(6) << 28 | (uint32_t)tx->tos << 20));
	store16(ip + IPV6_LEN, be16(len));
	ip[IPV6_NEXT] = tx->proto;
	ip[IPV6_HOP_LIMIT] = tx->ttl ? tx->ttl : hop_limit;
	memcpy(ip + IPV6_SRC, tx->src.b, 16);
	memcpy(ip + IPV6_DST, tx->dst.b, 16);
}

struct inet_addr ipv6_solicited_node(const struct inet_addr *a)
{
	return (struct inet_addr){ .b = { 0xff, 2, [11] = 1, 0xff, a->b[13], a->b[14], a->b[15] } };
}

/*
 * Is @a a group that Weir is in by @port: all nodes, all routers, or one in
 * which it can be asked for?
 */
static bool is_our_group(const struct inet_addr *a, const struct port *port)
{
	static const struct inet_addr nodes = { .b = { 0xff, 2, [15] = 1 } };
	static const struct inet_addr routers = { .b = { 0xff, 2, [15] = 2 } };

	if (inet_equal(a, &nodes) || (ip6_forwarding && inet_equal(a, &routers)))
		return true;
	inet_for_each(i)
	{
		struct inet_addr group = ipv6_solicited_node(&i->addr);

		if (i->port == port && !inet_is_v4(&i->addr) && inet_equal(a, &group))
			return true;
	}
	return false;
}

/* version, length; @p is from its IP header on */
static bool is_sound(const struct pkt *p)
{
	return p->len >= IPV6_HLEN && p->data[0] >> 4 == 6 &&
	       inet_may_end(p, IPV6_HLEN + be16(load16(p->data + IPV6_LEN)));
}

/* ::, ::1 and ::ffff:a.b.c.d */
static bool is_unfit(const struct inet_addr *a)
{
	return inet_is_v4(a) || (!a->q[0] && !load32(a->b + 8) && be32(load32(a->b + 12)) <= 1);
}

/*
 * :: may ask whether an address is free, and nothing else, but that is the neighbours'
 * business [RFC 4862 5.4.2]
 */
static bool is_martian(const struct inet_rx *rx)
{
	return inet_is_multicast(&rx->src) || is_unfit(&rx->dst) ||
	       (is_unfit(&rx->src) && !inet_is_any(&rx->src)) || inet_local(&rx->src, rx->port);
}

void ipv6_rcv(struct port *port, struct pkt *p)
{
	struct inet_rx rx = { .port = port, .p = p, .v6 = true, .group = mac_is_group(p->data[0]) };
	uint8_t *ip = bytes_pull(p, ETH_HLEN);

	snmp_ip(true, IP_InReceives);
	if (!is_sound(p)) {
		snmp_ip(true, IP_InHdrErrors);
		inet_drop(&rx, DROP_IPV6_BAD);
		return;
	}
	bytes_trim(p, IPV6_HLEN + be16(load16(ip + IPV6_LEN)));
	p->flags &= ~PKT_VLAN; /* of VLAN 0, a priority alone */
	rx.l4 = IPV6_HLEN;
	rx.next = IPV6_NEXT;
	rx.proto = ip[IPV6_NEXT];
	rx.ttl = ip[IPV6_HOP_LIMIT];
	rx.src = inet_v6(ip + IPV6_SRC);
	rx.dst = inet_v6(ip + IPV6_DST);
	rx.to_us = inet_local(&rx.dst, port);
	if (is_martian(&rx)) {
		snmp_ip(true, IP_InAddrErrors);
		inet_drop(&rx, DROP_IPV6_MARTIAN);
	} else if (!ipv6_hop_by_hop(&rx)) {
		return;
	} else if (rx.to_us || is_our_group(&rx.dst, port)) {
		ipv6_deliver(&rx);
	} else {
		ip_forward(&rx);
	}
}
