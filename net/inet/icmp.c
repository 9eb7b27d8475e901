/* SPDX-License-Identifier: MIT */
/*
 * icmp.c - ICMP messages that come in
 *
 * On the core that has the packet. Owns nothing. An echo request becomes its reply in place.
 */
#include "icmp.h"

#include "kernel/shell.h"
#include "net/bytes.h"
#include "net/csum.h"
#include "ip_output.h"
#include "ndisc.h"
#include "ping.h"
#include "snmp.h"

static unsigned ignore_all, ignore_broadcasts = 1;

SYSCTL(sys_echo_all, "net.ipv4.icmp_echo_ignore_all", &ignore_all, 0, 1, "1: do not answer pings");
SYSCTL(sys_echo_broadcasts, "net.ipv4.icmp_echo_ignore_broadcasts", &ignore_broadcasts, 0, 1,
       "1: do not answer those to broadcast and group addresses");

/* ICMPv6 has addresses in its checksum, ICMP has not. */
static uint64_t csum_start(bool v6, const struct inet_addr *src, const struct inet_addr *dst,
			   uint32_t len)
{
	return v6 ? inet_pseudo(src, dst, PROTO_ICMPV6, len) : 0;
}

void icmp_send(struct pkt *p, const struct inet_tx *tx)
{
	bool v6 = tx->proto == PROTO_ICMPV6;

	store16(p->data + 2, 0);
	store16(p->data + 2, ~csum_pkt(p, 0, csum_start(v6, &tx->src, &tx->dst, p->frame_len)));
	snmp_icmp(v6, ICMP_OutMsgs);
	snmp(v6)->icmp_out[p->data[0]]++;
	inet_send(p, tx);
}

static bool has_right_csum(const struct inet_rx *rx)
{
	uint32_t len = rx->p->frame_len - rx->l4;

	if (rx->p->flags & (PKT_CSUM_OK | PKT_CSUM_PARTIAL))
		return true;
	return csum_pkt(rx->p, rx->l4, csum_start(rx->v6, &rx->src, &rx->dst, len)) == 0xffff;
}

static void echo(struct inet_rx *rx)
{
	const struct inet_addr *src = rx->to_us ? &rx->dst : inet_source(rx->port, &rx->src);
	struct inet_tx tx = { .dst = rx->src, .port = rx->port, .proto = rx->proto };

	if (ignore_all || !src || (!rx->to_us && ignore_broadcasts && !rx->v6)) {
		inet_done(rx);
		return;
	}
	tx.src = *src;
	bytes_pull(rx->p, rx->l4);
	rx->p->data[0] = rx->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY;
	icmp_send(rx->p, &tx);
}

static void echo_reply(struct inet_rx *rx)
{
	ping_reply(rx);
	inet_done(rx);
}

static bool is_error(bool v6, unsigned type)
{
	if (v6)
		return type < ICMP6_ECHO;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAM_PROBLEM;
}

/* About something that Weir sent; ping alone wants to know. */
static void error(struct inet_rx *rx, unsigned type)
{
	ping_error(&rx->src, rx->v6, type, rx->p->data[rx->l4 + 1], rx->p, rx->l4 + ICMP_HLEN);
	inet_done(rx);
}

void icmp_rcv(struct inet_rx *rx)
{
	unsigned type, hlen = rx->v6 ? ICMPV6_HLEN : ICMP_HLEN;

	snmp_icmp(rx->v6, ICMP_InMsgs);
	if (rx->p->len < rx->l4 + hlen || !has_right_csum(rx)) {
		snmp_icmp(rx->v6, rx->p->len < rx->l4 + hlen ? ICMP_InErrors : ICMP_InCsumErrors);
		inet_drop(rx, DROP_ICMP_BAD);
		return;
	}
	type = rx->p->data[rx->l4];
	snmp(rx->v6)->icmp_in[type]++;
	if (type == (rx->v6 ? ICMP6_ECHO : ICMP_ECHO))
		echo(rx);
	else if (type == (rx->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY))
		echo_reply(rx);
	else if (is_error(rx->v6, type))
		error(rx, type);
	else if (rx->v6 && type >= ICMP6_ROUTER_SOLICIT && type <= ICMP6_NEIGH_ADVERT)
		ndisc_rcv(rx, type);
	else
		inet_done(rx);
}
