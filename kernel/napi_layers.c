/* SPDX-License-Identifier: MIT */
/*
 * napi_layers.c - see napi_layers.h. told_mask() in hard interrupts and on the queue's core, the
 * rest while the cores are parked, but for napi_tell(), which may be its core's as well
 *
 * What softirq.c calls follows from three things: the queue's own functions, the layers,
 * and who of them is told.
 */
#include "napi_layers.h"

/*
 * its interrupt masks a queue, and so does whoever schedules it without one:
 * that is when there is work
 */
static void told_mask(struct napi *napi)
{
	for (uint32_t left = napi->told; left; left &= left - 1)
		napi->around[__builtin_ctz(left)]->told(napi);
	napi->own_ops->irq_mask(napi);
}

static void own_ops(struct napi *napi, const struct napi_ops *ops)
{
	napi->own_ops = ops;
	napi->told_ops = *ops;
	napi->told_ops.irq_mask = told_mask;
}

/* own() - a queue that was set up without asking has what it was set up with. */
static void own(struct napi *napi)
{
	if (!napi->own_ops && napi->ops)
		own_ops(napi, napi->ops);
	if (!napi->own_poll)
		napi->own_poll = napi->poll;
}

static void use_poll(struct napi *napi)
{
	napi->poll = napi->own_poll;
	for (unsigned i = 0; i < NAPI_LAYERS; i++)
		if (napi->around[i])
			napi->poll = napi->around[i]->poll;
}

/* one store decides: an interrupt of this core finds one or the other */
static void use_ops(struct napi *napi)
{
	napi->ops = napi->told ? &napi->told_ops : napi->own_ops;
}

void napi_set_own(struct napi *napi, const struct napi_ops *ops,
		  unsigned (*poll)(struct napi *napi, unsigned budget))
{
	own(napi);
	if (ops)
		own_ops(napi, ops);
	if (poll)
		napi->own_poll = poll;
	use_poll(napi);
	use_ops(napi);
}

void napi_set_layer(struct napi *napi, enum napi_layer layer, const struct napi_around *around)
{
	own(napi);
	napi_tell(napi, layer, false);
	napi->around[layer] = around;
	use_poll(napi);
}

void napi_tell(struct napi *napi, enum napi_layer layer, bool on)
{
	napi->told = on ? napi->told | BIT(layer) : napi->told & ~BIT(layer);
	use_ops(napi);
}
