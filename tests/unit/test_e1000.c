/* SPDX-License-Identifier: MIT */
/* links: drivers/e1000.c drivers/e1000_hw.c drivers/e1000_rx.c drivers/e1000_tx.c drivers/gbe.c drivers/gbe_hw.c drivers/gbe_filter.c drivers/gbe_up.c drivers/gbe_live.c drivers/gbe_scheme.c drivers/gbe_vectors.c drivers/gbe_single.c drivers/gbe_rss.c kernel/toeplitz.c drivers/e1000e.c drivers/e1000e_hw.c drivers/e1000e_ring.c drivers/gbe_link.c drivers/gbe_stats.c drivers/gbe_pause.c drivers/gbe_trace.c drivers/gbe_trace_cmd.c drivers/gbe_look.c drivers/gbe_names.c drivers/gbe_throttle.c drivers/gbe_rx.c drivers/gbe_tx.c drivers/gbe_offload.c drivers/igb.c drivers/igb_hw.c drivers/igb_rx.c drivers/igb_tx.c drivers/intx.c drivers/netdev.c drivers/msi.c drivers/pci.c kernel/softirq.c kernel/napi_layers.c kernel/pool.c tests/unit/fake_e1000.c tests/unit/fake_gbe.c tests/unit/fake_ioapic.c tests/unit/fake_pci.c tests/unit/gbe_rig.c tests/unit/host.c */
/*
 * test_e1000.c - the real e1000 driver and the real NAPI on a register file: what the 82540EM does
 * otherwise than the 82576 of test_igb.c, which has the rest of what the two share
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/bits.h"
#include "kernel/softirq.h"
#include "drivers/e1000.h"
#include "drivers/netdev_look.h"
#include "drivers/pci_regs.h"
#include "fake_e1000.h"
#include "fake_ioapic.h"
#include "fake_pci.h"
#include "gbe_rig.h"

enum { NICS = 2, PIN = 19 };

static struct fake_gbe *chips[NICS]; /* chip: the first, unless a test says otherwise */
static struct gbe *gbe;

/* --- the machine: both chips on one pin */

static void line(struct fake_gbe *f, bool up)
{
	fake_ioapic_set(PIN, f == chips[1], up);
}

static void machine(unsigned ncores, unsigned nics)
{
	rig_start(ncores);
	host_tsc_step = 100; /* the search for a line ends */
	fake_ioapic_start();
	for (unsigned i = 0; i < nics; i++) {
		struct fake_pci_fn *fn = fake_pci_add((3 + i) << 3, 0x8086, 0x100e, 0x020000);

		if (!chips[i])
			chips[i] = fake_pci_memory(sizeof(*chips[i]));
		fake_e1000_power_on(chips[i], 0x0a + i);
		chips[i]->line = line;
		fake_pci_bar(fn, 0, chips[i], 128 << 10, false);
	}
	chip = chips[0];
	pci_init();
}

static int probe(unsigned ncores, unsigned nics)
{
	machine(ncores, nics);
	if (rig_probe(&e1000_driver) != nics)
		return -1;
	gbe = dev->priv;
	return 0;
}

static int powered_on(void **state)
{
	(void)state;
	machine(1, 1);
	return 0;
}

static int probed(void **state)
{
	(void)state;
	return probe(2, 1);
}

static int opened_all(unsigned ncores, unsigned nics)
{
	if (probe(ncores, nics))
		return -1;
	netdev_for_each(i)
		if (netdevs[i]->ops->open(netdevs[i]))
			return -1;
	run_softirqs(); /* the first poll posts the buffers */
	for (unsigned i = 0; i < nics; i++)
		chips[i]->nlog = 0;
	return 0;
}

static int opened(void **state)
{
	(void)state;
	return opened_all(1, 1);
}

static int two_opened(void **state)
{
	(void)state;
	return opened_all(2, 2);
}

/* every packet is back home, and nobody listens to the line any more */
static int closed(void **state)
{
	(void)state;
	free_taken();
	netdev_for_each(i)
		if (netdevs[i]->up)
			netdevs[i]->ops->stop(netdevs[i]);
	return host_pools_full() && fake_ioapic[PIN].masked ? 0 : -1;
}

static uint32_t reg(uint32_t off)
{
	return chip->reg[off / 4];
}

/* --- probe --- */

static void probes_and_leaves_the_chip_silent(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0, 0, 0x0a };

	(void)state;
	assert_string_equal(dev->name, "nic0");
	assert_string_equal(dev->driver, "e1000");
	assert_memory_equal(dev->mac, mac, ETH_ALEN);
	assert_int_equal(dev->max_queues, 1);
	assert_int_equal(dev->nqueues, 1); /* however many cores there are */
	assert_int_equal(gbe->line, PIN);
	assert_int_equal(reg(GBE_IMS) | reg(GBE_RCTL) | reg(GBE_TCTL), 0);
	assert_true(fake_ioapic[PIN].masked);
	assert_false(dev->up);
}

static void fails_to_probe(const char *why)
{
	rig_probe_again(&e1000_driver);
	assert_int_equal(nnetdevs, 0);
	if (!strstr(host_log, why))
		fail_msg("expected '%s', seen '%s'", why, host_log);
}

static void says_what_keeps_it_from_using_a_chip(void **state)
{
	(void)state;
	chip->reset_hangs = true;
	fails_to_probe("e1000: 0000:00:03.0: reset: not within 20000 us");
	chip->reset_hangs = false;
	chip->reg[GBE_CTRL / 4] = 0;
	chip->eeprom_hangs = true;
	fails_to_probe("e1000: 0000:00:03.0: EEPROM read: not within 10000 us");
	chip->eeprom_hangs = false;
	chip->eeprom[0] |= 1;
	fails_to_probe("e1000: 0000:00:03.0 has no valid address");
	memset(chip->eeprom, 0, sizeof(chip->eeprom));
	fails_to_probe("e1000: 0000:00:03.0 has no valid address");
	memset(chip->eeprom, 0xff, sizeof(chip->eeprom));
	fails_to_probe("e1000: 0000:00:03.0 has no valid address");
	chip->mute = true;
	fails_to_probe("intx: 0000:00:03.0 is heard on none of");
}

/* --- open: the manual's order --- */

static void opens_in_the_order_of_the_manual(void **state)
{
	static const struct rig_step order[] = {
		{ "causes off", GBE_IMC, UINT32_MAX },
		{ "receiver off", GBE_RCTL, 0 },
		{ "transmitter off", GBE_TCTL, 0 },
		{ "reset", GBE_CTRL, GBE_CTRL_RST },
		{ "causes off again", GBE_IMC, UINT32_MAX },
		{ "general configuration", GBE_CTRL, GBE_CTRL_SLU | E1000_CTRL_ASDE },
		{ "flow control off", GBE_FCTTV, 0 },
		{ "negotiate the link", GBE_MDIC, GBE_PHY_AN_ENABLE | GBE_PHY_AN_RESTART },
		{ "multicast table", GBE_MTA(127), 0 },
		{ "receive address", GBE_RAL(0), 0x5452 },
		{ "receive address valid", GBE_RAH(0), GBE_RAH_AV | 0x0a00 },
		{ "filters", GBE_RCTL, GBE_RCTL_BAM | GBE_RCTL_SECRC },
		{ "no delay", E1000_RDTR, 0 },
		{ "receive ring", E1000_RDLEN, 4096 },
		{ "receive head", E1000_RDH, 0 },
		{ "receive tail", E1000_RDT, 0 },
		{ "transmit ring", E1000_TDLEN, 4096 },
		{ "transmit head", E1000_TDH, 0 },
		{ "transmit tail", E1000_TDT, 0 },
		{ "transmitter on", GBE_TCTL, GBE_TCTL_EN | GBE_TCTL_PSP },
		{ "gap", E1000_TIPG, 10 | 8 << 10 | 6 << 20 },
		{ "receiver on, last of all", GBE_RCTL, GBE_RCTL_EN },
		{ "buffers, by the first poll", E1000_RDT, 240 },
		{ "queue's cause on, by the first poll", GBE_IMS, GBE_ICR_RX },
	};

	(void)state;
	opens_in_order(order, ARRAY_SIZE(order));
	assert_int_equal(reg(GBE_IMS), GBE_ICR_RX | GBE_ICR_LSC | GBE_ICR_RXO);
	assert_int_equal(dev->txq_of_cpu[0], 0);
	assert_int_equal(dev->txq_of_cpu[1], -1);
}

/* what the receiver was left with, by whoever had the chip before */
static void relies_on_no_default_where_reset_changes_nothing(void **state)
{
	(void)state;
	chip->reset_idle = true;
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(dev->ops->open(dev), 0);
		run_softirqs();
		receive(70 + round, 60);
		assert_int_equal(ntaken, 70 + round);
		free_taken();
		transmit(33, 60);
		dev->ops->stop(dev);
		assert_int_equal(reg(GBE_RCTL) & GBE_RCTL_EN, 0);
		assert_int_equal(reg(GBE_IMS), 0);
		assert_int_not_equal(reg(E1000_RDH), 0); /* it does not rewind by itself */
	}
	assert_int_equal(chip->nsent, 99);
}

static void gives_everything_back_when_it_cannot_open(void **state)
{
	(void)state;
	chip->phy_dead = true;
	assert_int_equal(dev->ops->open(dev), -ETIMEDOUT);
	assert_non_null(strstr(host_log, "e1000: nic0: PHY write: not within"));
	assert_false(dev->up);
	assert_true(fake_ioapic[PIN].masked);
	assert_int_equal(reg(GBE_RCTL) & GBE_RCTL_EN, 0);
	chip->phy_dead = false;
	assert_int_equal(dev->ops->open(dev), 0);
}

static void takes_long_frames_only_with_a_long_mtu(void **state)
{
	(void)state;
	receive(1, 1518); /* a tag rides on top */
	assert_int_equal(ntaken, 1);
	assert_false(fake_e1000_rx(chip, 1519, 0));
	dev->mtu = 9000;
	dev->promisc = true;
	dev->ops->set_rx_mode(dev);
	assert_true(reg(GBE_RCTL) & GBE_RCTL_UPE);
	assert_true(reg(GBE_RCTL) & GBE_RCTL_EN);
	receive(1, 9018);
	assert_int_equal(ntaken, 2);
	assert_int_equal(taken[1]->frame_len, 9018);
	assert_int_equal(taken[1]->nsegs, 5);
	dev->mtu = 1500;
	dev->promisc = false;
	dev->ops->set_rx_mode(dev);
	assert_false(reg(GBE_RCTL) & GBE_RCTL_UPE);
	assert_false(fake_e1000_rx(chip, 1519, 0));
}

/* --- receive --- */

static void receives_frames_in_order(void **state)
{
	(void)state;
	receives_in_order();
}

static void takes_a_batch_across_the_wrap_of_the_ring(void **state)
{
	struct pkt **p = dev->queue[0].taken;

	(void)state;
	receive_one_by_one(250, 64);
	for (unsigned i = 0; i < 8; i++) /* descriptors 250 to 255, 0 and 1 */
		fake_e1000_rx_raw(chip, GBE_RXD_DD | GBE_RXD_EOP, 100 + i, true);
	assert_int_equal(dev->ops->rx_batch(&dev->queue[0], 64), 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(p[i]->len, 100 + i);
		pkt_free(p[i]);
	}
}

static void puts_long_frames_together(void **state)
{
	static const uint32_t lens[] = { 2048, 2049, 4096, 5000, PKT_MAX_SEGS * PKT_BUF_SIZE };

	(void)state;
	dev->mtu = 9000;
	dev->ops->set_rx_mode(dev);
	for (unsigned round = 0; round < 20; round++) /* the wrap falls into frames as well */
		for (unsigned i = 0; i < ARRAY_SIZE(lens); i++)
			receives_long(lens[i]);
}

static void drops_what_was_damaged_on_the_wire(void **state)
{
	static const uint32_t errors[] = { E1000_RXD_CE, E1000_RXD_SE, E1000_RXD_SEQ, E1000_RXD_CXE,
					   E1000_RXD_RXE };
	const uint32_t done = GBE_RXD_DD | GBE_RXD_EOP | E1000_RXD_IXSM;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
		fake_e1000_rx_raw(chip, done | errors[i], 100, false);
		dropped(DROP_RX_ERROR);
	}
	fake_e1000_rx_raw(chip, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_e1000_rx_raw(chip, done | E1000_RXD_RXE, 100, false);
	dropped(DROP_RX_ERROR);
	assert_int_equal(dev->queue[0].rx_dropped, ARRAY_SIZE(errors) + 1);
}

static void drops_a_frame_of_impossible_length(void **state)
{
	const uint32_t done = GBE_RXD_DD | GBE_RXD_EOP;

	(void)state;
	fake_e1000_rx_raw(chip, done, 0, false);
	dropped(DROP_RX_ERROR);
	fake_e1000_rx_raw(chip, done, PKT_BUF_SIZE + 1, false);
	dropped(DROP_RX_ERROR);
	for (unsigned i = 0; i < PKT_MAX_SEGS + 3; i++)
		fake_e1000_rx_raw(chip, GBE_RXD_DD, PKT_BUF_SIZE, false);
	fake_e1000_rx_raw(chip, done, 60, false);
	dropped(DROP_RX_TOO_LONG);
}

/* a VLAN field of all ones is no error, and a checksum that was not looked at is not wrong */
static void counts_wrong_checksums_only_where_they_were_checked(void **state)
{
	const uint32_t done = GBE_RXD_DD | GBE_RXD_EOP;

	(void)state;
	fake_e1000_rx_raw(chip, done | 0xffff0000, 60, false);
	fake_e1000_rx_raw(chip, done | E1000_RXD_TCPE, 61, false);
	fake_e1000_rx_raw(chip, done | E1000_RXD_IPE | E1000_RXD_TCPE, 62, false);
	fake_e1000_rx_raw(chip, done | E1000_RXD_IPE | E1000_RXD_IXSM, 63, false);
	run_softirqs();
	assert_int_equal(ntaken, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(taken[i]->frame_len, 60 + i);
	assert_int_equal(stat_of("rx_queue_0_csum_err"), 2);
	assert_int_equal(dev->queue[0].rx_dropped, 0);
}

/* --- interrupts: a level, and causes that reading takes away --- */

static void one_interrupt_until_the_queue_is_empty(void **state)
{
	unsigned before = fake_ioapic[PIN].interrupts;

	(void)state;
	fake_e1000_rx(chip, 60, 0);
	assert_int_equal(reg(GBE_IMS) & GBE_ICR_RX, 0);
	assert_true(reg(GBE_IMS) & GBE_ICR_LSC);
	fake_e1000_rx(chip, 60, 0); /* masked: stays in ICR, the line down */
	assert_int_equal(fake_ioapic[PIN].interrupts, before + 1);
	assert_int_equal(fake_ioapic[PIN].sources, 0);
	run_softirqs();
	assert_int_equal(ntaken, 2);
	assert_true(reg(GBE_IMS) & GBE_ICR_RX);
	/* the second one's cause was still there: an interrupt without work, which is normal */
	assert_int_equal(fake_ioapic[PIN].interrupts, before + 2);
	run_softirqs();
	assert_int_equal(ntaken, 2);
	assert_int_equal(dev->queue[0].napi.state, NAPI_IDLE);
}

static void done_at_unmask(struct fake_gbe *f)
{
	f->unmasked = NULL;
	fake_e1000_rx_raw(f, GBE_RXD_DD | GBE_RXD_EOP, 61,
			  true); /* its cause has been read already */
}

static void loses_no_frame_that_comes_between_last_look_and_unmask(void **state)
{
	(void)state;
	finds_a_frame_of(done_at_unmask);
}

/*
 * a link change while the queue is masked: its handler reads the frame's cause away,
 * the poll finds the frame
 */
static void loses_no_frame_whose_cause_another_interrupt_read(void **state)
{
	(void)state;
	fake_e1000_rx(chip, 60, 0);
	fake_e1000_rx(chip, 61, 0);
	fake_e1000_link(chip, true);
	assert_int_equal(reg(GBE_ICR), 0);
	assert_int_equal(dev->queue[0].napi.irqs_while_scheduled, 1);
	run_softirqs();
	assert_int_equal(ntaken, 2);
	assert_true(dev->link);
	receive(1, 62);
	assert_int_equal(ntaken, 3);
}

/* the other way round: a frame's handler reads the link's cause while that is masked */
static void loses_no_link_change_whose_cause_a_frame_read(void **state)
{
	struct napi *napi = &gbe->link_napi;

	(void)state;
	fake_e1000_link(chip, true); /* scheduled, masked */
	fake_e1000_link(chip, false);
	fake_e1000_rx(chip, 60, 0);
	assert_int_equal(reg(GBE_ICR), 0);
	run_softirqs();
	assert_false(dev->link);
	/* and between the poll and the unmask */
	assert_false(napi->ops->work_pending(napi));
	gbe->causes = GBE_ICR_LSC;
	assert_true(napi->ops->work_pending(napi));
	fake_e1000_link(chip, true);
	run_softirqs();
	assert_true(dev->link);
	assert_int_equal(gbe->causes, 0);
}

static void counts_overruns_and_goes_on(void **state)
{
	unsigned sent = 0;

	(void)state;
	while (fake_e1000_rx(chip, 60, sent))
		sent++;
	assert_int_equal(sent, 240);
	run_softirqs();
	assert_int_equal(ntaken, 240);
	assert_int_equal(stat_of("rx_over_errors"), 1);
	assert_int_equal(stat_of("rx_no_buffer_count"), 1);
	assert_int_equal(stat_of("rx_queue_0_drops"), 0); /* no such register */
	free_taken();
	receive(3, 60);
	assert_int_equal(ntaken, 3);
}

static void lives_through_an_empty_pool(void **state)
{
	struct pkt *hoard[POOL];
	unsigned n = 0, sent = 0;

	(void)state;
	while ((hoard[n] = pkt_alloc()))
		n++;
	while (fake_e1000_rx(chip, 60, sent))
		sent++;
	run_softirqs();
	assert_int_equal(ntaken, sent);
	assert_true(gbe->rx[0]->starved);
	while (n)
		pkt_free_seg(hoard[--n]);
	dev->ops->watchdog(dev); /* raises RXT0 by hand */
	assert_true(fake_e1000_wrote(chip, GBE_ICS, GBE_ICR_RX, 0) >= 0);
	run_softirqs();
	assert_false(gbe->rx[0]->starved);
	free_taken();
	receive(5, 60);
	assert_int_equal(ntaken, 5);
}

static void follows_the_link(void **state)
{
	(void)state;
	assert_false(dev->link);
	for (unsigned i = 0; i < 5; i++) {
		fake_e1000_link(chip, true);
		run_softirqs();
		assert_true(dev->link);
		assert_int_equal(dev->speed, 1000);
		assert_true(dev->full_duplex);
		fake_e1000_link(chip, false);
		run_softirqs();
		assert_false(dev->link);
	}
	assert_int_equal(links_told, 10);
	assert_int_equal(stat_of("link_changes"), 10);
	assert_non_null(strstr(host_log, "e1000: nic0 link is up, 1000 Mb/s, full duplex"));
}

static void throttles_in_the_units_of_the_chip(void **state)
{
	(void)state;
	assert_int_equal(dev->ethtool->set_coalesce(dev, 128), 0);
	assert_int_equal(reg(E1000_ITR), 500);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 16776), 0);
	assert_in_range(reg(E1000_ITR), 65500, 65535);
	assert_int_equal(dev->ethtool->set_coalesce(dev, 16776 + 1), -EINVAL);
	assert_int_equal(dev->ethtool->get_coalesce(dev), 16776);
}

/* --- two on one line --- */

static void two_on_a_line_take_their_own_interrupts(void **state)
{
	(void)state;
	assert_string_equal(fake_ioapic[PIN].irq->name, "nic1, nic0");
	assert_true(fake_e1000_rx(chips[1], 60, 0));
	assert_int_equal(netdevs[0]->queue[0].napi.irqs, 0);
	assert_int_equal(netdevs[1]->queue[0].napi.irqs, 1);
	assert_true(fake_e1000_rx(chips[0], 61, 0));
	run_softirqs();
	assert_int_equal(ntaken, 2);
	assert_int_equal(netdevs[0]->queue[0].napi.packets, 1);
	assert_int_equal(netdevs[1]->queue[0].napi.packets, 1);
}

static void one_on_a_line_goes_down_and_the_other_works_on(void **state)
{
	(void)state;
	netdevs[0]->ops->stop(netdevs[0]);
	assert_false(fake_ioapic[PIN].masked);
	chip = chips[1];
	receive(3, 60);
	assert_int_equal(ntaken, 3);
	/* what the stopped one may still have in ICR is nobody's trouble */
	fake_e1000_cause(chips[0], GBE_ICR_RX | GBE_ICR_LSC);
	receive(3, 60);
	assert_int_equal(ntaken, 6);
	assert_int_equal(netdevs[0]->ops->open(netdevs[0]), 0);
	run_softirqs();
	chip = chips[0];
	receive(2, 60);
	assert_int_equal(ntaken, 8);
}

/* what irq_set_affinity() does, cores parked */
static void move_line(unsigned cpu)
{
	fake_ioapic[PIN].irq->cpu = cpu;
	fake_ioapic[PIN].irq->moved(fake_ioapic[PIN].irq->arg, cpu);
}

static void both_on_a_line_move_with_it(void **state)
{
	(void)state;
	fake_e1000_rx(chips[0], 60, 0); /* scheduled on core 0 */
	move_line(1);
	assert_null(cpus[0]->poll_head);
	for (unsigned i = 0; i < NICS; i++) {
		assert_int_equal(netdevs[i]->queue[0].cpu, 1);
		assert_int_equal(netdevs[i]->queue[0].napi.cpu, 1);
		assert_int_equal(netdevs[i]->txq_of_cpu[0], -1);
		assert_int_equal(netdevs[i]->txq_of_cpu[1], 0);
	}
	run_softirqs();
	assert_int_equal(ntaken, 1);
	assert_true(fake_e1000_rx(chips[1], 60, 0));
	assert_non_null(cpus[1]->poll_head);
	run_softirqs();
	assert_int_equal(ntaken, 2);
	/* who comes up later goes where the line is */
	netdevs[0]->ops->stop(netdevs[0]);
	netdevs[0]->queue[0].cpu = 0;
	assert_int_equal(netdevs[0]->ops->open(netdevs[0]), 0);
	assert_int_equal(netdevs[0]->queue[0].napi.cpu, 1);
	assert_int_equal(netdevs[0]->txq_of_cpu[1], 0);
	run_softirqs();
	receive(1, 60);
	assert_int_equal(ntaken, 3);
}

/* --- transmit --- */

static void sends_a_batch_with_one_doorbell(void **state)
{
	unsigned before = fake_ioapic[PIN].interrupts;

	(void)state;
	transmit(32, 64);
	assert_int_equal(chip->nsent, 32);
	assert_int_equal(chip->sent_len[31], 64);
	assert_int_equal(chip->last[63], (uint8_t)(31 + 63));
	assert_int_equal(fake_e1000_writes(chip, E1000_TDT, 0), 1);
	assert_int_equal(chip->nreports, 1);
	assert_int_equal(dev->queue[0].tx_packets, 32);
	assert_int_equal(fake_ioapic[PIN].interrupts, before);
}

static void sends_and_takes_back_across_the_wrap(void **state)
{
	uint32_t before = cpus[0]->pool->nfree;

	(void)state;
	for (unsigned n = 1; n <= 64; n++)
		for (unsigned i = 0; i < 16; i++) {
			unsigned sent = chip->nsent;

			transmit(n, 60 + i);
			assert_int_equal(chip->nsent, sent + n);
			assert_int_equal(chip->sent_len[(sent + n - 1) % FAKE_E1000_SENT], 60 + i);
			assert_int_equal(chip->last[59], (uint8_t)(n - 1 + 59));
			assert_true(cpus[0]->pool->nfree >= before - 2 * (GBE_TX_REPORT - 1) - n);
		}
}

static void sends_chains_and_never_half_of_one(void **state)
{
	struct pkt *p[64];
	unsigned n;

	(void)state;
	p[0] = packet(60, 0);
	p[1] = chain_of(5, 1800);
	p[2] = packet(60, 0);
	assert_int_equal(give(dev, p, 3), 3);
	assert_int_equal(chip->nsent, 3);
	assert_int_equal(chip->sent_len[1], 9000);
	chip->tx_stalled = true;
	for (unsigned i = 0; i < 64; i++)
		p[i] = chain_of(5, 100);
	n = give(dev, p, 64);
	assert_int_equal(n,
			 (NETDEV_RING - 1 - 7) / 5); /* seven of the first call have not reported */
	for (unsigned i = n; i < 64; i++) {
		assert_int_equal(p[i]->nsegs, 5);
		pkt_free(p[i]);
	}
}

static void refuses_what_the_ring_cannot_hold(void **state)
{
	(void)state;
	refuses_what_is_too_much(E1000_TDT);
}

static void resets_a_ring_whose_head_stands_still(void **state)
{
	uint32_t before = cpus[0]->pool->nfree;

	(void)state;
	fake_e1000_link(chip, true);
	run_softirqs();
	transmit(33, 64); /* the head is somewhere */
	chip->tx_stalled = true;
	transmit(9, 64);
	for (unsigned seconds = 0; seconds < 3; seconds++)
		dev->ops->watchdog(dev);
	chip->tx_stalled = false;
	chip->nlog = 0;
	transmit(3, 64);
	assert_int_equal(stat_of("tx_timeout_count"), 1);
	assert_int_equal(stat_of("tx_errors"), 9);
	assert_non_null(
		strstr(host_log, "e1000: nic0 transmit queue 0 timed out, reset; 9 frames lost"));
	assert_true(fake_e1000_wrote(chip, GBE_TCTL, GBE_TCTL_EN, 0) >
		    fake_e1000_wrote(chip, E1000_TDH, 0, 0));
	assert_int_equal(chip->nsent, 36);
	assert_int_equal(cpus[0]->pool->nfree, before - 3);
	transmit(5, 64);
	assert_int_equal(chip->nsent, 41);
}

/* --- stop --- */

static void shows_descriptors_before_and_after(void **state)
{
	char text[NETDEV_LOOK_TEXT];
	struct netdev_desc d;
	struct pkt *p;

	(void)state;
	assert_true(dev->look->rx(dev, 0, &d));
	assert_false(d.done);
	dev->look->rx_text(dev, &d, text, sizeof(text));
	assert_memory_equal(text, "posted: buffer address 0x", 25);
	fake_e1000_rx(chip, 61, 0);
	assert_true(dev->look->rx(dev, 0, &d));
	assert_true(d.done);
	assert_ptr_equal(d.buffer, (void *)d.word[0]);
	dev->look->rx_text(dev, &d, text, sizeof(text));
	assert_memory_equal(text, "given back: length 61, ", 23);
	assert_non_null(strstr(text, " DD EOP"));
	run_softirqs();
	p = packet(60, 0);
	assert_int_equal(give(dev, &p, 1), 1);
	assert_int_equal(dev->look->tx(dev, 0, p, &d, 1), 1);
	dev->look->tx_text(dev, &d, text, sizeof(text));
	assert_non_null(strstr(text, "legacy data: buffer address 0x"));
	assert_non_null(strstr(text, ", length 60, command EOP IFCS, status 0"));
}

static void stops_and_gives_everything_back(void **state)
{
	(void)state;
	transmit(23, 64);
	fake_e1000_rx_raw(chip, GBE_RXD_DD, PKT_BUF_SIZE, false); /* half a frame */
	run_softirqs();
	fake_e1000_rx_raw(chip, GBE_RXD_DD, PKT_BUF_SIZE, false); /* done, but not polled */
	dev->ops->stop(dev);
	assert_true(host_pools_full());
	assert_int_equal(cpus[0]->drop[DROP_RX_STOPPED], 1);
	assert_int_equal(dev->txq_of_cpu[0], -1);
	assert_int_equal(reg(GBE_RCTL) | reg(GBE_TCTL), 0);
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	receive(4, 60);
	assert_int_equal(ntaken, 4);
	transmit(4, 64);
}

#define POWERED(name)  cmocka_unit_test_setup_teardown(name, powered_on, closed)
#define AT_PROBE(name) cmocka_unit_test_setup_teardown(name, probed, closed)
#define OPENED(name)   cmocka_unit_test_setup_teardown(name, opened, closed)
#define TWO(name)      cmocka_unit_test_setup_teardown(name, two_opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_PROBE(probes_and_leaves_the_chip_silent),
		POWERED(says_what_keeps_it_from_using_a_chip),
		AT_PROBE(opens_in_the_order_of_the_manual),
		AT_PROBE(relies_on_no_default_where_reset_changes_nothing),
		AT_PROBE(gives_everything_back_when_it_cannot_open),
		OPENED(takes_long_frames_only_with_a_long_mtu),
		OPENED(receives_frames_in_order),
		OPENED(takes_a_batch_across_the_wrap_of_the_ring),
		OPENED(puts_long_frames_together),
		OPENED(drops_what_was_damaged_on_the_wire),
		OPENED(drops_a_frame_of_impossible_length),
		OPENED(counts_wrong_checksums_only_where_they_were_checked),
		OPENED(one_interrupt_until_the_queue_is_empty),
		OPENED(loses_no_frame_that_comes_between_last_look_and_unmask),
		OPENED(loses_no_frame_whose_cause_another_interrupt_read),
		OPENED(loses_no_link_change_whose_cause_a_frame_read),
		OPENED(counts_overruns_and_goes_on),
		OPENED(lives_through_an_empty_pool),
		OPENED(follows_the_link),
		OPENED(throttles_in_the_units_of_the_chip),
		TWO(two_on_a_line_take_their_own_interrupts),
		TWO(one_on_a_line_goes_down_and_the_other_works_on),
		TWO(both_on_a_line_move_with_it),
		OPENED(sends_a_batch_with_one_doorbell),
		OPENED(sends_and_takes_back_across_the_wrap),
		OPENED(sends_chains_and_never_half_of_one),
		OPENED(refuses_what_the_ring_cannot_hold),
		OPENED(resets_a_ring_whose_head_stands_still),
		OPENED(shows_descriptors_before_and_after),
		OPENED(stops_and_gives_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
