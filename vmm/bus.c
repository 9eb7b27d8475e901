/* SPDX-License-Identifier: MIT */
/*
 * bus.c - finding who answers, a handful of ranges in the order they came
 *
 * Looked up by access.c at each exit for a port or an address; changed by vm_create.c, and by
 * vpci_bar.c while a guest programs its BARs; vm->lock held. A guest uses one device for a while,
 * so the last range found is looked at first.
 */
#include "bus.h"

#include "kernel/bits.h"

#include <errno.h>
#include <string.h>

static bool range_has(const struct bus_range *r, uint64_t address, unsigned size)
{
	uint64_t offset = address - r->base; /* huge below the base */

	return offset < r->len && size <= r->len - offset;
}

static bool ranges_meet(const struct bus_range *a, const struct bus_range *b)
{
	return a->base - b->base < b->len || b->base - a->base < a->len;
}

int bus_add(struct bus *b, const struct bus_range *r)
{
	struct bus_range *new = &b->range[b->nranges];

	if (b->nranges == BUS_RANGES)
		return -ENOSPC;
	*new = *r;
	new->behind = false;
	for (unsigned i = 0; i < b->nranges; i++)
		if (ranges_meet(&b->range[i], new))
			new->behind = true;
	b->nranges++;
	return 0;
}

void bus_del(struct bus *b, uint64_t base, const void *arg)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < b->nranges; i++)
		if (b->range[i].base != base || b->range[i].arg != arg)
			b->range[kept++] = b->range[i];
	b->nranges = kept;
	b->last = NULL; /* it may have moved */
}

struct bus_range *bus_find(struct bus *b, uint64_t address, unsigned size)
{
	struct bus_range *r = b->last;

	if (likely(r && range_has(r, address, size)))
		return r;
	for (r = b->range; r < b->range + b->nranges; r++) {
		if (!range_has(r, address, size))
			continue;
		/*
		 * one that lies behind another must not be found before it:
		 * it is looked up each time
		 */
		if (!r->behind)
			b->last = r;
		return r;
	}
	return NULL;
}

static struct bus_hole *hole_at(struct bus *b, uint64_t address)
{
	for (unsigned i = 0; i < b->nholes; i++)
		if (b->hole[i].address == address)
			return &b->hole[i];
	if (b->nholes == BUS_UNCLAIMED)
		return NULL;
	b->hole[b->nholes] = (struct bus_hole){ .address = address };
	return &b->hole[b->nholes++];
}

uint64_t bus_unclaimed(struct bus *b, uint64_t address, unsigned size, bool write)
{
	struct bus_hole *h = hole_at(b, address);

	if (!h)
		b->holes_lost++;
	else if (write)
		h->writes++;
	else
		h->reads++;
	return BITS(8 * size - 1, 0);
}
