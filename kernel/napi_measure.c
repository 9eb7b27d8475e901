/* SPDX-License-Identifier: MIT */
/*
 * napi_measure.c - see napi_measure.h. measured_poll() and measured_told() on the queue's core, the
 * rest in the control context
 *
 * Measuring begins and ends with the cores parked: nobody is in the functions that
 * are put in and taken out.
 */
#include "napi_measure.h"

#include "napi_layers.h"
#include "park.h"
#include "time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t ns_since(uint64_t tsc, uint64_t now)
{
	return now > tsc ? tsc_to_ns(now - tsc) : 0;
}

static unsigned measured_poll(struct napi *napi, unsigned budget)
{
	struct napi_measure *m = napi->policy->measure;
	uint64_t now = rdtsc(), since = m->told ? m->told : m->ended;
	unsigned taken;

	if (m->begun)
		histogram_add(&m->interval, ns_since(m->begun, now));
	if (napi->policy->depth)
		histogram_add(&m->depth, napi->policy->depth(napi));
	taken = napi_poll_below(napi, NAPI_MEASURE, budget);
	if (taken && since)
		histogram_add_many(&m->wait, ns_since(since, now), taken);
	m->begun = now;
	m->ended = rdtsc();
	m->told = 0;
	return taken;
}

/*
 * the hard interrupt does this, and whoever schedules the queue without one:
 * both know that there is work
 */
static void measured_told(struct napi *napi)
{
	struct napi_measure *m = napi->policy->measure;

	if (!m->told)
		m->told = rdtsc();
}

static const struct napi_around measured = { .poll = measured_poll, .told = measured_told };

void napi_measured_wait(struct napi_measure *m, uint64_t since)
{
	histogram_add(&m->wait, ns_since(since, rdtsc()));
}

int napi_measure_on(struct napi_policy *p)
{
	struct napi_measure *m = p->measure ? p->measure : calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	cores_park();
	memset(&m->wait, 0, sizeof(m->wait));
	memset(&m->interval, 0, sizeof(m->interval));
	memset(&m->depth, 0, sizeof(m->depth));
	m->begun = m->ended = m->told = 0;
	p->measure = m;
	napi_set_layer(p->napi, NAPI_MEASURE, &measured);
	napi_tell(p->napi, NAPI_MEASURE, true);
	m->on = true;
	cores_resume();
	return 0;
}

void napi_measure_off(struct napi_policy *p)
{
	if (!p->measure)
		return;
	cores_park();
	p->measure->on = false;
	napi_set_layer(p->napi, NAPI_MEASURE, NULL);
	cores_resume();
}
