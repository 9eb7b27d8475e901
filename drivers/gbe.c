/* SPDX-License-Identifier: MIT */
/*
 * gbe.c - Intel's gigabit NICs: which there are, and how one is met
 *
 * At boot, on core 0. Makes struct gbe. What the families of chips do each in its own way is
 * behind struct gbe_family.
 */
#include "gbe.h"

#include "kernel/console.h"
#include "kernel/mem.h"
#include "e1000.h"
#include "e1000e.h"
#include "gbe_look.h"
#include "igb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { GBE_REGS = 128 * 1024 /* BAR 0 */ };

/*
 * what all these chips have; and what is on at first: it costs those nothing that do not ask for it
 */
#define FEATURES_ALL \
	(NETDEV_RX_CSUM | NETDEV_RX_VLAN | NETDEV_TX_CSUM | NETDEV_TX_VLAN | NETDEV_TSO4)
#define FEATURES_AT_FIRST (NETDEV_TX_CSUM | NETDEV_TSO4 | NETDEV_TSO6)

static const struct gbe_rss_bits igb_rss = {
	.on = IGB_MRQC_RSS | GBE_MRQC_IPV4 | GBE_MRQC_TCP_IPV4 | GBE_MRQC_IPV6 | IGB_MRQC_TCP_IPV6 |
	      GBE_MRQC_TCP_IPV6_EX,
	.udp4_ports = IGB_MRQC_UDP_IPV4,
	.udp6_ports = IGB_MRQC_UDP_IPV6,
};

static const struct gbe_rss_bits e1000e_rss = {
	.on = E1000E_MRQC_RSS | GBE_MRQC_IPV4 | GBE_MRQC_TCP_IPV4 | GBE_MRQC_IPV6 |
	      GBE_MRQC_TCP_IPV6_EX,
	.table_shift = E1000E_RETA_SHIFT,
};

/* the first row that matches counts */
static const struct gbe_chip chips[] = {
	/* QEMU's: EIAM is a plain register, the EEPROM bit is never set */
	{ .id = { 0x8086, 0x10c9 },
	  .subsystem = { 0x1af4, 0x1100 },
	  .name = "82576 (QEMU)",
	  .family = &igb_family,
	  .vectors = &igb_vectors,
	  .rss = &igb_rss,
	  .rx_rings = IGB_RX_RINGS,
	  .tx_rings = IGB_TX_RINGS,
	  .rx_buffer = 64 << 10,
	  .features = FEATURES_ALL | NETDEV_RX_HASH | NETDEV_TSO6,
	  .ring_block = 0x40,
	  .max_queues = 16,
	  .has_msi = true,
	  .extended = true,
	  .counts_drops = true },
	{ .id = { 0x8086, 0x10c9 },
	  .name = "82576",
	  .family = &igb_family,
	  .vectors = &igb_vectors_auto_mask,
	  .rss = &igb_rss,
	  .rx_rings = IGB_RX_RINGS,
	  .tx_rings = IGB_TX_RINGS,
	  .rx_buffer = 64 << 10,
	  .features = FEATURES_ALL | NETDEV_RX_HASH | NETDEV_TSO6,
	  .ring_block = 0x40,
	  .max_queues = 16,
	  .has_msi = true,
	  .extended = true,
	  .auto_mask = true,
	  .eeprom_bit = true,
	  .counts_drops = true },
	{ .id = { 0x8086, 0x10d3 },
	  .name = "82574L",
	  .family = &e1000e_family,
	  .vectors = &e1000e_vectors,
	  .rss = &e1000e_rss,
	  .rx_rings = E1000_RX_RINGS,
	  .tx_rings = E1000_TX_RINGS,
	  .rx_buffer = 20 << 10,
	  .features = FEATURES_ALL | NETDEV_RX_HASH | NETDEV_TSO6,
	  .ring_block = 0x100,
	  .max_queues = 2,
	  .has_msi = true,
	  .eeprom_bit = true },
	{ .id = { 0x8086, 0x100e },
	  .name = "82540EM",
	  .family = &e1000_family,
	  .rx_rings = E1000_RX_RINGS,
	  .tx_rings = E1000_TX_RINGS,
	  .rx_buffer = 48 << 10,
	  .features = FEATURES_ALL,
	  .off_at_first = NETDEV_TSO4, /* QEMU's sends an empty segment too many */
	  .max_queues = 1 },
};

/* --- probe --- */

static const struct gbe_chip *chip_of(const struct pci_dev *pd)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		const struct gbe_chip *c = &chips[i];

		if (c->id.vendor == pd->vendor && c->id.device == pd->device &&
		    (!c->subsystem.vendor || (c->subsystem.vendor == pd->subvendor &&
					      c->subsystem.device == pd->subdevice)))
			return c;
	}
	return NULL;
}

/* the permanent address: of one station, and not all zeroes */
static int read_address(struct gbe *gbe)
{
	static const uint8_t none[ETH_ALEN];
	uint8_t *m = gbe->dev.perm_mac;
	int err = gbe->family->read_address(gbe, m);

	memcpy(gbe->dev.mac, m, ETH_ALEN);
	if (!err && (m[0] & 1 || !memcmp(m, none, ETH_ALEN)))
		err = -EINVAL;
	if (err == -EINVAL)
		kprintf("%s: %s has no valid address\n", gbe->family->name, gbe->dev.bus_info);
	return err;
}

static int allocate_rings(struct gbe *gbe)
{
	gbe->nrings = gbe->dev.max_queues;
	for (unsigned q = 0; q < gbe->nrings; q++) {
		gbe->rx[q] = mem_try_alloc(sizeof(struct gbe_rx), CACHE_LINE);
		gbe->tx[q] = mem_try_alloc(sizeof(struct gbe_tx), CACHE_LINE);
		if (!gbe->rx[q] || !gbe->tx[q])
			return -ENOMEM;
		memset(gbe->rx[q], 0, sizeof(struct gbe_rx));
		memset(gbe->tx[q], 0, sizeof(struct gbe_tx));
	}
	return gbe_set_rings(gbe, NETDEV_RING, NETDEV_RING);
}

static void init_queues(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;

	for (unsigned q = 0; q < gbe->nrings; q++) {
		struct netdev_queue *queue = &dev->queue[q];

		queue->cpu = queue->napi.cpu = q % ncpus;
		queue->priv = gbe->rx[q];
		gbe->rx[q]->gbe = gbe->tx[q]->gbe = gbe;
		gbe->rx[q]->queue = gbe->tx[q]->queue = queue;
		gbe->rx[q]->tail_reg = gbe_rx_reg(gbe, q, GBE_RING_TAIL);
		gbe->tx[q]->tail_reg = gbe_tx_reg(gbe, q, GBE_RING_TAIL);
	}
}

static void init_holders(struct gbe *gbe)
{
	snprintf(gbe->rx_held_name, sizeof(gbe->rx_held_name), "%s rx rings", gbe->dev.name);
	snprintf(gbe->tx_held_name, sizeof(gbe->tx_held_name), "%s tx rings", gbe->dev.name);
	gbe->rx_held =
		(struct pkt_holder){ .name = gbe->rx_held_name, .walk = gbe_rx_walk, .arg = gbe };
	gbe->tx_held =
		(struct pkt_holder){ .name = gbe->tx_held_name, .walk = gbe_tx_walk, .arg = gbe };
	pkt_holder_add(&gbe->rx_held);
	pkt_holder_add(&gbe->tx_held);
}

/* what the chip says of itself: silent, its interrupts found, its address read */
static int meet(struct gbe *gbe)
{
	int err;

	gbe->regs = pci_map_bar(gbe->pd, 0, 0, GBE_REGS);
	if (!gbe->regs)
		return -EINVAL;
	pci_command(gbe->pd, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF, 0);
	err = gbe->family->reset(gbe);
	if (!err)
		err = gbe_find_scheme(gbe);
	if (!err)
		err = read_address(gbe);
	return err;
}

static const struct ethtool_ops ethtool_ops = {
	.get_stats = gbe_get_stats,
	.get_coalesce = gbe_get_coalesce,
	.set_coalesce = gbe_set_coalesce,
	.set_adaptive = gbe_set_adaptive,
	.get_throttle = gbe_get_throttle,
	.get_pause = gbe_get_pause,
	.set_pause = gbe_set_pause,
	.nway_reset = gbe_nway_reset,
	.set_channels = gbe_set_channels,
	.set_ringparam = gbe_set_ringparam,
	.set_rss = gbe_set_rss,
	.get_priv_flags = gbe_get_priv_flags,
	.set_priv_flags = gbe_set_priv_flags,
};

int gbe_probe(struct pci_dev *pd)
{
	const struct gbe_chip *chip = chip_of(pd);
	struct gbe *gbe = mem_try_alloc(sizeof(*gbe), CACHE_LINE);
	uint32_t at_first = chip->features & ~chip->off_at_first & FEATURES_AT_FIRST;
	struct netdev *dev = &gbe->dev;
	int err;

	if (!gbe)
		return -ENOMEM;
	*gbe = (struct gbe){ .pd = pd, .chip = chip, .family = chip->family };
	*dev = (struct netdev){
		.driver = chip->family->name,
		.ops = chip->family->netdev,
		.ethtool = &ethtool_ops,
		.priv_flags = chip->family->priv_flags,
		.look = &gbe_look,
		.priv = gbe,
		.mtu = ETH_DATA_LEN,
		.hw_features = chip->features | NETDEV_GRO | NETDEV_GRO_UDP,
		.default_features = at_first,
		.wanted_features = at_first,
		.features = at_first | NETDEV_GSO,
		.ring_min = GBE_RING_MIN,
		.ring_max = GBE_RING_MAX,
	};
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	snprintf(dev->bus_info, sizeof(dev->bus_info), "%s", pd->name);
	/* in messages, until it is registered */
	snprintf(dev->name, sizeof(dev->name), "%s", pd->name);

	err = meet(gbe);
	if (err)
		return err;
	gbe_init_rss(gbe);
	err = allocate_rings(gbe);
	if (err)
		kprintf("%s: %s: no memory for rings\n", gbe->family->name, dev->bus_info);
	if (!err)
		err = netdev_register(dev);
	if (err)
		return err;
	init_queues(dev);
	init_holders(gbe);
	kprintf("%s: %s is an %s at %s, %02x:%02x:%02x:%02x:%02x:%02x, %u queue pair%s\n",
		gbe->family->name, dev->name, chip->name, pd->name, dev->mac[0], dev->mac[1],
		dev->mac[2], dev->mac[3], dev->mac[4], dev->mac[5], dev->nqueues,
		dev->nqueues > 1 ? "s" : "");
	return 0;
}
