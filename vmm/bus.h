/* SPDX-License-Identifier: MIT */
/*
 * bus.h - who answers at a port or an address of a guest
 *
 * One bus for ports and one for memory, a VM each. What nobody claims reads all ones, ignores
 * writes, and is counted by address. Ranges come and go as the guest programs its BARs.
 *
 * Called on the vCPU's core with vm->lock held; a device's functions too, but for those of an
 * `unlocked` range: a doorbell, which goes straight to the worker, and the power switch, which ends
 * the guest and takes the lock for that by itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BUS_RANGES = 48, BUS_UNCLAIMED = 64 };

struct bus_range {
	uint64_t base, len;
	const char *name;
	uint64_t (*read)(void *arg, uint64_t offset, unsigned size);
	void (*write)(void *arg, uint64_t offset, unsigned size, uint64_t value);
	void *arg;
	bool unlocked; /* read and write are called without vm->lock */
	bool behind;   /* by bus.c: it overlaps a range that came before it */
};

struct bus_hole {
	uint64_t address;
	uint64_t reads, writes;
};

struct bus {
	const char *name; /* "port", "memory" */
	unsigned nranges;
	struct bus_range *last; /* that was found */
	struct bus_range range[BUS_RANGES];
	unsigned nholes;
	uint64_t holes_lost; /* accesses to addresses beyond the first BUS_UNCLAIMED ones */
	struct bus_hole hole[BUS_UNCLAIMED];
};

/* bus_add() - 0, or -ENOSPC. A range that overlaps another is found behind it. */
int bus_add(struct bus *b, const struct bus_range *r);
/* bus_del() - all ranges of @arg at @base. */
void bus_del(struct bus *b, uint64_t base, const void *arg);
/* bus_find() - the range that has all of [address, address + size), or NULL. */
struct bus_range *bus_find(struct bus *b, uint64_t address, unsigned size);
/* bus_unclaimed() - nobody is there: count it. Returns all ones, @size bytes of them. */
uint64_t bus_unclaimed(struct bus *b, uint64_t address, unsigned size, bool write);
