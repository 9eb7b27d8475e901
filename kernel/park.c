/* SPDX-License-Identifier: MIT */
/*
 * park.c - hold every other core at the top of its loop
 *
 * park_seq is odd while the cores are to stand still. Only the control context changes it. A parked core has its
 * interrupts off, so the one that parked it may touch the core's own lists (napi_disable, napi_enable).
 */
#include "park.h"

#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "irq.h"
#include "time.h"
#include "trap.h"

enum { PARK_TIMEOUT_US = 1000000 };

static _Atomic uint32_t park_seq;
static unsigned depth; /* control context only */

static void wait_parked(struct cpu *c, uint32_t seq)
{
	uint64_t end = rdtsc() + tsc_from_us(PARK_TIMEOUT_US);

	/* acquire: pairs with the release in park_point; what that core wrote is seen */
	while (atomic_load_explicit(&c->parked, memory_order_acquire) != seq) {
		if (rdtsc() > end)
			panic("core %u did not reach its loop within a second", c->id);
		cpu_pause();
	}
}

void cores_park(void)
{
	uint32_t seq;

	if (depth++)
		return;
	seq = atomic_fetch_add(&park_seq, 1) + 1;
	cpu_for_each(i)
		if (cpus[i] != this_cpu())
			apic_ipi(cpus[i]->apic_id, VECTOR_IPI);
	cpu_for_each(i)
		if (cpus[i] != this_cpu())
			wait_parked(cpus[i], seq);
}

void cores_resume(void)
{
	ASSERT(depth > 0);
	if (--depth == 0)
		atomic_fetch_add(&park_seq, 1); /* seq_cst: pairs with the load in park_point */
}

bool cores_parked(void)
{
	return depth > 0;
}

bool park_requested(void)
{
	uint32_t seq = atomic_load_explicit(&park_seq, memory_order_relaxed);

	return seq & 1 && this_cpu()->id != 0;
}

void park_point(void)
{
	uint32_t seq = atomic_load_explicit(&park_seq, memory_order_relaxed);

	if (likely(!(seq & 1)) ||
	    this_cpu()->id == 0) /* control runs on core 0, outside its softirqs */
		return;
	irq_disable();
	atomic_store_explicit(&this_cpu()->parked, seq, memory_order_release);
	while (atomic_load(&park_seq) == seq)
		cpu_pause();
	irq_enable();
}
