/* SPDX-License-Identifier: MIT */
/*
 * balance.c - which move, and whether it helped
 *
 * Called by balance_run.c in the control context. No state: what it knows
 * of the machine it is told.
 */
#include "balance.h"

enum {
	HELPED = 20,     /* thousandths less busy that count as less */
	HELPED_PART = 20 /* one more packet in so many counts as more */
};

static unsigned hottest(const struct balance_core core[])
{
	unsigned hot = 0;

	cpu_for_each(i)
		if (core[i].busy > core[hot].busy)
			hot = i;
	return hot;
}

/* coolest() - of those that @unit may go to; MAX_CPUS if there is none but its own. */
static unsigned coolest(const struct balance_core core[], const struct balance_unit *unit)
{
	unsigned cool = MAX_CPUS;

	cpu_for_each(i)
		if (unit->allowed & BIT(i) && i != unit->cpu &&
		    (cool == MAX_CPUS || core[i].busy < core[cool].busy))
			cool = i;
	return cool;
}

static unsigned distance(unsigned a, unsigned b)
{
	return a > b ? a - b : b - a;
}

bool balance_propose(const struct balance_core core[], const struct balance_unit unit[],
		     unsigned nunits, struct balance_limits limits, struct balance_move *move)
{
	unsigned hot = hottest(core), best = UINT32_MAX;

	if (core[hot].busy < limits.hot)
		return false;
	for (unsigned i = 0; i < nunits; i++) {
		unsigned to, gap, share;

		if (unit[i].cpu != hot || !unit[i].packets)
			continue;
		to = coolest(core, &unit[i]);
		if (to == MAX_CPUS || core[hot].busy < core[to].busy + limits.gap)
			continue;
		gap = core[hot].busy - core[to].busy;
		share = core[hot].busy * unit[i].packets / core[hot].packets;
		/* half of the gap would make them equal; all of it would only move the heat */
		if (share < gap && distance(share, gap / 2) < best) {
			best = distance(share, gap / 2);
			*move = (struct balance_move){ unit[i], to, share };
		}
	}
	return best != UINT32_MAX;
}

static uint64_t all_packets(const struct balance_core core[])
{
	uint64_t n = 0;

	cpu_for_each(i)
		n += core[i].packets;
	return n;
}

bool balance_helped(const struct balance_move *move, const struct balance_core before[],
		    const struct balance_core after[])
{
	unsigned from = move->unit.cpu, was = before[from].busy;
	unsigned is = MAX(after[from].busy, after[move->to].busy);
	uint64_t packets = all_packets(before);

	return is + HELPED <= was || all_packets(after) > packets + packets / HELPED_PART;
}
