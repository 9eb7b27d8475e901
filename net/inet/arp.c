/* SPDX-License-Identifier: MIT */
/*
 * arp.c - ARP: answers for Weir's addresses, questions for its neighbours'
 *
 * arp_rcv() runs on the core that has the packet; arp_solicit() there and in the clock's tick. Owns
 * nothing: what is learnt is neigh.c's.
 */
#include "arp.h"

#include "net/bytes.h"
#include "local.h"
#include "neigh.h"

/* an ARP packet for IPv4 on Ethernet, from the frame's first byte */
enum {
	ARP_HRD = 14, /* hardware 1, protocol 0x0800, lengths 6 and 4: eight bytes that are always
			 the same but the last */
	ARP_OP = 20,
	ARP_SHA = 22,
	ARP_SPA = 28,
	ARP_THA = 32,
	ARP_TPA = 38,
	ARP_END = 42,

	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

static const uint8_t ethernet_ipv4[6] = { 0, 1, 8, 0, 6, 4 };

static bool is_sound(const struct pkt *p)
{
	uint16_t op;

	if (p->len < ARP_END || memcmp(p->data + ARP_HRD, ethernet_ipv4, sizeof(ethernet_ipv4)))
		return false;
	op = be16(load16(p->data + ARP_OP));
	return (op == ARP_REQUEST || op == ARP_REPLY) && !mac_is_group(p->data[ARP_SHA]);
}

/* @f is the frame to be: fill it in but for whom it asks or tells */
static void put_header(uint8_t *f, const struct port *port, uint16_t op, const uint8_t *to,
		       const uint8_t spa[4])
{
	memcpy(f, to, 6);
	memcpy(f + 6, port->mac, 6);
	store16(f + 12, be16(ETH_P_ARP));
	memcpy(f + ARP_HRD, ethernet_ipv4, sizeof(ethernet_ipv4));
	store16(f + ARP_OP, be16(op));
	memcpy(f + ARP_SHA, port->mac, 6);
	memcpy(f + ARP_SPA, spa, 4);
}

/* The question becomes the answer, in place. */
static void answer(struct port *port, struct pkt *p)
{
	uint8_t sha[6], spa[4], tpa[4];

	bytes_trim(p, ARP_END);
	p->flags = 0;
	memcpy(sha, p->data + ARP_SHA, 6);
	memcpy(spa, p->data + ARP_SPA, 4);
	memcpy(tpa, p->data + ARP_TPA, 4);
	put_header(p->data, port, ARP_REPLY, sha, tpa);
	memcpy(p->data + ARP_THA, sha, 6);
	memcpy(p->data + ARP_TPA, spa, 4);
	local_send(port, p);
}

void arp_rcv(struct port *port, struct pkt *p)
{
	struct inet_addr sender, target;
	unsigned news = 0;
	bool for_us;

	if (!is_sound(p)) {
		local_drop(port, p, DROP_ARP_BAD);
		return;
	}
	sender = inet_v4(p->data + ARP_SPA);
	target = inet_v4(p->data + ARP_TPA);
	for_us = inet_local(&target, port);
	if (load16(p->data + ARP_OP) == be16(ARP_REPLY))
		/* an answer goes to who asked; what all are told was not asked for */
		news = mac_is_group(p->data[0]) ? NEIGH_OVERRIDE : NEIGH_OVERRIDE | NEIGH_ANSWERED;
	else
		news = NEIGH_OVERRIDE | (for_us ? NEIGH_HEARD : 0);
	/*
	 * no sender: a probe whether the address is free [RFC 5227 2.1.1]; our own:
	 * somebody else has it too
	 */
	if (!inet_is_any(&sender) && !inet_is_multicast(&sender) && !inet_local(&sender, port))
		neigh_update(port, &sender, p->data + ARP_SHA, news);
	if (for_us && load16(p->data + ARP_OP) == be16(ARP_REQUEST))
		answer(port, p);
	else
		pkt_free(p);
}

void arp_solicit(struct port *port, const struct inet_addr *target, const uint8_t *mac)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct inet_addr *source = inet_source(port, target);
	struct pkt *p = source ? pkt_alloc() : NULL;

	if (!p)
		return; /* counted by the pool; asked again in a second */
	p->data = pkt_buf(p);
	pkt_begin(p, ARP_END);
	put_header(p->data, port, ARP_REQUEST, mac ? mac : all, source->b + 12);
	memset(p->data + ARP_THA, 0, 6);
	memcpy(p->data + ARP_TPA, target->b + 12, 4);
	local_send(port, p);
}
