/* SPDX-License-Identifier: MIT */
/*
 * e1000.c - the 82540EM: one interrupt line for everything, and what else its family is
 *
 * Set-up runs on core 0, at probe or in the control context with the cores parked; the hard interrupt, e1000_irq(),
 * and the NAPI ops on the core that has the line, which owns the one queue as well. Owns the line and the causes of
 * struct gbe.
 *
 * Reading ICR clears all causes and lets go of the line, so the handler does it, whoever's interrupt it is, and each
 * cause goes at once to the NAPI instance that it belongs to: the queue, or link and errors. Both mask theirs in IMS
 * and unmask them when they are done, as with vectors. A frame whose cause was read while its queue was being polled
 * announces itself no more: the look behind the unmask finds it.
 */
#include "e1000.h"

#include "kernel/console.h"

#include <errno.h>

#define QUEUE_CAUSES E1000_ICR_RXT0
#define LINK_CAUSES  (GBE_ICR_LSC | GBE_ICR_RXO)

/* --- the queue's causes --- */

static void queue_irq_mask(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_write(queue->dev->priv, GBE_IMC, QUEUE_CAUSES);
}

static void queue_irq_unmask(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_write(queue->dev->priv, GBE_IMS, QUEUE_CAUSES);
}

static bool queue_work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	return e1000_rx_pending(queue->priv);
}

static const struct napi_ops queue_ops = {
	.irq_mask = queue_irq_mask,
	.irq_unmask = queue_irq_unmask,
	.work_pending = queue_work_pending,
};

/* --- link and errors --- */

static void link_irq_mask(struct napi *napi)
{
	gbe_write(container_of(napi, struct gbe, link_napi), GBE_IMC, LINK_CAUSES);
}

static void link_irq_unmask(struct napi *napi)
{
	gbe_write(container_of(napi, struct gbe, link_napi), GBE_IMS, LINK_CAUSES);
}

/* causes that an interrupt of the queue has read along with its own */
static bool link_work_pending(struct napi *napi)
{
	struct gbe *gbe = container_of(napi, struct gbe, link_napi);

	return atomic_load_explicit(&gbe->causes, memory_order_relaxed);
}

static const struct napi_ops link_ops = {
	.irq_mask = link_irq_mask,
	.irq_unmask = link_irq_unmask,
	.work_pending = link_work_pending,
};

/* by the link's poll, on the core that has the line: atomic against the interrupt, nothing else */
static uint32_t e1000_causes(struct gbe *gbe)
{
	return atomic_exchange_explicit(&gbe->causes, 0, memory_order_relaxed);
}

/* --- the line --- */

/* e1000_irq() - the whole hard interrupt. False: the line is shared, and it was another's. */
static bool e1000_irq(void *arg)
{
	struct gbe *gbe = arg;
	uint32_t icr = gbe_read(gbe, GBE_ICR);

	if (icr & QUEUE_CAUSES)
		napi_irq(&gbe->dev.queue[0].napi);
	if (icr & LINK_CAUSES) {
		atomic_fetch_or_explicit(&gbe->causes, icr & LINK_CAUSES, memory_order_relaxed);
		napi_irq(&gbe->link_napi);
	}
	return icr & (QUEUE_CAUSES | LINK_CAUSES);
}

static void e1000_moved(void *arg, unsigned cpu)
{
	struct gbe *gbe = arg;

	gbe_queue_moved(&gbe->dev.queue[0], cpu);
	gbe_link_moved(gbe, cpu);
}

static int e1000_request_line(struct gbe *gbe)
{
	struct netdev_queue *queue = &gbe->dev.queue[0];
	int cpu;

	gbe->causes = 0;
	gbe->intx = (struct intx){
		.handler = e1000_irq, .moved = e1000_moved, .arg = gbe, .name = gbe->dev.name
	};
	/* first, as a neighbour on the line may have the handler called at once */
	gbe_link_init(gbe, queue->cpu);
	cpu = intx_request(&gbe->intx, gbe->line, queue->cpu);
	if (cpu < 0)
		return cpu;
	/* and it may have the line on another core: the queue goes there */
	queue->cpu = queue->napi.cpu = gbe->link_napi.cpu = cpu;
	return 0;
}

static void e1000_free_line(struct gbe *gbe)
{
	intx_free(&gbe->intx);
}

static void e1000_wake(struct gbe *gbe, uint32_t queues)
{
	(void)queues;
	gbe_write(gbe, GBE_ICS, QUEUE_CAUSES);
}

/* --- probe --- */

static void ask_for_interrupt(void *arg)
{
	gbe_write(arg, GBE_IMS, GBE_ICR_LSC);
	gbe_write(arg, GBE_ICS, GBE_ICR_LSC);
}

static bool asked_for_interrupt(void *arg)
{
	if (!(gbe_read(arg, GBE_ICR) & GBE_ICR_LSC))
		return false;
	gbe_write(arg, GBE_IMC, UINT32_MAX);
	return true;
}

static int e1000_find_line(struct gbe *gbe)
{
	int line = intx_find(gbe->pd, ask_for_interrupt, asked_for_interrupt, gbe);

	if (line < 0)
		return line;
	gbe->line = line;
	gbe->dev.max_queues = gbe->chip->max_queues;
	gbe->queue_ops = &queue_ops;
	kprintf("e1000: %s interrupts by line %d\n", gbe->dev.bus_info, line);
	return 0;
}

static const struct netdev_ops netdev_ops = {
	.open = gbe_open,
	.stop = gbe_stop,
	.rx_batch = e1000_rx_batch,
	.tx_batch = e1000_tx_batch,
	.set_rx_share = gbe_rx_share,
	.set_rx_mode = gbe_set_rx_mode,
	.watchdog = gbe_watchdog,
};

static const struct ethtool_ops ethtool_ops = {
	.driver = "e1000",
	.version = "weir",
	.get_stats = gbe_get_stats,
	.get_coalesce = gbe_get_coalesce,
	.set_coalesce = gbe_set_coalesce,
	.nway_reset = gbe_nway_reset,
};

const struct gbe_family e1000_family = {
	.name = "e1000",
	.netdev = &netdev_ops,
	.ethtool = &ethtool_ops,
	.link_ops = &link_ops,
	.usecs_max = E1000_USECS_MAX,
	.find_interrupts = e1000_find_line,
	.read_address = e1000_read_address,
	.request_interrupts = e1000_request_line,
	.free_interrupts = e1000_free_line,
	.reset = e1000_reset,
	.start = e1000_start,
	.rx_length = e1000_rx_length,
	.rx_off = e1000_rx_off,
	.tx_on = e1000_tx_on,
	.tx_off = e1000_tx_off,
	.throttle = e1000_throttle,
	.causes = e1000_causes,
	.wake = e1000_wake,
};

static const struct pci_id e1000_ids[] = { { 0x8086, 0x100e }, { 0, 0 } };

const struct pci_driver e1000_driver = { .name = "e1000", .ids = e1000_ids, .probe = gbe_probe };
