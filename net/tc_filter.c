/* SPDX-License-Identifier: MIT */
/*
 * tc_filter.c - a list of programs a port, and what they do with packets
 *
 * tc_filter_ingress() is called by receive.c behind the taps, on the core that has the packets;
 * the rest by tc.c, in the control context. Owns the lists and the filters in them, which change
 * while the cores are parked.
 */
#include "tc_filter.h"

#include "kernel/park.h"

#include <errno.h>
#include <stdlib.h>

/* of a port, by its id */
static struct hook {
	bool there;
	struct tc_filter *first;
} hooks[PORT_MAX];

/* decided() - what the filters from @f on do with @p. */
static enum tc_action decided(struct tc_filter *f, const struct pkt *p, uint16_t port)
{
	for (; f; f = f->next) {
		struct tc_hits *hits = &f->hits[this_cpu()->id];

		if (!bpf_run(f->prog, p, port))
			continue;
		hits->packets++;
		hits->bytes += p->frame_len;
		return f->action;
	}
	return TC_ACT_OK;
}

unsigned tc_filter_ingress(struct port *port, struct pkt **pkts, unsigned n)
{
	struct tc_filter *first = hooks[port->id].first;
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		if (decided(first, pkts[i], port->id) == TC_ACT_OK) {
			pkts[left++] = pkts[i];
			continue;
		}
		port_here(port)->forwarded++; /* as it would have been; the drop takes it back */
		port_drop_in(port, pkts[i], DROP_FILTER);
	}
	return left;
}

bool tc_clsact(const struct port *port)
{
	return hooks[port->id].there;
}

void tc_clsact_set(struct port *port, bool on)
{
	if (!on)
		tc_filter_del(port, 0, 0);
	hooks[port->id].there = on;
}

const struct tc_filter *tc_filter_first(const struct port *port)
{
	return hooks[port->id].first;
}

/* The data path looks at the list only if there is something in it. Cores parked. */
static void refresh(struct port *port)
{
	port_set_extra(port, PORT_FILTER, hooks[port->id].first ? PORT_FILTER : 0, 0);
}

/*
 * next_pref() - of a filter that names none: one less than the lowest of those
 * that Linux would have given.
 */
static unsigned next_pref(const struct tc_filter *f)
{
	return f && f->pref <= TC_PREF_FIRST && f->pref > 1 ? f->pref - 1 : TC_PREF_FIRST;
}

int tc_filter_add(struct port *port, struct tc_filter *f)
{
	struct tc_filter **at = &hooks[port->id].first;
	unsigned n = 0;

	for (const struct tc_filter *i = *at; i; i = i->next)
		n++;
	if (n == TC_FILTERS_MAX)
		return -ENOSPC;
	if (!f->pref)
		f->pref = next_pref(*at);
	f->handle = 1;
	for (; *at && (*at)->pref <= f->pref; at = &(*at)->next)
		if ((*at)->pref == f->pref)
			f->handle = (*at)->handle + 1;
	cores_park();
	f->next = *at;
	*at = f;
	refresh(port);
	cores_resume();
	return 0;
}

unsigned tc_filter_del(struct port *port, unsigned pref, unsigned handle)
{
	struct tc_filter **at = &hooks[port->id].first;
	unsigned n = 0;

	cores_park();
	while (*at) {
		struct tc_filter *f = *at;

		if ((pref && f->pref != pref) || (handle && f->handle != handle)) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		free(f->prog);
		free(f);
		n++;
	}
	refresh(port);
	cores_resume();
	return n;
}
