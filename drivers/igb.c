/* SPDX-License-Identifier: MIT */
/*
 * igb.c - the 82576: probe, open, stop, and a vector a queue
 *
 * Everything here runs on core 0: probe at boot, open and stop in the control context with the cores parked; but for
 * the hard interrupt of a queue, igb_queue_irq(), and its NAPI ops, on the core that owns it. Owns struct igb.
 */
#include "igb.h"

#include "kernel/console.h"
#include "kernel/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { IGB_REGS = 128 * 1024 /* BAR 0 */ };

/* the first row that matches counts */
static const struct igb_chip chips[] = {
	/* QEMU's: EIAM is a plain register, the EEPROM bit is never set */
	{ .id = { 0x8086, 0x10c9 },
	  .subsystem = { 0x1af4, 0x1100 },
	  .name = "82576 (QEMU)",
	  .max_queues = 16 },
	{ .id = { 0x8086, 0x10c9 },
	  .name = "82576",
	  .max_queues = 16,
	  .auto_mask = true,
	  .eeprom_bit = true },
};

/* --- the queues' vectors --- */

static void queue_vector(struct napi *napi, uint32_t reg)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	igb_write(queue->dev->priv, reg, BIT(queue->index));
}

static void queue_irq_mask(struct napi *napi)
{
	queue_vector(napi, IGB_EIMC);
}

/* a chip that masks by itself has done so when its interrupt arrives; one more while polling is only counted */
static void queue_irq_masked_itself(struct napi *napi)
{
	(void)napi;
}

static void queue_irq_unmask(struct napi *napi)
{
	queue_vector(napi, IGB_EIMS);
}

static bool queue_work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	return igb_rx_pending(queue->priv);
}

static const struct napi_ops queue_ops = {
	.irq_mask = queue_irq_mask,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

static const struct napi_ops queue_ops_auto_mask = {
	.irq_mask = queue_irq_masked_itself,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

/* igb_queue_irq() - the whole hard interrupt of a queue. EICR is not read: that would clear what came meanwhile. */
static void igb_queue_irq(void *arg)
{
	struct netdev_queue *queue = arg;

	napi_irq(&queue->napi);
}

/* which pair a core may transmit on: the first that it owns */
static void map_tx_queues(struct netdev *dev)
{
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	for (unsigned q = dev->nqueues; q-- > 0;)
		dev->txq_of_cpu[dev->queue[q].cpu] = q;
}

/* the queue follows its vector; cores parked */
static void igb_queue_moved(void *arg, unsigned cpu)
{
	struct netdev_queue *queue = arg;

	napi_disable(&queue->napi);
	if (queue->dev->owner_changing)
		queue->dev->owner_changing(queue->dev);
	queue->cpu = queue->napi.cpu = cpu;
	map_tx_queues(queue->dev);
	netdev_share_pools();
	napi_enable(&queue->napi);
}

static void free_vectors(struct igb *igb, unsigned n)
{
	while (n-- > 0)
		irq_free(&igb->queue_irq[n]);
}

static int request_vectors(struct igb *igb)
{
	struct netdev *dev = &igb->dev;
	int err;

	for (unsigned q = 0; q < dev->nqueues; q++) {
		struct netdev_queue *queue = &dev->queue[q];

		queue->napi.cpu = queue->cpu;
		igb->queue_irq[q] = (struct irq){
			.handler = igb_queue_irq,
			.moved = igb_queue_moved,
			.arg = queue,
			.name = queue->name,
		};
		msix_irq_init(&igb->msix, q, &igb->queue_irq[q]);
		err = irq_request(&igb->queue_irq[q], queue->cpu);
		if (err) {
			free_vectors(igb, q);
			return err;
		}
	}
	igb_link_init(igb, dev->nqueues);
	err = irq_request(&igb->link_irq, igb->link_napi.cpu);
	if (err)
		free_vectors(igb, dev->nqueues);
	return err;
}

/* --- open and stop --- */

/* the chip is silent and does no DMA: take back every buffer and vector */
static void release(struct igb *igb)
{
	for (unsigned q = 0; q < igb->dev.nqueues; q++) {
		igb_rx_stop(igb, q);
		igb_tx_stop(igb, q);
	}
	irq_free(&igb->link_irq);
	free_vectors(igb, igb->dev.nqueues);
}

static int igb_open(struct netdev *dev)
{
	struct igb *igb = dev->priv;
	int err = request_vectors(igb);

	if (err) {
		kprintf("igb: %s: no interrupt vector left\n", dev->name);
		return err;
	}
	dev->up = true;
	err = igb_start(igb);
	if (err) {
		dev->up = false;
		igb_reset(igb);
		release(igb);
		return err;
	}
	map_tx_queues(dev);
	netdev_share_pools();
	for (unsigned q = 0; q < dev->nqueues; q++)
		napi_enable(&dev->queue[q].napi);
	napi_enable(&igb->link_napi);
	return 0;
}

static void igb_stop(struct netdev *dev)
{
	struct igb *igb = dev->priv;

	for (unsigned q = 0; q < dev->nqueues; q++)
		napi_disable(&dev->queue[q].napi);
	napi_disable(&igb->link_napi);
	igb_stats_update(igb);
	igb_change(igb, IGB_RCTL, 0, IGB_RCTL_EN);
	igb_change(igb, IGB_TCTL, 0, IGB_TCTL_EN);
	igb_reset(igb);
	release(igb);
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	dev->up = dev->link = false;
	dev->speed = 0;
	netdev_share_pools();
}

static const struct netdev_ops igb_ops = {
	.open = igb_open,
	.stop = igb_stop,
	.rx_batch = igb_rx_batch,
	.tx_batch = igb_tx_batch,
	.set_rx_share = igb_rx_share,
	.set_rx_mode = igb_set_rx_mode,
	.watchdog = igb_watchdog,
};

/* --- probe --- */

static const struct igb_chip *chip_of(const struct pci_dev *pd)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		const struct igb_chip *c = &chips[i];

		if (c->id.vendor == pd->vendor && c->id.device == pd->device &&
		    (!c->subsystem.vendor || (c->subsystem.vendor == pd->subvendor &&
					      c->subsystem.device == pd->subdevice)))
			return c;
	}
	return NULL;
}

/* after reset the chip has its permanent address in RAL, RAH 0 */
static int read_address(struct igb *igb)
{
	uint32_t lo = igb_read(igb, IGB_RAL(0)), hi = igb_read(igb, IGB_RAH(0));
	uint8_t *m = igb->dev.perm_mac;

	for (unsigned i = 0; i < 4; i++)
		m[i] = lo >> 8 * i;
	m[4] = hi;
	m[5] = hi >> 8;
	memcpy(igb->dev.mac, m, ETH_ALEN);
	if (hi & IGB_RAH_AV && !(m[0] & 1) && (lo || hi & IGB_RAH_ADDR))
		return 0;
	kprintf("igb: %s has no valid address\n", igb->dev.bus_info);
	return -EINVAL;
}

static int allocate_rings(struct igb *igb)
{
	for (unsigned q = 0; q < igb->dev.max_queues; q++) {
		igb->rx[q] = mem_try_alloc(sizeof(struct igb_rx), 128);
		igb->tx[q] = mem_try_alloc(sizeof(struct igb_tx), 128);
		if (!igb->rx[q] || !igb->tx[q]) {
			kprintf("igb: %s: no memory for rings\n", igb->dev.bus_info);
			return -ENOMEM;
		}
		memset(igb->rx[q], 0, sizeof(struct igb_rx));
		memset(igb->tx[q], 0, sizeof(struct igb_tx));
	}
	return 0;
}

static void init_queues(struct netdev *dev)
{
	struct igb *igb = dev->priv;

	for (unsigned q = 0; q < dev->max_queues; q++) {
		struct netdev_queue *queue = &dev->queue[q];

		queue->cpu = queue->napi.cpu = q % ncpus;
		queue->priv = igb->rx[q];
		igb->rx[q]->igb = igb->tx[q]->igb = igb;
		igb->rx[q]->queue = igb->tx[q]->queue = queue;
		igb->rx[q]->tail_reg = IGB_RDT(q);
		igb->tx[q]->tail_reg = IGB_TDT(q);
		queue->napi.ops = igb->chip->auto_mask ? &queue_ops_auto_mask : &queue_ops;
	}
}

static void init_holders(struct igb *igb)
{
	snprintf(igb->rx_held_name, sizeof(igb->rx_held_name), "%s rx rings", igb->dev.name);
	snprintf(igb->tx_held_name, sizeof(igb->tx_held_name), "%s tx rings", igb->dev.name);
	igb->rx_held =
		(struct pkt_holder){ .name = igb->rx_held_name, .walk = igb_rx_walk, .arg = igb };
	igb->tx_held =
		(struct pkt_holder){ .name = igb->tx_held_name, .walk = igb_tx_walk, .arg = igb };
	pkt_holder_add(&igb->rx_held);
	pkt_holder_add(&igb->tx_held);
}

static int igb_probe(struct pci_dev *pd)
{
	struct igb *igb = mem_try_alloc(sizeof(*igb), CACHE_LINE);
	struct netdev *dev = &igb->dev;
	int err;

	if (!igb)
		return -ENOMEM;
	*igb = (struct igb){ .pd = pd, .chip = chip_of(pd) };
	*dev = (struct netdev){
		.ops = &igb_ops,
		.ethtool = &igb_ethtool_ops,
		.priv = igb,
		.mtu = ETH_DATA_LEN,
		.ring_size = IGB_RING,
	};
	memset(dev->txq_of_cpu, -1, sizeof(dev->txq_of_cpu));
	snprintf(dev->bus_info, sizeof(dev->bus_info), "%s", pd->name);
	snprintf(dev->name, sizeof(dev->name), "%s",
		 pd->name); /* in messages, until it is registered */

	igb->regs = pci_map_bar(pd, 0, 0, IGB_REGS);
	if (!igb->regs)
		return -EINVAL;
	pci_command(pd, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF, 0);
	err = msix_enable(&igb->msix, pd);
	if (err)
		return err;
	if (igb->msix.n < 2) {
		kprintf("igb: %s has %u MSI-X vectors, 2 are needed\n", dev->bus_info, igb->msix.n);
		return -ENOSPC;
	}
	err = igb_reset(igb);
	if (!err)
		err = read_address(igb);
	if (err)
		return err;
	dev->max_queues = MIN(MIN(igb->chip->max_queues, NETDEV_MAX_QUEUES), igb->msix.n - 1);
	dev->nqueues = MIN(ncpus, dev->max_queues);
	err = allocate_rings(igb);
	if (!err)
		err = netdev_register(dev);
	if (err)
		return err;
	init_queues(dev);
	init_holders(igb);
	kprintf("igb: %s is an %s at %s, %02x:%02x:%02x:%02x:%02x:%02x, %u queue pairs\n",
		dev->name, igb->chip->name, pd->name, dev->mac[0], dev->mac[1], dev->mac[2],
		dev->mac[3], dev->mac[4], dev->mac[5], dev->nqueues);
	return 0;
}

static const struct pci_id igb_ids[] = { { 0x8086, 0x10c9 }, { 0, 0 } };

const struct pci_driver igb_driver = { .name = "igb", .ids = igb_ids, .probe = igb_probe };
