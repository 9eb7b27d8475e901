/* SPDX-License-Identifier: MIT */
/*
 * gbe_vectors.c - MSI-X: a vector a queue, and one behind them for link and errors
 *
 * The requests come on core 0, from open, stop and changes in the control context with the cores parked. gbe_queue_irq()
 * is the whole hard interrupt of a queue, on the core that owns it, link_irq() that of the rest. Owns the struct irqs
 * of struct gbe; how a chip masks a vector is in its own file, igb.c or e1000e.c.
 */
#include "gbe.h"

/* no cause is read here: that would clear what came meanwhile, and with it the wake-up */
static void gbe_queue_irq(void *arg)
{
	struct netdev_queue *queue = arg;

	napi_irq(&queue->napi);
}

static void queue_moved(void *arg, unsigned cpu)
{
	gbe_queue_moved(arg, cpu);
}

static void link_irq(void *arg)
{
	struct gbe *gbe = arg;

	napi_irq(&gbe->link_napi);
}

static void link_moved(void *arg, unsigned cpu)
{
	gbe_link_moved(arg, cpu);
}

static void free_queue_vectors(struct gbe *gbe, unsigned n)
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
			.handler = gbe_queue_irq,
			.moved = queue_moved,
			.arg = queue,
			.name = queue->name,
		};
		msix_irq_init(&gbe->msix, q, &gbe->queue_irq[q]);
		err = irq_request(&gbe->queue_irq[q], queue->cpu);
		if (err) {
			free_queue_vectors(gbe, q);
			return err;
		}
	}
	return 0;
}

int gbe_vectors_request(struct gbe *gbe)
{
	int err = request_queue_vectors(gbe);

	if (err)
		return err;
	gbe_link_init(gbe, 0);
	gbe->link_irq = (struct irq){
		.handler = link_irq,
		.moved = link_moved,
		.arg = gbe,
		.name = gbe->dev.name,
	};
	msix_irq_init(&gbe->msix, gbe->dev.nqueues, &gbe->link_irq);
	err = irq_request(&gbe->link_irq, 0);
	if (err)
		free_queue_vectors(gbe, gbe->dev.nqueues);
	return err;
}

void gbe_vectors_free(struct gbe *gbe)
{
	irq_free(&gbe->link_irq);
	free_queue_vectors(gbe, gbe->dev.nqueues);
}
