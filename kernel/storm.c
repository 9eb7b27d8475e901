/* SPDX-License-Identifier: MIT */
/*
 * storm.c - see storm.h. The look is a timer's on core 0; storm_poll_at() runs on the queue's core
 *
 * The two meet in storm->until alone: a store each, and who comes a moment too late
 * is right a second later.
 */
#include "storm.h"

#include "console.h"
#include "policy.h"
#include "time.h"

enum { LOOK_US = 1000000 };

static unsigned limit = 10000, hold_ms = 1000, poll_us = 1000;
static struct storm *watched;

void storm_watch(struct storm *s)
{
	s->next = watched;
	watched = s;
}

bool storm_second(struct storm *s, uint64_t irqs, uint64_t packets, uint64_t worked)
{
	uint64_t came = irqs - s->irqs;
	uint64_t may_be = MAX(packets - s->packets, 2 * (worked - s->worked));

	s->irqs = irqs;
	s->packets = packets;
	s->worked = worked;
	if (rdtsc() < s->until || came <= may_be + limit)
		return false;
	s->storms++;
	s->until = rdtsc() + tsc_from_us(hold_ms * UINT64_C(1000));
	return true;
}

uint64_t storm_poll_at(struct storm *s)
{
	uint64_t now = rdtsc();

	if (now >= s->until) {
		s->until = 0;
		return 0;
	}
	return now + tsc_from_us(poll_us);
}

/* look() - at one queue. The console hears of its first storm. */
static void look(struct storm *s)
{
	struct napi_policy *p = container_of(s, struct napi_policy, storm);
	const struct napi *napi = p->napi;
	uint64_t before = s->irqs;

	if (napi->irqs == before) /* an idle queue's histogram of polls is not summed up */
		return;
	if (!storm_second(s, napi->irqs, napi->packets, napi_polls_between(napi, 1, NAPI_POLL_MAX)))
		return;
	if (s->storms == 1)
		kprintf("irq: %s had %lu interrupts in a second, most of them without work; it is "
			"polled by timer for %u ms\n",
			p->queue.name, (unsigned long)(s->irqs - before), hold_ms);
	napi_policy_calm(p);
}

static void look_at_all(struct timer *t)
{
	for (struct storm *s = watched; s; s = s->next)
		look(s);
	timer_arm(t, LOOK_US);
}

void storm_start(void)
{
	static struct timer timer = { .fn = look_at_all };

	if (watched)
		timer_arm(&timer, LOOK_US);
}

SYSCTL(sysctl_storm_limit, "kernel.irq_storm_limit", &limit, 1, 100000000,
       "interrupts a second without work from which a queue is masked for a while");
SYSCTL(sysctl_storm_hold, "kernel.irq_storm_hold_ms", &hold_ms, 1, 100000,
       "milliseconds that it stays masked");
SYSCTL(sysctl_storm_poll, "kernel.irq_storm_poll_us", &poll_us, 10, 1000000,
       "microseconds from one poll to the next meanwhile");
