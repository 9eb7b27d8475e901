/* SPDX-License-Identifier: MIT */
/*
 * vhost_measure.c - how long frames wait for the worker to look at their ring, as napi_measure.c
 * has it for a NIC's queue
 *
 * measured_work() stands around the ring's work on the worker's core, vhost_told_now() on the
 * core of who tells, the rest in the control context. Work is exchanged with the cores
 * parked: nobody is in it then.
 */
#include "vhost.h"

#include "kernel/park.h"
#include "kernel/time.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vhost_told_now(struct vhost_vring *v)
{
	uint64_t none = 0;

	atomic_compare_exchange_strong(&v->measure->told, &none, rdtsc());
}

/*
 * some_left() - the round ended with work: those that wait have waited since
 * they were told of, at most.
 */
static bool some_left(const struct vhost_vring *v)
{
	bool rx = v == &v->net->vring[VHOST_RX];

	return atomic_load(&v->work.queued) || (rx && tap_queued(v->net));
}

static void measured_work(struct vhost_work *w)
{
	struct vhost_vring *v = container_of(w, struct vhost_vring, work);
	struct vhost_measure *m = v->measure;
	uint64_t told = atomic_load(&m->told), since = told ? told : m->ended;
	uint64_t now = rdtsc(), before = v->packets;

	m->fn(w);
	if (since && v->packets != before)
		histogram_add_many(&m->wait, now > since ? tsc_to_ns(now - since) : 0,
				   v->packets - before);
	m->ended = rdtsc();
	if (!some_left(v)) /* or what came meanwhile is told of again */
		atomic_compare_exchange_strong(&m->told, &told, 0);
}

int vhost_measure(struct policy_queue *q, bool on)
{
	struct vhost_vring *v = container_of(q, struct vhost_vring, policy);

	if (!v->measured)
		v->measured = calloc(1, sizeof(*v->measured));
	if (!v->measured)
		return -ENOMEM;
	cores_park();
	if (v->measure)
		v->work.fn = v->measure->fn;
	if (on)
		*v->measured = (struct vhost_measure){ .fn = v->work.fn };
	v->measure = on ? v->measured : NULL;
	if (on)
		v->work.fn = measured_work;
	cores_resume();
	return 0;
}

const struct histogram *vhost_waits(const struct policy_queue *q)
{
	const struct vhost_vring *v = container_of(q, struct vhost_vring, policy);

	return v->measure ? &v->measure->wait : NULL;
}
