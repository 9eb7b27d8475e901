/* SPDX-License-Identifier: MIT */
/* fake_net.c - ports without NICs, and frames to feed them; fake_net.h says what for */
#include "fake_net.h"

#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/park.h"
#include "kernel/qsbr.h"
#include "kernel/shell.h"
#include "kernel/softirq.h"
#include "net/ovs/fdb.h"
#include "net/ovs/vswitch.h"
#include "net/flow.h"
#include "net/rps.h"
#include "net/wire.h"
#include "net/xmit.h"

struct fake_port fake[FAKE_PORTS + 1];

static unsigned asked[FAKE_PORTS + 1];
static void (*softirq[SOFTIRQ_N])(void);

/* in place of the fixture's: the test runs the softirqs when it wants to */
void open_softirq(enum softirq nr, void (*action)(void))
{
	softirq[nr] = action;
}

/* no core transmits on another's queue, unless that one stands still */
static bool may_transmit(const struct fake_port *f, unsigned q)
{
	cpu_for_each(i)
		if (f->txq_of_cpu[i] == (int)q && (i == this_cpu()->id || cores_parked()))
			return true;
	return false;
}

static unsigned fake_tx_batch(struct port *port, unsigned q, struct pkt **pkts, unsigned n,
			      uint64_t frames)
{
	struct fake_port *f = port->priv;
	unsigned take = n < f->room ? n : f->room;

	(void)frames;
	assert_true(may_transmit(f, q));
	assert_true(n > 0 && f->nsent + take <= FAKE_SENT);
	memcpy(f->sent + f->nsent, pkts, take * sizeof(*pkts));
	f->nsent += take;
	f->room -= take;
	f->calls++;
	return take;
}

static int fake_set_up(struct port *port, bool up)
{
	(void)up;
	return ((struct fake_port *)port->priv)->refuse;
}

static int fake_set_mode(struct port *port)
{
	(void)port;
	return 0;
}

static bool fake_has_link(struct port *port)
{
	return ((struct fake_port *)port->priv)->link;
}

static const struct port_ops fake_ops = {
	.tx_batch = fake_tx_batch,
	.set_up = fake_set_up,
	.set_mode = fake_set_mode,
};

static void add_port(struct fake_port *f, unsigned i)
{
	*f = (struct fake_port){ .link = true, .room = FAKE_SENT };
	f->port.ops = &fake_ops;
	f->port.full = DROP_TX_RING_FULL;
	f->port.has_link = fake_has_link;
	f->port.txq_of_cpu = f->txq_of_cpu;
	f->port.mtu = 1500;
	f->port.priv = f;
	for (unsigned c = 0; c < MAX_CPUS; c++)
		f->txq_of_cpu[c] = c;
	f->port.mac[0] = 2;
	f->port.mac[5] = f->port.perm_mac[5] = i;
	f->port.perm_mac[0] = 2;
	f->port.name[0] = 'p';
	f->port.name[1] = '0' + i;
	assert_int_equal(port_add(&f->port), 0);
	assert_int_equal(port_set_up(&f->port, true), 0);
}

void net_up(unsigned cores, unsigned ports_wanted)
{
	host_cores(cores);
	host_pools(1024);
	fdb_init();
	flow_init();
	xmit_init();
	rps_init();
	nports = 0;
	memset(ports, 0, sizeof(ports));
	memset(asked, 0, sizeof(asked));
	memset(fake, 0, sizeof(fake));
	for (unsigned i = 1; i <= ports_wanted; i++)
		add_port(&fake[i], i);
}

void net_softirq(enum softirq nr)
{
	softirq[nr]();
}

void net_settle(void)
{
	unsigned me = this_cpu()->id;

	for (unsigned round = 0; round < 3; round++)
		cpu_for_each(i) {
			uint32_t raised = atomic_exchange(&cpus[i]->remote_pending, 0) |
					  cpus[i]->softirq_pending;

			cpus[i]->softirq_pending = 0;
			host_play(i);
			for (; raised; raised &= raised - 1)
				softirq[__builtin_ctz(raised)]();
			qsbr_turn();
		}
	host_play(me);
}

void net_second(unsigned n)
{
	while (n--) {
		atomic_fetch_add(&fdb_tick, 1);
		flow_age();
		fdb_age();
		net_settle();
	}
}

void net_down(void)
{
	host_play(0);
	net_settle();
	conserved();
	for (unsigned i = 1; i <= FAKE_PORTS; i++)
		for (unsigned k = 0; k < fake[i].nsent; k++)
			pkt_free(fake[i].sent[k]);
	switch_for_each(i)
		switch_destroy(switches[i]);
	port_for_each(i) {
		free(ports[i]->groups);
		ports[i]->groups = NULL;
	}
	net_settle();
	assert_int_equal(qsbr_pending(), 0);
	assert_true(host_pools_full());
}

struct vswitch *net_switch(void)
{
	struct vswitch *sw = switch_create("sw0");

	assert_non_null(sw);
	port_for_each(i)
		switch_add_port(sw, ports[i]);
	return sw;
}

struct pkt *frame_raw(const void *bytes, unsigned len)
{
	struct pkt *p = pkt_alloc();

	assert_non_null(p);
	assert_true(len <= PKT_BUF_SIZE);
	p->data = pkt_buf(p);
	pkt_begin(p, len);
	memset(p->data, 0xee, PKT_BUF_SIZE); /* what lies behind the frame is no zero by luck */
	memcpy(p->data, bytes, len);
	return p;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put_mac(uint8_t *p, unsigned host)
{
	if (host == 255)
		memset(p, 0xff, 6);
	else
		memcpy(p, (const uint8_t[]){ 2, 0, 0, 0, 0, host }, 6);
}

static void put_eth(uint8_t *f, unsigned from, unsigned to, unsigned type)
{
	put_mac(f, to);
	put_mac(f + 6, from);
	put16(f + 12, type);
}

static struct pkt *frame_ip4(unsigned from, unsigned to, unsigned proto, unsigned sport,
			     unsigned dport)
{
	uint8_t f[60] = { 0 };

	put_eth(f, from, to, ETH_P_IP);
	f[14] = 0x45;
	put16(f + 16, 46);
	f[22] = 64;
	f[23] = proto;
	memcpy(f + 26, (const uint8_t[]){ 10, 0, 0, from, 10, 0, 0, to }, 8);
	put16(f + 34, sport);
	put16(f + 36, dport);
	if (proto == PROTO_TCP)
		f[46] = 0x50;
	return frame_raw(f, sizeof(f));
}

struct pkt *frame_udp(unsigned from, unsigned to, unsigned sport, unsigned dport)
{
	return frame_ip4(from, to, PROTO_UDP, sport, dport);
}

struct pkt *frame_tcp(unsigned from, unsigned to, unsigned sport, unsigned dport)
{
	return frame_ip4(from, to, PROTO_TCP, sport, dport);
}

struct pkt *frame_arp(unsigned from, unsigned to)
{
	uint8_t f[60] = { 0 };

	put_eth(f, from, 255, ETH_P_ARP);
	memcpy(f + 14, (const uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
	put_mac(f + 22, from);
	memcpy(f + 28, (const uint8_t[]){ 10, 0, 0, from }, 4);
	memcpy(f + 38, (const uint8_t[]){ 10, 0, 0, to }, 4);
	return frame_raw(f, sizeof(f));
}

struct pkt *frame_udp6(unsigned from, unsigned to, unsigned sport, unsigned dport)
{
	uint8_t f[62] = { 0 };

	put_eth(f, from, to, ETH_P_IPV6);
	f[14] = 0x60;
	put16(f + 18, 8);
	f[20] = PROTO_UDP;
	f[22] = f[38] = 0xfd;
	f[37] = from;
	f[53] = to;
	put16(f + 54, sport);
	put16(f + 56, dport);
	return frame_raw(f, sizeof(f));
}

struct pkt *frame_tag(struct pkt *p, unsigned tpid, unsigned tci)
{
	memmove(p->data + 16, p->data + 12, p->len - 12);
	put16(p->data + 12, tpid);
	put16(p->data + 14, tci);
	p->len += 4;
	p->frame_len += 4;
	return p;
}

void put_batch(unsigned id, struct pkt **pkts, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += pkts[i]->frame_len;
	netif_receive(&fake[id].port, 0, pkts, n, bytes);
}

void put(unsigned id, struct pkt *p)
{
	put_batch(id, &p, 1);
}

unsigned sent(unsigned id)
{
	unsigned n = fake[id].nsent - asked[id];

	asked[id] = fake[id].nsent;
	return n;
}

unsigned dropped(enum drop_reason why)
{
	uint64_t cores = 0, mouths = 0;

	cpu_for_each(i)
		cores += cpus[i]->drop[why];
	port_for_each(i) {
		struct port_cpu t = port_total(ports[i]);

		mouths += t.dropped_in[why] + t.dropped_out[why];
		mouths += port_drops_behind(ports[i], why);
	}
	assert_int_equal(cores, mouths);
	return cores;
}

void conserved(void)
{
	char why[80] = "";

	if (!port_conserved(why, sizeof(why)))
		fail_msg("packets are not conserved: %s", why);
}

unsigned *net_knob(const char *name)
{
	set_for_each(s, sysctls) {
		if (!strcmp(s->name, name))
			return s->value;
	}
	fail_msg("there is no sysctl %s", name);
	return NULL;
}
