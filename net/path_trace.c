/* SPDX-License-Identifier: MIT */
/*
 * path_trace.c - one packet in so many is stamped; how long its stages took
 *
 * path_poll() and path_irq_mask() run on the core that owns a NIC's queue, path_sample() on a guest's worker's; the
 * command in the control context. What is counted down is each core's own; tracing begins and ends with the cores
 * parked.
 */
#include "path_trace.h"

#include "kernel/park.h"
#include "kernel/path.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "drivers/netdev.h"
#include "nic.h"
#include "receive.h"

#include <errno.h>
#include <string.h>

enum { EVERY_DEFAULT = 64, EVERY_MAX = 1 << 20 };

static unsigned every; /* one packet in so many; 0: not traced */

/* of one core: packets up to the next that is stamped */
static struct countdown {
	_Alignas(CACHE_LINE) int64_t left;
} countdown[MAX_CPUS];

/* of one queue of a NIC, by the core that owns it */
static struct sampler {
	struct napi_ops ops;        /* the queue's own, but for irq_mask */
	const struct napi_ops *own; /* as the driver gave them */
	uint64_t irq; /* TSC of the interrupt while a stamp was due; 0: none since the last poll */
} sampler[NETDEV_MAX][NETDEV_MAX_QUEUES];

static struct sampler *sampler_of(const struct netdev_queue *q)
{
	struct port *port = q->dev->upper;

	return &sampler[port->id - 1][q->index]; /* NICs are the first ports */
}

/* the queue's hard interrupt masks it: that is when it came */
static void path_irq_mask(struct napi *napi)
{
	struct sampler *s = sampler_of(container_of(napi, struct netdev_queue, napi));

	s->irq = rdtsc();
	s->own->irq_mask(napi);
}

/* due() - will the next batch have the one that is stamped, if it is no smaller than this one of @n? */
static bool due(unsigned n)
{
	return countdown[this_cpu()->id].left <= n;
}

/* chosen() - count @n packets; which of them is to be stamped, NULL: none. */
static struct pkt *chosen(struct pkt **pkts, unsigned n)
{
	struct countdown *c = &countdown[this_cpu()->id];
	struct pkt *p = NULL;

	if (c->left <= n)
		p = pkts[c->left - 1];
	for (c->left -= n; c->left <= 0;)
		c->left += every;
	return p;
}

/* stamp() - @p of @q gets its row, and the points that it has come by; @irq, @poll: TSC, 0: not known. */
static void stamp(struct netdev_queue *q, struct pkt *p, uint64_t irq, uint64_t poll)
{
	struct port *port = q->dev->upper;

	path_begin(p, port->id, q->index);
	if (irq)
		path_mark_at(p, PATH_HARD_IRQ, irq);
	if (poll)
		path_mark_at(p, PATH_POLL, poll);
	path_mark(p, PATH_DESCRIPTOR);
	if (!(port->rx_extra & PORT_RPS)) /* else its core says so */
		path_mark(p, PATH_RECEIVE);
}

/* path_poll() - nic_poll() while paths are traced. */
static unsigned path_poll(struct napi *napi, unsigned budget)
{
	struct netdev_queue *q = container_of(napi, struct netdev_queue, napi);
	struct pkt *pkts[PORT_BATCH], *p;
	uint64_t before = q->rx_bytes;
	struct sampler *s = sampler_of(q);
	bool armed = napi->ops == &s->ops;
	uint64_t irq = 0, poll = 0;
	unsigned n;

	if (armed) {
		poll = rdtsc();
		irq = s->irq;
		s->irq = 0;
	}
	n = q->dev->ops->rx_batch(q->dev, q->index, pkts, budget);
	if (!n)
		return 0;
	p = chosen(pkts, n);
	if (p)
		stamp(q, p, irq, poll);
	if (due(n) != armed)
		napi->ops = armed ? s->own : &s->ops;
	netif_receive(q->dev->upper, q->index, pkts, n, q->rx_bytes - before);
	return n;
}

void path_sample(struct port *port, unsigned queue, struct pkt **pkts, unsigned n)
{
	struct pkt *p = chosen(pkts, n);

	if (!p)
		return;
	path_begin(p, port->id, queue);
	path_mark(p, PATH_NETIF_RX);
	if (!(port->rx_extra & PORT_RPS))
		path_mark(p, PATH_RECEIVE);
}

/* --- on and off: cores parked --- */

static void sample_queue(struct netdev_queue *q, bool on)
{
	struct sampler *s = sampler_of(q);

	if (on && q->napi.poll != path_poll) {
		s->own = q->napi.ops;
		s->ops = *s->own;
		s->ops.irq_mask = path_irq_mask;
		s->irq = 0;
		q->napi.poll = path_poll;
	} else if (!on && q->napi.poll == path_poll) {
		q->napi.ops = s->own;
		q->napi.poll = nic_poll;
	}
}

static void sample(bool on)
{
	netdev_for_each(d)
		for (unsigned q = 0; q < NETDEV_MAX_QUEUES; q++)
			sample_queue(&netdevs[d]->queue[q], on);
	port_for_each(i)
		if (i > nnetdevs)
			port_set_extra(ports[i], PORT_STAMP, on ? PORT_STAMP : 0, 0);
}

static int switch_on(struct shell *sh, unsigned long one_in)
{
	int err;

	cores_park();
	err = path_start();
	if (!err) {
		every = one_in;
		for (unsigned i = 0; i < MAX_CPUS; i++)
			countdown[i].left = every;
		sample(true);
	}
	cores_resume();
	return err ? shell_error(sh, 2, err, "no memory for the rows") : 0;
}

static void switch_off(void)
{
	cores_park();
	sample(false);
	every = 0;
	cores_resume();
}

static void reset(void)
{
	cores_park();
	path_reset();
	cores_resume();
}

/* --- what came of it --- */

static void print_row(struct shell *sh, const char *name, const struct histogram *h)
{
	static const unsigned permille[] = { 500, 900, 990, 999 };

	shell_printf(sh, "%-24s %8lu", name, (unsigned long)h->count);
	for (unsigned i = 0; i < ARRAY_SIZE(permille); i++)
		shell_printf(sh, " %9lu", (unsigned long)histogram_permille(h, permille[i]));
	shell_printf(sh, " %9lu\n", (unsigned long)h->max);
}

/* merged() - one histogram of all cores, @offset bytes into struct path_cpu. Cores parked. */
static struct histogram *merged(struct histogram *sum, size_t offset)
{
	memset(sum, 0, sizeof(*sum));
	cpu_for_each(i)
		if (path_of_cpu[i])
			histogram_merge(sum, (void *)((char *)path_of_cpu[i] + offset));
	return sum;
}

static void print_histogram(struct shell *sh, const char *name, size_t offset)
{
	static struct histogram sum; /* too large for the stack; the control context is one */

	cores_park();
	merged(&sum, offset);
	cores_resume();
	if (sum.count)
		print_row(sh, name, &sum);
}

static void show(struct shell *sh)
{
	unsigned long stamped = 0, evicted = 0;

	cpu_for_each(i) {
		stamped += path_of_cpu[i] ? path_of_cpu[i]->taken : 0;
		evicted += path_of_cpu[i] ? path_of_cpu[i]->evicted : 0;
	}
	if (every)
		shell_printf(sh, "paths are traced, one packet in %u; ", every);
	else
		shell_printf(sh, "paths are not traced; ");
	shell_printf(sh, "%lu stamped, %lu marks too late for their row\n", stamped, evicted);
	shell_printf(sh, "%-24s %8s %9s %9s %9s %9s %9s   ns since the point before\n", "point",
		     "count", "p50", "p90", "p99", "p99.9", "max");
	for (unsigned i = 0; i < PATH_N; i++)
		print_histogram(sh, path_text[i].name,
				offsetof(struct path_cpu, since) + i * sizeof(struct histogram));
	print_histogram(sh, "first point to wire", offsetof(struct path_cpu, out));
	print_histogram(sh, "first point to guest", offsetof(struct path_cpu, in));
}

/* --- the command --- */

static bool mine(int n, const struct word *w)
{
	return word_is(n, w, 1, "path");
}

static int run(struct shell *sh, int n, const struct word *w)
{
	bool on = word_is(n, w, 2, "on");
	unsigned long one_in = EVERY_DEFAULT;

	if (n > 3 + on)
		return shell_expected(sh, 3 + on, "the end of the line");
	if (on && n == 4 && shell_uint(sh, 3, 1, EVERY_MAX, &one_in))
		return -EINVAL;
	if (on)
		return switch_on(sh, one_in);
	if (n == 2 || word_is(n, w, 2, "show"))
		show(sh);
	else if (word_is(n, w, 2, "off"))
		switch_off();
	else if (word_is(n, w, 2, "reset"))
		reset();
	else
		return shell_expected(sh, 2, "on, off, show or reset");
	return 0;
}

static void complete(int n, const struct word *w, void (*add)(void *to, const char *s), void *to)
{
	static const char *const verbs[] = { "on", "off", "show", "reset" };

	if (n == 1)
		add(to, "path");
	for (unsigned i = 0; n == 2 && mine(n, w) && i < ARRAY_SIZE(verbs); i++)
		add(to, verbs[i]);
}

TRACE_COMMAND(trace_path, .takes = mine, .run = run, .complete = complete);
