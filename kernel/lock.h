/* SPDX-License-Identifier: MIT */
/*
 * lock.h - a spinlock, for set-up and slow paths
 *
 * No lock is taken on the way of a packet that hits. A lock that a hard interrupt also takes is
 * held with interrupts off (irq_save in irq.h). What a lock guards stands in the comment beside it.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "irq.h"

struct spinlock {
	_Atomic uint32_t locked;
};

static inline void spin_lock(struct spinlock *l)
{
	/* acquire: pairs with the release in spin_unlock; what the last holder wrote is seen */
	while (atomic_exchange_explicit(&l->locked, 1, memory_order_acquire))
		cpu_pause();
}

static inline void spin_unlock(struct spinlock *l)
{
	atomic_store_explicit(&l->locked, 0, memory_order_release);
}
