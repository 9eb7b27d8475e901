/* SPDX-License-Identifier: MIT */
/*
 * inet.h - Weir's own addresses, and what its protocols have in common
 *
 * An IPv4 address is kept as the IPv6 address that it maps to, ::ffff:a.b.c.d [RFC 4291 2.5.5.2]:
 * so one table of addresses, routes, neighbours and fragments serves both families, and most code
 * need not ask which one it has.
 *
 * The hot side of each table is read without a lock on the core that has the packet. Addresses and
 * routes change in the control context with the cores parked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/pkt.h"
#include "net/addr.h"
#include "net/port.h"
#include "net/wire.h"

struct inet_addr {
	union {
		uint8_t b[16]; /* as on the wire */
		uint64_t q[2];
	};
};

enum { INET_V4_BITS = 96 }; /* prefix that all IPv4 addresses share */

extern const struct inet_addr inet_any; /* ::, "none" */

static inline struct inet_addr inet_v4(const uint8_t b[4])
{
	struct inet_addr a = { .b = { [10] = 0xff, [11] = 0xff } };

	store32(a.b + 12, load32(b));
	return a;
}

static inline struct inet_addr inet_v6(const uint8_t b[16])
{
	return (struct inet_addr){ .q = { load64(b), load64(b + 8) } };
}

static inline bool inet_is_v4(const struct inet_addr *a)
{
	return !a->q[0] && load32(a->b + 8) == be32(0xffff);
}

static inline bool inet_equal(const struct inet_addr *a, const struct inet_addr *b)
{
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

static inline bool inet_is_any(const struct inet_addr *a)
{
	return !(a->q[0] | a->q[1]) || (inet_is_v4(a) && !load32(a->b + 12));
}

/* 224.0.0.0/4, ff00::/8 */
static inline bool inet_is_multicast(const struct inet_addr *a)
{
	return inet_is_v4(a) ? a->b[12] >> 4 == 14 : a->b[0] == 0xff;
}

/* fe80::/10: means something on its own link only */
static inline bool inet_is_link_local(const struct inet_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* inet_in_prefix() - do the first @len bits of both agree? */
bool inet_in_prefix(const struct inet_addr *a, const struct inet_addr *prefix, unsigned len);

/*
 * inet_str() - as text; returns the length. inet_read() - the opposite, of either
 * family; false if it is none.
 */
int inet_str(const struct inet_addr *a, char buf[IP_STR]);
bool inet_read(const char *s, struct inet_addr *a);

/* --- Weir's own addresses --- */

enum { INET_ADDRS_MAX = 64 };

struct inet_ifaddr {
	struct inet_addr addr;
	struct port *port;
	uint8_t len;    /* of the prefix, 0 to 128 */
	bool automatic; /* link-local, made from the port's MAC: goes when the port has no other */
};

extern struct inet_ifaddr inet_addrs[INET_ADDRS_MAX];
extern unsigned ninet_addrs;

#define inet_for_each(a) for (struct inet_ifaddr *a = inet_addrs; a < inet_addrs + ninet_addrs; a++)

/*
 * inet_local() - the entry of an address of Weir's, up or not; NULL if it is none. For
 * link-local ones by @port.
 */
const struct inet_ifaddr *inet_local(const struct inet_addr *a, const struct port *port);

/* inet_is_broadcast() - 255.255.255.255, or the last address of a prefix of @port's. */
bool inet_is_broadcast(const struct inet_addr *a, const struct port *port);

/*
 * inet_source() - the address of @port to send to @dst with: of its family, link-local only to
 * such, of several the first in whose prefix @dst lies, else the first. NULL: none.
 */
const struct inet_addr *inet_source(const struct port *port, const struct inet_addr *dst);

/*
 * inet_add(), inet_del() - give @port an address with a prefix of @len bits, and the route to it,
 * or take them away. 0 or a negative errno. Control context; they park the cores.
 */
int inet_add(struct port *port, const struct inet_addr *a, unsigned len);
int inet_del(struct port *port, const struct inet_addr *a, unsigned len);
/*
 * inet_mac_changed() - of @port: its link-local address is made of it. Control
 * context; parks the cores.
 */
void inet_mac_changed(struct port *port);
/*
 * inet_port_gone() - @port will be no more: its addresses, routes and neighbours go. Cores parked.
 */
void inet_port_gone(struct port *port);

/* --- a packet on its way up --- */

struct inet_rx {
	struct port *port; /* it came in by */
	struct pkt *p;     /* from its IP header on */
	struct inet_addr src, dst;
	uint32_t l4;   /* bytes from there to what the protocol's header begins with */
	uint32_t next; /* and to the byte that says which protocol that is */
	uint8_t proto;
	uint8_t ttl; /* or hop limit */
	bool v6;
	bool to_us; /* @dst is an address of Weir's, not a group */
	bool group; /* its Ethernet address was one */
};

typedef void inet_handler(struct inet_rx *rx);

/*
 * inet_protos, inet6_protos - who takes a packet for Weir, by protocol number; NULL: nobody.
 * Whoever takes it owns rx->p, and frees it by inet_done() or inet_drop() or sends it back.
 */
extern inet_handler *const inet_protos[256];
extern inet_handler *const inet6_protos[256];

/*
 * inet_may_end() - may @p, from its IP header on, be trimmed to the @len bytes that this says? Not
 * in front of what it asks a device for; a guest can write both as it likes.
 */
bool inet_may_end(const struct pkt *p, uint32_t len);

/* inet_deliver() - to its protocol, or an ICMP error to where it came from. */
void inet_deliver(struct inet_rx *rx);

/* inet_done() - Weir took what the packet brought. inet_drop() - it could not. */
void inet_done(struct inet_rx *rx);
void inet_drop(struct inet_rx *rx, enum drop_reason why);

/*
 * inet_pseudo() - what stands in for the IP header in the checksums of UDP and ICMPv6
 * [RFC 768, RFC 8200 8.1].
 */
uint64_t inet_pseudo(const struct inet_addr *src, const struct inet_addr *dst, uint8_t proto,
		     uint32_t len);

/* inet_bind_tables() - once at boot: the parts of this room that Weir's own protocols need. */
void inet_init(void);
/* inet_tick() - once a second, core 0: neighbours age, fragments are given up. */
void inet_tick(void);
