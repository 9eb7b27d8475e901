/* SPDX-License-Identifier: MIT */
/* links: drivers/igb.c drivers/igb_hw.c drivers/igb_rx.c drivers/igb_tx.c drivers/gbe.c drivers/gbe_hw.c drivers/gbe_filter.c drivers/gbe_up.c drivers/gbe_live.c drivers/gbe_scheme.c drivers/gbe_vectors.c drivers/gbe_single.c drivers/gbe_rss.c kernel/toeplitz.c drivers/e1000e.c drivers/e1000e_hw.c drivers/e1000e_ring.c drivers/gbe_link.c drivers/gbe_pause.c drivers/gbe_stats.c drivers/gbe_trace.c drivers/gbe_trace_cmd.c drivers/gbe_look.c drivers/gbe_names.c drivers/gbe_throttle.c drivers/gbe_rx.c drivers/gbe_tx.c drivers/gbe_offload.c drivers/e1000.c drivers/e1000_hw.c drivers/e1000_rx.c drivers/e1000_tx.c drivers/intx.c drivers/netdev.c drivers/msi.c drivers/pci.c kernel/softirq.c kernel/napi_layers.c kernel/pool.c tests/unit/fake_igb.c tests/unit/fake_e1000e.c tests/unit/fake_gbe.c tests/unit/fake_ioapic.c tests/unit/fake_pci.c tests/unit/gbe_rig.c tests/unit/host.c */
/*
 * test_gbe_live.c - NICs change while frames flow, on register files: queues, rings, spreading, and
 * by what they interrupt; and what the 82574L does otherwise than the 82576 of test_igb.c
 */
#include "tests/unit/host.h"

#include <errno.h>
#include <string.h>

#include "kernel/bits.h"
#include "kernel/softirq.h"
#include "drivers/pci_regs.h"
#include "fake_e1000e.h"
#include "fake_igb.h"
#include "fake_ioapic.h"
#include "fake_pci.h"
#include "gbe_rig.h"

enum { MSIX = 0x70, MSI = 0x50, PIN = 18, CORES = 2 };

static struct gbe *gbe;
static bool asleep; /* the owners do not poll while the control context waits */

/* the control context waits: the cores turn */
void msleep(unsigned ms)
{
	(void)ms;
	if (!asleep)
		run_softirqs();
}

/* --- the machine --- */

static struct fake_pci_fn *fn;

static bool enabled(uint8_t id, unsigned cap, unsigned control, uint16_t bit)
{
	return pci_cap(&pci_devs[0], id) && fake_pci_get16(fn, cap + control) & bit;
}

static bool by_vectors(void)
{
	return enabled(PCI_CAP_ID_MSIX, MSIX, PCI_MSIX_CONTROL, PCI_MSIX_ENABLE);
}

static bool by_message(void)
{
	return enabled(PCI_CAP_ID_MSI, MSI, PCI_MSI_CONTROL, PCI_MSI_ENABLE);
}

/* as the bus has it: a function sends nothing that is not switched on */
static void interrupt(unsigned v)
{
	struct irq *irq = NULL;
	unsigned was;

	if (gbe && by_vectors())
		irq = v < dev->nqueues ? &gbe->queue_irq[v] : &gbe->link_irq;
	else if (gbe && by_message())
		irq = &gbe->message;
	if (!irq || irq->masked || !irq->vector)
		return;
	was = host_play(irq->cpu);
	irq->handler(irq->arg);
	host_play(was);
}

static void line(struct fake_gbe *f, bool up)
{
	bool silent = by_vectors() || by_message() ||
		      fake_pci_get16(fn, PCI_COMMAND) & PCI_COMMAND_INTX_OFF;

	(void)f;
	fake_ioapic_set(PIN, 0, up && !silent);
}

enum caps { NO_CAPS, WITH_MSI = BIT(0), WITH_MSIX = BIT(1) };

static int probe(uint16_t device, void (*power_on)(struct fake_gbe *f),
		 const struct pci_driver *driver, unsigned caps)
{
	static struct fake_gbe *memory;
	static void *table;

	rig_start(CORES);
	host_tsc_step = 100; /* the search for a line ends */
	fake_ioapic_start();
	asleep = false;
	gbe = NULL;
	memory = memory ? memory : fake_pci_memory(sizeof(*memory));
	table = table ? table : fake_pci_memory(16 << 10);
	chip = memory;
	power_on(chip);
	chip->interrupt = interrupt;
	chip->line = line;
	fn = fake_pci_add(4 << 3, 0x8086, device, 0x020000);
	fake_pci_set16(fn, PCI_SUBSYSTEM_VENDOR_ID, 0x1af4);
	fake_pci_set16(fn, PCI_SUBSYSTEM_ID, 0x1100);
	fake_pci_bar(fn, 0, chip, 128 << 10, false);
	fake_pci_bar(fn, 3, table, 16 << 10, false);
	if (caps & WITH_MSI) {
		fake_pci_cap(fn, MSI, PCI_CAP_ID_MSI);
		fake_pci_set16(fn, MSI + PCI_MSI_CONTROL, PCI_MSI_64BIT);
	}
	if (caps & WITH_MSIX) {
		fake_pci_cap(fn, MSIX, PCI_CAP_ID_MSIX);
		fake_pci_set16(fn, MSIX + PCI_MSIX_CONTROL, FAKE_E1000E_VECTORS - 1);
		fake_pci_set32(fn, MSIX + PCI_MSIX_TABLE, 3);
	}
	pci_init();
	if (!rig_probe(driver))
		return -ENODEV;
	gbe = dev->priv;
	return 0;
}

static int open_it(int probed)
{
	if (probed || dev->ops->open(dev))
		return -1;
	run_softirqs();
	chip->nlog = 0;
	return 0;
}

static int igb(void **state)
{
	(void)state;
	return open_it(probe(0x10c9, fake_igb_power_on, &igb_driver, WITH_MSI | WITH_MSIX));
}

static int e1000e(void **state)
{
	(void)state;
	return open_it(probe(0x10d3, fake_e1000e_power_on, &e1000e_driver, WITH_MSI | WITH_MSIX));
}

/* every packet is back home, nobody listens to the line any more */
static int closed(void **state)
{
	(void)state;
	free_taken();
	if (dev && dev->up)
		dev->ops->stop(dev);
	return host_pools_full() && fake_ioapic[PIN].masked ? 0 : -1;
}

static uint32_t reg(uint32_t off)
{
	return chip->reg[off / 4];
}

/* @n frames for queue @q of 60 bytes, numbered from @first by their first byte; nobody polls yet */
static void arrive(unsigned q, unsigned n, uint8_t first)
{
	while (n--) {
		bool is_igb = gbe->family == &igb_family;

		assert_true(is_igb ? fake_igb_rx(chip, q, 60, first)
				   : fake_e1000e_rx(chip, q, 60, first));
		first++;
	}
}

/* what polls gave so far are these, in order, and nothing else */
static void delivered(unsigned n, uint8_t first)
{
	run_softirqs();
	assert_int_equal(ntaken, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(taken[i]->data[0], (uint8_t)(first + i));
	free_taken();
}

/*
 * writes of receive tails while the receiver was off, between the first off
 * in the log and the next on
 */
static unsigned tails_while_off(void)
{
	bool off = false;
	unsigned n = 0;

	for (unsigned i = 0; i < chip->nlog; i++) {
		uint32_t at = chip->log[i].off;

		if (at == GBE_RCTL)
			off = !(chip->log[i].v & GBE_RCTL_EN);
		for (unsigned q = 0; q < dev->max_queues; q++)
			n += off && at == gbe_rx_reg(gbe, q, GBE_RING_TAIL);
	}
	return n;
}

static unsigned posted(unsigned q)
{
	return gbe->rx[q]->fill - gbe->rx[q]->next;
}

/* --- the 82574L --- */

static void e1000e_opens_in_the_order_of_the_datasheet(void **state)
{
	static const struct rig_step order[] = {
		{ "causes off", GBE_IMC, UINT32_MAX },
		{ "no new DMA", GBE_CTRL, GBE_CTRL_GIO_OFF },
		{ "reset", GBE_CTRL, GBE_CTRL_RST },
		{ "causes off again", GBE_IMC, UINT32_MAX },
		{ "general configuration", GBE_CTRL, GBE_CTRL_SLU },
		{ "a driver is there", GBE_CTRL_EXT, GBE_CTRL_EXT_DRV_LOAD },
		{ "negotiate the link", GBE_MDIC, GBE_PHY_AN_ENABLE | GBE_PHY_AN_RESTART },
		{ "receive address", GBE_RAH(0), GBE_RAH_AV },
		{ "checksums, and the bit that RSS needs", GBE_RXCSUM, GBE_RXCSUM_PCSD },
		{ "extended descriptors", E1000E_RFCTL, E1000E_RFCTL_EXSTEN },
		{ "RSS on", GBE_MRQC, E1000E_MRQC_RSS | GBE_MRQC_TCP_IPV4 },
		{ "first receive ring", E1000E_RDLEN(0), 4096 },
		{ "second receive ring", E1000E_RDLEN(1), 4096 },
		{ "first transmit ring", E1000E_TDLEN(0), 4096 },
		{ "second transmit ring", E1000E_TDLEN(1), 4096 },
		{ "transmitter on", GBE_TCTL, GBE_TCTL_EN },
		{ "causes that go by themselves", E1000E_EIAC, 0x1300000 },
		{ "vectors", E1000E_IVAR, 0xa0098 },
		{ "receiver on, last of all", GBE_RCTL, GBE_RCTL_EN },
		{ "buffers, by the first poll", E1000E_RDT(0), 240 },
		{ "queue's cause on, by the first poll", GBE_IMS, E1000E_ICR_RXQ(0) },
	};

	dev->ops->stop(dev);
	opens_in_order(order, ARRAY_SIZE(order));
	assert_int_equal(reg(GBE_RETA(0)), 0x80008000); /* the queue is the highest bit */
	assert_int_equal(reg(GBE_RETA(31)), 0x80008000);
	assert_int_equal(reg(GBE_RSSRK(0)), 0x5a6d5a6d);
	assert_int_equal(reg(GBE_MRQC) & BITS(31, 21), 0); /* it has no UDP ports */
	(void)state;
}

static void e1000e_receives_by_both_queues(void **state)
{
	uint64_t before = dev->queue[1].napi.irqs;

	(void)state;
	arrive(0, 20, 0);
	delivered(20, 0);
	arrive(1, 20, 50);
	delivered(20, 50);
	/*
	 * one, and one for those that came meanwhile, at the unmask: it finds
	 * nothing, which is normal
	 */
	assert_int_equal(dev->queue[1].napi.irqs, before + 2);
	assert_true(reg(GBE_IMS) & E1000E_ICR_RXQ(1));
	arrive(1, 1, 0); /* masked now, until it was polled */
	assert_false(reg(GBE_IMS) & E1000E_ICR_RXQ(1));
	assert_true(reg(GBE_IMS) & E1000E_ICR_RXQ(0));
	delivered(1, 0);
	fake_e1000e_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | E1000E_RXD_CE, 60);
	dropped(DROP_RX_ERROR);
	fake_e1000e_rx_raw(chip, 0, GBE_RXD_DD | GBE_RXD_EOP | GBE_RXD_L4E, 60);
	run_softirqs();
	assert_int_equal(stat_of("rx_queue_0_csum_err"), 1);
}

/* with a handler that leaves it as it is */
static void e1000e_masks_what_it_sends_and_says_so(void **state)
{
	struct napi *napi = &dev->queue[0].napi;

	(void)state;
	napi_disable(napi);
	gbe_write(gbe, GBE_IMS, E1000E_ICR_RXQ(0));
	chip->interrupt = NULL;
	arrive(0, 1, 0);
	assert_false(reg(GBE_IMS) & E1000E_ICR_RXQ(0));
	assert_true(napi->masks_itself);
	napi_enable(napi);
	delivered(1, 0);
}

static void e1000e_sends_by_both_queues(void **state)
{
	struct pkt *p = packet(60, 7);

	(void)state;
	transmit(40, 60);
	assert_int_equal(dev->ops->tx_batch(dev, 1, &p, 1, p->frame), 1);
	assert_int_equal(chip->nsent, 41);
	assert_int_equal(chip->last[0], 7);
	assert_int_equal(fake_gbe_writes(chip, E1000E_TDT(1), 0), 1);
}

/*
 * the poll reads a queue's cause along with its own, while that queue is masked: it is raised again
 */
static void e1000e_follows_the_link_and_takes_no_queues_cause_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		fake_e1000e_link(chip, i % 2 == 0);
		run_softirqs();
		assert_int_equal(dev->link, i % 2 == 0);
	}
	assert_int_equal(stat_of("link_changes"), 4);
	arrive(0, 1, 0);
	arrive(0, 1, 1); /* masked: stays in ICR */
	assert_true(reg(GBE_ICR) & E1000E_ICR_RXQ(0));
	gbe->scheme->causes(gbe);
	assert_true(reg(GBE_ICR) & E1000E_ICR_RXQ(0));
	delivered(2, 0);
	gbe->rx[1]->starved = true;
	dev->ops->watchdog(dev);
	assert_true(fake_gbe_wrote(chip, GBE_ICS, E1000E_ICR_RXQ(1), 0) >= 0);
}

/* --- rings --- */

static void a_longer_ring_has_what_was_in_the_shorter(void **state)
{
	(void)state;
	arrive(0, 40, 0); /* enough for a refill, were it not for the freeze */
	arrive(1, 3, 40);
	assert_int_equal(dev->ethtool->set_ringparam(dev, 1024, 512), 0);
	delivered(43, 0);
	assert_int_equal(tails_while_off(), 0);
	assert_int_equal(dev->rx_ring_size, 1024);
	assert_true(reg(GBE_RCTL) & GBE_RCTL_EN);
	assert_int_equal(reg(gbe_rx_reg(gbe, 0, GBE_RING_LEN)), 1024 * 16);
	assert_int_equal(reg(gbe_tx_reg(gbe, 1, GBE_RING_LEN)), 512 * 16);
	for (unsigned i = 0; i < 30; i++) { /* around the new ring */
		arrive(0, 60, i);
		delivered(60, i);
		transmit(60, 60);
	}
	assert_true(posted(0) > 256);
	assert_int_equal(chip->nsent, 30 * 60);
}

static void a_shorter_ring_gives_back_what_does_not_fit(void **state)
{
	(void)state;
	arrive(0, 10, 0);
	assert_int_equal(dev->ethtool->set_ringparam(dev, 64, 64), 0);
	delivered(10, 0);
	assert_in_range(posted(0), 33, 63);
	for (unsigned i = 0; i < 30; i++) {
		arrive(0, 20, i);
		delivered(20, i);
		transmit(20, 60);
	}
	assert_int_equal(dev->ethtool->set_ringparam(dev, 256, 256), 0);
	arrive(0, 40, 9);
	delivered(40, 9);
}

static void keeps_its_rings_where_there_is_no_memory(void **state)
{
	(void)state;
	host_mem_left = 100000;
	assert_int_equal(dev->ethtool->set_ringparam(dev, 4096, 4096), -ENOMEM);
	host_mem_left = SIZE_MAX;
	assert_int_equal(dev->rx_ring_size, 256);
	arrive(0, 100, 0);
	arrive(1, 100, 100);
	delivered(200, 0);
}

/* --- queues --- */

static void queues_come_with_their_vectors_and_flows(void **state)
{
	(void)state;
	assert_int_equal(dev->ethtool->set_channels(dev, 1), 0);
	assert_int_equal(gbe->queue_irq[1].vector, 0);
	assert_int_equal(dev->txq_of_cpu[1], -1);
	assert_int_equal(reg(GBE_RETA(0)) | reg(GBE_RETA(31)), 0);
	assert_int_equal(posted(1), 0);
	arrive(0, 5, 0);
	delivered(5, 0);
	chip->nlog = 0;
	arrive(0, 5, 0);
	assert_int_equal(dev->ethtool->set_channels(dev, 2), 0);
	delivered(5, 0);
	assert_int_equal(tails_while_off(), 0);
	assert_int_not_equal(gbe->queue_irq[1].vector, 0);
	assert_int_equal(dev->txq_of_cpu[1], 1);
	assert_int_equal(reg(GBE_RETA(0)), gbe->family == &igb_family ? 0x01000100 : 0x80008000);
	arrive(1, 5, 0);
	delivered(5, 0);
	chip->link = true;
	(gbe->family == &igb_family ? fake_igb_cause : fake_e1000e_cause)(chip, GBE_ICR_LSC);
	run_softirqs();
	assert_true(dev->link); /* by a vector that has moved twice */
}

static void what_a_queue_had_is_delivered_before_it_goes(void **state)
{
	(void)state;
	arrive(1, 30, 0);
	assert_int_equal(dev->ethtool->set_channels(dev, 1), 0);
	delivered(30, 0);
	assert_int_equal(cpus[0]->drop[DROP_RX_STOPPED] + cpus[1]->drop[DROP_RX_STOPPED], 0);
}

/* an owner that does not come to it for a tenth of a second */
static void what_nobody_polls_is_dropped_by_name(void **state)
{
	(void)state;
	arrive(0, 2, 0);
	arrive(1, 30, 2);
	asleep = true;
	assert_int_equal(dev->ethtool->set_channels(dev, 1), 0);
	asleep = false;
	assert_int_equal(cpus[0]->drop[DROP_RX_STOPPED], 30);
	assert_int_equal(dev->queue[1].rx_dropped, 30);
	delivered(2, 0); /* the queue that stays has lost nothing */
}

static void what_the_wire_did_not_take_is_counted(void **state)
{
	(void)state;
	transmit(GBE_TX_REPORT, 60); /* reports */
	chip->tx_stalled = true;
	transmit(9, 60);
	assert_int_equal(dev->ethtool->set_ringparam(dev, 256, 64), 0);
	assert_int_equal(stat_of("tx_errors"), 9);
	chip->tx_stalled = false;
	transmit(9, 60);
	dev->ops->stop(dev);
	assert_int_equal(stat_of("tx_errors"), 9); /* these were sent, if not reported */
}

static void eight_queues_on_two_cores(void **state)
{
	(void)state;
	assert_int_equal(dev->max_queues, 4); /* this one has five vectors */
	assert_int_equal(dev->ethtool->set_channels(dev, 4), 0);
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(dev->queue[q].cpu, q % CORES);
		arrive(q, 10, q);
		delivered(10, q);
	}
	assert_int_equal(reg(GBE_RETA(0)), 0x03020100);
	assert_int_equal(dev->txq_of_cpu[1], 1);
	assert_int_equal(dev->ethtool->set_channels(dev, 2), 0);
	assert_int_equal(reg(GBE_RETA(0)), 0x01000100);
	assert_int_equal(reg(IGB_IVAR(2)), 0);
	assert_int_equal(reg(IGB_RXDCTL(3)) & IGB_RXDCTL_ENABLE, 0);
	dev->ops->stop(dev);
	assert_int_equal(dev->ethtool->set_channels(dev, 3), 0);
	assert_int_equal(dev->ops->open(dev), 0);
	run_softirqs();
	arrive(2, 10, 0);
	delivered(10, 0);
}

/* --- spreading --- */

static void the_table_and_the_key_are_the_operators(void **state)
{
	struct netdev_rss want = dev->rss;

	(void)state;
	for (unsigned i = 0; i < RSS_TABLE; i++)
		want.table[i] = i < 4;
	for (unsigned i = 0; i < TOEPLITZ_KEY; i++)
		want.key[i] = i;
	want.table_set = true;
	want.udp4_ports = false;
	arrive(0, 5, 0);
	assert_int_equal(dev->ethtool->set_rss(dev, &want), 0);
	delivered(5, 0); /* before any frame goes elsewhere */
	assert_int_equal(tails_while_off(), 0);
	assert_int_equal(reg(GBE_RETA(0)), gbe->family == &igb_family ? 0x01010101 : 0x80808080);
	assert_int_equal(reg(GBE_RETA(1)), 0);
	assert_int_equal(reg(GBE_RSSRK(0)), 0x03020100);
	assert_int_equal(reg(GBE_RSSRK(9)), 0x27262524);
	assert_int_equal(reg(GBE_MRQC) & IGB_MRQC_UDP_IPV4, 0);
	dev->ops->stop(dev);
	assert_int_equal(dev->ops->open(dev), 0);
	assert_int_equal(reg(GBE_RSSRK(9)), 0x27262524);
	run_softirqs();
}

/* --- by what it interrupts --- */

static void works_with_one_interrupt(const struct gbe_scheme *scheme)
{
	assert_ptr_equal(gbe->scheme, scheme);
	assert_int_equal(dev->max_queues, 1);
	assert_int_equal(dev->nqueues, 1);
	for (unsigned i = 0; i < 20; i++) {
		arrive(0, 1 + i, i);
		delivered(1 + i, i);
	}
	arrive(0, 2, 0); /* the second one's cause stays in ICR while it is masked */
	delivered(2, 0);
	chip->link = true;
	(gbe->family == &igb_family ? fake_igb_cause : fake_e1000e_cause)(chip, GBE_ICR_LSC);
	run_softirqs();
	assert_true(dev->link);
	transmit(20, 60);
	assert_int_equal(dev->ethtool->set_ringparam(dev, 512, 512), 0);
	arrive(0, 50, 0);
	delivered(50, 0);
}

static void a_chip_without_msix_takes_msi(void **state)
{
	(void)state;
	assert_int_equal(open_it(probe(0x10d3, fake_e1000e_power_on, &e1000e_driver, WITH_MSI)), 0);
	works_with_one_interrupt(&gbe_msi);
	closed(state);
	assert_int_equal(open_it(probe(0x10c9, fake_igb_power_on, &igb_driver, WITH_MSI)), 0);
	works_with_one_interrupt(&gbe_msi);
}

static void a_chip_without_either_takes_its_line(void **state)
{
	(void)state;
	assert_int_equal(open_it(probe(0x10d3, fake_e1000e_power_on, &e1000e_driver, NO_CAPS)), 0);
	works_with_one_interrupt(&gbe_intx);
	closed(state);
	assert_int_equal(open_it(probe(0x10c9, fake_igb_power_on, &igb_driver, NO_CAPS)), 0);
	works_with_one_interrupt(&gbe_intx);
	assert_int_equal(gbe->line, PIN);
}

static void falls_back_and_returns_when_it_is_told(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		arrive(1, 5, 0);
		assert_int_equal(dev->ethtool->set_priv_flags(dev, GBE_NO_MSIX), 0);
		delivered(5, 0);
		works_with_one_interrupt(&gbe_msi);
		assert_int_equal(dev->ethtool->set_priv_flags(dev, GBE_NO_MSIX | GBE_NO_MSI), 0);
		run_softirqs();
		works_with_one_interrupt(&gbe_intx);
		assert_int_equal(dev->ethtool->set_priv_flags(dev, 0), 0);
		run_softirqs();
		assert_true(gbe->scheme->vectors);
		assert_int_equal(dev->nqueues, CORES);
		arrive(1, 5, 0);
		delivered(5, 0);
	}
	assert_int_equal(dev->ethtool->get_priv_flags(dev), 0);
}

static void stays_as_it_is_where_no_line_is_heard(void **state)
{
	(void)state;
	chip->mute = true;
	assert_int_equal(dev->ethtool->set_priv_flags(dev, GBE_NO_MSIX | GBE_NO_MSI), -ENODEV);
	assert_int_equal(dev->ethtool->get_priv_flags(dev), 0);
	assert_true(dev->up && gbe->scheme->vectors);
	run_softirqs();
	arrive(1, 5, 0);
	delivered(5, 0);
}

#define IGB(name)                                       \
	{                                               \
#name " (igb)", name, igb, closed, NULL \
	}
#define E1000E(name)                                          \
	{                                                     \
#name " (e1000e)", name, e1000e, closed, NULL \
	}
#define BOTH(name) IGB(name), E1000E(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		E1000E(e1000e_opens_in_the_order_of_the_datasheet),
		E1000E(e1000e_receives_by_both_queues),
		E1000E(e1000e_masks_what_it_sends_and_says_so),
		E1000E(e1000e_sends_by_both_queues),
		E1000E(e1000e_follows_the_link_and_takes_no_queues_cause_away),
		BOTH(a_longer_ring_has_what_was_in_the_shorter),
		BOTH(a_shorter_ring_gives_back_what_does_not_fit),
		BOTH(keeps_its_rings_where_there_is_no_memory),
		BOTH(queues_come_with_their_vectors_and_flows),
		BOTH(what_a_queue_had_is_delivered_before_it_goes),
		BOTH(what_nobody_polls_is_dropped_by_name),
		BOTH(what_the_wire_did_not_take_is_counted),
		IGB(eight_queues_on_two_cores),
		BOTH(the_table_and_the_key_are_the_operators),
		cmocka_unit_test_teardown(a_chip_without_msix_takes_msi, closed),
		cmocka_unit_test_teardown(a_chip_without_either_takes_its_line, closed),
		BOTH(falls_back_and_returns_when_it_is_told),
		BOTH(stays_as_it_is_where_no_line_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
