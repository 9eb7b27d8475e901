/* SPDX-License-Identifier: MIT */
/*
 * ipv4.c - IPv4: is it sound, is it for Weir, and the header of what Weir sends
 *
 * ipv4_rcv() runs on the core that has the packet. Owns the counters of
 * identifications, one a core.
 */
#include "ipv4.h"

#include "kernel/shell.h"
#include "drivers/netdev.h"
#include "net/bytes.h"
#include "net/csum.h"
#include "forward.h"
#include "frag.h"
#include "ip_output.h"
#include "local.h"
#include "snmp.h"

enum { IPV4_ID = 4, IPV4_FRAG = 6, IPV4_TTL = 8, IPV4_PROTO = 9, IPV4_SRC = 12, IPV4_DST = 16 };

unsigned ip_forward_on, ip_default_ttl = 64;

SYSCTL(sys_ip_forward, "net.ipv4.ip_forward", &ip_forward_on, 0, 1,
       "1: pass IPv4 packets on between Weir's own interfaces");
SYSCTL(sys_ip_ttl, "net.ipv4.ip_default_ttl", &ip_default_ttl, 1, 255,
       "time to live of IPv4 packets that Weir sends");

static uint16_t ident_of_cpu[MAX_CPUS];

/*
 * Each core has every ncpus-th, so that no two of them give the same to one destination at a time.
 */
static uint16_t next_ident(void)
{
	unsigned cpu = this_cpu()->id;

	return ident_of_cpu[cpu]++ * ncpus + cpu;
}

void ipv4_push(struct pkt *p, const struct inet_tx *tx)
{
	uint8_t *ip = bytes_push(p, IPV4_HLEN);

	ip[0] = 0x45;
	ip[1] = tx->tos;
	store16(ip + 2, be16(p->frame_len));
	store16(ip + 4, be16(next_ident()));
	store16(ip + 6, tx->df ? be16(IPV4_DF) : 0);
	ip[IPV4_TTL] = tx->ttl ? tx->ttl : ip_default_ttl;
	ip[IPV4_PROTO] = tx->proto;
	memcpy(ip + IPV4_SRC, tx->src.b + 12, 4);
	memcpy(ip + IPV4_DST, tx->dst.b + 12, 4);
	csum_ipv4(ip, IPV4_HLEN);
}

/* version, lengths; @p is from its IP header on */
static bool is_sound(const struct pkt *p)
{
	uint32_t ihl, total;

	if (p->len < IPV4_HLEN || p->data[0] >> 4 != 4)
		return false;
	ihl = (p->data[0] & 0xf) * 4;
	total = be16(load16(p->data + 2));
	return ihl >= IPV4_HLEN && ihl <= p->len && total >= ihl && inet_may_end(p, total);
}

static bool has_right_csum(const uint8_t *ip)
{
	return csum_fold(csum_add(0, ip, (ip[0] & 0xf) * 4)) == 0xffff;
}

/*
 * No station has such an address, or it is one of Weir's own, and on a wire [RFC 1122
 * 3.2.1.3, RFC 1812 5.3.7].
 */
static bool is_martian(const struct inet_rx *rx)
{
	unsigned s = rx->src.b[12], d = rx->dst.b[12];

	return s == 0 || s == 127 || s >= 224 || d == 0 || d == 127 ||
	       inet_is_broadcast(&rx->src, rx->port) || inet_local(&rx->src, rx->port);
}

/* All stations [RFC 1112 4]; Weir is in no other group. */
static bool is_all_hosts(const struct inet_addr *a)
{
	return load32(a->b + 12) == be32(0xe0000001);
}

/* for Weir: whole, or as soon as it is */
static void deliver(struct inet_rx *rx)
{
	uint8_t *ip = rx->p->data;
	uint32_t field = be16(load16(ip + IPV4_FRAG));
	struct frag_info info = {
		be16(load16(ip + IPV4_ID)),
		(field & IPV4_OFFSET) * 8,
		field & IPV4_MF,
	};

	if (field & (IPV4_OFFSET | IPV4_MF)) {
		if (!frag_add(rx, &info))
			return;
		ip = rx->p->data; /* of the first fragment; now it is the whole one's */
		store16(ip + 2, be16(rx->p->frame_len));
		store16(ip + IPV4_FRAG, 0);
		csum_ipv4(ip, rx->l4);
	}
	inet_deliver(rx);
}

static void route_input(struct inet_rx *rx)
{
	rx->to_us = inet_local(&rx->dst, rx->port);
	if (is_martian(rx)) {
		snmp_ip(false, IP_InAddrErrors);
		inet_drop(rx, DROP_IP_MARTIAN);
	} else if (rx->to_us || inet_is_broadcast(&rx->dst, rx->port) || is_all_hosts(&rx->dst)) {
		deliver(rx);
	} else {
		ip_forward(rx);
	}
}

void ipv4_rcv(struct port *port, struct pkt *p)
{
	struct inet_rx rx = { .port = port, .p = p, .group = mac_is_group(p->data[0]) };
	uint8_t *ip = bytes_pull(p, ETH_HLEN);

	snmp_ip(false, IP_InReceives);
	if (!is_sound(p)) {
		snmp_ip(false, IP_InHdrErrors);
		inet_drop(&rx, DROP_IPV4_BAD);
		return;
	}
	if (!has_right_csum(ip)) {
		snmp_ip(false, IP_InHdrErrors);
		inet_drop(&rx, DROP_IPV4_CSUM);
		return;
	}
	bytes_trim(p, be16(load16(ip + 2)));
	p->flags &= ~PKT_VLAN; /* of VLAN 0, a priority alone */
	rx.l4 = (ip[0] & 0xf) * 4;
	rx.next = IPV4_PROTO;
	rx.proto = ip[IPV4_PROTO];
	rx.ttl = ip[IPV4_TTL];
	rx.src = inet_v4(ip + IPV4_SRC);
	rx.dst = inet_v4(ip + IPV4_DST);
	route_input(&rx);
}
