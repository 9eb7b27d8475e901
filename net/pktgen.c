/* SPDX-License-Identifier: MIT */
/*
 * pktgen.c - when the next packet is due, and sending it
 *
 * pktgen_run() is a timer's function, in SOFTIRQ_TIMER on the core that the settings name; the rest runs in the control
 * context. Owns the generators, one a port at most.
 *
 * Due times are counted in a time of their own, in which only the on-phases pass; when() turns it into the clock's.
 * Nobody waits: between two bursts the core does what else there is, or sleeps. One that cannot keep up with its rate
 * sends a batch and asks for the next turn, so packets of others and guests have theirs in between.
 */
#include "pktgen.h"

#include "kernel/irq.h"
#include "kernel/smp.h"
#include "pktgen_frame.h"
#include "xmit.h"

#include <stdlib.h>
#include <string.h>

enum { FRACTION = 16 }; /* bits, of due and gap */

static struct pktgen *generator[PORT_MAX]; /* by port id */

/* --- how fast --- */

/* -ln(u / 2^32) with 16 bits of fraction, @u not 0: the logarithm to base 2 bit by bit, by squaring what is left of it */
static uint32_t minus_ln(uint32_t u)
{
	unsigned top = 31 - __builtin_clz(u);
	uint64_t x = (uint64_t)u << (31 - top); /* 1.31 */
	uint32_t log2 = top << 16;

	for (int bit = 15; bit >= 0; bit--) {
		x = x * x >> 31;
		if (x >> 32) {
			log2 |= BIT(bit);
			x >>= 1;
		}
	}
	return (uint64_t)((32u << 16) - log2) * 45426 >> 16; /* ln 2 = 45,426 / 65,536 */
}

/* ticks, with a fraction, for one packet or one bit */
static uint64_t gap_of(const struct pktgen_conf *c)
{
	uint64_t hz = tsc_khz * 1000;

	if (c->rate || c->ratep)
		return ((unsigned __int128)hz << FRACTION) / (c->rate ? c->rate : c->ratep);
	return ((unsigned __int128)c->delay * tsc_khz << FRACTION) / 1000000;
}

/* a burst of @bytes in @n packets is sent: when is the next due? */
static void advance(struct pktgen *g, unsigned n, uint64_t bytes)
{
	uint64_t gap = g->gap * (g->conf.rate ? bytes * 8 : n);

	if (g->conf.poisson)
		gap = (unsigned __int128)gap * minus_ln((uint32_t)pktgen_random(g) | 1) >> 16;
	g->due += gap;
}

/* the TSC at which the next is due; never early */
static uint64_t when(const struct pktgen *g)
{
	uint64_t t = (g->due + BIT(FRACTION) - 1) >> FRACTION;

	if (g->off)
		t += t / g->on * g->off;
	return g->began + t;
}

/* --- sending --- */

static bool ended(const struct pktgen *g)
{
	const struct pktgen_conf *c = &g->conf;

	return (c->count && g->sofar + g->nobufs >= c->count) ||
	       (c->time_us && when(g) - g->began >= tsc_from_us(c->time_us));
}

/* one burst into the stage @s, of at most @most packets */
static void stage_burst(struct pktgen *g, struct stage *s, unsigned most)
{
	uint64_t bytes = g->bytes;
	unsigned n = MIN(g->conf.burst, most);

	if (g->conf.count)
		n = MIN(n, g->conf.count - g->sofar - g->nobufs);
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = pktgen_frame(g);

		if (!p) {
			g->nobufs++;
			continue;
		}
		g->sofar++;
		g->bytes += p->frame_len;
		s->count->originated++;
		xmit_stage(s, p, p->frame_len);
	}
	advance(g, n, g->bytes - bytes);
}

/* what is due, all of it in one go; without a rate one burst */
static void send_due(struct pktgen *g)
{
	struct xmit_cpu *x = xmit_of_cpu[this_cpu()->id];
	struct stage *s = x->stage[g->port->id];
	uint64_t dropped = port_drops(s->count->dropped_out);
	unsigned most = PORT_BATCH;

	do {
		stage_burst(g, s, most);
		most = PORT_BATCH - s->n;
	} while (g->gap && most >= g->conf.burst && !ended(g) && when(g) <= rdtsc());
	xmit_flush(x);
	g->errors += port_drops(s->count->dropped_out) - dropped;
}

static void pktgen_run(struct timer *t)
{
	struct pktgen *g = container_of(t, struct pktgen, timer);
	uint64_t began = rdtsc(), now;

	if (when(g) <= began)
		send_due(g);
	now = rdtsc();
	g->busy += now - began;
	if (ended(g)) {
		g->stopped = now;
		g->running = false;
		return;
	}
	timer_arm_at(t,
		     MAX(when(g), now)); /* one that is late has its next turn behind all others */
	cpu_pause(); /* where an emulator plays all cores in turn, whoever gets the packets must have one */
}

/* --- start, stop; on the core that sends --- */

static void start_here(void *arg)
{
	struct pktgen *g = arg;
	const struct pktgen_conf *c = &g->conf;

	g->began = rdtsc();
	g->gap = gap_of(c);
	g->on = tsc_from_us(c->on_us);
	g->off = tsc_from_us(c->off_us);
	g->random = c->seed;
	g->in_flow = c->flowlen;
	g->flow = c->flows - 1;
	g->mix = 0;
	g->due = g->sofar = g->bytes = g->errors = g->nobufs = g->busy = 0;
	g->run++;
	memset(g->seq, 0, sizeof(g->seq));
	pktgen_frame_init(g);
	g->running = true;
	timer_arm_at(&g->timer, g->began);
}

static void stop_here(void *arg)
{
	struct pktgen *g = arg;

	if (!g->running)
		return;
	timer_cancel(&g->timer);
	g->stopped = rdtsc();
	g->running = false;
}

void pktgen_start(struct pktgen *g)
{
	if (!g->running)
		cpu_call(g->conf.core, start_here, g);
}

void pktgen_stop(struct pktgen *g)
{
	if (g->running)
		cpu_call(g->conf.core, stop_here, g);
}

/* --- the list --- */

unsigned pktgen_core(const struct port *port)
{
	cpu_for_each(i)
		if (port->txq_of_cpu[i] >= 0)
			return i;
	return 0;
}

struct pktgen_conf pktgen_default(const struct port *port)
{
	struct pktgen_conf c = {
		.burst = 1,
		.size_min = 60,
		.size_max = 60,
		.flows = 1,
		.flowlen = 1,
		.seed = 1,
		.core = pktgen_core(port),
		.udp_src = 9,
		.udp_dst = 9, /* discard */
		.src_span = 1,
		.dst_mac = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		.src = { 198, 18, 0, 1 }, /* for benchmarks [RFC 2544 C.2.2] */
		.dst = { 198, 19, 0, 1 },
	};

	memcpy(c.src_mac, port->mac, sizeof(c.src_mac));
	return c;
}

struct pktgen *pktgen_of(const struct port *port)
{
	return generator[port->id];
}

struct pktgen *pktgen_create(struct port *port)
{
	struct pktgen *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->port = port;
	g->timer.fn = pktgen_run;
	g->conf = pktgen_default(port);
	return generator[port->id] = g;
}
