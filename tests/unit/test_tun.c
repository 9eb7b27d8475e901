/* SPDX-License-Identifier: MIT */
/* links: path vmm/vhost.c vmm/vhost_policy.c vmm/vhost_measure.c vmm/vhost_net.c vmm/tap.c vmm/tap_explain.c net/observe/explain_out.c vmm/tun_get.c vmm/tun_put.c vmm/virtio_hdr.c vmm/virtq.c tests/unit/streams.c tests/unit/fake_driver.c */
/*
 * test_tun.c - long frames and unfinished checksums, out of a guest and into it
 *
 * The wire is port p1; two guests are ports of the same switch, each with a fake driver over RAM of
 * its own. What a guest sends is compared with what a sender without offloads would have sent.
 */
#include "tests/unit/host.h"

#include <stdlib.h>
#include <string.h>

#include "net/wire.h"
#include "tests/unit/fake_driver.h"
#include "tests/unit/fake_net.h"
#include "tests/unit/streams.h"
#include "vmm/tap.h"
#include "vmm/vhost.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_regs.h"
#include "vmm/vm.h"

enum { WIRE = 1, QUEUE = 256, RAM = 4 << 20, HDR = VIRTIO_NET_HDR, MSS = 1448 };

static const uint64_t ALL_OFFLOADS = VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_CSUM |
				     VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |
				     VIRTIO_NET_F_HOST_USO | VIRTIO_NET_F_GUEST_CSUM |
				     VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 |
				     VIRTIO_NET_F_GUEST_USO4 | VIRTIO_NET_F_GUEST_USO6;

static struct guest {
	struct vm vm;
	struct vcpu vcpu;
	struct virtio_net dev;
	struct fake_ram ram;
	struct fake_driver rx, tx;
	uint64_t scratch;
	uint64_t posted[QUEUE]; /* by head */
} guests[2];

static uint8_t payload[STREAM_BYTES];
static const struct stream tcp4 = { .id = 7, .seq = 1000, .port = 1000, .host = 2 };

uint64_t mem_free(void)
{
	return UINT64_MAX;
}

static void on_call(void *arg, unsigned index)
{
	(void)arg;
	(void)index;
}

static void on_broken(void *arg, unsigned index, const char *why)
{
	(void)arg;
	fail_msg("ring %u broke: %s", index, why);
}

/* --- the machine --- */

static void vring_up(struct guest *g, unsigned index, struct fake_driver *d)
{
	driver_up(d, &g->ram, QUEUE, false, 0);
	assert_int_equal(vhost_set_vring(&g->dev.vhost, index, QUEUE, d->desc_gpa, d->avail_gpa,
					 d->used_gpa),
			 0);
	vhost_set_vring_call(&g->dev.vhost, index, on_call, g);
	vhost_net_set_backend(&g->dev.vhost, index);
}

static void guest_up(struct guest *g, unsigned host, uint64_t features)
{
	char name[] = { 'g', '0' + host, 0 };

	memset(g, 0, sizeof(*g));
	g->vm.nvcpus = 1;
	g->vm.vcpu[0] = &g->vcpu;
	g->vm.nports = 1;
	g->vm.port[0] = &g->dev;
	g->dev.vhost.broken = on_broken;
	assert_int_equal(vhost_net_open(&g->dev.vhost, &g->vm, name,
					(const uint8_t[6]){ 2, 0, 0, 0, 0, host }, 1500, 0),
			 0);
	port_set_up(g->dev.vhost.port, true);
	ram_up(&g->ram, RAM);
	g->vm.mem = g->ram.map;
	vhost_set_owner(&g->dev.vhost);
	vhost_set_features(&g->dev.vhost, features);
	vring_up(g, VHOST_RX, &g->rx);
	vring_up(g, VHOST_TX, &g->tx);
	g->scratch = ram_take(&g->ram, 1 << 17, 16);
}

/* host 2 is guest 0, host 3 guest 1; the rest are behind the wire */
static void machine(uint64_t features0, uint64_t features1)
{
	net_up(1, 1);
	host_pools(2048);
	vhost_init();
	guest_up(&guests[0], 2, features0);
	guest_up(&guests[1], 3, features1);
	net_switch();
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = i * 31 + (i >> 8);
	/* all are learnt: nothing is flooded */
	for (unsigned i = 0; i < 2; i++) {
		struct pkt *p = frame_udp(2 + i, 1, 1, 1);

		netif_receive(guests[i].dev.vhost.port, 0, &p, 1, 60);
	}
	put(WIRE, frame_udp(1, 2, 1, 1));
	put(WIRE, frame_udp(9, 1, 1, 1));
	net_settle();
	tap_purge(&guests[0].dev.vhost, 0);
	tap_purge(&guests[1].dev.vhost, 0);
	sent(WIRE);
}

static int up(void **state)
{
	(void)state;
	machine(ALL_OFFLOADS, ALL_OFFLOADS);
	return 0;
}

static int down(void **state)
{
	(void)state;
	host_play(0);
	vhost_net_stop(&guests[0].dev.vhost);
	vhost_net_stop(&guests[1].dev.vhost);
	net_down();
	ram_down(&guests[0].ram);
	ram_down(&guests[1].ram);
	return 0;
}

static void again(uint64_t features0, uint64_t features1)
{
	down(NULL);
	machine(features0, features1);
}

static void law(void)
{
	conserved();
	for (unsigned i = 0; i < 2; i++) {
		const struct vhost_net *n = &guests[i].dev.vhost;

		assert_int_equal(n->taken, n->delivered + port_drops(n->dropped) + tap_frames(n));
	}
}

/* --- a guest's driver --- */

/*
 * a header that is right for the frame of @len payload bytes at @frame: segments of
 * @size, or just a checksum
 */
static struct virtio_net_hdr header_for(const struct stream *s, uint8_t *frame, unsigned frame_len,
					unsigned size)
{
	struct gso_headers h;
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	uint32_t sum = 0, len;

	assert_true(gso_headers(frame, frame_len, &h));
	hdr.csum_start = h.l4;
	hdr.csum_offset = h.csum_field;
	len = frame_len - h.l4;
	for (unsigned i = 0; i < (s->v6 ? 32 : 8); i += 2)
		sum += load16(frame + h.l3 + (s->v6 ? 8 : 12) + i);
	sum += be16(s->udp ? PROTO_UDP : PROTO_TCP) + be16(len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	store16(frame + h.l4 + h.csum_field, sum);
	if (size) {
		hdr.gso_type =
			s->udp ? VIRTIO_NET_HDR_GSO_UDP_L4
			       : (s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
		hdr.gso_size = size;
		hdr.hdr_len = random(); /* a hint, and no more */
	}
	return hdr;
}

/* @hdr and the @len bytes at @frame go out, cut into pieces of @piece bytes */
static void send(struct guest *g, const struct virtio_net_hdr *hdr, const uint8_t *frame,
		 unsigned len, unsigned piece)
{
	unsigned total = HDR + len, n = (total + piece - 1) / piece, first = g->tx.next;
	struct virtq_used_elem e;

	memcpy(ram_at(&g->ram, g->scratch, HDR), hdr, HDR);
	memcpy(ram_at(&g->ram, g->scratch + HDR, len), frame, len);
	assert_true(n <= VIRTQ_SEGS_MAX);
	for (unsigned i = 0; i < n; i++)
		driver_desc(&g->tx, (first + i) % QUEUE, g->scratch + i * piece,
			    MIN(piece, total - i * piece), i + 1 < n ? VIRTQ_DESC_F_NEXT : 0,
			    (first + i + 1) % QUEUE);
	g->tx.next += n;
	driver_expose(&g->tx, first % QUEUE);
	vhost_kick(&g->dev.vhost, VHOST_TX);
	net_settle();
	assert_true(driver_used(&g->tx, &e));
}

static void post(struct guest *g, unsigned n, unsigned len)
{
	while (n--) {
		uint64_t gpa = ram_take(&g->ram, len, 1);

		g->posted[driver_add(&g->rx, gpa, len, true)] = gpa;
	}
}

/* the next frame that arrived, merged, into @to; -1: none */
static int receive(struct guest *g, struct virtio_net_hdr *hdr, uint8_t *to)
{
	struct virtq_used_elem e;
	unsigned n = 0, buffers = 1;

	for (unsigned i = 0; i < buffers; i++) {
		const uint8_t *from;

		if (!driver_used(&g->rx, &e))
			return -1;
		from = ram_at(&g->ram, g->posted[e.id], e.len);
		if (!i) {
			memcpy(hdr, from, HDR);
			buffers = hdr->num_buffers;
			from += HDR;
			e.len -= HDR;
		}
		memcpy(to + n, from, e.len);
		n += e.len;
	}
	return n;
}

/* --- out of a guest --- */

static uint8_t frame[STREAM_HEADERS + STREAM_BYTES], got[STREAM_HEADERS + STREAM_BYTES];

/*
 * what @s sends as one long frame of @len bytes is, on the wire, segments of @size; the
 * buffers are free again then
 */
static void leaves_as_segments(const struct stream *s, unsigned len, unsigned size, unsigned piece)
{
	unsigned n = stream_frame(s, frame, payload, 0, len, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(s, frame, n, size);
	unsigned segments = (len + size - 1) / size;

	frame[5] = 1;
	send(&guests[0], &hdr, frame, n, piece);
	assert_int_equal(sent(WIRE), segments);
	for (unsigned i = 0; i < segments; i++) {
		struct pkt *p = fake[WIRE].sent[fake[WIRE].nsent - segments + i];
		unsigned want = stream_frame(s, frame, payload, i * size, MIN(size, len - i * size),
					     i, STREAM_ACK);

		frame[5] = 1;
		assert_int_equal(pkt_bytes(p, got), want);
		assert_memory_equal(got, frame, want);
		pkt_free(p);
	}
	fake[WIRE].nsent -= segments;
	fake[WIRE].room += segments;
	sent(WIRE);
}

static void what_a_guest_leaves_to_us_leaves_by_the_wire_as_segments(void **state)
{
	(void)state;
	leaves_as_segments(&tcp4, 10 * MSS + 7, MSS, 1 << 17);
	leaves_as_segments(&tcp4, 65000, MSS, 4096);
	assert_int_equal(guests[0].dev.vhost.vring[VHOST_TX].packets, 2);
	law();
}

static void any_stream_in_any_pieces(void **state)
{
	(void)state;
	port_set_mtu(&fake[WIRE].port, 9000);
	for (unsigned round = 0; round < 400; round++) {
		struct stream s = stream_any();
		unsigned size = 1 + random() % (random() % 3 ? 1400 : 8000);
		unsigned len = 1 + random() % MIN(60000, size * 200);

		s.host = 2;
		s.fixed_id = false;
		if (len <= size)
			continue;
		leaves_as_segments(&s, len, size, 1100 + random() % 30000);
	}
	law();
}

static void checksums_are_finished_for_a_wire(void **state)
{
	static const unsigned lengths[] = { 30, 100, 1400 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
		for (unsigned kind = 0; kind < 4; kind++) {
			struct stream s = { .udp = kind & 1, .v6 = kind & 2, .host = 2 };
			unsigned n = stream_frame(&s, frame, payload, 0, lengths[i], 0, STREAM_ACK);
			struct virtio_net_hdr hdr = header_for(&s, frame, n, 0);

			frame[5] = 1;
			send(&guests[0], &hdr, frame, n, 64 + random() % 4096);
			assert_int_equal(sent(WIRE), 1);
			stream_frame(&s, frame, payload, 0, lengths[i], 0, STREAM_ACK);
			frame[5] = 1;
			assert_int_equal(pkt_bytes(fake[WIRE].sent[fake[WIRE].nsent - 1], got), n);
			assert_memory_equal(got, frame, n);
		}
	law();
}

static void a_small_pool_loses_a_long_frame_and_nothing_else(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 60000, 0, STREAM_ACK), held = 0;
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, MSS);
	struct pkt *hold[2048];

	(void)state;
	frame[5] = 1;
	while (cpus[0]->pool->nfree > 20)
		hold[held++] = pkt_alloc();
	send(&guests[0], &hdr, frame, n, 1 << 17);
	assert_int_equal(dropped(DROP_GUEST_NO_BUFFER), 1);
	assert_int_equal(cpus[0]->pool->nfree, 20);
	law();
	while (held)
		pkt_free_seg(hold[--held]);
	leaves_as_segments(&tcp4, 60000, MSS, 4096);
}

/*
 * @count long frames at one kick, for a wire that cuts them itself. Returns in how many rounds
 * of work they were taken.
 */
static unsigned rounds_for(unsigned count, unsigned size)
{
	struct vhost_vring *tx = &guests[0].dev.vhost.vring[VHOST_TX];
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 60000, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, size);
	struct virtq_used_elem e;
	uint64_t before = tx->reweighs;

	frame[5] = 1;
	memcpy(ram_at(&guests[0].ram, guests[0].scratch, HDR), &hdr, HDR);
	memcpy(ram_at(&guests[0].ram, guests[0].scratch + HDR, n), frame, n);
	for (unsigned i = 0; i < count; i++)
		driver_add(&guests[0].tx, guests[0].scratch, HDR + n, false);
	vhost_kick(&guests[0].dev.vhost, VHOST_TX);
	net_settle();
	while (driver_used(&guests[0].tx, &e))
		;
	assert_int_equal(sent(WIRE), count);
	return 1 + tx->reweighs - before;
}

static void segments_weigh_as_much_as_they_are_work(void **state)
{
	(void)state;
	fake[WIRE].port.features = NETDEV_TSO4 | NETDEV_TX_CSUM;
	assert_int_equal(rounds_for(3, MSS), 1);
	assert_int_equal(rounds_for(3, 8), 2);
	law();
}

static void more_segments_than_there_is_time_for_are_malformed(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 8 * 8180, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, 8);

	(void)state;
	fake[WIRE].port.features = NETDEV_TSO4 | NETDEV_TX_CSUM;
	frame[5] = 1;
	send(&guests[0], &hdr, frame, n, 1 << 17);
	assert_int_equal(sent(WIRE), 1);
	hdr.gso_size = 7;
	send(&guests[0], &hdr, frame, n, 1 << 17);
	assert_int_equal(sent(WIRE), 0);
	assert_int_equal(dropped(DROP_GUEST_MALFORMED), 1);
	law();
}

/* headers that ask for what was not negotiated, or for what the frame is not */
static void wrong_headers_are_dropped_each_as_malformed(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 5000, 0, STREAM_ACK), bad = 0;
	const struct virtio_net_hdr right = header_for(&tcp4, frame, n, MSS);
	struct virtio_net_hdr h;

	(void)state;
#define WRONG(change)                                                   \
	do {                                                            \
		h = right;                                              \
		change;                                                 \
		send(&guests[0], &h, frame, n, 4096);                   \
		assert_int_equal(dropped(DROP_GUEST_MALFORMED), ++bad); \
	} while (0)
	frame[5] = 1;
	WRONG(h.gso_type = 2);
	WRONG(h.gso_type = 3); /* UFO */
	WRONG(h.gso_type |= 0x80);
	WRONG(h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	WRONG(h.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4);
	WRONG(h.gso_size = 0);
	WRONG(h.flags = 0);
	WRONG(h.csum_start--);
	WRONG(h.csum_offset++);
	WRONG((h.gso_type = 0, h.csum_start = 65535));
	WRONG((h.gso_type = 0, h.csum_start = 2048 - 1));
	WRONG((h.gso_type = 0, h.csum_start = 0));
	WRONG((h.gso_type = 0, h.csum_offset = 65535));
	WRONG((n = 54)); /* headers and nothing behind them */
	n = 5054;
	WRONG(frame[46] = 0x40); /* a TCP header of four words */
	assert_int_equal(sent(WIRE), 0);
	law();
	again(ALL_OFFLOADS & ~VIRTIO_NET_F_HOST_TSO4, 0);
	bad = 0;
	WRONG((void)0);
	again(VIRTIO_NET_F_MRG_RXBUF, 0);
	bad = 0;
	WRONG((void)0);
	WRONG((h.gso_type = 0, n = 100));
#undef WRONG
	law();
}

/* a guest that writes anything at all: what leaves is a frame, what does not is counted */
static void no_header_and_no_frame_does_harm(void **state)
{
	struct virtio_net_hdr hdr;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct stream s = stream_any();
		unsigned len = 1 + random() % 9000;
		unsigned n = stream_frame(&s, frame, payload, 0, len, 0, STREAM_ACK);
		unsigned hits = random() % 4;

		frame[5] = 1;
		hdr = header_for(&s, frame, n, 1 + random() % 3000);
		while (hits--)
			if (random() % 2)
				((uint8_t *)&hdr)[random() % HDR] = random();
			else
				frame[random() % stream_headers(&s)] = random();
		send(&guests[0], &hdr, frame, random() % 8 ? n : random() % n + 1,
		     1200 + random() % 8000);
		for (unsigned i = 0; i < fake[WIRE].nsent; i++) {
			assert_true(fake[WIRE].sent[i]->frame_len <= 1518);
			assert_int_equal(fake[WIRE].sent[i]->flags & ~PKT_CHAIN, 0);
			pkt_bytes(fake[WIRE].sent[i], got);
			pkt_free(fake[WIRE].sent[i]);
		}
		fake[WIRE].room += fake[WIRE].nsent;
		fake[WIRE].nsent = 0;
		tap_purge(&guests[1].dev.vhost, 0);
		law();
	}
	sent(WIRE);
}

/* --- into a guest --- */

static void from_guest_to_guest_a_long_frame_stays_whole(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 60000, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, MSS), seen;

	(void)state;
	frame[5] = 3;
	post(&guests[1], 64, 1536);
	send(&guests[0], &hdr, frame, n, 4096);
	assert_int_equal(receive(&guests[1], &seen, got), n);
	assert_memory_equal(got, frame, n);
	assert_int_equal(seen.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(seen.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(seen.gso_size, MSS);
	assert_int_equal(seen.hdr_len, 54);
	assert_int_equal(seen.csum_start, 34);
	assert_int_equal(seen.csum_offset, 16);
	assert_int_equal(seen.num_buffers, (n + HDR + 1535) / 1536);
	assert_int_equal(receive(&guests[1], &seen, got), -1);
	assert_int_equal(port_total(guests[1].dev.vhost.port).segments, 0);
	law();
}

static void a_guest_that_takes_none_gets_segments_with_their_checksums(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 4 * MSS, 0, STREAM_ACK), segments = 0;
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, MSS), seen;
	int len;

	(void)state;
	again(ALL_OFFLOADS, VIRTIO_NET_F_MRG_RXBUF);
	frame[5] = 3;
	post(&guests[1], 16, 2048);
	send(&guests[0], &hdr, frame, n, 4096);
	while ((len = receive(&guests[1], &seen, got)) >= 0) {
		n = stream_frame(&tcp4, frame, payload, segments * MSS, MSS, segments, STREAM_ACK);
		frame[5] = 3;
		assert_int_equal(len, n);
		assert_memory_equal(got, frame, n);
		assert_int_equal(seen.flags | seen.gso_type, 0);
		segments++;
	}
	assert_int_equal(segments, 4);
	law();
}

static void with_checksums_alone_it_gets_segments_without_theirs(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 2 * MSS, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, MSS), seen;

	(void)state;
	again(ALL_OFFLOADS, VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_GUEST_CSUM);
	frame[5] = 3;
	post(&guests[1], 16, 2048);
	send(&guests[0], &hdr, frame, n, 4096);
	assert_int_equal(receive(&guests[1], &seen, got), 54 + MSS);
	assert_int_equal(seen.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(seen.gso_type, 0);
	assert_int_equal(seen.csum_start, 34);
	law();
}

static void a_checksum_that_was_found_right_is_said_to_be(void **state)
{
	struct virtio_net_hdr seen;
	struct pkt *p;

	(void)state;
	post(&guests[0], 2, 2048);
	p = frame_udp(1, 2, 5, 6);
	p->flags = PKT_CSUM_OK;
	put(WIRE, p);
	put(WIRE, frame_udp(1, 2, 5, 6));
	net_settle();
	assert_int_equal(receive(&guests[0], &seen, got), 60);
	assert_int_equal(seen.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	assert_int_equal(receive(&guests[0], &seen, got), 60);
	assert_int_equal(seen.flags, 0);
	again(VIRTIO_NET_F_MRG_RXBUF, 0);
	post(&guests[0], 1, 2048);
	p = frame_udp(1, 2, 5, 6);
	p->flags = PKT_CSUM_OK;
	put(WIRE, p);
	net_settle();
	assert_int_equal(receive(&guests[0], &seen, got), 60);
	assert_int_equal(seen.flags, 0);
}

static void what_waits_when_offloads_go_is_dropped_and_counted(void **state)
{
	unsigned n = stream_frame(&tcp4, frame, payload, 0, 4 * MSS, 0, STREAM_ACK);
	struct virtio_net_hdr hdr = header_for(&tcp4, frame, n, MSS), seen;
	struct vhost_net *to = &guests[1].dev.vhost;
	unsigned before = dropped(DROP_TAP_PURGED);

	(void)state;
	frame[5] = 3;
	send(&guests[0], &hdr, frame, n, 4096); /* it has no buffers yet */
	assert_int_equal(tap_frames(to), 1);
	vhost_set_offloads(to, VIRTIO_NET_F_GUEST_CSUM);
	post(&guests[1], 16, 2048);
	send(&guests[0], &hdr, frame, n, 4096);
	assert_int_equal(dropped(DROP_TAP_PURGED), before + 1);
	assert_int_equal(receive(&guests[1], &seen, got), 54 + MSS);
	assert_int_equal(seen.gso_type, 0);
	law();
}

/* --- what explain says --- */

/* says() - of @p, on its way to guest 0; nothing of the ring has moved */
static void says(const struct pkt *p, const char *want)
{
	struct vhost_net *n = &guests[0].dev.vhost;
	struct virtq before = n->vring[VHOST_RX].vq;
	struct shell sh = { .nwords = 0 };

	host_text_clear();
	tap_explain(n->port, p, &sh);
	if (!strstr(host_out, want))
		fail_msg("wanted '%s' in '%s'", want, host_out);
	assert_memory_equal(&n->vring[VHOST_RX].vq, &before, sizeof(before));
}

static struct pkt *of_1400_bytes(void)
{
	static const struct stream from_the_wire = { .port = 1000, .host = 1 };
	struct pkt *p = stream_pkt(&from_the_wire, payload, 0, 1346, 0, STREAM_ACK, PKT_BUF_SIZE);

	p->data[5] = 2;
	return p;
}

static void what_is_said_of_its_buffers_happens(void **state)
{
	struct vhost_vring *rx = &guests[0].dev.vhost.vring[VHOST_RX];
	struct virtio_net_hdr seen;

	(void)state;
	for (unsigned wanted = 0; wanted < 2; wanted++) {
		struct pkt *p = of_1400_bytes();
		uint64_t signals = rx->signals;

		driver_want_signal(&guests[0].rx, wanted);
		says(p, "ring         g2/rx: too few buffers, so it waits\n");
		post(&guests[0], 2, 512);
		says(p, "too few buffers");
		post(&guests[0], 1, 512);
		says(p, "ring         g2/rx: 3 of the guest's buffers, 1536 bytes, mergeable\n");
		says(p, "header       flags 0, gso_type 0, num_buffers 3\n");
		says(p, wanted ? "interrupt    wanted" : "interrupt    none");
		put(WIRE, p);
		net_settle();
		assert_int_equal(receive(&guests[0], &seen, got), 1400);
		assert_int_equal(seen.num_buffers, 3);
		assert_int_equal(rx->signals - signals, wanted);
	}
	law();
}

static void what_is_said_to_be_dropped_is(void **state)
{
	struct pkt *p;

	(void)state;
	again(0, 0);
	post(&guests[0], 1, 512);
	p = of_1400_bytes();
	says(p, "ring         drop (guest_too_small)");
	put(WIRE, p);
	net_settle();
	assert_int_equal(dropped(DROP_GUEST_TOO_SMALL), 1);
	vhost_net_stop_vring(&guests[0].dev.vhost, VHOST_RX);
	p = of_1400_bytes();
	says(p, "tap          drop (tap_closed)");
	put(WIRE, p);
	net_settle();
	assert_int_equal(dropped(DROP_TAP_CLOSED), 1);
	law();
}

static void a_full_queue_is_said_to_be_full(void **state)
{
	struct pkt *p = of_1400_bytes();
	unsigned room = tap_share();

	(void)state;
	says(p, "tap          0 of ");
	while (room--)
		put(WIRE, frame_udp(1, 2, 1, 1));
	net_settle();
	says(p, "tap          drop (tap_full)");
	put(WIRE, p);
	net_settle();
	assert_int_equal(dropped(DROP_TAP_FULL), 1);
	law();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_guest_leaves_to_us_leaves_by_the_wire_as_segments),
		TEST(any_stream_in_any_pieces),
		TEST(checksums_are_finished_for_a_wire),
		TEST(segments_weigh_as_much_as_they_are_work),
		TEST(more_segments_than_there_is_time_for_are_malformed),
		TEST(a_small_pool_loses_a_long_frame_and_nothing_else),
		TEST(wrong_headers_are_dropped_each_as_malformed),
		TEST(no_header_and_no_frame_does_harm),
		TEST(from_guest_to_guest_a_long_frame_stays_whole),
		TEST(a_guest_that_takes_none_gets_segments_with_their_checksums),
		TEST(with_checksums_alone_it_gets_segments_without_theirs),
		TEST(a_checksum_that_was_found_right_is_said_to_be),
		TEST(what_waits_when_offloads_go_is_dropped_and_counted),
		TEST(what_is_said_of_its_buffers_happens),
		TEST(what_is_said_to_be_dropped_is),
		TEST(a_full_queue_is_said_to_be_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
