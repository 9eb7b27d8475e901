/* SPDX-License-Identifier: MIT */
/*
 * pktgen.c - when the next packet is due, and sending it
 *
 * pktgen_run() is a timer's function, in SOFTIRQ_TIMER on the core that the settings name; the rest
 * runs in the control context. Owns port->pktgen, one a port at most.
 *
 * Nobody waits: between two bursts the core does what else there is, or sleeps. One that cannot
 * keep up with its rate sends a batch and asks for the next turn, so packets of others and
 * guests have theirs in between.
 */
#include "pktgen.h"

#include "kernel/irq.h"
#include "kernel/smp.h"
#include "pktgen_frame.h"
#include "net/xmit.h"

#include <stdlib.h>
#include <string.h>

/* --- sending --- */

static bool ended(const struct pktgen *g)
{
	const struct traffic_conf *c = &g->conf.traffic;

	return g->gone || (c->count && g->sofar + g->nobufs >= c->count) ||
	       (c->time_us &&
		traffic_when(&g->traffic) - g->traffic.began >= tsc_from_us(c->time_us));
}

/* one burst into the stage @s, of at most @most packets */
static void stage_burst(struct pktgen *g, struct xmit_cpu *x, unsigned most)
{
	const struct traffic_conf *c = &g->conf.traffic;
	uint64_t bytes = g->bytes;
	unsigned n = MIN(c->burst, most);

	if (c->count)
		n = MIN(n, c->count - g->sofar - g->nobufs);
	for (unsigned i = 0; i < n; i++) {
		struct pkt *p = pktgen_frame(g);

		if (!p) {
			g->nobufs++;
			continue;
		}
		g->sofar++;
		g->bytes += p->frame_len;
		x->stage[g->port->id]->count->originated++;
		xmit_stage(x, g->port->id, p);
	}
	traffic_advance(&g->traffic, c, n, g->bytes - bytes);
}

/* what is due, all of it in one go; without a rate one burst */
static void send_due(struct pktgen *g)
{
	struct xmit_cpu *x = xmit_of_cpu[this_cpu()->id];
	struct stage *s = x->stage[g->port->id];
	uint64_t dropped = port_drops(s->count->dropped_out);
	unsigned most = PORT_BATCH;

	do {
		stage_burst(g, x, most);
		most = PORT_BATCH - s->n;
	} while (g->traffic.gap && most >= g->conf.traffic.burst && !ended(g) &&
		 traffic_when(&g->traffic) <= rdtsc());
	xmit_flush(x, trace_recording());
	g->errors += port_drops(s->count->dropped_out) - dropped;
}

static void pktgen_run(struct timer *t)
{
	struct pktgen *g = container_of(t, struct pktgen, timer);
	uint64_t began = rdtsc(), now;

	if (!ended(g) && traffic_when(&g->traffic) <= began)
		send_due(g);
	now = rdtsc();
	g->busy += now - began;
	if (ended(g)) {
		g->stopped = now;
		g->running = false;
		return;
	}
	timer_arm_at(t, MAX(traffic_when(&g->traffic),
			    now)); /* one that is late has its next turn behind all others */
	cpu_pause(); /* where an emulator plays all cores in turn, whoever gets the packets must
			have one */
}

/* --- start, stop; on the core that sends --- */

static void start_here(void *arg)
{
	struct pktgen *g = arg;

	traffic_begin(&g->traffic, &g->conf.traffic, rdtsc(), tsc_khz);
	g->sofar = g->bytes = g->errors = g->nobufs = g->busy = 0;
	g->run++;
	memset(g->seq, 0, sizeof(g->seq));
	pktgen_frame_init(g);
	g->running = true;
	timer_arm_at(&g->timer, g->traffic.began);
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
		.traffic = {
			.burst = 1,
			.size_min = TRAFFIC_SIZE_MIN,
			.size_max = TRAFFIC_SIZE_MIN,
			.flows = 1,
			.flowlen = 1,
			.seed = 1,
		},
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
	return port->pktgen && !port->pktgen->gone ? port->pktgen : NULL;
}

struct pktgen *pktgen_create(struct port *port)
{
	struct pktgen *g = port->pktgen ? port->pktgen : malloc(sizeof(*g));

	if (!g)
		return NULL;
	if (port->pktgen)
		pktgen_stop(g);
	*g = (struct pktgen){
		.port = port,
		.timer = { .fn = pktgen_run },
		.conf = pktgen_default(port),
	};
	return port->pktgen = g;
}
