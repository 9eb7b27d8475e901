/* SPDX-License-Identifier: MIT */
/* links: path vmm/vhost.c vmm/vhost_policy.c vmm/vhost_measure.c vmm/vhost_net.c vmm/tap.c vmm/tap_explain.c net/observe/explain_out.c vmm/tun_get.c vmm/tun_put.c vmm/virtio_hdr.c vmm/virtq.c tests/unit/fake_driver.c */
/*
 * test_vhost.c - between a guest's virtqueues and the switch: bytes, drops, kicks and signals,
 * and that nothing gets lost
 *
 * The wires are fake ports p1 and p2; the guest is a real struct vhost_net as port g0 of the same
 * switch, with a fake driver over RAM of its own. net_settle() runs the worker.
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mem.h"
#include "kernel/pkt.h"
#include "kernel/softirq.h"
#include "net/flow.h"
#include "net/ovs/vswitch.h"
#include "net/wire.h"
#include "tests/unit/fake_driver.h"
#include "tests/unit/fake_net.h"
#include "vmm/tap.h"
#include "vmm/vhost.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_regs.h"
#include "vmm/vm.h"

enum {
	WIRE = 1,
	WIRE2 = 2,
	GUEST = 5,
	QUEUE = 64,
	RAM = 1 << 20,
	BUF = 2048,
	HDR = VIRTIO_NET_HDR
};

/* one guest with one port */
static struct guest {
	struct vm vm;
	struct vcpu vcpu;
	struct virtio_net dev; /* of which the test has the vhost half alone */
	struct fake_ram ram;
	struct fake_driver rx, tx;
	uint64_t scratch; /* where frames to send are put together */
	unsigned called[VHOST_VRINGS], broke;
	char why[80];
	unsigned wants_calls;
	uint8_t unwanted; /* host whose frames the filter refuses */
} g;

static struct vhost_net *const net = &g.dev.vhost;
static uint64_t memory_left;

uint64_t mem_free(void)
{
	return memory_left;
}

/* in place of the fixture's: a test fires the one that is armed */
static struct timer *armed;

void timer_arm(struct timer *t, uint64_t us)
{
	assert_true(us > 0 && !t->armed);
	t->armed = true;
	armed = t;
	host_calls.timer_arm++;
}

static void timer_fires(void)
{
	struct timer *t = armed;

	if (!t)
		return;
	armed = NULL;
	t->armed = false;
	t->fn(t);
}

static void on_call(void *arg, unsigned index)
{
	struct guest *guest = arg;

	/* set-up may hold a lock that this takes and wait for the mutex: it must be free */
	assert_false(guest->dev.vhost.vring[index].mutex.locked);
	guest->called[index]++;
}

static void on_broken(void *arg, unsigned index, const char *why)
{
	struct guest *guest = arg;

	assert_false(guest->dev.vhost.vring[index].mutex.locked);
	guest->broke++;
	snprintf(guest->why, sizeof(guest->why), "%s", why);
}

static bool wants(void *arg, const uint8_t *frame)
{
	struct guest *guest = arg;

	guest->wants_calls++;
	return !guest->unwanted || frame[11] != guest->unwanted;
}

/* --- the guest's life --- */

static void guest_open(unsigned vcpu_core, unsigned worker)
{
	memset(&g, 0, sizeof(g));
	g.vm.nvcpus = 1;
	g.vm.vcpu[0] = &g.vcpu;
	g.vcpu.cpu = vcpu_core;
	g.vm.nports = 1;
	g.vm.port[0] = &g.dev;
	net->broken = on_broken;
	net->broken_arg = &g;
	net->wants = wants;
	vhost_init();
	assert_int_equal(vhost_net_open(net, &g.vm, "g0",
					(const uint8_t[6]){ 2, 0, 0, 0, 0, GUEST }, 1500, worker),
			 0);
}

static void vring_up(unsigned index, struct fake_driver *d, unsigned size, bool event_idx)
{
	driver_up(d, &g.ram, size, event_idx, 0);
	assert_int_equal(vhost_set_vring(net, index, size, d->desc_gpa, d->avail_gpa, d->used_gpa),
			 0);
	vhost_set_vring_call(net, index, on_call, &g);
	vhost_net_set_backend(net, index);
}

static const uint64_t MERGE = VIRTIO_NET_F_MRG_RXBUF;

static void driver_ok(uint64_t features)
{
	bool event_idx = features & VIRTIO_F_EVENT_IDX;

	vhost_set_owner(net);
	vhost_set_features(net, features);
	vring_up(VHOST_RX, &g.rx, QUEUE, event_idx);
	vring_up(VHOST_TX, &g.tx, QUEUE, event_idx);
	g.scratch = ram_take(&g.ram, 64 * 1024, 16);
	net_settle();
}

/* p1, p2 and g0 in a switch; the vCPU on @vcpu_core, the worker on @worker */
static void machine(unsigned cores, unsigned vcpu_core, unsigned worker, unsigned pkts)
{
	memory_left = UINT64_MAX;
	net_up(cores, 2);
	host_pools(pkts);
	guest_open(vcpu_core, worker);
	net_switch();
	port_set_up(net->port, true);
	ram_up(&g.ram, RAM);
	g.vm.mem = g.ram.map;
	driver_ok(MERGE);
}

static void machine_down(void)
{
	host_play(0);
	vhost_net_stop(net);
	timer_fires(); /* nothing is left on the worker's lists */
	net_down();
	ram_down(&g.ram);
}

/* another machine than the one that the test began with */
static void instead(unsigned cores, unsigned vcpu_core, unsigned worker, unsigned pkts)
{
	machine_down();
	machine(cores, vcpu_core, worker, pkts);
}

static int up(void **state)
{
	(void)state;
	machine(1, 0, 0, 1024);
	return 0;
}

/* the worker on a core of its own: kicks are asked for as soon as a ring is empty */
static int up_apart(void **state)
{
	(void)state;
	machine(2, 1, 0, 1024);
	return 0;
}

static int down(void **state)
{
	(void)state;
	machine_down();
	return 0;
}

/* --- what the driver does --- */

/* a buffer for received frames */
static void post(uint32_t len)
{
	driver_add(&g.rx, ram_take(&g.ram, len, 1), len, true);
}

static void post_many(unsigned n)
{
	while (n--)
		post(BUF);
}

static void rx_kick(void)
{
	if (driver_kicks(&g.rx))
		vhost_kick(net, VHOST_RX);
}

/* ring the doorbell if that is asked for; returns whether it was */
static bool tx_kick(void)
{
	bool kicks = driver_kicks(&g.tx);

	if (kicks)
		vhost_kick(net, VHOST_TX);
	return kicks;
}

/*
 * the bytes of @p behind a header of zeroes, in the guest's RAM; frees @p. Returns
 * header and frame's length.
 */
static uint32_t lay_out(struct pkt *p)
{
	uint32_t len = HDR + p->len;

	memset(ram_at(&g.ram, g.scratch, HDR), 0, HDR);
	memcpy(ram_at(&g.ram, g.scratch + HDR, p->len), p->data, p->len);
	pkt_free(p);
	return len;
}

/* @p goes out by the guest's transmit ring, in one piece; the memory is used again by the next */
static void send(struct pkt *p)
{
	driver_add(&g.tx, g.scratch, lay_out(p), false);
}

static unsigned used(struct fake_driver *d)
{
	struct virtq_used_elem e;
	unsigned n = 0;

	while (driver_used(d, &e))
		n++;
	return n;
}

static void law(void)
{
	conserved();
	assert_int_equal(net->taken, net->delivered + port_drops(net->dropped) + tap_frames(net));
}

/* --- bytes --- */

static void a_frame_from_the_guest_reaches_the_wire(void **state)
{
	struct virtq_used_elem e;
	struct pkt *p;

	(void)state;
	put(WIRE, frame_arp(1, 5)); /* who asks is learnt */
	net_settle();
	sent(WIRE2);
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	assert_int_equal(sent(WIRE2), 0);
	p = fake[WIRE].sent[0];
	assert_int_equal(p->frame_len, 60);
	assert_memory_equal(p->data, ram_at(&g.ram, g.scratch + HDR, 60), 60);
	assert_true(driver_used(&g.tx, &e));
	assert_int_equal(e.len, 0);
	assert_int_equal(g.called[VHOST_TX], 1);
	assert_int_equal(port_total(net->port).in, 1);
	assert_int_equal(net->vring[VHOST_TX].packets, 1);
	assert_int_equal(net->vring[VHOST_TX].bytes, 60);
	law();
}

static void a_frame_reaches_the_guest_behind_its_header(void **state)
{
	struct virtio_net_hdr h = { .num_buffers = 1 };
	struct virtq_used_elem e;
	uint64_t buf;

	(void)state;
	buf = ram_take(&g.ram, BUF, 1);
	driver_add(&g.rx, buf, BUF, true);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_true(driver_used(&g.rx, &e));
	assert_int_equal(e.len, HDR + 60);
	assert_memory_equal(ram_at(&g.ram, buf, HDR), &h, HDR);
	assert_memory_equal(ram_at(&g.ram, buf + HDR, 60), fake[WIRE2].sent[0]->data, 60);
	assert_int_equal(*ram_at(&g.ram, buf + HDR + 60, 1), 0xc3); /* and no byte behind it */
	assert_int_equal(g.called[VHOST_RX], 1);
	assert_int_equal(net->delivered, 1);
	law();
}

/* @ring is measured: so many frames have waited, the longest @most ns */
static void waited(unsigned ring, unsigned frames, unsigned most)
{
	struct policy_queue *q = &net->vring[ring].policy;

	assert_int_equal(q->ops->waits(q)->count, frames);
	assert_int_equal(q->ops->waits(q)->max, most);
}

static void how_long_frames_wait_for_the_worker_is_measured(void **state)
{
	struct policy_queue *rx = &net->vring[VHOST_RX].policy, *tx = &net->vring[VHOST_TX].policy;

	(void)state;
	host_tsc = 1000000;
	assert_null(tx->ops->waits(tx));
	assert_int_equal(tx->ops->measure(tx, true) | rx->ops->measure(rx, true), 0);
	for (unsigned n = 0; n < 2;
	     n++) { /* the second is not told of, if the worker looks: since its last look */
		send(frame_udp(GUEST, 1, 7, 1000));
		if (!tx_kick())
			timer_fires();
		host_tsc += 5000;
		net_settle();
		waited(VHOST_TX, 1 + n, 5000);
	}
	put(WIRE, frame_udp(1, GUEST, 1000, 7)); /* there is no buffer */
	net_settle();
	host_tsc += 3000;
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	waited(VHOST_RX, 0, 0);
	host_tsc += 3000;
	post_many(2);
	vhost_kick(net, VHOST_RX);
	host_tsc += 1000;
	net_settle();
	waited(VHOST_RX, 2, 7000); /* since the first of them came, at most */
	assert_int_equal(tx->ops->measure(tx, false) | rx->ops->measure(rx, false), 0);
	assert_null(tx->ops->waits(tx));
	send(frame_udp(GUEST, 1, 7, 1000));
	if (!tx_kick())
		timer_fires();
	net_settle();
	assert_int_equal(net->vring[VHOST_TX].packets, 3);
	free(net->vring[VHOST_RX].measured);
	free(net->vring[VHOST_TX].measured);
	law();
}

/* bytes that tell where they belong */
static void pattern(uint8_t *p, uint32_t len)
{
	for (uint32_t i = 14; i < len; i++)
		p[i] = i * 7 + (i >> 8);
}

/* the frame's bytes in the guest's RAM, cut into pieces of @piece bytes from the header on */
static void send_in_pieces(uint32_t len, uint32_t piece)
{
	uint32_t total = HDR + len;
	unsigned n = (total + piece - 1) / piece, first = g.tx.next;

	assert_true(n <= QUEUE);
	for (unsigned i = 0; i < n; i++)
		driver_desc(&g.tx, (first + i) % QUEUE, g.scratch + i * piece,
			    MIN(piece, total - i * piece), i + 1 < n ? VIRTQ_DESC_F_NEXT : 0,
			    (first + i + 1) % QUEUE);
	g.tx.next += n;
	driver_expose(&g.tx, first % QUEUE);
}

static void bytes_survive(const struct pkt *p, const uint8_t *want, uint32_t len)
{
	uint32_t at = 0;

	assert_int_equal(p->frame_len, len);
	seg_for_each(seg, (struct pkt *)p) {
		assert_memory_equal(seg->data, want + at, seg->len);
		at += seg->len;
	}
	assert_int_equal(at, len);
}

static const uint32_t lengths[] = { 60,   61,   63,   64,   65,   72,   100,  255,  256,  257, 270,
				    1000, 1500, 1514, 2035, 2036, 2047, 2048, 2049, 4096, 9018 };

static void frames_of_any_length_leave_the_guest_whole_however_they_are_cut(void **state)
{
	static const uint32_t pieces[] = { 1, 2, 7, 11, 12, 13, 26, 100, 512, 4096, 16384 };
	unsigned n = 0;

	(void)state;
	port_set_mtu(&fake[WIRE].port, 9000);
	port_set_mtu(&fake[WIRE2].port, 9000);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
		for (unsigned k = 0; k < ARRAY_SIZE(pieces); k++) {
			uint32_t len = lengths[i];
			uint8_t *want = ram_at(&g.ram, g.scratch + HDR, len);

			if (HDR + len > pieces[k] * QUEUE)
				continue;
			lay_out(frame_udp(GUEST, 1, 7, 1000));
			memset(want + 12, 0, 2); /* no Ethertype that is parsed */
			want[12] = 0x88;
			want[13] = 0xb5;
			pattern(want, len);
			send_in_pieces(len, pieces[k]);
			vhost_kick(net, VHOST_TX);
			net_settle();
			assert_null(net->vring[VHOST_TX].vq.broken);
			assert_int_equal(sent(WIRE), 1);
			bytes_survive(fake[WIRE].sent[fake[WIRE].nsent - 1], want, len);
			/* back home, or the pool runs dry */
			pkt_free(fake[WIRE].sent[--fake[WIRE].nsent]);
			pkt_free(fake[WIRE2].sent[--fake[WIRE2].nsent]);
			sent(WIRE);
			n++;
		}
	assert_true(n > 100);
	law();
}

/* a chain of packets as a NIC delivers it, with buffers filled up to @fill */
static struct pkt *long_frame(uint32_t len, uint32_t fill)
{
	uint8_t head[14] = { 2, 0, 0, 0, 0, GUEST, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };
	static uint8_t bytes[16384];
	struct pkt *first = NULL, **link = &first;
	uint32_t at = 0;

	memcpy(bytes, head, sizeof(head));
	pattern(bytes, len);
	while (at < len) {
		uint32_t part = MIN(fill, len - at);
		struct pkt *p = frame_raw(bytes + at, part);

		*link = p;
		link = &p->next;
		at += part;
		if (p != first)
			first->nsegs++;
	}
	first->frame_len = len;
	first->flags = first->nsegs > 1 ? PKT_CHAIN : 0;
	return first;
}

/*
 * take a frame out of used buffers of @buf bytes that stand one after another from @at;
 * returns how many it spans
 */
static unsigned receive(uint64_t at, uint32_t buf, uint8_t *to, uint32_t *len)
{
	struct virtio_net_hdr h;
	struct virtq_used_elem e;
	unsigned n = 0;

	memcpy(&h, ram_at(&g.ram, at, HDR), HDR);
	*len = 0;
	do {
		uint32_t skip = n ? 0 : HDR;

		assert_true(driver_used(&g.rx, &e));
		assert_int_equal(g.rx.desc[e.id].addr, at + n * buf);
		assert_true(e.len <= buf);
		assert_true(n + 1 == h.num_buffers || e.len == buf);
		memcpy(to + *len, ram_at(&g.ram, at + n * buf, e.len) + skip, e.len - skip);
		*len += e.len - skip;
	} while (++n < h.num_buffers);
	assert_int_equal(
		h.flags | h.gso_type | h.hdr_len | h.gso_size | h.csum_start | h.csum_offset, 0);
	return n;
}

static void frames_of_any_length_reach_the_guest_whole_in_buffers_of_any_size(void **state)
{
	static const uint32_t sizes[] = { 12, 13, 60, 100, 300, 1526, 2048, 4096, 10000 };
	static const uint32_t fills[] = { 100, 1500, 2048 };
	uint8_t want[16384], got[16384];
	unsigned n = 0;

	(void)state;
	port_set_mtu(net->port, 9000);
	memcpy(want, (uint8_t[]){ 2, 0, 0, 0, 0, GUEST, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 }, 14);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
		for (unsigned k = 0; k < ARRAY_SIZE(sizes) * ARRAY_SIZE(fills); k++) {
			uint32_t len = lengths[i], size = sizes[k / 3], back;
			unsigned bufs = (HDR + len + size - 1) / size;
			uint64_t at, keep = g.ram.used;

			if (bufs > TAP_BUFFERS_MAX || len > fills[k % 3] * PKT_MAX_SEGS)
				continue;
			at = ram_take(&g.ram, bufs * size, 1);
			for (unsigned b = 0; b < bufs; b++)
				driver_add(&g.rx, at + b * size, size, true);
			put_batch(WIRE, (struct pkt *[]){ long_frame(len, fills[k % 3]) }, 1);
			net_settle();
			assert_int_equal(receive(at, size, got, &back), bufs);
			pattern(want, len);
			assert_int_equal(back, len);
			assert_memory_equal(got, want, len);
			g.ram.used = keep;
			while (fake[WIRE2].nsent)
				pkt_free(fake[WIRE2].sent[--fake[WIRE2].nsent]);
			n++;
		}
	assert_true(n > 200);
	assert_null(net->vring[VHOST_RX].vq.broken);
	law();
}

static void a_receive_buffer_of_several_pieces_is_filled_in_order(void **state)
{
	uint64_t at = ram_take(&g.ram, 256, 1);
	struct virtq_used_elem e;
	uint8_t got[HDR + 60];

	(void)state;
	/*
	 * 5 + 9 + 100 bytes: the header lies in two of them, and in RAM they
	 * stand the other way round
	 */
	driver_desc(&g.rx, 0, at + 200, 5, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 1);
	driver_desc(&g.rx, 1, at + 150, 9, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 2);
	driver_desc(&g.rx, 2, at, 100, VIRTQ_DESC_F_WRITE, 0);
	driver_expose(&g.rx, 0);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_true(driver_used(&g.rx, &e));
	assert_int_equal(e.len, HDR + 60);
	memcpy(got, ram_at(&g.ram, at + 200, 5), 5);
	memcpy(got + 5, ram_at(&g.ram, at + 150, 9), 9);
	memcpy(got + 14, ram_at(&g.ram, at, 58), 58);
	assert_int_equal(got[10], 1);
	assert_int_equal(got[11], 0);
	assert_memory_equal(got + HDR, fake[WIRE2].sent[0]->data, 60);
	assert_int_equal(*ram_at(&g.ram, at + 58, 1), 0xc3);
}

static void a_short_frame_leaves_padded(void **state)
{
	static const uint8_t zero[60];

	(void)state;
	lay_out(frame_udp(GUEST, 1, 7, 1000));
	memcpy(ram_at(&g.ram, g.scratch + HDR + 12, 2), "\x88\xb5", 2);
	driver_add(&g.tx, g.scratch, HDR + 14, false);
	tx_kick();
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	assert_int_equal(fake[WIRE].sent[0]->frame_len, 60);
	assert_memory_equal(fake[WIRE].sent[0]->data + 14, zero, 46);
	law();
}

/* --- what goes nowhere, and why --- */

static void a_frame_that_is_none_is_dropped_and_its_buffer_given_back(void **state)
{
	unsigned n = 0;

	(void)state;
#define MALFORMED(...)                                                \
	do {                                                          \
		lay_out(frame_udp(GUEST, 1, 7, 1000));                \
		__VA_ARGS__;                                          \
		tx_kick();                                            \
		vhost_kick(net, VHOST_TX);                            \
		net_settle();                                         \
		assert_int_equal(dropped(DROP_GUEST_MALFORMED), ++n); \
		assert_int_equal(used(&g.tx), 1);                     \
	} while (0)
	MALFORMED(driver_add(&g.tx, g.scratch, 1, false));
	MALFORMED(driver_add(&g.tx, g.scratch, HDR, false));
	MALFORMED(driver_add(&g.tx, g.scratch, HDR + 13, false));
	MALFORMED(driver_add(&g.tx, g.scratch, HDR + TAP_FRAME_MAX + 1, false));
	MALFORMED(driver_add(&g.tx, g.scratch, HDR + 60, false); *ram_at(&g.ram, g.scratch, 1) = 1);
	MALFORMED(driver_add(&g.tx, g.scratch, HDR + 60, false);
		  *ram_at(&g.ram, g.scratch + 1, 1) = 4);
	MALFORMED(send_in_pieces(60, 1 + 1); *ram_at(&g.ram, g.scratch + 1, 1) = 1);
#undef MALFORMED
	assert_int_equal(sent(WIRE), 0);
	assert_int_equal(port_total(net->port).in, n);
	assert_int_equal(g.broke, 0); /* a packet's fault is not the ring's */
	send(frame_udp(GUEST, 1, 7, 1000));
	tx_kick();
	vhost_kick(net, VHOST_TX);
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	law();
}

static void without_packet_buffers_what_the_guest_sends_is_dropped(void **state)
{
	struct pkt *all[1024];
	unsigned n = 0, left;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		send(frame_udp(GUEST, 1, 7, 1000));
	lay_out(frame_udp(GUEST, 1, 7, 1000));
	driver_add(&g.tx, g.scratch, HDR + 5000, false);
	while (n < 1024 && (all[n] = pkt_alloc()))
		n++;
	pkt_free(all[--n]);
	left = n;
	tx_kick();
	vhost_kick(net, VHOST_TX);
	net_settle();
	/* the one buffer that there was served the first; its flood needed a copy */
	assert_int_equal(dropped(DROP_GUEST_NO_BUFFER), 3);
	assert_int_equal(used(&g.tx), 4);
	assert_int_equal(sent(WIRE) + sent(WIRE2), 1);
	/* two where three are needed: none is kept */
	pkt_free(all[--left]);
	pkt_free(all[--left]);
	driver_add(&g.tx, g.scratch, HDR + 5000, false);
	vhost_kick(net, VHOST_TX);
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_NO_BUFFER), 4);
	law();
	pkt_free_segs(all, left);
}

static void the_queue_takes_a_thousand_and_then_is_full(void **state)
{
	(void)state;
	instead(1, 0, 0, 3000);
	for (unsigned i = 0; i < 1100; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	assert_int_equal(tap_queued(net), VHOST_TAP_QUEUE);
	assert_int_equal(dropped(DROP_TAP_FULL), 100);
	law();
	/* buffers come: what waited is delivered, oldest first, and the rest waits on */
	post_many(QUEUE);
	rx_kick();
	net_settle();
	assert_int_equal(used(&g.rx), QUEUE);
	assert_int_equal(tap_queued(net), VHOST_TAP_QUEUE - QUEUE);
	law();
}

static void count(void *t, struct pkt *chain)
{
	(void)chain;
	++*(unsigned *)t;
}

static void a_long_frame_takes_its_buffers_of_the_queue(void **state)
{
	unsigned n = 0;

	(void)state;
	instead(1, 0, 0, 3072);
	port_set_mtu(net->port, 9000);
	for (unsigned i = 0; i < 200; i++)
		put(WIRE, long_frame(9000, 2000));
	assert_int_equal(tap_queued(net), VHOST_TAP_QUEUE);
	assert_int_equal(tap_frames(net), 200);
	put(WIRE, long_frame(9000, 2000));
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	assert_int_equal(dropped(DROP_TAP_FULL), 2);
	net->holder.walk(net->holder.arg, count, &n);
	assert_int_equal(n, 200);
	law();
}

enum { STALLED = 8, POOL = 3072, SHARE = POOL / 3 / STALLED };

/*
 * another seven ports of guests beside g0, whose drivers post no buffers; nobody learns where
 * anybody is: all is flooded
 */
static void stall(struct vhost_net *tap, unsigned n)
{
	char name[16];

	snprintf(name, sizeof(name), "g%u", n);
	*tap = (struct vhost_net){ .broken = on_broken, .broken_arg = &g };
	assert_int_equal(vhost_net_open(tap, &g.vm, name, (const uint8_t[6]){ 2 }, 9000, 0), 0);
	tap->vring[VHOST_RX].backend = true;
	switch_add_port(net->port->sw, tap->port);
	port_set_up(tap->port, true);
}

static void flood(unsigned frames, uint32_t len)
{
	while (frames--) {
		put(WIRE, long_frame(len, 2000));
		while (fake[WIRE2].nsent)
			pkt_free(fake[WIRE2].sent[--fake[WIRE2].nsent]);
	}
}

static void guests_that_take_nothing_leave_the_rings_of_nics_their_half_of_the_pool(void **state)
{
	static struct vhost_net tap[STALLED];
	struct pool *pool;

	(void)state;
	instead(1, 0, 0, POOL);
	pool = this_cpu()->pool;
	port_set_mtu(net->port, 9000);
	flood(1100, 60);
	assert_int_equal(tap_queued(net), VHOST_TAP_QUEUE);
	/*
	 * more ports come: what waits beyond a port's share makes room for what
	 * will wait in front of them
	 */
	for (unsigned i = 1; i < STALLED; i++)
		stall(&tap[i], i);
	assert_int_equal(tap_queued(net), SHARE);
	assert_int_equal(dropped(DROP_TAP_PURGED), VHOST_TAP_QUEUE - SHARE);
	flood(300, 60);
	for (unsigned i = 1; i < STALLED; i++)
		assert_int_equal(tap_queued(&tap[i]), SHARE);
	assert_int_equal(pool_free_count(pool), POOL - STALLED * SHARE);
	/* and with long frames */
	tap_purge(net, 0);
	for (unsigned i = 1; i < STALLED; i++)
		tap_purge(&tap[i], 0);
	flood(300, 9000);
	assert_true(pool_free_count(pool) >= POOL / 2 + STALLED * PKT_MAX_SEGS);
	assert_int_equal(pool->empty, 0);
	law();
	for (unsigned i = 1; i < STALLED; i++)
		vhost_net_stop(&tap[i]);
	net_settle();
	for (unsigned i = 1; i < STALLED; i++)
		assert_int_equal(tap_queued(&tap[i]), 0);
}

static void without_a_driver_frames_are_dropped_and_what_waited_is_purged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	assert_int_equal(tap_queued(net), 5);
	vhost_net_stop(net);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	assert_int_equal(dropped(DROP_TAP_CLOSED), 1);
	law();
	net_settle();
	assert_int_equal(dropped(DROP_TAP_PURGED), 5);
	assert_int_equal(tap_queued(net), 0);
	law();
}

static void what_waited_for_the_old_driver_is_not_given_to_the_new_one(void **state)
{
	(void)state;
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	vhost_net_stop(net);
	vring_up(VHOST_RX, &g.rx, QUEUE, false); /* before the worker had a chance */
	post_many(4);
	net_settle();
	assert_int_equal(dropped(DROP_TAP_PURGED), 1);
	assert_int_equal(used(&g.rx), 0);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(used(&g.rx), 1);
	law();
}

static void the_guest_s_filter_is_asked_about_each_frame(void **state)
{
	(void)state;
	g.unwanted = 3;
	post_many(4);
	put(WIRE, frame_udp(3, GUEST, 1000, 7));
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	put(WIRE, frame_udp(3, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(g.wants_calls, 3);
	assert_int_equal(dropped(DROP_GUEST_FILTERED), 2);
	assert_int_equal(used(&g.rx), 1);
	law();
}

static void a_frame_too_long_for_buffers_that_are_not_merged_is_dropped(void **state)
{
	(void)state;
	vhost_net_stop(net);
	net_settle();
	driver_ok(0);
	post(HDR + 59);
	post(HDR + 60);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 1);
	assert_int_equal(used(&g.rx), 0); /* the buffer still waits, for a shorter one */
	law();
}

static void a_frame_that_all_buffers_together_cannot_hold_is_dropped(void **state)
{
	(void)state;
	vhost_net_stop(net);
	net_settle();
	vring_up(VHOST_RX, &g.rx, 4, false);
	for (unsigned i = 0; i < 4; i++)
		post(20);
	put(WIRE, long_frame(69, 2048));
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 1);
	assert_int_equal(used(&g.rx), 0);
	put(WIRE, long_frame(68, 2048));
	net_settle();
	assert_int_equal(used(&g.rx), 4);
	law();
}

static void so_is_one_before_a_buffer_without_room_for_its_header(void **state)
{
	(void)state;
	post(HDR - 1);
	post(BUF);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 1);
	assert_int_equal(used(&g.rx), 0);
	law();
}

static void a_frame_that_would_span_more_than_64_buffers_is_dropped(void **state)
{
	(void)state;
	port_set_mtu(net->port, 9000);
	vhost_net_stop(net);
	net_settle();
	vring_up(VHOST_RX, &g.rx, 128, false);
	for (unsigned i = 0; i < 128; i++)
		post(100);
	put(WIRE, long_frame(6400 - HDR + 1, 2048));
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 1);
	assert_int_equal(used(&g.rx), 0);
	put(WIRE, long_frame(6400 - HDR, 2048));
	net_settle();
	assert_int_equal(used(&g.rx), 64);
	law();
}

static void the_audit_sees_a_packet_that_is_missing(void **state)
{
	char why[80];

	(void)state;
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	law();
	net->delivered++;
	assert_false(port_conserved(why, sizeof(why)));
	assert_string_equal(why, "g0 behind its port");
	net->delivered--;
}

static void the_pools_audit_finds_what_waits(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net->holder.walk(net->holder.arg, count, &n);
	assert_int_equal(n, 7);
}

/* --- buffers that run short --- */

static void frames_wait_for_buffers_and_a_kick_brings_them_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(tap_queued(net), 3);
	post(BUF);
	assert_true(driver_kicks(&g.rx)); /* asked for */
	vhost_kick(net, VHOST_RX);
	net_settle();
	assert_int_equal(used(&g.rx), 1);
	post(BUF);
	post(BUF);
	rx_kick();
	net_settle();
	assert_int_equal(used(&g.rx), 2);
	assert_int_equal(tap_queued(net), 0);
	post(BUF);
	assert_false(driver_kicks(&g.rx)); /* no frame waits for it */
	law();
}

static void a_frame_half_of_whose_buffers_are_there_waits_for_the_rest(void **state)
{
	uint64_t at = ram_take(&g.ram, 3 * 600, 1);
	uint8_t got[2048];
	uint32_t len;

	(void)state;
	driver_add(&g.rx, at, 600, true);
	driver_add(&g.rx, at + 600, 600, true);
	put(WIRE, long_frame(1500, 2048));
	net_settle();
	assert_int_equal(used(&g.rx), 0);
	assert_int_equal(tap_queued(net), 1);
	driver_kicks(&g.rx);
	driver_add(&g.rx, at + 1200, 600, true);
	assert_true(driver_kicks(&g.rx));
	vhost_kick(net, VHOST_RX);
	net_settle();
	assert_int_equal(receive(at, 600, got, &len), 3);
	assert_int_equal(len, 1500);
	law();
}

/* --- kicks and signals --- */

static void kicks_are_asked_for_again_once_the_ring_is_empty_on_another_core(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		host_play(1); /* the vCPU's core */
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_true(tx_kick());
		net_settle();
		assert_int_equal(sent(WIRE), 1);
	}
	assert_int_equal(net->vring[VHOST_TX].kicks, 3);
	assert_int_equal(host_calls.timer_arm, 0);
}

static void on_one_core_the_ring_is_looked_at_again_when_the_guest_has_run(void **state)
{
	struct vhost_vring *tx = &net->vring[VHOST_TX];

	(void)state;
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	for (unsigned i = 1; i <= 3;
	     i++) { /* the guest runs on, sends, and sleeps: no exit but that */
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_false(tx_kick());
		net_settle();
		assert_int_equal(sent(WIRE), 0);
		vhost_guest_left(0);
		net_settle();
		assert_int_equal(sent(WIRE), 1);
		assert_int_equal(tx->polls, i);
	}
	assert_int_equal(tx->kicks, 1);
	/* it ran and sent nothing: from now on it has to kick */
	vhost_guest_left(0);
	net_settle();
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	vhost_guest_left(0);
	vhost_guest_left(0); /* nothing waits for it any more, or twice */
	assert_int_equal(tx->polls, 5);
}

static void a_guest_that_computes_on_is_looked_at_by_the_timer(void **state)
{
	(void)state;
	send(frame_udp(GUEST, 1, 7, 1000));
	tx_kick();
	net_settle();
	sent(WIRE);
	assert_int_equal(host_calls.timer_arm, 1);
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_false(tx_kick());
	timer_fires();
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	assert_int_equal(host_calls.timer_arm, 2); /* it gave work: once more */
	timer_fires();
	net_settle();
	assert_int_equal(host_calls.timer_arm, 2);
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
}

static void tx_policy(enum policy policy)
{
	struct policy_queue *q = &net->vring[VHOST_TX].policy;

	assert_null(q->ops->set(q, policy));
	net_settle();
}

/* the core loop comes round to the next turn */
static void loop_turns(void)
{
	turn_run(this_cpu());
	net_settle();
}

static void by_kicks_the_guest_always_kicks(void **state)
{
	(void)state;
	tx_policy(POLICY_KICK);
	for (unsigned i = 0; i < 3; i++) {
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_true(tx_kick());
		net_settle();
		assert_int_equal(sent(WIRE), 1);
	}
	post_many(1);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
}

static void by_polling_it_never_does_and_each_turn_looks(void **state)
{
	struct vhost_vring *tx = &net->vring[VHOST_TX];
	uint64_t empty;

	(void)state;
	tx_policy(POLICY_POLL);
	assert_true(this_cpu()->turn_soon);
	empty = tx->empty;
	for (unsigned i = 0; i < 5; i++) {
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_false(tx_kick());
		assert_int_equal(sent(WIRE), 0);
		loop_turns();
		assert_int_equal(sent(WIRE), 1);
		loop_turns();
	}
	assert_int_equal(tx->kicks, 0);
	assert_true(tx->empty >= empty + 5);
	vhost_net_stop_vring(net, VHOST_TX);
	loop_turns();
	assert_null(this_cpu()->turn_work); /* whose ring is gone is looked at no more */
}

static void by_busyloop_it_kicks_when_the_time_is_over(void **state)
{
	struct vhost_vring *tx = &net->vring[VHOST_TX];

	(void)state;
	tx->busyloop_timeout = 30;
	tx_policy(POLICY_BUSYLOOP);
	assert_null(this_cpu()->turn_work); /* nothing was found yet */
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
	net_settle();
	for (unsigned i = 0; i < 4; i++) {
		host_tsc += tsc_from_us(29);
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_false(tx_kick());
		loop_turns();
		assert_int_equal(sent(WIRE),
				 1 + !i); /* the first one with that which was kicked for */
	}
	host_tsc += tsc_from_us(30);
	loop_turns();
	assert_null(this_cpu()->turn_work);
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	assert_int_equal(tx->kicks, 2);
}

/*
 * whatever it waits for, with a frame that nobody kicks for: the new policy finds it,
 * and ends in its own manner
 */
static void a_change_of_policy_loses_no_frame(void **state)
{
	static const enum policy all[] = { POLICY_ADAPTIVE, POLICY_KICK, POLICY_BUSYLOOP,
					   POLICY_POLL };
	struct vhost_vring *tx = &net->vring[VHOST_TX];

	(void)state;
	for (unsigned from = 0; from < ARRAY_SIZE(all); from++)
		for (unsigned to = 0; to < ARRAY_SIZE(all); to++) {
			tx_policy(all[from]);
			send(frame_udp(GUEST, 1, 7, 1000));
			tx_kick();
			net_settle();
			loop_turns();
			assert_int_equal(sent(WIRE), 1);
			send(frame_udp(GUEST, 1, 7,
				       1000)); /* and the kick, if there was one, is lost */
			tx_policy(all[to]);
			assert_int_equal(sent(WIRE), 1);
			send(frame_udp(GUEST, 1, 7, 1000));
			tx_kick();
			loop_turns();
			vhost_guest_left(0);
			net_settle();
			assert_int_equal(sent(WIRE), 1);
			assert_int_equal(tx->turn.queued,
					 all[to] == POLICY_POLL || all[to] == POLICY_BUSYLOOP);
			host_tsc += tsc_from_us(1000);
			loop_turns();
		}
}

static void an_answer_to_what_came_in_needs_no_kick(void **state)
{
	struct vhost_vring *tx = &net->vring[VHOST_TX];
	uint64_t polls;

	(void)state;
	post_many(8);
	send(frame_udp(GUEST, 1, 7, 1000)); /* it does send */
	assert_true(tx_kick());
	net_settle();
	assert_int_equal(sent(WIRE), 1);
	for (unsigned round = 0; round < 4; round++) {
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
		net_settle();
		assert_int_equal(used(&g.rx), 1);
		send(frame_udp(GUEST, 1, 7, 1000));
		assert_false(tx_kick());
		vhost_guest_left(0); /* it sleeps again */
		net_settle();
		assert_int_equal(sent(WIRE), 1);
	}
	assert_int_equal(net->vring[VHOST_TX].kicks, 1);
	/* nor after a pause in which nobody expected anything */
	timer_fires();
	net_settle();
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_false(tx_kick());
	vhost_guest_left(0);
	net_settle();
	timer_fires();
	net_settle();
	/* the guest that answers nothing is back to kicks when it has slept once */
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	vhost_guest_left(0);
	net_settle();
	polls = tx->polls;
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	vhost_guest_left(0);
	assert_int_equal(tx->polls, polls); /* and none is expected of it */
	send(frame_udp(GUEST, 1, 7, 1000));
	assert_true(tx_kick());
}

static void so_does_one_by_another_port_of_the_guest(void **state)
{
	static struct virtio_net other;
	struct fake_driver tx;
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 6 };

	(void)state;
	memset(&other, 0, sizeof(other));
	assert_int_equal(vhost_net_open(&other.vhost, &g.vm, "g1", mac, 1500, 0), 0);
	g.vm.port[g.vm.nports++] = &other;
	vhost_set_owner(&other.vhost);
	driver_up(&tx, &g.ram, QUEUE, false, 0);
	assert_int_equal(vhost_set_vring(&other.vhost, VHOST_TX, QUEUE, tx.desc_gpa, tx.avail_gpa,
					 tx.used_gpa),
			 0);
	vhost_net_set_backend(&other.vhost, VHOST_TX);
	net_settle();
	post_many(4);
	for (unsigned i = 0; i < 3; i++) {
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
		net_settle();
		driver_add(&tx, g.scratch, lay_out(frame_udp(1, GUEST, 1000, 7)), false);
		assert_int_equal(driver_kicks(&tx), !i);
		vhost_kick(&other.vhost, VHOST_TX);
		net_settle();
		assert_int_equal(other.vhost.vring[VHOST_TX].packets, i + 1);
		timer_fires();
		net_settle();
	}
	assert_int_equal(dropped(DROP_PORT_DOWN), 3);
	vhost_net_stop(&other.vhost);
}

static void receive_buffers_are_looked_for_when_the_guest_has_run(void **state)
{
	(void)state;
	post_many(2);
	for (unsigned i = 0; i < 5; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(used(&g.rx), 2);
	post_many(2);
	assert_false(driver_kicks(&g.rx));
	vhost_guest_left(0);
	net_settle();
	assert_int_equal(used(&g.rx), 2);
	vhost_guest_left(0); /* it posted none meanwhile */
	net_settle();
	post_many(1);
	assert_true(driver_kicks(&g.rx));
	vhost_kick(net, VHOST_RX);
	net_settle();
	assert_int_equal(used(&g.rx), 1);
	assert_int_equal(tap_queued(net), 0);
}

static void a_batch_takes_one_signal_and_none_that_is_not_wanted(void **state)
{
	struct vhost_vring *rx = &net->vring[VHOST_RX];

	(void)state;
	post_many(40);
	for (unsigned i = 0; i < 32; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(used(&g.rx), 32);
	assert_int_equal(g.called[VHOST_RX], 1);
	driver_want_signal(&g.rx, false);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(g.called[VHOST_RX], 1);
	assert_int_equal(rx->vq.suppressed, 1);
	assert_int_equal(rx->signals, 1);
}

static void a_kick_before_the_back_end_is_set_does_nothing(void **state)
{
	(void)state;
	vhost_net_stop(net);
	net_settle();
	send(frame_udp(GUEST, 1, 7, 1000));
	vhost_kick(net, VHOST_TX);
	vhost_kick(net, VHOST_RX);
	net_settle();
	assert_int_equal(sent(WIRE), 0);
	assert_int_equal(net->vring[VHOST_TX].kicks, 1);
	/* and what was made available before is seen at once */
	vhost_net_set_backend(net, VHOST_TX);
	net_settle();
	assert_int_equal(sent(WIRE), 1);
}

/* --- the worker's share --- */

static void a_guest_that_sends_without_end_is_put_off_at_its_weight(void **state)
{
	struct vhost_vring *tx = &net->vring[VHOST_TX];

	(void)state;
	instead(1, 0, 0, 3000);
	vhost_net_stop(net);
	net_settle();
	vring_up(VHOST_TX, &g.tx, VHOST_WEIGHT, false);
	for (unsigned i = 0; i < VHOST_WEIGHT - 1; i++)
		send(frame_udp(GUEST, 1, 7, 1000));
	net_settle();
	assert_int_equal(sent(WIRE), VHOST_WEIGHT - 1);
	assert_int_equal(tx->reweighs, 0);
	for (unsigned i = 0; i < VHOST_WEIGHT; i++)
		send(frame_udp(GUEST, 1, 7, 1000));
	vhost_kick(net, VHOST_TX);
	net_settle();
	assert_int_equal(sent(WIRE), VHOST_WEIGHT);
	assert_int_equal(tx->reweighs, 1);
	/* by bytes: 64 frames of 9,000 are more than the weight */
	port_set_mtu(&fake[WIRE].port, 9000);
	port_set_mtu(&fake[WIRE2].port, 9000);
	lay_out(frame_udp(GUEST, 1, 7, 1000));
	for (unsigned i = 0; i < QUEUE; i++)
		driver_add(&g.tx, g.scratch, HDR + 9000, false);
	vhost_kick(net, VHOST_TX);
	net_settle();
	assert_int_equal(sent(WIRE), QUEUE);
	assert_int_equal(tx->reweighs, 2);
	law();
}

static void a_queue_of_a_thousand_is_delivered_in_rounds(void **state)
{
	struct vhost_vring *rx = &net->vring[VHOST_RX];

	(void)state;
	instead(1, 0, 0, 3000);
	g.unwanted = 1; /* none of them needs a buffer: the filter's work counts as well */
	for (unsigned i = 0; i < 700; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(rx->reweighs, 2);
	assert_int_equal(dropped(DROP_GUEST_FILTERED), 700);
	law();
}

/* a buffer of @n pieces of a byte each, too small for any frame */
static void post_crumbs(unsigned n)
{
	unsigned first = g.rx.next;

	for (unsigned i = 0; i < n; i++)
		driver_desc(&g.rx, (first + i) % QUEUE, g.scratch + i, 1,
			    VIRTQ_DESC_F_WRITE | (i + 1 < n ? VIRTQ_DESC_F_NEXT : 0),
			    (first + i + 1) % QUEUE);
	g.rx.next += n;
	driver_expose(&g.rx, first % QUEUE);
}

static void walks_through_buffers_that_are_too_small_are_soon_put_off(void **state)
{
	const struct vhost_vring *rx = &net->vring[VHOST_RX];

	(void)state;
	driver_ok(0); /* one buffer a frame */
	post_crumbs(QUEUE);
	for (unsigned i = 0; i < 200; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_softirq(SOFTIRQ_VHOST);
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 4);
	assert_int_equal(rx->reweighs, 1);
	for (unsigned i = 0; i < 200 / 4; i++)
		net_softirq(SOFTIRQ_VHOST);
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 200);
	law();
}

static void so_are_frames_in_many_pieces(void **state)
{
	const struct vhost_vring *rx = &net->vring[VHOST_RX];
	struct virtq_used_elem e;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		put(WIRE, frame_udp(1, GUEST, 1000, 7));
	vhost_net_stop_vring(net, VHOST_RX);
	vring_up(VHOST_RX, &g.rx, 256, false);
	for (unsigned i = 0; i < 256;
	     i++) /* one of 64 pieces, over and over, each with room for a frame */
		driver_desc(&g.rx, i, g.scratch + 2 * i, 2,
			    VIRTQ_DESC_F_WRITE | (i % 64 < 63 ? VIRTQ_DESC_F_NEXT : 0), i + 1);
	for (unsigned i = 0; i < 256; i++)
		driver_expose(&g.rx, i / 64 * 64);
	net_softirq(SOFTIRQ_VHOST);
	assert_int_equal(net->delivered, 256 / (1 + 64 / 16) + 1);
	assert_int_equal(rx->reweighs, 1);
	assert_true(driver_used(&g.rx, &e));
	assert_int_equal(e.len, HDR + 60);
}

static void frames_from_other_cores_come_by_the_worker_s(void **state)
{
	(void)state;
	instead(3, 2, 1, 1024);
	post_many(10);
	host_play(0);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	assert_int_equal(tap_queued(net), 0);
	host_play(2);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	law();
	net_settle();
	assert_int_equal(used(&g.rx), 2);
	assert_int_equal(port_total(net->port).out, 2);
	law();
}

/* --- hostile rings --- */

static void breaks(unsigned index, const char *why)
{
	unsigned was = g.broke;

	vhost_kick(net, index);
	net_settle();
	assert_int_equal(g.broke, was + 1);
	assert_string_equal(g.why, why);
	vhost_kick(net, index);
	vhost_guest_left(0);
	net_settle();
	assert_int_equal(g.broke, was + 1); /* said once */
	law();
}

static void a_broken_ring_is_reported_once_and_the_guest_can_start_again(void **state)
{
	(void)state;
	send(frame_udp(GUEST, 1, 7, 1000));
	driver_desc(&g.tx, 9, g.scratch, 60, VIRTQ_DESC_F_NEXT, 9);
	driver_expose(&g.tx, 9);
	breaks(VHOST_TX, "a chain that loops");
	assert_int_equal(sent(WIRE), 1); /* what came before it was sent */
	assert_int_equal(used(&g.tx), 1);
	/* the other ring still serves */
	post_many(1);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	net_settle();
	assert_int_equal(used(&g.rx), 1);
	/* reset, and all is well */
	vhost_net_stop(net);
	driver_ok(MERGE);
	send(frame_udp(GUEST, 1, 7, 1000));
	tx_kick();
	net_settle();
	assert_int_equal(sent(WIRE), 1);
}

static void a_transmit_buffer_to_write_breaks_the_ring(void **state)
{
	(void)state;
	driver_add(&g.tx, g.scratch, 100, true);
	breaks(VHOST_TX, "a transmit buffer that the device may write");
}

static void a_receive_buffer_to_read_breaks_the_ring(void **state)
{
	(void)state;
	driver_add(&g.rx, g.scratch, 2000, false);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	breaks(VHOST_RX, "a receive buffer that the device may not write");
	assert_int_equal(tap_queued(net), 1);
}

static void so_does_a_second_buffer_of_a_merged_frame(void **state)
{
	(void)state;
	driver_add(&g.rx, g.scratch, 30, true);
	driver_add(&g.rx, g.scratch, 2000, false);
	put(WIRE, frame_udp(1, GUEST, 1000, 7));
	breaks(VHOST_RX, "a receive buffer that the device may not write");
	assert_int_equal(used(&g.rx), 0);
}

static uint64_t seed = 1;

static uint32_t rnd(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed >> 33;
}

static void random_desc(struct fake_driver *d, unsigned i, bool write)
{
	uint64_t addr = rnd() % 8 ? rnd() % (RAM - 20000) : RAM - rnd() % 3000;
	unsigned flags = (rnd() % 20 ? 0 : 4) | (rnd() % 3 ? 0 : 1);

	if (rnd() % 30 ? write : !write)
		flags |= VIRTQ_DESC_F_WRITE;
	driver_desc(d, i, addr, rnd() % 12 ? 1 + rnd() % 3000 : rnd() % 20000, flags,
		    rnd() % QUEUE);
}

/*
 * Buffers, rings and indirect tables overlap here: what is received changes descriptors
 * that are still to be read.
 */
static void random_rings_do_no_harm_to_the_switch(void **state)
{
	unsigned broken = 0, delivered = 0, out = 0;

	(void)state;
	for (unsigned round = 0; round < 1500; round++) {
		vhost_net_stop(net);
		g.ram.used = 0;
		driver_ok((rnd() % 2 ? MERGE : 0) | (rnd() % 2 ? VIRTIO_F_EVENT_IDX : 0) |
			  (rnd() % 2 ? VIRTIO_F_INDIRECT_DESC : 0));
		for (unsigned i = 0; i < QUEUE; i++) {
			random_desc(&g.rx, i, true);
			random_desc(&g.tx, i, false);
			driver_expose(&g.rx, rnd() % QUEUE);
			driver_expose(&g.tx, rnd() % QUEUE);
		}
		for (unsigned i = 0; i < 20; i++)
			put_batch(WIRE, (struct pkt *[]){ long_frame(60 + rnd() % 1440, 2048) }, 1);
		vhost_kick(net, VHOST_TX);
		vhost_kick(net, VHOST_RX);
		net_settle();
		vhost_guest_left(0);
		net_settle();
		law();
		for (unsigned i = WIRE; i <= WIRE2; i++)
			for (; fake[i].nsent; out++)
				pkt_free(fake[i].sent[--fake[i].nsent]);
	}
	broken = g.broke;
	delivered = net->delivered;
	print_message("%u rings broken, %u frames delivered, %u sent\n", broken, delivered, out);
	assert_true(broken > 500 && delivered > 500 && out > 500);
}

/* --- no kick is lost between cores --- */

enum { RACES = 20000, TURNS = 3 /* of the worker: what it has not seen by then it never will */ };

static struct race {
	_Alignas(CACHE_LINE) _Atomic unsigned rung;
	_Alignas(CACHE_LINE) _Atomic unsigned seen;
	unsigned served;
} race[MAX_CPUS];
static struct vhost_net racer[MAX_CPUS];
static _Atomic unsigned racing, turns;

static void race_work(struct vhost_work *w)
{
	struct vhost_vring *v = container_of(w, struct vhost_vring, work);
	struct race *r = &race[v->net - racer];

	r->seen = atomic_load_explicit(&r->rung, memory_order_relaxed);
	r->served++;
}

static void race_core(void *arg)
{
	unsigned me = this_cpu()->id;

	(void)arg;
	if (me == 0) {
		for (; racing; turns++)
			net_softirq(SOFTIRQ_VHOST);
		return;
	}
	for (unsigned i = 1; i <= RACES; i++) {
		atomic_store_explicit(&race[me].rung, i, memory_order_relaxed);
		vhost_kick(&racer[me], VHOST_TX);
		if (i % 8)
			continue;
		/* no other follows this one, and yet it is seen */
		for (unsigned before = turns, spin = 0;
		     race[me].seen != i && turns - before < TURNS; spin++)
			if (spin % 64 == 63)
				sched_yield();
		if (race[me].seen != i)
			break;
	}
	racing--;
}

static void no_kick_is_lost_between_cores(void **state)
{
	(void)state;
	net_up(3, 0);
	vhost_init();
	racing = 2;
	for (unsigned i = 1; i < 3; i++) {
		struct vhost_vring *tx = &racer[i].vring[VHOST_TX];

		memset(&racer[i], 0, sizeof(racer[i]));
		race[i] = (struct race){ 0 };
		tx->net = &racer[i];
		tx->backend = true;
		tx->work.fn = race_work;
	}
	host_run_cores(race_core, NULL);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(race[i].seen, RACES);
		assert_true(race[i].served <= RACES);
	}
}

/* --- making ports --- */

static void a_port_that_cannot_be_made_is_refused(void **state)
{
	static struct vhost_net n;
	const uint8_t mac[6] = { 2 };

	(void)state;
	assert_int_equal(vhost_net_open(&n, &g.vm, "p1", mac, 1500, 0), -EEXIST);
	memory_left = 4096;
	assert_int_equal(vhost_net_open(&n, &g.vm, "g1", mac, 1500, 0), -ENOMEM);
	memory_left = UINT64_MAX;
	assert_int_equal(vhost_net_open(&n, &g.vm, "g1", mac, 1500, 0), 0);
	assert_int_equal(n.port->mac[0], 2);
	assert_false(n.port->up);
	assert_int_equal(vhost_set_vring(&n, VHOST_TX, 3, 0, 0, 0), -EINVAL);
	assert_non_null(n.vring[VHOST_TX].vq.broken);
}

int main(void)
{
#define ONE(test)   cmocka_unit_test_setup_teardown(test, up, down)
#define APART(test) cmocka_unit_test_setup_teardown(test, up_apart, down)
	const struct CMUnitTest tests[] = {
		ONE(a_frame_from_the_guest_reaches_the_wire),
		ONE(a_frame_reaches_the_guest_behind_its_header),
		ONE(how_long_frames_wait_for_the_worker_is_measured),
		ONE(frames_of_any_length_leave_the_guest_whole_however_they_are_cut),
		ONE(frames_of_any_length_reach_the_guest_whole_in_buffers_of_any_size),
		ONE(a_receive_buffer_of_several_pieces_is_filled_in_order),
		ONE(a_short_frame_leaves_padded),
		ONE(a_frame_that_is_none_is_dropped_and_its_buffer_given_back),
		ONE(without_packet_buffers_what_the_guest_sends_is_dropped),
		ONE(the_queue_takes_a_thousand_and_then_is_full),
		ONE(a_long_frame_takes_its_buffers_of_the_queue),
		ONE(guests_that_take_nothing_leave_the_rings_of_nics_their_half_of_the_pool),
		ONE(without_a_driver_frames_are_dropped_and_what_waited_is_purged),
		ONE(what_waited_for_the_old_driver_is_not_given_to_the_new_one),
		ONE(the_guest_s_filter_is_asked_about_each_frame),
		ONE(a_frame_too_long_for_buffers_that_are_not_merged_is_dropped),
		ONE(a_frame_that_all_buffers_together_cannot_hold_is_dropped),
		ONE(so_is_one_before_a_buffer_without_room_for_its_header),
		ONE(a_frame_that_would_span_more_than_64_buffers_is_dropped),
		ONE(the_audit_sees_a_packet_that_is_missing),
		ONE(the_pools_audit_finds_what_waits),
		APART(frames_wait_for_buffers_and_a_kick_brings_them_on),
		APART(a_frame_half_of_whose_buffers_are_there_waits_for_the_rest),
		APART(kicks_are_asked_for_again_once_the_ring_is_empty_on_another_core),
		ONE(on_one_core_the_ring_is_looked_at_again_when_the_guest_has_run),
		ONE(a_guest_that_computes_on_is_looked_at_by_the_timer),
		ONE(by_kicks_the_guest_always_kicks),
		ONE(by_polling_it_never_does_and_each_turn_looks),
		ONE(by_busyloop_it_kicks_when_the_time_is_over),
		ONE(a_change_of_policy_loses_no_frame),
		ONE(an_answer_to_what_came_in_needs_no_kick),
		ONE(so_does_one_by_another_port_of_the_guest),
		ONE(receive_buffers_are_looked_for_when_the_guest_has_run),
		ONE(a_batch_takes_one_signal_and_none_that_is_not_wanted),
		ONE(a_kick_before_the_back_end_is_set_does_nothing),
		ONE(a_guest_that_sends_without_end_is_put_off_at_its_weight),
		ONE(a_queue_of_a_thousand_is_delivered_in_rounds),
		ONE(walks_through_buffers_that_are_too_small_are_soon_put_off),
		ONE(so_are_frames_in_many_pieces),
		ONE(frames_from_other_cores_come_by_the_worker_s),
		ONE(a_broken_ring_is_reported_once_and_the_guest_can_start_again),
		ONE(a_transmit_buffer_to_write_breaks_the_ring),
		ONE(a_receive_buffer_to_read_breaks_the_ring),
		ONE(so_does_a_second_buffer_of_a_merged_frame),
		ONE(random_rings_do_no_harm_to_the_switch),
		cmocka_unit_test(no_kick_is_lost_between_cores),
		ONE(a_port_that_cannot_be_made_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
