/* SPDX-License-Identifier: MIT */
/*
 * netif_rx.c - see netif_rx.h. The handler, the backlog, and the softirq behind it
 *
 * netif_rx_irq() runs in the hard interrupt of the core that owns the queue, or with interrupts
 * off in its softirq; process_backlog() is polled by NAPI on the same core, as a queue of its own
 * whose "interrupt" is the handler's napi_schedule(). Owns the backlog, a ring from the handler to
 * the softirq, and a pool.
 *
 * The pool: the handler interrupts softirqs of its own core at any instruction, in the midst of
 * pkt_alloc() too. So as far as packets go it is a core of its own: it has a pool that nobody else
 * allocates from, and while it runs that is this_cpu()->pool. What it frees of others goes home the
 * way of other cores, by a compare and swap, and so come its own packets back. The path of every
 * other packet knows nothing of it. Beside that the handler touches the ring of its queue, which
 * nobody else does meanwhile, and counters by single instructions.
 */
#include "netif_rx.h"

#include "irq.h"
#include "mem.h"
#include "napi_measure.h"
#include "park.h"
#include "pkt.h"
#include "spsc.h"
#include "time.h"

enum {
	BACKLOG = 1024, /* slots; netdev_max_backlog may be less */
	RX_POOL = 2048, /* buffers: a ring of them, a full backlog, and those on their way out */
	IRQ_WORK = 256, /* frames one interrupt takes at most; the softirq sees to the rest */
};

struct netif_rx {
	struct napi_policy *of;
	struct napi backlog;
	struct spsc ring;       /* from the handler to the softirq */
	uint64_t came[BACKLOG]; /* TSC, for each slot: when the handler put it there */
	struct pool *pool;
	struct pkt_holder holder;
	/* by the core that owns the queue */
	bool masked;        /* not begun yet: process_backlog() unmasks and takes what is there */
	volatile bool more; /* frames were left in the device's ring */
	uint64_t dropped;
};

/* --- the handler; interrupts off --- */

static void enqueue(struct netif_rx *rx, struct pkt *p)
{
	if (spsc_count(&rx->ring) >= MIN(*rx->of->max_backlog, (unsigned)BACKLOG)) {
		rx->dropped++;
		pkt_drop(p, DROP_IRQ_BACKLOG);
		return;
	}
	rx->came[rx->ring.head & rx->ring.mask] = rdtsc();
	spsc_push(&rx->ring, p); /* there is room: the softirq only makes more */
}

/*
 * receive() - until the device's ring is empty, or the work is enough for one interrupt.
 * Interrupts come all the while, but from a device that masks itself: what came before it was
 * opened again is left to the softirq.
 */
static void receive(struct netif_rx *rx)
{
	struct napi *napi = rx->of->napi;
	struct pkt *pkts[NAPI_POLL_MAX];
	unsigned done = 0, n;

	rx->more = false;
	do {
		n = rx->of->take(napi, pkts, NAPI_POLL_MAX);
		for (unsigned i = 0; i < n; i++)
			enqueue(rx, pkts[i]);
		done += n;
	} while (n && done < IRQ_WORK);
	napi->packets += done;
	if (unlikely(napi->masks_itself))
		napi->ops->irq_unmask(napi);
	else if (!n)
		return;
	rx->more = napi->ops->work_pending(napi);
}

void netif_rx_irq(struct netif_rx *rx)
{
	struct cpu *c = this_cpu();
	struct pool *pool = c->pool;

	if (unlikely(cores_parked())) { /* by this one, which counts packets now, or moves them */
		rx->more = true;
		napi_schedule(&rx->backlog);
		return;
	}
	*(struct pool *volatile *)&c->pool = rx->pool;
	receive(rx);
	*(struct pool *volatile *)&c->pool = pool;
	napi_schedule(&rx->backlog);
}

/* --- the softirq --- */

/*
 * receive_here() - what the handler would do, by its hand: at the beginning, and
 * for what it had to leave.
 */
static void receive_here(struct netif_rx *rx)
{
	uint64_t flags = irq_save();

	if (rx->masked) {
		rx->masked = false;
		rx->of->napi->ops->irq_unmask(rx->of->napi);
	}
	netif_rx_irq(rx);
	irq_restore(flags);
}

/* measure() - the next @n of the ring are on their way. */
static void measure(struct netif_rx *rx, unsigned n)
{
	for (uint32_t i = 0; i < n; i++)
		napi_measured_wait(rx->of->measure, rx->came[(rx->ring.tail + i) & rx->ring.mask]);
}

static unsigned deliver(struct netif_rx *rx, unsigned max)
{
	struct pkt *pkts[NAPI_POLL_MAX];
	unsigned n = MIN(spsc_count(&rx->ring), max);

	if (rx->of->measure && rx->of->measure->on)
		measure(rx, n);
	n = spsc_pop(&rx->ring, (void **)pkts, n);
	if (n)
		rx->of->deliver(rx->of->napi, pkts, n);
	return n;
}

static unsigned process_backlog(struct napi *napi, unsigned budget)
{
	struct netif_rx *rx = container_of(napi, struct netif_rx, backlog);

	if (rx->of->napi->state != NAPI_DIRECT)
		rx->more = false; /* what is left in the ring is somebody else's */
	else if (rx->masked || rx->more)
		receive_here(rx);
	return deliver(rx, budget);
}

/*
 * nothing is masked: the handler's napi_schedule() does nothing while this is scheduled, as
 * with an interrupt masked
 */
static void no_mask(struct napi *napi)
{
	(void)napi;
}

static bool backlog_pending(struct napi *napi)
{
	struct netif_rx *rx = container_of(napi, struct netif_rx, backlog);

	return spsc_count(&rx->ring) || rx->more;
}

static const struct napi_ops backlog_ops = {
	.irq_mask = no_mask,
	.irq_unmask = no_mask,
	.work_pending = backlog_pending,
};

/* --- set-up --- */

void netif_rx_enable(struct netif_rx *rx)
{
	rx->masked = true;
	rx->of->napi->state = NAPI_DIRECT;
	/* the queue may have a new core. What waits stays in front of what will come */
	if (rx->backlog.state != NAPI_DISABLED)
		napi_disable(&rx->backlog);
	rx->backlog.cpu = rx->of->napi->cpu;
	napi_enable(&rx->backlog);
}

unsigned netif_rx_waiting(const struct netif_rx *rx)
{
	return spsc_count((struct spsc *)&rx->ring);
}

void netif_rx_settle(struct netif_rx *rx)
{
	while (deliver(rx, NAPI_POLL_MAX))
		;
}

uint64_t netif_rx_dropped(const struct netif_rx *rx)
{
	return rx->dropped;
}

static void walk(void *arg, void (*tally)(void *t, struct pkt *chain), void *t)
{
	struct spsc *r = &((struct netif_rx *)arg)->ring;

	for (uint32_t i = r->tail; i != r->head; i++)
		tally(t, r->slot[i & r->mask]);
}

struct netif_rx *netif_rx_create(struct napi_policy *p)
{
	struct netif_rx *rx = mem_try_alloc(sizeof(*rx), CACHE_LINE);
	void **slots = mem_try_alloc(BACKLOG * sizeof(*slots), CACHE_LINE);
	struct pool *pool = NULL;

	if (rx && slots && POOL_EXTRA + p->number < POOLS)
		pool = pool_create(POOL_EXTRA + p->number, RX_POOL);
	if (!pool)
		return NULL;
	pool->name = p->queue.name;
	*rx = (struct netif_rx){ .of = p, .pool = pool };
	spsc_init(&rx->ring, slots, BACKLOG);
	rx->backlog = (struct napi){ .ops = &backlog_ops,
				     .poll = process_backlog,
				     .name = "backlog",
				     .state = NAPI_DISABLED };
	rx->holder = (struct pkt_holder){ .name = "interrupts' backlogs", .walk = walk, .arg = rx };
	pkt_holder_add(&rx->holder);
	return rx;
}
