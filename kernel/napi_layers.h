/* SPDX-License-Identifier: MIT */
/*
 * napi_layers.h - who looks on while a queue is polled and told of work
 *
 * softirq.c calls napi->poll and napi->ops, and nearly always these are the queue's own. Who wants
 * to see when a queue is polled, or when its interrupt came, puts a layer around them; what is the
 * queue's own may change meanwhile (GRO comes, MSI-X goes, its registers are traced) and the layers
 * stay. So nobody pays for layers that are not there.
 */
#pragma once

#include <stdbool.h>

#include "softirq.h"

struct napi_around {
	/* instead of the poll below it, which it calls: napi_poll_below() */
	unsigned (*poll)(struct napi *napi, unsigned budget);
	/*
	 * there is work: from the hard interrupt, or whoever schedules it without one.
	 * While napi_tell() wants that
	 */
	void (*told)(struct napi *napi);
};

/*
 * napi_set_own() - the driver's @ops and the upper room's @poll are these from now on; NULL: as
 * before. At probe, or with the cores parked.
 */
void napi_set_own(struct napi *napi, const struct napi_ops *ops,
		  unsigned (*poll)(struct napi *napi, unsigned budget));

/*
 * napi_set_layer() - @around stands around all layers below @layer; NULL: nothing does. Cores
 * parked; tells nothing yet.
 */
void napi_set_layer(struct napi *napi, enum napi_layer layer, const struct napi_around *around);

/* napi_tell() - tell @layer of work, or not. Cores parked, or on the owning core. */
void napi_tell(struct napi *napi, enum napi_layer layer, bool on);

/* napi_poll_below() - the poll that @layer stands around. */
static inline unsigned napi_poll_below(struct napi *napi, enum napi_layer layer, unsigned budget)
{
	while (layer-- > 0)
		if (napi->around[layer])
			return napi->around[layer]->poll(napi, budget);
	return napi->own_poll(napi, budget);
}
