/* SPDX-License-Identifier: MIT */
/*
 * frames.c - the frames that gen.c sends
 *
 * UDP over IPv4 or IPv6 with a mark as payload, and frames whose headers do not fit
 * them. All pure functions.
 */
#include "frames.h"

#include <netinet/in.h>
#include <string.h>

enum {
	UDP_HEADER = 8,
	MARK = 8, /* payload: run and sequence number */
};

/* a number from a number, as if by chance (splitmix64's finish) */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void frame_put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

uint32_t frame_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/*
 * --- good frames: UDP over IPv4 or IPv6
 * ---------------------------------------------------------------------------
 */

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return n & 1 ? sum + ((uint32_t)p[n - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint32_t flow_of(const struct traffic *t, uint32_t seq)
{
	switch (t->order) {
	case IN_TURN: return t->first + seq % t->flows;
	case RANDOM: return t->first + (uint32_t)(mix(seq) % t->flows);
	case ALL_NEW: break;
	}
	return t->first + seq;
}

/* offset of the network header, of UDP's */
static size_t l3_offset(enum kind kind)
{
	return kind == VLAN ? 18 : 14;
}

static size_t l4_offset(enum kind kind)
{
	return l3_offset(kind) + (kind == IPV6 ? 40 : 20);
}

static size_t mark_offset(enum kind kind)
{
	return l4_offset(kind) + UDP_HEADER;
}

uint32_t frame_shortest(enum kind kind)
{
	uint32_t least = (uint32_t)mark_offset(kind) + MARK;

	return least < ETHERNET_MIN ? ETHERNET_MIN : least;
}

/*
 * UDP at @l4, @len bytes with its payload; addresses of @addr_bytes before it are
 * the end of the IP header
 */
static void build_udp(uint8_t *l4, size_t len, size_t addr_bytes, uint64_t flow)
{
	uint32_t sum;

	put16(l4, (uint32_t)(flow >> 32));
	put16(l4 + 2, (uint32_t)(flow >> 48));
	put16(l4 + 4, (uint32_t)len);
	put16(l4 + 6, 0);
	sum = sum16(l4 - addr_bytes, len + addr_bytes, (uint32_t)len + IPPROTO_UDP);
	sum = fold(sum);
	put16(l4 + 6, sum ? sum : 0xffff);
}

static void build_ipv4(uint8_t *ip, size_t len, uint64_t flow)
{
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)len);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	frame_put32(ip + 12, 0x0a000000 | (flow & 0x7fffff));
	frame_put32(ip + 16, 0x0a800002);
	put16(ip + 10, fold(sum16(ip, 20, 0)));
	build_udp(ip + 20, len - 20, 8, flow);
}

static void build_ipv6(uint8_t *ip, size_t len, uint64_t flow)
{
	ip[0] = 0x60;
	put16(ip + 4, (uint32_t)len - 40);
	ip[6] = IPPROTO_UDP;
	ip[7] = 64;
	frame_put32(ip + 8, 0xfd000000);
	frame_put32(ip + 20, (uint32_t)flow);
	frame_put32(ip + 24, 0xfd000000);
	frame_put32(ip + 36, 2);
	build_udp(ip + 40, len - 40, 32, flow);
}

static void build_ethernet(uint8_t *f, const struct traffic *t)
{
	const uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 0x0a };

	memcpy(f, mac, 6);
	memcpy(f + 6, mac, 6);
	f[5] += t->to;
	f[11] += !t->to;
	if (t->kind == VLAN) {
		put16(f + 12, 0x8100);
		put16(f + 14, 100);
	}
	put16(f + l3_offset(t->kind) - 2, t->kind == IPV6 ? 0x86dd : 0x0800);
}

static size_t build_good(uint8_t *f, const struct traffic *t, uint32_t seq)
{
	size_t l3 = l3_offset(t->kind), mark = mark_offset(t->kind);
	uint64_t flow = mix(flow_of(t, seq));

	memset(f, 0, mark);
	build_ethernet(f, t);
	frame_put32(f + mark, t->id);
	frame_put32(f + mark + 4, seq);
	for (size_t i = mark + MARK; i < t->size; i++)
		f[i] = (uint8_t)(i + seq);
	if (t->kind == IPV6)
		build_ipv6(f + l3, t->size - l3, flow);
	else
		build_ipv4(f + l3, t->size - l3, flow);
	return t->size;
}

/*
 * --- malformed frames: 60 bytes each, whose headers do not fit
 * ----------------------------------------------------
 */

static void bad_ihl(uint8_t *f)
{
	f[14] = 0x44;
}

static void bad_ipv4(uint8_t *f)
{
	f[14] = 0x4f; /* 60 bytes of header, 46 are there */
}

static void bad_udp(uint8_t *f)
{
	f[14] = 0x4a; /* 40 bytes of header, and 6 of UDP's 8 */
}

static void bad_icmp(uint8_t *f)
{
	f[14] = 0x4a;
	f[23] = IPPROTO_ICMP;
}

static void bad_tcp(uint8_t *f)
{
	f[23] = IPPROTO_TCP;
	f[46] = 0xf0; /* 60 bytes of header, 26 are there */
}

static void bad_arp(uint8_t *f)
{
	put16(f + 12, 0x0806);
	f[18] = f[19] = 255; /* bytes of an address */
}

static void bad_ipv6(uint8_t *f)
{
	put16(f + 12, 0x88a8); /* behind two tags 38 of its 40 bytes are left */
	put16(f + 16, 0x8100);
	put16(f + 20, 0x86dd);
}

static void bad_ipv6_ext(uint8_t *f)
{
	memset(f + 14, 0, 46);
	put16(f + 12, 0x86dd);
	f[14] = 0x60;
	put16(f + 18, 6);
	f[55] = 255; /* the hop-by-hop header's length, of 2 KiB */
}

/* by the reason that they are to be dropped for */
static const struct {
	const char *reason;
	void (*make)(uint8_t *frame);
} malformed[FRAME_MALFORMED] = {
	{ "parse_ipv4_ihl", bad_ihl }, { "parse_ipv4", bad_ipv4 },         { "parse_udp", bad_udp },
	{ "parse_icmp", bad_icmp },    { "parse_tcp", bad_tcp },           { "parse_arp", bad_arp },
	{ "parse_ipv6", bad_ipv6 },    { "parse_ipv6_ext", bad_ipv6_ext },
};

/*
 * --- either
 * -------------------------------------------------------------------------------------------------------
 */

const char *frame_reason(unsigned malformation)
{
	return malformed[malformation].reason;
}

bool frame_is_bad(const struct traffic *t, uint32_t seq)
{
	return t->bad && seq % t->bad == t->bad - 1;
}

unsigned frame_malformation(const struct traffic *t, uint32_t seq)
{
	return seq / t->bad % FRAME_MALFORMED;
}

size_t frame_build(uint8_t *f, const struct traffic *t, uint32_t seq)
{
	struct traffic plain = { .id = t->id, .to = t->to, .size = ETHERNET_MIN, .flows = 1 };

	if (!frame_is_bad(t, seq))
		return build_good(f, t, seq);
	build_good(f, &plain, seq);
	malformed[frame_malformation(t, seq)].make(f);
	return plain.size;
}

void frame_turn(uint8_t *f)
{
	uint8_t mac[6];

	memcpy(mac, f, 6);
	memmove(f, f + 6, 6);
	memcpy(f + 6, mac, 6);
}

bool frame_sequence(const uint8_t *f, size_t len, const struct traffic *t, uint32_t *seq)
{
	size_t mark = mark_offset(t->kind);

	if (len < mark + MARK || frame_get32(f + mark) != t->id)
		return false;
	*seq = frame_get32(f + mark + 4);
	return true;
}
