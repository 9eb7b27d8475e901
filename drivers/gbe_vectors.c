/* SPDX-License-Identifier: MIT */
/*
 * gbe_vectors.c - MSI-X: a vector a queue, and one behind them for link and errors
 *
 * The requests come on core 0, from open, stop and changes in the control context with the cores
 * parked. gbe_queue_irq() is the whole hard interrupt of a queue, on the core that owns it,
 * link_irq() that of the rest. Owns the struct irqs of struct gbe; how a chip masks a vector is in
 * its own file, igb.c or e1000e.c.
 */
#include "gbe.h"

#include "kernel/console.h"

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

static int request_queue_vector(struct gbe *gbe, unsigned q)
{
	struct netdev_queue *queue = &gbe->dev.queue[q];

	queue->napi.cpu = queue->cpu;
	gbe->queue_irq[q] = (struct irq){
		.handler = gbe_queue_irq,
		.moved = queue_moved,
		.arg = queue,
		.name = queue->name,
	};
	msix_irq_init(&gbe->msix, q, &gbe->queue_irq[q]);
	return irq_request(&gbe->queue_irq[q], queue->cpu);
}

static void free_queue_vectors(struct gbe *gbe, unsigned from, unsigned to)
{
	while (to-- > from)
		irq_free(&gbe->queue_irq[to]);
}

static int request_queue_vectors(struct gbe *gbe, unsigned from, unsigned to)
{
	for (unsigned q = from; q < to; q++) {
		int err = request_queue_vector(gbe, q);

		if (err) {
			free_queue_vectors(gbe, from, q);
			return err;
		}
	}
	return 0;
}

/* behind the queues' */
static int request_link_vector(struct gbe *gbe)
{
	gbe_link_init(gbe, 0);
	gbe->link_irq = (struct irq){
		.handler = link_irq,
		.moved = link_moved,
		.arg = gbe,
		.name = gbe->dev.name,
	};
	msix_irq_init(&gbe->msix, gbe->dev.nqueues, &gbe->link_irq);
	return irq_request(&gbe->link_irq, 0);
}

int gbe_vectors_request(struct gbe *gbe)
{
	unsigned n = gbe->dev.nqueues;
	int err = request_queue_vectors(gbe, 0, n);

	if (err)
		return err;
	err = request_link_vector(gbe);
	if (err)
		free_queue_vectors(gbe, 0, n);
	return err;
}

void gbe_vectors_free(struct gbe *gbe)
{
	irq_free(&gbe->link_irq);
	free_queue_vectors(gbe, 0, gbe->dev.nqueues);
}

/* the link's is given back and asked for again: where it had one, on core 0, there is one */
int gbe_vectors_resize(struct gbe *gbe, unsigned n)
{
	unsigned was = gbe->dev.nqueues;
	int err = 0, link_err;

	irq_free(&gbe->link_irq);
	if (n > was)
		err = request_queue_vectors(gbe, was, n);
	else
		free_queue_vectors(gbe, n, was);
	if (!err)
		gbe->dev.nqueues = n;
	link_err = request_link_vector(gbe);
	if (link_err && n > was && !err) { /* the queues took its place */
		free_queue_vectors(gbe, was, n);
		gbe->dev.nqueues = was;
		err = link_err;
		link_err = request_link_vector(gbe);
	}
	ASSERT(!link_err);
	return err;
}
