/* SPDX-License-Identifier: MIT */
/* inet_rig.c - Weir as a station behind fake ports; inet_rig.h says what for */
#include "inet_rig.h"

#include "tests/unit/host.h"

#include <string.h>

#include "kernel/softirq.h"
#include "net/bytes.h"
#include "net/inet/frag.h"
#include "net/inet/neigh.h"

static struct napi *scheduled;

/* in place of the fixture's */
void napi_schedule(struct napi *napi)
{
	scheduled = napi;
}

void rig_poll(void)
{
	while (scheduled) {
		struct napi *napi = scheduled;

		scheduled = NULL;
		if (napi->poll(napi, NAPI_POLL_MAX) == NAPI_POLL_MAX)
			scheduled = napi;
	}
}

void inet_up(unsigned ports_wanted)
{
	net_up(1, ports_wanted);
	inet_init();
	scheduled = NULL;
	host_tsc = UINT64_C(1000000000) * 1000; /* not the first second */
	for (unsigned i = 1; i <= ports_wanted; i++) {
		struct inet_addr four = inet_v4((const uint8_t[]){ 10, 0, i, 1 });
		struct inet_addr six = { .b = { 0xfd, [3] = i, [15] = 1 } };

		assert_int_equal(inet_add(&fake[i].port, &four, 120), 0);
		assert_int_equal(inet_add(&fake[i].port, &six, 64), 0);
	}
}

void inet_down(void)
{
	neigh_flush(NULL, true);
	port_for_each(i)
		frag_port_gone(ports[i]);
	net_down();
}

void rig_seconds(unsigned n)
{
	while (n--) {
		host_tsc += UINT64_C(1000000000);
		inet_tick();
		net_settle();
	}
}

unsigned sum16(const uint8_t *b, unsigned n, unsigned start)
{
	uint32_t sum = start;

	for (unsigned i = 0; i < n; i++)
		sum += i & 1 ? b[i] : b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void set16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put_eth(uint8_t *f, unsigned port, unsigned host, bool to_all, unsigned type)
{
	if (to_all)
		memset(f, 0xff, 6);
	else
		memcpy(f, fake[port].port.mac, 6);
	memcpy(f + 6, (const uint8_t[]){ RIG_MAC, 0, 0, 0, port, host }, 6);
	set16(f + 12, type);
}

void put_ip4(const struct ip_spec *s, const void *payload, unsigned len)
{
	const uint8_t none[4] = { 0 }, them[4] = { 10, 0, s->port, 9 },
		      us[4] = { 10, 0, s->port, 1 };
	uint8_t f[2048] = { 0 }, *ip = f + 14;
	unsigned hlen = 20 + s->options;

	put_eth(f, s->port, memcmp(s->src, none, 4) ? s->src[3] : 9, s->to_all, ETH_P_IP);
	ip[0] = 0x40 | hlen / 4;
	memset(ip + 20, 1, s->options);
	set16(ip + 2, hlen + len);
	set16(ip + 4, s->id);
	set16(ip + 6, s->frag);
	ip[8] = s->ttl ? s->ttl : 64;
	ip[9] = s->proto ? s->proto : PROTO_ICMP;
	memcpy(ip + 12, memcmp(s->src, none, 4) ? s->src : them, 4);
	memcpy(ip + 16, memcmp(s->dst, none, 4) ? s->dst : us, 4);
	set16(ip + 10, 0xffff ^ sum16(ip, hlen, 0) ^ s->bad_sum);
	memcpy(ip + hlen, payload, len);
	put(s->port, frame_raw(f, 14 + hlen + len < 60 ? 60 : 14 + hlen + len));
	rig_poll();
}

static void put_six(uint8_t *ip, unsigned port, const uint8_t *group)
{
	ip[8] = ip[24] = 0xfd;
	ip[11] = ip[27] = port;
	ip[23] = 9;
	ip[39] = 1;
	if (group)
		memcpy(ip + 24, group, 16);
}

void put_ip6(unsigned port, unsigned next, unsigned hops, const uint8_t *group, const void *payload,
	     unsigned len)
{
	uint8_t f[2048] = { 0 }, *ip = f + 14;

	put_eth(f, port, 9, false, ETH_P_IPV6);
	if (group)
		memcpy(f,
		       (const uint8_t[]){ 0x33, 0x33, group[12], group[13], group[14], group[15] },
		       6);
	ip[0] = 0x60;
	set16(ip + 4, len);
	ip[6] = next;
	ip[7] = hops;
	put_six(ip, port, group);
	memcpy(ip + 40, payload, len);
	put(port, frame_raw(f, 54 + len < 60 ? 60 : 54 + len));
	rig_poll();
}

unsigned sum16_v6(unsigned port, unsigned next, const uint8_t *b, unsigned n)
{
	uint8_t ip[40] = { 0 };

	put_six(ip, port, NULL);
	return sum16(b, n, sum16(ip + 8, 32, next + n));
}

unsigned echo_request(uint8_t *buf, unsigned id, unsigned seq, unsigned n)
{
	memset(buf, 0, 8);
	buf[0] = 8;
	set16(buf + 4, id);
	set16(buf + 6, seq);
	for (unsigned i = 0; i < n; i++)
		buf[8 + i] = i * 7;
	set16(buf + 2, 0xffff ^ sum16(buf, 8 + n, 0));
	return 8 + n;
}

unsigned echo_request6(uint8_t *buf, unsigned port, unsigned n)
{
	echo_request(buf, 1, 2, n);
	buf[0] = 128;
	set16(buf + 2, 0);
	set16(buf + 2, 0xffff ^ sum16_v6(port, PROTO_ICMPV6, buf, 8 + n));
	return 8 + n;
}

unsigned udp_datagram(uint8_t *buf, unsigned sport, unsigned dport, unsigned n)
{
	set16(buf, sport);
	set16(buf + 2, dport);
	set16(buf + 4, 8 + n);
	set16(buf + 6, 0);
	for (unsigned i = 0; i < n; i++)
		buf[8 + i] = i * 5;
	return 8 + n;
}

void put_arp(unsigned port, unsigned host, unsigned op, unsigned target)
{
	uint8_t f[60] = { 0 };

	put_eth(f, port, host, op == 1, ETH_P_ARP);
	memcpy(f + 14, (const uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, op }, 8);
	memcpy(f + 22, f + 6, 6);
	memcpy(f + 28, (const uint8_t[]){ 10, 0, port, host }, 4);
	memcpy(f + 38, (const uint8_t[]){ 10, 0, port, target }, 4);
	put(port, frame_raw(f, sizeof(f)));
	rig_poll();
}

void meet(unsigned port, unsigned host)
{
	put_arp(port, host, 1, 1);
	assert_int_equal(sent(port), 1);
}

const uint8_t *last_sent(unsigned port, unsigned back, unsigned *len)
{
	static uint8_t copy[16384];
	struct pkt *p;

	if (fake[port].nsent <= back)
		return NULL;
	p = fake[port].sent[fake[port].nsent - 1 - back];
	*len = bytes_read(p, 0, copy, sizeof(copy));
	assert_int_equal(*len, p->frame_len);
	return copy;
}
