/* SPDX-License-Identifier: MIT */
/*
 * pktgen_frame.c - Ethernet, perhaps a tag, IPv4 or IPv6, UDP, a struct stream_hdr, zeroes
 *
 * Called by pktgen.c on the core that sends. Lengths, addresses and checksums are right, so that
 * any host takes what comes.
 */
#include "pktgen_frame.h"

#include "kernel/pkt.h"
#include "net/csum.h"
#include "pktgen.h"
#include "net/wire.h"

enum { IP_DF = 0x4000, TTL = 32 };

static void put16(uint8_t *p, uint16_t v)
{
	v = be16(v);
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	v = be32(v);
	memcpy(p, &v, sizeof(v));
}

/* --- once a run --- */

static void init_ipv4(uint8_t *ip, const struct pktgen_conf *c)
{
	ip[0] = 0x45;
	put16(ip + 6, IP_DF);
	ip[8] = TTL;
	ip[9] = PROTO_UDP;
	memcpy(ip + 12, c->src, 4);
	memcpy(ip + 16, c->dst, 4);
}

static void init_ipv6(uint8_t *ip, const struct pktgen_conf *c)
{
	ip[0] = 0x60;
	ip[6] = PROTO_UDP;
	ip[7] = TTL;
	memcpy(ip + 8, c->src, 16);
	memcpy(ip + 24, c->dst, 16);
}

void pktgen_frame_init(struct pktgen *g)
{
	const struct pktgen_conf *c = &g->conf;
	uint8_t *at = g->head + 12;

	memset(g->head, 0, sizeof(g->head));
	memcpy(g->head, c->dst_mac, 6);
	memcpy(g->head + 6, c->src_mac, 6);
	if (c->vlan_id) {
		put16(at, ETH_P_VLAN);
		put16(at + 2, c->vlan_id);
		at += VLAN_TAG;
	}
	put16(at, c->v6 ? ETH_P_IPV6 : ETH_P_IP);
	at += 2;
	g->l3 = at - g->head;
	if (c->v6)
		init_ipv6(at, c);
	else
		init_ipv4(at, c);
	at += c->v6 ? IPV6_HLEN : IPV4_HLEN;
	put16(at + 2, c->udp_dst);
	g->head_len = at + UDP_HLEN - g->head;
}

unsigned pktgen_min_size(const struct pktgen_conf *c)
{
	return 14 + (c->v6 ? IPV6_HLEN : IPV4_HLEN) + UDP_HLEN + sizeof(struct stream_hdr);
}

/* --- once a packet --- */

/*
 * What differs in the headers, @len bytes from the IP header on; UDP's checksum is
 * over all that is not zero.
 */
static void finish(const struct pktgen *g, uint8_t *ip, unsigned len, unsigned flow)
{
	const struct pktgen_conf *c = &g->conf;
	unsigned hlen = c->v6 ? IPV6_HLEN : IPV4_HLEN;
	uint8_t *src = ip + (c->v6 ? 20 : 12), *udp = ip + hlen; /* of IPv6 the last 32 bits */
	uint64_t sum;
	uint16_t check;

	put32(src, be32(load32(src)) + flow % c->src_span);
	put16(udp, c->udp_src + flow);
	put16(udp + 4, len - hlen);
	if (c->v6) {
		put16(ip + 4, len - hlen);
		sum = csum_pseudo6(ip + 8, PROTO_UDP, len - hlen);
	} else {
		put16(ip + 2, len);
		csum_ipv4(ip, hlen);
		sum = csum_pseudo4(ip + 12, PROTO_UDP, len - hlen);
	}
	check = ~csum_fold(csum_add(sum, udp, UDP_HLEN + sizeof(struct stream_hdr)));
	check = check ? check : 0xffff; /* 0 says that there is none [RFC 768] */
	memcpy(udp + 6, &check, sizeof(check));
}

struct pkt *pktgen_frame(struct pktgen *g)
{
	unsigned tag = g->conf.vlan_id ? VLAN_TAG : 0, len, flow;
	struct pkt *p = pkt_alloc();
	struct stream_hdr *s;

	if (!p)
		return NULL;
	flow = traffic_flow(&g->traffic, &g->conf.traffic);
	len = traffic_size(&g->traffic, &g->conf.traffic, pktgen_min_size(&g->conf)) + tag;
	p->data = pkt_buf(p);
	pkt_begin(p, len);
	memcpy(p->data, g->head, g->head_len);
	memset(p->data + g->head_len, 0, len - g->head_len);
	s = (struct stream_hdr *)(p->data + g->head_len);
	s->magic = be32(STREAM_MAGIC | FIELD_PREP(STREAM_RUN, g->run));
	s->id = be16(FIELD_PREP(STREAM_ID, g->conf.stream) | FIELD_PREP(STREAM_FLOW, flow));
	s->seq = be32(g->seq[flow]++);
	s->stamp = __builtin_bswap64(rdtsc());
	finish(g, p->data + g->l3, len - g->l3, flow);
	return p;
}

struct pkt *pktgen_sample(struct pktgen *g)
{
	traffic_begin(&g->traffic, &g->conf.traffic, rdtsc(), tsc_khz);
	g->run++; /* numbers begin anew */
	pktgen_frame_init(g);
	return pktgen_frame(g);
}
