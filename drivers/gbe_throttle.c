/* SPDX-License-Identifier: MIT */
/*
 * gbe_throttle.c - how long an interrupt waits behind the one before it, asked for and real
 *
 * Called in the control context with the cores parked. Owns gbe->rx_usecs and gbe->throttle.
 *
 * A count of the throttle's register stands for 1 us (82576) or 256 ns (the others), the datasheets
 * say. Models say otherwise: some are four times too slow, some have a shortest time, some only
 * throttle MSI-X, some nothing at all. So the first time that a NIC comes up with one kind of
 * interrupt it is asked: two interrupts are raised by hand, and the TSC says how far they are
 * apart. What the operator asks for is then converted by what was found.
 */
#include "gbe.h"

#include "kernel/time.h"

#include <errno.h>

enum {
	/*
	 * as the datasheet counts; some model's is 6,554. Long, as a host's timers may all be late
	 * by a tenth of a millisecond, every time
	 */
	TEST_US = 1600,
	REST_US = 300,       /* until nothing is throttled any more */
	PATIENCE_US = 16000, /* for one interrupt */
	/*
	 * a busy host makes a distance longer, and one shorter that begins late. So that one does
	 * not count, and the least does if another is like it, to that part of it
	 */
	TRIALS = 8,
	LATE_US = 40,
	ALIKE = 32,
	NOTHING_US = 50, /* so short is no throttle, but what two interrupts take */
};

#define PS_PER_US UINT64_C(1000000)

/*
 * --- measuring: the queue's NAPI instance is still disabled, so an interrupt is counted
 * and masked, and no more ---
 */

/* until queue 0 is interrupted, by a cause of ours: TSC, or 0 if it is not */
static uint64_t interrupt(struct gbe *gbe)
{
	struct napi *napi = &gbe->dev.queue[0].napi;
	volatile uint64_t *seen = &napi->irqs_while_disabled;
	uint64_t before = *seen;

	gbe->scheme->wake(gbe, BIT(0));
	gbe_queue_ops(gbe)->irq_unmask(napi);
	for (unsigned us = 0; *seen == before && us < PATIENCE_US; us++)
		udelay(1);
	return *seen == before ? 0 : rdtsc();
}

/*
 * nanoseconds between two interrupts with the register at @count; UINT64_MAX if one did
 * not come, or not in time
 */
static uint64_t distance(struct gbe *gbe, uint32_t count)
{
	uint64_t before, first, second;

	/* one without a throttle, and a rest: whatever was throttled is over */
	gbe->family->throttle(gbe, 0);
	interrupt(gbe);
	udelay(REST_US);
	gbe->family->throttle(gbe, count);
	before = rdtsc();
	first = interrupt(gbe);
	second = interrupt(gbe);
	if (!first || !second || first - before > tsc_from_us(LATE_US))
		return UINT64_MAX;
	return tsc_to_ns(second - first);
}

/* the same, the least of several; UINT64_MAX if that is not certain */
static uint64_t shortest_distance(struct gbe *gbe, uint32_t count)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < TRIALS; i++) {
		uint64_t ns = distance(gbe, count), other = MAX(ns, least);

		least = MIN(ns, least);
		if (other != UINT64_MAX && other - least <= other / ALIKE)
			return least;
	}
	return UINT64_MAX;
}

static struct ethtool_throttle measured(struct gbe *gbe)
{
	uint32_t nominal = gbe->family->throttle_ps, count = TEST_US * PS_PER_US / nominal;
	struct ethtool_throttle t = { .nominal_ps = nominal, .unit_ps = nominal };
	uint64_t ns = shortest_distance(gbe, count);

	t.measured = ns != UINT64_MAX;
	t.ignored = t.measured && ns < NOTHING_US * 1000;
	if (!t.measured || t.ignored)
		return t;
	t.unit_ps = ns * 1000 / count;
	/* a count of 1 is next to nothing, unless there is a shortest time */
	ns = shortest_distance(gbe, 1);
	if (ns != UINT64_MAX && ns > NOTHING_US * 1000)
		t.floor_ns = ns;
	return t;
}

void gbe_throttle_measure(struct gbe *gbe)
{
	struct napi *napi = &gbe->dev.queue[0].napi;
	uint64_t irqs = napi->irqs, disabled = napi->irqs_while_disabled;

	/* a parked core takes no interrupts: on another than this nothing would be seen */
	if (gbe->measured_with == gbe->scheme || napi->cpu != this_cpu()->id)
		return;
	gbe->throttle = measured(gbe);
	/* else again when it comes up the next time */
	gbe->measured_with = gbe->throttle.measured ? gbe->scheme : NULL;
	gbe_queue_ops(gbe)->irq_mask(napi);
	napi->irqs = irqs; /* these were nobody's */
	napi->irqs_while_disabled = disabled;
	gbe_throttle(gbe);
}

/* --- using it --- */

static uint32_t unit_ps(const struct gbe *gbe)
{
	return gbe->throttle.unit_ps ? gbe->throttle.unit_ps : gbe->family->throttle_ps;
}

uint32_t gbe_throttle_count(const struct gbe *gbe, unsigned usecs)
{
	uint64_t count = (usecs * PS_PER_US + unit_ps(gbe) / 2) / unit_ps(gbe);

	return usecs ? MIN(MAX(count, 1), gbe->family->throttle_max) : 0;
}

void gbe_throttle(struct gbe *gbe)
{
	gbe->family->throttle(gbe, gbe_throttle_count(gbe, gbe->rx_usecs));
	for (unsigned q = 0; gbe->dev.adaptive_rx && q < gbe->dev.nqueues; q++) {
		unsigned usecs = dim_usecs(&gbe->dev.queue[q].policy.dim);

		gbe->family->throttle_queue(gbe, q, gbe_throttle_count(gbe, usecs));
	}
}

/* what dim.c has found, by the queue's own core: a store to a register */
static void set_queue(struct napi *napi, unsigned usecs)
{
	struct netdev_queue *queue = container_of(napi, struct netdev_queue, napi);
	struct gbe *gbe = queue->dev->priv;

	gbe->family->throttle_queue(gbe, queue->index, gbe_throttle_count(gbe, usecs));
}

void gbe_set_adaptive(struct netdev *dev, bool on)
{
	for (unsigned q = 0; q < dev->max_queues; q++) {
		dev->queue[q].policy.set_throttle = set_queue;
		napi_policy_moderate(&dev->queue[q].policy, on);
	}
	dev->adaptive_rx = on;
	if (dev->up)
		gbe_throttle(dev->priv);
}

unsigned gbe_get_coalesce(struct netdev *dev)
{
	struct gbe *gbe = dev->priv;

	return gbe->rx_usecs;
}

int gbe_set_coalesce(struct netdev *dev, unsigned usecs)
{
	struct gbe *gbe = dev->priv;

	if (usecs > gbe->family->throttle_max * (uint64_t)unit_ps(gbe) / PS_PER_US)
		return -EINVAL;
	gbe->rx_usecs = usecs;
	if (dev->up)
		gbe_throttle(gbe);
	return 0;
}

void gbe_get_throttle(struct netdev *dev, struct ethtool_throttle *t)
{
	const struct gbe *gbe = dev->priv;

	*t = gbe->throttle;
	t->nominal_ps = gbe->family->throttle_ps;
	t->unit_ps = unit_ps(gbe);
	t->count = gbe_throttle_count(gbe, gbe->rx_usecs);
}
