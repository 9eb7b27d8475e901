/* SPDX-License-Identifier: MIT */
/*
 * inet.c - Weir's own addresses, and the tables by which packets find their protocol
 *
 * Looked at by each packet for Weir on the core that has it; addresses change in the control
 * context with the cores parked. Owns the addresses.
 */
#include "inet.h"

#include "kernel/park.h"
#include "net/csum.h"
#include "frag.h"
#include "icmp.h"
#include "icmp_error.h"
#include "internal.h"
#include "ipv4.h"
#include "local.h"
#include "maddr.h"
#include "neigh.h"
#include "route.h"
#include "snmp.h"
#include "udp.h"

#include <errno.h>

const struct inet_addr inet_any;

struct inet_ifaddr inet_addrs[INET_ADDRS_MAX];
unsigned ninet_addrs;

inet_handler *const inet_protos[256] = {
	[PROTO_ICMP] = icmp_rcv,
	[PROTO_UDP] = udp_rcv,
};

inet_handler *const inet6_protos[256] = {
	[PROTO_UDP] = udp_rcv,
	[PROTO_ICMPV6] = icmp_rcv,
};

bool inet_in_prefix(const struct inet_addr *a, const struct inet_addr *prefix, unsigned len)
{
	unsigned bytes = len / 8, bits = len % 8;

	if (memcmp(a->b, prefix->b, bytes))
		return false;
	return !bits || !((a->b[bytes] ^ prefix->b[bytes]) >> (8 - bits));
}

int inet_str(const struct inet_addr *a, char buf[IP_STR])
{
	return inet_is_v4(a) ? ip4_str(load32(a->b + 12), buf) : ip6_str(a->b, buf);
}

bool inet_read(const char *s, struct inet_addr *a)
{
	uint8_t b[16];

	if (ip4_read(s, b)) {
		*a = inet_v4(b);
		return true;
	}
	if (!ip6_read(s, b))
		return false;
	*a = inet_v6(b);
	return true;
}

const struct inet_ifaddr *inet_local(const struct inet_addr *a, const struct port *port)
{
	inet_for_each(i)
	{
		if (inet_equal(&i->addr, a) && (!inet_is_link_local(a) || i->port == port))
			return i;
	}
	return NULL;
}

/*
 * Is @a of IPv4, and all ones behind the prefix of @i? Prefixes of 31 and 32 bits have no
 * such address [RFC 3021].
 */
static bool is_last_of(const struct inet_addr *a, const struct inet_ifaddr *i)
{
	uint32_t host = i->len > INET_V4_BITS ? ~0U >> (i->len - INET_V4_BITS) : ~0U;

	return i->len <= 126 && inet_is_v4(&i->addr) && inet_in_prefix(a, &i->addr, i->len) &&
	       (be32(load32(a->b + 12)) & host) == host;
}

bool inet_is_broadcast(const struct inet_addr *a, const struct port *port)
{
	if (!inet_is_v4(a))
		return false;
	if (load32(a->b + 12) == ~0U)
		return true;
	inet_for_each(i)
	{
		if (i->port == port && is_last_of(a, i))
			return true;
	}
	return false;
}

const struct inet_addr *inet_source(const struct port *port, const struct inet_addr *dst)
{
	bool v4 = inet_is_v4(dst), link = !v4 && (inet_is_link_local(dst) || dst->b[0] == 0xff);
	const struct inet_addr *best = NULL;
	unsigned how_good = 0;

	inet_for_each(i)
	{
		unsigned good = 1 + 2 * (v4 || inet_is_link_local(&i->addr) == link) +
				inet_in_prefix(dst, &i->addr, i->len);

		if (i->port != port || inet_is_v4(&i->addr) != v4 || good <= how_good)
			continue;
		best = &i->addr;
		how_good = good;
	}
	return best;
}

uint64_t inet_pseudo(const struct inet_addr *src, const struct inet_addr *dst, uint8_t proto,
		     uint32_t len)
{
	/* ::ffff: in front of an IPv4 address adds 0xffff, which is nothing */
	uint64_t sum = csum_add(csum_add(0, src->b, 16), dst->b, 16);

	return sum + be32(proto) + be32(len);
}

void inet_done(struct inet_rx *rx)
{
	pkt_free(rx->p);
}

void inet_drop(struct inet_rx *rx, enum drop_reason why)
{
	local_drop(rx->port, rx->p, why);
}

bool inet_may_end(const struct pkt *p, uint32_t len)
{
	uint32_t csum_end = p->csum_start + p->csum_offset + sizeof(uint16_t);

	if (len >= p->frame_len)
		return len == p->frame_len;
	if (p->flags & PKT_GSO)
		return false;
	return !(p->flags & PKT_CSUM_PARTIAL) || ETH_HLEN + len >= csum_end;
}

void inet_deliver(struct inet_rx *rx)
{
	inet_handler *handler = (rx->v6 ? inet6_protos : inet_protos)[rx->proto];

	if (handler) {
		snmp_ip(rx->v6, IP_InDelivers);
		handler(rx);
		return;
	}
	snmp_ip(rx->v6, IP_InUnknownProtos);
	icmp_error(rx, ICMP_ERR_PROTO, rx->v6 ? rx->next : 0);
	inet_drop(rx, DROP_IP_PROTO);
}

/* --- addresses, in the control context --- */

/* fe80:: and the interface identifier that the MAC address makes [RFC 4291 appendix A] */
static struct inet_addr link_local_of(const struct port *port)
{
	const uint8_t *m = port->mac;

	return (struct inet_addr){ .b = { 0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3],
					  m[4], m[5] } };
}

static struct inet_ifaddr *entry_of(const struct port *port, const struct inet_addr *a)
{
	inet_for_each(i)
	{
		if (i->port == port && inet_equal(&i->addr, a))
			return i;
	}
	return NULL;
}

static void append(struct port *port, const struct inet_addr *a, unsigned len, bool automatic)
{
	inet_addrs[ninet_addrs++] = (struct inet_ifaddr){
		.addr = *a, .port = port, .len = len, .automatic = automatic
	};
	route_connected(port, a, len, true);
}

static void take_out(struct inet_ifaddr *i)
{
	struct inet_ifaddr gone = *i;

	memmove(i, i + 1, (char *)(inet_addrs + ninet_addrs) - (char *)(i + 1));
	ninet_addrs--;
	route_connected(gone.port, &gone.addr, gone.len, false);
	if (!inet_local(&gone.addr, gone.port))
		route_source_gone(&gone.addr);
}

/* How many addresses has @port that the operator gave it? */
static unsigned given(const struct port *port)
{
	unsigned n = 0;

	inet_for_each(i) n += i->port == port && !i->automatic;
	return n;
}

/* The link-local address comes with the first that the port is given, and goes with the last. */
static void see_to_link_local(struct port *port)
{
	struct inet_addr a = link_local_of(port);
	bool wanted = given(port);

	inet_for_each(i)
	{
		if (i->port == port && i->automatic && (!wanted || !inet_equal(&i->addr, &a))) {
			take_out(i);
			break;
		}
	}
	if (wanted && !entry_of(port, &a) && ninet_addrs < INET_ADDRS_MAX)
		append(port, &a, 64, true);
	port_set_extra(port, PORT_LOCAL, wanted && !port->internal ? PORT_LOCAL : 0, 0);
	maddr_follow(port);
}

int inet_add(struct port *port, const struct inet_addr *a, unsigned len)
{
	struct inet_ifaddr *there = entry_of(port, a);

	if (there && !there->automatic)
		return -EEXIST;
	if (ninet_addrs + 2 > INET_ADDRS_MAX)
		return -ENOSPC;
	cores_park();
	if (there)
		take_out(there);
	append(port, a, len, false);
	see_to_link_local(port);
	cores_resume();
	return 0;
}

int inet_del(struct port *port, const struct inet_addr *a, unsigned len)
{
	struct inet_ifaddr *i = entry_of(port, a);

	if (!i || i->len != len)
		return -EADDRNOTAVAIL;
	cores_park();
	take_out(i);
	see_to_link_local(port);
	cores_resume();
	return 0;
}

void inet_mac_changed(struct port *port)
{
	cores_park();
	see_to_link_local(port);
	cores_resume();
}

void inet_port_gone(struct port *port)
{
	struct inet_ifaddr *i = inet_addrs;

	while (i < inet_addrs + ninet_addrs) {
		if (i->port == port)
			take_out(i);
		else
			i++;
	}
	route_port_gone(port);
	neigh_flush(port, true);
	frag_port_gone(port);
	see_to_link_local(port);
}

void inet_tick(void)
{
	neigh_tick();
	frag_tick();
}

void inet_init(void)
{
	ninet_addrs = nroutes = 0;
	snmp_init();
	local_init();
	internal_init();
	icmp_error_init();
	neigh_init();
	frag_init();
}
