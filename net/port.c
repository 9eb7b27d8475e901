/* SPDX-License-Identifier: MIT */
/*
 * port.c - the list of ports, their state, and the law that nothing gets lost
 *
 * State changes in the control context while the cores are parked; link changes on core 0. The data
 * path reads the state without a lock and writes its own core's counters.
 */
#include "port.h"

#include "kernel/glob.h"
#include "kernel/mem.h"
#include "kernel/park.h"
#include "kernel/trace.h"
#include "net/ovs/fdb.h"
#include "flow.h"
#include "gro.h"
#include "net/sched/qdisc.h"
#include "net/pktgen/pktgen.h"
#include "rps.h"
#include "net/pktgen/sink.h"
#include "tc_filter.h"
#include "xmit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct port *ports[PORT_MAX];
unsigned nports;

/* of ports that are no more, for the law over all */
static uint64_t gone_sources, gone_offered, gone_in;

void port_drop_in(struct port *port, struct pkt *p, enum drop_reason why)
{
	struct port_cpu *c = port_here(port);

	c->forwarded--;
	c->dropped_in[why]++;
	pkt_drop_at(p, why, port->id, false);
}

void port_drop_out(struct port *port, struct pkt *p, enum drop_reason why)
{
	port_here(port)->dropped_out[why]++;
	pkt_drop_at(p, why, port->id, true);
}

int port_add(struct port *port)
{
	unsigned id = 1;

	while (id < PORT_MAX && ports[id])
		id++;
	if (id == PORT_MAX)
		return -ENOSPC;
	if (!port->cpu)
		port->cpu = mem_zalloc(ncpus * sizeof(*port->cpu), CACHE_LINE, "port counters");
	if (!nports) /* the law begins with the first port */
		gone_sources = gone_offered = 0;
	port->id = id;
	ports[id] = port;
	nports = MAX(nports, id);
	xmit_port_add(port);
	return 0;
}

void port_del(struct port *port)
{
	struct port_cpu total;

	qdisc_clear(port);
	rps_clear(port);
	sink_off(port);
	tc_clsact_set(port, false);
	pktgen_port_gone(port);
	free(port->groups);
	port->groups = NULL;
	port->groups_overflow = false;
	total = port_total(port);
	gone_sources += total.forwarded + total.originated;
	gone_offered += total.offered;
	gone_in += total.in;
	memset(port->cpu, 0, ncpus * sizeof(*port->cpu));
	ports[port->id] = NULL;
	while (nports && !ports[nports])
		nports--;
}

struct port *port_by_name(const char *name)
{
	port_for_each(i)
		if (!strcmp(ports[i]->name, name))
			return ports[i];
	return NULL;
}

void port_names(void (*add)(void *to, const char *s), void *to)
{
	port_for_each(i)
		add(to, ports[i]->name);
}

unsigned port_match(const char *glob, struct port **out)
{
	char id[12];
	unsigned n = 0;

	port_for_each(i) {
		snprintf(id, sizeof(id), "%u", i);
		if (glob_match(glob, ports[i]->name) || !strcmp(glob, id))
			out[n++] = ports[i];
	}
	return n;
}

int port_words(struct shell *sh, int i, struct port **out)
{
	unsigned n = i < sh->nwords ? port_match(sh->word[i].s, out) : 0;

	return n ? (int)n : shell_expected(sh, i, "a port");
}

void port_offer(void (*add)(void *to, const char *s), void *to)
{
	port_for_each(i)
		add(to, ports[i]->name);
}

/* one look says that there is nothing but the switch, and nothing but the device */
static void set_direct(struct port *port)
{
	port->rx_direct = port->accepts && !port->rx_extra;
	port->direct = port->ready && !port->tx_extra;
}

/*
 * What the data path reads follows from the rest. Every change can make a verdict wrong:
 * floods go to ready ports.
 */
static void refresh(struct port *port)
{
	port->accepts = port->up && port->sw;
	port->ready = port->up && (!port->has_link || port->has_link(port));
	set_direct(port);
	xmit_port_changed(port);
	flow_invalidate();
}

int port_set_up(struct port *port, bool up)
{
	int err = 0;

	if (up == port->up)
		return 0;
	cores_park();
	if (!up)
		/* while it stops nothing is offered to it */
		port->up = port->accepts = port->ready = port->rx_direct = port->direct = false;
	if (!up)
		qdisc_purge(port);
	err = port->ops->set_up(port, up);
	port->up = up && !err;
	refresh(port);
	cores_resume();
	if (!up)
		fdb_flush(FDB_ANY, port->id);
	return err;
}

/* Run set_mode with what the caller has changed already; @err tells it to change it back. */
static int set_mode(struct port *port)
{
	int err;

	cores_park();
	err = port->ops->set_mode(port);
	refresh(port);
	cores_resume();
	return err;
}

int port_set_mtu(struct port *port, unsigned mtu)
{
	unsigned old = port->mtu;
	int err;

	port->mtu = mtu;
	err = set_mode(port);
	if (err) {
		port->mtu = old;
		xmit_port_changed(port);
	}
	return err;
}

int port_set_mac(struct port *port, const uint8_t mac[6])
{
	uint8_t old[6];
	int err;

	memcpy(old, port->mac, sizeof(old));
	memcpy(port->mac, mac, sizeof(old));
	err = set_mode(port);
	if (err)
		memcpy(port->mac, old, sizeof(old));
	return err;
}

int port_set_promisc(struct port *port, bool on)
{
	port->promisc = on;
	return set_mode(port);
}

int port_set_allmulti(struct port *port, bool on)
{
	port->allmulti = on;
	return set_mode(port);
}

int port_set_groups(struct port *port)
{
	return set_mode(port);
}

void port_set_extra(struct port *port, uint8_t mask, uint8_t rx, uint8_t tx)
{
	cores_park();
	port->rx_extra = (port->rx_extra & ~mask) | (rx & mask);
	port->tx_extra = (port->tx_extra & ~mask) | (tx & mask);
	set_direct(port);
	cores_resume();
}

void port_set_switch(struct port *port, struct vswitch *sw)
{
	cores_park();
	port->sw = sw;
	port->ops->set_mode(port); /* promiscuous in a switch; cannot fail for want of anything */
	refresh(port);
	cores_resume();
	fdb_flush(FDB_ANY, port->id);
}

void port_link_changed(struct port *port)
{
	bool was = port->ready;

	refresh(port);
	trace(TRACE_LINK, port->id, port->ready);
	if (was && !port->ready)
		fdb_flush(FDB_ANY, port->id); /* who was behind it may show up elsewhere */
}

void port_hold(const char *word)
{
	struct port *match[PORT_MAX];
	unsigned n = port_match(word, match);

	for (unsigned i = 0; i < n; i++) {
		match[i]->held = true;
		port_set_up(match[i], false);
	}
}

unsigned port_queues(struct port *port)
{
	return port->ops->queues ? port->ops->queues(port) : 1;
}

uint64_t port_stat(struct port *port, const char *name)
{
	return port->ops->stat ? port->ops->stat(port, name) : 0;
}

uint64_t port_drops_behind(const struct port *port, enum drop_reason why)
{
	return port->ops->drops ? port->ops->drops((struct port *)port)[why] : 0;
}

uint64_t port_rx_errors(struct port *port)
{
	return port_stat(port, "rx_crc_errors") + port_stat(port, "rx_align_errors") +
	       port_stat(port, "rx_length_errors");
}

struct port_cpu port_total(const struct port *port)
{
	struct port_cpu total = { 0 };
	uint64_t *to = (uint64_t *)&total;

	cpu_for_each(c) {
		const uint64_t *from = (const uint64_t *)&port->cpu[c];

		for (unsigned i = 0; i < sizeof(total) / sizeof(*to); i++)
			to[i] += from[i];
	}
	return total;
}

uint64_t port_drops(const uint64_t v[DROP_N])
{
	uint64_t s = 0;

	for (unsigned i = 0; i < DROP_N; i++)
		s += v[i];
	return s;
}

uint64_t ports_in(void)
{
	uint64_t n = gone_in;

	port_for_each(i)
		cpu_for_each(c)
			n += ports[i]->cpu[c].in;
	return n;
}

static bool mouths_hold(const struct port *port, unsigned cpu, char *why, size_t size)
{
	const struct port_cpu *c = &port->cpu[cpu];
	const char *mouth = NULL;

	if (c->in + c->created + c->steered_in !=
	    c->forwarded + port_drops(c->dropped_in) + c->consumed + c->steered_out + c->gro_held)
		mouth = "ingress";
	else if (c->offered + c->segments + c->taken !=
		 c->out + port_drops(c->dropped_out) + c->given + c->queued)
		mouth = "egress";
	if (mouth)
		snprintf(why, size, "%s of %s on core %u", mouth, port->name, cpu);
	return !mouth;
}

bool port_conserved(char *why, size_t size)
{
	uint64_t sources = gone_sources, offered = gone_offered;

	port_for_each(i) {
		struct port_cpu total = port_total(ports[i]);

		cpu_for_each(c)
			if (!mouths_hold(ports[i], c, why, size))
				return false;
		if (total.given - total.taken != xmit_waiting(ports[i])) {
			snprintf(why, size, "%s between cores", ports[i]->name);
			return false;
		}
		if (total.steered_out - total.steered_in != rps_waiting(ports[i])) {
			snprintf(why, size, "%s in the backlogs", ports[i]->name);
			return false;
		}
		if (total.gro_held != gro_held(ports[i])) {
			snprintf(why, size, "%s in GRO", ports[i]->name);
			return false;
		}
		if (ports[i]->ops->audit && !ports[i]->ops->audit(ports[i])) {
			snprintf(why, size, "%s behind its port", ports[i]->name);
			return false;
		}
		sources += total.forwarded + total.originated;
		offered += total.offered;
	}
	if (sources == offered)
		return true;
	snprintf(why, size, "%lu forwarded or originated, %lu offered", (unsigned long)sources,
		 (unsigned long)offered);
	return false;
}
