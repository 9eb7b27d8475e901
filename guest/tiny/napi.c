/* SPDX-License-Identifier: MIT */
/*
 * napi.c - the poll list. Interrupts append to it, the main loop takes from it with interrupts off.
 */
#include "napi.h"

#include <stddef.h>

#include "cpu.h"

static struct napi *volatile poll_list;

bool napi_schedule_prep(struct napi *napi)
{
	/* in one instruction: an interrupt may come between a look and a store */
	return !__atomic_exchange_n(&napi->scheduled, true, __ATOMIC_RELAXED);
}

void __napi_schedule(struct napi *napi)
{
	uint64_t flags = irq_save();
	struct napi *volatile *end = &poll_list;

	while (*end)
		end = (struct napi *volatile *)&(*end)->next;
	napi->next = NULL;
	*end = napi;
	irq_restore(flags);
}

void napi_complete(struct napi *napi)
{
	napi->scheduled = false;
}

bool napi_pending(void)
{
	return poll_list;
}

static struct napi *take_list(void)
{
	struct napi *list;

	irq_disable();
	list = poll_list;
	poll_list = NULL;
	irq_enable();
	return list;
}

void napi_disable(struct napi *napi)
{
	uint64_t flags = irq_save();
	struct napi *volatile *at = &poll_list;

	while (*at && *at != napi)
		at = (struct napi *volatile *)&(*at)->next;
	if (*at)
		*at = napi->next;
	napi->scheduled = false;
	irq_restore(flags);
}

bool net_rx_action(void)
{
	struct napi *first = poll_list ? take_list() : NULL, *napi = first, *next;

	for (; napi; napi = next) {
		next = napi->next;
		if (napi->poll(napi, NAPI_WEIGHT) == NAPI_WEIGHT)
			__napi_schedule(napi); /* more may be there: behind the others */
	}
	return first;
}
