/* SPDX-License-Identifier: MIT */
/*
 * gbe_trace.c - accesses to a NIC's registers are recorded, while somebody wants that
 *
 * gbe_trace_access() is called on any core, in hard interrupts too, while a trace is on; it is
 * switched in the control context with the cores parked. Owns the records that `trace one` borrows;
 * the operator's are gbe_trace_cmd.c's.
 *
 * Off it costs the path of a packet nothing: its three writes, tail and mask and unmask, are
 * gbe_poke(), which asks nothing. On, the queue's NAPI ops are replaced by ones that record, and
 * the transmit ring's short cut is closed.
 */
#include "gbe_trace.h"

#include "kernel/napi_layers.h"
#include "kernel/park.h"
#include "kernel/time.h"
#include "gbe_look.h"
#include "gbe_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS_TEXT = 128, NAME_TEXT = 24 };

/* --- recording --- */

static bool is_again(struct gbe_trace *t, uint32_t n, uint32_t off, uint32_t v, bool write)
{
	struct gbe_access *last = &t->access[n - 1];

	if (!n || n > GBE_TRACE_RECORDS || !atomic_load_explicit(&last->done, memory_order_acquire))
		return false;
	return last->off == off && last->value == v && last->write == write;
}

void gbe_trace_access(const struct gbe *gbe, uint32_t off, uint32_t v, bool write)
{
	struct gbe_trace *t = gbe->tracing;
	uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
	struct gbe_access *a;

	if (is_again(t, n, off, v, write)) {
		atomic_fetch_add_explicit(&t->access[n - 1].again, 1, memory_order_relaxed);
		return;
	}
	n = atomic_fetch_add_explicit(&t->n, 1, memory_order_relaxed);
	if (n >= GBE_TRACE_RECORDS)
		return;
	a = &t->access[n];
	a->tsc = rdtsc();
	a->off = off;
	a->value = v;
	a->write = write;
	a->cpu = this_cpu()->id;
	/* release: pairs with the acquires in is_again() and of who reads */
	atomic_store_explicit(&a->done, true, memory_order_release);
}

/* --- the queues' ops while it is on: what the scheme's do, recorded --- */

static void write_cause(struct napi *napi, bool mask)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	struct gbe *gbe = queue->dev->priv;
	uint32_t reg = mask ? gbe->scheme->mask_reg : gbe->scheme->unmask_reg;

	if (reg)
		gbe_write(gbe, reg, gbe->scheme->queue_cause << queue->index);
}

static void traced_mask(struct napi *napi)
{
	write_cause(napi, true);
}

static void traced_unmask(struct napi *napi)
{
	write_cause(napi, false);
}

static bool work_pending(struct napi *napi)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	const struct gbe *gbe = queue->dev->priv;

	return gbe->scheme->queue_ops->work_pending(napi);
}

static const struct napi_ops traced_ops = {
	.irq_mask = traced_mask,
	.irq_unmask = traced_unmask,
	.work_pending = work_pending,
};

const struct napi_ops *gbe_queue_ops(const struct gbe *gbe)
{
	return gbe->tracing ? &traced_ops : gbe->scheme->queue_ops;
}

void gbe_trace_use(struct gbe *gbe, struct gbe_trace *t)
{
	cores_park();
	gbe->tracing = t;
	for (unsigned q = 0; q < gbe->dev.max_queues; q++) {
		napi_set_own(&gbe->dev.queue[q].napi, gbe_queue_ops(gbe), NULL);
		gbe->tx[q]->quick = gbe->tx[q]->fill; /* the next batch asks whether it is traced */
	}
	cores_resume();
}

uint32_t gbe_trace_kept(const struct gbe_trace *t)
{
	return t ? MIN(atomic_load(&t->n), (uint32_t)GBE_TRACE_RECORDS) : 0;
}

/* --- for who shows what one frame made happen: struct netdev_look --- */

static struct gbe_trace *lent[NETDEV_MAX]; /* by netdevs[] */

static struct gbe_trace **lent_of(const struct netdev *dev)
{
	unsigned i = 0;

	while (netdevs[i] != dev)
		i++;
	return &lent[i];
}

/* where the operator traces registers already, these records do */
int gbe_regs_on(struct netdev *dev)
{
	struct gbe *gbe = gbe_of(dev);
	struct gbe_trace **t = lent_of(dev);

	if (gbe->tracing)
		return 0;
	if (!*t)
		*t = malloc(sizeof(**t));
	if (!*t)
		return -ENOMEM;
	memset(*t, 0, sizeof(**t));
	gbe_trace_use(gbe, *t);
	return 0;
}

void gbe_regs_off(struct netdev *dev)
{
	struct gbe *gbe = gbe_of(dev);

	if (gbe->tracing && gbe->tracing == *lent_of(dev))
		gbe_trace_use(gbe, NULL);
}

static void access_text(const struct gbe *gbe, const struct gbe_access *a, char *text, size_t size)
{
	char name[NAME_TEXT], bits[BITS_TEXT];

	gbe_reg_name(gbe, a->off, name, sizeof(name));
	gbe_reg_bits(gbe, a->off, a->value, bits, sizeof(bits));
	snprintf(text, size, "%s %s 0x%05x: 0x%08x%s", a->write ? "write" : "read", name, a->off,
		 a->value, bits);
}

void gbe_regs_each(const struct netdev *dev, uint64_t from, uint64_t to,
		   void (*fn)(void *arg, uint64_t tsc, unsigned cpu, const char *text), void *arg)
{
	const struct gbe *gbe = dev->priv;
	const struct gbe_trace *t = gbe->tracing ? gbe->tracing : *lent_of(dev);
	char text[NETDEV_LOOK_TEXT];

	for (uint32_t i = 0, n = gbe_trace_kept(t); i < n; i++) {
		const struct gbe_access *a = &t->access[i];

		if (!a->done || a->tsc < from || a->tsc > to)
			continue;
		access_text(gbe, a, text, sizeof(text));
		fn(arg, a->tsc, a->cpu, text);
	}
}
