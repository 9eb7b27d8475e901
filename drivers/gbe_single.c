/* SPDX-License-Identifier: MIT */
/*
 * gbe_single.c - one interrupt for everything: INTx, or MSI
 *
 * Set-up runs on core 0, at probe or in the control context with the cores parked; the hard
 * interrupt, take_causes(), and the NAPI ops on the core that has it, which owns the one queue as
 * well. Owns the line, the MSI and the causes of struct gbe.
 *
 * Reading ICR clears all causes and lets go of the line, so the handler does it, whoever's
 * interrupt it is, and each cause goes at once to the NAPI instance that it belongs to: the queue,
 * or link and errors. Both mask theirs in IMS and unmask them when they are done, as with vectors.
 * A frame whose cause was read while its queue was being polled announces itself no more: the look
 * behind the unmask finds it.
 */
#include "gbe.h"

#define QUEUE_CAUSES GBE_ICR_RX
#define LINK_CAUSES  (GBE_ICR_LSC | GBE_ICR_RXO)

/* --- the queue's causes --- */

static void queue_irq_mask(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_poke(gbe_of(queue->dev), GBE_IMC, QUEUE_CAUSES);
}

static void queue_irq_unmask(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);

	gbe_poke(gbe_of(queue->dev), GBE_IMS, QUEUE_CAUSES);
}

static bool queue_work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	struct gbe *gbe = gbe_of(queue->dev);

	return gbe->family->rx_pending(queue->priv);
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

/* by the link's poll, on the core that has the interrupt: atomic against that, nothing else */
static uint32_t causes(struct gbe *gbe)
{
	return atomic_exchange_explicit(&gbe->causes, 0, memory_order_relaxed);
}

/* --- the interrupt --- */

/* take_causes() - the whole hard interrupt. False: the line is shared, and it was another's. */
static bool take_causes(void *arg)
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

static void message(void *arg)
{
	take_causes(arg);
}

static void moved(void *arg, unsigned cpu)
{
	struct gbe *gbe = arg;

	gbe_queue_moved(&gbe->dev.queue[0], cpu);
	gbe_link_moved(gbe, cpu);
}

/*
 * request_line() - on core @cpu, or where a neighbour has the line already. That
 * core, or a negative errno.
 */
static int request_line(struct gbe *gbe, unsigned cpu)
{
	gbe->intx = (struct intx){
		.handler = take_causes, .moved = moved, .arg = gbe, .name = gbe->dev.name
	};
	return intx_request(&gbe->intx, gbe->line, cpu);
}

static int request_message(struct gbe *gbe, unsigned cpu)
{
	int err;

	gbe->message = (struct irq){
		.handler = message, .moved = moved, .arg = gbe, .name = gbe->dev.name
	};
	err = msi_irq_init(gbe->pd, &gbe->message);
	if (!err)
		err = irq_request(&gbe->message, cpu);
	return err ? err : (int)cpu;
}

static int request(struct gbe *gbe)
{
	struct netdev_queue *queue = &gbe->dev.queue[0];
	int cpu;

	gbe->causes = 0;
	/* first, as a neighbour on the line may have the handler called at once */
	gbe_link_init(gbe, queue->cpu);
	cpu = gbe->scheme == &gbe_msi ? request_message(gbe, queue->cpu)
				      : request_line(gbe, queue->cpu);
	if (cpu < 0)
		return cpu;
	/* and it may have the line on another core: the queue goes there */
	queue->cpu = queue->napi.cpu = gbe->link_napi.cpu = cpu;
	return 0;
}

static void free_line(struct gbe *gbe)
{
	intx_free(&gbe->intx);
}

static void free_message(struct gbe *gbe)
{
	irq_free(&gbe->message);
}

static void wake(struct gbe *gbe, uint32_t queues)
{
	(void)queues;
	gbe_write(gbe, GBE_ICS, QUEUE_CAUSES);
}

const struct gbe_scheme gbe_msi = {
	.queue_ops = &queue_ops,
	.mask_reg = GBE_IMC,
	.unmask_reg = GBE_IMS,
	.queue_cause = QUEUE_CAUSES,
	.link_ops = &link_ops,
	.request = request,
	.free = free_message,
	.causes = causes,
	.wake = wake,
};

const struct gbe_scheme gbe_intx = {
	.queue_ops = &queue_ops,
	.mask_reg = GBE_IMC,
	.unmask_reg = GBE_IMS,
	.queue_cause = QUEUE_CAUSES,
	.link_ops = &link_ops,
	.request = request,
	.free = free_line,
	.causes = causes,
	.wake = wake,
};
