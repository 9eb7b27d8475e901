/* SPDX-License-Identifier: MIT */
/* links: drivers/igb.c drivers/igb_hw.c drivers/igb_rx.c drivers/igb_tx.c drivers/gbe.c drivers/gbe_hw.c drivers/gbe_filter.c drivers/gbe_up.c drivers/gbe_live.c drivers/gbe_scheme.c drivers/gbe_vectors.c drivers/gbe_single.c drivers/gbe_rss.c kernel/toeplitz.c drivers/e1000e.c drivers/e1000e_hw.c drivers/e1000e_ring.c drivers/gbe_link.c drivers/gbe_stats.c drivers/gbe_pause.c drivers/gbe_trace.c drivers/gbe_trace_cmd.c drivers/gbe_look.c drivers/gbe_names.c drivers/gbe_throttle.c drivers/gbe_rx.c drivers/gbe_tx.c drivers/gbe_offload.c drivers/e1000.c drivers/e1000_hw.c drivers/e1000_rx.c drivers/e1000_tx.c drivers/intx.c drivers/netdev.c drivers/msi.c drivers/pci.c kernel/softirq.c kernel/napi_layers.c kernel/pool.c tests/unit/fake_igb.c tests/unit/fake_gbe.c tests/unit/fake_ioapic.c tests/unit/fake_pci.c tests/unit/gbe_rig.c tests/unit/host.c */
/*
 * test_offload.c - what a NIC does with a frame beside carrying it: what igb's
 * descriptors ask for and tell
 *
 * The register file does none of it, it only reads descriptors as the datasheet has them;
 * tests/system/test_offload.py has a model that does.
 */
#include "tests/unit/host.h"

#include <string.h>

#include "kernel/bits.h"
#include "drivers/gbe_offload.h"
#include "drivers/igb.h"
#include "fake_igb.h"
#include "fake_pci.h"
#include "gbe_rig.h"

enum { MSIX = 0x70, ETH = 14, TAG = 4, IP4 = 20, IP6 = 40, TCP = 20, UDP = 8, SUM = 0x1234 };

static struct gbe *igb;

static void interrupt(unsigned v)
{
	struct irq *irq = v < dev->nqueues ? &igb->queue_irq[v] : &igb->link_irq;

	if (!irq->masked && irq->vector)
		irq->handler(irq->arg);
}

static int opened(void **state)
{
	struct fake_pci_fn *fn;

	(void)state;
	rig_start(1);
	if (!chip)
		chip = fake_pci_memory(sizeof(*chip));
	fake_igb_power_on(chip);
	chip->interrupt = interrupt;
	fn = fake_pci_add(4 << 3, 0x8086, 0x10c9, 0x020000);
	fake_pci_set16(fn, PCI_SUBSYSTEM_VENDOR_ID, 0x1af4);
	fake_pci_set16(fn, PCI_SUBSYSTEM_ID, 0x1100);
	fake_pci_bar(fn, 0, chip, 128 << 10, false);
	fake_pci_bar(fn, 3, fake_pci_memory(16 << 10), 16 << 10, true);
	fake_pci_cap(fn, MSIX, PCI_CAP_ID_MSIX);
	fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, FAKE_IGB_VECTORS - 1);
	fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, 3);
	pci_init();
	if (!rig_probe(&igb_driver))
		return -1;
	igb = dev->priv;
	if (dev->ops->open(dev))
		return -1;
	run_softirqs();
	return 0;
}

static int closed(void **state)
{
	(void)state;
	free_taken();
	dev->ops->stop(dev);
	return host_pools_full() ? 0 : -1;
}

/* --- frames --- */

/*
 * a frame with @tags, IPv4 or IPv6, TCP or UDP, @payload bytes, whose checksum is to be completed
 */
static struct pkt *partial(unsigned tags, bool ipv6, bool tcp, unsigned payload)
{
	unsigned l3 = ETH + tags * TAG, l4 = l3 + (ipv6 ? IP6 : IP4), at = l4 + (tcp ? 16 : 6);
	struct pkt *p = packet(l4 + (tcp ? TCP : UDP) + payload, 0);

	for (unsigned i = 0; i < tags; i++)
		memcpy(p->data + 12 + i * TAG, "\x81\x00\x00\x07", TAG);
	memcpy(p->data + l3 - 2, ipv6 ? "\x86\xdd" : "\x08\x00", 2);
	p->data[l4 + 12] = tcp ? 5 << 4 : 0;
	p->data[at] = SUM >> 8;
	p->data[at + 1] = SUM & 0xff;
	p->csum_start = l4;
	p->csum_offset = at - l4;
	p->flags = PKT_CSUM_PARTIAL;
	return p;
}

/* the same with @segs buffers more of 1,000 bytes, to be cut into segments of @mss */
static struct pkt *to_cut(bool ipv6, unsigned segs, unsigned mss)
{
	struct pkt *p = partial(0, ipv6, true, 0), *last = p;

	for (unsigned i = 0; i < segs; i++) {
		last->next = packet(1000, i);
		last = last->next;
	}
	p->nsegs = segs + 1;
	p->frame_len += segs * 1000;
	p->flags |= PKT_GSO | PKT_CHAIN;
	p->gso_size = mss;
	p->gso_type = ipv6 ? PKT_GSO_TCPV6 : PKT_GSO_TCPV4;
	return p;
}

static void send(struct pkt *p)
{
	assert_int_equal(give(dev, &p, 1), 1);
}

static void context_says(unsigned maclen, unsigned iplen, uint64_t bits)
{
	assert_int_equal(FIELD_GET(IGB_TXC_MACLEN, chip->context.addr), maclen);
	assert_int_equal(FIELD_GET(IGB_TXC_IPLEN, chip->context.addr), iplen);
	assert_int_equal(chip->context.cmd & (IGB_TXC_IPV4 | IGB_TXC_TCP), bits);
}

/* --- transmit --- */

static void asks_for_checksums_where_the_headers_are(void **state)
{
	const uint64_t tcp = FIELD_PREP(IGB_TXC_TCP, 1);

	(void)state;
	send(partial(0, false, true, 100));
	context_says(ETH, IP4, IGB_TXC_IPV4 | tcp);
	assert_int_equal(chip->last_cmd & (IGB_TXD_TXSM | IGB_TXD_IXSM | IGB_TXD_TSE),
			 IGB_TXD_TXSM);
	send(partial(1, false, false, 100));
	context_says(ETH + TAG, IP4, IGB_TXC_IPV4);
	send(partial(2, true, true, 100));
	context_says(ETH + 2 * TAG, IP6, tcp);
	assert_int_equal(chip->nsent, 3);
	assert_int_equal(chip->ncontexts, 3);
}

static void the_longest_chain_fits_the_shortest_ring(void **state)
{
	(void)state;
	dev->ops->stop(dev);
	assert_int_equal(gbe_set_rings(igb, GBE_RING_MIN, GBE_RING_MIN), 0);
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	for (unsigned i = 0; i + 1 < GBE_TX_REPORT; i++) /* sent, but nothing has said so yet */
		send(packet(60, i));
	send(to_cut(false, PKT_GSO_SEGS - 1, 1000)); /* with its context in front */
}

static void says_the_same_once(void **state)
{
	struct pkt *p[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++) /* plain frames between them change nothing */
		p[i] = i % 2 ? packet(100, 0) : partial(0, false, false, 60 + i);
	assert_int_equal(give(dev, p, 8), 8);
	assert_int_equal(chip->ncontexts, 1);
	assert_int_equal(chip->nsent, 8);
	dev->ops->stop(dev); /* a chip that was reset knows none */
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	send(partial(0, false, false, 60));
	assert_int_equal(chip->ncontexts, 2);
}

static void has_long_frames_cut(void **state)
{
	const unsigned header = ETH + IP4 + TCP;
	struct pkt *p = to_cut(false, 4, 1448);
	uint16_t want = SUM - (TCP + 4000); /* without the length, which was in the sum */

	(void)state;
	send(p);
	assert_int_equal(chip->sent_len[0], header + 4000);
	assert_int_equal(FIELD_GET(IGB_TXC_MSS, chip->context.cmd), 1448);
	assert_int_equal(FIELD_GET(IGB_TXC_L4LEN, chip->context.cmd), TCP);
	assert_int_equal(FIELD_GET(IGB_TXD_PAYLEN, chip->last_cmd), 4000);
	assert_int_equal(chip->last_cmd & (IGB_TXD_TXSM | IGB_TXD_IXSM | IGB_TXD_TSE),
			 IGB_TXD_TXSM | IGB_TXD_IXSM | IGB_TXD_TSE);
	assert_int_equal(chip->last[ETH + IP4 + 16] << 8 | chip->last[ETH + IP4 + 17], want);
	send(to_cut(true, 2, 1428));
	assert_int_equal(chip->last_cmd & (IGB_TXD_IXSM | IGB_TXD_TSE), IGB_TXD_TSE);
	context_says(ETH, IP6, FIELD_PREP(IGB_TXC_TCP, 1));
}

static void puts_tags_in(void **state)
{
	struct pkt *p = packet(100, 0), *q = partial(0, false, false, 100);

	(void)state;
	p->flags = q->flags |= PKT_VLAN;
	p->flags = PKT_VLAN;
	p->vlan_tci = 0xa123;
	q->vlan_tci = 0x0456;
	send(p);
	assert_true(chip->last_cmd & GBE_TXD_VLE);
	assert_int_equal(FIELD_GET(IGB_TXC_VLAN, chip->context.addr), 0xa123);
	send(q);
	assert_true(chip->last_cmd & GBE_TXD_VLE);
	assert_int_equal(FIELD_GET(IGB_TXC_VLAN, chip->context.addr), 0x0456);
	context_says(ETH, IP4, IGB_TXC_IPV4);
	send(packet(100, 0));
	assert_false(chip->last_cmd & GBE_TXD_VLE);
}

/* what a flag means on the way in asks for nothing on the way out */
static void asks_for_nothing_by_flags_of_the_way_in(void **state)
{
	struct pkt *p = packet(100, 0);

	(void)state;
	p->flags = PKT_HASH | PKT_CSUM_OK;
	send(p);
	assert_int_equal(chip->ncontexts, 0);
	assert_int_equal(chip->nsent, 1);
}

static void refused(struct pkt *p)
{
	uint64_t before = cpus[0]->drop[DROP_TX_OFFLOAD], errors = stat_of("tx_errors");

	send(p);
	assert_int_equal(cpus[0]->drop[DROP_TX_OFFLOAD], before + 1);
	assert_int_equal(stat_of("tx_errors"), errors + 1);
	assert_int_equal(chip->nsent, 0);
}

static void drops_what_its_headers_do_not_bear(void **state)
{
	struct pkt *p[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		p[i] = partial(0, false, true, 100);
	p[0]->csum_offset = 12;   /* neither TCP's nor UDP's */
	p[1]->csum_start = 20;    /* within the IP header */
	p[2]->csum_start = 150;   /* its header does not fit the frame */
	p[3]->data[12] = 0x88;    /* not IP */
	p[4]->data[46] = 15 << 4; /* TCP header of 60 bytes, in a frame that has as many, but of one
				     byte less: below */
	p[4]->len = p[4]->frame_len = ETH + IP4 + 59;
	p[5]->flags |= PKT_GSO; /* without a size */
	p[5]->gso_size = 0;
	p[6]->csum_offset = 6; /* UDP is not cut */
	p[6]->flags |= PKT_GSO;
	p[6]->gso_size = 50;
	p[7]->csum_start = NETDEV_TX_HEADERS - 19; /* too far behind for the chip's fields */
	p[7]->len = p[7]->frame_len = 1000;
	for (unsigned i = 0; i < 8; i++)
		refused(p[i]);
}

static void keeps_a_frame_whose_context_finds_no_buffer(void **state)
{
	struct pkt *p = to_cut(false, 1, 500), *hoard[POOL];
	unsigned n = 0;

	(void)state;
	while ((hoard[n] = pkt_alloc()))
		n++;
	assert_int_equal(give(dev, &p, 1), 0);
	assert_int_equal(dev->queue[0].tx_busy, 1);
	assert_int_equal(p->data[ETH + IP4 + 17], SUM & 0xff); /* as it came */
	while (n)
		pkt_free(hoard[--n]);
	send(p);
	assert_int_equal(chip->nsent, 1);
}

static void takes_contexts_back_with_the_rest(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		send(partial(i % 3, i % 2, i % 5, 60));
	assert_int_equal(chip->nsent, 2000);
	assert_true(chip->ncontexts > 1500);
}

/* --- receive --- */

/* one frame of @len bytes whose descriptor says so; what was made of it is taken[0] */
static struct pkt *frame_told(uint32_t status, uint64_t type_hash, uint16_t tag, uint32_t len)
{
	uint32_t at = chip->reg[IGB_RDH(0) / 4];

	free_taken();
	assert_true(fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | status, len, true));
	fake_gbe_rx_desc(chip, IGB_RDBAL(0), at)->advanced.type_hash = type_hash;
	fake_gbe_rx_desc(chip, IGB_RDBAL(0), at)->advanced.vlan = tag;
	interrupt(0);
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->frame_len, len);
	return taken[0];
}

static void want(uint32_t features)
{
	dev->wanted_features = features;
	netdev_update_features(dev);
}

static void tells_nothing_unless_asked(void **state)
{
	struct pkt *p;

	(void)state;
	p = frame_told(GBE_RXD_L4CS, UINT64_C(0xcafe) << 32 | 1, 0, 60);
	assert_int_equal(p->flags, 0);
	p = frame_told(GBE_RXD_VP, 0, 7, 60); /* taken out before that was switched off */
	assert_int_equal(p->flags, PKT_VLAN);
	assert_int_equal(p->vlan_tci, 7);
}

static void tells_what_it_is_asked_for(void **state)
{
	const uint64_t hash = UINT64_C(0xcafe) << 32;
	struct pkt *p;

	(void)state;
	want(NETDEV_RX_CSUM);
	assert_int_equal(frame_told(GBE_RXD_L4CS, hash | 1, 0, 60)->flags, PKT_CSUM_OK);
	assert_int_equal(frame_told(GBE_RXD_UDPCS, hash | 1, 0, 60)->flags, PKT_CSUM_OK);
	assert_int_equal(frame_told(0, hash | 1, 0, 60)->flags, 0);
	assert_int_equal(frame_told(GBE_RXD_L4CS | GBE_RXD_L4E, 0, 0, 60)->flags, 0);
	assert_int_equal(frame_told(GBE_RXD_L4CS | GBE_RXD_IPE, 0, 0, 60)->flags, 0);
	assert_int_equal(dev->queue[0].rx_csum_errors, 2);
	want(NETDEV_RX_HASH | NETDEV_RX_VLAN);
	p = frame_told(GBE_RXD_L4CS | GBE_RXD_VP, hash | 1, 0x2009, 56);
	assert_int_equal(p->flags, PKT_HASH | PKT_VLAN);
	assert_int_equal(p->hash, 0xcafe);
	assert_int_equal(p->vlan_tci, 0x2009);
	assert_int_equal(frame_told(0, hash, 0, 60)->flags, 0); /* type 0: not hashed */
	want(0);
	assert_int_equal(frame_told(GBE_RXD_L4CS, hash | 1, 0, 60)->flags, 0);
}

/* the last descriptor of a frame speaks for all of it */
static void tells_it_of_long_frames_too(void **state)
{
	(void)state;
	want(NETDEV_RX_CSUM | NETDEV_RX_VLAN);
	assert_true(fake_igb_rx_raw(chip, 0, GBE_RXD_DD, 2048, true));
	assert_true(fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | GBE_RXD_VP | GBE_RXD_L4CS,
				    100, false));
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->flags, PKT_CHAIN | PKT_VLAN | PKT_CSUM_OK);
	assert_int_equal(taken[0]->frame_len, 2148);
}

static void programs_what_is_switched(void **state)
{
	(void)state;
	assert_int_equal(chip->reg[GBE_CTRL / 4] & GBE_CTRL_VME, 0);
	/*
	 * a hash is always there, so that telling begins with one frame and not with
	 * those that come from now on
	 */
	assert_true(chip->reg[GBE_MRQC / 4] & IGB_MRQC_RSS);
	chip->nlog = 0;
	want(NETDEV_RX_VLAN | NETDEV_RX_HASH);
	assert_true(chip->reg[GBE_CTRL / 4] & GBE_CTRL_VME);
	assert_int_equal(fake_gbe_writes(chip, GBE_MRQC, 0),
			 0);                         /* nor may it be while the receiver is on */
	assert_true(dev->features & NETDEV_TX_VLAN); /* one bit for both ways */
	dev->ops->stop(dev);
	want(0); /* while it is down it is only remembered */
	assert_int_equal(dev->ops->open(dev), 0);
	assert_int_equal(chip->reg[GBE_CTRL / 4] & GBE_CTRL_VME, 0);
	run_softirqs();
}

static void follows_needs_and_dependencies(void **state)
{
	(void)state;
	want(NETDEV_TSO4 | NETDEV_TSO6); /* a segment has a checksum of its own */
	assert_int_equal(dev->features & (NETDEV_TSO4 | NETDEV_TSO6), 0);
	want(NETDEV_TSO4 | NETDEV_TX_CSUM | NETDEV_UDP_L4); /* the last it has not */
	assert_int_equal(dev->features & ~NETDEV_GSO, NETDEV_TSO4 | NETDEV_TX_CSUM);
	dev->needed_features = NETDEV_RX_HASH;
	want(0);
	assert_int_equal(dev->features & ~NETDEV_GSO, NETDEV_RX_HASH);
	assert_true(igb->rx[0]->tell == NETDEV_RX_HASH);
}

#define OPENED(name) cmocka_unit_test_setup_teardown(name, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPENED(asks_for_checksums_where_the_headers_are),
		OPENED(the_longest_chain_fits_the_shortest_ring),
		OPENED(says_the_same_once),
		OPENED(has_long_frames_cut),
		OPENED(puts_tags_in),
		OPENED(asks_for_nothing_by_flags_of_the_way_in),
		OPENED(drops_what_its_headers_do_not_bear),
		OPENED(keeps_a_frame_whose_context_finds_no_buffer),
		OPENED(takes_contexts_back_with_the_rest),
		OPENED(tells_nothing_unless_asked),
		OPENED(tells_what_it_is_asked_for),
		OPENED(tells_it_of_long_frames_too),
		OPENED(programs_what_is_switched),
		OPENED(follows_needs_and_dependencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
