/* SPDX-License-Identifier: MIT */
/*
 * pktgen.c - numbered packets at a rate, for a sink of Weir's (kernel/stream.h); the words
 * are those of its own pktgen
 *
 * A command, in the main loop: between two bursts the machine goes on, or
 * sleeps until the next is due.
 */
#include "clock.h"
#include "command.h"
#include "cpu.h"
#include "inet.h"
#include "kernel/stream.h"
#include "kernel/traffic.h"
#include "lib.h"
#include "socket.h"
#include "trap.h"
#include "virtio_net.h"

enum { BURST_MAX = 64, POOL_LOW = 64, PATIENCE_MS = 1000 };

/*
 * a hypervisor that is Weir has MSRs of this number; read, they say how far
 * its TSC is ahead of ours
 */
#define MSR_WEIR 0x57454900

static struct pktgen {
	struct traffic_conf conf;
	struct traffic traffic;
	uint64_t stream, nic, udp_src, udp_dst;
	uint32_t to;
	uint8_t dst_mac[6];
	uint8_t run;
	bool has_clock;
	uint64_t ahead; /* of Weir's TSC */
	uint64_t sent, bytes;
	uint32_t seq[STREAM_FLOWS];
} g;

static const struct number {
	const char *name;
	uint64_t *value;
	uint64_t lo, hi, unit;
} numbers[] = {
	{ "count", &g.conf.count, 0, UINT32_MAX, 1 },
	{ "time", &g.conf.time_us, 0, 3600000, 1000 },
	{ "ratep", &g.conf.ratep, 0, 100000000, 1 },
	{ "delay", &g.conf.delay, 0, 1000000000, 1 },
	{ "burst", &g.conf.burst, 1, BURST_MAX, 1 },
	{ "on", &g.conf.on_us, 1, 60000, 1000 },
	{ "off", &g.conf.off_us, 0, 60000, 1000 },
	{ "flows", &g.conf.flows, 1, STREAM_FLOWS, 1 },
	{ "flowlen", &g.conf.flowlen, 1, UINT32_MAX, 1 },
	{ "seed", &g.conf.seed, 0, UINT32_MAX, 1 },
	{ "stream", &g.stream, 0, STREAMS - 1, 1 },
	{ "nic", &g.nic, 0, NICS - 1, 1 },
	{ "udp_src", &g.udp_src, 0, UINT16_MAX, 1 },
	{ "udp_dst", &g.udp_dst, 0, UINT16_MAX, 1 },
};

/* --- the settings --- */

static bool set_number(const char *name, const char *value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];
		const char *end;
		uint64_t v;

		if (strcmp(name, n->name))
			continue;
		end = parse_number(value, &v);
		*n->value = v * n->unit;
		return end && !*end && v >= n->lo && v <= n->hi;
	}
	return false;
}

static bool set_size(const char *value)
{
	uint64_t lo, hi;
	const char *end = parse_number(value, &lo);

	hi = lo;
	g.conf.imix = !strcmp(value, "imix");
	if (g.conf.imix)
		return true;
	if (end && *end == '-')
		end = parse_number(end + 1, &hi);
	g.conf.size_min = lo;
	g.conf.size_max = hi;
	return end && !*end && lo >= TRAFFIC_SIZE_MIN && lo <= hi && hi <= TRAFFIC_SIZE_MAX;
}

static bool set(const char *name, const char *value)
{
	if (!strcmp(name, "to") || !strcmp(name, "dst"))
		return parse_ip(value, &g.to);
	if (!strcmp(name, "dst_mac"))
		return parse_mac(value, g.dst_mac);
	if (!strcmp(name, "size") || !strcmp(name, "pkt_size"))
		return set_size(value);
	if (!strcmp(name, "arrivals")) {
		g.conf.poisson = !strcmp(value, "poisson");
		return g.conf.poisson || !strcmp(value, "even");
	}
	if (!strcmp(name, "flow_order")) {
		g.conf.random_flows = !strcmp(value, "random");
		return g.conf.random_flows || !strcmp(value, "seq");
	}
	return set_number(name, value);
}

static void set_usual(void)
{
	g.conf = (struct traffic_conf){
		.burst = 1,
		.flows = 1,
		.flowlen = 1,
		.seed = 1,
		.on_us = 1,
		.size_min = TRAFFIC_SIZE_MIN,
		.size_max = TRAFFIC_SIZE_MIN,
	};
	g.stream = g.nic = 0;
	g.udp_src = g.udp_dst = PORT_DISCARD;
	g.to = 0;
	memset(g.dst_mac, 0xff, sizeof(g.dst_mac));
}

/* --- sending --- */

/* the next packet; false: no buffer, or the device has no room */
static bool send_one(struct net_device *dev)
{
	unsigned size = traffic_size(&g.traffic, &g.conf, TRAFFIC_SIZE_MIN);
	unsigned flow = traffic_flow(&g.traffic, &g.conf);
	struct skb *skb = skb_alloc_frame(size);
	struct stream_hdr *s;

	if (!skb)
		return false;
	memset(skb->data, 0, skb->len);
	s = (struct stream_hdr *)(skb->data + HEADERS);
	s->magic = be32(STREAM_MAGIC | FIELD_PREP(STREAM_RUN, g.run));
	s->id = be16(FIELD_PREP(STREAM_ID, g.stream) | FIELD_PREP(STREAM_FLOW, flow));
	s->seq = be32(g.seq[flow]++);
	s->stamp = g.has_clock ? __builtin_bswap64(rdtsc() + g.ahead) : 0;
	udp_header(skb, dev, g.dst_mac, g.to, g.udp_src + flow, g.udp_dst);
	g.sent++;
	g.bytes += size;
	return dev_queue_xmit(dev, skb);
}

static bool send_burst(struct net_device *dev)
{
	uint64_t bytes = g.bytes;
	unsigned n = g.conf.burst, i = 0;

	if (g.conf.count)
		n = MIN(n, g.conf.count - g.sent);
	while (i < n && send_one(dev))
		i++;
	virtnet_flush();
	traffic_advance(&g.traffic, &g.conf, n, g.bytes - bytes);
	return i == n;
}

/* until the end of the run; what the device has no room for waits, and makes what follows late */
static bool send_all(struct net_device *dev)
{
	uint64_t end = g.conf.time_us ? g.traffic.began + g.conf.time_us * tsc_khz / 1000
				      : UINT64_MAX;

	while (!g.conf.count || g.sent < g.conf.count) {
		uint64_t due = traffic_when(&g.traffic);

		if (due >= end || rdtsc() >= end)
			break;
		if (!clock_passed(due)) {
			idle_until(due, NULL);
			continue;
		}
		if (!wait_for(!dev->waiting.n && skb_available() >= POOL_LOW, PATIENCE_MS) ||
		    !send_burst(dev))
			return false;
		cpu_pause(); /* where an emulator plays all cores in turn, whoever gets them must
				have one */
	}
	return wait_for(virtnet_tx_idle(dev), PATIENCE_MS);
}

static void pktgen(int n, char **word)
{
	struct net_device *dev;
	uint64_t us;
	bool all;

	set_usual();
	for (int i = 1; i < n; i += 2)
		if (i + 1 == n || !set(word[i], word[i + 1])) {
			answer_fail("pktgen: %s %s", word[i], i + 1 == n ? "" : word[i + 1]);
			return;
		}
	if (g.nic >= nnics || !(g.conf.count || g.conf.time_us)) {
		answer_fail("pktgen: %s",
			    g.nic >= nnics ? "no such nic" : "neither count nor time");
		return;
	}
	dev = &nic[g.nic];
	memset(g.seq, 0, sizeof(g.seq));
	g.sent = g.bytes = 0;
	g.run++;
	g.has_clock = !try_rdmsr(MSR_WEIR, &g.ahead);
	traffic_begin(&g.traffic, &g.conf, rdtsc(), tsc_khz);
	all = send_all(dev);
	us = clock_us(rdtsc() - g.traffic.began);
	if (all)
		answer_ok("sent %lu in %lu us", g.sent, us);
	else
		answer_fail("sent %lu in %lu us, then the device took no more", g.sent, us);
}

COMMAND(command_pktgen, .name = "pktgen",
	.usage = "count N|time MS [ratep PPS|delay NS] [burst N] [arrivals even|poisson] [on MS "
		 "off MS] "
		 "[size N|MIN-MAX|imix] [flows N] [flowlen N] [flow_order seq|random] [seed N] "
		 "[stream N] [nic N] [to ADDRESS] [dst_mac MAC] [udp_src N] [udp_dst N]",
	.help = "numbered packets for a sink of Weir's", .run = pktgen);
