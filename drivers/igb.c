/* SPDX-License-Identifier: MIT */
/*
 * igb.c - the 82576: a vector a queue, one for link and errors, and what else its family is
 *
 * Set-up runs on core 0, at probe or in the control context with the cores parked; the hard interrupt of a queue,
 * igb_queue_irq(), and its NAPI ops on the core that owns it. Owns the vectors of struct gbe.
 */
#include "igb.h"

#include "kernel/console.h"

#include <errno.h>

/* --- the queues' vectors --- */

static void queue_vector(struct napi *napi, uint32_t reg)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_write(queue->dev->priv, reg, BIT(queue->index));
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

static void igb_queue_moved(void *arg, unsigned cpu)
{
	gbe_queue_moved(arg, cpu);
}

/* --- the link and error vector, behind those of the queues --- */

static void link_vector(struct napi *napi, uint32_t reg)
{
	struct gbe *gbe = container_of(napi, struct gbe, link_napi);

	gbe_write(gbe, reg, BIT(gbe->dev.nqueues));
}

static void link_irq_mask(struct napi *napi)
{
	link_vector(napi, IGB_EIMC);
}

static void link_irq_unmask(struct napi *napi)
{
	link_vector(napi, IGB_EIMS);
}

/* what comes while the vector is masked sets its EICR bit, and the unmask sends it: there is nothing to look for */
static bool link_work_pending(struct napi *napi)
{
	(void)napi;
	return false;
}

static const struct napi_ops link_ops = {
	.irq_mask = link_irq_mask,
	.irq_unmask = link_irq_unmask,
	.work_pending = link_work_pending,
};

static void igb_link_irq(void *arg)
{
	struct gbe *gbe = arg;

	napi_irq(&gbe->link_napi);
}

static void igb_link_moved(void *arg, unsigned cpu)
{
	gbe_link_moved(arg, cpu);
}

/* ICR is never a queue's: the queues' causes live in EICR, which nobody reads */
static uint32_t igb_causes(struct gbe *gbe)
{
	return gbe_read(gbe, GBE_ICR);
}

/* --- all of them --- */

static void free_vectors(struct gbe *gbe, unsigned n)
{
	while (n-- > 0)
		irq_free(&gbe->queue_irq[n]);
}

static int request_queue_vectors(struct gbe *gbe)
{
	for (unsigned q = 0; q < gbe->dev.nqueues; q++) {
		struct netdev_queue *queue = &gbe->dev.queue[q];
		int err;

		queue->napi.cpu = queue->cpu;
		gbe->queue_irq[q] = (struct irq){
			.handler = igb_queue_irq,
			.moved = igb_queue_moved,
			.arg = queue,
			.name = queue->name,
		};
		msix_irq_init(&gbe->msix, q, &gbe->queue_irq[q]);
		err = irq_request(&gbe->queue_irq[q], queue->cpu);
		if (err) {
			free_vectors(gbe, q);
			return err;
		}
	}
	return 0;
}

static int igb_request_vectors(struct gbe *gbe)
{
	int err = request_queue_vectors(gbe);

	if (err)
		return err;
	gbe_link_init(gbe, 0);
	gbe->link_irq = (struct irq){
		.handler = igb_link_irq,
		.moved = igb_link_moved,
		.arg = gbe,
		.name = gbe->dev.name,
	};
	msix_irq_init(&gbe->msix, gbe->dev.nqueues, &gbe->link_irq);
	err = irq_request(&gbe->link_irq, 0);
	if (err)
		free_vectors(gbe, gbe->dev.nqueues);
	return err;
}

static void igb_free_vectors(struct gbe *gbe)
{
	irq_free(&gbe->link_irq);
	free_vectors(gbe, gbe->dev.nqueues);
}

static void igb_wake(struct gbe *gbe, uint32_t queues)
{
	gbe_write(gbe, IGB_EICS, queues);
}

/* --- probe --- */

static int igb_find_vectors(struct gbe *gbe)
{
	int err = msix_enable(&gbe->msix, gbe->pd);

	if (err)
		return err;
	if (gbe->msix.n < 2) {
		kprintf("igb: %s has %u MSI-X vectors, 2 are needed\n", gbe->dev.bus_info,
			gbe->msix.n);
		return -ENOSPC;
	}
	gbe->dev.max_queues = MIN(MIN(gbe->chip->max_queues, NETDEV_MAX_QUEUES), gbe->msix.n - 1);
	gbe->queue_ops = gbe->chip->auto_mask ? &queue_ops_auto_mask : &queue_ops;
	return 0;
}

/* after reset the chip has its permanent address in RAL, RAH 0 */
static int igb_read_address(struct gbe *gbe, uint8_t mac[ETH_ALEN])
{
	uint32_t lo = gbe_read(gbe, GBE_RAL(0)), hi = gbe_read(gbe, GBE_RAH(0));

	for (unsigned i = 0; i < 4; i++)
		mac[i] = lo >> 8 * i;
	mac[4] = hi;
	mac[5] = hi >> 8;
	return hi & GBE_RAH_AV ? 0 : -EINVAL;
}

static const struct netdev_ops netdev_ops = {
	.open = gbe_open,
	.stop = gbe_stop,
	.rx_batch = igb_rx_batch,
	.tx_batch = igb_tx_batch,
	.set_rx_share = gbe_rx_share,
	.set_rx_mode = gbe_set_rx_mode,
	.watchdog = gbe_watchdog,
};

static const struct ethtool_ops ethtool_ops = {
	.driver = "igb",
	.version = "weir",
	.get_stats = gbe_get_stats,
	.get_coalesce = gbe_get_coalesce,
	.set_coalesce = gbe_set_coalesce,
	.nway_reset = gbe_nway_reset,
};

const struct gbe_family igb_family = {
	.name = "igb",
	.netdev = &netdev_ops,
	.ethtool = &ethtool_ops,
	.link_ops = &link_ops,
	.usecs_max = IGB_USECS_MAX,
	.find_interrupts = igb_find_vectors,
	.read_address = igb_read_address,
	.request_interrupts = igb_request_vectors,
	.free_interrupts = igb_free_vectors,
	.reset = igb_reset,
	.start = igb_start,
	.rx_length = igb_rx_length,
	.rx_off = igb_rx_off,
	.tx_on = igb_tx_on,
	.tx_off = igb_tx_off,
	.throttle = igb_throttle,
	.causes = igb_causes,
	.wake = igb_wake,
};

static const struct pci_id igb_ids[] = { { 0x8086, 0x10c9 }, { 0, 0 } };

const struct pci_driver igb_driver = { .name = "igb", .ids = igb_ids, .probe = gbe_probe };
