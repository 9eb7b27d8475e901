/* SPDX-License-Identifier: MIT */
/*
 * udp.c - UDP: to the service that has the port
 *
 * On the core that has the packet. Owns the table of services. TCP would stand
 * beside it; Weir has none.
 */
#include "udp.h"

#include "net/bytes.h"
#include "net/csum.h"
#include "icmp_error.h"
#include "ip_output.h"
#include "ip_segment.h"
#include "snmp.h"

enum {
	PORT_ECHO = 7,
	PORT_DISCARD = 9,
	PORT_RESERVED = 1024, /* below it services answer, and two of these would never stop */
};

/* The datagram goes back, in place. */
static void udp_echo(struct inet_rx *rx)
{
	uint8_t *udp = rx->p->data + rx->l4;
	uint16_t sport = load16(udp);
	struct inet_tx tx = {
		.src = rx->dst, .dst = rx->src, .port = rx->port, .proto = PROTO_UDP
	};
	uint16_t sum;

	if (be16(sport) < PORT_RESERVED || !rx->to_us) {
		inet_done(rx);
		return;
	}
	udp = bytes_pull(rx->p, rx->l4);
	store16(udp, load16(udp + 2));
	store16(udp + 2, sport);
	store16(udp + 6, 0);
	sum = ~csum_pkt(rx->p, 0, inet_pseudo(&tx.src, &tx.dst, PROTO_UDP, rx->p->frame_len));
	store16(udp + 6, sum ? sum : 0xffff);
	snmp_udp(rx->v6, UDP_OutDatagrams);
	inet_send(rx->p, &tx);
}

static const struct service {
	uint16_t port;
	void (*rcv)(struct inet_rx *rx);
} services[] = {
	{ PORT_ECHO, udp_echo },
	{ PORT_DISCARD, inet_done },
};

/*
 * deliver_each() - what GRO merged, or a guest left uncut, comes to the service as the datagrams
 * that it is; none has asked for more [Linux: udp_queue_rcv_skb()].
 */
static void deliver_each(const struct service *s, const struct inet_rx *rx)
{
	struct inet_rx one = *rx;
	struct gso g;

	ip_segment_begin(&g, rx->p);
	while ((one.p = ip_segment_next(&g))) {
		snmp_udp(one.v6, UDP_InDatagrams);
		s->rcv(&one);
	}
	one.p = g.rest;
	if (one.p) {
		snmp_udp(one.v6, UDP_InErrors);
		inet_drop(&one, DROP_UDP_NO_BUFFER);
	}
}

static void deliver(const struct service *s, struct inet_rx *rx)
{
	if (rx->p->flags & PKT_GSO) {
		deliver_each(s, rx);
		return;
	}
	snmp_udp(rx->v6, UDP_InDatagrams);
	s->rcv(rx);
}

static const struct service *service_at(uint16_t port)
{
	for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
		if (services[i].port == port)
			return &services[i];
	return NULL;
}

/* the header fits, and so does what it says; what is behind that is cut off */
static bool is_sound(struct inet_rx *rx)
{
	uint32_t len;

	if (rx->p->len < rx->l4 + UDP_HLEN)
		return false;
	len = be16(load16(rx->p->data + rx->l4 + 4));
	if (len < UDP_HLEN || rx->l4 + len > rx->p->frame_len)
		return false;
	bytes_trim(rx->p, rx->l4 + len);
	return true;
}

static bool has_right_csum(const struct inet_rx *rx)
{
	uint32_t len = rx->p->frame_len - rx->l4;

	if (rx->p->flags & (PKT_CSUM_OK | PKT_CSUM_PARTIAL))
		return true;
	if (!load16(rx->p->data + rx->l4 + 6))
		return !rx->v6; /* IPv4 may do without */
	return csum_pkt(rx->p, rx->l4, inet_pseudo(&rx->src, &rx->dst, PROTO_UDP, len)) == 0xffff;
}

void udp_rcv(struct inet_rx *rx)
{
	const struct service *s;

	if (!is_sound(rx) || !has_right_csum(rx)) {
		snmp_udp(rx->v6, UDP_InErrors);
		inet_drop(rx, DROP_UDP_BAD);
		return;
	}
	s = service_at(be16(load16(rx->p->data + rx->l4 + 2)));
	if (s) {
		deliver(s, rx);
		return;
	}
	snmp_udp(rx->v6, UDP_NoPorts);
	icmp_error(rx, ICMP_ERR_PORT, 0);
	inet_drop(rx, DROP_UDP_NO_PORT);
}
