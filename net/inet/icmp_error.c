/* SPDX-License-Identifier: MIT */
/*
 * icmp_error.c - errors that Weir reports [RFC 792, RFC 1122 3.2.2, RFC 4443]
 *
 * On the core that has the packet, or in the clock's tick when a neighbour is given up. Owns the
 * limits, which all cores share under a lock: an error is nobody's hot path.
 */
#include "icmp_error.h"

#include "kernel/lock.h"
#include "kernel/shell.h"
#include "kernel/time.h"
#include "net/bytes.h"
#include "icmp.h"
#include "ip_output.h"
#include "ping.h"
#include "snmp.h"

enum {
	/* the whole message is no longer [RFC 1812 4.3.2.3] */
	QUOTE_V4 = 576 - IPV4_HLEN - ICMP_HLEN,
	QUOTE_V6 = 1280 - IPV6_HLEN - ICMP_HLEN,
	PEER_BITS = 8,
	PEER_BURST = 6, /* Linux's XRLIM_BURST_FACTOR */
};

/* what each error is called in either family */
static const struct message {
	uint8_t type, code;
} messages[ICMP_ERR_N][2] = {
	[ICMP_ERR_NET] = { { ICMP_DEST_UNREACH, 0 }, { ICMP6_DEST_UNREACH, 0 } },
	[ICMP_ERR_HOST] = { { ICMP_DEST_UNREACH, 1 }, { ICMP6_DEST_UNREACH, 3 } },
	[ICMP_ERR_PROTO] = { { ICMP_DEST_UNREACH, 2 }, { ICMP6_PARAM_PROBLEM, 1 } },
	[ICMP_ERR_PORT] = { { ICMP_DEST_UNREACH, 3 }, { ICMP6_DEST_UNREACH, 4 } },
	[ICMP_ERR_TOO_BIG] = { { ICMP_DEST_UNREACH, 4 }, { ICMP6_TOO_BIG, 0 } },
	[ICMP_ERR_TTL] = { { ICMP_TIME_EXCEEDED, 0 }, { ICMP6_TIME_EXCEEDED, 0 } },
	[ICMP_ERR_FRAG_TIME] = { { ICMP_TIME_EXCEEDED, 1 }, { ICMP6_TIME_EXCEEDED, 1 } },
	[ICMP_ERR_PARAM] = { { ICMP_PARAM_PROBLEM, 0 }, { ICMP6_PARAM_PROBLEM, 0 } },
	[ICMP_ERR_OPTION] = { { ICMP_PARAM_PROBLEM, 0 }, { ICMP6_PARAM_PROBLEM, 2 } },
};

static unsigned ratelimit_ms = 1000, msgs_per_sec = 1000, msgs_burst = 50;

SYSCTL(sys_ratelimit, "net.ipv4.icmp_ratelimit", &ratelimit_ms, 0, 1000000,
       "ms between two ICMP errors to one host, after six at once; 0: no limit");
SYSCTL(sys_msgs, "net.ipv4.icmp_msgs_per_sec", &msgs_per_sec, 1, 1000000,
       "ICMP errors a second to all hosts together");
SYSCTL(sys_burst, "net.ipv4.icmp_msgs_burst", &msgs_burst, 1, 1000000, "of these so many at once");

/* a bucket of tokens; one is a millisecond */
struct bucket {
	struct inet_addr peer;
	uint64_t tokens, last_ms;
};

static struct spinlock lock; /* guards both */
static struct bucket all_hosts, peers[1 << PEER_BITS];

/*
 * So much time has passed, but no more than @most counts; does that pay for one that costs @price?
 */
static bool pay(struct bucket *b, uint64_t now, uint64_t price, uint64_t most)
{
	b->tokens = MIN(b->tokens + (now - b->last_ms), most);
	b->last_ms = now;
	if (b->tokens < price)
		return false;
	b->tokens -= price;
	return true;
}

static struct bucket *peer_bucket(const struct inet_addr *a, uint64_t now)
{
	uint64_t hash = (a->q[0] ^ a->q[1]) * UINT64_C(0x9e3779b97f4a7c15);
	struct bucket *b = &peers[hash >> (64 - PEER_BITS)];

	if (!inet_equal(&b->peer, a)) /* who comes into another's place begins with all tokens */
		*b = (struct bucket){ *a, (uint64_t)PEER_BURST * ratelimit_ms, now };
	return b;
}

/* tokens of all hosts together are microseconds, so that a thousand a second come out even */
static bool may_send(const struct inet_addr *to, bool v6)
{
	uint64_t us = time_ns() / 1000, each_us = 1000000 / msgs_per_sec;
	bool peer = true, all = true;

	if (!ratelimit_ms)
		return true;
	spin_lock(&lock);
	if (!all_hosts.last_ms)
		all_hosts.tokens = each_us * msgs_burst;
	all = pay(&all_hosts, us, each_us, each_us * msgs_burst);
	if (all)
		peer = pay(peer_bucket(to, us / 1000), us / 1000, ratelimit_ms,
			   (uint64_t)PEER_BURST * ratelimit_ms);
	spin_unlock(&lock);
	if (!all || !peer)
		snmp_icmp(v6, all ? ICMP_OutRateLimitHost : ICMP_OutRateLimitGlobal);
	return all && peer;
}

/* An answer to this one would answer an answer. */
static bool is_icmp_error(const struct inet_rx *rx)
{
	uint8_t type;

	if (rx->proto != (rx->v6 ? PROTO_ICMPV6 : PROTO_ICMP))
		return false;
	if (bytes_read(rx->p, rx->l4, &type, 1) != 1)
		return true;
	return rx->v6 ? type < ICMP6_ECHO : type != ICMP_ECHO;
}

static bool is_later_fragment(const struct inet_rx *rx)
{
	return !rx->v6 && load16(rx->p->data + 6) & be16(IPV4_OFFSET);
}

/*
 * Too big and unknown options are told of groups too: path MTU discovery has to
 * work there [RFC 4443 2.4 e].
 */
static bool is_forbidden(const struct inet_rx *rx, enum icmp_why why)
{
	bool to_group = rx->group || inet_is_multicast(&rx->dst) ||
			inet_is_broadcast(&rx->dst, rx->port);

	if (rx->v6 && (why == ICMP_ERR_TOO_BIG || why == ICMP_ERR_OPTION))
		to_group = false;
	return to_group || inet_is_any(&rx->src) || inet_is_multicast(&rx->src) ||
	       inet_is_broadcast(&rx->src, rx->port) || inet_local(&rx->src, rx->port) ||
	       is_later_fragment(rx) || is_icmp_error(rx);
}

/*
 * From the address that was asked if it is ours, else from that of the interface
 * that the error leaves by.
 */
static bool choose_source(const struct inet_rx *rx, struct inet_tx *tx)
{
	const struct route *r = inet_route(tx);
	const struct inet_addr *src = NULL;

	if (r && r->type == ROUTE_UNICAST)
		src = rx->to_us ? &rx->dst : route_source(r, &tx->dst);
	if (src)
		tx->src = *src;
	return src;
}

void icmp_error(const struct inet_rx *rx, enum icmp_why why, uint32_t info)
{
	struct inet_tx tx = {
		.dst = rx->src,
		.port = rx->port,
		.proto = rx->v6 ? PROTO_ICMPV6 : PROTO_ICMP,
		.tos = rx->v6 ? 0 : 0xc0, /* internetwork control, as Linux has it */
	};
	const struct message *m = &messages[why][rx->v6];
	uint32_t quote = MIN(rx->p->frame_len, rx->v6 ? QUOTE_V6 : QUOTE_V4);
	struct pkt *p;

	if (is_forbidden(rx, why) || !choose_source(rx, &tx))
		return;
	if (why != ICMP_ERR_TOO_BIG && !may_send(&tx.dst, rx->v6))
		return;
	p = bytes_copy(rx->p, 0, quote);
	if (!p) {
		snmp_icmp(rx->v6, ICMP_OutErrors);
		return;
	}
	bytes_push(p, ICMP_HLEN);
	p->data[0] = m->type;
	p->data[1] = m->code;
	/* IPv4 has the MTU in the second half of the word, and the pointer in its first byte */
	if (!rx->v6 && (why == ICMP_ERR_PARAM || why == ICMP_ERR_OPTION))
		info <<= 24;
	store32(p->data + 4, be32(info));
	icmp_send(p, &tx);
}

void icmp_host_unreachable(struct port *port, struct pkt *p)
{
	struct inet_rx rx = { .port = port, .p = p, .v6 = p->data[0] >> 4 == 6 };

	if (!rx.v6) {
		rx.l4 = (p->data[0] & 0xf) * 4;
		rx.proto = p->data[9];
		rx.src = inet_v4(p->data + 12);
		rx.dst = inet_v4(p->data + 16);
	} else {
		rx.l4 = IPV6_HLEN; /* where there are extension headers, that they are no ICMPv6 is
				      a guess */
		rx.proto = p->data[6];
		rx.src = inet_v6(p->data + 8);
		rx.dst = inet_v6(p->data + 24);
	}
	if (inet_local(&rx.src, port))
		ping_error(&inet_any, rx.v6, messages[ICMP_ERR_HOST][rx.v6].type,
			   messages[ICMP_ERR_HOST][rx.v6].code, p, 0);
	else
		icmp_error(&rx, ICMP_ERR_HOST, 0);
}

void icmp_error_init(void)
{
	memset(peers, 0, sizeof(peers));
	all_hosts = (struct bucket){ 0 };
}
