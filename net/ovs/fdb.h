/* SPDX-License-Identifier: MIT */
/*
 * fdb.h - which MAC address lives behind which port: learnt, moved, aged
 *
 * One table holds all switches; the key is address, switch and VLAN. Looking up takes no lock.
 * Learning takes place on the slow path only: a sender that is new is a new flow. Hits of its
 * flows keep an entry young.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/qsbr.h"

enum { FDB_MAX = 16384 };

struct fdb_entry {
	uint64_t key;                     /* fdb_key() */
	_Atomic(struct fdb_entry *) next; /* in the bucket; in the free list */
	_Atomic uint32_t seen;            /* fdb_tick when it last sent something */
	_Atomic uint32_t port;            /* port id */
	uint32_t moved;                   /* fdb_tick when it last moved; by the lock's holder */
	bool linked;                      /* in a bucket; by the lock's holder */
	struct qsbr_head retired;
};

/* the coarse clock of ageing: seconds since boot, moved on by core 0 */
extern _Atomic uint32_t fdb_tick;

static inline uint32_t fdb_tick_now(void)
{
	return atomic_load_explicit(&fdb_tick, memory_order_relaxed);
}

void fdb_init(void);

/*
 * fdb_find() - the entry of @mac (mac_load()) in VLAN @vid of switch number @sw, or NULL.
 * Good until the loop turns.
 */
struct fdb_entry *fdb_find(unsigned sw, unsigned vid, uint64_t mac);

/*
 * fdb_learn() - @mac sent something by @port. Makes an entry, moves it here, or finds it as it
 * should be. Returns it; NULL for a group address, when the table is at its limit, or when it has
 * moved in this second already (both counted). Who was refused is asked again: fdb_age()
 * invalidates its flows as soon as that can help.
 */
struct fdb_entry *fdb_learn(unsigned sw, unsigned vid, uint64_t mac, unsigned port);

/*
 * fdb_peek() - the port that fdb_find() would tell for @mac after fdb_learn() of @sender by
 * @port; -1: none. Cores parked.
 */
int fdb_peek(unsigned sw, unsigned vid, uint64_t mac, uint64_t sender, unsigned port);

/*
 * fdb_age() - once a second, core 0: forget who was silent for
 * net.bridge.ageing_seconds; see to who was refused.
 */
void fdb_age(void);

/* what a flush takes: each member matches all if it is FDB_ANY */
#define FDB_ANY (~0u)

/*
 * fdb_flush() - forget the entries of switch @sw and port @port. Returns how many.
 * Any context but hard IRQ.
 */
unsigned fdb_flush(unsigned sw, unsigned port);

struct fdb_row {
	uint8_t mac[6];
	uint16_t vid, port;
	unsigned sw;
	uint32_t age; /* seconds since it sent something */
};

/*
 * fdb_rows() - up to @max entries of switch @sw (or FDB_ANY) into rows[];
 * returns how many there are.
 */
unsigned fdb_rows(unsigned sw, struct fdb_row *rows, unsigned max);
