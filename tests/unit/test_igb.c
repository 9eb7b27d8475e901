/* SPDX-License-Identifier: MIT */
/* links: drivers/igb.c drivers/igb_hw.c drivers/igb_rx.c drivers/igb_tx.c drivers/gbe.c drivers/gbe_hw.c drivers/gbe_filter.c drivers/gbe_up.c drivers/gbe_live.c drivers/gbe_scheme.c drivers/gbe_vectors.c drivers/gbe_single.c drivers/gbe_rss.c kernel/toeplitz.c drivers/e1000e.c drivers/e1000e_hw.c drivers/e1000e_ring.c drivers/gbe_link.c drivers/gbe_stats.c drivers/gbe_pause.c drivers/gbe_trace.c drivers/gbe_trace_cmd.c drivers/gbe_look.c drivers/gbe_names.c drivers/gbe_throttle.c drivers/gbe_rx.c drivers/gbe_tx.c drivers/gbe_offload.c drivers/e1000.c drivers/e1000_hw.c drivers/e1000_rx.c drivers/e1000_tx.c drivers/intx.c drivers/netdev.c drivers/msi.c drivers/pci.c kernel/softirq.c kernel/napi_layers.c kernel/pool.c tests/unit/fake_igb.c tests/unit/fake_gbe.c tests/unit/fake_ioapic.c tests/unit/fake_pci.c tests/unit/gbe_rig.c tests/unit/host.c */
/*
 * test_igb.c - the real igb driver and the real NAPI on a register file that plays
 * what QEMU's model cannot
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/bits.h"
#include "kernel/path.h"
#include "kernel/softirq.h"
#include "kernel/trace.h"
#include "drivers/igb.h"
#include "drivers/netdev_look.h"
#include "fake_igb.h"
#include "fake_pci.h"
#include "gbe_rig.h"

enum { MSIX = 0x70 };

static struct fake_pci_fn *fn;
static struct gbe *igb;

/* --- record points: a link is recorded by the port above */

static unsigned links_recorded;

void trace_record(enum trace_point p, uint64_t a, uint64_t b)
{
	(void)a;
	(void)b;
	links_recorded += p == TRACE_LINK;
}

/* --- stamped packets: which were marked */

static const struct pkt *marked[8];
static unsigned nmarked;

void path_mark_now(const struct pkt *p, enum path_point point)
{
	assert_int_equal(point, PATH_XMIT);
	marked[nmarked++ % ARRAY_SIZE(marked)] = p;
}

/* --- the machine: vectors arrive at the core they are routed to */

static void interrupt(unsigned v)
{
	struct irq *irq;
	unsigned was;

	if (!dev) /* none has been asked for yet */
		return;
	irq = v < dev->nqueues ? &igb->queue_irq[v] : &igb->link_irq;
	if (irq->masked || !irq->vector)
		return;
	was = host_play(irq->cpu);
	irq->handler(irq->arg);
	host_play(was);
}

static int probe(unsigned ncores, uint16_t subvendor, uint16_t subdevice)
{
	rig_start(ncores);
	if (!chip)
		chip = fake_pci_memory(sizeof(*chip));
	fake_igb_power_on(chip);
	chip->interrupt = interrupt;
	fn = fake_pci_add(4 << 3, 0x8086, 0x10c9, 0x020000);
	fake_pci_set16(fn, PCI_SUBSYSTEM_VENDOR_ID, subvendor);
	fake_pci_set16(fn, PCI_SUBSYSTEM_ID, subdevice);
	fake_pci_bar(fn, 0, chip, 128 << 10, false);
	fake_pci_bar(fn, 3, fake_pci_memory(16 << 10), 16 << 10, true);
	fake_pci_cap(fn, MSIX, PCI_CAP_ID_MSIX);
	fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, FAKE_IGB_VECTORS - 1);
	fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, 3);
	links_recorded = 0;
	trace_on = true;
	pci_init();
	if (!rig_probe(&igb_driver))
		return -ENODEV;
	igb = dev->priv;
	return 0;
}

static int probed(void **state)
{
	(void)state;
	return probe(2, 0x1af4, 0x1100);
}

static int opened_on(unsigned ncores)
{
	if (probe(ncores, 0x1af4, 0x1100) || dev->ops->open(dev))
		return -1;
	run_softirqs(); /* the first poll posts the buffers */
	chip->nlog = 0;
	memset(chip->interrupts, 0, sizeof(chip->interrupts)); /* of what was measured */
	return 0;
}

static int opened(void **state)
{
	(void)state;
	return opened_on(1);
}

static int opened_on_2_cores(void **state)
{
	(void)state;
	return opened_on(2);
}

/* every packet is back home, but for what the driver still holds once it was stopped: nothing */
static int closed(void **state)
{
	(void)state;
	free_taken();
	if (dev && dev->up)
		dev->ops->stop(dev);
	return host_pools_full() ? 0 : -1;
}

/* posted() - buffers that the device has of ring @q */
static unsigned posted(unsigned q)
{
	return igb->rx[q]->fill - igb->rx[q]->next;
}

static void tally(void *held, struct pkt *chain)
{
	seg_for_each(seg, chain)
		(*(unsigned *)held)++;
}

/* --- probe --- */

static void probes_and_leaves_the_chip_silent(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0, 0, 0x0a };

	(void)state;
	assert_string_equal(dev->name, "nic0");
	assert_string_equal(dev->bus_info, "0000:00:04.0");
	assert_memory_equal(dev->mac, mac, ETH_ALEN);
	assert_int_equal(dev->max_queues, NETDEV_MAX_QUEUES);
	assert_int_equal(dev->nqueues, 2);
	assert_int_equal(dev->queue[1].cpu, 1);
	assert_string_equal(dev->queue[1].name, "nic0-TxRx-1");
	assert_int_equal(chip->resets, 1);
	assert_int_equal(chip->reg[IGB_EIMS / 4] | chip->reg[GBE_RCTL / 4], 0);
	assert_true(fake_pci_get16(fn, PCI_COMMAND) & PCI_COMMAND_MASTER);
	assert_false(dev->up);
}

static void has_no_more_queues_than_vectors_but_one(void **state)
{
	probed(state);
	fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, 3 - 1);
	rig_probe_again(&igb_driver);
	assert_int_equal(netdevs[0]->max_queues, 2);
	fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, 1 - 1);
	rig_probe_again(&igb_driver);
	assert_int_equal(nnetdevs, 0);
}

static int probe_again(void)
{
	return rig_probe_again(&igb_driver);
}

static void refuses_a_chip_that_does_not_come_out_of_reset(void **state)
{
	(void)state;
	chip->reset_hangs = true;
	assert_int_equal(probe_again(), 0);
	assert_non_null(strstr(host_log, "reset: not within"));
}

static void resets_a_chip_whose_dma_does_not_end_all_the_same(void **state)
{
	(void)state;
	chip->dma_hangs = true;
	assert_int_equal(probe_again(), 1);
	assert_non_null(strstr(host_log, "end of DMA: not within"));
}

/* --- open: the datasheet's order --- */

static void opens_in_the_order_of_the_datasheet(void **state)
{
	static const struct rig_step order[] = {
		{ "1. causes off", GBE_IMC, UINT32_MAX },
		{ "1. vectors off", GBE_EIMC, UINT32_MAX },
		{ "2. no new DMA", GBE_CTRL, GBE_CTRL_GIO_OFF },
		{ "2. reset", GBE_CTRL, GBE_CTRL_RST },
		{ "2. vectors off again", GBE_EIMC, UINT32_MAX },
		{ "2. general configuration", GBE_CTRL, GBE_CTRL_SLU },
		{ "3. negotiate the link", GBE_MDIC, GBE_PHY_AN_ENABLE | GBE_PHY_AN_RESTART },
		{ "5. receive address", GBE_RAH(0), GBE_RAH_AV },
		{ "5. receive ring", IGB_RDLEN(0), 4096 },
		{ "5. receive buffers of 2 KiB", IGB_SRRCTL(0), 2 },
		{ "5. receive queue on", IGB_RXDCTL(0), IGB_RXDCTL_ENABLE },
		{ "6. transmit ring", IGB_TDLEN(0), 4096 },
		{ "6. transmit queue on", IGB_TXDCTL(0), IGB_TXDCTL_ENABLE },
		{ "6. transmitter on", GBE_TCTL, GBE_TCTL_EN },
		{ "7. vectors' mode", IGB_GPIE, IGB_GPIE_MSIX | IGB_GPIE_NSICR },
		{ "7. vectors clear themselves", IGB_EIAC, 3 },
		{ "7. queue's vector", IGB_IVAR(0), IGB_IVAR_VALID },
		{ "7. link's vector", IGB_IVAR_MISC, (IGB_IVAR_VALID | 1) << 8 },
		{ "7. causes on", GBE_IMS, GBE_ICR_LSC | GBE_ICR_RXO },
		{ "5. receiver on, last of all", GBE_RCTL, GBE_RCTL_EN },
		{ "buffers, by the first poll", IGB_RDT(0), 240 },
		{ "vector on, by the first poll", IGB_EIMS, 1 },
	};

	(void)state;
	probe(1, 0x1af4, 0x1100);
	opens_in_order(order, ARRAY_SIZE(order));
	assert_true(dev->up);
	assert_int_equal(dev->txq_of_cpu[0], 0);
	assert_int_equal(chip->reg[GBE_RETA(0) / 4],
			 0); /* it hashes, and all goes to the one queue */
	assert_int_equal(igb->link_irq.masked, 0);
}

static void spreads_flows_over_the_queues(void **state)
{
	(void)state;
	assert_int_equal(chip->reg[GBE_MRQC / 4] & 7, IGB_MRQC_RSS);
	assert_int_equal(chip->reg[GBE_RETA(0) / 4], 0x01000100);
	assert_int_equal(chip->reg[GBE_RETA(31) / 4], 0x01000100);
	assert_int_equal(chip->reg[GBE_RSSRK(9) / 4], 0x5a6d5a6d);
	assert_true(chip->reg[GBE_RXCSUM / 4] & GBE_RXCSUM_PCSD);
	assert_true(chip->reg[IGB_SRRCTL(1) / 4] & IGB_SRRCTL_DROP_EN);
	assert_int_equal(dev->txq_of_cpu[0], 0);
	assert_int_equal(dev->txq_of_cpu[1], 1);
	/* each ring is filled by its owner, from its own pool */
	assert_int_equal(cpus[0]->pool->nfree, POOL - 240);
	assert_int_equal(cpus[1]->pool->nfree, POOL - 240);
}

static void fails_to_open(int err, const char *why)
{
	host_text_clear();
	assert_int_equal(dev->ops->open(dev), err);
	if (!strstr(host_log, why))
		fail_msg("expected '%s', seen '%s'", why, host_log);
	assert_false(dev->up);
	assert_int_equal(igb->queue_irq[0].vector | igb->link_irq.vector, 0);
	assert_int_equal(dev->queue[0].napi.state, NAPI_DISABLED);
	assert_true(host_pools_full());
}

static void gives_everything_back_when_it_cannot_open(void **state)
{
	(void)state;
	chip->phy_dead = true;
	fails_to_open(-ETIMEDOUT, "PHY write: not within");
	chip->phy_dead = false;
	chip->phy_error = true;
	fails_to_open(-EIO, "PHY does not answer");
	chip->phy_error = false;
	chip->queues_hang = true;
	fails_to_open(-ETIMEDOUT, "receive queue on: not within");
	chip->queues_hang = false;
	chip->reset_hangs = true;
	fails_to_open(-ETIMEDOUT, "reset: not within");
	chip->reset_hangs = false;
	assert_int_equal(dev->ops->open(dev), 0);
}

static void programs_filters_and_length(void **state)
{
	static const uint8_t mac[] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };

	(void)state;
	assert_int_equal(chip->reg[IGB_RLPML / 4], 1522); /* 1500 + 14 + a tag + FCS */
	assert_int_equal(chip->reg[GBE_RCTL / 4] & GBE_RCTL_UPE, 0);
	dev->mtu = 9000;
	dev->promisc = true;
	memcpy(dev->mac, mac, ETH_ALEN);
	dev->ops->set_rx_mode(dev);
	assert_int_equal(chip->reg[IGB_RLPML / 4], 9022);
	assert_int_equal(chip->reg[GBE_RCTL / 4] &
				 (GBE_RCTL_UPE | GBE_RCTL_MPE | GBE_RCTL_LPE | GBE_RCTL_EN),
			 GBE_RCTL_UPE | GBE_RCTL_MPE | GBE_RCTL_LPE | GBE_RCTL_EN);
	assert_int_equal(chip->reg[GBE_RAL(0) / 4], 0x33221102);
	assert_int_equal(chip->reg[GBE_RAH(0) / 4], GBE_RAH_AV | 0x5544);
	dev->promisc = false;
	dev->ops->set_rx_mode(dev);
	assert_int_equal(chip->reg[GBE_RCTL / 4] & GBE_RCTL_UPE, 0);
}

/* table_is() - as @dev->group has it, these bits are set, and no other. */
static void table_is(const unsigned *bit, unsigned n)
{
	uint32_t want[GBE_MTA_WORDS] = { 0 };

	dev->ngroups = n;
	dev->ops->set_rx_mode(dev);
	while (n--)
		want[bit[n] / 32] |= UINT32_C(1) << bit[n] % 32;
	assert_memory_equal(&chip->reg[GBE_MTA(0) / 4], want, sizeof(want));
}

static void a_group_is_a_bit_of_the_table(void **state)
{
	static const uint8_t group[][ETH_ALEN] = {
		{ 0x13, 0x34, 0x56, 0x78, 0x9a,
		  0xbc }, /* the datasheet's example, but for one bit */
		{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x05 },
		{ 0x33, 0x33, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0x7f, 0x0f, 0x05 }, /* shares the second one's */
	};
	static const unsigned bit[] = { 0xbc9, 0x050, 0xfff, 0x050 };

	(void)state;
	memcpy(dev->group, group, sizeof(group));
	for (unsigned n = 0; n <= ARRAY_SIZE(group); n++)
		table_is(bit, n);
	assert_int_equal(chip->reg[GBE_RCTL / 4] & (GBE_RCTL_MPE | GBE_RCTL_MO), 0);
	table_is(bit, 2);
	assert_true(dev->ops->takes_group(dev, group[3])); /* a chip cannot tell them apart */
	assert_false(dev->ops->takes_group(dev, group[2]));
	dev->ops->stop(dev); /* a reset empties it */
	assert_int_equal(dev->ops->open(dev), 0);
	table_is(bit, 2);
	dev->allmulti = true;
	table_is(bit, 2);
	assert_int_equal(chip->reg[GBE_RCTL / 4] & (GBE_RCTL_MPE | GBE_RCTL_UPE), GBE_RCTL_MPE);
	assert_true(dev->ops->takes_group(dev, group[2]));
	dev->allmulti = false;
	table_is(bit, 0);
	assert_int_equal(chip->reg[GBE_RCTL / 4] & GBE_RCTL_MPE, 0);
}

/* --- receive --- */

static void receives_frames_in_order(void **state)
{
	(void)state;
	receives_in_order();
	assert_int_equal(chip->eicr_reads, 0);
}

static void posts_buffers_in_groups(void **state)
{
	(void)state;
	receive_one_by_one(320, 64);
	assert_int_equal(fake_igb_writes(chip, IGB_RDT(0), 0), 320 / GBE_RX_GROUP);
	chip->nlog = 0;
	receive(64, 64); /* however many groups a poll posts, it says so once */
	assert_int_equal(fake_igb_writes(chip, IGB_RDT(0), 0), 1);
}

/* as far as the shares go, a NIC with queues on core 0 */
static void no_share(struct netdev *d, unsigned q, unsigned n)
{
	(void)d;
	assert_in_range(q, 0, 5);
	assert_int_equal(n, POOL / 2 / 8);
}

/* a ring gets its part of half of the pool, whoever's the other queues are that the core owns */
static void leaves_of_the_pool_what_other_rings_need(void **state)
{
	static const struct netdev_ops ops = { .set_rx_share = no_share };
	static struct netdev other;

	(void)state;
	other = (struct netdev){ .ops = &ops, .nqueues = 6 };
	netdev_register(&other);
	igb->queue_irq[1].moved(igb->queue_irq[1].arg, 0); /* two queues of ours as well */
	receive_one_by_one(300, 60);
	assert_in_range(posted(0), 240, 255); /* the other NIC is down */
	other.up = true;
	netdev_share_pools();
	assert_in_range(posted(0), 240, 255); /* what the device has it keeps */
	receive_one_by_one(300, 60);
	assert_in_range(posted(0), POOL / 2 / 8 - GBE_RX_GROUP, POOL / 2 / 8);
	other.up = false;
	igb->queue_irq[1].moved(igb->queue_irq[1].arg, 1);
	receive_one_by_one(20, 60);
	assert_in_range(posted(0), 256 - GBE_RX_GROUP, 255);
	gbe_rx_share(dev, 0, 1); /* a long frame fits all the same */
	for (unsigned i = 0; i < 100; i++) {
		receive(1, PKT_MAX_SEGS * PKT_BUF_SIZE);
		assert_int_equal(ntaken, 1);
		free_taken();
	}
	assert_in_range(posted(0), PKT_MAX_SEGS, GBE_RX_SHARE_MIN);
}

static void stops_at_the_budget_and_goes_on(void **state)
{
	struct pkt **p = dev->queue[0].taken;

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 100 + i, true);
	assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 8), 8);
	for (unsigned i = 0; i < 8; i++)
		pkt_free(p[i]);
	assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 8), 4);
	assert_int_equal(p[3]->len, 111);
	for (unsigned i = 0; i < 4; i++)
		pkt_free(p[i]);
	assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 8), 0);
}

static void takes_a_batch_across_the_wrap_of_the_ring(void **state)
{
	struct pkt **p = dev->queue[0].taken;

	(void)state;
	receive_one_by_one(250, 64);
	for (unsigned i = 0; i < 8;
	     i++) /* descriptors 250 to 255, 0 and 1: no refill is due before the wrap */
		fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 100 + i, true);
	assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 64), 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(p[i]->len, 100 + i);
		pkt_free(p[i]);
	}
}

/* set_rings() - close it, give its rings @n descriptors each, open it again */
static void set_rings(unsigned n)
{
	dev->ops->stop(dev);
	assert_int_equal(gbe_set_rings(igb, n, n), 0);
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
}

/*
 * several times around it, a full ring and one too many, and back to a size it had: all
 * by what the chip is told
 */
static void has_rings_of_any_size(void **state)
{
	static const unsigned sizes[] = { GBE_RING_MIN, 1024, GBE_RING_MAX, 128 };
	struct pkt **p = dev->queue[0].taken;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned size = sizes[i];

		set_rings(size);
		assert_int_equal(chip->reg[IGB_RDLEN(0) / 4], size * 16);
		assert_int_equal(chip->reg[IGB_TDLEN(0) / 4], size * 16);
		assert_true(posted(0) >= MIN(size - GBE_RX_GROUP, POOL / 2 - GBE_RX_GROUP));
		assert_true(posted(0) < size);
		receive_one_by_one(size - 6, 64);
		for (unsigned n = 0; n < 8;
		     n++) /* one run ends at the wrap, and the batch goes on behind it */
			fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 100 + n, true);
		assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 64), 8);
		for (unsigned n = 0; n < 8; n++)
			pkt_free(p[n]);
		receive_one_by_one(2 * size + 10, 64);
		for (unsigned n = 0; n < 3 * size; n += 16)
			transmit(16, 60);
		chip->tx_stalled = true;
		for (unsigned n = 0; n < MIN(size, 256) / 16; n++)
			transmit(n ? 16 : 15, 60);
		chip->tx_stalled = false;
	}
}

static void keeps_its_rings_where_memory_has_run_out(void **state)
{
	(void)state;
	dev->ops->stop(dev);
	host_mem_left = 100000;
	assert_int_equal(gbe_set_rings(igb, 1024, 1024), -ENOMEM);
	host_mem_left = SIZE_MAX;
	assert_int_equal(dev->ops->open(dev), 0);
	assert_int_equal(chip->reg[IGB_RDLEN(0) / 4], NETDEV_RING * 16);
	run_softirqs();
	receive_one_by_one(300, 64);
}

/*
 * a packet may have grown or lost a header on its way out: the next frame in its buffer
 * begins at the front again
 */
static void a_buffer_used_before_begins_at_its_front(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++) { /* longer than the ring */
		receive(1, i % 2 ? 64 : 3000);
		seg_for_each(seg, taken[0])
			assert_ptr_equal(seg->data, pkt_buf(seg));
		seg_for_each(seg, taken[0])
			seg->data += 14;
		free_taken();
	}
}

static void puts_long_frames_together(void **state)
{
	static const uint32_t lens[] = {
		2048, 2049, 4096, 5000, 9018, PKT_MAX_SEGS * PKT_BUF_SIZE
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++)
		receives_long(lens[i]);
	assert_int_equal(dev->queue[0].napi.packets, ARRAY_SIZE(lens));
	assert_int_equal(dev->queue[0].rx_dropped, 0);
}

static void drops_a_frame_of_impossible_length(void **state)
{
	(void)state;
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 0, false);
	dropped(DROP_RX_ERROR);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, PKT_BUF_SIZE + 1, false);
	dropped(DROP_RX_ERROR);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, UINT16_MAX, false);
	dropped(DROP_RX_ERROR);
	/* in the middle of a long one: all of it goes, once */
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, 0, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 60, false);
	dropped(DROP_RX_ERROR);
	assert_int_equal(dev->queue[0].rx_dropped, 4);
}

static void drops_a_frame_that_was_damaged_on_the_wire(void **state)
{
	(void)state;
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | GBE_RXD_RXE, 100, false);
	dropped(DROP_RX_ERROR);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | GBE_RXD_RXE, 100, false);
	dropped(DROP_RX_ERROR);
}

/* forwarded, and counted once a frame: the device says so in its last buffer */
static void counts_wrong_checksums(void **state)
{
	const uint32_t done = GBE_RXD_DD | GBE_RXD_EOP;

	(void)state;
	assert_true(chip->reg[GBE_RXCSUM / 4] & GBE_RXCSUM_IPOFL);
	assert_true(chip->reg[GBE_RXCSUM / 4] & GBE_RXCSUM_TUOFL);
	fake_igb_rx_raw(chip, 0, done, 60, false);
	fake_igb_rx_raw(chip, 0, done | GBE_RXD_IPE, 61, false);
	fake_igb_rx_raw(chip, 0, done | GBE_RXD_L4E | GBE_RXD_IPE, 62, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_L4E, PKT_BUF_SIZE,
			false); /* says nothing yet */
	fake_igb_rx_raw(chip, 0, done | GBE_RXD_L4E, 9, false);
	fake_igb_rx_raw(chip, 0, done, 64, false);
	run_softirqs();
	assert_int_equal(ntaken, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(taken[i]->frame_len, i == 3 ? PKT_BUF_SIZE + 9 : 60 + i);
	assert_int_equal(stat_of("rx_queue_0_csum_err"), 3);
	assert_int_equal(dev->queue[0].napi.packets, 5);
	assert_int_equal(dev->queue[0].rx_dropped, 0);
	/* one that is damaged beside is dropped, and nobody's business any more */
	fake_igb_rx_raw(chip, 0, done | GBE_RXD_L4E | GBE_RXD_RXE, 60, false);
	free_taken();
	run_softirqs();
	assert_int_equal(ntaken, 0);
	assert_int_equal(stat_of("rx_queue_0_csum_err"), 3);
}

static void drops_a_frame_that_is_too_long_for_a_chain(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PKT_MAX_SEGS + 3; i++)
		fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 60, false);
	dropped(DROP_RX_TOO_LONG);
}

static void waits_for_the_rest_of_a_frame_over_polls(void **state)
{
	(void)state;
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	run_softirqs();
	assert_int_equal(ntaken, 0);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	run_softirqs();
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP, 9, false);
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->frame_len, 2 * PKT_BUF_SIZE + 9);
}

/* --- done bits and interrupts that come when they like --- */

static void finds_a_frame_whose_done_bit_comes_late(void **state)
{
	struct napi *napi = &dev->queue[0].napi;

	(void)state;
	fake_igb_rx_raw(chip, 0, GBE_RXD_EOP, 60, false); /* interrupt, but DD is not there yet */
	run_softirqs();
	assert_int_equal(ntaken, 0);
	assert_int_equal(napi->state, NAPI_IDLE);
	assert_false(napi->ops->work_pending(napi));
	fake_igb_rx_done(chip, 0);
	assert_true(napi->ops->work_pending(napi)); /* what the look after the unmask finds */
	napi_schedule(napi);
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(taken[0]->len, 60);
}

static void done_at_unmask(struct fake_gbe *f)
{
	f->unmasked = NULL;
	fake_igb_rx_raw(f, 0, GBE_RXD_DD | GBE_RXD_EOP, 61, true); /* without any interrupt */
}

static void loses_no_frame_that_comes_between_last_look_and_unmask(void **state)
{
	(void)state;
	finds_a_frame_of(done_at_unmask);
}

static void masks_in_the_interrupt_and_unmasks_when_done(void **state)
{
	(void)state;
	fake_igb_rx(chip, 0, 60, 0);
	assert_int_equal(chip->reg[IGB_EIMS / 4] & 1, 0);
	assert_int_equal(fake_igb_writes(chip, GBE_EIMC, 0), 1);
	fake_igb_rx(chip, 0, 60, 0); /* masked: stays in EICR */
	assert_int_equal(chip->interrupts[0], 1);
	run_softirqs();
	assert_int_equal(ntaken, 2);
	assert_int_equal(chip->reg[IGB_EIMS / 4] & 1, 1);
	assert_int_equal(chip->eicr_reads, 0);
}

static void takes_an_interrupt_while_scheduled_as_normal(void **state)
{
	struct napi *napi = &dev->queue[0].napi;

	(void)state;
	fake_igb_rx(chip, 0, 60, 0);
	interrupt(0); /* a throttle timer that looks at no mask */
	interrupt(0);
	assert_int_equal(napi->irqs_while_scheduled, 2);
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(napi->state, NAPI_IDLE);
	interrupt(0); /* and one without any work */
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_int_equal(napi->state, NAPI_IDLE);
	assert_int_equal(chip->reg[IGB_EIMS / 4] & 1, 1);
}

static void takes_an_interrupt_right_after_reset_as_normal(void **state)
{
	struct napi *napi;

	(void)state;
	chip->intr_on_reset = true;
	napi = &dev->queue[0].napi;
	assert_int_equal(dev->ops->open(dev), 0);
	assert_int_equal(napi->irqs_while_disabled, 1);
	run_softirqs();
	receive(3, 60);
	assert_int_equal(ntaken, 3);
	free_taken();
	dev->ops->stop(dev);
	assert_int_equal(napi->irqs_while_disabled, 2);
	assert_int_equal(napi->state, NAPI_DISABLED);
}

static void leaves_masking_to_a_chip_that_does_it_itself(void **state)
{
	(void)state;
	probe(1, 0x8086, 0xa03c);
	assert_string_equal(igb->chip->name, "82576");
	assert_true(dev->queue[0].napi.masks_itself);
	chip->auto_mask = true;
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	chip->nlog = chip->interrupts[0] = 0;
	receive(1, 60);
	assert_int_equal(ntaken, 1);
	assert_int_equal(fake_igb_writes(chip, GBE_EIMC, 0), 0);
	assert_int_equal(chip->reg[IGB_EIMS / 4] & 1, 1);
	assert_int_equal(chip->interrupts[0], 1);
}

static void waits_for_the_eeprom_where_the_chip_says_when(void **state)
{
	(void)state;
	probe(1, 0x8086, 0xa03c);
	chip->eeprom_hangs = true;
	assert_int_equal(dev->ops->open(dev), -ETIMEDOUT);
	assert_non_null(strstr(host_log, "EEPROM after reset: not within"));
	probe(1, 0x1af4, 0x1100); /* QEMU's never says */
	chip->eeprom_hangs = true;
	assert_int_equal(dev->ops->open(dev), 0);
}

static void moves_a_queue_with_its_vector(void **state)
{
	struct napi *napi = &dev->queue[0].napi;

	(void)state;
	fake_igb_rx(chip, 0, 60, 0); /* scheduled on core 0 */
	igb->queue_irq[0].cpu = 1;   /* what irq_set_affinity() does, cores parked */
	igb->queue_irq[0].moved(igb->queue_irq[0].arg, 1);
	assert_int_equal(napi->cpu, 1);
	assert_null(cpus[0]->poll_head);
	assert_int_equal(dev->txq_of_cpu[0], -1);
	assert_int_equal(dev->txq_of_cpu[1], 0); /* the first of the two that core 1 owns now */
	run_softirqs();
	assert_int_equal(ntaken, 1);
	receive(2, 60);
	assert_int_equal(ntaken, 3);
}

/* --- overruns and empty pools --- */

static void counts_overruns(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 240; i++)
		assert_true(fake_igb_rx(chip, 0, 60, i));
	assert_false(fake_igb_rx(chip, 0, 60, 0));
	assert_false(
		fake_igb_rx(chip, 0, 60, 0)); /* ICR.RXO stands already: no further interrupt */
	run_softirqs();
	assert_int_equal(ntaken, 240);
	assert_int_equal(stat_of("rx_fifo_errors"), 1);
	assert_int_equal(stat_of("rx_no_buffer_count"), 2);
	assert_int_equal(stat_of("rx_queue_0_drops"), 2);
	free_taken();
	receive(10, 60);
	assert_int_equal(ntaken, 10);
	assert_int_equal(chip->interrupts[1], 1);
}

static void lives_through_an_empty_pool(void **state)
{
	struct napi *napi = &dev->queue[0].napi;
	struct pkt *hoard[POOL];
	unsigned n = 0, sent = 0;

	(void)state;
	/* once around, so that done bits of long ago stand everywhere */
	receive_one_by_one(300, 60);
	while ((hoard[n] = pkt_alloc()))
		n++;
	while (fake_igb_rx(chip, 0, 60, sent))
		sent++;
	run_softirqs();
	assert_int_equal(ntaken, sent); /* all were delivered, none could be replaced */
	assert_true(dev->queue[0].rx_alloc_failed > 0);
	assert_true(igb->rx[0]->starved);
	assert_false(napi->ops->work_pending(napi)); /* nothing to be had: no use in polling */
	assert_false(fake_igb_rx(chip, 0, 60, 0));

	/* packets come home without a poll that would notice: the watchdog raises the vector */
	while (n)
		pkt_free_seg(hoard[--n]);
	assert_true(napi->ops->work_pending(napi));
	dev->ops->watchdog(dev);
	run_softirqs();
	assert_false(igb->rx[0]->starved);
	free_taken();
	receive(5, 60);
	assert_int_equal(ntaken, 5);
}

static void long_frames_after_an_empty_pool(void **state)
{
	struct pkt *hoard[POOL];
	unsigned n = 0, sent = 0;

	(void)state;
	while ((hoard[n] = pkt_alloc()))
		n++;
	while (posted(0) > 3) { /* all but 3 buffers go while the pool is empty */
		assert_true(fake_igb_rx(chip, 0, 60, sent++));
		run_softirqs();
	}
	while (n)
		pkt_free_seg(hoard[--n]);
	free_taken();
	for (unsigned i = 0; i < 10; i++) { /* ten seconds of long frames only */
		fake_igb_rx(chip, 0, 9018, 0);
		run_softirqs();
		dev->ops->watchdog(dev);
		run_softirqs();
	}
	assert_int_not_equal(ntaken, 0);
}

static void refills_what_little_the_pool_has(void **state)
{
	struct pkt *hoard[POOL];
	unsigned n = 0;

	(void)state;
	while (n < POOL - 240 - 5 && (hoard[n] = pkt_alloc()))
		n++;
	receive(20, 60);
	assert_int_equal(ntaken, 20);
	assert_int_equal(igb->rx[0]->fill - igb->rx[0]->next, 240 - 20 + 5);
	assert_true(dev->queue[0].rx_alloc_failed > 0);
	while (n)
		pkt_free_seg(hoard[--n]);
	receive(20, 60);
	assert_int_equal(ntaken, 40);
	assert_true(igb->rx[0]->fill - igb->rx[0]->next >= 240);
}

/* --- link --- */

static void follows_the_link_by_its_interrupt(void **state)
{
	(void)state;
	assert_false(dev->link);
	fake_igb_link(chip, true);
	run_softirqs();
	assert_true(dev->link);
	assert_int_equal(dev->speed, 1000);
	for (unsigned i = 0; i < 5; i++) { /* flaps */
		fake_igb_link(chip, false);
		run_softirqs();
		assert_false(dev->link);
		assert_int_equal(dev->speed, 0);
		fake_igb_link(chip, true);
		run_softirqs();
		assert_true(dev->link);
	}
	assert_int_equal(links_told, 11);
	assert_int_equal(links_recorded, 0);
	assert_int_equal(stat_of("link_changes"), 11);
	assert_true(chip->reg[IGB_EIMS / 4] & 2);
}

static void tells_full_duplex_from_half(void **state)
{
	(void)state;
	fake_igb_link(chip, true);
	run_softirqs();
	assert_true(dev->full_duplex);
	fake_igb_link(chip, false);
	run_softirqs();
	assert_false(dev->full_duplex);
	chip->reg[GBE_STATUS / 4] &= ~GBE_STATUS_FD;
	fake_igb_link(chip, true);
	run_softirqs();
	assert_true(dev->link);
	assert_false(dev->full_duplex);
	assert_non_null(strstr(host_log, "1000 Mb/s, half duplex"));
}

static void notices_a_flap_that_was_over_before_it_looked(void **state)
{
	(void)state;
	fake_igb_link(chip, true);
	run_softirqs();
	fake_igb_link(chip, false);
	fake_igb_link(chip, true);
	run_softirqs();
	assert_true(dev->link);
	assert_int_equal(links_told, 1);
	assert_int_equal(stat_of("link_changes"), 2);
}

static void notices_the_link_by_the_watchdog_too(void **state)
{
	(void)state;
	chip->link = true; /* without an interrupt */
	dev->ops->watchdog(dev);
	assert_true(dev->link);
	/* the link's vector on another core: it counts there, core 0 tells */
	igb->link_irq.cpu = 1;
	igb->link_irq.moved(igb->link_irq.arg, 1);
	run_softirqs();
	fake_igb_link(chip, false);
	run_softirqs();
	assert_true(dev->link);
	dev->ops->watchdog(dev);
	assert_false(dev->link);
	assert_int_equal(links_told, 2);
}

static void restarts_negotiation_when_asked(void **state)
{
	(void)state;
	assert_int_equal(dev->ethtool->nway_reset(dev), 0);
	assert_true(fake_igb_wrote(chip, GBE_MDIC, GBE_PHY_AN_RESTART, 0) >= 0);
	dev->ops->stop(dev);
	assert_int_equal(dev->ethtool->nway_reset(dev), -ENETDOWN);
}

/* --- transmit --- */

static void sends_a_batch_with_one_doorbell(void **state)
{
	(void)state;
	transmit(32, 64);
	assert_int_equal(chip->nsent, 32);
	assert_int_equal(chip->sent_len[31], 64);
	assert_int_equal(chip->last[63], (uint8_t)(31 + 63));
	assert_int_equal(fake_igb_writes(chip, IGB_TDT(0), 0), 1);
	assert_int_equal(chip->nreports, 1);
	assert_int_equal(dev->queue[0].tx_packets, 32);
	assert_int_equal(dev->queue[0].tx_bytes, 32 * 64);
	assert_int_equal(chip->interrupts[0], 0); /* nobody is interrupted for what was sent */
}

static void takes_back_what_was_sent(void **state)
{
	uint32_t before = cpus[0]->pool->nfree;

	(void)state;
	transmit(GBE_TX_REPORT, 64);
	assert_int_equal(cpus[0]->pool->nfree, before - GBE_TX_REPORT);
	transmit(GBE_TX_REPORT, 64); /* looks for reports first */
	assert_int_equal(cpus[0]->pool->nfree, before - GBE_TX_REPORT);
	for (unsigned i = 0; i < 2000; i++) {
		transmit(1, 64); /* single frames report now and then, and do not pile up */
		assert_true(cpus[0]->pool->nfree > before - 2 * GBE_TX_REPORT);
	}
	assert_in_range(chip->nreports, 2000 / GBE_TX_REPORT - 2, 2000 / GBE_TX_REPORT + 3);
	assert_int_equal(chip->nsent, 2 * GBE_TX_REPORT + 2000);
}

static void sends_batches_across_the_wrap_of_the_ring(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 64;
	     n++) /* the ring ends in another place of the batch each time */
		for (unsigned i = 0; i < 16; i++) {
			unsigned sent = chip->nsent;

			transmit(n, 60 + i);
			assert_int_equal(chip->nsent, sent + n);
			assert_int_equal(chip->sent_len[(sent + n - 1) % FAKE_IGB_SENT], 60 + i);
			assert_int_equal(chip->last[59], (uint8_t)(n - 1 + 59));
		}
}

static void refuses_what_the_ring_cannot_hold(void **state)
{
	(void)state;
	refuses_what_is_too_much(IGB_TDT(0));
}

static void sends_chains_and_never_half_of_one(void **state)
{
	struct pkt *p[64];
	unsigned n;

	(void)state;
	p[0] = packet(60, 0);
	p[1] = chain_of(5, 1800);
	p[2] = chain_of(2, 2048);
	p[3] = packet(60, 0);
	assert_int_equal(give(dev, p, 4), 4);
	assert_int_equal(chip->nsent, 4);
	assert_int_equal(chip->sent_len[1], 9000);
	assert_int_equal(chip->sent_len[2], 4096);
	assert_int_equal(dev->queue[0].tx_bytes, 60 + 9000 + 4096 + 60);
	chip->tx_stalled = true;
	for (unsigned i = 0; i < 64; i++)
		p[i] = chain_of(5, 100);
	n = give(dev, p, 64);
	/* nine descriptors of the first call are too few to have reported, so they still count */
	assert_int_equal(n, (NETDEV_RING - 1 - 9) / 5);
	for (unsigned i = n; i < 64; i++) {
		assert_int_equal(p[i]->nsegs, 5); /* untouched, still ours */
		assert_non_null(p[i]->next);
		pkt_free(p[i]);
	}
}

static struct pkt *stamped(unsigned segs)
{
	struct pkt *p = segs == 1 ? packet(60, 0) : chain_of(segs, 100);

	p->flags |= PKT_STAMPED;
	return p;
}

static void a_stamped_frame_is_marked_once_as_it_leaves(void **state)
{
	struct pkt *p[4];

	(void)state;
	transmit(1, 60); /* from the second batch on the ring is known */
	nmarked = 0;
	p[0] = packet(60, 0);
	p[1] = stamped(1);
	p[2] = packet(60, 0);
	assert_int_equal(give(dev, p, 3), 3);
	assert_int_equal(nmarked, 1);
	assert_ptr_equal(marked[0], p[1]);
	assert_int_equal(p[1]->flags, 0); /* it went as the plain ones do */
	assert_int_equal(chip->nsent, 4);
	assert_int_equal(dev->queue[0].tx_bytes, 4 * 60);

	p[0] = stamped(1); /* not the only one that is not plain */
	p[1] = stamped(1);
	p[2] = stamped(2);
	p[3] = chain_of(2, 100);
	assert_int_equal(give(dev, p, 4), 4);
	assert_int_equal(nmarked, 4);
	assert_ptr_equal(marked[1], p[0]);
	assert_ptr_equal(marked[2], p[1]);
	assert_ptr_equal(marked[3], p[2]);
	assert_int_equal(chip->nsent, 8);
	assert_int_equal(dev->queue[0].tx_bytes, 4 * 60 + 2 * 60 + 2 * 200);
}

static void flags_that_come_to_as_much_are_no_stamp(void **state)
{
	struct pkt *p[PKT_STAMPED / PKT_CSUM_OK];

	(void)state;
	transmit(1, 60);
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = packet(60, 0);
		p[i]->flags = PKT_CSUM_OK;
	}
	assert_int_equal(give(dev, p, ARRAY_SIZE(p)), ARRAY_SIZE(p));
	for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
		assert_int_equal(chip->sent_len[1 + i], 60);
	assert_int_equal(p[0]->flags, PKT_CSUM_OK);
}

static void a_stamped_frame_that_does_not_leave_is_not_marked(void **state)
{
	struct pkt *p;

	(void)state;
	chip->tx_stalled = true;
	nmarked = 0;
	for (unsigned i = 0; i < NETDEV_RING - 1; i++) {
		p = stamped(1);
		assert_int_equal(give(dev, &p, 1), 1);
	}
	assert_int_equal(nmarked, NETDEV_RING - 1);
	p = stamped(1);
	assert_int_equal(give(dev, &p, 1), 0);
	assert_int_equal(nmarked, NETDEV_RING - 1);
	assert_int_equal(p->flags, PKT_STAMPED);
	pkt_free(p);
}

static void waits_while_nothing_is_reported(void **state)
{
	uint32_t before = cpus[0]->pool->nfree;

	(void)state;
	chip->tx_silent = true;
	transmit(100, 64);
	transmit(100, 64);
	assert_int_equal(cpus[0]->pool->nfree,
			 before - 200); /* sent for all we know, but not ours yet */
}

static void watch(unsigned seconds)
{
	while (seconds--)
		dev->ops->watchdog(dev);
}

static void resets_a_ring_whose_head_stands_still(void **state)
{
	uint32_t before = cpus[0]->pool->nfree;
	struct pkt *chain = chain_of(3, 500);

	(void)state;
	fake_igb_link(chip, true);
	run_softirqs();
	chip->tx_stalled = true;
	transmit(9, 64);
	assert_int_equal(give(dev, &chain, 1), 1);
	watch(2);
	assert_int_equal(stat_of("tx_timeout_count"), 0); /* not yet two seconds */
	watch(1);
	chip->tx_stalled = false;
	chip->nlog = 0;
	transmit(3, 64);
	assert_int_equal(stat_of("tx_timeout_count"), 1);
	assert_int_equal(stat_of("tx_errors"), 10);
	assert_non_null(strstr(host_log, "timed out, reset; 10 frames lost"));
	assert_true(fake_igb_wrote(chip, IGB_TXDCTL(0), IGB_TXDCTL_ENABLE, 0) > 0);
	assert_int_equal(chip->nsent, 3);
	assert_int_equal(cpus[0]->pool->nfree, before - 3);
	watch(5);
	transmit(1, 64);
	assert_int_equal(stat_of("tx_timeout_count"), 1);
	transmit(GBE_TX_REPORT, 64); /* reported, but not taken back yet: not among the lost */
	chip->tx_stalled = true;
	transmit(9, 64);
	watch(3);
	chip->tx_stalled = false;
	transmit(1, 64);
	assert_int_equal(stat_of("tx_timeout_count"), 2);
	assert_int_equal(stat_of("tx_errors"), 10 + 9);
}

static void takes_a_slow_head_and_a_dead_link_for_no_stall(void **state)
{
	(void)state;
	fake_igb_link(chip, true);
	run_softirqs();
	for (unsigned i = 0; i < 10; i++) { /* a frame a second */
		chip->tx_stalled = true;
		transmit(1, 64);
		watch(1);
		chip->tx_stalled = false;
		fake_gbe_write(chip, IGB_TDT(0), chip->reg[IGB_TDT(0) / 4]);
	}
	chip->tx_stalled = true;
	transmit(1, 64);
	fake_igb_link(chip, false);
	run_softirqs();
	watch(10);
	transmit(1, 64);
	assert_int_equal(stat_of("tx_timeout_count"), 0);
}

/* --- stop, audit, statistics, throttle --- */

static void stops_and_gives_everything_back(void **state)
{
	(void)state;
	transmit(20, 64);
	transmit(3, 64);
	fake_igb_link(chip, true);
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false); /* half a frame */
	run_softirqs();
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false); /* done, but not polled */
	chip->nlog = 0;
	dev->ops->stop(dev);
	assert_true(host_pools_full());
	assert_int_equal(cpus[0]->drop[DROP_RX_STOPPED], 1);
	assert_int_equal(dev->txq_of_cpu[0], -1);
	assert_false(dev->up || dev->link);
	assert_int_equal(igb->queue_irq[0].vector, 0);
	assert_true(fake_igb_wrote(chip, GBE_CTRL, GBE_CTRL_RST, 0) >
		    fake_igb_wrote(chip, GBE_CTRL, GBE_CTRL_GIO_OFF, 0));
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	receive(4, 60);
	assert_int_equal(ntaken, 4);
	transmit(4, 64);
}

static void tells_the_audit_every_packet_it_holds(void **state)
{
	struct pkt *chain;
	unsigned rx = 0, tx = 0;

	(void)state;
	fake_igb_rx_raw(chip, 0, GBE_RXD_DD, PKT_BUF_SIZE, false);
	run_softirqs();
	chip->tx_silent = true;
	transmit(7, 64);
	chain = chain_of(3, 500);
	assert_int_equal(give(dev, &chain, 1), 1);
	igb->rx_held.walk(igb->rx_held.arg, tally, &rx);
	igb->tx_held.walk(igb->tx_held.arg, tally, &tx);
	assert_int_equal(rx, posted(0) + 1); /* the ring, and the half frame */
	assert_int_equal(tx, 7 + 3);
	assert_int_equal(pool_free_count(cpus[0]->pool) + rx + tx, POOL);
}

static void adds_up_statistics_that_reading_clears(void **state)
{
	(void)state;
	chip->reg[GBE_CRCERRS / 4] = 3;
	chip->reg[GBE_GORCL / 4] = 5;
	chip->reg[GBE_GORCL / 4 + 1] = 1; /* upper half */
	assert_int_equal(stat_of("rx_crc_errors"), 3);
	chip->reg[GBE_CRCERRS / 4] = 4;
	dev->ops->watchdog(dev);
	assert_int_equal(stat_of("rx_crc_errors"), 7);
	assert_int_equal(stat_of("rx_bytes"), (UINT64_C(1) << 32) + 5);
	chip->reg[GBE_MPC / 4] = 9;
	dev->ops->stop(dev); /* the reset would lose them */
	assert_int_equal(stat_of("rx_missed_errors"), 9);
}

static void says_how_many_statistics_there_are_when_room_is_short(void **state)
{
	struct ethtool_stat s[3];
	unsigned all = dev->ethtool->get_stats(dev, NULL, 0);

	(void)state;
	assert_true(all > 30);
	assert_int_equal(dev->ethtool->get_stats(dev, s, 3), all);
	assert_string_equal(s[2].name, "rx_bytes");
}

/* --- flow control --- */

static void pause_is(bool autoneg, bool rx, bool tx)
{
	struct ethtool_pause p = { autoneg, rx, tx };

	assert_int_equal(dev->ethtool->set_pause(dev, &p), 0);
}

static unsigned in_force(void)
{
	return FIELD_GET(GBE_CTRL_RFCE | GBE_CTRL_TFCE, chip->reg[GBE_CTRL / 4]);
}

static void sends_and_obeys_pause_frames_when_told(void **state)
{
	enum { OBEY = 1, SEND = 2 };

	(void)state;
	assert_int_equal(in_force(), 0);
	assert_int_equal(chip->reg[GBE_FCRTH / 4], 0);
	pause_is(false, true, false);
	assert_int_equal(in_force(), OBEY);
	pause_is(false, true, true);
	assert_int_equal(in_force(), OBEY | SEND);
	assert_int_equal(chip->reg[GBE_FCAL / 4], 0x00c28001);
	assert_int_equal(chip->reg[GBE_FCAH / 4], 0x0100);
	assert_int_equal(chip->reg[GBE_FCT / 4], 0x8808);
	assert_true(chip->reg[GBE_FCRTL / 4] & GBE_FCRTL_XONE);
	assert_in_range(chip->reg[GBE_FCRTH / 4], 32 << 10, (64 << 10) - 2 * 1518);
	assert_true((uint32_t)(chip->reg[GBE_FCRTL / 4] & ~GBE_FCRTL_XONE) <
		    chip->reg[GBE_FCRTH / 4]);
	dev->ops->stop(dev); /* it outlives a reset */
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	assert_int_equal(in_force(), OBEY | SEND);
	/* some models switch it on by themselves when the link comes up */
	pause_is(false, false, false);
	chip->reg[GBE_CTRL / 4] |= GBE_CTRL_RFCE | GBE_CTRL_TFCE;
	fake_igb_link(chip, true);
	run_softirqs();
	assert_int_equal(in_force(), 0);
}

/* [IEEE 802.3 table 28B-3] */
static void agrees_on_pause_frames_with_the_other_end(void **state)
{
	const unsigned sym = GBE_PHY_PAUSE, asym = GBE_PHY_PAUSE_ASYM;
	const struct {
		bool rx, tx;
		unsigned partner, agreed;
	} rows[] = {
		{ true, true, sym, 3 },         { true, true, asym, 0 },
		{ true, true, 0, 0 },           { true, false, sym, 3 },
		{ true, false, asym, 1 },       { true, false, sym | asym, 3 },
		{ false, true, sym | asym, 2 }, { false, true, sym, 0 },
		{ false, false, sym, 0 },
	};
	struct ethtool_pause wanted, found;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_igb_link(chip, false);
		run_softirqs();
		chip->phy_partner = rows[i].partner;
		chip->nlog = 0;
		pause_is(true, rows[i].rx, rows[i].tx);
		assert_true(fake_gbe_wrote(chip, GBE_MDIC, FIELD_PREP(GBE_MDIC_REG, 4) | 0x1e1,
					   0) >= 0);
		assert_int_equal(in_force(), 0); /* not before both have said so */
		fake_igb_link(chip, true);
		run_softirqs();
		assert_int_equal(in_force(), rows[i].agreed);
		dev->ethtool->get_pause(dev, &wanted, &found);
		assert_int_equal(found.rx | found.tx << 1, rows[i].agreed);
		assert_true(wanted.autoneg && wanted.rx == rows[i].rx && wanted.tx == rows[i].tx);
	}
	/* negotiated anew so quickly that nobody saw the link go */
	chip->phy_partner = sym;
	pause_is(true, true, true);
	assert_int_equal(in_force(), 0);
	fake_igb_link(chip, true);
	run_softirqs();
	assert_int_equal(in_force(), 3);
}

/* --- registers traced --- */

/* type() - `trace nic0 regs` and so on; what it prints is in host_out */
static int type(const char *line)
{
	static char text[64];
	struct word w[8];
	struct shell sh = { .word = w };
	int n = 0;

	host_text_clear();
	strcpy(text, line);
	for (char *s = strtok(text, " "); s; s = strtok(NULL, " "))
		w[n++] = (struct word){ .s = s, .col = s - text + 1 };
	sh.nwords = n;
	set_for_each(c, trace_commands)
		if (c->takes(n, w))
			return c->run(&sh, n, w);
	fail_msg("nobody takes %s", line);
	return 0;
}

/* shows() - lines of host_out that have these parts, in this order */
static void shows(const char *const *parts, unsigned n)
{
	const char *at = host_out;

	for (unsigned i = 0; i < n; i++) {
		at = strstr(at, parts[i]);
		if (!at)
			fail_msg("expected '%s', in its place, in:\n%s", parts[i], host_out);
		at++;
	}
}

static void shows_a_reset_by_name_and_bits(void **state)
{
	static const char *const steps[] = {
		"EIMC 0x01528 W 0x00000001\n",
		"IMC 0x000d8 W 0xffffffff LSC RXO RX DOUTSYNC and 0x",
		"CTRL 0x00000 W 0x00000044 GIO_OFF SLU\n",
		"CTRL 0x00000 W 0x04000044 GIO_OFF SLU RST\n",
		"CTRL 0x00000 W 0x00000040 SLU\n",
		"MDIC 0x00020 W 0x04201340 DATA=4928 PHY=1 OP=1\n",
		"MTA(0) to MTA(127) 0x05200 W 0x00000000\n",
		"RAH 0x05404 W 0x80000a00 ADDR=2560 AV\n",
		"RDBAL(0) 0x0c000 W 0x",
		"RXDCTL(0) 0x0c028 W 0x02010808 PTHRESH=8 HTHRESH=8 WTHRESH=1 ENABLE\n",
		"TDT(0) 0x0e018 W 0x00000000\n",
		"IVAR_MISC 0x01740 W 0x00008100 OTHER=129\n",
		"RCTL 0x00100 W 0x0400803a EN UPE MPE LPE BAM SECRC\n",
		"RDT(0) 0x0c018 W 0x000000f0\n",
		"EIMS 0x01524 W 0x00000001\n",
		"0 lost\n",
	};

	(void)state;
	dev->promisc = true;
	assert_int_equal(type("trace nic0 regs on"), 0);
	dev->ops->stop(dev);
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	assert_int_equal(type("trace nic0 regs off"), 0);
	assert_int_equal(type("trace nic0 regs show"), 0);
	shows(steps, ARRAY_SIZE(steps));
}

/* look_is() - the text of a descriptor of queue 0 has all of @parts. */
static void look_is(bool rx, const struct netdev_desc *d, const char *const *parts, unsigned n)
{
	char text[NETDEV_LOOK_TEXT];

	if (rx)
		dev->look->rx_text(dev, d, text, sizeof(text));
	else
		dev->look->tx_text(dev, d, text, sizeof(text));
	for (unsigned i = 0; i < n; i++)
		if (!strstr(text, parts[i]))
			fail_msg("no '%s' in '%s'", parts[i], text);
}

static void shows_descriptors_before_and_after(void **state)
{
	static const char *const before[] = { "read format: buffer address 0x",
					      ", header buffer address 0x0" };
	static const char *const after[] = { "write-back format: ", " DD EOP", "length 61" };
	static const char *const sent[] = { "advanced data: buffer address 0x", "length 60",
					    "EOP IFCS DEXT, DTYP 3, PAYLEN 60", "status 0" };
	static const char *const chained[] = { "length 100", "PAYLEN 200", "command IFCS" };
	struct netdev_desc posted, d[4];
	struct pkt *p;

	(void)state;
	assert_true(dev->look->rx(dev, 0, &posted));
	assert_false(posted.done);
	look_is(true, &posted, before, ARRAY_SIZE(before));
	assert_true(chip->ops->rx(chip, 61, 0)); /* and no poll */
	assert_true(dev->look->rx(dev, 0, &d[0]));
	assert_true(d[0].done);
	assert_int_equal(d[0].slot, posted.slot);
	assert_ptr_equal(d[0].buffer, (void *)posted.word[0]);
	look_is(true, &d[0], after, ARRAY_SIZE(after));
	run_softirqs();

	p = packet(60, 0);
	assert_int_equal(dev->look->tx(dev, 0, p, d, 4), 0);
	assert_int_equal(give(dev, &p, 1), 1);
	assert_int_equal(dev->look->tx(dev, 0, p, d, 4), 1);
	look_is(false, &d[0], sent, ARRAY_SIZE(sent));
	assert_ptr_equal(d[0].buffer, p->data);
	p = chain_of(2, 100);
	assert_int_equal(give(dev, &p, 1), 1);
	assert_int_equal(dev->look->tx(dev, 0, p, d, 4), 2);
	look_is(false, &d[0], chained, ARRAY_SIZE(chained));
	assert_int_equal(dev->look->tx(dev, 0, p, d, 1), 1);
}

static void note_access(void *arg, uint64_t tsc, unsigned cpu, const char *text)
{
	(void)tsc;
	strcat(arg, text);
	strcat(arg, cpu ? " elsewhere\n" : "\n");
}

static void lends_its_register_trace_to_who_shows_a_frame(void **state)
{
	char said[512] = "";

	(void)state;
	assert_int_equal(type("trace nic0 regs on"), 0); /* from nothing */
	assert_int_equal(type("trace nic0 regs off"), 0);
	assert_int_equal(dev->look->regs_on(dev), 0);
	transmit(1, 60);
	dev->look->regs_off(dev);
	transmit(1, 60);
	dev->look->regs_each(dev, 0, UINT64_MAX, note_access, said);
	assert_string_equal(said, "write TDT(0) 0x0e018: 0x00000001\n");
	assert_int_equal(type("trace nic0 regs"), 0); /* the operator's own stays as it was */
	assert_non_null(strstr(host_out, "is off; 0 accesses"));
	assert_int_equal(type("trace nic0 regs on"), 0);
	assert_int_equal(dev->look->regs_on(dev), 0);
	transmit(1, 60);
	dev->look->regs_off(dev);
	said[0] = 0;
	dev->look->regs_each(dev, 0, UINT64_MAX, note_access, said);
	assert_string_equal(said, "write TDT(0) 0x0e018: 0x00000003\n");
	assert_int_equal(type("trace nic0 regs"), 0);
	assert_non_null(strstr(host_out, "is on; 1 accesses"));
	assert_int_equal(type("trace nic0 regs off"), 0);
}

static void traces_the_path_of_packets_while_asked_to(void **state)
{
	static const char *const steps[] = {
		"TDT(0) 0x0e018 W 0x00000002\n", "TDT(0) 0x0e018 W 0x00000003\n",
		"EIMC 0x01528 W 0x00000001\n",   "RDT(0) 0x0c018 W 0x00000000\n",
		"EIMS 0x01524 W 0x00000001\n",   "is on; 7 accesses",
	};

	(void)state;
	transmit(1, 60);
	assert_int_equal(type("trace nic0 regs on"), 0);
	transmit(1, 60);
	transmit(1, 60);
	receive(17, 60); /* of 255 there may be, 32 are missing then */
	assert_int_equal(ntaken, 17);
	assert_int_equal(type("trace nic0 regs show"), 0);
	shows(steps, ARRAY_SIZE(steps));
	assert_int_equal(type("trace nic0 regs off"), 0);
	transmit(1, 60);
	receive(1, 60);
	assert_int_equal(ntaken, 18);
	assert_int_equal(type("trace nic0 regs show 2"), 0);
	shows(&steps[2], 1);
	assert_null(strstr(host_out, "RDT"));
	assert_non_null(strstr(host_out, "is off; 7 accesses of at most 4096, 0 lost\n"));
}

static void counts_accesses_that_find_no_room(void **state)
{
	(void)state;
	assert_int_equal(type("trace nic0 regs on"), 0);
	for (unsigned i = 0; i < 5000; i++) /* and those that repeat are one */
		gbe_write(igb, GBE_FCTTV, i / 2 * 2 + 1);
	assert_int_equal(type("trace nic0 regs"), 0);
	assert_non_null(strstr(host_out, "2500 accesses of at most 4096, 0 lost\n"));
	assert_int_equal(type("trace nic0 regs show 1"), 0);
	assert_non_null(strstr(host_out, "FCTTV 0x00170 W 0x00001387, 2 times\n"));
	for (unsigned i = 0; i < 5000; i++)
		gbe_write(igb, GBE_FCTTV, i);
	assert_int_equal(type("trace nic0 regs off"), 0);
	assert_int_equal(type("trace nic0 regs"), 0);
	assert_non_null(strstr(host_out, "4096 accesses of at most 4096, 3404 lost\n"));
	assert_int_equal(type("trace nic0 regs on"), 0); /* from nothing */
	assert_int_equal(type("trace nic0 regs off"), 0);
	assert_int_equal(type("trace nic0 regs"), 0);
	assert_non_null(strstr(host_out, "off; 0 accesses of at most 4096, 0 lost\n"));
	assert_int_equal(type("trace nic0 regs what"), -EINVAL);
	assert_int_equal(type("trace nic0 bits"), -EINVAL);
	assert_int_equal(type("trace nic0 regs on more"), -EINVAL);
	assert_int_equal(type("trace nic0 regs show 0"), -EINVAL);
}

/* time goes by in waits alone, and the chip sees it */
void udelay(unsigned us)
{
	host_tsc += us * UINT64_C(1000);
	if (chip)
		fake_igb_tick(chip);
}

static struct ethtool_throttle throttle(void)
{
	struct ethtool_throttle t;

	dev->ethtool->get_throttle(dev, &t);
	return t;
}

/* the chip's unit is found out, and what is asked for comes true */
static void measures_the_throttle(void **state)
{
	(void)state;
	chip->eitr_ps = 4096000;
	chip->link = true;
	assert_int_equal(dev->ops->open(dev), 0);
	assert_true(throttle().measured && !throttle().ignored);
	assert_in_range(throttle().unit_ps, 4090000, 4100000);
	assert_int_equal(throttle().floor_ns, 0);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 4096), 0);
	assert_in_range(chip->reg[IGB_EITR(0) / 4] >> 2, 999, 1001);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 8192),
			 0); /* more than it has by the datasheet */
	assert_int_equal(dev->ethtool->set_coalesce(dev, 33600), -EINVAL);
	assert_int_equal(dev->queue[0].napi.irqs, 0); /* these count for nothing */
	assert_int_equal(dev->queue[0].napi.irqs_while_disabled, 0);
	run_softirqs();
	dev->ops->stop(dev); /* once is enough */
	chip->eitr_ps = 1000000;
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	assert_in_range(throttle().unit_ps, 4090000, 4100000);
}

static void takes_the_datasheets_word_where_nothing_waits(void **state)
{
	(void)state;
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	assert_true(throttle().measured && throttle().ignored);
	assert_int_equal(throttle().unit_ps, 1000000);
}

static void takes_the_datasheets_word_where_nothing_comes(void **state)
{
	(void)state;
	chip->interrupt = NULL;
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	assert_false(throttle().measured);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 100), 0);
	assert_int_equal(throttle().count, 100);
}

static void throttles_interrupts(void **state)
{
	(void)state;
	assert_int_equal(dev->ethtool->get_coalesce(dev), 0);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 1000), 0);
	assert_int_equal(chip->reg[IGB_EITR(0) / 4], 1000 << 2);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 8192), -EINVAL);
	assert_int_equal(dev->ethtool->get_coalesce(dev), 1000);
	dev->ops->stop(dev);
	assert_int_equal(dev->ops->open(dev), 0);
	assert_int_equal(chip->reg[IGB_EITR(0) / 4], 1000 << 2);
}

#define AT_PROBE(name)   cmocka_unit_test_setup_teardown(name, probed, closed)
#define OPENED(name)     cmocka_unit_test_setup_teardown(name, opened, closed)
#define ON_2_CORES(name) cmocka_unit_test_setup_teardown(name, opened_on_2_cores, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_PROBE(probes_and_leaves_the_chip_silent),
		AT_PROBE(has_no_more_queues_than_vectors_but_one),
		AT_PROBE(refuses_a_chip_that_does_not_come_out_of_reset),
		AT_PROBE(resets_a_chip_whose_dma_does_not_end_all_the_same),
		AT_PROBE(opens_in_the_order_of_the_datasheet),
		ON_2_CORES(spreads_flows_over_the_queues),
		AT_PROBE(gives_everything_back_when_it_cannot_open),
		OPENED(programs_filters_and_length),
		OPENED(a_group_is_a_bit_of_the_table),
		OPENED(receives_frames_in_order),
		OPENED(posts_buffers_in_groups),
		ON_2_CORES(leaves_of_the_pool_what_other_rings_need),
		OPENED(stops_at_the_budget_and_goes_on),
		OPENED(puts_long_frames_together),
		OPENED(takes_a_batch_across_the_wrap_of_the_ring),
		OPENED(has_rings_of_any_size),
		OPENED(keeps_its_rings_where_memory_has_run_out),
		OPENED(a_buffer_used_before_begins_at_its_front),
		OPENED(drops_a_frame_of_impossible_length),
		OPENED(drops_a_frame_that_was_damaged_on_the_wire),
		OPENED(counts_wrong_checksums),
		OPENED(drops_a_frame_that_is_too_long_for_a_chain),
		OPENED(waits_for_the_rest_of_a_frame_over_polls),
		OPENED(finds_a_frame_whose_done_bit_comes_late),
		OPENED(loses_no_frame_that_comes_between_last_look_and_unmask),
		OPENED(masks_in_the_interrupt_and_unmasks_when_done),
		OPENED(takes_an_interrupt_while_scheduled_as_normal),
		AT_PROBE(takes_an_interrupt_right_after_reset_as_normal),
		AT_PROBE(leaves_masking_to_a_chip_that_does_it_itself),
		AT_PROBE(waits_for_the_eeprom_where_the_chip_says_when),
		ON_2_CORES(moves_a_queue_with_its_vector),
		OPENED(counts_overruns),
		OPENED(lives_through_an_empty_pool),
		OPENED(long_frames_after_an_empty_pool),
		OPENED(refills_what_little_the_pool_has),
		OPENED(follows_the_link_by_its_interrupt),
		OPENED(tells_full_duplex_from_half),
		OPENED(notices_a_flap_that_was_over_before_it_looked),
		ON_2_CORES(notices_the_link_by_the_watchdog_too),
		OPENED(restarts_negotiation_when_asked),
		OPENED(sends_a_batch_with_one_doorbell),
		OPENED(takes_back_what_was_sent),
		OPENED(refuses_what_the_ring_cannot_hold),
		OPENED(sends_batches_across_the_wrap_of_the_ring),
		OPENED(sends_chains_and_never_half_of_one),
		OPENED(a_stamped_frame_is_marked_once_as_it_leaves),
		OPENED(flags_that_come_to_as_much_are_no_stamp),
		OPENED(a_stamped_frame_that_does_not_leave_is_not_marked),
		OPENED(waits_while_nothing_is_reported),
		OPENED(resets_a_ring_whose_head_stands_still),
		OPENED(takes_a_slow_head_and_a_dead_link_for_no_stall),
		OPENED(stops_and_gives_everything_back),
		OPENED(tells_the_audit_every_packet_it_holds),
		OPENED(adds_up_statistics_that_reading_clears),
		OPENED(says_how_many_statistics_there_are_when_room_is_short),
		OPENED(throttles_interrupts),
		OPENED(sends_and_obeys_pause_frames_when_told),
		OPENED(agrees_on_pause_frames_with_the_other_end),
		OPENED(shows_a_reset_by_name_and_bits),
		OPENED(shows_descriptors_before_and_after),
		OPENED(lends_its_register_trace_to_who_shows_a_frame),
		OPENED(traces_the_path_of_packets_while_asked_to),
		OPENED(counts_accesses_that_find_no_room),
		AT_PROBE(measures_the_throttle),
		AT_PROBE(takes_the_datasheets_word_where_nothing_waits),
		AT_PROBE(takes_the_datasheets_word_where_nothing_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
